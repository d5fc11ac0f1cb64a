/*  =========================================================================
    broker_version_test - traces of the broker in version 0.2, and in both

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
broker_version_suite (void);

//  In version 0.2; without 2 at the end they are of 0.1
#define READY2(address, service) \
    trace_receive (address, "MDPW02", "\1", service, NULL)
#define PARTIAL2(address, client, body) \
    trace_receive (address, "MDPW02", "\3", client, "", body, NULL)
#define FINAL2(address, client, body) \
    trace_receive (address, "MDPW02", "\4", client, "", body, NULL)
#define HEARTBEAT2(address) trace_receive (address, "MDPW02", "\5", NULL)
#define DISCONNECT2(address) trace_receive (address, "MDPW02", "\6", NULL)
#define REQUEST2(address, service, body) \
    trace_receive (address, "MDPC02", "\1", service, body, NULL)
#define GETS_REQUEST2(address, client, body) \
    trace_expect (address, "MDPW02", "\2", client, "", body, NULL)
#define GETS_PARTIAL2(address, service, body) \
    trace_expect (address, "MDPC02", "\2", service, body, NULL)
#define GETS_FINAL2(address, service, body) \
    trace_expect (address, "MDPC02", "\3", service, body, NULL)
#define GETS_DISCONNECT2(address) \
    trace_expect (address, "MDPW02", "\6", NULL)

START_TEST (partials_go_out_as_they_come)
{
    READY2 ("w", "echo");
    REQUEST2 ("c", "echo", "x");
    GETS_REQUEST2 ("w", "c", "x");
    PARTIAL2 ("w", "c", "one");
    GETS_PARTIAL2 ("c", "echo", "one");
    PARTIAL2 ("w", "c", "");
    GETS_PARTIAL2 ("c", "echo", "");
    FINAL2 ("w", "c", "two");
    GETS_FINAL2 ("c", "echo", "two");
    trace_expect_nothing ();
}
END_TEST

START_TEST (a_partial_keeps_the_worker_busy)
{
    READY2 ("w", "echo");
    REQUEST2 ("c", "echo", "x");
    GETS_REQUEST2 ("w", "c", "x");
    PARTIAL2 ("w", "c", "one");
    GETS_PARTIAL2 ("c", "echo", "one");
    REQUEST2 ("d", "echo", "y");
    trace_expect_nothing ();
    FINAL2 ("w", "c", "two");
    GETS_FINAL2 ("c", "echo", "two");
    GETS_REQUEST2 ("w", "d", "y");
    trace_expect_nothing ();
}
END_TEST

//  MDP2-CONNECTION-19, MDP2-REQREP-06
START_TEST (a_partial_out_of_place)
{
    PARTIAL2 ("stranger", "c", "x");
    GETS_DISCONNECT2 ("stranger");
    READY2 ("idle", "echo");
    PARTIAL2 ("idle", "c", "x");
    GETS_DISCONNECT2 ("idle");
    READY2 ("busy", "echo");
    REQUEST2 ("c", "echo", "x");
    GETS_REQUEST2 ("busy", "c", "x");
    PARTIAL2 ("busy", "other", "x");
    GETS_DISCONNECT2 ("busy");
    trace_expect_nothing ();
}
END_TEST

//  A heartbeat is due once a worker has sent nothing for LIVENESS intervals
START_TEST (a_partial_is_a_sign_of_life)
{
    READY2 ("w", "echo");
    REQUEST2 ("c", "echo", "x");
    for (int nbr = 0; nbr < 3 * LIVENESS; nbr++) {
        trace_pass (HB);
        PARTIAL2 ("w", "c", "more");
    }
    trace_skip ();
    FINAL2 ("w", "c", "done");
    GETS_FINAL2 ("c", "echo", "done");
}
END_TEST

START_TEST (versions_meet)
{
    READY2 ("new", "echo");
    REQUEST ("c", "echo", "x");
    GETS_REQUEST2 ("new", "c", "x");
    FINAL2 ("new", "c", "y");
    GETS_REPLY ("c", "echo", "y");
    DISCONNECT2 ("new");
    READY ("old", "echo");
    REQUEST2 ("d", "echo", "x");
    GETS_REQUEST ("old", "d", "x");
    REPLY ("old", "d", "y");
    GETS_FINAL2 ("d", "echo", "y");
    trace_expect_nothing ();
}
END_TEST

//  MDP2-VERSION-02
START_TEST (parts_are_one_reply_to_a_client_of_0_1)
{
    READY2 ("w", "echo");
    REQUEST ("c", "echo", "x");
    GETS_REQUEST2 ("w", "c", "x");
    PARTIAL2 ("w", "c", "one");
    PARTIAL2 ("w", "c", "");
    trace_expect_nothing ();
    FINAL2 ("w", "c", "two");
    trace_expect ("c", "", "MDPC01", "echo", "one", "", "two", NULL);
    trace_expect_nothing ();
}
END_TEST

START_TEST (parts_of_a_lost_worker_are_dropped)
{
    READY2 ("w", "echo");
    REQUEST ("c", "echo", "x");
    GETS_REQUEST2 ("w", "c", "x");
    PARTIAL2 ("w", "c", "one");
    DISCONNECT2 ("w");
    READY2 ("v", "echo");
    GETS_REQUEST2 ("v", "c", "x");
    FINAL2 ("v", "c", "two");
    GETS_REPLY ("c", "echo", "two");
    trace_expect_nothing ();
}
END_TEST

//  What is kept for a client of 0.1 counts against the limit on bytes
START_TEST (parts_have_a_limit)
{
    broker_config_t config = trace_config ();
    //  A request of 2 bytes, and four parts of 40, each a frame of 64 more
    config.max_bytes = 512 + 64 + 2 + 4 * (40 + 64) + 40;
    trace_start (&config);
    READY2 ("w", "echo");
    REQUEST ("c", "echo", "x");
    GETS_REQUEST2 ("w", "c", "x");
    static const char part [] = "0123456789012345678901234567890123456789";
    for (int nbr = 0; nbr < 4; nbr++)
        PARTIAL2 ("w", "c", part);
    trace_expect_nothing ();
    PARTIAL2 ("w", "c", part);
    GETS_DISCONNECT2 ("w");
    //  All of it is given back
    READY2 ("v", "echo");
    trace_expect_nothing ();
    REQUEST ("c", "echo", "y");
    GETS_REQUEST2 ("v", "c", "y");
    for (int nbr = 0; nbr < 4; nbr++)
        PARTIAL2 ("v", "c", part);
    trace_expect_nothing ();
}
END_TEST

START_TEST (a_worker_does_not_change_its_version)
{
    READY2 ("w", "echo");
    HEARTBEAT ("w");
    GETS_DISCONNECT2 ("w");
    READY ("v", "echo");
    HEARTBEAT2 ("v");
    trace_expect ("v", "", "MDPW01", "\5", NULL);
    trace_expect_nothing ();
}
END_TEST

Suite *
broker_version_suite (void)
{
    Suite *suite = suite_create ("broker_version");
    TCase *tcase = tcase_create ("versions");
    tcase_add_checked_fixture (tcase, trace_setup, trace_teardown);
    tcase_add_test (tcase, partials_go_out_as_they_come);
    tcase_add_test (tcase, a_partial_keeps_the_worker_busy);
    tcase_add_test (tcase, a_partial_out_of_place);
    tcase_add_test (tcase, a_partial_is_a_sign_of_life);
    tcase_add_test (tcase, versions_meet);
    tcase_add_test (tcase, parts_are_one_reply_to_a_client_of_0_1);
    tcase_add_test (tcase, parts_of_a_lost_worker_are_dropped);
    tcase_add_test (tcase, parts_have_a_limit);
    tcase_add_test (tcase, a_worker_does_not_change_its_version);
    suite_add_tcase (suite, tcase);
    return suite;
}
