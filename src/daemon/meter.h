/*  =========================================================================
    meter - what has come on each connection and is no message yet

    libzmq gives a message of many frames when its last one has come, and keeps
    the others until then, however many they are. The kernel knows how much has
    come on each connection, and libzmq which one a message is from; a connection
    on which more has come than the largest message takes, and no message, never
    ends its own.

    One thread opens and sweeps, another one reads.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef METER_H_INCLUDED
#define METER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

typedef struct _meter_t meter_t;

//  For connections with file descriptors up to the highest. NULL when memory is
//  out.
meter_t *
    meter_new (int highest);

void
    meter_destroy (meter_t **self_p);

//  There is a new connection.
void
    meter_open (meter_t *self, int handle);

//  Look at the connections that are next in turn, some hundreds at most. One on
//  which more than so many bytes have come without a message, and which is
//  forgotten now; -1 when there is no more of that kind among them.
int
    meter_sweep (meter_t *self, size_t most_bytes);

//  Connections that have ended for some seconds, and that ZeroMQ has not closed. It
//  never will: it does not read from them any more.
size_t
    meter_dead (const meter_t *self);

//  Whether it takes meter_drained to tell what is to become of a connection.
bool
    meter_waits (const meter_t *self);

//  Whether meter_read is to be called: there are connections on which much has
//  come.
bool
    meter_watches (const meter_t *self);

//  A message was received, from the connection with this file descriptor; -1 if
//  from none.
void
    meter_read (meter_t *self, int handle);

//  All messages that had arrived were received.
void
    meter_drained (meter_t *self);

#endif
