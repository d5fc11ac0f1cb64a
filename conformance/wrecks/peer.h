/*  =========================================================================
    peer - workers and clients with one fault each, put under what they send and
    receive

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PEER_H_INCLUDED
#define PEER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <czmq.h>

#include "../../src/protocol/mdp.h"

//  A fault of a whole process, besides those of its messages.
enum {
    PEER_FEIGNS_HEARTBEATS = 1, //  Its broker is never silent to it
    PEER_KEEPS_SOCKETS = 2,     //  It hangs up on no one
    PEER_OVER_REQ = 4,          //  It has a REQ socket
    PEER_NEEDS_BROKER = 8,      //  It ends when none is there at once
    PEER_DIES_AFTER_PAUSE = 16, //  It does not survive that it is stopped
    PEER_WAITS_FOR_MORE = 32,   //  It takes no second reply
    PEER_OWN_ADDRESS = 64       //  It chooses its address: no fault
};

//  One fault while its process runs.
typedef struct {
    const struct _peer_fault_t *fault;  //  NULL for a healthy one
    zsock_t *socket;            //  The one that is in use
    mdp_version_t version;      //  Of what it sent last
    frame_t *kept;              //  Whatever a fault must remember
    size_t number;              //  Whatever a fault counts
    int64_t heartbeat_ms;       //  When the broker's last one came
    bool busy;                  //  A worker: with a request in hand
} peer_t;

//  A message goes through these on its way out and in. They may exchange it, or
//  drop it (NULL).
typedef void (peer_fn) (peer_t *self, message_t **message_p,
                        const mdp_command_t *command);

typedef struct _peer_fault_t {
    const char *name;
    peer_fn *send;              //  Well-formed commands
    peer_fn *receive;
    int flags;
} peer_fault_t;

//  Tables that end with a fault without a name.
extern const peer_fault_t worker_faults [];
extern const peer_fault_t client_faults [];

//  Send one more message.
void
    peer_send (peer_t *self, const message_t *message);

//  A message with frame number index exchanged for another (taken; NULL takes it
//  out).
void
    peer_exchange (message_t **message_p, size_t index, frame_t *frame);

#endif
