/*  =========================================================================
    blob - a body as databases keep it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BLOB_H_INCLUDED
#define BLOB_H_INCLUDED

#include <stddef.h>

#include "../protocol/message.h"

//  All frames of a body in one blob, the caller's to free: for each four bytes
//  of length, most significant first, then the frame. NULL when memory is out.
unsigned char *
    blob_pack (const message_t *message, size_t *size);

//  The body again; NULL when the blob is damaged or memory is out.
message_t *
    blob_unpack (const unsigned char *blob, size_t size);

#endif
