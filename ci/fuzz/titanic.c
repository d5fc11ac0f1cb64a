/*  =========================================================================
    titanic - any messages and store results, at any time, for a Titanic server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "../../src/engine/titanic.h"
#include "../../src/protocol/mdp.h"
#include "../../src/protocol/tsp.h"

#define HB 100
#define CHANNELS 8
#define IDS 16
#define STEPS_MAX 2000
//  Answers of the store that are kept back
#define WAITING_MAX 64
//  For request, reply and close one each, then executions
#define WORKERS 3

typedef struct {
    channel_t number;           //  0: none
    frame_t *service;           //  That was asked for last
} line_t;

typedef struct {
    titanic_t *titanic;
    update_t *update;
    store_t *store;
    int64_t now_ms;
    uint64_t bits;
    line_t lines [CHANNELS];    //  Open channels
    request_id_t ids [IDS];     //  Acknowledged, in turn
    size_t id_count;
    bool fails, waits;          //  The store
    store_query_t waiting [WAITING_MAX];
    effect_type_t types [WAITING_MAX];
    size_t waiting_count;
} world_t;

static void s_carry_out (world_t *self);

static void
s_step (world_t *self, event_t event)
{
    event.now_ms = self->now_ms;
    event.wall_ms = 1700000000000 + self->now_ms;
    event.random [0] = ++self->bits * 0x9e3779b97f4a7c15;
    event.random [1] = self->bits;
    titanic_step (self->titanic, &event, self->update);
    HOLDS (!update_failed (self->update));
}

//  --------------------------------------------------------------------------
//  What the server wants

static line_t *
s_line (world_t *self, channel_t number)
{
    for (size_t nbr = 0; nbr < CHANNELS; nbr++)
        if (self->lines [nbr].number == number)
            return &self->lines [nbr];
    return NULL;
}

//  Acknowledged means stored, 9/TSP
static void
s_acknowledged (world_t *self, const message_t *message, size_t body)
{
    request_id_t *id = &self->ids [self->id_count++ % IDS];
    HOLDS (tsp_id_read (message_frame (message, body + 1), id) == 0);
    store_query_t query = { .type = STORE_FETCH, .id = *id };
    store_answer_t answer;
    store_read (self->store, &query, &answer);
    HOLDS (answer.result == STORE_OK);
    store_answer_clear (&answer);
}

static void
s_check_sent (world_t *self, channel_t number, const message_t *message)
{
    line_t *line = s_line (self, number);
    HOLDS (number && line);
    mdp_command_t command;
    HOLDS (mdp_decode (message, 0, MDP_AT_BROKER, &command) == MDP_OK);
    bool worker = number % 4096 < WORKERS;
    HOLDS (worker == (command.type != MDP_CLIENT_REQUEST));
    if (command.service) {
        frame_destroy (&line->service);
        line->service = frame_ref (command.service);
    }
    if (command.type != MDP_WORKER_REPLY)
        return;
    int status = tsp_status_read (message_frame (message, command.body));
    HOLDS (status);
    if (status == TSP_OK && frame_is (line->service, "titanic.request", 15))
        s_acknowledged (self, message, command.body);
}

static void
s_answer (world_t *self, effect_type_t type, store_query_t *query)
{
    store_answer_t answer = { .ticket = query->ticket, .type = query->type,
                              .result = STORE_FULL };
    const store_query_t *queries [] = { query };
    if (!self->fails && type == EFFECT_WRITE)
        store_write (self->store, queries, 1, &answer);
    else
    if (!self->fails)
        store_read (self->store, query, &answer);
    store_query_clear (query);
    s_step (self, (event_t) { .answer = &answer,
        .type = type == EFFECT_WRITE? EVENT_WRITTEN: EVENT_READ });
    store_answer_clear (&answer);
}

static void
s_ask_store (world_t *self, effect_t *effect)
{
    store_query_t query = effect->query;
    effect_type_t type = effect->type;
    memset (&effect->query, 0, sizeof effect->query);
    if (self->waits && self->waiting_count < WAITING_MAX) {
        self->types [self->waiting_count] = type;
        self->waiting [self->waiting_count++] = query;
        return;
    }
    s_answer (self, type, &query);
}

static void
s_carry_out_one (world_t *self, effect_t *effect)
{
    line_t *line;
    switch (effect->type) {
        case EFFECT_OPEN:
            //  As many sockets as it has slots, and each once
            HOLDS (effect->channel && !s_line (self, effect->channel));
            line = s_line (self, 0);
            HOLDS (line);
            line->number = effect->channel;
            break;
        case EFFECT_CLOSE:
            line = s_line (self, effect->channel);
            HOLDS (effect->channel && line);
            frame_destroy (&line->service);
            line->number = 0;
            break;
        case EFFECT_SEND:
            s_check_sent (self, effect->channel, effect->message);
            break;
        case EFFECT_READ:
        case EFFECT_WRITE:
            s_ask_store (self, effect);
            break;
        case EFFECT_NOTICE:
            break;
    }
}

static void
s_carry_out (world_t *self)
{
    for (size_t nbr = 0; nbr < update_size (self->update); nbr++)
        s_carry_out_one (self, update_effect (self->update, nbr));
    update_clear (self->update);
}

//  The store answers what it has kept back
static void
s_go_on (world_t *self)
{
    self->waits = false;
    for (size_t nbr = 0; nbr < self->waiting_count; nbr++)
        s_answer (self, self->types [nbr], &self->waiting [nbr]);
    self->waiting_count = 0;
    s_carry_out (self);
}

static void
s_tick (world_t *self, int64_t ms)
{
    self->now_ms += ms;
    int ticks = 0;
    do {
        s_step (self, (event_t) { .type = EVENT_TICK });
        s_carry_out (self);
        //  It sleeps now and then
        HOLDS (++ticks < 16);
    } while (update_deadline (self->update) <= self->now_ms);
}

//  --------------------------------------------------------------------------
//  What happens to it

//  Takes the message
static void
s_receive (world_t *self, channel_t number, message_t *message)
{
    HOLDS (message);
    s_step (self, (event_t) { .type = EVENT_RECEIVED, .channel = number,
                              .message = message });
    message_destroy (&message);
    s_carry_out (self);
}

//  A socket that is closed speaks no more, but one that was there before it may
static channel_t
s_number (const line_t *line)
{
    return line->number? line->number: UINT32_MAX;
}

static message_t *
s_body (world_t *self, uint8_t how, bytes_t *bytes)
{
    static const char *const words [] = { "echo", "titanic.reply", "" };
    message_t *body = message_new ();
    char text [TSP_ID_DIGITS + 1] = "00000000000000000000000000000000";
    if (self->id_count)
        tsp_id_print (&self->ids [how % IDS % (self->id_count < IDS
                                  ? self->id_count: IDS)], text);
    frame_t *frame = bytes_take_frame (bytes);
    HOLDS (message_add_string (body, how & 0x10? text: words [how % 3]) == 0);
    if (how & 0x20)
        HOLDS (message_add (body, frame) == 0);
    frame_destroy (&frame);
    return body;
}

static void
s_request (world_t *self, line_t *line, uint8_t how, bytes_t *bytes)
{
    message_t *body = s_body (self, how, bytes);
    frame_t *client = frame_new ("c", 1);
    message_t *message = mdp_worker_request (MDP_0_1, NULL, client, body, 0);
    frame_destroy (&client);
    message_destroy (&body);
    s_receive (self, s_number (line), message);
}

static void
s_reply (world_t *self, line_t *line, uint8_t how, bytes_t *bytes)
{
    static const char *const statuses [] = { "200", "404", "501", "x" };
    message_t *body = message_new ();
    frame_t *frame = bytes_take_frame (bytes);
    frame_t *service = line->service? frame_ref (line->service)
                                    : frame_new ("x", 1);
    HOLDS (message_add_string (body, statuses [how % 4]) == 0);
    if (how & 4)
        HOLDS (message_add (body, frame) == 0);
    message_t *message = mdp_client_reply (MDP_0_1, NULL, service, body, 0);
    frame_destroy (&frame);
    frame_destroy (&service);
    message_destroy (&body);
    s_receive (self, s_number (line), message);
}

static void
s_happen (world_t *self, bytes_t *bytes)
{
    uint8_t what = bytes_take (bytes);
    line_t *line = &self->lines [what / 8 % CHANNELS];
    uint8_t how = what % 8? bytes_take (bytes): 0;
    switch (what % 8) {
        case 0:
            s_receive (self, s_number (line), bytes_take_message (bytes));
            break;
        case 1:
        case 2:
            s_request (self, line, how, bytes);
            break;
        case 3:
        case 4:
            s_reply (self, line, how, bytes);
            break;
        case 5:
            s_tick (self, how * 4);
            break;
        case 6:
            s_receive (self, s_number (line), how % 8
                ? mdp_worker_heartbeat (MDP_0_1, NULL)
                : mdp_worker_disconnect (MDP_0_1, NULL));
            break;
        default:
            self->fails = how & 1;
            if (how & 2)
                self->waits = true;
            else
                s_go_on (self);
    }
}

void
fuzz_titanic (const uint8_t *data, size_t size)
{
    titanic_config_t config = { .version = MDP_0_1, .heartbeat_ms = HB,
        .liveness = 3, .timeout_ms = 10 * HB, .retry_ms = 2 * HB,
        .request_workers = 1, .reply_workers = 1, .close_workers = 1,
        .executions = CHANNELS - WORKERS, .service_executions = 2 };
    store_result_t result;
    char error [64];
    world_t world = { .titanic = titanic_new (&config),
        .update = update_new (), .now_ms = 1000,
        .store = store_open ("memory:", &result, error, sizeof error) };
    HOLDS (world.titanic && world.update && world.store);
    bytes_t bytes = { data, size };
    s_tick (&world, 0);
    for (int step = 0; bytes.left && step < STEPS_MAX; step++)
        s_happen (&world, &bytes);
    s_go_on (&world);
    s_step (&world, (event_t) { .type = EVENT_STOP });
    s_carry_out (&world);
    titanic_destroy (&world.titanic);
    update_destroy (&world.update);
    store_close (&world.store);
    for (size_t nbr = 0; nbr < CHANNELS; nbr++)
        frame_destroy (&world.lines [nbr].service);
}
