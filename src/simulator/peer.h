/*  =========================================================================
    peer - the simulated workers and clients

    Each is a process of its own at the broker, with sockets that it opens anew
    when it has waited long enough. They speak the protocols as they should, and
    tell when they are spoken to otherwise.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PEER_H_INCLUDED
#define PEER_H_INCLUDED

#include "network.h"

//  What one kind of peer does. self is the peer's own struct, which begins with
//  a peer_t.
typedef struct {
    const char *name;           //  "worker", ...
    void (*start) (peer_t *self);   //  Its process begins
    void (*stop) (peer_t *self);    //  It is gone; sockets are closed already
    void (*leave) (peer_t *self);   //  Good-bye, at rest
    bool (*is_done) (const peer_t *self);   //  Healed: nothing left to do
    void (*destroy) (peer_t **self_p);
    host_receive_fn *receive;
} peer_type_t;

struct _peer_t {
    sim_t *sim;
    const peer_type_t *type;
    size_t number;
    host_t host;
    size_t broker;              //  That it talks to now
    uint64_t life;              //  Counts starts and stops
};

//  For the three kinds: fill in what they have in common, and start.
void
    peer_init (peer_t *self, sim_t *sim, const peer_type_t *type,
               size_t number);

peer_t *
    peer_worker_new (sim_t *sim, size_t number);
peer_t *
    peer_client_new (sim_t *sim, size_t number);
peer_t *
    peer_titanic_client_new (sim_t *sim, size_t number);
void
    peer_destroy (peer_t **self_p);

//  Its process dies; it begins again.
void
    peer_crash (peer_t *self);
void
    peer_start (peer_t *self);

//  A socket at the broker that it talks to; now and then at another from now on.
dealer_t *
    peer_open (peer_t *self);

//  The name of service number nbr of the run.
frame_t *
    peer_service (size_t nbr);

//  A request's body of a few frames, which no other request has.
message_t *
    peer_body_new (sim_t *sim, const peer_t *self, uint64_t serial);

//  What a worker of the service makes of it: each time something else, by its
//  mark, so that the replies of two executions can be told apart.
message_t *
    peer_reply_new (const frame_t *service, const message_t *body, size_t from,
                    const char *mark);

//  How many frames that has.
size_t
    peer_reply_size (const message_t *body);

//  Whether the frames of other from number from on are such a reply; whether they
//  are the same.
bool
    peer_is_reply (const frame_t *service, const message_t *body,
                   const message_t *other, size_t from);
bool
    peer_same_body (const message_t *one, size_t one_from,
                    const message_t *other, size_t other_from);

#endif
