/*  =========================================================================
    calm - whether the broker has got over what hostile peers did

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "siege.h"

//  Names absent0 to absent19 are asked for too: see forge.c
#define ABSENT 20

//  What did not work is tried again after so long.
#define AGAIN_MS 200
//  And so is what had no answer.
#define ANSWER_MS 2000

#define SERVICE "calm"

typedef enum {
    GONE,                       //  Hostile services are gone, one by one
    WORKERS,                    //  There is room for workers, one by one
    FULL,                       //  Requests are on their way to the queue
    SERVED,                     //  All of them come back
    DONE
} phase_t;

struct _calm_t {
    channel_t slot;
    room_t room;
    phase_t phase;
    size_t number;              //  Of the service or worker that is looked at
    channel_t asks;             //  mmi.service
    channel_t *workers;         //  One, when requests are served
    channel_t *clients;
    size_t queued, served;      //  Clients that are done; replies
    bool waiting;               //  For an answer
    int64_t due_ms;             //  Until then; else, when to go on
    int64_t beat_ms;            //  When workers have sent their last heartbeats
    char text [128];
};

calm_t *
calm_new (channel_t slot, const room_t *room)
{
    calm_t *self = (calm_t *) calloc (1, sizeof (calm_t));
    if (!self)
        abort ();
    self->slot = slot;
    self->room = *room;
    self->workers = (channel_t *) calloc (room->workers + 1, sizeof (channel_t));
    self->clients = (channel_t *) calloc (room->clients + 1, sizeof (channel_t));
    if (!self->workers || !self->clients)
        abort ();
    return self;
}

void
calm_destroy (calm_t **self_p)
{
    calm_t *self = *self_p;
    if (self) {
        free (self->workers);
        free (self->clients);
        free (self);
        *self_p = NULL;
    }
}

bool
calm_is_done (const calm_t *self)
{
    return self->phase == DONE;
}

const char *
calm_text (const calm_t *self)
{
    return self->text;
}

static void
s_request (ordeal_t *ordeal, channel_t channel, const char *service,
           const char *text)
{
    frame_t *name = frame_new (service, strlen (service));
    message_t *body = message_new ();
    if (!name || !body || message_add_string (body, text))
        abort ();
    ordeal_send (ordeal, channel, mdp_client_request (MDP_0_1, name, body, 0));
    frame_destroy (&name);
    message_destroy (&body);
}

static void
s_register (calm_t *self, ordeal_t *ordeal, channel_t *channel,
            const char *service)
{
    frame_t *name = frame_new (service, strlen (service));
    if (!name)
        abort ();
    ordeal_reopen (ordeal, self->slot, channel);
    ordeal_send (ordeal, *channel, mdp_worker_ready (MDP_0_1, name));
    frame_destroy (&name);
}

static void
s_later (calm_t *self, ordeal_t *ordeal)
{
    self->waiting = false;
    self->due_ms = ordeal->now_ms + AGAIN_MS;
}

//  What service is looked at
static const char *
s_service (const calm_t *self, char name [32])
{
    bool raids = self->number < RAIDS;
    snprintf (name, 32, "%s%zu",
              self->phase == WORKERS? SERVICE: raids? "raid": "absent",
              self->phase == WORKERS || raids? self->number
                                             : self->number - RAIDS);
    return name;
}

static void
s_hang_up (calm_t *self, ordeal_t *ordeal)
{
    for (size_t nbr = 0; nbr <= self->room.workers; nbr++) {
        if (self->workers [nbr])
            ordeal_send (ordeal, self->workers [nbr],
                         mdp_worker_disconnect (MDP_0_1, NULL));
        ordeal_close (ordeal, &self->workers [nbr]);
    }
    for (size_t nbr = 0; nbr < self->room.clients; nbr++)
        ordeal_close (ordeal, &self->clients [nbr]);
}

static void
s_enter (calm_t *self, ordeal_t *ordeal, phase_t phase)
{
    if (phase == WORKERS && self->room.workers == 0)
        phase = FULL;
    if (phase == FULL && self->room.requests == 0)
        phase = DONE;
    if (phase != SERVED)
        s_hang_up (self, ordeal);
    if (phase == DONE)
        ordeal_close (ordeal, &self->asks);
    self->phase = phase;
    self->number = 0;
    s_later (self, ordeal);
}

//  --------------------------------------------------------------------------
//  Steps

static void
s_look (calm_t *self, ordeal_t *ordeal)
{
    char name [32];
    s_service (self, name);
    if (self->phase == WORKERS && !self->workers [self->number])
        s_register (self, ordeal, &self->workers [self->number], name);
    if (!self->asks)
        ordeal_reopen (ordeal, self->slot, &self->asks);
    snprintf (self->text, sizeof self->text, self->phase == GONE
              ? "%s is there still, which hostile peers made"
              : "a worker for %s finds no room", name);
    s_request (ordeal, self->asks, "mmi.service", name);
}

//  Every client fills its part of the queue; the answer of mmi.service says that the
//  broker has read all of it
static void
s_fill (calm_t *self, ordeal_t *ordeal)
{
    self->queued = self->served = 0;
    for (size_t nbr = 0; nbr < self->room.clients; nbr++) {
        ordeal_reopen (ordeal, self->slot, &self->clients [nbr]);
        size_t count = self->room.requests / self->room.clients;
        while (count-- > 0)
            s_request (ordeal, self->clients [nbr], SERVICE, "wait");
        s_request (ordeal, self->clients [nbr], "mmi.service", SERVICE);
    }
    snprintf (self->text, sizeof self->text, "%zu requests find no room",
              self->room.requests);
}

static void
s_beat (calm_t *self, ordeal_t *ordeal)
{
    if (ordeal->now_ms - self->beat_ms < ordeal->heartbeat_ms)
        return;
    self->beat_ms = ordeal->now_ms;
    for (size_t nbr = 0; nbr <= self->room.workers; nbr++)
        if (self->workers [nbr])
            ordeal_send (ordeal, self->workers [nbr],
                         mdp_worker_heartbeat (MDP_0_1, NULL));
}

void
calm_tick (calm_t *self, ordeal_t *ordeal)
{
    if (self->phase == DONE)
        return;
    s_beat (self, ordeal);
    if (ordeal->now_ms < self->due_ms)
        return;
    if (self->waiting) {
        //  No answer: over again
        ordeal_close (ordeal, &self->asks);
        if (self->phase == SERVED)
            s_enter (self, ordeal, FULL);
    }
    self->waiting = true;
    self->due_ms = ordeal->now_ms + ANSWER_MS;
    if (self->phase == FULL)
        s_fill (self, ordeal);
    else
    if (self->phase != SERVED)
        s_look (self, ordeal);
}

//  --------------------------------------------------------------------------
//  Answers

static void
s_looked (calm_t *self, ordeal_t *ordeal, const frame_t *status)
{
    bool right = frame_is (status, self->phase == GONE? "404": "200", 3);
    if (!right) {
        s_later (self, ordeal);
        return;
    }
    self->waiting = false;
    self->due_ms = ordeal->now_ms;
    self->number++;
    if (self->phase == GONE && self->number == RAIDS + ABSENT)
        s_enter (self, ordeal, WORKERS);
    else
    if (self->phase == WORKERS && self->number == self->room.workers)
        s_enter (self, ordeal, FULL);
}

static void
s_replied (calm_t *self, ordeal_t *ordeal, const mdp_command_t *command)
{
    if (!frame_is (command->service, SERVICE, strlen (SERVICE))) {
        if (self->phase == FULL && ++self->queued == self->room.clients) {
            self->phase = SERVED;
            s_register (self, ordeal, &self->workers [0], SERVICE);
        }
    }
    else
    if (++self->served == self->room.requests)
        s_enter (self, ordeal, DONE);
}

static void
s_worked (calm_t *self, ordeal_t *ordeal, channel_t channel,
          const message_t *message, const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_REQUEST)
        ordeal_send (ordeal, channel, mdp_worker_reply (MDP_0_1,
                     command->client, message, command->body));
    if (command->type != MDP_WORKER_DISCONNECT)
        return;
    for (size_t nbr = 0; nbr <= self->room.workers; nbr++)
        if (self->workers [nbr] == channel)
            ordeal_close (ordeal, &self->workers [nbr]);
}

void
calm_receive (calm_t *self, ordeal_t *ordeal, channel_t channel,
              const message_t *message)
{
    mdp_command_t command;
    if (mdp_decode (message, 0, MDP_AT_WORKER, &command) == MDP_OK)
        s_worked (self, ordeal, channel, message, &command);
    else
    if (mdp_decode (message, 0, MDP_AT_CLIENT, &command) != MDP_OK)
        ordeal_fail (ordeal, "a client was sent what is not Majordomo");
    else
    if (channel == self->asks)
        s_looked (self, ordeal, message_frame (message, command.body));
    else
        s_replied (self, ordeal, &command);
}
