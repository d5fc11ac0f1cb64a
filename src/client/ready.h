/*  =========================================================================
    ready - one descriptor for many sockets and a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef READY_H_INCLUDED
#define READY_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

//  Who polls sees a descriptor that is readable when one of the sockets may
//  have a message, or when the time has come. A socket's own descriptor
//  (ZMQ_FD) tells of news only: a socket that is here must be read until it is
//  empty whenever it was used.
typedef struct _ready_t ready_t;

//  Nothing to wait for. NULL with errno when there is no descriptor to be had.
ready_t *
    ready_new (void);
void
    ready_destroy (ready_t **self_p);

//  What to poll for reading. The same as long as this lives, and its own.
int
    ready_fd (const ready_t *self);

//  Look out for a socket, for the sake of item. 0, or -1 with errno.
int
    ready_add (ready_t *self, zsock_t *socket, void *item);

//  No longer; before the socket is destroyed.
void
    ready_remove (ready_t *self, zsock_t *socket);

//  When the descriptor becomes readable though nothing comes, by zclock_mono;
//  INT64_MAX for never. It stays readable until another time is set.
void
    ready_set_time (ready_t *self, int64_t at_ms);

//  The item of a socket that may have a message, NULL when there is none. They
//  take turns.
void *
    ready_next (ready_t *self);

//  Block until the descriptor is readable; false when SIGINT or SIGTERM came.
bool
    ready_wait (ready_t *self);

#endif
