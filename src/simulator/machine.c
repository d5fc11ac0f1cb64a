/*  =========================================================================
    machine - a server's process: an engine, and what the reactor does for it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "../engine/broker.h"
#include "../engine/fleet.h"
#include "broker_watch.h"
#include "disk.h"
#include "memory.h"
#include "mutant.h"
#include "titanic_watch.h"

//  Messages in a batch, as in the reactor.
#define BATCH_MAX 256

//  Ticks at one and the same time that are no endless loop.
#define TICKS_MAX 100

typedef struct _letter_t {
    dealer_t *dealer;           //  NULL at the broker
    message_t *message;
    struct _letter_t *prev, *next;
} letter_t;

struct _machine_t {
    sim_t *sim;
    machine_role_t role;
    size_t number;              //  Of those of its role
    broker_watch_t *broker_watch;   //  One of the two, by its role
    titanic_watch_t *titanic_watch;
    host_t host;                //  Titanic: its sockets
    void *engine;               //  NULL while the process is not there
    void *wreckage;             //  What the mutant remembers
    update_t *update;           //  What the engine asks for
    update_t *spare;            //  What is being carried out
    size_t done;                //  Effects that the store has seen
    letter_t *inbox;            //  Come in, not read
    int64_t deadline_ms;        //  When the engine wants a tick, on its clock
    int64_t base_ms;            //  Its monotonic clock when ours was 0
    int64_t wall_ms;            //  Its wall clock when ours was 0
    int64_t paused_ms;          //  Until when it does nothing
    int64_t cut_ms;             //  Titanic: until when the store is silent
    uint64_t life;              //  Counts starts: old items mean nothing
    uint64_t wake;              //  The one tick that counts
    request_id_t server;        //  Titanic: who it is at the store, this time
    bool awake;                 //  It is about to look at its inbox
    bool committing;            //  It waits for the disk
    bool unheard;               //  The store is silent, and so this will fail
    bool weak;                  //  Its memory ran out
    int64_t tick_ms;            //  When it last ticked
    size_t ticks;               //  In a row, at that time
    size_t fresh_pieces;        //  What a new engine's end gives back
};

static void s_carry_out (machine_t *self);
static void s_turn (void *object, uint64_t life);

machine_t *
machine_new (sim_t *sim, machine_role_t role, size_t number)
{
    machine_t *self = memory_need (calloc (1, sizeof (machine_t)));
    self->sim = sim;
    self->role = role;
    self->number = number;
    bool broker = role == MACHINE_BROKER;
    size_t count = broker? sim->swarm.brokers: sim->swarm.titanics;
    if (broker)
        self->broker_watch = broker_watch_new (sim, self);
    else
        self->titanic_watch = titanic_watch_new (sim, self);
    self->host.receive = (host_receive_fn *) machine_receive;
    self->host.object = self;
    int length = snprintf (self->host.name, sizeof self->host.name, "%s",
                           broker? "broker": "titanic");
    if (count > 1)
        snprintf (self->host.name + length,
                  sizeof self->host.name - (size_t) length, "%zu", number);
    self->update = memory_need (update_new ());
    self->spare = memory_need (update_new ());
    self->wall_ms = 1700000000000;
    return self;
}

static void
s_forget (machine_t *self)
{
    letter_t *letter, *next;
    DL_FOREACH_SAFE (self->inbox, letter, next) {
        DL_DELETE (self->inbox, letter);
        message_destroy (&letter->message);
        free (letter);
    }
    update_clear (self->update);
    update_clear (self->spare);
    self->done = 0;
    self->committing = self->unheard = false;
}

static void *
s_engine_new (const machine_t *self)
{
    const swarm_t *swarm = &self->sim->swarm;
    if (self->role == MACHINE_BROKER) {
        broker_config_t config = {
            .heartbeat_ms = swarm->heartbeat_ms, .liveness = swarm->liveness,
            .expiry_ms = swarm->expiry_ms, .max_services = 1000,
            .max_workers = 10000, .max_requests = 10000,
            .max_service_requests = 10000, .max_frames = 100
        };
        return memory_need (broker_new (&config));
    }
    titanic_config_t config = {
        .version = swarm->titanic_version,
        .heartbeat_ms = swarm->heartbeat_ms, .liveness = swarm->liveness,
        .timeout_ms = swarm->timeout_ms, .retry_ms = swarm->retry_ms,
        .request_workers = swarm->request_workers,
        .reply_workers = swarm->reply_workers,
        .close_workers = swarm->close_workers,
        .executions = swarm->executions,
        .service_executions = swarm->service_executions,
        .lease_ms = swarm->lease_ms, .server = self->server
    };
    return memory_need (fleet_new (&config,
                                   swarm->spread? 1: swarm->brokers));
}

//  Pieces of memory that the engine gives back when it ends
static size_t
s_engine_destroy (const machine_t *self, void *engine)
{
    size_t before = memory_pieces ();
    if (self->role == MACHINE_BROKER) {
        broker_t *broker = engine;
        broker_destroy (&broker);
    }
    else {
        fleet_t *fleet = engine;
        fleet_destroy (&fleet);
    }
    return before - memory_pieces ();
}

void
machine_destroy (machine_t **self_p)
{
    machine_t *self = *self_p;
    s_forget (self);
    if (self->engine)
        s_engine_destroy (self, self->engine);
    mutant_forget (&self->wreckage);
    if (self->broker_watch)
        broker_watch_destroy (&self->broker_watch);
    if (self->titanic_watch)
        titanic_watch_destroy (&self->titanic_watch);
    update_destroy (&self->update);
    update_destroy (&self->spare);
    free (self);
    *self_p = NULL;
}

//  --------------------------------------------------------------------------
//  Steps

static void
s_digest (sim_t *sim, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t nbr = 0; nbr < size; nbr++)
        sim->digest = (sim->digest ^ bytes [nbr]) * 0x100000001b3u;
}

static void
s_digest_event (sim_t *sim, const event_t *event)
{
    s_digest (sim, &event->type, sizeof event->type);
    s_digest (sim, &event->now_ms, sizeof event->now_ms);
    for (size_t nbr = 0; event->message && nbr < message_size (event->message);
                nbr++) {
        const frame_t *frame = message_frame (event->message, nbr);
        s_digest (sim, frame_data (frame), frame_size (frame));
    }
}

static dealer_t *
s_dealer (machine_t *self, channel_t channel)
{
    dealer_t *dealer;
    DL_FOREACH (self->host.dealers, dealer)
        if (dealer->channel == channel)
            return dealer;
    return NULL;
}

//  What the engine has closed must not speak to it any more
static void
s_mute (machine_t *self, size_t first)
{
    for (; first < update_size (self->update); first++) {
        const effect_t *effect = update_effect (self->update, first);
        dealer_t *dealer = effect->type == EFFECT_CLOSE
            ? s_dealer (self, effect->channel): NULL;
        if (dealer)
            dealer->muted = true;
    }
}

static void
s_step (machine_t *self, event_t *event)
{
    sim_t *sim = self->sim;
    event->now_ms = machine_clock_ms (self);
    event->wall_ms = sim->now_ms + self->wall_ms;
    if (event->type == EVENT_RECEIVED)
        for (size_t nbr = 0; nbr < 2; nbr++)
            event->random [nbr] = dice_bits (&sim->dice);
    s_digest_event (sim, event);
    sim->counts.steps++;
    if (self->role == MACHINE_BROKER)
        broker_watch_event (self->broker_watch, event);
    else
        titanic_watch_event (self->titanic_watch, event);
    size_t first = update_size (self->update);
    mutant_step (sim->mutant, self->role, &self->wreckage, self->engine, event,
                 self->update);
    self->deadline_ms = update_deadline (self->update);
    if (memory_ran_out () && !self->weak) {
        self->weak = true;
        sim_trace (sim, self->host.name, "memory ran out");
    }
    s_mute (self, first);
    if (self->role == MACHINE_BROKER)
        broker_watch_effects (self->broker_watch, event, self->update, first);
    else
        titanic_watch_effects (self->titanic_watch, event, self->update, first);
}

//  --------------------------------------------------------------------------
//  The store

static size_t
s_writes (machine_t *self, const store_query_t **queries)
{
    size_t count = 0;
    for (size_t nbr = self->done; nbr < update_size (self->update); nbr++) {
        effect_t *effect = update_effect (self->update, nbr);
        if (effect->type != EFFECT_WRITE)
            continue;
        if (queries)
            queries [count] = &effect->query;
        count++;
    }
    return count;
}

static bool
s_asks_store (machine_t *self)
{
    for (size_t nbr = self->done; nbr < update_size (self->update); nbr++) {
        effect_type_t type = update_effect (self->update, nbr)->type;
        if (type == EFFECT_WRITE || type == EFFECT_READ)
            return true;
    }
    return false;
}

static void
s_commit (machine_t *self)
{
    size_t count = s_writes (self, NULL);
    if (count == 0)
        return;
    const store_query_t **queries = memory_need (calloc (count,
                                                         sizeof (*queries)));
    store_answer_t *answers = memory_need (calloc (count, sizeof (*answers)));
    s_writes (self, queries);
    disk_write (self->sim->disk, self, !self->unheard, queries, count, answers);
    for (size_t nbr = 0; nbr < count; nbr++) {
        event_t event = { .type = EVENT_WRITTEN, .answer = &answers [nbr] };
        s_step (self, &event);
        store_answer_clear (&answers [nbr]);
    }
    free (queries);
    free (answers);
}

static void
s_read (machine_t *self, size_t end)
{
    for (size_t nbr = self->done; nbr < end; nbr++) {
        effect_t *effect = update_effect (self->update, nbr);
        if (effect->type != EFFECT_READ)
            continue;
        store_answer_t answer;
        disk_read (self->sim->disk, self, !self->unheard, &effect->query,
                   &answer);
        event_t event = { .type = EVENT_READ, .answer = &answer };
        s_step (self, &event);
        store_answer_clear (&answer);
    }
}

static void
s_committed (void *object, uint64_t life)
{
    machine_t *self = object;
    if (!self->engine || self->life != life || !self->committing)
        return;
    self->committing = false;
    size_t end = update_size (self->update);
    s_commit (self);
    s_read (self, end);
    self->unheard = false;
    self->done = end;
    s_carry_out (self);
}

static void
s_tear (void *object, uint64_t life)
{
    machine_t *self = object;
    if (self->engine && self->life == life && self->committing
    && !self->sim->healing)
        machine_crash (self);
}

//  A commit takes a while; a store that is silent takes the whole patience, for a
//  read too. false when there is nothing to wait for
static bool
s_begin_commit (machine_t *self)
{
    sim_t *sim = self->sim;
    self->unheard = sim->now_ms < self->cut_ms && s_asks_store (self);
    if (s_writes (self, NULL) == 0 && !self->unheard)
        return false;
    self->committing = true;
    int64_t in_ms = self->unheard? sim->swarm.patience_ms
        : dice_between (&sim->dice, 0, sim->swarm.disk_ms);
    if (!sim->healing
    &&  dice_chance (&sim->dice, sim->swarm.torn_per_mille))
        sim_later (sim, in_ms / 2, s_tear, self, self->life);
    sim_later (sim, in_ms, s_committed, self, self->life);
    return true;
}

//  --------------------------------------------------------------------------
//  The loop

static void
s_send (machine_t *self, effect_t *effect)
{
    network_t *network = self->sim->network;
    if (self->role == MACHINE_TITANIC) {
        dealer_t *dealer = s_dealer (self, effect->channel);
        if (dealer)
            dealer_send (network, dealer, &effect->message);
        return;
    }
    if (network_route (network, self->number, &effect->message))
        return;
    event_t event = { .type = EVENT_UNREACHABLE, .channel = effect->channel,
                      .message = effect->message };
    s_step (self, &event);
}

static void
s_effect (machine_t *self, effect_t *effect)
{
    network_t *network = self->sim->network;
    dealer_t *dealer;
    switch (effect->type) {
        case EFFECT_SEND:
            s_send (self, effect);
            break;
        case EFFECT_OPEN:
            dealer_open (network, &self->host, machine_broker (self,
                CHANNEL_BROKER (effect->channel)), effect->channel);
            break;
        case EFFECT_CLOSE:
            dealer = s_dealer (self, effect->channel);
            if (dealer)
                dealer_close (network, &dealer);
            break;
        case EFFECT_NOTICE:
            if (self->sim->trace)
                sim_trace (self->sim, self->host.name, "says: %s",
                           effect->text);
            break;
        case EFFECT_WRITE:
        case EFFECT_READ:
            break;              //  Done before
    }
}

//  Read what has come in
static void
s_drain (machine_t *self)
{
    for (size_t count = 0; self->inbox && count < BATCH_MAX; count++) {
        letter_t *letter = self->inbox;
        DL_DELETE (self->inbox, letter);
        if (!letter->dealer || !letter->dealer->muted) {
            event_t event = { .type = EVENT_RECEIVED,
                              .message = letter->message,
                              .channel = letter->dealer
                                  ? letter->dealer->channel: 0 };
            s_step (self, &event);
        }
        message_destroy (&letter->message);
        free (letter);
    }
}

static void
s_tick (machine_t *self)
{
    sim_t *sim = self->sim;
    self->ticks = self->tick_ms == sim->now_ms? self->ticks + 1: 0;
    self->tick_ms = sim->now_ms;
    if (self->ticks > TICKS_MAX)
        sim_fail (sim, "%s wants one tick after the other", self->host.name);
    event_t event = { .type = EVENT_TICK };
    s_step (self, &event);
}

static void
s_wake (machine_t *self)
{
    if (self->awake)
        return;
    self->awake = true;
    sim_later (self->sim, 0, s_turn, self, self->life);
}

static void
s_tick_due (void *object, uint64_t wake)
{
    machine_t *self = object;
    if (self->wake == wake)
        s_turn (self, self->life);
}

//  Nothing is left to do but to wait
static void
s_wait (machine_t *self)
{
    self->wake++;
    if (self->deadline_ms == INT64_MAX)
        return;
    int64_t in_ms = self->deadline_ms - machine_clock_ms (self);
    sim_later (self->sim, in_ms > 0? in_ms: 0, s_tick_due, self, self->wake);
}

//  All that the engine has asked for, and what it asks for meanwhile. Ends
//  early when the disk is to be waited for.
static void
s_carry_out (machine_t *self)
{
    for (;;) {
        while (self->done < update_size (self->update)) {
            if (s_begin_commit (self))
                return;
            size_t end = update_size (self->update);
            s_read (self, end);
            self->done = end;
        }
        if (update_size (self->update) == 0)
            break;
        update_t *update = self->update;
        self->update = self->spare;
        self->spare = update;
        self->done = 0;
        for (size_t nbr = 0; nbr < update_size (update); nbr++)
            s_effect (self, update_effect (update, nbr));
        update_clear (update);
    }
    update_clear (self->update);
    if (self->inbox || machine_clock_ms (self) >= self->deadline_ms)
        s_wake (self);
    else
        s_wait (self);
}

//  The process has the processor: it reads, or it ticks
static void
s_turn (void *object, uint64_t life)
{
    machine_t *self = object;
    if (!self->engine || self->life != life)
        return;
    self->awake = false;
    if (self->committing || self->sim->failed)
        return;
    if (self->sim->now_ms < self->paused_ms) {
        self->awake = true;
        sim_later (self->sim, self->paused_ms - self->sim->now_ms, s_turn,
                   self, life);
        return;
    }
    if (self->inbox)
        s_drain (self);
    else
    if (machine_clock_ms (self) >= self->deadline_ms)
        s_tick (self);
    s_carry_out (self);
}

void
machine_receive (machine_t *self, dealer_t *dealer, message_t **message_p)
{
    if (!self->engine) {
        message_destroy (message_p);
        return;
    }
    letter_t *letter = memory_need (calloc (1, sizeof (letter_t)));
    letter->dealer = dealer;
    letter->message = *message_p;
    *message_p = NULL;
    DL_APPEND (self->inbox, letter);
    s_wake (self);
}

//  --------------------------------------------------------------------------
//  Life and death

void
machine_start (machine_t *self)
{
    assert (!self->engine);
    sim_t *sim = self->sim;
    sim_trace (sim, self->host.name, "starts");
    self->life++;
    self->awake = self->weak = false;
    self->paused_ms = 0;
    self->base_ms = dice_between (&sim->dice, 1, 1000000000);
    for (size_t nbr = 0; sim->swarm.lease_ms && nbr < sizeof self->server;
                nbr++)
        self->server.bytes [nbr] = (unsigned char) dice_bits (&sim->dice);
    //  A new one first, to know what its end gives back
    self->fresh_pieces = s_engine_destroy (self, s_engine_new (self));
    self->engine = s_engine_new (self);
    self->host.up = true;
    if (self->role == MACHINE_BROKER) {
        broker_watch_start (self->broker_watch);
        network_set_broker (sim->network, self->number, true);
    }
    else
        titanic_watch_start (self->titanic_watch);
    event_t event = { .type = EVENT_TICK };
    s_step (self, &event);
    s_carry_out (self);
}

void
machine_restart (machine_t *self)
{
    if (!self->engine && !self->sim->healing)
        machine_start (self);
}

static void
s_end (machine_t *self)
{
    self->life++;
    self->engine = NULL;
    self->host.up = false;
    s_forget (self);
    mutant_forget (&self->wreckage);
    if (self->role == MACHINE_BROKER)
        network_set_broker (self->sim->network, self->number, false);
    else
        network_crash (self->sim->network, &self->host);
}

void
machine_crash (machine_t *self)
{
    if (!self->engine)
        return;
    sim_t *sim = self->sim;
    sim_trace (sim, self->host.name, self->committing
               ? "is killed in the middle of a commit": "is killed");
    if (self->committing) {
        size_t count = s_writes (self, NULL);
        const store_query_t **queries = memory_need (calloc (
            count, sizeof (*queries)));
        s_writes (self, queries);
        if (!self->unheard)
            disk_tear (sim->disk, self, queries, count);
        free (queries);
    }
    if (self->role == MACHINE_TITANIC)
        disk_crash (sim->disk, self);
    s_engine_destroy (self, self->engine);
    s_end (self);
}

//  What it says in the end goes out. Pieces of memory that its engine gave back.
static size_t
s_say_goodbye (machine_t *self)
{
    event_t event = { .type = EVENT_STOP };
    s_step (self, &event);
    sim_trace (self->sim, self->host.name, "stops");
    self->unheard = self->sim->now_ms < self->cut_ms;
    while (s_asks_store (self)) {
        size_t end = update_size (self->update);
        s_commit (self);
        s_read (self, end);
        self->done = end;
    }
    for (size_t nbr = 0; nbr < update_size (self->update); nbr++)
        s_effect (self, update_effect (self->update, nbr));
    return s_engine_destroy (self, self->engine);
}

void
machine_stop (machine_t *self)
{
    //  The reactor does not stop in the middle of a commit
    if (!self->engine || self->committing)
        return;
    s_say_goodbye (self);
    s_end (self);
}

//  What waits for a broker that does not come back stays in memory
static bool
s_has_brokers (const machine_t *self)
{
    const swarm_t *swarm = &self->sim->swarm;
    for (size_t nbr = 0; nbr < swarm->brokers; nbr++)
        if (!machine_is_up (self->sim->brokers [nbr])
        &&  self->role == MACHINE_TITANIC)
            return false;
    return true;
}

void
machine_stop_at_rest (machine_t *self)
{
    if (!self->engine)
        return;
    size_t pieces = s_say_goodbye (self);
    if (pieces != self->fresh_pieces && s_has_brokers (self))
        sim_fail (self->sim, "%s at rest holds %zu pieces of memory, a new one "
                  "%zu", self->host.name, pieces, self->fresh_pieces);
    //  Its sockets stay a while, so that all it said gets through
    self->engine = NULL;
    self->life++;
    s_forget (self);
}

bool
machine_is_up (const machine_t *self)
{
    return self->engine != NULL;
}

bool
machine_is_weak (const machine_t *self)
{
    return self->weak;
}

int64_t
machine_deadline (const machine_t *self)
{
    return self->deadline_ms;
}

void
machine_pause (machine_t *self, int64_t ms)
{
    self->paused_ms = self->sim->now_ms + ms;
}

void
machine_cut_store (machine_t *self, int64_t ms)
{
    self->cut_ms = self->sim->now_ms + ms;
}

void
machine_heal (machine_t *self)
{
    self->cut_ms = self->paused_ms = 0;
    if (self->awake)
        sim_later (self->sim, 0, s_turn, self, self->life);
}

void
machine_set_wall (machine_t *self, int64_t ms)
{
    self->wall_ms = ms;
}

host_t *
machine_host (machine_t *self)
{
    return &self->host;
}

uint64_t
machine_life (const machine_t *self)
{
    return self->life;
}

const char *
machine_name (const machine_t *self)
{
    return self->host.name;
}

void
machine_fail (const machine_t *self, const char *format, ...)
{
    char what [400];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (what, sizeof what, format, arguments);
    va_end (arguments);
    sim_fail (self->sim, "%s: %s", self->host.name, what);
}

size_t
machine_broker (const machine_t *self, size_t nbr)
{
    const swarm_t *swarm = &self->sim->swarm;
    return swarm->spread? self->number % swarm->brokers: nbr;
}

int64_t
machine_clock_ms (const machine_t *self)
{
    return self->sim->now_ms + self->base_ms;
}
