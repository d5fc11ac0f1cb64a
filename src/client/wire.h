/*  =========================================================================
    wire - messages over a DEALER socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef WIRE_H_INCLUDED
#define WIRE_H_INCLUDED

#include <stdint.h>

#include <czmq.h>

#include "../protocol/message.h"
#include "curve.h"

typedef enum {
    WIRE_READABLE,              //  A message waits
    WIRE_TIMEOUT,               //  The time has come
    WIRE_INTERRUPTED            //  SIGINT or SIGTERM
} wire_event_t;

//  A DEALER that connects to the endpoint, with keys unless curve is NULL. When
//  it is destroyed, what was not sent is dropped. NULL with errno.
zsock_t *
    wire_connect (const char *endpoint, const curve_t *curve);

//  Send a message, never waiting. 0, or -1 with errno when it cannot be sent: EAGAIN
//  when there is no connection, not even one that is being made.
int
    wire_send (zsock_t *socket, const message_t *message);

//  The next message that has arrived. NULL with errno: EAGAIN when there is none,
//  ENOMEM when there was one and it could not be taken.
message_t *
    wire_receive (zsock_t *socket);

//  Wait until a message comes, or until the monotonic clock (zclock_mono)
//  says until_ms. No socket: only for the time.
wire_event_t
    wire_wait (zsock_t *socket, int64_t until_ms);

//  One line on stderr, after the program's name.
void
    wire_notice (const char *format, ...)
    __attribute__ ((format (printf, 1, 2)));

#endif
