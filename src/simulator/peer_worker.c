/*  =========================================================================
    worker - a simulated worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "memory.h"
#include "peer.h"

typedef struct {
    peer_t peer;
    frame_t *service;
    mdp_version_t version;
    dealer_t *dealer;
    int64_t heard_ms;           //  From the broker
    int64_t sent_ms;
    bool rude;                  //  It has said what it should not
    frame_t *client;            //  Whose request it works on
    message_t *reply;           //  What it is going to say
    uint64_t serial;            //  Sockets and requests so far: old timers
                                //  mean nothing
} worker_t;

static void
s_send (worker_t *self, message_t *message)
{
    memory_need (message);
    self->sent_ms = self->peer.sim->now_ms;
    dealer_send (self->peer.sim->network, self->dealer, &message);
}

static void
s_drop_work (worker_t *self)
{
    self->serial++;
    frame_destroy (&self->client);
    message_destroy (&self->reply);
}

//  A fresh socket, a fresh conversation
static void
s_open (worker_t *self)
{
    sim_t *sim = self->peer.sim;
    s_drop_work (self);
    self->rude = false;
    if (self->dealer)
        dealer_close (sim->network, &self->dealer);
    self->dealer = peer_open (&self->peer);
    self->heard_ms = sim->now_ms;
    s_send (self, mdp_worker_ready (self->version, self->service));
}

//  Something that no worker says, or not now
static message_t *
s_rudeness (worker_t *self)
{
    dice_t *dice = &self->peer.sim->dice;
    mdp_version_t other = self->version == MDP_0_1? MDP_0_2: MDP_0_1;
    message_t *message = NULL;
    frame_t *odd = memory_need (frame_new ("mmi.odd", 7));
    message_t *body = memory_need (message_new ());
    if (message_add (body, odd))
        memory_need (NULL);
    switch (dice_below (dice, 5)) {
        case 0:
            message = mdp_worker_ready (self->version, self->service);
            break;
        case 1:
            message = mdp_worker_ready (self->version, odd);
            break;
        case 2:
            message = mdp_worker_heartbeat (other, NULL);
            break;
        case 3:
            message = mdp_worker_reply (self->version, odd, body, 0);
            break;
        default:
            message = message_slice (body, 0);
    }
    message_destroy (&body);
    frame_destroy (&odd);
    return message;
}

static void
s_beat (void *object, uint64_t life)
{
    worker_t *self = object;
    sim_t *sim = self->peer.sim;
    if (self->peer.life != life)
        return;
    int64_t heartbeat_ms = sim->swarm.heartbeat_ms;
    if (self->rude
    ||  sim->now_ms - self->heard_ms >= heartbeat_ms * sim->swarm.liveness)
        s_open (self);
    else
    if (sim->now_ms - self->sent_ms >= heartbeat_ms) {
        //  Now and then it says what it should not, and is sent away for it. A
        //  broker that has forgotten it takes it for a new worker, so that
        //  nothing else may come by this socket
        self->rude = !sim->healing && dice_chance (&sim->dice, 5);
        if (self->rude)
            s_drop_work (self);
        s_send (self, self->rude? s_rudeness (self)
                : mdp_worker_heartbeat (self->version, NULL));
    }
    sim_later (sim, self->sent_ms + heartbeat_ms - sim->now_ms, s_beat, self,
               life);
}

static void
s_restart (void *object, uint64_t life)
{
    worker_t *self = object;
    if (self->peer.life != life)
        return;
    peer_crash (&self->peer);
    peer_start (&self->peer);
}

static void
s_done (void *object, uint64_t serial)
{
    worker_t *self = object;
    if (self->serial != serial || !self->client)
        return;
    size_t from = 0;
    if (self->version == MDP_0_2 && self->peer.sim->swarm.partials
    &&  message_size (self->reply) > 1
    &&  dice_chance (&self->peer.sim->dice, 500)) {
        //  The first frame as a PARTIAL, the others as the FINAL
        message_t *part = memory_need (message_new ());
        if (message_add (part, message_frame (self->reply, 0)))
            memory_need (NULL);
        s_send (self, mdp_worker_partial (self->version, self->client, part,
                                          0));
        message_destroy (&part);
        from = 1;
    }
    s_send (self, mdp_worker_reply (self->version, self->client, self->reply,
                                    from));
    s_drop_work (self);
}

//  How long it takes for an answer; -1 for ever
static int64_t
s_work_ms (sim_t *sim)
{
    if (!sim->healing && dice_chance (&sim->dice, 5))
        return -1;
    int64_t most_ms = sim->swarm.work_ms;
    if (!sim->healing && dice_chance (&sim->dice, 20))
        most_ms = sim->swarm.timeout_ms * 2;
    return dice_between (&sim->dice, 0, most_ms);
}

static void
s_request (worker_t *self, const message_t *message,
           const mdp_command_t *command)
{
    sim_t *sim = self->peer.sim;
    if (self->client) {
        sim_fail (sim, "%s: a second REQUEST before the REPLY to the first",
                  self->peer.host.name);
        return;
    }
    self->serial++;
    self->client = frame_ref (command->client);
    char mark [64];
    snprintf (mark, sizeof mark, "%s.%llu", self->peer.host.name,
              (unsigned long long) self->serial);
    self->reply = peer_reply_new (self->service, message, command->body, mark);
    int64_t work_ms = s_work_ms (sim);
    if (work_ms >= 0)
        sim_later (sim, work_ms, s_done, self, self->serial);
    else
        //  It hangs and beats on, until somebody looks after it
        sim_later (sim, dice_between (&sim->dice, 1, 20)
                        * sim->swarm.heartbeat_ms,
                   s_restart, self, self->peer.life);
}

static void
s_receive (void *object, dealer_t *dealer, message_t **message_p)
{
    worker_t *self = object;
    (void) dealer;
    mdp_command_t command;
    if (mdp_decode (*message_p, 0, MDP_AT_WORKER, &command) != MDP_OK
    || (command.version != self->version && !self->rude))
        sim_fail (self->peer.sim, "%s: what came is not Majordomo, or of "
                  "another version", self->peer.host.name);
    else
    if (command.type == MDP_WORKER_DISCONNECT)
        s_open (self);
    else {
        self->heard_ms = self->peer.sim->now_ms;
        if (command.type == MDP_WORKER_REQUEST && !self->rude)
            s_request (self, *message_p, &command);
        else
        if (command.type != MDP_WORKER_HEARTBEAT && !self->rude)
            sim_fail (self->peer.sim, "%s: the broker sent %s",
                      self->peer.host.name, mdp_type_text (command.type));
    }
    message_destroy (message_p);
}

static void
s_start (peer_t *peer)
{
    worker_t *self = (worker_t *) peer;
    s_open (self);
    sim_later (peer->sim, peer->sim->swarm.heartbeat_ms, s_beat, self,
               peer->life);
}

static void
s_stop (peer_t *peer)
{
    worker_t *self = (worker_t *) peer;
    self->dealer = NULL;
    s_drop_work (self);
}

static void
s_leave (peer_t *peer)
{
    worker_t *self = (worker_t *) peer;
    s_send (self, mdp_worker_disconnect (self->version, NULL));
    peer->life++;
}

static bool
s_is_done (const peer_t *peer)
{
    return ((const worker_t *) peer)->client == NULL;
}

static void
s_destroy (peer_t **peer_p)
{
    worker_t *self = (worker_t *) *peer_p;
    *peer_p = NULL;
    s_drop_work (self);
    frame_destroy (&self->service);
    free (self);
}

static const peer_type_t s_type = {
    "worker", s_start, s_stop, s_leave, s_is_done, s_destroy, s_receive
};

peer_t *
peer_worker_new (sim_t *sim, size_t number)
{
    worker_t *self = memory_need (calloc (1, sizeof (worker_t)));
    peer_init (&self->peer, sim, &s_type, number);
    //  Each service has one, the others as they fall
    self->service = peer_service (number < sim->swarm.services
        ? number: dice_below (&sim->dice, sim->swarm.services));
    self->version = dice_chance (&sim->dice, 500)? MDP_0_2: MDP_0_1;
    return &self->peer;
}
