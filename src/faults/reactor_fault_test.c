/*  =========================================================================
    reactor_fault_test - the reactor answers every query, with memory or without

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../daemon/reactor.h"
#include "faults.h"

Suite *reactor_fault_suite (void);

#define QUERIES 8
#define ROUNDS 3

//  An engine that asks the store in each tick, and stops the process in the end
typedef struct {
    int rounds;                 //  Ticks so far
    int answers [ROUNDS][QUERIES];
    store_result_t results [ROUNDS][QUERIES];
    bool failed;                //  An allocation did
    bool stopped;
} curious_t;

//  Each request is put into the store and read again
static void
s_ask (curious_t *self, int64_t now_ms, update_t *update)
{
    for (int nbr = 0; nbr < QUERIES; nbr++) {
        request_id_t id = { { (unsigned char) (self->rounds + 1),
                              (unsigned char) (nbr / 2) } };
        store_query_t query = { .id = id,
            .type = nbr % 2? STORE_FETCH: STORE_PUT,
            .ticket = (uint64_t) (self->rounds * QUERIES + nbr) };
        if (query.type == STORE_PUT) {
            query.service = frame_new ("echo", 4);
            query.body = message_new ();
            update_write (update, &query);
        }
        else
            update_read (update, &query);
    }
    self->rounds++;
    update_set_deadline (update, now_ms + 1);
}

static void
s_step (void *engine, const event_t *event, update_t *update)
{
    curious_t *self = (curious_t *) engine;
    faults_end ();
    if (event->type == EVENT_TICK && self->rounds < ROUNDS) {
        if (self->rounds == ROUNDS - 1)
            self->failed = faults_disarm ();    //  Memory is back
        s_ask (self, event->now_ms, update);
    }
    else
    if (event->type == EVENT_TICK) {
        update_set_deadline (update, INT64_MAX);
        //  Not raise: a signal for this thread alone would not ring the bell
        kill (getpid (), SIGTERM);
    }
    if (event->answer) {
        int round = (int) (event->answer->ticket / QUERIES);
        int nbr = (int) (event->answer->ticket % QUERIES);
        self->answers [round][nbr]++;
        self->results [round][nbr] = event->answer->result;
    }
    self->stopped |= event->type == EVENT_STOP;
    faults_begin ();
}

static void
s_check (const curious_t *self, size_t nth)
{
    MUST (self->stopped);
    for (int round = 0; round < ROUNDS; round++)
        for (int nbr = 0; nbr < QUERIES; nbr++) {
            MUST_TELL (self->answers [round][nbr] == 1, "allocation %zu: a "
                       "query has %d answers", nth,
                       self->answers [round][nbr]);
            store_result_t put = self->results [round][nbr - nbr % 2];
            //  What was said to be kept is there, what was not is not, and with
            //  memory all is kept
            if (nbr % 2 && self->results [round][nbr] != STORE_FAILED)
                MUST (self->results [round][nbr] == (put == STORE_OK? STORE_OK
                                                     : STORE_UNKNOWN));
            if (round == ROUNDS - 1)
                MUST (self->results [round][nbr] == STORE_OK);
        }
}

//  The signal that ended the reactor still waits, and would end the next one
static void
s_take_signal (void)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigtimedwait (&signals, NULL, &(struct timespec) { 0, 0 });
}

//  How many allocations could fail
static size_t
s_fail_each (faults_mode_t mode)
{
    for (size_t nth = 1; ; nth++) {
        size_t blocks = faults_blocks ();
        store_result_t result;
        char error [64];
        store_t *store = store_open ("memory:", &result, error, sizeof error);
        curious_t curious = { .rounds = 0 };
        reactor_config_t config = { .endpoint = "inproc://nobody",
            .bind = true, .max_message_bytes = 1024, .store = store,
            .step = s_step, .engine = &curious };
        faults_arm (nth, mode);
        faults_begin ();
        int rc = reactor_run (&config);
        faults_end ();
        s_take_signal ();
        if (rc == 0)
            s_check (&curious, nth);
        else
            MUST (curious.rounds == 0);
        bool failed = faults_disarm () || curious.failed;
        store_close (&store);
        MUST_TELL (faults_blocks () == blocks, "allocation %zu: a leak", nth);
        if (!failed)
            return nth;
    }
}

START_TEST (every_query_is_answered)
{
    ck_assert_ptr_nonnull (freopen ("/dev/null", "w", stderr));
    ck_assert_uint_gt (s_fail_each ((faults_mode_t) _i), 20);
}
END_TEST

Suite *
reactor_fault_suite (void)
{
    Suite *suite = suite_create ("reactor_fault");
    TCase *tcase = tcase_create ("reactor_fault");
    tcase_set_timeout (tcase, 60);
    tcase_add_loop_test (tcase, every_query_is_answered, 0,
                         FAULTS_MODE_COUNT);
    suite_add_tcase (suite, tcase);
    return suite;
}
