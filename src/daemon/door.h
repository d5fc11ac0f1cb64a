/*  =========================================================================
    door - who may connect to a server, and how many

    A thread beside the reactor that answers libzmq's questions about keys (27/ZAP)
    and watches connections come. What knocks often costs the reactor nothing.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DOOR_H_INCLUDED
#define DOOR_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "keyring.h"
#include "meter.h"

typedef struct {
    keyring_t *keyring;         //  NULL: everybody may come in. Used by the
                                //  door's thread alone from door_open on
    size_t max_connections;     //  What comes above that is closed at once; less
                                //  when there are not enough file descriptors
    size_t max_unfinished_bytes;    //  What may come on a connection without
                                //  being a whole message; above that it is closed
    int wake_fd;                //  While this can be read, the bell rings
} door_config_t;

//  Size of the bell's address. The bell is a peer in this process that sends the
//  socket a message.
#define DOOR_BELL_SIZE 16

typedef struct _door_t door_t;

//  Put a door before a socket that is going to be bound. One a context. NULL with
//  errno; EMFILE when there are hardly any file descriptors.
door_t *
    door_open (void *context, void *socket, const door_config_t *config,
               bool verbose);

//  The address of the bell, which nobody can guess.
const void *
    door_bell (const door_t *self);

//  How many connections there may be, as far as file descriptors go.
size_t
    door_connections (const door_t *self);

//  Whether so many connections have ended that ZeroMQ will never close that the
//  listener is to be closed, and they with it. True once until that is found again.
bool
    door_stuffed (door_t *self);

//  The highest file descriptor that a connection may have.
int
    door_highest (const door_t *self);

//  To be told what is read; as long as the door is there.
meter_t *
    door_meter (const door_t *self);

//  Whether to tell each time when somebody is refused, not once a minute.
void
    door_set_verbose (door_t *self, bool verbose);

//  Wait for the thread, which ends when the context is terminated.
void
    door_close (door_t **self_p);

#endif
