/*  =========================================================================
    job_test - shell commands that carry out requests

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "stand_in.h"

//  Nothing takes so long
#define LONG_MS 10000

Suite *job_suite (void);

//  Run a command to its end
static zmsg_t *
s_run (const job_settings_t *settings, zmsg_t *request, bool *good)
{
    signal (SIGPIPE, SIG_IGN);
    job_t *job = job_new (settings, request);
    ck_assert_ptr_nonnull (job);
    while (!job_step (job)) {
        zmq_pollitem_t items [2];
        size_t count = job_poll (job, items);
        ck_assert (count || job_is_ending (job));
        zmq_poll (items, (int) count, job_is_ending (job)? 1: LONG_MS);
    }
    zmsg_t *reply = job_reply (job, good);
    job_destroy (&job);
    job_destroy (&job);
    return reply;
}

static void
s_assert_run (const job_settings_t *settings, const char *request, bool good,
              const char *expected)
{
    bool really;
    zmsg_t *message = stand_in_message (request);
    zmsg_t *reply = s_run (settings, message, &really);
    char *text = stand_in_text (reply);
    ck_assert_str_eq (text, expected);
    ck_assert (really == good);
    zstr_free (&text);
    zmsg_destroy (&reply);
    zmsg_destroy (&message);
}

START_TEST (frames_are_the_input_and_the_output_is_a_frame)
{
    job_settings_t settings = { .command = "tr a-z A-Z" };
    s_assert_run (&settings, "one|two", true, "ONETWO");
    s_assert_run (&settings, "", true, "");
    settings.command = "true";
    s_assert_run (&settings, "not read", true, "");
    settings.command = "echo one; echo; echo two";
    s_assert_run (&settings, "", true, "one\n\ntwo\n");
    settings.lines = true;
    s_assert_run (&settings, "", true, "one||two");
    settings.command = "printf x";
    s_assert_run (&settings, "", true, "x");
    settings.command = "true";
    s_assert_run (&settings, "", true, "");
}
END_TEST

START_TEST (frames_are_arguments)
{
    job_settings_t settings = {
        .command = "cat; for frame; do printf '<%s>' \"$frame\"; done",
        .arguments = true
    };
    s_assert_run (&settings, "a b|$HOME||'", true, "<a b><$HOME><><'>");
    bool good;
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, "a\0b", 3);
    zmsg_t *reply = s_run (&settings, message, &good);
    ck_assert (!good);
    ck_assert (zframe_streq (zmsg_first (reply), "500"));
    zmsg_destroy (&reply);
    zmsg_destroy (&message);
}
END_TEST

START_TEST (what_fails_is_500)
{
    job_settings_t settings = { .command = "echo lost; exit 3" };
    s_assert_run (&settings, "x", false, "500|exit status 3");
    settings.command = "kill -9 $$";
    s_assert_run (&settings, "x", false, "500|ended by signal 9");
    settings.command = "exec 2>&-; no-such-command";
    s_assert_run (&settings, "x", false, "500|exit status 127");
    settings.command = "exec yes";
    s_assert_run (&settings, "x", false,
                  "500|more than 16777216 bytes of output");
}
END_TEST

START_TEST (long_bodies_go_through)
{
    job_settings_t settings = { .command = "cat" };
    size_t size = 1000000;
    char *data = malloc (size);
    for (size_t index = 0; index < size; index++)
        data [index] = (char) (index * 7);
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, data, size);
    bool good;
    zmsg_t *reply = s_run (&settings, message, &good);
    ck_assert (good);
    ck_assert_uint_eq (zframe_size (zmsg_first (reply)), size);
    ck_assert (memcmp (zframe_data (zmsg_first (reply)), data, size) == 0);
    zmsg_destroy (&reply);
    zmsg_destroy (&message);
    free (data);
}
END_TEST

START_TEST (output_may_end_before_the_command)
{
    job_settings_t settings = { .command = "printf x; exec >&-; sleep 0.1; exit 4" };
    s_assert_run (&settings, "x", false, "500|exit status 4");
}
END_TEST

//  Begin a command that says which process group it is and goes on for ever; end
//  it: the group is gone.
static void
s_assert_ended (const char *command)
{
    zmsg_t *message = zmsg_new ();
    int out [2];
    ck_assert_int_eq (pipe (out), 0);
    char *text = zsys_sprintf ("echo $$ >/proc/%d/fd/%d; %s", (int) getpid (),
                               out [1], command);
    job_settings_t settings = { .command = text };
    job_t *job = job_new (&settings, message);
    char buffer [20] = "";
    ck_assert_int_gt (read (out [0], buffer, sizeof buffer - 1), 0);
    pid_t group = (pid_t) atoi (buffer);
    ck_assert_int_gt (group, 1);
    ck_assert (!job_step (job));
    job_destroy (&job);
    ck_assert_ptr_null (job);
    //  Its orphans may take a moment to be buried
    while (kill (-group, 0) == 0)
        zclock_sleep (1);
    ck_assert_int_eq (errno, ESRCH);
    close (out [0]);
    close (out [1]);
    zstr_free (&text);
    zmsg_destroy (&message);
}

START_TEST (a_command_is_ended_with_all_that_it_started)
{
    s_assert_ended ("sleep 1000 | sleep 1000");
    //  It has a second to do so
    s_assert_ended ("trap '' TERM; while :; do sleep 1; done");
}
END_TEST

Suite *
job_suite (void)
{
    Suite *suite = suite_create ("job");
    TCase *tcase = tcase_create ("job");
    tcase_set_timeout (tcase, 60);
    tcase_add_test (tcase, frames_are_the_input_and_the_output_is_a_frame);
    tcase_add_test (tcase, frames_are_arguments);
    tcase_add_test (tcase, what_fails_is_500);
    tcase_add_test (tcase, long_bodies_go_through);
    tcase_add_test (tcase, output_may_end_before_the_command);
    tcase_add_test (tcase, a_command_is_ended_with_all_that_it_started);
    suite_add_tcase (suite, tcase);
    return suite;
}
