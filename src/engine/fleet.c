/*  =========================================================================
    fleet - several Titanic servers as one engine, each at a broker of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdlib.h>

#include "fleet.h"

//  Tickets of a server are below this: the rest says whose they are
#define TICKET_BITS 56

struct _fleet_t {
    size_t count;
    struct {
        titanic_t *titanic;
        int64_t deadline_ms;    //  Of its next tick
    } servers [FLEET_MAX];
};

fleet_t *
fleet_new (const titanic_config_t *config, size_t count)
{
    assert (count > 0 && count <= FLEET_MAX);
    assert (count == 1 || config->lease_ms);
    fleet_t *self = (fleet_t *) calloc (1, sizeof (fleet_t));
    if (!self)
        return NULL;
    self->count = count;
    for (size_t nbr = 0; nbr < count; nbr++) {
        titanic_config_t own = *config;
        own.server.bytes [0] = (unsigned char) (own.server.bytes [0] ^ nbr);
        self->servers [nbr].titanic = titanic_new (&own);
        if (!self->servers [nbr].titanic) {
            fleet_destroy (&self);
            return NULL;
        }
    }
    return self;
}

void
fleet_destroy (fleet_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        for (size_t nbr = 0; nbr < (*self_p)->count; nbr++)
            titanic_destroy (&(*self_p)->servers [nbr].titanic);
        free (*self_p);
        *self_p = NULL;
    }
}

void
fleet_set_limits (fleet_t *self, const titanic_config_t *config)
{
    for (size_t nbr = 0; nbr < self->count; nbr++)
        titanic_set_limits (self->servers [nbr].titanic, config);
}

//  One server's step; what it wants is marked as its own
static void
s_step (fleet_t *self, size_t nbr, const event_t *event, update_t *update)
{
    size_t before = update_size (update);
    titanic_step (self->servers [nbr].titanic, event, update);
    self->servers [nbr].deadline_ms = update_deadline (update);
    for (size_t index = before; index < update_size (update); index++) {
        effect_t *effect = update_effect (update, index);
        effect->channel |= (channel_t) nbr << 32;
        effect->query.ticket |= (uint64_t) nbr << TICKET_BITS;
    }
}

//  An answer of the store, for the server that asked
static void
s_answer (fleet_t *self, const event_t *event, update_t *update)
{
    store_answer_t answer = *event->answer;
    event_t own = *event;
    size_t nbr = (size_t) (answer.ticket >> TICKET_BITS);
    answer.ticket &= ((uint64_t) 1 << TICKET_BITS) - 1;
    own.answer = &answer;
    s_step (self, nbr, &own, update);
}

void
fleet_step (void *engine, const event_t *event, update_t *update)
{
    fleet_t *self = (fleet_t *) engine;
    event_t own = *event;
    own.channel = (uint32_t) event->channel;
    if (event->type == EVENT_WRITTEN || event->type == EVENT_READ)
        s_answer (self, event, update);
    else
    if (event->type == EVENT_RECEIVED || event->type == EVENT_UNREACHABLE)
        s_step (self, CHANNEL_BROKER (event->channel), &own, update);
    else
    for (size_t nbr = 0; nbr < self->count; nbr++)
        if (event->type == EVENT_STOP
        ||  self->servers [nbr].deadline_ms <= event->now_ms)
            s_step (self, nbr, &own, update);
    int64_t deadline_ms = INT64_MAX;
    for (size_t nbr = 0; nbr < self->count; nbr++)
        if (self->servers [nbr].deadline_ms < deadline_ms)
            deadline_ms = self->servers [nbr].deadline_ms;
    update_set_deadline (update, deadline_ms);
}
