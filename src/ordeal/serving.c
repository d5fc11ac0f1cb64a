/*  =========================================================================
    serving - a worker that answers at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>

#include "ordeal.h"

static void
s_send (serving_t *self, ordeal_t *ordeal, message_t *message)
{
    self->sent_ms = ordeal->now_ms;
    ordeal_send (ordeal, self->channel, message);
}

static void
s_register (serving_t *self, ordeal_t *ordeal)
{
    ordeal_reopen (ordeal, self->slot, &self->channel);
    self->heard_ms = ordeal->now_ms;
    s_send (self, ordeal, mdp_worker_ready (MDP_0_1, self->service));
}

void
serving_start (serving_t *self, ordeal_t *ordeal, channel_t slot)
{
    char name [16];
    int size = snprintf (name, sizeof name, "service%u",
                         (unsigned) (slot % SERVICES));
    *self = (serving_t) { .slot = slot,
                          .service = frame_new (name, (size_t) size) };
    if (!self->service)
        abort ();
    s_register (self, ordeal);
}

//  The name of the service, and the frames of the request
static void
s_serve (serving_t *self, ordeal_t *ordeal, const message_t *message,
         const mdp_command_t *command)
{
    message_t *body = message_new ();
    if (body && message_add (body, self->service) == 0
    &&  message_add_from (body, message, command->body) == 0)
        s_send (self, ordeal, mdp_worker_reply (MDP_0_1, command->client, body,
                                                0));
    message_destroy (&body);
}

void
serving_receive (serving_t *self, ordeal_t *ordeal, const message_t *message)
{
    mdp_command_t command;
    self->heard_ms = ordeal->now_ms;
    if (mdp_decode (message, 0, MDP_AT_WORKER, &command) != MDP_OK)
        ordeal_fail (ordeal, "a worker was sent what is not Majordomo");
    else
    if (command.type == MDP_WORKER_DISCONNECT)
        s_register (self, ordeal);
    else
    if (command.type == MDP_WORKER_REQUEST)
        s_serve (self, ordeal, message, &command);
}

void
serving_tick (serving_t *self, ordeal_t *ordeal)
{
    if (ordeal->now_ms - self->heard_ms > 3 * ordeal->heartbeat_ms)
        s_register (self, ordeal);
    else
    if (ordeal->now_ms - self->sent_ms >= ordeal->heartbeat_ms)
        s_send (self, ordeal, mdp_worker_heartbeat (MDP_0_1, NULL));
}

void
serving_clear (serving_t *self)
{
    frame_destroy (&self->service);
}
