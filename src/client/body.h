/*  =========================================================================
    body - bodies between the library's users and the protocol

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BODY_H_INCLUDED
#define BODY_H_INCLUDED

#include <stddef.h>

#include <czmq.h>

#include "../protocol/message.h"

//  The frames of a czmq message, which is taken: *body_p comes back NULL, also
//  on failure. NULL when memory is out.
message_t *
    body_take (zmsg_t **body_p);

//  A czmq message with copies of the frames from number from on. NULL when
//  memory is out.
zmsg_t *
    body_give (const message_t *message, size_t from);

#endif
