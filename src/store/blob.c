/*  =========================================================================
    blob - a body as databases keep it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "blob.h"

unsigned char *
blob_pack (const message_t *message, size_t *size)
{
    size_t count = message? message_size (message): 0;
    *size = (message? message_bytes (message): 0) + count * 4;
    unsigned char *blob = (unsigned char *) malloc (*size + 1);
    if (!blob)
        return NULL;
    unsigned char *to = blob;
    for (size_t index = 0; index < count; index++) {
        const frame_t *frame = message_frame (message, index);
        size_t length = frame_size (frame);
        *to++ = (unsigned char) (length >> 24);
        *to++ = (unsigned char) (length >> 16);
        *to++ = (unsigned char) (length >> 8);
        *to++ = (unsigned char) length;
        memcpy (to, frame_data (frame), length);
        to += length;
    }
    return blob;
}

message_t *
blob_unpack (const unsigned char *blob, size_t size)
{
    message_t *message = message_new ();
    while (message && size) {
        size_t length = size < 4? 0: (size_t) blob [0] << 24
            | (size_t) blob [1] << 16 | (size_t) blob [2] << 8 | blob [3];
        if (size < 4 || length > size - 4
        ||  message_add_bytes (message, blob + 4, length)) {
            message_destroy (&message);
            return NULL;
        }
        blob += 4 + length;
        size -= 4 + length;
    }
    return message;
}
