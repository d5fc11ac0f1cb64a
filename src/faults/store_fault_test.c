/*  =========================================================================
    store_fault_test - stores while memory is out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"

Suite *store_fault_suite (void);

#define PUTS 3

static char s_what [64];

//  What the store has said about each of the requests
typedef struct {
    store_result_t put [PUTS];
    store_result_t answer;      //  To the first
    store_result_t drop;        //  Of the last
} life_t;

static const char *
s_path (const char *ending)
{
    static char path [64];
    snprintf (path, sizeof path, "%s/seatrial-store-%ld.db%s",
              access ("/dev/shm", W_OK)? "/tmp": "/dev/shm",
              (long) getpid (), ending);
    return path;
}

static void
s_remove (void)
{
    unlink (s_path (""));
    unlink (s_path ("-wal"));
    unlink (s_path ("-shm"));
    unlink (s_path (".lock"));
}

static store_t *
s_open (bool file)
{
    store_result_t result;
    char error [256] = "";
    store_t *store = store_open (file? s_path (""): "memory:", &result, error,
                                 sizeof error);
    //  Who cannot go on says why
    MUST (store? result == STORE_OK: result != STORE_OK && *error);
    return store;
}

static request_id_t
s_id (int number)
{
    request_id_t id = { { 1 } };
    id.bytes [15] = (unsigned char) number;
    return id;
}

//  A query with all that it may need, made while memory is there
static store_query_t
s_query (store_query_type_t type, int number, const char *text)
{
    store_query_t query = { .type = type, .id = s_id (number), .limit = 10 };
    query.service = type == STORE_SERVICES? NULL: frame_new ("echo", 4);
    query.body = message_new ();
    MUST (message_add_string (query.body, text) == 0);
    MUST (message_add_string (query.body, "more") == 0);
    return query;
}

//  One query by itself; the answer is the caller's
static store_answer_t
s_ask (store_t *store, store_query_type_t type, int number, const char *text)
{
    store_query_t query = s_query (type, number, text);
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    faults_begin ();
    if (type == STORE_PUT || type == STORE_ANSWER || type == STORE_DROP)
        store_write (store, queries, 1, &answer);
    else
        store_read (store, &query, &answer);
    faults_end ();
    store_query_clear (&query);
    return answer;
}

static store_result_t
s_write (store_t *store, store_query_type_t type, int number, const char *text)
{
    store_answer_t answer = s_ask (store, type, number, text);
    MUST (answer.record_count == 0);
    return answer.result;
}

static void
s_put_together (store_t *store, life_t *life)
{
    store_query_t queries [PUTS];
    const store_query_t *all [PUTS];
    store_answer_t answers [PUTS];
    for (int nbr = 0; nbr < PUTS; nbr++) {
        queries [nbr] = s_query (STORE_PUT, nbr, "body");
        queries [nbr].ticket = (uint64_t) nbr + 100;
        all [nbr] = &queries [nbr];
    }
    faults_begin ();
    store_write (store, all, PUTS, answers);
    faults_end ();
    for (int nbr = 0; nbr < PUTS; nbr++) {
        MUST (answers [nbr].ticket == (uint64_t) nbr + 100);
        life->put [nbr] = answers [nbr].result;
        store_query_clear (&queries [nbr]);
    }
}

//  An answer is whole, or it says that it failed
static void
s_check_read (store_t *store, const life_t *life, store_query_type_t type)
{
    request_id_t none = { { 0 } };
    store_query_t query = s_query (type, 0, "");
    if (type == STORE_WAITING)
        query.id = none;
    store_answer_t answer;
    faults_begin ();
    store_read (store, &query, &answer);
    faults_end ();
    size_t waiting = 0;
    for (int nbr = 1; nbr < PUTS; nbr++)
        waiting += life->put [nbr] == STORE_OK;
    waiting += life->put [0] == STORE_OK && life->answer != STORE_OK;
    if (answer.result == STORE_OK && type == STORE_WAITING)
        MUST_TELL (answer.record_count == waiting, "%s: %zu are waiting",
                   s_what, answer.record_count);
    if (answer.result == STORE_OK && type == STORE_SERVICES)
        MUST (answer.record_count == (waiting? 1: 0));
    for (size_t nbr = 0; nbr < answer.record_count; nbr++) {
        const store_record_t *record = &answer.records [nbr];
        MUST (type == STORE_FETCH || frame_is (record->service, "echo", 4));
        MUST (type != STORE_WAITING || (message_size (record->body) == 2
              && frame_is (message_frame (record->body, 0), "body", 4)));
    }
    if (type == STORE_FETCH && answer.result == STORE_OK)
        MUST_TELL (!answer.records [0].body == (life->answer != STORE_OK),
                   "%s: the reply comes and goes", s_what);
    store_query_clear (&query);
    store_answer_clear (&answer);
}

static void
s_live (store_t *store, life_t *life)
{
    s_put_together (store, life);
    s_check_read (store, life, STORE_SERVICES);
    s_check_read (store, life, STORE_WAITING);
    life->answer = s_write (store, STORE_ANSWER, 0, "reply");
    s_check_read (store, life, STORE_FETCH);
    s_check_read (store, life, STORE_WAITING);
    life->drop = s_write (store, STORE_DROP, PUTS - 1, "");
}

//  When memory is there again
static void
s_look_back (store_t *store, const life_t *life)
{
    for (int nbr = 0; nbr < PUTS; nbr++) {
        store_answer_t answer = s_ask (store, STORE_FETCH, nbr, "");
        bool dropped = nbr == PUTS - 1 && life->drop == STORE_OK;
        if (life->put [nbr] == STORE_OK)
            MUST_TELL (answer.result == (dropped? STORE_UNKNOWN: STORE_OK),
                       "%s: what was acknowledged is not kept", s_what);
        if (nbr == 0 && life->answer == STORE_OK)
            MUST_TELL (answer.records [0].body
                && frame_is (message_frame (answer.records [0].body, 0),
                             "reply", 5), "%s: a reply is not kept", s_what);
        store_answer_clear (&answer);
    }
    MUST_TELL (s_write (store, STORE_PUT, 50, "fresh") == STORE_OK
           &&  s_write (store, STORE_DROP, 50, "") == STORE_OK,
               "%s: nothing fresh can be kept", s_what);
}

//  Whether something failed
static bool
s_fail (bool file, size_t nth, faults_mode_t mode)
{
    s_remove ();
    snprintf (s_what, sizeof s_what, "allocation %zu", nth);
    size_t blocks = faults_blocks ();
    life_t life = { .answer = STORE_FAILED, .drop = STORE_FAILED };
    faults_arm (nth, mode);
    faults_begin ();
    store_t *store = s_open (file);
    faults_end ();
    if (!store)
        MUST (faults_disarm ());
    else {
        s_live (store, &life);
        bool failed = faults_disarm ();
        s_look_back (store, &life);
        store_close (&store);
        if (file) {
            //  After a restart too
            store = s_open (file);
            s_look_back (store, &life);
            store_close (&store);
        }
        if (!failed)
            return false;
    }
    MUST_TELL (faults_blocks () == blocks, "%s: a leak", s_what);
    MUST_TELL (!file || sqlite3_memory_used () == 0,
               "%s: SQLite keeps memory", s_what);
    return true;
}

static void
s_fail_each (bool file, faults_mode_t mode, size_t least)
{
    size_t nth = 1;
    while (s_fail (file, nth, mode))
        nth++;
    s_remove ();
    ck_assert_uint_gt (nth, least);
}

START_TEST (memory_keeps_what_it_acknowledged)
{
    s_fail_each (false, (faults_mode_t) _i, 20);
}
END_TEST

START_TEST (sqlite_keeps_what_it_acknowledged)
{
    faults_sqlite ();
    s_fail_each (true, (faults_mode_t) _i, 200);
}
END_TEST

Suite *
store_fault_suite (void)
{
    Suite *suite = suite_create ("store_fault");
    TCase *tcase = tcase_create ("store_fault");
    tcase_set_timeout (tcase, 120);
    tcase_add_loop_test (tcase, memory_keeps_what_it_acknowledged, 0,
                         FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase, sqlite_keeps_what_it_acknowledged, 0,
                         FAULTS_MODE_COUNT);
    suite_add_tcase (suite, tcase);
    return suite;
}
