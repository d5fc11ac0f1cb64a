/*  =========================================================================
    sharing_test - several Titanic servers on one store, on a virtual clock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "../protocol/tsp.h"
#include "titanic.h"

Suite *
sharing_suite (void);

#define HEARTBEAT 100
#define LIVENESS 3
#define TIMEOUT 5000
#define RETRY 200
#define LEASE 1000
//  One worker each for request, reply and close: channels with these slots, and
//  executions from 3 on
#define SLOTS 4096
#define EXECUTIONS 4
#define WINDOW 2                //  Of one service
#define SERVERS 2
#define RUNS 16

typedef struct {
    channel_t channel;          //  0: not in use
    char service [16];
    char body [16];
} run_t;

//  What can happen to a server's talk with the store
typedef enum {
    LINK_FINE,
    LINK_DOWN,                  //  Nothing gets there
    LINK_DEAF,                  //  What is claimed is, and nobody is told
    LINK_READS,                 //  Nothing can be written
    LINK_SLOW,                  //  Nothing is read yet
    LINK_LOSSY                  //  Questions and answers are lost, or late
} link_t;

//  A server with a broker of its own, which knows the service echo or not
typedef struct {
    titanic_t *titanic;         //  NULL once it is dead
    update_t *update;
    channel_t channels [3];
    bool paused;
    bool serves;                //  Its broker has workers for echo
    bool silent;                //  Its broker says nothing
    link_t link;
    run_t runs [RUNS];          //  Requests at its broker
    char reply [64];            //  Frames of the last answer to a client
} server_t;

static server_t s_servers [SERVERS];
static store_t *s_store;
static int64_t s_now;
static int s_executed [100];    //  How often, by the number in the body

static int64_t
s_clock (void *argument)
{
    (void) argument;
    return s_now;
}

static void
s_start (int name, unsigned life)
{
    server_t *server = &s_servers [name];
    *server = (server_t) { .serves = true };
    titanic_config_t config = {
        .version = MDP_0_1, .heartbeat_ms = HEARTBEAT, .liveness = LIVENESS,
        .timeout_ms = TIMEOUT, .retry_ms = RETRY, .request_workers = 1,
        .reply_workers = 1, .close_workers = 1, .executions = EXECUTIONS,
        .service_executions = WINDOW, .lease_ms = LEASE,
        .server = { { (unsigned char) (name + 1), (unsigned char) life,
                      (unsigned char) (life >> 8) } }
    };
    server->titanic = titanic_new (&config);
    server->update = update_new ();
}

static void
s_set_up (void)
{
    store_result_t result;
    char error [64];
    s_store = store_open ("memory:", &result, error, sizeof error);
    store_set_clock (s_store, s_clock, NULL);
    s_now = 1000;
    memset (s_executed, 0, sizeof s_executed);
    for (int name = 0; name < SERVERS; name++)
        s_start (name, 0);
}

static void
s_kill (int name)
{
    titanic_destroy (&s_servers [name].titanic);
    update_destroy (&s_servers [name].update);
    memset (s_servers [name].runs, 0, sizeof s_servers [name].runs);
}

static void
s_tear_down (void)
{
    for (int name = 0; name < SERVERS; name++)
        s_kill (name);
    store_close (&s_store);
}

//  --------------------------------------------------------------------------
//  The world

static void
s_step (server_t *server, event_t event)
{
    static uint64_t bits = 1;
    bits++;
    event.now_ms = s_now;
    event.wall_ms = 1700000000000 + s_now;
    event.random [0] = bits * 0x9e3779b97f4a7c15;
    event.random [1] = bits;
    titanic_step (server->titanic, &event, server->update);
}

static void
s_give (server_t *server, channel_t channel, message_t *message)
{
    s_step (server, (event_t) { .type = EVENT_RECEIVED, .channel = channel,
                                .message = message });
    message_destroy (&message);
}

//  Numbers that depend on the seed only
static uint32_t s_random_state;

static uint32_t
s_random (uint32_t below)
{
    s_random_state = s_random_state * 1664525 + 1013904223;
    return (s_random_state >> 8) % below;
}

static void
s_query (server_t *server, const effect_t *effect)
{
    bool lossy = server->link == LINK_LOSSY;
    bool arrives = server->link != LINK_DOWN && !(lossy && s_random (4) == 0);
    const store_query_t *query = &effect->query;
    bool write = effect->type == EFFECT_WRITE;
    store_answer_t answer = { .ticket = query->ticket, .type = query->type,
                              .result = STORE_FAILED };
    if (arrives && server->link != LINK_READS && write)
        store_write (s_store, &query, 1, &answer);
    if (arrives && !write)
        store_read (s_store, query, &answer);
    if ((server->link == LINK_DEAF && query->type == STORE_WAITING)
    ||  (lossy && s_random (4) == 0)) {
        store_answer_clear (&answer);
        answer.result = STORE_FAILED;
    }
    s_step (server, (event_t) { .type = write? EVENT_WRITTEN: EVENT_READ,
                                .answer = &answer });
    store_answer_clear (&answer);
}

static message_t *
s_body (const char *first, const char *second)
{
    message_t *body = message_new ();
    message_add_string (body, first);
    if (second)
        message_add_string (body, second);
    return body;
}

static void
s_reply_to (server_t *server, channel_t channel, const char *service,
            const char *text)
{
    frame_t *name = frame_new (service, strlen (service));
    message_t *body = s_body (text, NULL);
    message_t *message = mdp_client_reply (MDP_0_1, NULL, name, body, 0);
    frame_destroy (&name);
    message_destroy (&body);
    s_give (server, channel, message);
}

//  What an execution has sent: mmi.service is answered, the rest runs
static void
s_execute (server_t *server, channel_t channel, const mdp_command_t *command,
           const message_t *message)
{
    if (server->silent)
        return;
    if (frame_is (command->service, "mmi.service", 11)) {
        s_reply_to (server, channel, "mmi.service",
                    server->serves? "200": "404");
        return;
    }
    const frame_t *body = message_frame (message, command->body);
    run_t *run = server->runs;
    while (run->channel)
        run++;
    ck_assert (run < server->runs + RUNS);
    run->channel = channel;
    snprintf (run->service, sizeof run->service, "%.*s",
              (int) frame_size (command->service),
              (const char *) frame_data (command->service));
    snprintf (run->body, sizeof run->body, "%.*s", (int) frame_size (body),
              (const char *) frame_data (body));
    s_executed [atoi (run->body)]++;
}

//  What a worker has sent: an answer to a client is kept
static void
s_answered (server_t *server, const mdp_command_t *command,
            const message_t *message)
{
    if (command->type != MDP_WORKER_REPLY)
        return;
    *server->reply = 0;
    for (size_t index = command->body; index < message_size (message);
                index++) {
        const frame_t *frame = message_frame (message, index);
        size_t size = strlen (server->reply);
        snprintf (server->reply + size, sizeof server->reply - size, "%s%.*s",
                  size? " ": "", (int) frame_size (frame),
                  (const char *) frame_data (frame));
    }
}

static void
s_send (server_t *server, const effect_t *effect)
{
    mdp_command_t command;
    ck_assert_int_eq (mdp_decode (effect->message, 0, MDP_AT_BROKER, &command),
                      MDP_OK);
    channel_t slot = effect->channel % SLOTS;
    if (slot < 3) {
        server->channels [slot] = effect->channel;
        s_answered (server, &command, effect->message);
    }
    else
        s_execute (server, effect->channel, &command, effect->message);
}

static void
s_close (server_t *server, channel_t channel)
{
    for (int nbr = 0; nbr < RUNS; nbr++)
        if (server->runs [nbr].channel == channel)
            server->runs [nbr].channel = 0;
}

//  Which effect comes first: writes, then what is for the broker, then reads
static size_t
s_first (update_t *update)
{
    size_t first = 0;
    for (size_t nbr = update_size (update); nbr-- > 0;)
        if (update_effect (update, nbr)->type != EFFECT_READ)
            first = nbr;
    for (size_t nbr = update_size (update); nbr-- > 0;)
        if (update_effect (update, nbr)->type == EFFECT_WRITE)
            first = nbr;
    return first;
}

//  Carry out what a server wants
static void
s_carry_out (server_t *server)
{
    while (update_size (server->update)) {
        size_t nbr = s_first (server->update);
        //  It takes longer than until something else happens
        if (update_effect (server->update, nbr)->type == EFFECT_READ
        && (server->link == LINK_SLOW
         || (server->link == LINK_LOSSY && s_random (8) == 0)))
            return;
        effect_t effect = *update_effect (server->update, nbr);
        *update_effect (server->update, nbr) = (effect_t) { .type = EFFECT_OPEN };
        update_remove (server->update, nbr);
        if (effect.type == EFFECT_WRITE || effect.type == EFFECT_READ)
            s_query (server, &effect);
        if (effect.type == EFFECT_SEND)
            s_send (server, &effect);
        if (effect.type == EFFECT_CLOSE)
            s_close (server, effect.channel);
        message_destroy (&effect.message);
        frame_destroy (&effect.subject);
        store_query_clear (&effect.query);
    }
}

//  Time goes by, for those who live
static void
s_pass (int64_t ms)
{
    for (; ms > 0; ms -= HEARTBEAT / 2) {
        s_now += HEARTBEAT / 2;
        for (int name = 0; name < SERVERS; name++) {
            server_t *server = &s_servers [name];
            if (!server->titanic || server->paused)
                continue;
            for (int nbr = 0; nbr < 3 && !server->silent; nbr++)
                if (server->channels [nbr])
                    s_give (server, server->channels [nbr],
                            mdp_worker_heartbeat (MDP_0_1, NULL));
            s_step (server, (event_t) { .type = EVENT_TICK });
            s_carry_out (server);
        }
    }
}

//  A client asks one of the three services; all that it is answered
static const char *
s_ask (int name, int slot, const char *first, const char *second)
{
    server_t *server = &s_servers [name];
    frame_t *client = frame_new ("client", 6);
    message_t *body = s_body (first, second);
    message_t *message = mdp_worker_request (MDP_0_1, NULL, client, body, 0);
    frame_destroy (&client);
    message_destroy (&body);
    strcpy (server->reply, "nothing");
    s_give (server, server->channels [slot], message);
    s_carry_out (server);
    return server->reply;
}

typedef struct {
    char text [TSP_ID_DIGITS + 1];
} ticket_t;

//  Store a request through a server; one for echo
static ticket_t
s_store_for (int name, const char *service, int number)
{
    char body [16];
    snprintf (body, sizeof body, "%d", number);
    const char *reply = s_ask (name, 0, service, body);
    ck_assert_msg (strncmp (reply, "200 ", 4) == 0, "%s", reply);
    ticket_t id;
    strcpy (id.text, reply + 4);
    return id;
}

static ticket_t
s_store_request (int name, int number)
{
    return s_store_for (name, "echo", number);
}

static const char *
s_fetch (int name, ticket_t id)
{
    return s_ask (name, 1, id.text, NULL);
}

//  How many requests a server has at its broker
static int
s_running (int name)
{
    int count = 0;
    for (int nbr = 0; nbr < RUNS; nbr++)
        count += s_servers [name].runs [nbr].channel != 0;
    return count;
}

//  The worker replies to the request with this number; whether it has it
static bool
s_finish (int name, int number, const char *reply)
{
    server_t *server = &s_servers [name];
    for (int nbr = 0; nbr < RUNS; nbr++) {
        run_t *run = &server->runs [nbr];
        if (!run->channel || atoi (run->body) != number)
            continue;
        channel_t channel = run->channel;
        run->channel = 0;
        s_reply_to (server, channel, run->service, reply);
        s_carry_out (server);
        return true;
    }
    return false;
}

static void
s_finish_all (const char *reply)
{
    for (int name = 0; name < SERVERS; name++)
        for (int nbr = 0; nbr < RUNS; nbr++)
            if (s_servers [name].runs [nbr].channel)
                s_finish (name, atoi (s_servers [name].runs [nbr].body),
                          reply);
}

//  --------------------------------------------------------------------------
//  Traces

//  Whichever servers have attempted it. What an operator revives is found.
START_TEST (attempts_of_all_servers_count)
{
    s_pass (HEARTBEAT);
    titanic_config_t limits = { .max_attempts = 3 };
    for (int name = 0; name < SERVERS; name++)
        titanic_set_limits (s_servers [name].titanic, &limits);
    ticket_t id = s_store_request (0, 7);
    for (int round = 1; round <= 2; round++) {
        s_pass (2 * TIMEOUT);
        ck_assert_str_eq (s_fetch (1, id), "300");
        s_pass (6 * TIMEOUT);
        ck_assert_int_eq (s_executed [7], 3 * round);
        ck_assert_str_eq (s_fetch (0, id), "500");
        ck_assert_str_eq (s_fetch (1, id), "500");
        store_query_t query = { .type = STORE_REVIVE };
        const store_query_t *queries [] = { &query };
        store_answer_t answer;
        store_write (s_store, queries, 1, &answer);
    }
    s_pass (2 * RETRY);
    ck_assert (s_finish (0, 7, "done") || s_finish (1, 7, "done"));
    ck_assert_str_eq (s_fetch (1, id), "200 done");
}
END_TEST

//  Nobody has failed but the broker
START_TEST (a_lost_broker_is_no_attempt)
{
    s_kill (1);
    s_pass (HEARTBEAT);
    titanic_config_t limits = { .max_attempts = 1 };
    titanic_set_limits (s_servers [0].titanic, &limits);
    ticket_t id = s_store_request (0, 7);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_executed [7], 1);
    s_servers [0].silent = true;
    s_pass ((LIVENESS + 1) * HEARTBEAT);
    s_servers [0].silent = false;
    s_pass (4 * RETRY);
    ck_assert_int_eq (s_executed [7], 2);
    ck_assert_str_eq (s_fetch (0, id), "300");
    s_pass (2 * TIMEOUT);
    ck_assert_int_eq (s_executed [7], 2);
    ck_assert_str_eq (s_fetch (0, id), "500");
}
END_TEST

START_TEST (each_request_is_executed_once)
{
    s_pass (HEARTBEAT);
    ticket_t ids [20];
    for (int number = 0; number < 20; number++)
        ids [number] = s_store_request (0, number);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (0), WINDOW);
    ck_assert_int_eq (s_running (1), WINDOW);
    for (int round = 0; round < 10; round++) {
        s_finish_all ("done");
        s_pass (2 * RETRY);
    }
    for (int number = 0; number < 20; number++) {
        ck_assert_int_eq (s_executed [number], 1);
        ck_assert_str_eq (s_fetch (1, ids [number]), "200 done");
        ck_assert_str_eq (s_ask (1, 2, ids [number].text, NULL), "200");
        ck_assert_str_eq (s_fetch (0, ids [number]), "400");
    }
}
END_TEST

START_TEST (what_a_dead_server_executed_is_taken_over)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    ticket_t id = s_store_request (0, 7);
    s_pass (HEARTBEAT);
    ck_assert_int_eq (s_running (0), 1);
    s_servers [1].serves = true;
    s_kill (0);
    s_pass (LEASE / 2);
    ck_assert_int_eq (s_running (1), 0);
    s_pass (LEASE / 2 + 2 * RETRY);
    ck_assert_int_eq (s_running (1), 1);
    s_finish (1, 7, "done");
    ck_assert_str_eq (s_fetch (1, id), "200 done");
    ck_assert_int_eq (s_executed [7], 2);
}
END_TEST

START_TEST (a_server_that_stops_leaves_nothing_claimed)
{
    s_pass (HEARTBEAT);
    s_store_request (0, 7);
    ck_assert_int_eq (s_running (0), 1);
    s_step (&s_servers [0], (event_t) { .type = EVENT_STOP });
    s_carry_out (&s_servers [0]);
    s_kill (0);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (1), 1);
}
END_TEST

START_TEST (who_has_the_service_executes)
{
    s_pass (HEARTBEAT);
    s_servers [0].serves = false;
    ticket_t id = s_store_request (0, 7);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (0), 0);
    ck_assert_int_eq (s_running (1), 1);
    s_finish (1, 7, "done");
    ck_assert_str_eq (s_fetch (0, id), "200 done");
    //  Nobody has it, and then the other one
    s_servers [1].serves = false;
    s_pass (2 * RETRY);
    id = s_store_request (1, 8);
    s_pass (5 * RETRY);
    ck_assert_int_eq (s_executed [8], 0);
    s_servers [0].serves = true;
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (0), 1);
}
END_TEST

//  The service went while its request was being claimed
START_TEST (what_cannot_be_sent_is_given_back)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    s_servers [0].link = LINK_SLOW;
    s_store_request (0, 7);
    s_servers [0].serves = false;
    s_pass (2 * HEARTBEAT);
    s_servers [0].link = LINK_FINE;
    s_pass (2 * HEARTBEAT);
    ck_assert_int_eq (s_executed [7], 0);
    s_servers [1].serves = true;
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (1), 1);
}
END_TEST

//  What was sent to a broker that is gone may be lost: TSP-EXEC-04
START_TEST (a_server_without_broker_gives_back)
{
    s_pass (HEARTBEAT);
    s_store_request (0, 7);
    ck_assert_int_eq (s_running (0), 1);
    s_servers [0].silent = true;
    s_pass (HEARTBEAT * (LIVENESS + 1) + 2 * RETRY);
    ck_assert_int_eq (s_running (1), 1);
}
END_TEST

//  Paused for longer than its lease: another executes it too. The first reply
//  stays.
START_TEST (the_first_reply_stays)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    ticket_t early = s_store_request (0, 7);
    ticket_t late = s_store_request (0, 8);
    ck_assert_int_eq (s_running (0), 2);
    s_servers [0].paused = true;
    s_servers [1].serves = true;
    s_pass (LEASE + 2 * RETRY);
    ck_assert_int_eq (s_running (1), 2);
    ck_assert (s_finish (1, 7, "of the other"));
    s_servers [0].paused = false;
    ck_assert (s_finish (0, 7, "of the first"));
    ck_assert (s_finish (0, 8, "of the first"));
    ck_assert (s_finish (1, 8, "of the other"));
    s_pass (2 * LEASE);
    ck_assert_str_eq (s_fetch (0, early), "200 of the other");
    ck_assert_str_eq (s_fetch (0, late), "200 of the first");
    ck_assert_int_eq (s_executed [7], 2);
    ck_assert_int_eq (s_executed [8], 2);
    //  It goes on under a new lease
    s_servers [1].serves = false;
    s_store_request (1, 9);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (0), 1);
}
END_TEST

//  However many services there is something for: what is claimed is sent, and what
//  is not sent can be closed by others, TSP-CLOSE-02
START_TEST (no_more_is_claimed_than_is_sent)
{
    static const char *const services [] = { "echo", "tea", "milk" };
    s_servers [1].serves = false;
    s_pass (HEARTBEAT);
    ticket_t ids [6];
    for (int number = 0; number < 6; number++)
        ids [number] = s_store_for (1, services [number / 2], number);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_running (0), EXECUTIONS);
    bool closed [6];
    for (int number = 0; number < 6; number++) {
        closed [number] = s_executed [number] == 0;
        if (closed [number])
            ck_assert_str_eq (s_ask (1, 2, ids [number].text, NULL), "200");
    }
    for (int round = 0; round < 4; round++) {
        s_finish_all ("done");
        s_pass (RETRY);
    }
    for (int number = 0; number < 6; number++)
        ck_assert_int_eq (s_executed [number], !closed [number]);
}
END_TEST

START_TEST (what_was_closed_elsewhere_stays_closed)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    ticket_t ids [4];
    for (int number = 0; number < 4; number++)
        ids [number] = s_store_request (0, number);
    ck_assert_int_eq (s_running (0), WINDOW);
    //  One that runs, and one that waits
    ck_assert_str_eq (s_ask (1, 2, ids [0].text, NULL), "200");
    ck_assert_str_eq (s_ask (1, 2, ids [2].text, NULL), "200");
    ck_assert (s_finish (0, 0, "late"));
    ck_assert_str_eq (s_fetch (0, ids [0]), "400");
    s_finish_all ("done");
    s_finish_all ("done");
    s_pass (LEASE);
    s_finish_all ("done");
    ck_assert_int_eq (s_executed [2], 0);
    ck_assert_str_eq (s_fetch (1, ids [0]), "400");
    ck_assert_str_eq (s_fetch (1, ids [2]), "400");
    ck_assert_str_eq (s_fetch (1, ids [3]), "200 done");
}
END_TEST

//  The store has done what it was asked and could not say so: nothing is claimed
//  for ever by a server that does not know of it
START_TEST (a_lost_answer_holds_nothing_up)
{
    s_pass (HEARTBEAT);
    s_servers [0].serves = s_servers [1].serves = false;
    s_store_request (1, 7);
    s_store_request (1, 8);
    s_kill (1);
    s_pass (2 * RETRY);
    s_servers [0].serves = true;
    s_servers [0].link = LINK_DEAF;
    s_pass (LEASE);
    ck_assert_int_eq (s_running (0), 0);
    s_servers [0].link = LINK_FINE;
    s_pass (LEASE + 4 * RETRY);
    ck_assert_int_eq (s_running (0), 2);
    ck_assert_int_eq (s_executed [7] + s_executed [8], 2);
}
END_TEST

//  A claim that could not be given back
START_TEST (a_release_that_fails_holds_nothing_up)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    s_store_request (0, 7);
    ck_assert_int_eq (s_running (0), 1);
    s_servers [0].link = LINK_DOWN;
    s_servers [0].silent = true;
    s_pass (HEARTBEAT * (LIVENESS + 1));
    s_servers [0].link = LINK_FINE;
    s_servers [1].serves = true;
    s_pass (LEASE + 2 * RETRY);
    ck_assert_int_eq (s_running (1), 1);
}
END_TEST

//  A server that cannot renew its lease cannot know whether its claims hold
START_TEST (nothing_is_sent_without_a_lease)
{
    s_pass (HEARTBEAT);
    s_servers [0].link = LINK_READS;
    s_pass (LEASE);
    ticket_t id = s_store_request (1, 7);
    s_servers [1].serves = false;
    s_pass (LEASE);
    ck_assert_int_eq (s_executed [7], 1);
    s_kill (1);
    s_pass (2 * LEASE);
    ck_assert_int_eq (s_executed [7], 1);
    s_servers [0].link = LINK_FINE;
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_executed [7], 2);
    s_finish_all ("done");
    ck_assert_str_eq (s_fetch (0, id), "200 done");
}
END_TEST

//  Clocks of two machines differ: a request may come with an id that is before
//  all that was read
START_TEST (an_early_id_of_another_server_is_found)
{
    s_pass (HEARTBEAT);
    s_servers [1].serves = false;
    s_store_request (0, 7);
    s_finish_all ("done");
    s_store_request (0, 8);
    store_query_t query = { .type = STORE_PUT, .id = { { 1 } },
        .service = frame_new ("echo", 4), .body = s_body ("9", NULL) };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (s_store, queries, 1, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
    store_query_clear (&query);
    s_pass (2 * RETRY);
    ck_assert_int_eq (s_executed [9], 1);
    ck_assert_int_eq (s_running (0), 2);
}
END_TEST

//  --------------------------------------------------------------------------
//  Anything may happen, and then all is well again: what was acknowledged has a
//  reply, and what was closed is not executed after that

#define REQUESTS 30

typedef struct {
    bool stored, closed;
    int executed;               //  How often, when it was closed
    ticket_t id;
} promise_t;

static void
s_promise (promise_t *promise, int name, int number)
{
    char body [16];
    snprintf (body, sizeof body, "%d", number);
    const char *reply = s_ask (name, 0, "echo", body);
    promise->stored = strncmp (reply, "200 ", 4) == 0;
    if (promise->stored)
        strcpy (promise->id.text, reply + 4);
}

static void
s_trouble (server_t *server, int name)
{
    switch (s_random (7)) {
        case 0:
            server->link = (link_t) s_random (LINK_LOSSY + 1);
            break;
        case 1:
            server->link = LINK_FINE;
            break;
        case 2:
            server->serves = !server->serves;
            break;
        case 3:
            server->silent = !server->silent;
            break;
        case 4:
            server->paused = !server->paused;
            break;
        case 5: {
            //  Another life of this server, under another id
            static unsigned lives;
            bool clean = s_random (2) == 0;
            if (clean) {
                s_step (server, (event_t) { .type = EVENT_STOP });
                s_carry_out (server);
            }
            s_kill (name);
            s_start (name, ++lives);
            break;
        }
        default:
            s_finish_all ("done");
    }
}

static void
s_live (promise_t promises [REQUESTS])
{
    int stored = 0;
    for (int step = 0; step < 150; step++) {
        int name = (int) s_random (SERVERS);
        server_t *server = &s_servers [name];
        bool able = server->channels [0] && server->channels [2]
            && !server->paused;
        if (s_random (3) == 0)
            s_trouble (server, name);
        else
        if (s_random (2) && able && stored < REQUESTS) {
            s_promise (&promises [stored], name, stored);
            stored++;
        }
        else
        if (s_random (4) == 0 && able && stored) {
            int number = (int) s_random ((uint32_t) stored);
            promise_t *promise = &promises [number];
            if (!promise->stored || promise->closed)
                continue;
            //  With any other answer nobody knows
            promise->stored = promise->closed = strcmp (s_ask (name, 2,
                promise->id.text, NULL), "200") == 0;
            promise->executed = s_executed [number];
        }
        s_pass (HEARTBEAT * (int64_t) s_random (6));
    }
}

static void
s_heal (void)
{
    for (int name = 0; name < SERVERS; name++) {
        s_servers [name].link = LINK_FINE;
        s_servers [name].serves = true;
        s_servers [name].silent = s_servers [name].paused = false;
    }
    //  What a silent broker had swallowed is asked again after the timeout
    for (int64_t ms = 0; ms < 3 * TIMEOUT; ms += LEASE / 2) {
        s_pass (LEASE / 2);
        s_finish_all ("done");
    }
}

START_TEST (whatever_happens)
{
    for (int seed = 0; seed < 20; seed++) {
        promise_t promises [REQUESTS] = { { 0 } };
        s_random_state = (uint32_t) (_i * 20 + seed);
        s_set_up ();
        s_pass (HEARTBEAT);
        s_live (promises);
        s_heal ();
        for (int number = 0; number < REQUESTS; number++) {
            promise_t *promise = &promises [number];
            if (!promise->stored)
                continue;
            const char *reply = s_fetch (number % SERVERS, promise->id);
            ck_assert_msg (strcmp (reply, promise->closed? "400": "200 done")
                == 0, "seed %d: request %d gets %s", _i * 20 + seed, number,
                reply);
            ck_assert_msg (!promise->closed
                || s_executed [number] == promise->executed,
                "seed %d: request %d is executed after its close",
                _i * 20 + seed, number);
        }
        s_tear_down ();
    }
}
END_TEST

Suite *
sharing_suite (void)
{
    Suite *suite = suite_create ("sharing");
    TCase *traces = tcase_create ("traces");
    tcase_add_checked_fixture (traces, s_set_up, s_tear_down);
    tcase_add_test (traces, each_request_is_executed_once);
    tcase_add_test (traces, attempts_of_all_servers_count);
    tcase_add_test (traces, a_lost_broker_is_no_attempt);
    tcase_add_test (traces, what_a_dead_server_executed_is_taken_over);
    tcase_add_test (traces, a_server_that_stops_leaves_nothing_claimed);
    tcase_add_test (traces, who_has_the_service_executes);
    tcase_add_test (traces, what_cannot_be_sent_is_given_back);
    tcase_add_test (traces, a_server_without_broker_gives_back);
    tcase_add_test (traces, the_first_reply_stays);
    tcase_add_test (traces, no_more_is_claimed_than_is_sent);
    tcase_add_test (traces, what_was_closed_elsewhere_stays_closed);
    tcase_add_test (traces, a_lost_answer_holds_nothing_up);
    tcase_add_test (traces, a_release_that_fails_holds_nothing_up);
    tcase_add_test (traces, nothing_is_sent_without_a_lease);
    tcase_add_test (traces, an_early_id_of_another_server_is_found);
    suite_add_tcase (suite, traces);
    TCase *chaos = tcase_create ("chaos");
    tcase_add_loop_test (chaos, whatever_happens, 0, 5);
    suite_add_tcase (suite, chaos);
    return suite;
}
