/*  =========================================================================
    broker_test - traces of the broker on a virtual clock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>

#include "broker_trace.h"

Suite *
broker_suite (void);

static void
s_expect_service (const char *name, const char *status)
{
    REQUEST ("asker", "mmi.service", name);
    GETS_REPLY ("asker", "mmi.service", status);
    trace_expect_nothing ();
}

//  -- Requests and replies

START_TEST (request_and_reply)
{
    READY ("w", "echo");
    trace_expect_nothing ();
    trace_receive ("c", "", "MDPC01", "echo", "one", "", "two", NULL);
    trace_expect ("w", "", "MDPW01", "\2", "c", "", "one", "", "two", NULL);
    trace_expect_nothing ();
    trace_receive ("w", "", "MDPW01", "\3", "c", "", "", "three", NULL);
    trace_expect ("c", "", "MDPC01", "echo", "", "three", NULL);
    trace_expect_nothing ();
}
END_TEST

START_TEST (bodies_are_not_copied)
{
    READY ("w", "echo");
    static const char *const frames [] = { "c", "", "MDPC01", "echo", "x" };
    message_t *message = message_new ();
    for (size_t index = 0; index < 5; index++)
        ck_assert_int_eq (message_add_string (message, frames [index]), 0);
    trace_step (EVENT_RECEIVED, message);
    const message_t *sent = trace_next ();
    ck_assert_ptr_eq (message_frame (sent, 6), message_frame (message, 4));
    message_destroy (&message);
    trace_expect_nothing ();
}
END_TEST

START_TEST (requests_wait_for_a_worker)
{
    REQUEST ("c", "echo", "one");
    REQUEST ("c", "echo", "two");
    REQUEST ("c", "other", "three");
    trace_expect_nothing ();
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "one");
    trace_expect_nothing ();
    REPLY ("w", "c", "1");
    GETS_REPLY ("c", "echo", "1");
    GETS_REQUEST ("w", "c", "two");
    trace_expect_nothing ();
}
END_TEST

START_TEST (least_recently_used_worker_first)
{
    READY ("a", "echo");
    READY ("b", "echo");
    READY ("c", "echo");
    REQUEST ("x", "echo", "1");
    GETS_REQUEST ("a", "x", "1");
    REQUEST ("x", "echo", "2");
    GETS_REQUEST ("b", "x", "2");
    REPLY ("b", "x", "2");
    GETS_REPLY ("x", "echo", "2");
    REPLY ("a", "x", "1");
    GETS_REPLY ("x", "echo", "1");
    REQUEST ("x", "echo", "3");
    GETS_REQUEST ("c", "x", "3");
    REQUEST ("x", "echo", "4");
    GETS_REQUEST ("b", "x", "4");
    REQUEST ("x", "echo", "5");
    GETS_REQUEST ("a", "x", "5");
    trace_expect_nothing ();
}
END_TEST

START_TEST (clients_take_turns)
{
    REQUEST ("greedy", "echo", "g1");
    REQUEST ("greedy", "echo", "g2");
    REQUEST ("greedy", "echo", "g3");
    REQUEST ("modest", "echo", "m1");
    REQUEST ("third", "echo", "t1");
    REQUEST ("modest", "echo", "m2");
    READY ("w", "echo");
    static const char *const order [] [2] = {
        { "greedy", "g1" }, { "modest", "m1" }, { "third", "t1" },
        { "greedy", "g2" }, { "modest", "m2" }, { "greedy", "g3" }
    };
    for (size_t index = 0; index < 6; index++) {
        const char *client = order [index] [0];
        GETS_REQUEST ("w", client, order [index] [1]);
        trace_expect_nothing ();
        REPLY ("w", client, "done");
        GETS_REPLY (client, "echo", "done");
    }
    trace_expect_nothing ();
}
END_TEST

START_TEST (services_do_not_mix)
{
    READY ("w", "echo");
    REQUEST ("c", "ech", "1");
    REQUEST ("c", "echoo", "2");
    REQUEST ("c", "Echo", "3");
    trace_expect_nothing ();
}
END_TEST

//  -- Workers that go away

START_TEST (request_of_a_lost_worker_goes_first_to_the_next)
{
    READY ("a", "echo");
    REQUEST ("c", "echo", "one");
    REQUEST ("d", "echo", "two");
    GETS_REQUEST ("a", "c", "one");
    DISCONNECT ("a");
    trace_expect_nothing ();
    READY ("b", "echo");
    GETS_REQUEST ("b", "c", "one");
    REPLY ("b", "c", "1");
    GETS_REPLY ("c", "echo", "1");
    GETS_REQUEST ("b", "d", "two");
    trace_expect_nothing ();
}
END_TEST

START_TEST (silent_worker_expires)
{
    READY ("a", "echo");
    READY ("b", "echo");
    REQUEST ("c", "echo", "one");
    GETS_REQUEST ("a", "c", "one");
    for (int interval = 1; interval < LIVENESS; interval++) {
        trace_pass (HB);
        HEARTBEAT ("b");
        GETS_HEARTBEAT ("b");   //  It got nothing else yet
        GETS_HEARTBEAT ("a");
        trace_expect_nothing ();
    }
    trace_pass (HB);
    //  The request stands for b's heartbeat
    GETS_REQUEST ("b", "c", "one");
    trace_expect_nothing ();

    //  A late reply never reaches the client, and the worker is told
    REPLY ("a", "c", "late");
    GETS_DISCONNECT ("a");
    trace_expect_nothing ();
    REPLY ("b", "c", "good");
    GETS_REPLY ("c", "echo", "good");
    trace_expect_nothing ();
}
END_TEST

START_TEST (all_silent_workers_expire_behind_a_live_one)
{
    READY ("a", "echo");
    READY ("live", "echo");
    READY ("b", "echo");
    READY ("d", "other");
    trace_live ("live", LIVENESS);
    s_expect_service ("other", "404");
    REQUEST ("c", "echo", "1");
    GETS_REQUEST ("live", "c", "1");
    REQUEST ("c", "echo", "2");
    trace_expect_nothing ();
}
END_TEST

START_TEST (no_request_goes_to_a_worker_that_expires_too)
{
    READY ("a", "echo");
    READY ("b", "echo");
    REQUEST ("c", "echo", "one");
    GETS_REQUEST ("a", "c", "one");
    trace_now_ms += HB * LIVENESS;  //  With input in plenty, and no tick
    trace_step (EVENT_TICK, NULL);
    trace_expect_nothing ();
    READY ("d", "echo");
    GETS_REQUEST ("d", "c", "one");
    trace_expect_nothing ();
}
END_TEST

START_TEST (nothing_expires_without_a_tick)
{
    READY ("a", "echo");
    trace_now_ms += HB * LIVENESS * 10;
    HEARTBEAT ("a");
    trace_step (EVENT_TICK, NULL);
    GETS_HEARTBEAT ("a");
    trace_expect_nothing ();
    s_expect_service ("echo", "200");
}
END_TEST

START_TEST (unreachable_worker_is_dropped)
{
    READY ("a", "echo");
    READY ("b", "echo");
    REQUEST ("c", "echo", "one");
    const message_t *sent = trace_next ();
    message_t *failed = message_slice (sent, 0);
    trace_expect_nothing ();
    trace_step (EVENT_UNREACHABLE, failed);
    GETS_REQUEST ("b", "c", "one");
    trace_expect_nothing ();
    message_destroy (&failed);

    //  A client that is gone changes nothing
    REPLY ("b", "c", "1");
    failed = message_slice (trace_next (), 0);
    trace_step (EVENT_UNREACHABLE, failed);
    message_destroy (&failed);
    trace_expect_nothing ();
    s_expect_service ("echo", "200");
}
END_TEST

START_TEST (nothing_more_after_a_disconnect)
{
    READY ("w", "echo");
    DISCONNECT ("w");
    REQUEST ("c", "echo", "one");
    HEARTBEAT ("w");
    REPLY ("w", "c", "x");
    DISCONNECT ("w");
    trace_receive ("w", "garbage", NULL);
    trace_pass (HB * 2);
    trace_expect_nothing ();
    DISCONNECT ("never seen");
    HEARTBEAT ("never seen");
    trace_expect_nothing ();
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "one");
    trace_expect_nothing ();
}
END_TEST

//  -- Valid but unexpected, and invalid

START_TEST (second_ready)
{
    READY ("w", "echo");
    READY ("w", "echo");
    GETS_DISCONNECT ("w");
    REQUEST ("c", "echo", "one");
    HEARTBEAT ("w");
    trace_pass (HB * 2);
    trace_expect_nothing ();
    READY ("w", "echo");        //  A new conversation
    GETS_REQUEST ("w", "c", "one");
    trace_expect_nothing ();
}
END_TEST

START_TEST (before_ready)
{
    HEARTBEAT ("a");
    GETS_DISCONNECT ("a");
    REPLY ("b", "c", "x");
    GETS_DISCONNECT ("b");
    trace_receive ("d", "", "MDPW01", "\2", "c", "", "x", NULL);
    GETS_DISCONNECT ("d");
    trace_expect_nothing ();
    for (int count = 0; count < 10; count++) {
        trace_pass (HB);
        HEARTBEAT ("a");
    }
    trace_expect_nothing ();
}
END_TEST

START_TEST (reply_without_request)
{
    READY ("w", "echo");
    REPLY ("w", "c", "x");
    GETS_DISCONNECT ("w");
    trace_expect_nothing ();
    s_expect_service ("echo", "404");
}
END_TEST

START_TEST (reply_to_another_client)
{
    READY ("w", "echo");
    REQUEST ("c", "echo", "one");
    GETS_REQUEST ("w", "c", "one");
    REPLY ("w", "victim", "x");
    GETS_DISCONNECT ("w");
    trace_expect_nothing ();
    READY ("v", "echo");
    GETS_REQUEST ("v", "c", "one");
    trace_expect_nothing ();
}
END_TEST

START_TEST (second_reply_and_request_from_a_worker)
{
    READY ("w", "echo");
    REQUEST ("c", "echo", "one");
    GETS_REQUEST ("w", "c", "one");
    REPLY ("w", "c", "1");
    GETS_REPLY ("c", "echo", "1");
    REPLY ("w", "c", "1");
    GETS_DISCONNECT ("w");
    READY ("v", "echo");
    trace_receive ("v", "", "MDPW01", "\2", "c", "", "x", NULL);
    GETS_DISCONNECT ("v");
    trace_expect_nothing ();
}
END_TEST

START_TEST (invalid_message_from_a_worker)
{
    READY ("a", "echo");
    READY ("b", "echo");
    REQUEST ("c", "echo", "one");
    GETS_REQUEST ("a", "c", "one");
    trace_receive ("a", "", "MDPW01", "\3", "c", "x", NULL);
    GETS_DISCONNECT ("a");
    GETS_REQUEST ("b", "c", "one");
    trace_receive ("a", "", "MDPW01", "\6", NULL);
    trace_expect_nothing ();
}
END_TEST

START_TEST (invalid_messages_from_strangers)
{
    trace_receive ("a", NULL);
    trace_receive ("a", "", NULL);
    trace_receive ("a", "", "MDPW01", NULL);
    trace_receive ("a", "", "MDPW01", "\1", NULL);
    trace_receive ("a", "", "MDPW01", "\1", "", NULL);
    trace_receive ("a", "", "MDPW01", "\1", "e\ncho", NULL);
    trace_receive ("a", "", "MDPC01", "echo", NULL);
    trace_receive ("", "", "MDPC01", "echo", "x", NULL);
    message_t *empty = message_new ();
    trace_step (EVENT_RECEIVED, empty);
    message_destroy (&empty);
    trace_expect_nothing ();
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
    READY ("a", "echo");        //  It is not held against them
    REQUEST ("a", "echo", "x");
    GETS_REQUEST ("a", "a", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (dismissed_peers_are_forgotten_in_time)
{
    HEARTBEAT ("a");
    GETS_DISCONNECT ("a");
    trace_pass (HB * LIVENESS - 1);
    HEARTBEAT ("a");
    trace_expect_nothing ();
    trace_pass (HB * LIVENESS - 1);
    HEARTBEAT ("a");
    trace_expect_nothing ();
    trace_pass (HB * LIVENESS);
    HEARTBEAT ("a");
    GETS_DISCONNECT ("a");
    trace_expect_nothing ();
}
END_TEST

START_TEST (dismissed_peers_are_limited)
{
    broker_config_t config = trace_config ();
    config.max_workers = 2;
    trace_start (&config);
    HEARTBEAT ("a");
    HEARTBEAT ("b");
    HEARTBEAT ("c");
    GETS_DISCONNECT ("a");
    GETS_DISCONNECT ("b");
    GETS_DISCONNECT ("c");
    HEARTBEAT ("b");
    HEARTBEAT ("c");
    trace_expect_nothing ();
    HEARTBEAT ("a");
    GETS_DISCONNECT ("a");
    trace_expect_nothing ();
}
END_TEST

//  -- Heartbeats

START_TEST (heartbeats_to_idle_and_busy_workers)
{
    READY ("idle", "one");
    READY ("busy", "two");
    REQUEST ("c", "two", "x");
    GETS_REQUEST ("busy", "c", "x");
    for (int interval = 0; interval < 10; interval++) {
        trace_pass (HB);
        GETS_HEARTBEAT ("idle");
        GETS_HEARTBEAT ("busy");
        trace_expect_nothing ();
        HEARTBEAT ("idle");
        HEARTBEAT ("busy");
    }
    REPLY ("busy", "c", "y");
    GETS_REPLY ("c", "two", "y");
    trace_expect_nothing ();
}
END_TEST

START_TEST (other_commands_stand_for_heartbeats)
{
    READY ("w", "echo");
    for (int count = 0; count < 10; count++) {
        trace_pass (HB / 2);
        REQUEST ("c", "echo", "x");
        GETS_REQUEST ("w", "c", "x");
        REPLY ("w", "c", "y");  //  And the worker sends no heartbeat at all
        GETS_REPLY ("c", "echo", "y");
        trace_expect_nothing ();
    }
}
END_TEST

//  Workers leave, fall silent, or break the rules: the third is the last
START_TEST (request_that_no_worker_survives_is_dropped)
{
    broker_config_t config = trace_config ();
    config.max_resends = 2;
    trace_start (&config);
    REQUEST ("c", "echo", "poison");
    REQUEST ("d", "echo", "two");
    READY ("a", "echo");
    GETS_REQUEST ("a", "c", "poison");
    DISCONNECT ("a");
    READY ("b", "echo");
    GETS_REQUEST ("b", "c", "poison");
    trace_pass (HB * LIVENESS);
    trace_skip ();
    READY ("e", "echo");
    GETS_REQUEST ("e", "c", "poison");
    READY ("e", "echo");
    GETS_DISCONNECT ("e");
    READY ("f", "echo");
    GETS_REQUEST ("f", "d", "two");
    trace_expect_nothing ();
}
END_TEST

START_TEST (deadlines)
{
    trace_step (EVENT_TICK, NULL);
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
    READY ("w", "echo");
    ck_assert_int_eq (update_deadline (trace_update), trace_now_ms + HB);
    DISCONNECT ("w");
    ck_assert_int_eq (update_deadline (trace_update), trace_now_ms + HB * LIVENESS);
    trace_pass (HB * LIVENESS);
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
    REQUEST ("c", "echo", "x");
    ck_assert_int_eq (update_deadline (trace_update), trace_now_ms + EXPIRY);
    trace_pass (EXPIRY);
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
}
END_TEST

//  -- Expiry of requests

START_TEST (requests_expire_one_by_one)
{
    REQUEST ("c", "echo", "one");
    trace_pass (EXPIRY / 2);
    REQUEST ("c", "echo", "two");
    trace_pass (EXPIRY / 2);
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "two");
    REPLY ("w", "c", "2");
    GETS_REPLY ("c", "echo", "2");
    trace_expect_nothing ();
}
END_TEST

START_TEST (requests_age_from_the_last_worker_on)
{
    READY ("w", "echo");
    REQUEST ("c", "echo", "held");
    GETS_REQUEST ("w", "c", "held");
    REQUEST ("c", "echo", "waits");
    trace_live ("w", 2 * EXPIRY / HB);
    DISCONNECT ("w");
    trace_pass (EXPIRY / 2);
    REQUEST ("c", "echo", "later");
    trace_pass (EXPIRY / 2 - 1);
    READY ("v", "echo");
    GETS_REQUEST ("v", "c", "held");
    DISCONNECT ("v");           //  The clock starts again for all
    trace_expect_nothing ();
    trace_pass (EXPIRY - 1);
    REQUEST ("d", "echo", "last");
    trace_pass (1);
    READY ("u", "echo");
    GETS_REQUEST ("u", "d", "last");
    REPLY ("u", "d", "x");
    GETS_REPLY ("d", "echo", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (no_expiry_while_there_is_a_worker)
{
    READY ("w", "echo");
    REQUEST ("c", "echo", "one");
    REQUEST ("c", "echo", "two");
    GETS_REQUEST ("w", "c", "one");
    trace_live ("w", 3 * EXPIRY / HB);
    REPLY ("w", "c", "1");
    GETS_REPLY ("c", "echo", "1");
    GETS_REQUEST ("w", "c", "two");
    trace_expect_nothing ();
}
END_TEST

START_TEST (no_expiry_at_all)
{
    broker_config_t config = trace_config ();
    config.expiry_ms = 0;
    trace_start (&config);
    REQUEST ("c", "echo", "one");
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
    trace_pass (EXPIRY * 1000);
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "one");
    trace_expect_nothing ();
}
END_TEST

//  -- 8/MMI

START_TEST (mmi_service)
{
    s_expect_service ("echo", "404");
    s_expect_service ("", "404");
    REQUEST ("c", "echo", "x");
    s_expect_service ("echo", "404");
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "x");
    s_expect_service ("echo", "200");   //  Also while all are busy
    DISCONNECT ("w");
    s_expect_service ("echo", "404");
    s_expect_service ("mmi.service", "404");
    READY ("v", "echo");
    trace_receive ("c", "", "MDPC01", "mmi.service", "none", "echo", NULL);
    GETS_REQUEST ("v", "c", "x");
    GETS_REPLY ("c", "mmi.service", "404");
    trace_receive ("c", "", "MDPC01", "mmi.service", "echo", "none", NULL);
    GETS_REPLY ("c", "mmi.service", "200");
    trace_expect_nothing ();
}
END_TEST

START_TEST (mmi_unknown)
{
    static const char *const names [] = {
        "mmi.", "mmi.services", "mmi.servic", "mmi.SERVICE", "mmi.x"
    };
    for (size_t index = 0; index < 5; index++) {
        REQUEST ("c", names [index], "echo");
        GETS_REPLY ("c", names [index], "501");
    }
    trace_expect_nothing ();
}
END_TEST

START_TEST (mmi_names_are_reserved)
{
    READY ("a", "mmi.service");
    GETS_DISCONNECT ("a");
    READY ("b", "mmi.");
    GETS_DISCONNECT ("b");
    trace_expect_nothing ();
    static const char *const names [] = { "mmi", "xmmi.service", "MMI.x" };
    for (size_t index = 0; index < 3; index++) {
        READY ("w", names [index]);
        REQUEST ("c", names [index], "x");
        GETS_REQUEST ("w", "c", "x");
        DISCONNECT ("w");
        trace_expect_nothing ();
    }
}
END_TEST

START_TEST (asking_makes_no_service)
{
    broker_config_t config = trace_config ();
    config.max_services = 1;
    trace_start (&config);
    s_expect_service ("a", "404");
    s_expect_service ("b", "404");
    REQUEST ("c", "d", "x");
    READY ("w", "d");
    GETS_REQUEST ("w", "c", "x");
    trace_expect_nothing ();
}
END_TEST

//  -- Limits, stop

//  Notices that are waiting, by level. The rest is forgotten.
static size_t
s_count_notices (notice_level_t level)
{
    size_t count = 0;
    for (size_t index = 0; index < update_size (trace_update); index++) {
        effect_t *effect = update_effect (trace_update, index);
        if (effect->type == EFFECT_NOTICE && effect->level == level)
            count++;
    }
    trace_skip ();
    return count;
}

START_TEST (request_limits)
{
    broker_config_t config = trace_config ();
    config.max_requests = 8;
    config.max_service_requests = 4;
    trace_start (&config);
    for (int count = 0; count < 7; count++)
        REQUEST ("c", "one", "x");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 1);
    for (int count = 0; count < 4; count++)
        REQUEST ("c", "two", "x");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 0);
    REQUEST ("c", "three", "x");
    REQUEST ("c", "three", "x");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 1);
    for (int count = 0; count < 4; count++) {
        READY ("w", "one");
        GETS_REQUEST ("w", "c", "x");
        REPLY ("w", "c", "y");
        GETS_REPLY ("c", "one", "y");
        if (count < 3)
            GETS_REQUEST ("w", "c", "x");
        DISCONNECT ("w");
        trace_skip ();
    }
    REQUEST ("c", "three", "x");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 0);
    READY ("v", "three");
    GETS_REQUEST ("v", "c", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (client_limit)
{
    broker_config_t config = trace_config ();
    config.max_client_requests = 3;
    trace_start (&config);
    REQUEST ("c", "one", "1");
    REQUEST ("c", "two", "2");
    REQUEST ("c", "one", "3");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 0);
    REQUEST ("c", "one", "4");
    REQUEST ("c", "three", "5");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 1);
    s_expect_service ("three", "404");
    //  Others are not concerned
    REQUEST ("d", "one", "6");
    READY ("w", "one");
    GETS_REQUEST ("w", "c", "1");
    //  What a worker holds counts, too
    REQUEST ("c", "one", "7");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "d", "6");
    REQUEST ("c", "one", "8");
    REPLY ("w", "d", "x");
    GETS_REPLY ("d", "one", "x");
    GETS_REQUEST ("w", "c", "3");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "c", "8");
    trace_expect_nothing ();
}
END_TEST

START_TEST (byte_limit)
{
    broker_config_t config = trace_config ();
    //  Two requests of ten bytes, the address included, and of one frame each
    config.max_bytes = 2 * (10 + 64 + 512);
    trace_start (&config);
    REQUEST ("c", "echo", "ten bytes");
    REQUEST ("c", "echo", "more than ten");
    REQUEST ("c", "echo", "ten again");
    REQUEST ("c", "echo", "");
    READY ("w", "echo");
    GETS_REQUEST ("w", "c", "ten bytes");
    REPLY ("w", "c", "");
    GETS_REPLY ("c", "echo", "");
    GETS_REQUEST ("w", "c", "ten again");
    REPLY ("w", "c", "");
    GETS_REPLY ("c", "echo", "");
    trace_expect_nothing ();
}
END_TEST

START_TEST (empty_frames_are_not_free)
{
    broker_config_t config = trace_config ();
    config.max_bytes = 1000;
    trace_start (&config);
    trace_receive ("c", "", "MDPC01", "echo", "", "", "", "", "", "", "", "",
                   NULL);
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 1);
    REQUEST ("d", "echo", "x");
    READY ("w", "echo");
    GETS_REQUEST ("w", "d", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (body_limit)
{
    broker_config_t config = trace_config ();
    config.max_body_bytes = 10;
    trace_start (&config);
    READY ("w", "a service with a name of some length");
    trace_receive ("c", "", "MDPC01", "a service with a name of some length",
                   "12345", "678901", NULL);
    trace_expect_nothing ();
    REQUEST ("d", "a service with a name of some length", "1234567890");
    GETS_REQUEST ("w", "d", "1234567890");
    //  What comes in can come back, and no more
    REPLY ("w", "d", "1234567890");
    GETS_REPLY ("d", "a service with a name of some length", "1234567890");
    REQUEST ("d", "a service with a name of some length", "x");
    GETS_REQUEST ("w", "d", "x");
    //  An answer may have a little more: a status, a name
    REPLY ("w", "d", "200 12345678901");
    GETS_REPLY ("d", "a service with a name of some length", "200 12345678901");
    //  What is too large from one worker is too large from the next
    REQUEST ("d", "a service with a name of some length", "y");
    GETS_REQUEST ("w", "d", "y");
    READY ("v", "a service with a name of some length");
    char large [10 + 1024 + 2] = "";
    memset (large, 'a', sizeof (large) - 1);
    REPLY ("w", "d", large);
    GETS_DISCONNECT ("w");
    trace_expect_nothing ();
}
END_TEST

START_TEST (limits_change_while_it_runs)
{
    broker_config_t config = trace_config ();
    config.max_service_requests = 1;
    config.max_workers = 1;
    trace_start (&config);
    REQUEST ("c", "one", "1");
    REQUEST ("c", "one", "2");
    config.max_service_requests = 2;
    trace_set_limits (&config);
    REQUEST ("c", "one", "3");
    REQUEST ("c", "one", "4");
    //  Down again: what is there stays
    config.max_service_requests = 1;
    config.max_workers = 2;
    trace_set_limits (&config);
    REQUEST ("c", "one", "5");
    READY ("v", "other");
    READY ("w", "one");
    GETS_REQUEST ("w", "c", "1");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "c", "3");
    trace_expect_nothing ();
    trace_skip ();
}
END_TEST

START_TEST (worker_and_service_limits)
{
    broker_config_t config = trace_config ();
    config.max_workers = 2;
    config.max_services = 1;
    trace_start (&config);
    READY ("a", "one");
    READY ("b", "two");
    GETS_DISCONNECT ("b");
    trace_expect_nothing ();
    READY ("c", "one");
    READY ("d", "one");
    GETS_DISCONNECT ("d");
    trace_expect_nothing ();
    REQUEST ("x", "two", "x");
    ck_assert_uint_eq (s_count_notices (NOTICE_WARNING), 0);
    DISCONNECT ("a");
    DISCONNECT ("c");
    READY ("d", "two");         //  The request for it was dropped
    trace_expect_nothing ();
    s_expect_service ("two", "200");
}
END_TEST

START_TEST (frame_limit)
{
    broker_config_t config = trace_config ();
    config.max_frames = 6;
    trace_start (&config);
    READY ("w", "echo");
    trace_receive ("c", "", "MDPC01", "echo", "1", "2", "3", "4", NULL);
    trace_expect_nothing ();
    trace_receive ("c", "", "MDPC01", "echo", "1", "2", "3", NULL);
    trace_expect ("w", "", "MDPW01", "\2", "c", "", "1", "2", "3", NULL);
    //  What comes in can come back, with a status and a name
    trace_receive ("w", "", "MDPW01", "\3", "c", "", "200", "name", "1", "2",
                   "3", NULL);
    trace_expect ("c", "", "MDPC01", "echo", "200", "name", "1", "2", "3",
                  NULL);
    REQUEST ("c", "echo", "x");
    GETS_REQUEST ("w", "c", "x");
    READY ("v", "echo");
    trace_receive ("w", "", "MDPW01", "\3", "c", "", "1", "2", "3", "4", "5",
                   "6", "7", "8", "9", "10", "11", NULL);
    GETS_DISCONNECT ("w");
    trace_expect_nothing ();
}
END_TEST

START_TEST (stop)
{
    READY ("a", "echo");
    READY ("b", "echo");
    READY ("d", "other");
    REQUEST ("c", "echo", "held");
    REQUEST ("c", "none", "waits");
    GETS_REQUEST ("a", "c", "held");
    trace_step (EVENT_STOP, NULL);
    GETS_DISCONNECT ("a");
    GETS_DISCONNECT ("b");
    GETS_DISCONNECT ("d");
    HEARTBEAT ("a");
    trace_expect_nothing ();
    ck_assert_int_eq (update_deadline (trace_update), INT64_MAX);
}
END_TEST

//  Every order of a few commands from a few peers: no step may fail, and what
//  is sent has the right form. The seed is in the test's number.
START_TEST (random_walk)
{
    static const char *const peers [] = { "p", "q", "r", "s" };
    static const char *const names [] = { "one", "two", "mmi.service" };
    uint32_t random = (uint32_t) _i * 2654435761u + 1;
    for (int step = 0; step < 2000; step++) {
        random = random * 1664525u + 1013904223u;
        const char *peer = peers [random >> 30];
        const char *other = peers [(random >> 28) & 3];
        const char *name = names [(random >> 20) % 3];
        switch ((random >> 16) & 7) {
            case 0:
                READY (peer, name);
                break;
            case 1:
            case 2:
                REPLY (peer, other, "x");
                break;
            case 3:
                HEARTBEAT (peer);
                break;
            case 4:
                DISCONNECT (peer);
                break;
            case 5:
            case 6:
                REQUEST (peer, name, "x");
                break;
            case 7:
                trace_pass ((random >> 8) % (EXPIRY / 2));
        }
        const message_t *sent;
        while ((sent = trace_next ())) {
            ck_assert_uint_ge (message_size (sent), 4);
            ck_assert (frame_is (message_frame (sent, 1), "", 0));
            ck_assert (frame_is (message_frame (sent, 2), "MDPW01", 6)
                    || frame_is (message_frame (sent, 2), "MDPC01", 6));
        }
    }
}
END_TEST

static TCase *
s_tcase (Suite *suite, const char *name)
{
    TCase *tcase = tcase_create (name);
    tcase_add_checked_fixture (tcase, trace_setup, trace_teardown);
    suite_add_tcase (suite, tcase);
    return tcase;
}

Suite *
broker_suite (void)
{
    Suite *suite = suite_create ("broker");
    TCase *tcase = s_tcase (suite, "requests");
    tcase_add_test (tcase, request_and_reply);
    tcase_add_test (tcase, bodies_are_not_copied);
    tcase_add_test (tcase, requests_wait_for_a_worker);
    tcase_add_test (tcase, least_recently_used_worker_first);
    tcase_add_test (tcase, clients_take_turns);
    tcase_add_test (tcase, services_do_not_mix);

    tcase = s_tcase (suite, "lost workers");
    tcase_add_test (tcase, request_of_a_lost_worker_goes_first_to_the_next);
    tcase_add_test (tcase, request_that_no_worker_survives_is_dropped);
    tcase_add_test (tcase, silent_worker_expires);
    tcase_add_test (tcase, all_silent_workers_expire_behind_a_live_one);
    tcase_add_test (tcase, no_request_goes_to_a_worker_that_expires_too);
    tcase_add_test (tcase, nothing_expires_without_a_tick);
    tcase_add_test (tcase, unreachable_worker_is_dropped);
    tcase_add_test (tcase, nothing_more_after_a_disconnect);

    tcase = s_tcase (suite, "unexpected");
    tcase_add_test (tcase, second_ready);
    tcase_add_test (tcase, before_ready);
    tcase_add_test (tcase, reply_without_request);
    tcase_add_test (tcase, reply_to_another_client);
    tcase_add_test (tcase, second_reply_and_request_from_a_worker);
    tcase_add_test (tcase, invalid_message_from_a_worker);
    tcase_add_test (tcase, invalid_messages_from_strangers);
    tcase_add_test (tcase, dismissed_peers_are_forgotten_in_time);
    tcase_add_test (tcase, dismissed_peers_are_limited);

    tcase = s_tcase (suite, "time");
    tcase_add_test (tcase, heartbeats_to_idle_and_busy_workers);
    tcase_add_test (tcase, other_commands_stand_for_heartbeats);
    tcase_add_test (tcase, deadlines);
    tcase_add_test (tcase, requests_expire_one_by_one);
    tcase_add_test (tcase, requests_age_from_the_last_worker_on);
    tcase_add_test (tcase, no_expiry_while_there_is_a_worker);
    tcase_add_test (tcase, no_expiry_at_all);

    tcase = s_tcase (suite, "mmi");
    tcase_add_test (tcase, mmi_service);
    tcase_add_test (tcase, mmi_unknown);
    tcase_add_test (tcase, mmi_names_are_reserved);
    tcase_add_test (tcase, asking_makes_no_service);

    tcase = s_tcase (suite, "limits");
    tcase_add_test (tcase, request_limits);
    tcase_add_test (tcase, byte_limit);
    tcase_add_test (tcase, client_limit);
    tcase_add_test (tcase, empty_frames_are_not_free);
    tcase_add_test (tcase, body_limit);
    tcase_add_test (tcase, limits_change_while_it_runs);
    tcase_add_test (tcase, worker_and_service_limits);
    tcase_add_test (tcase, frame_limit);
    tcase_add_test (tcase, stop);
    tcase_add_loop_test (tcase, random_walk, 0, 20);
    return suite;
}
