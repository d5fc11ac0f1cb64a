/*  =========================================================================
    peer - the simulated workers and clients

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "peer.h"

#include <stdio.h>

#include "memory.h"

void
peer_init (peer_t *self, sim_t *sim, const peer_type_t *type, size_t number)
{
    self->sim = sim;
    self->type = type;
    self->number = number;
    self->broker = number % sim->swarm.brokers;
    snprintf (self->host.name, sizeof self->host.name, "%s%zu", type->name,
              number);
    self->host.receive = type->receive;
    self->host.object = self;
}

void
peer_destroy (peer_t **self_p)
{
    (*self_p)->type->destroy (self_p);
}

void
peer_start (peer_t *self)
{
    if (self->host.up)
        return;
    sim_trace (self->sim, self->host.name, "starts");
    self->life++;
    self->host.up = true;
    self->type->start (self);
}

void
peer_crash (peer_t *self)
{
    if (!self->host.up)
        return;
    sim_trace (self->sim, self->host.name, "is killed");
    self->life++;
    network_crash (self->sim->network, &self->host);
    self->type->stop (self);
}

dealer_t *
peer_open (peer_t *self)
{
    sim_t *sim = self->sim;
    if (sim->swarm.brokers > 1 && dice_chance (&sim->dice, 300))
        self->broker = dice_below (&sim->dice, sim->swarm.brokers);
    return dealer_open (sim->network, &self->host, self->broker, 0);
}

frame_t *
peer_service (size_t nbr)
{
    char name [16];
    int size = snprintf (name, sizeof name, "service%zu", nbr);
    return memory_need (frame_new (name, (size_t) size));
}

message_t *
peer_body_new (sim_t *sim, const peer_t *self, uint64_t serial)
{
    char text [64];
    message_t *body = memory_need (message_new ());
    size_t frames = 1 + dice_below (&sim->dice, 3);
    for (size_t nbr = 0; nbr < frames; nbr++) {
        snprintf (text, sizeof text, "%s.%llu.%zu", self->host.name,
                  (unsigned long long) serial, nbr);
        if (message_add_string (body, text))
            memory_need (NULL);
    }
    return body;
}

message_t *
peer_reply_new (const frame_t *service, const message_t *body, size_t from,
                const char *mark)
{
    message_t *reply = memory_need (message_new ());
    if (message_add (reply, service) || message_add_from (reply, body, from)
    ||  message_add_string (reply, mark))
        memory_need (NULL);
    return reply;
}

size_t
peer_reply_size (const message_t *body)
{
    return message_size (body) + 2;
}

bool
peer_same_body (const message_t *one, size_t one_from,
                const message_t *other, size_t other_from)
{
    if (message_size (one) - one_from != message_size (other) - other_from)
        return false;
    for (; one_from < message_size (one); one_from++, other_from++)
        if (!frame_equal (message_frame (one, one_from),
                          message_frame (other, other_from)))
            return false;
    return true;
}

bool
peer_is_reply (const frame_t *service, const message_t *body,
               const message_t *other, size_t from)
{
    size_t size = peer_reply_size (body);
    if (message_size (other) != from + size
    || !frame_equal (message_frame (other, from), service))
        return false;
    for (size_t nbr = 0; nbr < message_size (body); nbr++)
        if (!frame_equal (message_frame (other, from + 1 + nbr),
                          message_frame (body, nbr)))
            return false;
    return true;
}
