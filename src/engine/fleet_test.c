/*  =========================================================================
    fleet_test - one Titanic server at two brokers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "fleet.h"

Suite *
fleet_suite (void);

#define HEARTBEAT 100
#define RETRY 200

static fleet_t *s_fleet;
static update_t *s_update;
static store_t *s_store;
static int64_t s_now;

static void
s_set_up (void)
{
    titanic_config_t config = {
        .version = MDP_0_1, .heartbeat_ms = HEARTBEAT, .liveness = 3,
        .timeout_ms = 10000, .retry_ms = RETRY, .request_workers = 1,
        .reply_workers = 1, .close_workers = 1, .executions = 4,
        .service_executions = 2, .lease_ms = 1000, .server = { { 1, 2, 3 } }
    };
    store_result_t result;
    char error [64];
    s_fleet = fleet_new (&config, 2);
    s_update = update_new ();
    s_store = store_open ("memory:", &result, error, sizeof error);
    s_now = 1000;
}

static void
s_tear_down (void)
{
    fleet_destroy (&s_fleet);
    update_destroy (&s_update);
    store_close (&s_store);
}

static void
s_step (event_t event)
{
    event.now_ms = s_now;
    event.wall_ms = 1700000000000 + s_now;
    event.random [0] = (uint64_t) s_now;
    fleet_step (s_fleet, &event, s_update);
}

//  Give the store its queries and the engine the answers
static void
s_serve_store (void)
{
    for (size_t nbr = 0; nbr < update_size (s_update); nbr++) {
        effect_t *effect = update_effect (s_update, nbr);
        bool write = effect->type == EFFECT_WRITE;
        if (!write && effect->type != EFFECT_READ)
            continue;
        store_answer_t answer;
        const store_query_t *query = &effect->query;
        if (write)
            store_write (s_store, &query, 1, &answer);
        else
            store_read (s_store, query, &answer);
        ck_assert_int_eq (answer.result, STORE_OK);
        update_remove (s_update, nbr--);
        s_step ((event_t) { .type = write? EVENT_WRITTEN: EVENT_READ,
                            .answer = &answer });
        store_answer_clear (&answer);
    }
}

static void
s_tick (int64_t ms)
{
    s_now += ms;
    s_step ((event_t) { .type = EVENT_TICK });
    s_serve_store ();
}

static void
s_receive (channel_t channel, message_t *message)
{
    s_step ((event_t) { .type = EVENT_RECEIVED, .channel = channel,
                        .message = message });
    message_destroy (&message);
    s_serve_store ();
}

//  The next message for a broker with this command, and the first frame of its
//  body if one is meant; its channel. 0 if there is none.
static channel_t
s_find (size_t broker, mdp_type_t type, const char *first)
{
    for (size_t nbr = 0; nbr < update_size (s_update); nbr++) {
        effect_t *effect = update_effect (s_update, nbr);
        if (effect->type != EFFECT_SEND
        ||  CHANNEL_BROKER (effect->channel) != broker)
            continue;
        mdp_command_t command;
        ck_assert_int_eq (mdp_decode (effect->message, 0, MDP_AT_BROKER,
                                      &command), MDP_OK);
        const frame_t *frame = message_frame (effect->message, command.body);
        if (command.type != type
        || (first && !(frame && frame_is (frame, first, strlen (first)))))
            continue;
        channel_t channel = effect->channel;
        update_remove (s_update, nbr);
        return channel;
    }
    return 0;
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
s_reply (channel_t channel, const char *service, const char *text)
{
    frame_t *name = frame_new (service, strlen (service));
    message_t *body = s_body (text, NULL);
    message_t *message = mdp_client_reply (MDP_0_1, NULL, name, body, 0);
    frame_destroy (&name);
    message_destroy (&body);
    s_receive (channel, message);
}

//  Stored at one broker, executed at the other, which has the service
START_TEST (each_broker_has_a_server)
{
    channel_t requests [2];
    s_tick (0);
    for (size_t broker = 0; broker < 2; broker++) {
        requests [broker] = s_find (broker, MDP_WORKER_READY, NULL);
        ck_assert_uint_ne (requests [broker], 0);
        ck_assert_uint_eq (CHANNEL_BROKER (requests [broker]), broker);
    }
    ck_assert_uint_eq ((uint32_t) requests [0], (uint32_t) requests [1]);
    frame_t *client = frame_new ("client", 6);
    message_t *body = s_body ("echo", "x");
    s_receive (requests [0], mdp_worker_request (MDP_0_1, NULL, client, body,
                                                 0));
    frame_destroy (&client);
    message_destroy (&body);
    ck_assert_uint_eq (s_find (0, MDP_WORKER_REPLY, "200"), requests [0]);
    ck_assert_uint_eq (s_find (1, MDP_WORKER_REPLY, NULL), 0);

    channel_t probe = s_find (0, MDP_CLIENT_REQUEST, "echo");
    ck_assert_uint_ne (probe, 0);
    s_reply (probe, "mmi.service", "404");
    s_tick (RETRY);
    probe = s_find (1, MDP_CLIENT_REQUEST, "echo");
    ck_assert_uint_eq (CHANNEL_BROKER (probe), 1);
    s_reply (probe, "mmi.service", "200");
    channel_t execution = s_find (1, MDP_CLIENT_REQUEST, "x");
    ck_assert_uint_ne (execution, 0);
    ck_assert_uint_eq (s_find (0, MDP_CLIENT_REQUEST, "x"), 0);
    s_reply (execution, "echo", "y");

    //  The other one finds the service late, and has nothing to do
    s_reply (s_find (0, MDP_CLIENT_REQUEST, "echo"), "mmi.service", "200");
    s_tick (RETRY);
    ck_assert_uint_eq (s_find (0, MDP_CLIENT_REQUEST, "x"), 0);
    ck_assert_uint_eq (s_find (1, MDP_CLIENT_REQUEST, "x"), 0);
}
END_TEST

//  The next tick is the earliest that any of them wants
START_TEST (the_earliest_deadline_counts)
{
    s_tick (0);
    ck_assert_int_le (update_deadline (s_update), s_now + HEARTBEAT);
    channel_t first = s_find (0, MDP_WORKER_READY, NULL);
    s_now += HEARTBEAT / 2;
    s_receive (first, mdp_worker_heartbeat (MDP_0_1, NULL));
    ck_assert_int_le (update_deadline (s_update), s_now + HEARTBEAT / 2);
}
END_TEST

Suite *
fleet_suite (void)
{
    Suite *suite = suite_create ("fleet");
    TCase *traces = tcase_create ("traces");
    tcase_add_checked_fixture (traces, s_set_up, s_tear_down);
    tcase_add_test (traces, each_broker_has_a_server);
    tcase_add_test (traces, the_earliest_deadline_counts);
    suite_add_tcase (suite, traces);
    return suite;
}
