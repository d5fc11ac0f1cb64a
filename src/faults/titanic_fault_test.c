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
//  Of a server that shares the store
#define LEASE_MS (10 * WORLD_HB)
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
        MUST_TELL (world_wait (question, LONG_MS),
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
    MUST_TELL (question->status == TSP_OK, "%s: an acknowledged request has "
                   "the status %d", s_what, question->status);
    MUST (message_size (question->answer) == 2);
    const frame_t *frame = message_frame (question->answer, 1);
    MUST_TELL (frame_is (frame, text, strlen (text)),
                   "%s: not the reply to \"%s\"", s_what, text);
}

static void
s_assert_closed (const request_id_t *id)
{
    MUST (s_ask_until (world_close, id, true)->status == TSP_OK);
    MUST (s_ask_until (world_reply, id, true)->status == TSP_UNKNOWN);
    MUST (!world_is_stored (id));
}

//  --------------------------------------------------------------------------
//  A life

#define ASKED 7

//  What is asked for, and with which words
static const struct {
    const char *service;
    const char *text;
    bool closed;                //  And closed soon
} s_asked [ASKED] = {
    { "late", "first", false }, { "late", "second", true },
    { "late", "third", true }, { "late", "fourth", false },
    { "echo", "fifth", true }, { "echo", "sixth", false },
    { "absent", "seventh", false }
};

typedef struct {
    question_t *requests [ASKED];
    question_t *closes [ASKED]; //  NULL if there was nothing to close
    question_t *reply;
} life_t;

//  While something may fail
static void
s_live (life_t *life)
{
    *life = (life_t) { .reply = NULL };
    world_pass (2 * WORLD_HB);
    for (int nbr = 0; nbr < ASKED; nbr++)
        life->requests [nbr] = world_request (s_asked [nbr].service,
                                              s_asked [nbr].text);
    world_pass (4 * WORLD_HB);
    life->reply = world_reply (&life->requests [5]->id);
    for (int nbr = 0; nbr < ASKED; nbr++)
        if (s_asked [nbr].closed && life->requests [nbr]->status == TSP_OK)
            life->closes [nbr] = world_close (&life->requests [nbr]->id);
    //  Some execution has no reply in time, and what was held up for want of memory
    //  is tried again
    world_pass (12 * WORLD_HB);
}

static void
s_look_back_at (const life_t *life, int nbr)
{
    const request_id_t *id = &life->requests [nbr]->id;
    const question_t *close = life->closes [nbr];
    if (life->requests [nbr]->status != TSP_OK
    || (close && close->status == TSP_ERROR && !world_is_stored (id)))
        return;                 //  Never acknowledged; or closed, but there was
                                //  no memory to say so
    if (close && close->status == TSP_OK)
        MUST_TELL (!world_is_stored (id), "%s: \"%s\" was closed and is there",
                       s_what, s_asked [nbr].text);
    else
    if (strcmp (s_asked [nbr].service, "absent"))
        s_assert_reply (id, s_asked [nbr].text);
    else
        MUST_TELL (s_ask_until (world_reply, id, true)->status
                       == TSP_PENDING, "%s: \"%s\" is gone", s_what,
                       s_asked [nbr].text);
}

//  When all is well again
static void
s_look_back (life_t *life)
{
    world_hurry ();
    world_pass (10 * WORLD_HB);
    for (int nbr = 0; nbr < ASKED; nbr++) {
        MUST_TELL (life->requests [nbr]->status,
                       "%s: \"%s\" never got an answer", s_what,
                       s_asked [nbr].text);
        MUST_TELL (!life->closes [nbr] || life->closes [nbr]->status,
                       "%s: to close \"%s\" never got an answer", s_what,
                       s_asked [nbr].text);
    }
    MUST_TELL (life->reply->status, "%s: titanic.reply never got an answer",
                   s_what);
    for (int nbr = 0; nbr < ASKED; nbr++)
        s_look_back_at (life, nbr);
    //  Several at a time, so that every worker has to do
    question_t *fresh [6];
    for (int nbr = 0; nbr < 6; nbr++)
        fresh [nbr] = world_request ("echo", "fresh");
    for (int nbr = 0; nbr < 6; nbr++) {
        MUST_TELL (world_wait (fresh [nbr], LONG_MS) == TSP_OK,
                       "%s: a fresh request has the status %d", s_what,
                       fresh [nbr]->status);
        s_assert_reply (&fresh [nbr]->id, "fresh");
        s_assert_closed (&fresh [nbr]->id);
    }
}

//  --------------------------------------------------------------------------
//  Memory

//  Whether something failed
static bool
s_fail_memory (size_t nth, faults_mode_t mode, int64_t lease_ms,
               size_t effects)
{
    size_t blocks = faults_blocks ();
    snprintf (s_what, sizeof s_what, "allocation %zu, %zu effects", nth,
              effects);
    faults_arm (nth, mode);
    if (!world_begin ("memory:", lease_ms, effects)) {
        MUST (faults_disarm ());
        MUST (faults_blocks () == blocks);
        return true;
    }
    life_t life;
    s_live (&life);
    bool failed = faults_disarm ();
    s_look_back (&life);
    world_end ();
    MUST_TELL (faults_blocks () == blocks, "%s: a leak", s_what);
    return failed;
}

//  The server has the store to itself, or shares it
START_TEST (what_was_acknowledged_survives_want_of_memory)
{
    int64_t lease_ms = _i < FAULTS_MODE_COUNT? 0: LEASE_MS;
    for (size_t effects = EFFECTS - 6; effects <= EFFECTS; effects++) {
        size_t nth = 1;
        while (s_fail_memory (nth, (faults_mode_t) (_i % FAULTS_MODE_COUNT),
                              lease_ms, effects))
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
    int64_t lease_ms;
} s_store_faults [] = {
    { "memory:", FAULTS_ONCE, STORE_FULL, 0 },
    { "memory:", FAULTS_ONCE, STORE_FAILED, LEASE_MS },
    { "memory:", FAULTS_LASTING, STORE_FULL, LEASE_MS },
    { "memory:", FAULTS_LASTING, STORE_FAILED, 0 },
    { "sqlite:", FAULTS_ONCE, STORE_FULL, LEASE_MS },
    { "sqlite:", FAULTS_LASTING, STORE_FAILED, 0 }
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

//  A request that an earlier server has left
static void
s_store_before (request_id_t *id)
{
    s_remove_store ();
    MUST (world_begin (s_path (""), 0, 0));
    question_t *question = world_request ("late", "before");
    MUST (world_wait (question, LONG_MS) == TSP_OK);
    *id = question->id;
    world_end ();
}

static bool
s_fail_store (size_t nth, int fault)
{
    bool file = s_store_faults [fault].address [0] == 's';
    int64_t lease_ms = s_store_faults [fault].lease_ms;
    snprintf (s_what, sizeof s_what, "store call %zu", nth);
    request_id_t before;
    if (file)
        s_store_before (&before);
    MUST (world_begin (file? s_path (""): "memory:", lease_ms, 0));
    faults_arm_store (nth, s_store_faults [fault].mode,
                      s_store_faults [fault].result);
    life_t life;
    s_live (&life);
    bool failed = faults_disarm_store ();
    s_look_back (&life);
    if (file)
        s_assert_reply (&before, "before");
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
                         0, 2 * FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase,
                         what_was_acknowledged_survives_a_store_that_fails,
                         0, STORE_FAULTS);
    suite_add_tcase (suite, tcase);
    return suite;
}
