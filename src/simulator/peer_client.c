/*  =========================================================================
    client - a simulated client of services

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>

#include "caller.h"
#include "machine.h"
#include "memory.h"

typedef struct {
    caller_t caller;
    frame_t *service;           //  Asked
    message_t *body;            //  Asked; NULL when nothing is to be asked again
    bool mmi;                   //  It asks mmi.service
    uint64_t bodies;            //  So far
} client_t;

//  A question that was given up is asked again
static void
s_next (caller_t *caller)
{
    client_t *self = (client_t *) caller;
    sim_t *sim = caller->peer.sim;
    if (!self->body) {
        if (sim->healing)
            return;
        frame_destroy (&self->service);
        self->service = peer_service (dice_below (&sim->dice,
                                                  sim->swarm.services));
        self->body = peer_body_new (sim, &caller->peer, ++self->bodies);
        self->mmi = dice_chance (&sim->dice, 50);
    }
    if (!self->mmi) {
        caller_ask (caller, frame_ref (self->service),
                    memory_need (message_slice (self->body, 0)));
        return;
    }
    message_t *name = memory_need (message_new ());
    if (message_add (name, self->service))
        memory_need (NULL);
    caller_ask (caller, memory_need (frame_new ("mmi.service", 11)), name);
}

static void
s_answered (caller_t *caller, const message_t *answer)
{
    client_t *self = (client_t *) caller;
    sim_t *sim = caller->peer.sim;
    if (!answer)
        return;
    size_t size = peer_reply_size (self->body);
    //  I-49: PARTIALs of a worker that went may stand before those of the next
    size_t from = caller->version == MDP_0_2 && message_size (answer) > size
        ? message_size (answer) - size: 0;
    if (self->mmi) {
        const frame_t *status = message_frame (answer, 0);
        if (message_size (answer) != 1
        || (!frame_is (status, "200", 3) && !frame_is (status, "404", 3)))
            sim_fail (sim, "%s: mmi.service answers neither 200 nor 404",
                      caller->peer.host.name);
    }
    else
    if (!peer_is_reply (self->service, self->body, answer, from))
        sim_fail (sim, "%s: a REPLY that is not to its request",
                  caller->peer.host.name);
    sim->counts.called++;
    message_destroy (&self->body);
}

static bool
s_is_done (const peer_t *peer)
{
    return ((const client_t *) peer)->body == NULL;
}

static void
s_destroy (peer_t **peer_p)
{
    client_t *self = (client_t *) *peer_p;
    *peer_p = NULL;
    caller_clear (&self->caller);
    frame_destroy (&self->service);
    message_destroy (&self->body);
    free (self);
}

static const peer_type_t s_type = {
    "client", caller_start, caller_stop, caller_leave, s_is_done, s_destroy,
    caller_receive
};

peer_t *
peer_client_new (sim_t *sim, size_t number)
{
    client_t *self = memory_need (calloc (1, sizeof (client_t)));
    caller_init (&self->caller, sim, &s_type, number);
    self->caller.next = s_next;
    self->caller.answered = s_answered;
    return &self->caller.peer;
}
