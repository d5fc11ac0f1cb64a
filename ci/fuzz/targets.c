/*  =========================================================================
    targets - all targets by name, and how they read bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <string.h>

#define FRAMES_MAX 32

const fuzz_target_t fuzz_targets [] = {
    { "codec", fuzz_codec }, { "broker", fuzz_broker },
    { "titanic", fuzz_titanic }, { "notation", fuzz_notation },
    { "fixture", fuzz_fixture }, { "script", fuzz_script },
    { "profile", fuzz_profile }, { NULL, NULL }
};

const fuzz_target_t *
fuzz_find (const char *name)
{
    for (const fuzz_target_t *target = fuzz_targets; target->name; target++)
        if (strcmp (target->name, name) == 0)
            return target;
    return NULL;
}

uint8_t
bytes_take (bytes_t *self)
{
    if (!self->left)
        return 0;
    self->left--;
    return *self->data++;
}

frame_t *
bytes_take_frame (bytes_t *self)
{
    size_t size = bytes_take (self);
    if (size == 255) {
        size = bytes_take (self);
        size = size << 8 | bytes_take (self);
    }
    if (size > self->left)
        size = self->left;
    frame_t *frame = frame_new (self->data? (const void *) self->data: "", size);
    HOLDS (frame);
    self->data += size;
    self->left -= size;
    return frame;
}

message_t *
bytes_take_message (bytes_t *self)
{
    message_t *message = message_new ();
    HOLDS (message);
    for (size_t count = bytes_take (self) % (FRAMES_MAX + 1); count; count--) {
        frame_t *frame = bytes_take_frame (self);
        HOLDS (message_take (message, &frame) == 0);
    }
    return message;
}
