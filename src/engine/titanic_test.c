/*  =========================================================================
    titanic_test - the Titanic server on a virtual clock, with a broker and a store by hand

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
#include "titanic_trace.h"

Suite *
titanic_suite (void);

//  --------------------------------------------------------------------------
//  Traces

START_TEST (ok_waits_for_the_commit)
{
    channel_t channels [3];
    server_register (channels);
    server_store_waits = true;
    server_ask (channels [0], "echo", "x");
    server_expect_nothing (0);
    server_serve_store ();
    channel_t channel;
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "200");
}
END_TEST

START_TEST (what_cannot_be_stored_gets_500)
{
    channel_t channels [3];
    server_register (channels);
    server_store_fails = true;
    server_ask (channels [0], "echo", "x");
    channel_t channel;
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "500");
    server_expect_nothing (3);
}
END_TEST

//  How many warnings there are; forgets all but messages
static int
s_warnings (void)
{
    int count = 0;
    for (size_t nbr = 0; nbr < update_size (server_update); nbr++) {
        const effect_t *effect = update_effect (server_update, nbr);
        if (effect->type != EFFECT_NOTICE)
            continue;
        count += effect->level == NOTICE_WARNING;
        update_remove (server_update, nbr--);
    }
    return count;
}

START_TEST (a_request_above_a_limit_gets_500)
{
    channel_t channels [3];
    channel_t channel;
    server_register (channels);
    char large [1001];
    memset (large, 'a', sizeof large - 1);
    large [sizeof large - 1] = 0;
    for (int count = 0; count < 3; count++) {
        server_ask (channels [0], "echo", large);
        ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "500");
    }
    ck_assert_int_eq (s_warnings (), 1);
    large [1000 - strlen ("echo")] = 0;
    server_ask (channels [0], "echo", large);
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "200");
    //  Others are not concerned, and so many frames are too many
    frame_t *client = frame_new ("client", 6);
    message_t *body = server_body ("echo", "1");
    for (int count = 0; count < 4; count++)
        message_add_string (body, "x");
    server_receive (channels [0], mdp_worker_request (MDP_0_1, NULL, client, body,
                                                 0));
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "500");
    titanic_config_t config = { .max_frames = 6 };
    titanic_set_limits (server, &config);
    server_receive (channels [0], mdp_worker_request (MDP_0_1, NULL, client, body,
                                                 0));
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "200");
    message_destroy (&body);
    frame_destroy (&client);
}
END_TEST

START_TEST (questions_get_their_statuses)
{
    channel_t channels [3];
    server_register (channels);
    ck_assert_str_eq (server_status (channels, 0, "service and no body"), "400");
    ck_assert_str_eq (server_status (channels, 1, "no id"), "400");
    ck_assert_str_eq (server_status (channels, 1,
                      "0123456789abcdef0123456789abcdef"), "400");
    ck_assert_str_eq (server_status (channels, 2,
                      "0123456789abcdef0123456789abcdef"), "200");
    ck_assert_str_eq (server_status (channels, 2, "../name"), "200");
    const char *id = server_store_request (channels, "echo", "x");
    ck_assert_str_eq (server_status (channels, 1, id), "300");
    ck_assert_str_eq (server_status (channels, 2, id), "200");
    ck_assert_str_eq (server_status (channels, 1, id), "400");
}
END_TEST

//  Ask, find the service, send, keep the reply
START_TEST (a_request_is_executed)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t channel;
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "echo");
    server_answer (channel, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "x");
    ck_assert_str_eq (server_status (channels, 1, id), "300");
    server_answer (channel, "echo", "y");
    ck_assert_str_eq (server_status (channels, 1, id), "200");
    server_expect_nothing (3);
}
END_TEST

//  What was kept for long enough goes as if it had been closed: what is being
//  executed, too
START_TEST (what_is_old_is_dropped)
{
    channel_t channels [3];
    server_register (channels);
    char waiting [TSP_ID_DIGITS + 1];
    strcpy (waiting, server_store_request (channels, "echo", "x"));
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "x");
    server_pass (channels, TIDY);
    ck_assert_str_eq (server_status (channels, 1, waiting), "300");
    //  The store counts in seconds: this is none
    titanic_config_t config = { .keep_requests_ms = 1 };
    titanic_set_limits (server, &config);
    server_pass (channels, TIDY);
    ck_assert_str_eq (server_status (channels, 1, waiting), "400");
    server_answer (channel, "echo", "late");
    ck_assert_str_eq (server_status (channels, 1, waiting), "400");
}
END_TEST

START_TEST (an_absent_service_is_looked_for_again)
{
    channel_t channels [3];
    server_register (channels);
    server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "404");
    server_pass (channels, RETRY - HEARTBEAT);
    server_expect_nothing (3);
    server_pass (channels, HEARTBEAT);
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "echo");
    //  A broker without MMI: requests are simply sent
    server_answer (channel, "mmi.service", "501");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "x");
}
END_TEST

//  To take a broker that is slow for one without MMI means to send it a request for a
//  service that may be at another broker, and to wait for the reply
START_TEST (a_broker_that_is_slow_to_say_who_is_there_is_given_time)
{
    channel_t channels [3];
    server_register (channels);
    server_store_request (channels, "echo", "x");
    channel_t channel;
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "echo");
    server_pass (channels, (LIVENESS - 1) * HEARTBEAT);
    server_expect_nothing (3);
    server_answer (channel, "mmi.service", "404");
    server_pass (channels, RETRY);
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "echo");
    //  Now it says nothing at all: the request is simply sent
    server_pass (channels, (LIVENESS + 1) * HEARTBEAT);
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "x");
    //  And nobody waits so long again
    server_store_request (channels, "other", "y");
    ck_assert_str_eq (server_expect (4, MDP_CLIENT_REQUEST, &channel), "other");
    server_pass (channels, RETRY);
    ck_assert_str_eq (server_expect (4, MDP_CLIENT_REQUEST, &channel), "y");
}
END_TEST

START_TEST (a_silent_service_is_asked_again_on_a_fresh_channel)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t first, second;
    server_expect (3, MDP_CLIENT_REQUEST, &first);
    server_answer (first, "mmi.service", "501");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &first), "x");
    server_pass (channels, TIMEOUT + HEARTBEAT);
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &second), "echo");
    ck_assert_uint_ne (first, second);
    //  What comes late on the old channel is nobody's
    server_answer (first, "echo", "late");
    ck_assert_str_eq (server_status (channels, 1, id), "300");
    server_answer (second, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &second), "x");
    server_answer (second, "echo", "y");
    ck_assert_str_eq (server_status (channels, 1, id), "200");
}
END_TEST

//  A server that gives up after so many attempts, on the store as it is
static void
s_start_with_attempts (channel_t channels [3], unsigned most)
{
    titanic_destroy (&server);
    update_clear (server_update);
    titanic_config_t config = { MDP_0_1, HEARTBEAT, LIVENESS, TIMEOUT, RETRY,
        1, 1, 1, 4, 2, .max_attempts = most };
    server = titanic_new (&config);
    server_register (channels);
}

//  The next execution is sent, and has no reply
static void
s_fail_attempt (channel_t channels [3], const char *body)
{
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), body);
    server_pass (channels, TIMEOUT + HEARTBEAT);
}

//  Whether the log has this line about this subject
static bool
s_has_notice (const char *text, const char *subject)
{
    for (size_t nbr = 0; nbr < update_size (server_update); nbr++) {
        effect_t *effect = update_effect (server_update, nbr);
        if (effect->type == EFFECT_NOTICE && strstr (effect->text, text)
        &&  frame_is (effect->subject, subject, strlen (subject)))
            return effect->level == NOTICE_WARNING;
    }
    return false;
}

START_TEST (what_fails_each_time_is_set_aside)
{
    channel_t channels [3], channel;
    s_start_with_attempts (channels, 3);
    char id [TSP_ID_DIGITS + 1];
    strcpy (id, server_store_request (channels, "echo", "poison"));
    s_fail_attempt (channels, "poison");
    s_fail_attempt (channels, "poison");
    ck_assert_str_eq (server_status (channels, 1, id), "300");
    //  Counted over a restart, and what the store does not take is tried again
    s_start_with_attempts (channels, 3);
    server_store_fails = _i;
    s_fail_attempt (channels, "poison");
    if (_i) {
        server_store_fails = false;
        server_pass (channels, 2 * RETRY);
        s_fail_attempt (channels, "poison");
    }
    ck_assert (s_has_notice ("set aside", id));
    ck_assert_str_eq (server_status (channels, 1, id), "500");
    server_pass (channels, 5 * RETRY);
    server_expect_nothing (3);
    //  It is in nobody's way, and can be closed
    server_store_request (channels, "echo", "harmless");
    s_fail_attempt (channels, "harmless");
    ck_assert_str_eq (server_status (channels, 2, id), "200");
    ck_assert_str_eq (server_status (channels, 1, id), "400");
    s_start_with_attempts (channels, 3);
    s_fail_attempt (channels, "harmless");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
}
END_TEST

START_TEST (what_is_closed_while_it_waits_is_not_sent)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    ck_assert_str_eq (server_status (channels, 2, id), "200");
    server_answer (channel, "mmi.service", "200");
    server_pass (channels, TIMEOUT);
    server_expect_nothing (3);
}
END_TEST

START_TEST (what_is_closed_while_it_runs_does_not_come_back)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    ck_assert_str_eq (server_status (channels, 2, id), "200");
    server_answer (channel, "echo", "late");
    ck_assert_str_eq (server_status (channels, 1, id), "400");
}
END_TEST

START_TEST (a_reply_without_space_is_kept)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_store_fails = true;
    server_answer (channel, "echo", "y");
    server_pass (channels, 3 * RETRY);
    ck_assert_str_eq (server_status (channels, 1, id), "300");
    server_store_fails = false;
    server_pass (channels, RETRY);
    ck_assert_str_eq (server_status (channels, 1, id), "200");
}
END_TEST

START_TEST (a_reply_without_space_goes_with_its_request)
{
    channel_t channels [3];
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_store_fails = true;
    server_answer (channel, "echo", "y");
    server_store_fails = false;
    //  Closed before the reply is tried again
    ck_assert_str_eq (server_status (channels, 2, id), "200");
    server_pass (channels, 2 * RETRY);
    ck_assert_str_eq (server_status (channels, 1, id), "400");
    //  Its place is free: the channel owes nothing and is used again
    server_store_request (channels, "echo", "z");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "z");
}
END_TEST

START_TEST (no_more_than_so_many_at_a_time_for_a_service)
{
    channel_t channels [3];
    server_register (channels);
    for (int nbr = 0; nbr < 5; nbr++)
        server_store_request (channels, "echo", "x");
    channel_t channel, second;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_expect (4, MDP_CLIENT_REQUEST, &second);
    server_expect_nothing (5);
    server_answer (second, "echo", "y");
    server_expect (4, MDP_CLIENT_REQUEST, &second);
    server_expect_nothing (5);
}
END_TEST

START_TEST (requests_go_in_the_order_of_arrival)
{
    static const char *bodies [] = { "1", "2", "3", "4", "5", "6", "7" };
    channel_t channels [3];
    server_register (channels);
    for (int nbr = 0; nbr < 7; nbr++)
        server_store_request (channels, "echo", bodies [nbr]);
    channel_t channel, other;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "1");
    ck_assert_str_eq (server_expect (4, MDP_CLIENT_REQUEST, &other), "2");
    for (int nbr = 2; nbr < 7; nbr++) {
        server_answer (channel, "echo", "y");
        ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel),
                          bodies [nbr]);
    }
}
END_TEST

START_TEST (heartbeats_go_out_when_nothing_else_does)
{
    channel_t channels [3];
    server_register (channels);
    server_tick (HEARTBEAT - 1);
    server_expect_nothing (0);
    server_tick (1);
    channel_t channel;
    server_expect (0, MDP_WORKER_HEARTBEAT, &channel);
    ck_assert_uint_eq (channel, channels [0]);
    ck_assert_int_le (update_deadline (server_update), server_now_ms + HEARTBEAT);
}
END_TEST

START_TEST (a_lost_broker_is_found_again)
{
    channel_t channels [3];
    server_register (channels);
    server_store_request (channels, "echo", "x");
    channel_t channel, fresh;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    //  Silence: the sockets are closed, and opened again an interval later
    for (int nbr = 0; nbr < 2 * LIVENESS + 2; nbr++)
        server_tick (HEARTBEAT / 2);
    message_t *message;
    while ((message = server_sent (0, &fresh)))
        message_destroy (&message);
    server_tick (HEARTBEAT);
    for (channel_t slot = 0; slot < 3; slot++) {
        channel_t before = channels [slot];
        while ((message = server_sent (slot, &fresh)))
            message_destroy (&message);
        ck_assert_uint_ne (fresh, before);
        channels [slot] = fresh;
    }
    server_expect_nothing (3);
    //  The broker is heard of: what was in flight is sent again
    server_pass (channels, HEARTBEAT);
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &fresh), "echo");
    ck_assert_uint_ne (fresh, channel);
    server_answer (fresh, "mmi.service", "200");
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &fresh), "x");
}
END_TEST

//  Half intervals until the first socket is closed on which nothing ever came, from when
//  it was opened: silence, and an interval in which nothing is open
static int
s_count_silence (channel_t *channel)
{
    message_t *message;
    int count = 0;
    do {
        while ((message = server_sent (0, channel)))
            message_destroy (&message);
        channel_t before = *channel;
        server_tick (HEARTBEAT / 2);
        count++;
        message = server_sent (0, channel);
        message_destroy (&message);
        if (*channel != before)
            return count - 2;
    } while (count < 100 * LIVENESS);
    return count;
}

//  A machine that is too busy to greet all its workers in time would never get to it if
//  they came anew again and again
START_TEST (a_broker_that_was_never_heard_gets_more_and_more_time)
{
    channel_t channels [3];
    server_register (channels);
    channel_t channel = channels [0];
    for (int tries = 0; tries < 2; tries++) {
        //  Once it is heard, the usual time
        server_receive (channel, mdp_worker_heartbeat (MDP_0_1, NULL));
        s_count_silence (&channel);
        for (int factor = 1; factor <= 8; factor *= 2)
            ck_assert_int_eq (s_count_silence (&channel), 2 * LIVENESS * factor);
        ck_assert_int_eq (s_count_silence (&channel), 2 * LIVENESS * 8);
    }
}
END_TEST

//  A disk that is slow holds the server up, the broker takes its workers to be gone,
//  and the reply to what was in flight comes meanwhile
static const char *
s_stall (channel_t channels [3], channel_t *execution)
{
    server_register (channels);
    const char *id = server_store_request (channels, "echo", "x");
    server_expect (3, MDP_CLIENT_REQUEST, execution);
    server_answer (*execution, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, execution);
    //  One commit after the other, none of them for too long
    server_store_waits = true;
    for (int count = 0; count < 2 * LIVENESS; count++) {
        server_ask (channels [0], "later", "x");
        server_now_ms += HEARTBEAT / 2;
        server_serve_store ();
    }
    server_store_waits = false;
    return id;
}

//  The broker's DISCONNECT on all channels; those that are opened for them
static void
s_dismiss (channel_t channels [3])
{
    for (channel_t slot = 0; slot < 3; slot++) {
        server_receive (channels [slot], mdp_worker_disconnect (MDP_0_1, NULL));
        message_t *message;
        while ((message = server_sent (slot, &channels [slot])))
            message_destroy (&message);
    }
}

START_TEST (a_broker_that_dismisses_who_was_silent_has_lost_nothing)
{
    channel_t channels [3], execution;
    const char *id = s_stall (channels, &execution);
    s_dismiss (channels);
    server_answer (execution, "echo", "y");
    ck_assert_str_eq (server_status (channels, 1, id), "200");
}
END_TEST

START_TEST (a_broker_that_dismisses_who_was_silent_long_ago_is_another_one)
{
    channel_t channels [3], execution;
    const char *id = s_stall (channels, &execution);
    server_pass (channels, (LIVENESS + 1) * HEARTBEAT);
    s_dismiss (channels);
    server_answer (execution, "echo", "y");
    ck_assert_str_eq (server_status (channels, 1, id), "300");
}
END_TEST

START_TEST (a_disconnect_is_met_with_a_fresh_ready)
{
    channel_t channels [3];
    server_register (channels);
    server_pass (channels, 2 * HEARTBEAT);
    message_t *message;
    channel_t channel;
    while ((message = server_sent (1, &channel)))
        message_destroy (&message);
    server_receive (channels [1], mdp_worker_disconnect (MDP_0_1, NULL));
    server_expect (1, MDP_WORKER_READY, &channel);
    ck_assert_uint_ne (channel, channels [1]);
    //  What comes on the old channel is not answered
    server_ask (channels [1], "0123456789abcdef0123456789abcdef", NULL);
    server_expect_nothing (1);
}
END_TEST

START_TEST (junk_from_the_broker_does_no_harm)
{
    channel_t channels [3];
    server_register (channels);
    server_receive (channels [0], server_body (NULL, NULL));
    server_receive (channels [0], server_body ("", "MDPW01"));
    server_receive (channels [1], server_body ("junk", "junk"));
    server_receive (9999 * SLOTS + 3, server_body ("junk", NULL));
    server_receive (4000, server_body ("junk", NULL));
    server_store_waits = true;
    server_ask (channels [0], "echo", "x");
    server_ask (channels [0], "echo", "a second request at once");
    server_store_waits = false;
    server_serve_store ();
    channel_t channel;
    ck_assert_str_eq (server_expect (0, MDP_WORKER_REPLY, &channel), "200");
    server_expect_nothing (0);
}
END_TEST

START_TEST (a_restart_picks_up_what_is_stored)
{
    channel_t channels [3];
    server_register (channels);
    server_store_request (channels, "one", "1");
    server_store_request (channels, "two", "2");
    titanic_config_t config = { MDP_0_1, HEARTBEAT, LIVENESS, TIMEOUT,
                                RETRY, 1, 1, 1, 4, 2, 0, { { 0 } }, 1000, 5, 0, 0,
                                0 };
    titanic_destroy (&server);
    update_clear (server_update);
    server = titanic_new (&config);
    server_tick (0);
    channel_t channel;
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "one");
    ck_assert_str_eq (server_expect (4, MDP_CLIENT_REQUEST, &channel), "two");
}
END_TEST

//  --------------------------------------------------------------------------
//  Services by the hundred, and slow ones

//  Put a request straight into the store, as an earlier server has left it
static void
s_leave (uint64_t number, const char *service, const char *body)
{
    store_query_t query = { .type = STORE_PUT, .body = server_body (body, NULL),
        .service = frame_new (service, strlen (service)) };
    for (int byte = 0; byte < 8; byte++)
        query.id.bytes [byte] = (unsigned char) (number >> (56 - byte * 8));
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (server_store, queries, 1, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
    store_answer_clear (&answer);
    store_query_clear (&query);
}

//  Answer what executions have sent: there is this service, and no other. How
//  many requests it got.
static size_t
s_serve (const char *service)
{
    size_t served = 0;
    for (size_t nbr = 0; nbr < update_size (server_update);) {
        effect_t *effect = update_effect (server_update, nbr);
        channel_t channel = effect->channel;
        if (effect->type != EFFECT_SEND || channel % SLOTS < 3) {
            nbr++;
            continue;
        }
        message_t *message = effect->message;
        effect->message = NULL;
        update_remove (server_update, nbr);
        mdp_command_t command;
        ck_assert_int_eq (mdp_decode (message, 0, MDP_AT_BROKER, &command),
                          MDP_OK);
        const frame_t *body = message_frame (message, command.body);
        size_t size = strlen (service);
        if (frame_is (command.service, service, size)) {
            served++;
            server_answer (channel, service, "y");
        }
        else {
            ck_assert (frame_is (command.service, "mmi.service", 11));
            server_answer (channel, "mmi.service",
                      frame_is (body, service, size)? "200": "404");
        }
        message_destroy (&message);
    }
    return served;
}

//  The same for so long, or until so many requests were served
static size_t
s_serve_for (channel_t channels [3], const char *service, size_t count,
             int64_t ms)
{
    size_t served = s_serve (service);
    for (; ms > 0 && served < count; ms -= HEARTBEAT / 2) {
        server_pass (channels, HEARTBEAT / 2);
        served += s_serve (service);
    }
    return served;
}

//  More services than are looked after at a time, before it in their order
#define ABSENT 1150

static void
s_leave_absent (void)
{
    for (int nbr = 0; nbr < ABSENT; nbr++) {
        char name [16];
        snprintf (name, sizeof name, "absent-%04d", nbr);
        s_leave ((uint64_t) nbr + 1, name, "x");
    }
}

START_TEST (many_absent_services_do_not_hide_one_that_is_there)
{
    s_leave_absent ();
    s_leave (ABSENT + 1, "there", "x");
    channel_t channels [3];
    server_register (channels);
    ck_assert_uint_eq (s_serve_for (channels, "there", 1, 10 * RETRY), 1);
}
END_TEST

START_TEST (many_absent_services_do_not_slow_one_that_is_there)
{
    s_leave_absent ();
    for (int nbr = 0; nbr < 100; nbr++)
        s_leave ((uint64_t) ABSENT + 1 + (uint64_t) nbr, "there", "x");
    channel_t channels [3];
    server_register (channels);
    ck_assert_uint_eq (s_serve_for (channels, "there", 100, 10 * RETRY), 100);
}
END_TEST

//  One worker that takes its time, and the requests that wait for it at the
//  broker, those that nobody waits for any more among them
typedef struct {
    channel_t queue [64];       //  Whose requests, the oldest first
    size_t count;               //  How many
    int64_t done_ms;            //  When the oldest is done
    size_t executed;            //  Requests done, for nothing too
} slow_t;

static void
s_serve_slowly (slow_t *slow, int64_t work_ms)
{
    static const char name [] = "slow";
    for (size_t nbr = 0; nbr < update_size (server_update);) {
        effect_t *effect = update_effect (server_update, nbr);
        channel_t channel = effect->channel;
        if (effect->type != EFFECT_SEND || channel % SLOTS < 3) {
            nbr++;
            continue;
        }
        message_t *message = effect->message;
        effect->message = NULL;
        update_remove (server_update, nbr);
        mdp_command_t command;
        mdp_decode (message, 0, MDP_AT_BROKER, &command);
        if (frame_is (command.service, name, 4)) {
            if (slow->count == 0)
                slow->done_ms = server_now_ms + work_ms;
            ck_assert_uint_lt (slow->count, 64);
            slow->queue [slow->count++] = channel;
        }
        else
            server_answer (channel, "mmi.service", "200");
        message_destroy (&message);
    }
    if (slow->count && server_now_ms >= slow->done_ms) {
        channel_t channel = slow->queue [0];
        memmove (slow->queue, slow->queue + 1,
                 --slow->count * sizeof (channel_t));
        slow->done_ms = server_now_ms + work_ms;
        slow->executed++;
        server_answer (channel, name, "y");
    }
}

//  Two at a time, and the second would be late each time: without restraint each
//  reply comes when it is no longer waited for
START_TEST (a_slow_service_gets_its_work_done)
{
    static const char after [] = "";
    for (uint64_t nbr = 1; nbr <= 10; nbr++)
        s_leave (nbr, "slow", "x");
    channel_t channels [3];
    server_register (channels);
    slow_t slow = { .count = 0 };
    for (int64_t ms = 0; ms < 25 * TIMEOUT; ms += HEARTBEAT / 2) {
        s_serve_slowly (&slow, TIMEOUT * 7 / 10);
        server_pass (channels, HEARTBEAT / 2);
    }
    store_query_t query = { .type = STORE_SERVICES, .limit = 1,
                            .service = frame_new (after, 0) };
    store_answer_t answer;
    store_read (server_store, &query, &answer);
    ck_assert_uint_eq (answer.record_count, 0);
    //  And it does not do everything twice
    ck_assert_uint_lt (slow.executed, 20);
    store_answer_clear (&answer);
    store_query_clear (&query);
}
END_TEST

//  The clock went back over a restart: a request that comes while the store is
//  read may stand before all that is read
START_TEST (a_clock_that_went_back_hides_no_request)
{
    s_leave (UINT64_MAX - 2, "echo", "1");
    s_leave (UINT64_MAX - 1, "echo", "2");
    s_leave (UINT64_MAX, "echo", "3");
    channel_t channels [3];
    server_register (channels);
    channel_t first;
    server_expect (3, MDP_CLIENT_REQUEST, &first);
    //  Both go out, and the store is to be read on from the second
    server_store_waits = true;
    server_ask (channels [0], "echo", "x");
    server_answer (first, "mmi.service", "200");
    server_store_waits = false;
    server_serve_store ();
    ck_assert_uint_eq (s_serve_for (channels, "echo", 4, 10 * RETRY), 4);
}
END_TEST

//  A broker that ends dismisses one worker after the other. What another one
//  still got from it before is no sign that it is back.
START_TEST (the_last_words_of_a_broker_are_no_sign_of_life)
{
    channel_t channels [3];
    server_register (channels);
    server_pass (channels, 2 * HEARTBEAT);
    server_store_request (channels, "echo", "x");
    channel_t channel;
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_answer (channel, "mmi.service", "200");
    server_expect (3, MDP_CLIENT_REQUEST, &channel);
    server_receive (channels [0], mdp_worker_disconnect (MDP_0_1, NULL));
    server_receive (channels [1], mdp_worker_heartbeat (MDP_0_1, NULL));
    server_receive (channels [1], mdp_worker_disconnect (MDP_0_1, NULL));
    server_receive (channels [2], mdp_worker_disconnect (MDP_0_1, NULL));
    server_expect_nothing (3);
    //  A worker that has registered again hears of the next one
    message_t *message;
    while ((message = server_sent (1, &channels [1])))
        message_destroy (&message);
    server_receive (channels [1], mdp_worker_heartbeat (MDP_0_1, NULL));
    ck_assert_str_eq (server_expect (3, MDP_CLIENT_REQUEST, &channel), "x");
}
END_TEST

START_TEST (at_the_end_it_says_good_bye)
{
    channel_t channels [3];
    server_register (channels);
    server_step ((event_t) { .type = EVENT_STOP });
    channel_t channel;
    for (channel_t slot = 0; slot < 3; slot++)
        server_expect (slot, MDP_WORKER_DISCONNECT, &channel);
}
END_TEST

Suite *
titanic_suite (void)
{
    Suite *suite = suite_create ("titanic");
    TCase *tcase = tcase_create ("titanic");
    tcase_add_checked_fixture (tcase, server_set_up, server_tear_down);
    tcase_add_test (tcase, ok_waits_for_the_commit);
    tcase_add_test (tcase, what_cannot_be_stored_gets_500);
    tcase_add_test (tcase, a_request_above_a_limit_gets_500);
    tcase_add_test (tcase, questions_get_their_statuses);
    tcase_add_test (tcase, a_request_is_executed);
    tcase_add_test (tcase, what_is_old_is_dropped);
    tcase_add_test (tcase, an_absent_service_is_looked_for_again);
    tcase_add_test (tcase,
                    a_broker_that_is_slow_to_say_who_is_there_is_given_time);
    tcase_add_test (tcase,
                    a_silent_service_is_asked_again_on_a_fresh_channel);
    tcase_add_loop_test (tcase, what_fails_each_time_is_set_aside, 0, 2);
    tcase_add_test (tcase, what_is_closed_while_it_waits_is_not_sent);
    tcase_add_test (tcase, what_is_closed_while_it_runs_does_not_come_back);
    tcase_add_test (tcase, a_reply_without_space_is_kept);
    tcase_add_test (tcase, a_reply_without_space_goes_with_its_request);
    tcase_add_test (tcase, no_more_than_so_many_at_a_time_for_a_service);
    tcase_add_test (tcase, requests_go_in_the_order_of_arrival);
    tcase_add_test (tcase, heartbeats_go_out_when_nothing_else_does);
    tcase_add_test (tcase, a_lost_broker_is_found_again);
    tcase_add_test (tcase, a_broker_that_was_never_heard_gets_more_and_more_time);
    tcase_add_test (tcase,
                    a_broker_that_dismisses_who_was_silent_has_lost_nothing);
    tcase_add_test (tcase,
                    a_broker_that_dismisses_who_was_silent_long_ago_is_another_one);
    tcase_add_test (tcase, a_disconnect_is_met_with_a_fresh_ready);
    tcase_add_test (tcase, junk_from_the_broker_does_no_harm);
    tcase_add_test (tcase, a_restart_picks_up_what_is_stored);
    tcase_add_test (tcase,
                    many_absent_services_do_not_hide_one_that_is_there);
    tcase_add_test (tcase,
                    many_absent_services_do_not_slow_one_that_is_there);
    tcase_add_test (tcase, a_slow_service_gets_its_work_done);
    tcase_add_test (tcase, a_clock_that_went_back_hides_no_request);
    tcase_add_test (tcase, the_last_words_of_a_broker_are_no_sign_of_life);
    tcase_add_test (tcase, at_the_end_it_says_good_bye);
    suite_add_tcase (suite, tcase);
    return suite;
}
