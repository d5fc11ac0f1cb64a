/*  =========================================================================
    store_fault_test - stores while memory is out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "config.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBPQ
#include <libpq-fe.h>
#endif

#include "faults.h"

Suite *store_fault_suite (void);
Suite *postgresql_fault_suite (void);

#define PUTS 3

//  Which store; and what fails of it
typedef enum { KIND_MEMORY, KIND_FILE, KIND_SERVER } kind_t;
typedef enum { PART_ALLOCATION, PART_CALL } part_t;

//  A connection that was lost is made again after a moment
#define TRIES 500
#define PAUSE_US 10000

static char s_what [64];
static kind_t s_kind;

static const store_result_t s_untried = (store_result_t) -1;

//  What the store has said about each of the requests
typedef struct {
    store_result_t put [PUTS];
    store_result_t attempt;     //  Of the second, which is set aside
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

//  Leave nothing in the database: the first time, no tables either
static void
s_empty_server (void)
{
#ifdef HAVE_LIBPQ
    static PGconn *connection;
    if (!connection) {
        connection = PQconnectdb (getenv ("SEATRIAL_POSTGRESQL"));
        PQclear (PQexec (connection, "SET client_min_messages = error;"
                         "DROP SCHEMA IF EXISTS titanic CASCADE"));
    }
    PGresult *result = PQexec (connection, "SELECT to_regclass"
                               " ('titanic.request') IS NULL");
    MUST (PQntuples (result) == 1);
    if (*PQgetvalue (result, 0, 0) == 'f')
        PQclear (PQexec (connection, "DELETE FROM titanic.request"));
    PQclear (result);
#endif
}

static void
s_remove (void)
{
    if (s_kind == KIND_SERVER) {
        s_empty_server ();
        return;
    }
    unlink (s_path (""));
    unlink (s_path ("-wal"));
    unlink (s_path ("-shm"));
    unlink (s_path (".lock"));
}

static store_t *
s_open (void)
{
    store_result_t result;
    char error [256] = "";
    store_t *store = store_open (s_kind == KIND_MEMORY? "memory:"
        : s_kind == KIND_FILE? s_path (""): getenv ("SEATRIAL_POSTGRESQL"),
        &result, error, sizeof error);
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
    query.attempts = query.aside = type == STORE_ATTEMPT;
    if (type <= STORE_REVIVE)
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

//  How many wait: for certain; or at the most, with what may have been done though
//  nobody was told
static size_t
s_count_waiting (const life_t *life, bool most)
{
    size_t waiting = 0;
    for (int nbr = 0; nbr < PUTS; nbr++) {
        //  What ends the waiting of the first and the second
        store_result_t end = nbr == 0? life->answer
                           : nbr == 1? life->attempt: s_untried;
        bool ended = end == STORE_OK
            || (end != s_untried && s_kind == KIND_SERVER && !most);
        waiting += (most || life->put [nbr] == STORE_OK) && !ended;
    }
    return waiting;
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
    //  A commit in PostgreSQL may be there though nobody was told
    bool sure = s_kind != KIND_SERVER;
    size_t least = s_count_waiting (life, false);
    size_t most = s_count_waiting (life, !sure);
    if (answer.result == STORE_OK && type == STORE_WAITING)
        MUST_TELL (answer.record_count >= least && answer.record_count <= most,
                   "%s: %zu are waiting", s_what, answer.record_count);
    if (answer.result == STORE_OK && type == STORE_SERVICES)
        MUST (answer.record_count >= (least? 1: 0)
        &&    answer.record_count <= (most? 1: 0));
    for (size_t nbr = 0; nbr < answer.record_count; nbr++) {
        const store_record_t *record = &answer.records [nbr];
        MUST (type == STORE_FETCH || frame_is (record->service, "echo", 4));
        MUST (type != STORE_WAITING || (message_size (record->body) == 2
              && frame_is (message_frame (record->body, 0), "body", 4)));
    }
    if (type == STORE_FETCH && answer.result == STORE_OK)
        MUST_TELL (answer.records [0].body
                   ? life->answer == STORE_OK || !sure
                   : life->answer != STORE_OK, "%s: the reply comes and goes",
                   s_what);
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
    life->attempt = s_write (store, STORE_ATTEMPT, 1, "");
    s_check_read (store, life, STORE_WAITING);
    life->drop = s_write (store, STORE_DROP, PUTS - 1, "");
}

//  As s_ask, once the store can be reached again
static store_answer_t
s_ask_patiently (store_t *store, store_query_type_t type, int number,
                 const char *text)
{
    store_answer_t answer = s_ask (store, type, number, text);
    for (int try = 0; answer.result == STORE_FAILED && s_kind == KIND_SERVER
                   && try < TRIES && usleep (PAUSE_US) == 0; try++)
        answer = s_ask (store, type, number, text);
    return answer;
}

//  When memory is there again
static void
s_look_back (store_t *store, const life_t *life)
{
    for (int nbr = 0; nbr < PUTS; nbr++) {
        store_answer_t answer = s_ask_patiently (store, STORE_FETCH, nbr, "");
        bool dropped = nbr == PUTS - 1 && life->drop == STORE_OK;
        //  UNKNOWN: it was tried again, and the first time it was carried out
        bool unsure = s_kind == KIND_SERVER && nbr == PUTS - 1
            && (life->drop == STORE_FAILED || life->drop == STORE_UNKNOWN);
        if (life->put [nbr] == STORE_OK && !unsure)
            MUST_TELL (answer.result == (dropped? STORE_UNKNOWN: STORE_OK),
                       "%s: what was acknowledged is not kept", s_what);
        if (nbr == 0 && life->answer == STORE_OK)
            MUST_TELL (answer.records [0].body
                && frame_is (message_frame (answer.records [0].body, 0),
                             "reply", 5), "%s: a reply is not kept", s_what);
        if (nbr == 1 && life->attempt == STORE_OK)
            MUST_TELL (answer.records [0].aside, "%s: what was set aside is not",
                       s_what);
        store_answer_clear (&answer);
    }
    MUST_TELL (s_ask_patiently (store, STORE_PUT, 50, "fresh").result == STORE_OK
           &&  s_ask_patiently (store, STORE_DROP, 50, "").result == STORE_OK,
               "%s: nothing fresh can be kept", s_what);
}

static bool
s_disarm (void)
{
    bool memory = faults_disarm ();
    return faults_disarm_store () || memory;
}

//  Whether something failed
static bool
s_fail (part_t part, size_t nth, faults_mode_t mode)
{
    s_remove ();
    snprintf (s_what, sizeof s_what, "%s %zu",
              part == PART_CALL? "call": "allocation", nth);
    size_t blocks = faults_blocks ();
    life_t life = { .answer = s_untried, .attempt = s_untried,
                    .drop = s_untried };
    if (part == PART_CALL)
        faults_arm_store (nth, mode, STORE_FAILED);
    else
        faults_arm (nth, mode);
    faults_begin ();
    store_t *store = s_open ();
    faults_end ();
    if (!store)
        MUST (s_disarm ());
    else {
        s_live (store, &life);
        bool failed = s_disarm ();
        s_look_back (store, &life);
        store_close (&store);
        if (s_kind != KIND_MEMORY) {
            //  After a restart too
            store = s_open ();
            s_look_back (store, &life);
            store_close (&store);
        }
        if (!failed)
            return false;
    }
    MUST_TELL (faults_blocks () == blocks, "%s: a leak", s_what);
    MUST_TELL (s_kind != KIND_FILE || sqlite3_memory_used () == 0,
               "%s: SQLite keeps memory", s_what);
    return true;
}

static void
s_fail_each (kind_t kind, part_t part, faults_mode_t mode, size_t least)
{
    s_kind = kind;
    size_t nth = 1;
    while (s_fail (part, nth, mode))
        nth++;
    s_remove ();
    ck_assert_uint_gt (nth, least);
}

START_TEST (memory_keeps_what_it_acknowledged)
{
    s_fail_each (KIND_MEMORY, PART_ALLOCATION, (faults_mode_t) _i, 20);
}
END_TEST

START_TEST (sqlite_keeps_what_it_acknowledged)
{
    faults_sqlite ();
    s_fail_each (KIND_FILE, PART_ALLOCATION, (faults_mode_t) _i, 200);
}
END_TEST

START_TEST (postgresql_keeps_what_it_acknowledged)
{
    s_fail_each (KIND_SERVER, PART_ALLOCATION, (faults_mode_t) _i, 20);
}
END_TEST

START_TEST (postgresql_without_libpq_keeps_what_it_acknowledged)
{
    s_fail_each (KIND_SERVER, PART_CALL, (faults_mode_t) _i, 100);
}
END_TEST

//  Empty where there is no server to try it on
Suite *
postgresql_fault_suite (void)
{
    Suite *suite = suite_create ("postgresql_fault");
#ifdef HAVE_LIBPQ
    if (getenv ("SEATRIAL_POSTGRESQL")) {
        TCase *tcase = tcase_create ("postgresql_fault");
        tcase_set_timeout (tcase, 240);
        tcase_add_loop_test (tcase, postgresql_keeps_what_it_acknowledged, 0,
                             FAULTS_MODE_COUNT);
        tcase_add_loop_test (tcase,
            postgresql_without_libpq_keeps_what_it_acknowledged, 0,
            FAULTS_MODE_COUNT);
        suite_add_tcase (suite, tcase);
    }
#endif
    return suite;
}

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
