/*  =========================================================================
    mutant - engines with one fault each, which the simulator must catch

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mutant.h"

#include <stdlib.h>
#include <string.h>

#include "../engine/broker.h"
#include "../engine/conversation.h"
#include "../engine/fleet.h"
#include "memory.h"

//  --------------------------------------------------------------------------
//  Titanic

//  The store's answer, made up
static void
s_pretend_written (void *engine, const event_t *event, uint64_t ticket,
                   store_query_type_t type, update_t *update)
{
    store_answer_t answer = { .ticket = ticket, .type = type,
                              .result = STORE_OK };
    event_t written = *event;
    written.type = EVENT_WRITTEN;
    written.message = NULL;
    written.answer = &answer;
    fleet_step (engine, &written, update);
}

//  Writes of this type: answered at once; and, perhaps, never made
static void
s_pretend (void *engine, const event_t *event, update_t *update,
           size_t first, store_query_type_t type, bool made)
{
    for (; first < update_size (update); first++) {
        const effect_t *effect = update_effect (update, first);
        if (effect->type != EFFECT_WRITE || effect->query.type != type)
            continue;
        uint64_t ticket = effect->query.ticket;
        if (!made)
            update_remove (update, first--);
        s_pretend_written (engine, event, ticket, type, update);
    }
}

static void
s_says_stored_early (wreckage_t *self, void *engine, const event_t *event,
                     update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_PUT, true);
}

static void
s_stores_nothing (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_PUT, false);
}

static void
s_closes_nothing (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_DROP, false);
}

static void
s_keeps_no_reply (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_ANSWER, false);
}

//  A request gets the reply to the one before
static void
s_mixes_replies (wreckage_t *self, void *engine, const event_t *event,
                 update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (effect->type != EFFECT_WRITE || effect->query.type != STORE_ANSWER)
            continue;
        message_t *body = effect->query.body;
        if (self->message) {
            effect->query.body = self->message;
            self->message = body;
        }
        else
            self->message = message_slice (body, 0);
    }
}

//  A reply that was asked for is dropped
static void
s_drops_delivered (wreckage_t *self, void *engine, const event_t *event,
                   update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    size_t end = update_size (update);
    for (; first < end; first++) {
        effect_t *effect = update_effect (update, first);
        if (effect->type != EFFECT_READ || effect->query.type != STORE_FETCH)
            continue;
        store_query_t query = { .type = STORE_DROP, .id = effect->query.id };
        update_write (update, &query);
    }
}

//  What was stored before a restart is not looked for
static bool
s_looks_for_nothing (wreckage_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    return event->type != EVENT_READ
        || event->answer->type != STORE_SERVICES;
}

//  The answer to every tenth question gets lost between the store and the
//  client: what is kept for it stays
static bool
s_loses_answers (wreckage_t *self, const event_t *event, update_t *update)
{
    (void) update;
    return event->type != EVENT_READ || event->answer->type != STORE_FETCH
        || ++self->count % 10 != 0;
}

//  What it sends to its broker as a worker, or as a client
static void
s_mute_heartbeats (wreckage_t *self, void *engine, const event_t *event,
                   update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    for (; first < update_size (update); first++) {
        const effect_t *effect = update_effect (update, first);
        mdp_command_t command;
        if (effect->type == EFFECT_SEND
        &&  mdp_decode (effect->message, 0, MDP_AT_BROKER, &command) == MDP_OK
        &&  command.type == MDP_WORKER_HEARTBEAT)
            update_remove (update, first--);
    }
}

static void
s_executes_twice (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    size_t end = update_size (update);
    for (; first < end; first++) {
        const effect_t *effect = update_effect (update, first);
        mdp_command_t command;
        if (effect->type != EFFECT_SEND
        ||  mdp_decode (effect->message, 0, MDP_AT_BROKER, &command) != MDP_OK
        ||  command.type != MDP_CLIENT_REQUEST)
            continue;
        message_t *again = message_slice (effect->message, 0);
        update_send (update, effect->channel, &again);
    }
}

//  --------------------------------------------------------------------------
//  Titanic, at a store that it shares

static void
s_trusts_renewals (wreckage_t *self, void *engine, const event_t *event,
                   update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_RENEW, true);
}

static void
s_renews_nothing (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_RENEW, false);
}

static void
s_gives_nothing_back (wreckage_t *self, void *engine, const event_t *event,
                      update_t *update, size_t first)
{
    (void) self;
    s_pretend (engine, event, update, first, STORE_RELEASE, false);
}

static void
s_claims_nothing (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (effect->query.type == STORE_WAITING)
            effect->query.server = (request_id_t) { { 0 } };
    }
}

//  As if the id had been read from a file that was copied to all machines
static void
s_shares_its_id (wreckage_t *self, void *engine, const event_t *event,
                 update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    static const request_id_t none;
    for (; first < update_size (update); first++) {
        request_id_t *server = &update_effect (update, first)->query.server;
        if (memcmp (server, &none, sizeof none))
            *server = (request_id_t) { { 1 } };
    }
}

//  What it has given up, or given back, runs on at the broker
static void
s_hangs_on (wreckage_t *self, void *engine, const event_t *event,
            update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    for (; first < update_size (update); first++) {
        const effect_t *effect = update_effect (update, first);
        uint64_t slot = (uint64_t) 1 << CHANNEL_SLOT (effect->channel) % 64;
        mdp_command_t command;
        if (effect->type == EFFECT_SEND
        &&  mdp_decode (effect->message, 0, MDP_AT_BROKER, &command) == MDP_OK
        &&  command.type == MDP_CLIENT_REQUEST)
            self->count |= slot;
        if (effect->type == EFFECT_CLOSE && (self->count & slot))
            update_remove (update, first--);
    }
}

//  --------------------------------------------------------------------------
//  The broker

//  Whether the effect is this command to a worker, or to a client
static bool
s_is_sent (const effect_t *effect, mdp_type_t type)
{
    mdp_command_t command;
    bool client = type == MDP_CLIENT_REPLY || type == MDP_CLIENT_PARTIAL;
    return effect->type == EFFECT_SEND
        && mdp_decode (effect->message, 1,
                       client? MDP_AT_CLIENT: MDP_AT_WORKER, &command)
           == MDP_OK
        && command.type == type;
}

//  Every nth command of a type is dropped
static void
s_drop_sent (wreckage_t *self, update_t *update, size_t first,
             mdp_type_t type, uint64_t nth)
{
    for (; first < update_size (update); first++)
        if (s_is_sent (update_effect (update, first), type)
        &&  ++self->count % nth == 0)
            update_remove (update, first--);
}

static void
s_loses_requests (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    s_drop_sent (self, update, first, MDP_WORKER_REQUEST, 20);
}

static void
s_loses_replies (wreckage_t *self, void *engine, const event_t *event,
                 update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    s_drop_sent (self, update, first, MDP_CLIENT_REPLY, 20);
}

static void
s_sends_no_heartbeat (wreckage_t *self, void *engine, const event_t *event,
                      update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    s_drop_sent (self, update, first, MDP_WORKER_HEARTBEAT, 1);
}

static void
s_sends_requests_twice (wreckage_t *self, void *engine, const event_t *event,
                        update_t *update, size_t first)
{
    (void) self;
    (void) engine;
    (void) event;
    size_t end = update_size (update);
    for (; first < end; first++) {
        const effect_t *effect = update_effect (update, first);
        if (!s_is_sent (effect, MDP_WORKER_REQUEST))
            continue;
        message_t *again = message_slice (effect->message, 0);
        update_send (update, effect->channel, &again);
    }
}

//  Every REPLY goes to the client that got the one before
static void
s_replies_astray (wreckage_t *self, void *engine, const event_t *event,
                  update_t *update, size_t first)
{
    (void) engine;
    (void) event;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!s_is_sent (effect, MDP_CLIENT_REPLY))
            continue;
        frame_t *address = frame_ref (message_frame (effect->message, 0));
        if (self->frame) {
            message_t *astray = memory_need (message_new ());
            if (message_take (astray, &self->frame)
            ||  message_add_from (astray, effect->message, 1))
                memory_need (NULL);
            message_destroy (&effect->message);
            effect->message = astray;
        }
        self->frame = address;
    }
}

//  Every tick the worker that spoke last is sent away
static void
s_dismisses_workers (wreckage_t *self, void *engine, const event_t *event,
                     update_t *update, size_t first)
{
    (void) engine;
    (void) first;
    mdp_command_t command;
    if (event->type == EVENT_RECEIVED
    &&  mdp_decode (event->message, 1, MDP_AT_BROKER, &command) == MDP_OK
    &&  command.type == MDP_WORKER_HEARTBEAT) {
        frame_destroy (&self->frame);
        self->frame = frame_ref (message_frame (event->message, 0));
    }
    if (event->type != EVENT_TICK || !self->frame)
        return;
    message_t *message = mdp_worker_disconnect (MDP_0_1, self->frame);
    update_send (update, 0, &message);
}

static bool
s_ignores_disconnect (wreckage_t *self, const event_t *event,
                      update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    return event->type != EVENT_RECEIVED
        || mdp_decode (event->message, 1, MDP_AT_BROKER, &command) != MDP_OK
        || command.type != MDP_WORKER_DISCONNECT;
}

//  Nobody is ever found to be silent, and nothing expires
static bool
s_never_ticks (wreckage_t *self, const event_t *event, update_t *update)
{
    (void) self;
    if (event->type != EVENT_TICK)
        return true;
    update_set_deadline (update, event->now_ms + 100);
    return false;
}

//  --------------------------------------------------------------------------
//  All of them

const mutant_t mutants [] = {
    { "says-stored-early", "200 leaves before the commit",
      MACHINE_TITANIC, NULL, s_says_stored_early, DISK_SOUND },
    { "stores-nothing", "200 leaves, and nothing is written",
      MACHINE_TITANIC, NULL, s_stores_nothing, DISK_SOUND },
    { "closes-nothing", "a close is answered 200 and not applied",
      MACHINE_TITANIC, NULL, s_closes_nothing, DISK_SOUND },
    { "keeps-no-reply", "a reply never gets to the store",
      MACHINE_TITANIC, NULL, s_keeps_no_reply, DISK_SOUND },
    { "mixes-replies", "a request gets the reply to the one before",
      MACHINE_TITANIC, NULL, s_mixes_replies, DISK_SOUND },
    { "drops-delivered", "what was asked for is dropped",
      MACHINE_TITANIC, NULL, s_drops_delivered, DISK_SOUND },
    { "looks-for-nothing", "after a restart nothing is looked for",
      MACHINE_TITANIC, s_looks_for_nothing, NULL, DISK_SOUND },
    { "loses-answers", "some answers of the store get lost",
      MACHINE_TITANIC, s_loses_answers, NULL, DISK_SOUND },
    { "no-titanic-heartbeat", "Titanic sends the broker no heartbeat",
      MACHINE_TITANIC, NULL, s_mute_heartbeats, DISK_SOUND },
    { "executes-twice", "a stored request is sent twice",
      MACHINE_TITANIC, NULL, s_executes_twice, DISK_SOUND },
    { "lazy-disk", "a commit is acknowledged from a cache",
      MACHINE_TITANIC, NULL, NULL, DISK_LAZY },
    { "trusts-renewals", "a lease counts before the store has it",
      MACHINE_TITANIC, NULL, s_trusts_renewals, DISK_SOUND },
    { "renews-nothing", "there is no lease",
      MACHINE_TITANIC, NULL, s_renews_nothing, DISK_SOUND },
    { "claims-nothing", "what others may execute is executed",
      MACHINE_TITANIC, NULL, s_claims_nothing, DISK_SOUND },
    { "gives-nothing-back", "what is not executed stays claimed",
      MACHINE_TITANIC, NULL, s_gives_nothing_back, DISK_SOUND },
    { "shares-its-id", "all servers are one to the store",
      MACHINE_TITANIC, NULL, s_shares_its_id, DISK_SOUND },
    { "hangs-on", "what was given back is executed all the same",
      MACHINE_TITANIC, NULL, s_hangs_on, DISK_SOUND },
    { "replies-overwritten", "a reply that is there gives way to another",
      MACHINE_TITANIC, NULL, NULL, DISK_OVERWRITES },
    { "claims-last", "what a dead server had claimed is left to it",
      MACHINE_TITANIC, NULL, NULL, DISK_CLAIMS_LAST },
    { "leases-short", "a lease runs out before its time",
      MACHINE_TITANIC, NULL, NULL, DISK_LEASES_SHORT },
    { "leases-revive", "a lease that has run out is renewed",
      MACHINE_TITANIC, NULL, NULL, DISK_LEASES_REVIVE },
    { "claims-blind", "two servers get the same request",
      MACHINE_TITANIC, NULL, NULL, DISK_CLAIMS_BLIND },
    { "standby-lags", "a commit is acknowledged before the standby has it",
      MACHINE_TITANIC, NULL, NULL, DISK_STANDBY_LAGS },
    { "loses-requests", "some requests do not get to their workers",
      MACHINE_BROKER, NULL, s_loses_requests, DISK_SOUND },
    { "loses-replies", "some replies do not get to their clients",
      MACHINE_BROKER, NULL, s_loses_replies, DISK_SOUND },
    { "replies-astray", "replies go to the client before",
      MACHINE_BROKER, NULL, s_replies_astray, DISK_SOUND },
    { "requests-twice", "a busy worker gets a second request",
      MACHINE_BROKER, NULL, s_sends_requests_twice, DISK_SOUND },
    { "no-broker-heartbeat", "the broker sends no heartbeat",
      MACHINE_BROKER, NULL, s_sends_no_heartbeat, DISK_SOUND },
    { "dismisses-workers", "workers are sent away for nothing",
      MACHINE_BROKER, NULL, s_dismisses_workers, DISK_SOUND },
    { "ignores-disconnect", "a worker that left is still counted on",
      MACHINE_BROKER, s_ignores_disconnect, NULL, DISK_SOUND },
    { "never-ticks", "nothing and nobody expires",
      MACHINE_BROKER, s_never_ticks, NULL, DISK_SOUND },
    { NULL, NULL, MACHINE_BROKER, NULL, NULL, DISK_SOUND }
};

const mutant_t *
mutant_find (const char *name)
{
    for (const mutant_t *mutant = mutants; mutant->name; mutant++)
        if (strcmp (mutant->name, name) == 0)
            return mutant;
    return NULL;
}

void
mutant_step (const mutant_t *self, machine_role_t role, void **wreckage_p,
             void *engine, const event_t *event, update_t *update)
{
    engine_step_fn *step = role == MACHINE_BROKER? broker_step: fleet_step;
    if (!self || self->role != role) {
        memory_arm (true);
        step (engine, event, update);
        memory_arm (false);
        return;
    }
    if (!*wreckage_p)
        *wreckage_p = memory_need (calloc (1, sizeof (wreckage_t)));
    size_t first = update_size (update);
    if (!self->event || self->event (*wreckage_p, event, update))
        step (engine, event, update);
    if (self->effects)
        self->effects (*wreckage_p, engine, event, update, first);
}

void
mutant_forget (void **wreckage_p)
{
    wreckage_t *self = *wreckage_p;
    *wreckage_p = NULL;
    if (!self)
        return;
    frame_destroy (&self->frame);
    message_destroy (&self->message);
    free (self);
}
