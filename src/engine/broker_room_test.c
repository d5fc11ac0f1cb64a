/*  =========================================================================
    broker_room_test - traces of the broker when one client leaves no room for others

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <string.h>

#include "broker_trace.h"

Suite *
broker_room_suite (void);

//  Warnings since the last look. The rest is forgotten.
static size_t
s_count_warnings (void)
{
    size_t count = 0;
    for (size_t index = 0; index < update_size (trace_update); index++) {
        effect_t *effect = update_effect (trace_update, index);
        if (effect->type == EFFECT_NOTICE && effect->level == NOTICE_WARNING)
            count++;
    }
    trace_skip ();
    return count;
}

START_TEST (client_byte_limit)
{
    broker_config_t config = trace_config ();
    config.max_client_bytes = 2 * (512 + 64) + 100;
    trace_start (&config);
    REQUEST ("c", "one", "1");
    REQUEST ("c", "one", "2");
    ck_assert_uint_eq (s_count_warnings (), 0);
    REQUEST ("c", "one", "3");
    REQUEST ("c", "one", "4");
    ck_assert_uint_eq (s_count_warnings (), 1);
    REQUEST ("d", "one", "5");
    READY ("w", "one");
    GETS_REQUEST ("w", "c", "1");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "d", "5");
    //  There is room again, but never for one that is too large by itself
    REQUEST ("c", "one", "6");
    char large [1200] = "";
    memset (large, 'a', sizeof (large) - 1);
    for (int count = 0; count < 3; count++)
        REQUEST ("b", "one", large);
    REPLY ("w", "d", "x");
    GETS_REPLY ("d", "one", "x");
    GETS_REQUEST ("w", "c", "2");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "c", "6");
    trace_expect_nothing ();
}
END_TEST

START_TEST (who_has_most_makes_room_in_a_queue)
{
    broker_config_t config = trace_config ();
    config.max_service_requests = 4;
    trace_start (&config);
    for (int count = 0; count < 4; count++)
        REQUEST ("c", "one", "x");
    ck_assert_uint_eq (s_count_warnings (), 0);
    REQUEST ("d", "one", "1");
    ck_assert_uint_eq (s_count_warnings (), 1);
    REQUEST ("d", "one", "2");
    //  They have as many now: d gets no more
    REQUEST ("d", "one", "3");
    REQUEST ("e", "one", "4");
    REQUEST ("f", "one", "5");
    //  All have one
    REQUEST ("g", "one", "6");
    ck_assert_uint_eq (s_count_warnings (), 0);
    READY ("w", "one");
    GETS_REQUEST ("w", "c", "x");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "d", "1");
    REPLY ("w", "d", "x");
    GETS_REPLY ("d", "one", "x");
    GETS_REQUEST ("w", "e", "4");
    REPLY ("w", "e", "x");
    GETS_REPLY ("e", "one", "x");
    GETS_REQUEST ("w", "f", "5");
    REPLY ("w", "f", "x");
    GETS_REPLY ("f", "one", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (who_has_most_makes_room_in_all)
{
    broker_config_t config = trace_config ();
    config.max_requests = 4;
    trace_start (&config);
    //  What a worker holds is not taken from it
    READY ("v", "one");
    REQUEST ("c", "one", "1");
    GETS_REQUEST ("v", "c", "1");
    REQUEST ("c", "one", "2");
    REQUEST ("c", "two", "3");
    REQUEST ("c", "three", "4");
    REQUEST ("d", "four", "5");
    ck_assert_uint_eq (s_count_warnings (), 1);
    //  Now c has two that wait, and d one
    REQUEST ("e", "four", "6");
    REQUEST ("e", "four", "7");
    READY ("w", "four");
    GETS_REQUEST ("w", "d", "5");
    REPLY ("w", "d", "x");
    GETS_REPLY ("d", "four", "x");
    GETS_REQUEST ("w", "e", "6");
    REPLY ("w", "e", "x");
    GETS_REPLY ("e", "four", "x");
    //  Newest first
    READY ("u", "two");
    READY ("t", "three");
    trace_expect_nothing ();
    REPLY ("v", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("v", "c", "2");
    trace_expect_nothing ();
}
END_TEST

START_TEST (what_was_given_back_makes_no_room)
{
    broker_config_t config = trace_config ();
    config.max_requests = 3;
    trace_start (&config);
    READY ("v", "one");
    REQUEST ("c", "one", "1");
    GETS_REQUEST ("v", "c", "1");
    REQUEST ("c", "one", "2");
    REQUEST ("c", "one", "3");
    DISCONNECT ("v");
    REQUEST ("d", "two", "4");
    REQUEST ("e", "two", "5");
    READY ("w", "one");
    GETS_REQUEST ("w", "c", "1");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "one", "x");
    GETS_REQUEST ("w", "c", "2");
    READY ("u", "two");
    GETS_REQUEST ("u", "d", "4");
    REPLY ("u", "d", "x");
    GETS_REPLY ("d", "two", "x");
    trace_expect_nothing ();
}
END_TEST

START_TEST (who_has_most_bytes_makes_room)
{
    broker_config_t config = trace_config ();
    //  Four requests of two bytes, the address included
    config.max_bytes = 4 * (2 + 64 + 512);
    trace_start (&config);
    for (int count = 0; count < 4; count++)
        REQUEST ("c", "one", "x");
    REQUEST ("d", "one", "y");
    REQUEST ("d", "one", "z");
    ck_assert_uint_eq (s_count_warnings (), 1);
    //  One that nobody could make room for costs nobody anything
    char large [2400] = "";
    memset (large, 'a', sizeof (large) - 1);
    REQUEST ("e", "one", large);
    READY ("w", "one");
    for (int count = 0; count < 2; count++) {
        GETS_REQUEST ("w", "c", "x");
        REPLY ("w", "c", "x");
        GETS_REPLY ("c", "one", "x");
        GETS_REQUEST ("w", "d", count? "z": "y");
        REPLY ("w", "d", "x");
        GETS_REPLY ("d", "one", "x");
    }
    trace_expect_nothing ();
}
END_TEST

START_TEST (an_idle_worker_is_room_enough)
{
    broker_config_t config = trace_config ();
    config.max_requests = 3;
    trace_start (&config);
    READY ("v", "one");
    REQUEST ("b", "one", "0");
    GETS_REQUEST ("v", "b", "0");
    //  Nobody has more than another
    REQUEST ("c", "one", "1");
    REQUEST ("d", "one", "2");
    READY ("w", "echo");
    for (int count = 0; count < 3; count++) {
        REQUEST ("e", "echo", "3");
        GETS_REQUEST ("w", "e", "3");
        //  This one would have to wait
        REQUEST ("f", "echo", "4");
        REPLY ("w", "e", "x");
        GETS_REPLY ("e", "echo", "x");
        trace_expect_nothing ();
    }
    REPLY ("v", "b", "x");
    GETS_REPLY ("b", "one", "x");
    GETS_REQUEST ("v", "c", "1");
    trace_expect_nothing ();
}
END_TEST

START_TEST (what_nobody_serves_makes_room_for_what_is_served)
{
    broker_config_t config = trace_config ();
    config.max_requests = 3;
    trace_start (&config);
    READY ("w", "echo");
    REQUEST ("c", "echo", "1");
    GETS_REQUEST ("w", "c", "1");
    //  Nobody has more than another
    REQUEST ("d", "two", "2");
    REQUEST ("e", "two", "3");
    REQUEST ("f", "two", "4");
    REQUEST ("g", "echo", "5");
    REQUEST ("h", "echo", "6");
    REQUEST ("i", "echo", "7");
    REPLY ("w", "c", "x");
    GETS_REPLY ("c", "echo", "x");
    GETS_REQUEST ("w", "g", "5");
    REPLY ("w", "g", "x");
    GETS_REPLY ("g", "echo", "x");
    GETS_REQUEST ("w", "h", "6");
    REPLY ("w", "h", "x");
    GETS_REPLY ("h", "echo", "x");
    READY ("v", "two");
    trace_expect_nothing ();
}
END_TEST

Suite *
broker_room_suite (void)
{
    Suite *suite = suite_create ("broker_room");
    TCase *tcase = tcase_create ("room");
    tcase_add_checked_fixture (tcase, trace_setup, trace_teardown);
    tcase_add_test (tcase, client_byte_limit);
    tcase_add_test (tcase, who_has_most_makes_room_in_a_queue);
    tcase_add_test (tcase, who_has_most_makes_room_in_all);
    tcase_add_test (tcase, what_was_given_back_makes_no_room);
    tcase_add_test (tcase, who_has_most_bytes_makes_room);
    tcase_add_test (tcase, an_idle_worker_is_room_enough);
    tcase_add_test (tcase, what_nobody_serves_makes_room_for_what_is_served);
    suite_add_tcase (suite, tcase);
    return suite;
}
