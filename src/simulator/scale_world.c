/*  =========================================================================
    scale_world - brokers, Titanic servers and a load, as far as they take time

    The engines are the real ones. A server is one thread, which holds a core
    while it works and nothing while it waits for the store, as the reactor
    does.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "scale_world.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "../engine/broker.h"
#include "../engine/fleet.h"
#include "../protocol/tsp.h"
#include "dice.h"
#include "memory.h"

#define MS 1000000              //  ns
#define BATCH_MAX 256           //  As in the reactor
#define HEARTBEAT_MS 2500
#define LIVENESS 3

typedef struct _world_t world_t;
typedef struct _server_t server_t;
typedef struct _client_t client_t;

//  What is at the other end of a broker's socket.
typedef struct {
    world_t *world;
    size_t broker;
    channel_t channel;          //  A server's, or
    server_t *server;
    client_t *client;           //  that of a client
    bool worker;                //  or a worker
    frame_t *address;
    UT_hash_handle hh;          //  Of a server: by channel
} line_t;

typedef struct _letter_t {
    server_t *server;           //  To whom
    line_t *line;               //  Or to whom
    channel_t channel;
    message_t *message;
    struct _letter_t *prev, *next;
} letter_t;

struct _server_t {
    world_t *world;
    size_t number;
    bool broker;
    bool dead;
    engine_step_fn *step;
    void *engine;
    request_id_t id;
    cpu_t *cpu;
    letter_t *inbox;
    size_t answers;             //  Of the store, not paid for yet
    update_t *update;
    update_t *spare;
    size_t done;                //  Effects that the store has seen
    size_t reading;             //  The effect that is being read
    size_t end;
    bool busy;
    int64_t began_ns;
    int64_t busy_ns;            //  Since it counts
    int64_t deadline_ms;
    uint64_t wake;
    store_query_t const **queries;
    store_answer_t *written;
    size_t count;
    store_answer_t read;
    line_t *lines;              //  By channel
};

struct _client_t {
    world_t *world;
    line_t *line;
    frame_t *id;                //  Of what it has stored; NULL: it stores
    bool closing;
};

struct _world_t {
    plan_t plan;
    clock_ns_t clock;
    dice_t dice;
    cpu_t cpus [BROKERS_MOST + TITANICS_MOST + 1];
    disk_ns_t disk;
    disk_ns_t standby;
    base_t *base;
    server_t brokers [BROKERS_MOST];
    server_t titanics [TITANICS_MOST];
    line_t **all;               //  By the number in the address; 0 is nobody
    size_t count;
    client_t *clients;
    frame_t *echo;
    uint64_t stored;
    uint64_t closed;
};

static void s_work (void *object, uint64_t number);
static void s_carry_out (server_t *self);

//  --------------------------------------------------------------------------
//  Messages

static line_t *
s_line_new (world_t *world, size_t broker)
{
    line_t *line = memory_need (calloc (1, sizeof (line_t)));
    line->world = world;
    line->broker = broker;
    if (world->count % 1024 == 0)
        world->all = memory_need (realloc (world->all,
            (world->count + 1024) * sizeof (line_t *)));
    size_t number = world->count;
    unsigned char address [5] = { 0, (unsigned char) (number >> 24),
        (unsigned char) (number >> 16), (unsigned char) (number >> 8),
        (unsigned char) number };
    line->address = memory_need (frame_new (address, sizeof address));
    world->all [world->count++] = line;
    return line;
}

static void
s_awaken (server_t *self)
{
    if (self->busy || self->dead)
        return;
    self->busy = true;
    self->began_ns = self->world->clock.now_ns;
    cpu_run (self->cpu, self->world->plan.wake_ns, s_work, self, 0);
}

static void
s_deliver (void *object, uint64_t number)
{
    (void) number;
    letter_t *letter = object;
    if (letter->server->dead) {
        message_destroy (&letter->message);
        free (letter);
        return;
    }
    DL_APPEND (letter->server->inbox, letter);
    s_awaken (letter->server);
}

//  Nothing but bytes gets from one to another
static message_t *
s_copy (const message_t *message, const frame_t *address, size_t from)
{
    message_t *copy = memory_need (message_new ());
    if (address && message_add (copy, address))
        memory_need (NULL);
    for (; from < message_size (message); from++) {
        const frame_t *frame = message_frame (message, from);
        if (message_add_bytes (copy, frame_data (frame), frame_size (frame)))
            memory_need (NULL);
    }
    return copy;
}

static letter_t *
s_letter_new (server_t *server, line_t *line, message_t *message)
{
    letter_t *letter = memory_need (calloc (1, sizeof (letter_t)));
    letter->server = server;
    letter->line = line;
    letter->message = message;
    return letter;
}

//  To the broker; takes the message
static void
s_send_up (line_t *line, message_t *message)
{
    world_t *world = line->world;
    letter_t *letter = s_letter_new (&world->brokers [line->broker], NULL,
                                     s_copy (message, line->address, 0));
    message_destroy (&message);
    clock_later (&world->clock, world->plan.base.net_ns, s_deliver, letter, 0);
}

//  --------------------------------------------------------------------------
//  The load

static void
s_ask (client_t *client, const char *name, frame_t *first)
{
    frame_t *service = memory_need (frame_new (name, strlen (name)));
    message_t *body = memory_need (message_new ());
    if (message_add (body, first)
    || (first == client->world->echo
     && message_add_string (body, "twenty bytes of body")))
        memory_need (NULL);
    s_send_up (client->line, memory_need (mdp_client_request (
        MDP_0_1, service, body, 0)));
    message_destroy (&body);
    frame_destroy (&service);
}

static void
s_fetch (void *object, uint64_t number)
{
    (void) number;
    client_t *client = object;
    s_ask (client, "titanic.reply", client->id);
}

static void
s_store (void *object, uint64_t number)
{
    (void) number;
    client_t *client = object;
    s_ask (client, "titanic.request", client->world->echo);
}

static void
s_client_gets (client_t *client, const message_t *message)
{
    world_t *world = client->world;
    mdp_command_t command;
    if (mdp_decode (message, 0, MDP_AT_CLIENT, &command) != MDP_OK)
        return;
    int status = tsp_status_read (message_frame (message, command.body));
    int64_t pause_ns = world->plan.pause_ms * MS;
    if (client->closing) {
        world->closed++;
        client->closing = false;
        frame_destroy (&client->id);
        s_store (client, 0);
    }
    else
    if (client->id && status == TSP_OK) {
        client->closing = true;
        s_ask (client, "titanic.close", client->id);
    }
    else
    if (client->id)
        clock_later (&world->clock, pause_ns, s_fetch, client, 0);
    else {
        world->stored += status == TSP_OK;
        const frame_t *id = message_frame (message, command.body + 1);
        if (status == TSP_OK && world->plan.lives) {
            client->id = memory_need (frame_new (frame_data (id),
                                                 frame_size (id)));
            clock_later (&world->clock, pause_ns, s_fetch, client, 0);
        }
        else
            s_store (client, 0);
    }
}

static void
s_worker_replies (void *object, uint64_t number)
{
    (void) number;
    letter_t *letter = object;
    mdp_command_t command;
    if (mdp_decode (letter->message, 0, MDP_AT_WORKER, &command) == MDP_OK
    &&  command.type == MDP_WORKER_REQUEST)
        s_send_up (letter->line, memory_need (mdp_worker_reply (
            MDP_0_1, command.client, letter->message, command.body)));
    message_destroy (&letter->message);
    free (letter);
}

static void
s_beat (void *object, uint64_t number)
{
    (void) number;
    line_t *line = object;
    s_send_up (line, memory_need (mdp_worker_heartbeat (MDP_0_1, NULL)));
    clock_later (&line->world->clock, (int64_t) HEARTBEAT_MS * MS, s_beat,
                 line, 0);
}

static void
s_load_gets (void *object, uint64_t number)
{
    letter_t *letter = object;
    world_t *world = letter->line->world;
    //  Its processor counts where it is on the same machine
    if (number == 0 && world->plan.together) {
        cpu_run (&world->cpus [0], world->plan.load_ns, s_load_gets, letter, 1);
        return;
    }
    if (letter->line->worker) {
        int64_t work_ns = world->plan.work_ms * MS;
        clock_later (&world->clock, work_ns, s_worker_replies, letter, 0);
        return;
    }
    s_client_gets (letter->line->client, letter->message);
    message_destroy (&letter->message);
    free (letter);
}

//  --------------------------------------------------------------------------
//  Servers

static void
s_route (server_t *self, const message_t *message)
{
    world_t *world = self->world;
    const unsigned char *address = frame_data (message_frame (message, 0));
    size_t number = (size_t) address [1] << 24 | (size_t) address [2] << 16
                  | (size_t) address [3] << 8 | address [4];
    line_t *line = world->all [number];
    letter_t *letter = s_letter_new (line->server, line,
                                     s_copy (message, NULL, 1));
    letter->channel = line->channel;
    clock_later (&world->clock, world->plan.base.net_ns,
                 line->server? s_deliver: s_load_gets, letter, 0);
}

static line_t *
s_find (server_t *self, channel_t channel)
{
    line_t *line;
    HASH_FIND (hh, self->lines, &channel, sizeof channel, line);
    return line;
}

static void
s_effect (server_t *self, effect_t *effect)
{
    line_t *line = self->broker? NULL: s_find (self, effect->channel);
    if (effect->type == EFFECT_SEND && self->broker)
        s_route (self, effect->message);
    else
    if (effect->type == EFFECT_SEND && line)
        s_send_up (line, memory_need (message_slice (effect->message, 0)));
    else
    if (effect->type == EFFECT_OPEN) {
        line = s_line_new (self->world, CHANNEL_BROKER (effect->channel));
        line->server = self;
        line->channel = effect->channel;
        HASH_ADD (hh, self->lines, channel, sizeof line->channel, line);
    }
    else
    if (effect->type == EFFECT_CLOSE && line)
        HASH_DEL (self->lines, line);
}

static void
s_step (server_t *self, event_t *event)
{
    world_t *world = self->world;
    event->now_ms = world->clock.now_ns / MS;
    event->wall_ms = 1700000000000 + event->now_ms;
    for (size_t nbr = 0; nbr < 2; nbr++)
        event->random [nbr] = dice_bits (&world->dice);
    self->step (self->engine, event, self->update);
    self->deadline_ms = update_deadline (self->update);
}

static void
s_due (void *object, uint64_t wake)
{
    server_t *self = object;
    if (self->wake == wake)
        s_awaken (self);
}

//  Nothing is left but to wait
static void
s_rest (server_t *self)
{
    world_t *world = self->world;
    self->busy = false;
    self->busy_ns += world->clock.now_ns - self->began_ns;
    self->wake++;
    if (self->inbox || self->answers)
        s_awaken (self);
    else
    if (self->deadline_ms != INT64_MAX) {
        int64_t in_ns = self->deadline_ms * MS - world->clock.now_ns;
        clock_later (&world->clock, in_ns > 0? in_ns: 0, s_due, self,
                     self->wake);
    }
}

static void
s_read_next (server_t *self)
{
    while (self->reading < self->end) {
        effect_t *effect = update_effect (self->update, self->reading);
        if (effect->type == EFFECT_READ)
            break;
        self->reading++;
    }
    self->done = self->reading;
    s_carry_out (self);
}

static void
s_has_read (void *object, uint64_t number)
{
    (void) number;
    server_t *self = object;
    event_t event = { .type = EVENT_READ, .answer = &self->read };
    if (!self->dead) {
        s_step (self, &event);
        self->answers++;
        self->reading++;
    }
    store_answer_clear (&self->read);
    if (!self->dead)
        s_read_next (self);
}

static void
s_has_written (void *object, uint64_t number)
{
    (void) number;
    server_t *self = object;
    for (size_t nbr = 0; nbr < self->count && !self->dead; nbr++) {
        event_t event = { .type = EVENT_WRITTEN,
                          .answer = &self->written [nbr] };
        s_step (self, &event);
        self->answers++;
    }
    free (self->queries);
    free (self->written);
    self->queries = NULL;
    self->count = 0;
    if (!self->dead)
        s_read_next (self);
}

//  All writes so far are one commit; false when there are none
static bool
s_write (server_t *self)
{
    size_t most = self->end - self->done;
    self->queries = memory_need (calloc (most + 1, sizeof (*self->queries)));
    self->written = memory_need (calloc (most + 1, sizeof (*self->written)));
    self->count = 0;
    for (size_t nbr = self->done; nbr < self->end; nbr++) {
        effect_t *effect = update_effect (self->update, nbr);
        if (effect->type == EFFECT_WRITE)
            self->queries [self->count++] = &effect->query;
    }
    if (self->count == 0) {
        free (self->queries);
        free (self->written);
        return false;
    }
    base_write (self->world->base, self->queries, self->count, self->written,
                s_has_written, self, 0);
    return true;
}

//  The store has seen all up to done; then what is for others leaves
static void
s_carry_out (server_t *self)
{
    if (self->done == self->end && self->done < update_size (self->update)) {
        self->reading = self->done;
        self->end = update_size (self->update);
        if (s_write (self))
            return;
        s_read_next (self);
        return;
    }
    if (self->done < self->end) {
        effect_t *effect = update_effect (self->update, self->done);
        base_read (self->world->base, &effect->query, &self->read, s_has_read,
                   self, 0);
        return;
    }
    for (size_t nbr = 0; nbr < update_size (self->update); nbr++)
        s_effect (self, update_effect (self->update, nbr));
    update_clear (self->update);
    self->done = self->end = 0;
    s_rest (self);
}

static void
s_worked (void *object, uint64_t number)
{
    (void) number;
    server_t *self = object;
    if (!self->dead)
        s_carry_out (self);
}

static void
s_work (void *object, uint64_t number)
{
    (void) number;
    server_t *self = object;
    if (self->dead)
        return;
    const plan_t *plan = &self->world->plan;
    size_t count = 0;
    while (self->inbox && count < BATCH_MAX) {
        letter_t *letter = self->inbox;
        DL_DELETE (self->inbox, letter);
        event_t event = { .type = EVENT_RECEIVED, .channel = letter->channel,
                          .message = letter->message };
        s_step (self, &event);
        message_destroy (&letter->message);
        free (letter);
        count++;
    }
    if (!self->inbox
    &&  self->world->clock.now_ns >= self->deadline_ms * MS) {
        event_t event = { .type = EVENT_TICK };
        s_step (self, &event);
    }
    int64_t each_ns = self->broker? plan->broker_ns: plan->titanic_ns;
    int64_t ns = (int64_t) (count + self->answers) * each_ns;
    self->answers = 0;
    cpu_run (self->cpu, ns, s_worked, self, 0);
}

//  --------------------------------------------------------------------------
//  The world

static void
s_server_start (world_t *world, server_t *self, bool broker, size_t number,
                cpu_t *cpu)
{
    const plan_t *plan = &world->plan;
    self->world = world;
    self->number = number;
    self->broker = broker;
    self->cpu = plan->together? &world->cpus [0]: cpu;
    self->update = memory_need (update_new ());
    if (broker) {
        broker_config_t config = {
            .heartbeat_ms = HEARTBEAT_MS, .liveness = LIVENESS,
            .expiry_ms = 60000, .max_services = 1000, .max_workers = 100000,
            .max_requests = 100000, .max_service_requests = 100000,
            .max_frames = 100 };
        self->engine = memory_need (broker_new (&config));
        self->step = broker_step;
    }
    else {
        for (size_t nbr = 0; nbr < sizeof self->id; nbr++)
            self->id.bytes [nbr] = (unsigned char) dice_bits (&world->dice);
        //  As titanicd has it by default
        titanic_config_t config = {
            .version = MDP_0_1, .heartbeat_ms = HEARTBEAT_MS,
            .liveness = LIVENESS, .timeout_ms = 60000,
            .retry_ms = plan->retry_ms, .request_workers = 128,
            .reply_workers = 64, .close_workers = 64, .executions = 256,
            .service_executions = 64, .lease_ms = plan->lease_ms,
            .server = self->id };
        self->engine = memory_need (fleet_new (&config, plan->brokers));
        self->step = fleet_step;
    }
    s_awaken (self);
}

static line_t *
s_add_line (world_t *world, size_t nbr)
{
    return s_line_new (world, nbr % world->plan.brokers);
}

static void
s_start_load (void *object, uint64_t number)
{
    (void) number;
    world_t *world = object;
    const plan_t *plan = &world->plan;
    for (size_t nbr = 0; nbr < plan->workers; nbr++) {
        line_t *line = s_add_line (world, nbr);
        line->worker = true;
        s_send_up (line, memory_need (mdp_worker_ready (MDP_0_1,
                                                        world->echo)));
        clock_later (&world->clock,
                     dice_between (&world->dice, 0, HEARTBEAT_MS) * MS, s_beat,
                     line, 0);
    }
    for (size_t nbr = 0; nbr < plan->clients; nbr++) {
        client_t *client = &world->clients [nbr];
        client->world = world;
        client->line = s_add_line (world, nbr);
        client->line->client = client;
        clock_later (&world->clock, dice_between (&world->dice, 1, 100 * MS),
                     s_store, client, 0);
    }
}

static world_t *
s_world_new (const plan_t *plan)
{
    world_t *world = memory_need (calloc (1, sizeof (world_t)));
    world->plan = *plan;
    world->dice.state = plan->seed;
    world->count = 0;
    s_line_new (world, 0);
    world->echo = memory_need (frame_new ("echo", 4));
    world->clients = memory_need (calloc (plan->clients, sizeof (client_t)));
    size_t cpus = sizeof world->cpus / sizeof *world->cpus;
    for (size_t nbr = 0; nbr < cpus; nbr++)
        world->cpus [nbr] = (cpu_t) { .clock = &world->clock,
                                      .cores = plan->cores };
    world->disk = world->standby = (disk_ns_t) { .clock = &world->clock,
        .flush_ns = plan->flush_ns };
    world->base = base_new (&world->clock, &plan->base, &world->cpus [0],
                            &world->disk, &world->standby);
    cpu_t *cpu = &world->cpus [1];
    for (size_t nbr = 0; nbr < plan->brokers; nbr++)
        s_server_start (world, &world->brokers [nbr], true, nbr, cpu++);
    for (size_t nbr = 0; nbr < plan->titanics; nbr++)
        s_server_start (world, &world->titanics [nbr], false, nbr, cpu++);
    //  Titanic's workers are there first
    clock_later (&world->clock, 200 * MS, s_start_load, world, 0);
    return world;
}

static void
s_pass (world_t *world, int64_t until_ns)
{
    agenda_item_t item;
    while (world->clock.agenda.count
    &&     world->clock.agenda.items [0].at_ms <= until_ns
    &&     agenda_next (&world->clock.agenda, &item)) {
        world->clock.now_ns = item.at_ms;
        item.fn (item.object, item.number);
    }
    world->clock.now_ns = until_ns;
}

static double
s_busiest (const server_t *servers, size_t count, int64_t ns)
{
    int64_t most_ns = 0;
    for (size_t nbr = 0; nbr < count; nbr++)
        if (servers [nbr].busy_ns > most_ns)
            most_ns = servers [nbr].busy_ns;
    return (double) most_ns / (double) ns;
}

void
world_measure (const plan_t *plan, int64_t warmup_ms, int64_t ms,
               outcome_t *outcome)
{
    world_t *world = s_world_new (plan);
    s_pass (world, warmup_ms * MS);
    world->stored = world->closed = 0;
    for (size_t nbr = 0; nbr < plan->brokers; nbr++)
        world->brokers [nbr].busy_ns = 0;
    world->cpus [0].used_ns = world->disk.used_ns = 0;
    s_pass (world, (warmup_ms + ms) * MS);
    double ns = (double) ms * MS;
    *outcome = (outcome_t) {
        .stored = (double) world->stored * 1e9 / ns,
        .closed = (double) world->closed * 1e9 / ns,
        .broker = s_busiest (world->brokers, plan->brokers, ms * MS),
        .store_cpu = (double) world->cpus [0].used_ns / ns
                   / (double) plan->cores,
        .store_disk = (double) world->disk.used_ns / ns };
}

size_t
world_take_over (const plan_t *plan, int64_t lost_ms, int64_t *most_ms,
                 int64_t *mean_ms)
{
    world_t *world = s_world_new (plan);
    s_pass (world, lost_ms * MS);
    server_t *lost = &world->titanics [0];
    lost->dead = true;
    size_t first = base_held (world->base, &lost->id);
    size_t held = first;
    int64_t sum_ms = 0;
    int64_t ms = 0;
    for (; held && ms < 10 * plan->lease_ms; ms++) {
        sum_ms += (int64_t) held;
        s_pass (world, (lost_ms + ms + 1) * MS);
        held = base_held (world->base, &lost->id);
    }
    *most_ms = ms;
    *mean_ms = first? sum_ms / (int64_t) first: 0;
    return first;
}
