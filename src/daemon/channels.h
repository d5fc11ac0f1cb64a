/*  =========================================================================
    channels - the sockets of a reactor, by number

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CHANNELS_H_INCLUDED
#define CHANNELS_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/engine.h"
#include "door.h"

typedef enum {
    CHANNELS_OK,
    CHANNELS_EMPTY,             //  Nothing to receive now
    CHANNELS_DROPPED,           //  A message came that cannot be taken
    CHANNELS_UNREACHABLE,       //  No peer with this address
    CHANNELS_FULL,              //  The peer does not read what it is sent
    CHANNELS_UNKNOWN,           //  No such channel
    CHANNELS_FAILED             //  Anything else
} channels_result_t;

typedef struct _channels_t channels_t;

//  NULL, with errno, when there is no ZeroMQ context to be had. wake_fd is a
//  file descriptor that ends a wait when it can be read.
channels_t *
    channels_new (int64_t max_message_bytes, int wake_fd);

//  Close all and wait until what was sent has gone, linger_ms at most.
void
    channels_destroy (channels_t **self_p);

//  How long messages that were sent may hold up channels_destroy, and stay
//  when a channel is closed: 0 at first, they are dropped.
void
    channels_set_linger (channels_t *self, int linger_ms);

//  Have all channels that are opened from now on speak CURVE with these keys,
//  which are borrowed; NULL for plain.
void
    channels_set_keyring (channels_t *self, keyring_t *keyring);

//  Open a ROUTER that binds the endpoint, or a DEALER that connects to it.
//  0, or -1 with errno. What binds gets a door; only one can bind.
int
    channels_bind (channels_t *self, channel_t number, const char *endpoint,
                   size_t max_connections, bool verbose);
int
    channels_connect (channels_t *self, channel_t number,
                      const char *endpoint);

//  The endpoint that was bound or connected to last, with the port filled in.
const char *
    channels_endpoint (const channels_t *self);

//  The door of what was bound, NULL if nothing was.
door_t *
    channels_door (const channels_t *self);

//  What is bound listens no more: an errno. Otherwise 0.
int
    channels_lost (const channels_t *self);

//  Close a channel, if there is one with this number.
void
    channels_close (channels_t *self, channel_t number);

//  Receive nothing more from a channel that is about to be closed.
void
    channels_mute (channels_t *self, channel_t number);

//  Wait until a channel has a message or wake_fd can be read, timeout_ms at
//  most, -1 for ever. true when it was wake_fd.
bool
    channels_wait (channels_t *self, int timeout_ms);

//  Receive the next message that has arrived, each channel in its turn. A new
//  message in *message_p when the result is CHANNELS_OK.
channels_result_t
    channels_receive (channels_t *self, channel_t *number,
                      message_t **message_p);

//  Send a message, or all of it not. Never waits.
channels_result_t
    channels_send (channels_t *self, channel_t number,
                   const message_t *message);

#endif
