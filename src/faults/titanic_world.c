/*  =========================================================================
    titanic_world - a broker, a service and clients around a Titanic server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "titanic_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/titanic.h"
#include "../protocol/mdp.h"
#include "../protocol/tsp.h"
#include "faults.h"

#define LIVENESS 3
#define HOP_MS (WORLD_HB / 2)
#define CHANNELS_MAX 4096
#define QUESTIONS_MAX 4096

//  The broker's end of one of the server's sockets
typedef struct {
    channel_t number;
    bool open;
    frame_t *service;           //  That it registered; NULL for a client
    bool registered;            //  And the broker counts on it
    question_t *question;       //  That it works on
    int64_t heard_ms;           //  By the broker
    int64_t sent_ms;            //  By the broker
} end_t;

static titanic_t *s_titanic;
static update_t *s_update;
static update_t *s_spare;
static store_t *s_store;
static int64_t s_now;
static end_t s_ends [CHANNELS_MAX];
static size_t s_end_count;
static question_t s_questions [QUESTIONS_MAX];
static size_t s_question_count;
static uint64_t s_bits;         //  That are not as random as they should
static bool s_late;             //  What is late gets no reply
static size_t s_effects;        //  In each update before the server's

static void
s_step (event_t event)
{
    event.now_ms = s_now;
    event.wall_ms = 1700000000000 + s_now;
    event.random [0] = ++s_bits * 0x9e3779b97f4a7c15;
    event.random [1] = s_bits;
    faults_begin ();
    titanic_step (s_titanic, &event, s_update);
    faults_end ();
}

//  --------------------------------------------------------------------------
//  The broker

static end_t *
s_find_end (channel_t number)
{
    for (size_t nbr = 0; nbr < s_end_count; nbr++)
        if (s_ends [nbr].number == number && s_ends [nbr].open)
            return &s_ends [nbr];
    return NULL;
}

static void
s_open (channel_t number)
{
    MUST (s_end_count < CHANNELS_MAX);
    MUST (!s_find_end (number));
    s_ends [s_end_count++] = (end_t) { .number = number, .open = true };
}

//  To the server, if its socket is open yet; takes the message
static void
s_deliver (end_t *end, message_t *message)
{
    end->sent_ms = s_now;
    if (end->open)
        s_step ((event_t) { .type = EVENT_RECEIVED, .channel = end->number,
                            .message = message });
    message_destroy (&message);
}

//  The broker counts on this worker no more; what it had goes to another
static void
s_forget_worker (end_t *end)
{
    end->registered = false;
    if (end->question)
        end->question->channel = 0;
    end->question = NULL;
}

static void
s_close (channel_t number)
{
    end_t *end = s_find_end (number);
    if (!end)
        return;                 //  It was never opened: memory was out
    s_forget_worker (end);
    frame_destroy (&end->service);
    end->open = false;
}

static void
s_read_answer (question_t *question, const message_t *message, size_t body)
{
    question->answer = message_slice (message, body);
    question->status = tsp_status_read (message_frame (message, body));
    MUST (question->status != 0);
    if (question->status != TSP_OK || strcmp (question->service,
                                              "titanic.request"))
        return;
    MUST (tsp_id_read (message_frame (message, body + 1),
                                   &question->id) == 0);
    //  TSP-REQUEST-09: acknowledged means stored
    MUST (world_is_stored (&question->id));
}

static void
s_worker_sent (end_t *end, const message_t *message,
               const mdp_command_t *command)
{
    end->heard_ms = s_now;
    switch (command->type) {
        case MDP_WORKER_READY:
            MUST (!end->service);
            end->service = frame_ref (command->service);
            end->registered = true;
            end->sent_ms = s_now;
            break;
        case MDP_WORKER_REPLY:
            if (end->question)
                s_read_answer (end->question, message, command->body);
            end->question = NULL;
            break;
        case MDP_WORKER_HEARTBEAT:
            if (!end->registered)
                s_deliver (end, mdp_worker_disconnect (MDP_0_1, NULL));
            break;
        case MDP_WORKER_DISCONNECT:
            s_forget_worker (end);
            break;
        default:
            ck_abort_msg ("a worker sent %s", mdp_type_text (command->type));
    }
}

//  Its own service the broker answers
static void
s_client_sent (end_t *end, const message_t *message,
               const mdp_command_t *command)
{
    const frame_t *service = command->service;
    message_t *body = NULL;
    if (frame_is (service, "mmi.service", 11)) {
        body = message_new ();
        const frame_t *name = message_frame (message, command->body);
        bool there = frame_is (name, "echo", 4) || frame_is (name, "late", 4);
        MUST (message_add_string (body, there? "200": "404") == 0);
    }
    else
    if (frame_is (service, "echo", 4)
    || (frame_is (service, "late", 4) && !s_late))
        body = message_slice (message, command->body);
    else
        return;
    s_deliver (end, mdp_client_reply (MDP_0_1, NULL, service, body, 0));
    message_destroy (&body);
}

static void
s_sent (channel_t number, message_t **message_p)
{
    mdp_command_t command;
    MUST (mdp_decode (*message_p, 0, MDP_AT_BROKER, &command) == MDP_OK);
    end_t *end = s_find_end (number);
    if (end && command.type == MDP_CLIENT_REQUEST)
        s_client_sent (end, *message_p, &command);
    else
    if (end)
        s_worker_sent (end, *message_p, &command);
    message_destroy (message_p);
}

static void
s_give (end_t *end, question_t *question)
{
    frame_t *client = frame_new ("client", 6);
    end->question = question;
    question->channel = end->number;
    s_deliver (end, mdp_worker_request (MDP_0_1, NULL, client, question->body,
                                        0));
    frame_destroy (&client);
}

static void
s_broker_works (void)
{
    for (size_t nbr = 0; nbr < s_end_count; nbr++) {
        end_t *end = &s_ends [nbr];
        if (!end->registered)
            continue;
        if (s_now - end->heard_ms >= LIVENESS * WORLD_HB) {
            s_forget_worker (end);
            continue;
        }
        for (size_t at = 0; at < s_question_count && !end->question; at++) {
            question_t *question = &s_questions [at];
            if (!question->status && !question->channel
            &&  frame_is (end->service, question->service,
                          strlen (question->service)))
                s_give (end, question);
        }
        if (s_now - end->sent_ms >= WORLD_HB)
            s_deliver (end, mdp_worker_heartbeat (MDP_0_1, NULL));
    }
}

//  --------------------------------------------------------------------------
//  The reactor

//  All writes as one commit, then their answers, as the reactor does
static void
s_write (size_t from, size_t end)
{
    const store_query_t *queries [256];
    store_answer_t answers [256];
    size_t count = 0;
    for (size_t nbr = from; nbr < end; nbr++)
        if (update_effect (s_update, nbr)->type == EFFECT_WRITE) {
            MUST (count < 256);
            queries [count++] = &update_effect (s_update, nbr)->query;
        }
    faults_begin ();
    store_write (s_store, queries, count, answers);
    faults_end ();
    for (size_t nbr = 0; nbr < count; nbr++) {
        s_step ((event_t) { .type = EVENT_WRITTEN, .answer = &answers [nbr] });
        store_answer_clear (&answers [nbr]);
    }
}

static void
s_read (size_t from, size_t end)
{
    for (size_t nbr = from; nbr < end; nbr++) {
        effect_t *effect = update_effect (s_update, nbr);
        if (effect->type != EFFECT_READ)
            continue;
        store_answer_t answer;
        faults_begin ();
        store_read (s_store, &effect->query, &answer);
        faults_end ();
        s_step ((event_t) { .type = EVENT_READ, .answer = &answer });
        store_answer_clear (&answer);
    }
}

//  An update of its own for each batch, with the usual room
static void
s_renew_update (void)
{
    int64_t deadline_ms = update_deadline (s_update);
    update_destroy (&s_update);
    update_destroy (&s_spare);
    s_update = update_new ();
    s_spare = update_new ();
    for (size_t nbr = 0; nbr < s_effects; nbr++)
        update_notice (s_update, NOTICE_TRACE, "one of many", NULL);
    update_set_deadline (s_update, deadline_ms);
}

static void
s_carry_out (void)
{
    while (update_size (s_update)) {
        for (size_t done = 0, end; done < update_size (s_update); done = end) {
            end = update_size (s_update);
            s_write (done, end);
            s_read (done, end);
        }
        update_t *update = s_update;
        update_set_deadline (s_spare, update_deadline (update));
        s_update = s_spare;
        s_spare = update;
        for (size_t nbr = 0; nbr < update_size (update); nbr++) {
            effect_t *effect = update_effect (update, nbr);
            if (effect->type == EFFECT_OPEN)
                s_open (effect->channel);
            else
            if (effect->type == EFFECT_CLOSE)
                s_close (effect->channel);
            else
            if (effect->type == EFFECT_SEND)
                s_sent (effect->channel, &effect->message);
        }
        update_clear (update);
    }
    s_renew_update ();
}

static void
s_tick (void)
{
    s_step ((event_t) { .type = EVENT_TICK });
    s_carry_out ();
}

void
world_pass (int64_t ms)
{
    for (int64_t end_ms = s_now + ms; s_now < end_ms; s_now += HOP_MS) {
        if (update_deadline (s_update) <= s_now) {
            s_tick ();
            //  Without memory too the process sleeps now and then
            int ticks = 0;
            while (update_deadline (s_update) <= s_now) {
                s_tick ();
                MUST (++ticks < 10);
            }
        }
        s_broker_works ();
        s_carry_out ();
    }
}

//  --------------------------------------------------------------------------
//  Life

static int64_t
s_clock (void *unused)
{
    (void) unused;
    return s_now;
}

static void
s_destroy (void)
{
    titanic_destroy (&s_titanic);
    update_destroy (&s_update);
    update_destroy (&s_spare);
    store_close (&s_store);
}

bool
world_begin (const char *store_address, int64_t lease_ms, size_t effects)
{
    titanic_config_t config = {
        .version = MDP_0_1, .heartbeat_ms = WORLD_HB, .liveness = LIVENESS,
        .timeout_ms = 6 * WORLD_HB, .retry_ms = WORLD_HB,
        .request_workers = 2, .reply_workers = 1, .close_workers = 1,
        .executions = 2, .service_executions = 2,
        .lease_ms = lease_ms, .server = { { lease_ms? 1: 0 } }
    };
    s_now = 5000;
    s_bits = 0;
    s_effects = effects;
    s_late = true;
    s_end_count = s_question_count = 0;
    store_result_t result;
    char error [256];
    s_store = store_open (store_address, &result, error, sizeof error);
    MUST_TELL (s_store, "%s", error);
    store_set_clock (s_store, s_clock, NULL);
    faults_begin ();
    s_titanic = titanic_new (&config);
    s_update = update_new ();
    s_spare = update_new ();
    faults_end ();
    if (!s_titanic || !s_update || !s_spare) {
        s_destroy ();
        return false;
    }
    update_set_deadline (s_update, s_now);
    s_renew_update ();
    return true;
}

void
world_end (void)
{
    s_step ((event_t) { .type = EVENT_STOP });
    s_carry_out ();
    for (size_t nbr = 0; nbr < s_end_count; nbr++)
        frame_destroy (&s_ends [nbr].service);
    for (size_t nbr = 0; nbr < s_question_count; nbr++) {
        message_destroy (&s_questions [nbr].body);
        message_destroy (&s_questions [nbr].answer);
    }
    s_destroy ();
}

void
world_hurry (void)
{
    s_late = false;
}

bool
world_is_stored (const request_id_t *id)
{
    store_query_t query = { .type = STORE_FETCH, .id = *id };
    store_answer_t answer;
    store_read (s_store, &query, &answer);
    bool stored = answer.result == STORE_OK;
    store_answer_clear (&answer);
    return stored;
}

//  --------------------------------------------------------------------------
//  Clients

static question_t *
s_ask (const char *service, const char *first, const char *second)
{
    MUST (s_question_count < QUESTIONS_MAX);
    question_t *question = &s_questions [s_question_count++];
    *question = (question_t) { .service = service, .body = message_new () };
    MUST (message_add_string (question->body, first) == 0);
    if (second)
        MUST (message_add_string (question->body, second) == 0);
    return question;
}

question_t *
world_request (const char *service, const char *text)
{
    return s_ask ("titanic.request", service, text);
}

static question_t *
s_ask_about (const char *service, const request_id_t *id)
{
    char text [TSP_ID_DIGITS + 1];
    tsp_id_print (id, text);
    return s_ask (service, text, NULL);
}

question_t *
world_reply (const request_id_t *id)
{
    return s_ask_about ("titanic.reply", id);
}

question_t *
world_close (const request_id_t *id)
{
    return s_ask_about ("titanic.close", id);
}

int
world_wait (question_t *question, int64_t ms)
{
    while (!question->status && ms > 0) {
        world_pass (HOP_MS);
        ms -= HOP_MS;
    }
    return question->status;
}
