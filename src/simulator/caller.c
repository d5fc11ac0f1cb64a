/*  =========================================================================
    caller - what simulated clients have in common: one question at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "caller.h"

#include "machine.h"
#include "memory.h"

void
caller_init (caller_t *self, sim_t *sim, const peer_type_t *type,
             size_t number)
{
    peer_init (&self->peer, sim, type, number);
    self->version = dice_chance (&sim->dice, 500)? MDP_0_2: MDP_0_1;
}

void
caller_clear (caller_t *self)
{
    self->serial++;
    frame_destroy (&self->service);
    message_destroy (&self->answer);
}

static void
s_think (void *object, uint64_t life)
{
    caller_t *self = object;
    if (self->peer.life == life && !self->service)
        self->next (self);
}

static void
s_think_again (caller_t *self)
{
    sim_t *sim = self->peer.sim;
    sim_later (sim, dice_between (&sim->dice, 1, sim->swarm.think_ms), s_think,
               self, self->peer.life);
}

static void
s_close (caller_t *self)
{
    if (self->dealer)
        dealer_close (self->peer.sim->network, &self->dealer);
}

//  7/MDP: nothing tells a late reply from a new one, so that a question that
//  was given up takes its socket with it
static void
s_give_up (void *object, uint64_t serial)
{
    caller_t *self = object;
    if (self->serial != serial || !self->service)
        return;
    sim_trace (self->peer.sim, self->peer.host.name, "gives up");
    s_close (self);
    caller_clear (self);
    self->answered (self, NULL);
    s_think_again (self);
}

void
caller_ask (caller_t *self, frame_t *service, message_t *body)
{
    sim_t *sim = self->peer.sim;
    self->serial++;
    self->service = service;
    if (!self->dealer)
        self->dealer = peer_open (&self->peer);
    message_t *request = memory_need (mdp_client_request (self->version,
                                                          service, body, 0));
    dealer_send (sim->network, self->dealer, &request);
    message_destroy (&body);
    sim_later (sim, dice_between (&sim->dice, 2, 10) * sim->swarm.heartbeat_ms,
               s_give_up, self, self->serial);
}

void
caller_receive (void *object, dealer_t *dealer, message_t **message_p)
{
    caller_t *self = object;
    sim_t *sim = self->peer.sim;
    const char *name = self->peer.host.name;
    (void) dealer;
    mdp_command_t command;
    if (mdp_decode (*message_p, 0, MDP_AT_CLIENT, &command) != MDP_OK
    ||  command.version != self->version)
        sim_fail (sim, "%s: what came is not Majordomo, or of another version",
                  name);
    else
    if (!self->service || !frame_equal (command.service, self->service))
        sim_fail (sim, "%s: a REPLY that it did not ask for", name);
    else {
        if (!self->answer)
            self->answer = memory_need (message_new ());
        if (message_add_from (self->answer, *message_p, command.body))
            memory_need (NULL);
        if (command.type == MDP_CLIENT_REPLY) {
            message_t *answer = self->answer;
            self->answer = NULL;
            caller_clear (self);
            self->answered (self, answer);
            message_destroy (&answer);
            //  Now and then it comes back with a new address
            if (dice_chance (&sim->dice, 50))
                s_close (self);
            s_think_again (self);
        }
    }
    message_destroy (message_p);
}

void
caller_start (peer_t *peer)
{
    s_think_again ((caller_t *) peer);
}

void
caller_stop (peer_t *peer)
{
    caller_t *self = (caller_t *) peer;
    self->dealer = NULL;
    bool asked = self->service != NULL;
    caller_clear (self);
    if (asked)
        self->answered (self, NULL);
}

void
caller_leave (peer_t *peer)
{
    peer->life++;
    s_close ((caller_t *) peer);
}
