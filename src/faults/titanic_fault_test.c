/*  =========================================================================
    titanic_fault_test - the Titanic server while memory is out or the store fails

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../protocol/tsp.h"
#include "faults.h"
#include "titanic_world.h"

Suite *titanic_fault_suite (void);

//  More than enough for anything that is going to happen
#define LONG_MS (60 * WORLD_HB)
//  An update has room for so many effects at first
#define EFFECTS 16

//  A failure that is about to happen: told when a test fails
static char s_what [128];

//  --------------------------------------------------------------------------
//  What must hold

//  Ask about an id until the answer is neither 500, nor 300 unless that is wanted
static question_t *
s_ask_until (question_t *(*ask) (const request_id_t *), const request_id_t *id,
             bool pending)
{
    question_t *question = NULL;
    for (int round = 0; round < 10; round++) {
        question = ask (id);
        ck_assert_msg (world_wait (question, LONG_MS),
                       "%s: %s does not answer", s_what, question->service);
        if (question->status != TSP_ERROR
        && (pending || question->status != TSP_PENDING))
            break;
        world_pass (5 * WORLD_HB);
    }
    return question;
}

static void
s_assert_reply (const request_id_t *id, const char *text)
{
    question_t *question = s_ask_until (world_reply, id, false);
    ck_assert_msg (question->status == TSP_OK, "%s: an acknowledged request has "
                   "the status %d", s_what, question->status);
    ck_assert_uint_eq (message_size (question->answer), 2);
    const frame_t *frame = message_frame (question->answer, 1);
    ck_assert_msg (frame_is (frame, text, strlen (text)),
                   "%s: not the reply to \"%s\"", s_what, text);
}

static void
s_assert_closed (const request_id_t *id)
{
    ck_assert_int_eq (s_ask_until (world_close, id, true)->status, TSP_OK);
    ck_assert_int_eq (s_ask_until (world_reply, id, true)->status, TSP_UNKNOWN);
    ck_assert (!world_is_stored (id));
}

//  --------------------------------------------------------------------------
//  A life

typedef struct {
    question_t *one, *two, *other, *closed, *absent;
    question_t *reply, *close;
    bool known;                 //  When it was closed its id was known
} life_t;

//  While something may fail
static void
s_live (life_t *life)
{
    world_pass (2 * WORLD_HB);
    life->closed = world_request ("echo", "closed");
    life->one = world_request ("echo", "one");
    life->two = world_request ("echo", "two");
    life->other = world_request ("echo", "other");
    life->absent = world_request ("absent", "absent");
    world_pass (3 * WORLD_HB);
    life->reply = world_reply (&life->one->id);
    life->known = life->closed->status == TSP_OK;
    life->close = world_close (&life->closed->id);
    world_pass (8 * WORLD_HB);
}

//  When all is well again
static void
s_look_back (life_t *life)
{
    world_pass (10 * WORLD_HB);
    if (life->close->status == TSP_OK && life->known)
        ck_assert_msg (!world_is_stored (&life->closed->id),
                       "%s: what was closed is there", s_what);
    if (life->one->status == TSP_OK)
        s_assert_reply (&life->one->id, "one");
    if (life->two->status == TSP_OK)
        s_assert_reply (&life->two->id, "two");
    if (life->other->status == TSP_OK)
        s_assert_reply (&life->other->id, "other");
    if (life->absent->status == TSP_OK)
        ck_assert_msg (s_ask_until (world_reply, &life->absent->id, true)
                       ->status == TSP_PENDING, "%s: a request for a service "
                       "that is not there is gone", s_what);
    //  Several at a time, so that every worker has to do
    question_t *fresh [6];
    for (int nbr = 0; nbr < 6; nbr++)
        fresh [nbr] = world_request ("echo", "fresh");
    for (int nbr = 0; nbr < 6; nbr++) {
        ck_assert_msg (world_wait (fresh [nbr], LONG_MS) == TSP_OK,
                       "%s: a fresh request has the status %d", s_what,
                       fresh [nbr]->status);
        s_assert_reply (&fresh [nbr]->id, "fresh");
        s_assert_closed (&fresh [nbr]->id);
    }
    ck_assert_msg (world_wait (life->reply, LONG_MS)
               &&  world_wait (life->close, LONG_MS)
               &&  world_wait (life->absent, LONG_MS),
                   "%s: somebody never got an answer", s_what);
}

//  --------------------------------------------------------------------------
//  Memory

//  Whether something failed
static bool
s_fail_memory (size_t nth, faults_mode_t mode, size_t effects)
{
    size_t blocks = faults_blocks ();
    snprintf (s_what, sizeof s_what, "allocation %zu, %zu effects", nth,
              effects);
    faults_arm (nth, mode);
    if (!world_begin ("memory:", effects)) {
        ck_assert (faults_disarm ());
        ck_assert_uint_eq (faults_blocks (), blocks);
        return true;
    }
    life_t life;
    s_live (&life);
    bool failed = faults_disarm ();
    s_look_back (&life);
    world_end ();
    ck_assert_msg (faults_blocks () == blocks, "%s: a leak", s_what);
    return failed;
}

START_TEST (what_was_acknowledged_survives_want_of_memory)
{
    for (size_t effects = EFFECTS - 8; effects <= EFFECTS; effects += 2) {
        size_t nth = 1;
        while (s_fail_memory (nth, (faults_mode_t) _i, effects))
            nth++;
        ck_assert_uint_gt (nth, 100);
    }
}
END_TEST

//  --------------------------------------------------------------------------
//  The store

static const struct {
    const char *address;
    faults_mode_t mode;
    store_result_t result;
} s_store_faults [] = {
    { "memory:", FAULTS_ONCE, STORE_FULL },
    { "memory:", FAULTS_ONCE, STORE_FAILED },
    { "memory:", FAULTS_LASTING, STORE_FULL },
    { "memory:", FAULTS_LASTING, STORE_FAILED },
    { "sqlite:", FAULTS_ONCE, STORE_FULL },
    { "sqlite:", FAULTS_LASTING, STORE_FAILED }
};

#define STORE_FAULTS ((int) (sizeof s_store_faults / sizeof *s_store_faults))

//  Where SQLite's file is: in memory, so that nothing is worn out
static const char *
s_path (const char *ending)
{
    static char path [64];
    snprintf (path, sizeof path, "%s/seatrial-faults-%ld.db%s",
              access ("/dev/shm", W_OK)? "/tmp": "/dev/shm",
              (long) getpid (), ending);
    return path;
}

static void
s_remove_store (void)
{
    unlink (s_path (""));
    unlink (s_path ("-wal"));
    unlink (s_path ("-shm"));
    unlink (s_path (".lock"));
}

static bool
s_fail_store (size_t nth, int fault)
{
    bool file = s_store_faults [fault].address [0] == 's';
    snprintf (s_what, sizeof s_what, "store call %zu", nth);
    s_remove_store ();
    ck_assert (world_begin (file? s_path (""): "memory:", 0));
    faults_arm_store (nth, s_store_faults [fault].mode,
                      s_store_faults [fault].result);
    life_t life;
    s_live (&life);
    bool failed = faults_disarm_store ();
    s_look_back (&life);
    world_end ();
    s_remove_store ();
    return failed;
}

START_TEST (what_was_acknowledged_survives_a_store_that_fails)
{
    size_t nth = 1;
    while (s_fail_store (nth, _i))
        nth++;
    ck_assert_uint_gt (nth, 10);
}
END_TEST

Suite *
titanic_fault_suite (void)
{
    Suite *suite = suite_create ("titanic_fault");
    TCase *tcase = tcase_create ("titanic_fault");
    tcase_set_timeout (tcase, 120);
    tcase_add_loop_test (tcase, what_was_acknowledged_survives_want_of_memory,
                         0, FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase,
                         what_was_acknowledged_survives_a_store_that_fails,
                         0, STORE_FAULTS);
    suite_add_tcase (suite, tcase);
    return suite;
}
