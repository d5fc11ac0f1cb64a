/*  =========================================================================
    asker - an ordinary client, which must get the right reply to each request

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "siege.h"

void
asker_start (asker_t *self, channel_t slot)
{
    char name [16];
    int size = snprintf (name, sizeof name, "service%u",
                         (unsigned) (slot % SERVICES));
    *self = (asker_t) { .slot = slot, .version = slot % 2? MDP_0_1: MDP_0_2,
                        .name = frame_new (name, (size_t) size) };
    if (!self->name)
        abort ();
}

static void
s_ask (asker_t *self, ordeal_t *ordeal)
{
    message_t *body = message_new ();
    if (!body || message_add_string (body, self->body))
        abort ();
    if (!self->channel)
        ordeal_reopen (ordeal, self->slot, &self->channel);
    self->sent_ms = ordeal->now_ms;
    ordeal_send (ordeal, self->channel,
                 mdp_client_request (self->version, self->name, body, 0));
    message_destroy (&body);
}

static void
s_next (asker_t *self, ordeal_t *ordeal)
{
    self->waiting = !ordeal->finishing;
    if (!self->waiting)
        return;
    snprintf (self->body, sizeof self->body, "client %u asks for the %lluth "
              "time", (unsigned) self->slot,
              (unsigned long long) ++self->serial);
    self->vain = 0;
    self->first_ms = ordeal->now_ms;
    s_ask (self, ordeal);
}

static void
s_count (latency_t *self, int64_t ms)
{
    size_t slot = 0;
    while (slot + 1 < sizeof self->slots / sizeof *self->slots
    &&     ms >= (int64_t) 1 << slot)
        slot++;
    self->slots [slot]++;
    self->count++;
    if (self->longest_ms < ms)
        self->longest_ms = ms;
}

void
asker_receive (asker_t *self, ordeal_t *ordeal, const message_t *message,
               latency_t *latency)
{
    //  Workers answer with the name of the service, and the request
    mdp_command_t command;
    if (!self->waiting
    ||  mdp_decode (message, 0, MDP_AT_CLIENT, &command) != MDP_OK
    ||  command.type != MDP_CLIENT_REPLY
    || !frame_equal (command.service, self->name)
    ||  message_size (message) != command.body + 2
    || !frame_equal (message_frame (message, command.body), self->name)
    || !frame_is (message_frame (message, command.body + 1), self->body,
                  strlen (self->body))) {
        ordeal_fail (ordeal, "client %u asked for \"%s\" and was sent "
                     "something else", (unsigned) self->slot, self->body);
        return;
    }
    s_count (latency, ordeal->now_ms - self->first_ms);
    s_next (self, ordeal);
}

void
asker_tick (asker_t *self, ordeal_t *ordeal)
{
    if (!self->waiting)
        s_next (self, ordeal);
    else
    if (ordeal->now_ms - self->sent_ms > ordeal->patience_ms) {
        ordeal->gone++;
        ordeal_close (ordeal, &self->channel);
        if (++self->vain == ordeal->tries)
            ordeal_fail (ordeal, "client %u asked a service with workers %u "
                         "times in vain", (unsigned) self->slot, self->vain);
        s_ask (self, ordeal);
    }
}

bool
asker_is_done (const asker_t *self)
{
    return !self->waiting;
}

void
asker_clear (asker_t *self)
{
    frame_destroy (&self->name);
}
