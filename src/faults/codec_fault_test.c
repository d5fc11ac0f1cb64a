/*  =========================================================================
    codec_fault_test - messages and commands while memory is out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>

#include "../protocol/mdp.h"
#include "../protocol/tsp.h"
#include "faults.h"

Suite *codec_fault_suite (void);

//  Everything that makes a message, in turn; NULL behind the last
typedef message_t *(make_fn) (const frame_t *name, const message_t *body);

static message_t *
s_request (const frame_t *name, const message_t *body)
{
    return mdp_client_request (MDP_0_1, name, body, 0);
}

static message_t *
s_partial (const frame_t *name, const message_t *body)
{
    return mdp_client_partial (MDP_0_2, name, name, body, 0);
}

static message_t *
s_reply (const frame_t *name, const message_t *body)
{
    return mdp_client_reply (MDP_0_1, name, name, body, 0);
}

static message_t *
s_ready (const frame_t *name, const message_t *body)
{
    (void) body;
    return mdp_worker_ready (MDP_0_2, name);
}

static message_t *
s_worker_request (const frame_t *name, const message_t *body)
{
    return mdp_worker_request (MDP_0_1, name, name, body, 0);
}

static message_t *
s_worker_partial (const frame_t *name, const message_t *body)
{
    return mdp_worker_partial (MDP_0_2, name, body, 0);
}

static message_t *
s_worker_reply (const frame_t *name, const message_t *body)
{
    return mdp_worker_reply (MDP_0_1, name, body, 0);
}

static message_t *
s_heartbeat (const frame_t *name, const message_t *body)
{
    (void) body;
    return mdp_worker_heartbeat (MDP_0_1, name);
}

static message_t *
s_disconnect (const frame_t *name, const message_t *body)
{
    (void) body;
    return mdp_worker_disconnect (MDP_0_2, name);
}

static message_t *
s_status (const frame_t *name, const message_t *body)
{
    (void) name;
    (void) body;
    return tsp_status_new (TSP_PENDING);
}

//  Frames by all ways, more of them than fit without another allocation
static message_t *
s_long (const frame_t *name, const message_t *body)
{
    message_t *message = message_slice (body, 1);
    for (int round = 0; message && round < 3; round++)
        if (message_add (message, name) || message_add_string (message, "x")
        ||  message_add_from (message, body, 0)
        ||  message_add_bytes (message, "", 0))
            message_destroy (&message);
    return message;
}

static make_fn *s_makers [] = {
    s_request, s_partial, s_reply, s_ready, s_worker_request,
    s_worker_partial, s_worker_reply, s_heartbeat, s_disconnect, s_status,
    s_long
};

#define MAKERS ((int) (sizeof s_makers / sizeof *s_makers))

//  How many messages could not be made until one could
static size_t
s_fail_each (make_fn *make, faults_mode_t mode)
{
    frame_t *name = frame_new ("name", 4);
    message_t *body = message_new ();
    for (int nbr = 0; nbr < 3; nbr++)
        ck_assert_int_eq (message_add_string (body, "body"), 0);
    size_t failures = 0;
    for (size_t nth = 1; ; nth++) {
        size_t blocks = faults_blocks ();
        faults_arm (nth, mode);
        faults_begin ();
        message_t *message = make (name, body);
        faults_end ();
        bool failed = faults_disarm ();
        //  All or nothing
        ck_assert_int_eq (message == NULL, failed);
        message_destroy (&message);
        ck_assert_uint_eq (faults_blocks (), blocks);
        if (!failed)
            break;
        failures++;
    }
    frame_destroy (&name);
    message_destroy (&body);
    return failures;
}

START_TEST (a_message_is_whole_or_not_there)
{
    ck_assert_uint_ge (s_fail_each (s_makers [_i], FAULTS_ONCE), 1);
    ck_assert_uint_ge (s_fail_each (s_makers [_i], FAULTS_LASTING), 1);
}
END_TEST

static void
s_note (void *owner)
{
    *(bool *) owner = true;
}

START_TEST (an_owner_that_was_not_taken_is_not_freed)
{
    bool freed = false;
    faults_arm (1, FAULTS_ONCE);
    faults_begin ();
    frame_t *frame = frame_wrap ("x", 1, s_note, &freed);
    faults_end ();
    ck_assert (faults_disarm ());
    ck_assert (frame == NULL);
    ck_assert (!freed);
}
END_TEST

START_TEST (a_frame_that_was_not_taken_is_gone)
{
    bool freed = false;
    message_t *message = message_new ();
    while (message_size (message) < 8)
        ck_assert_int_eq (message_add_string (message, "x"), 0);
    frame_t *frame = frame_wrap ("y", 1, s_note, &freed);
    faults_arm (1, FAULTS_ONCE);
    faults_begin ();
    int rc = message_take (message, &frame);
    faults_end ();
    ck_assert (faults_disarm ());
    ck_assert_int_eq (rc, -1);
    ck_assert (frame == NULL);
    ck_assert (freed);
    //  The message is as it was, and takes more when there is memory
    ck_assert_uint_eq (message_size (message), 8);
    ck_assert_int_eq (message_add_string (message, "z"), 0);
    message_destroy (&message);
}
END_TEST

Suite *
codec_fault_suite (void)
{
    Suite *suite = suite_create ("codec_fault");
    TCase *tcase = tcase_create ("codec_fault");
    tcase_add_loop_test (tcase, a_message_is_whole_or_not_there, 0, MAKERS);
    tcase_add_test (tcase, an_owner_that_was_not_taken_is_not_freed);
    tcase_add_test (tcase, a_frame_that_was_not_taken_is_gone);
    suite_add_tcase (suite, tcase);
    return suite;
}
