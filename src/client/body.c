/*  =========================================================================
    body - bodies between the library's users and the protocol

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "body.h"

#include <assert.h>

static void
s_free (void *owner)
{
    zframe_t *frame = owner;
    zframe_destroy (&frame);
}

message_t *
body_take (zmsg_t **body_p)
{
    assert (body_p);
    message_t *message = message_new ();
    zframe_t *owner;
    while (message && (owner = zmsg_pop (*body_p))) {
        frame_t *frame = frame_wrap (zframe_data (owner), zframe_size (owner),
                                     s_free, owner);
        if (!frame)
            zframe_destroy (&owner);
        if (message_take (message, &frame))
            message_destroy (&message);
    }
    zmsg_destroy (body_p);
    return message;
}

zmsg_t *
body_give (const message_t *message, size_t from)
{
    zmsg_t *body = zmsg_new ();
    for (size_t index = from; body && index < message_size (message); index++) {
        const frame_t *frame = message_frame (message, index);
        if (zmsg_addmem (body, frame_data (frame), frame_size (frame)))
            zmsg_destroy (&body);
    }
    return body;
}
