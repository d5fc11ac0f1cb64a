/*  =========================================================================
    postgresql_test - what only PostgreSQL does, on a real server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_trace.h"

#ifdef HAVE_LIBPQ
#include "pg_link.h"
#endif

Suite *
postgresql_suite (void);

#ifdef HAVE_LIBPQ

static const char *
s_address (void)
{
    return getenv ("SEATRIAL_POSTGRESQL");
}

static void
s_ignore (void *argument, const PGresult *notice)
{
    (void) argument;
    (void) notice;
}

//  Do something in the database by hand; the first value, "" if there is none
static const char *
s_sql (const char *sql)
{
    static char value [64];
    PGconn *connection = PQconnectdb (s_address ());
    PQsetNoticeReceiver (connection, s_ignore, NULL);
    PGresult *result = PQexec (connection, sql);
    ExecStatusType status = PQresultStatus (result);
    ck_assert_msg (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK,
                   "%s", PQerrorMessage (connection));
    snprintf (value, sizeof value, "%s", PQntuples (result)
                                         ? PQgetvalue (result, 0, 0): "");
    PQclear (result);
    PQfinish (connection);
    return value;
}

static void
s_find_standby (void)
{
    s_sql ("ALTER SYSTEM RESET synchronous_standby_names");
    s_sql ("SELECT pg_reload_conf ()");
}

static void
s_drop_schema (void)
{
    s_find_standby ();
    s_sql ("DROP SCHEMA IF EXISTS titanic CASCADE");
}

START_TEST (postgresql_keeps_what_was_written)
{
    store_t *store = trace_open (s_address ());
    ck_assert (store_is_shared (store));
    store_t *other = trace_open (s_address ());
    trace_write (store, STORE_PUT, 1, "echo", "x");
    ck_assert_str_eq (trace_state (other, 1), "");
    trace_write (other, STORE_ANSWER, 1, NULL, "y");
    ck_assert_str_eq (trace_state (store, 1), "y");
    store_close (&store);
    store_close (&other);
    store = trace_open (s_address ());
    ck_assert_str_eq (trace_state (store, 1), "y");
    store_close (&store);
}
END_TEST

//  What another program, or another version, has put there
static const char *const s_foreign_schemas [] = {
    "CREATE SCHEMA titanic; CREATE TABLE titanic.passengers (name text)",
    "CREATE SCHEMA titanic; CREATE TABLE titanic.format (application text,"
    " version int, store uuid); INSERT INTO titanic.format VALUES"
    " ('seatrial', 99, gen_random_uuid ())"
};

START_TEST (postgresql_refuses_what_is_not_its_own)
{
    s_sql (s_foreign_schemas [_i]);
    store_result_t result;
    char error [256];
    ck_assert_ptr_null (store_open (s_address (), &result, error,
                                    sizeof error));
    ck_assert_int_eq (result, STORE_FAILED);
    ck_assert_msg (strstr (error, _i? "version 99": "another program") != NULL,
                   "%s", error);
    ck_assert_ptr_null (strchr (error, '\n'));
    ck_assert_str_eq (s_sql ("SELECT count (*) FROM pg_tables"
                             " WHERE schemaname = 'titanic'"), "1");
}
END_TEST

//  A schema that is there, and empty, was made for us
START_TEST (postgresql_takes_an_empty_schema)
{
    s_sql ("CREATE SCHEMA titanic");
    store_t *store = trace_open (s_address ());
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "x"), STORE_OK);
    store_close (&store);
}
END_TEST

START_TEST (postgresql_says_in_one_line_that_nobody_is_there)
{
    store_result_t result;
    char error [512];
    ck_assert_ptr_null (store_open ("postgresql://me:secret@/x?host=/nowhere",
                                    &result, error, sizeof error));
    ck_assert_msg (strstr (error, "/nowhere") != NULL, "%s", error);
    ck_assert_ptr_null (strchr (error, '\n'));
    ck_assert_ptr_null (strstr (error, "secret"));
}
END_TEST

//  Many servers are started by one hand
START_TEST (postgresql_is_made_once)
{
    pid_t children [8];
    for (int nbr = 0; nbr < 8; nbr++) {
        children [nbr] = fork ();
        if (children [nbr] == 0) {
            store_result_t result;
            char error [256];
            store_t *store = store_open (s_address (), &result, error,
                                         sizeof error);
            bool done = store && trace_write (store, STORE_PUT,
                (unsigned) nbr + 1, "echo", "x") == STORE_OK;
            store_close (&store);
            _exit (done? 0: 1);
        }
    }
    for (int nbr = 0; nbr < 8; nbr++) {
        int status;
        ck_assert_int_eq (waitpid (children [nbr], &status, 0),
                          children [nbr]);
        ck_assert_int_eq (status, 0);
    }
    ck_assert_str_eq (s_sql ("SELECT count (*) FROM titanic.request"), "8");
    ck_assert_str_eq (s_sql ("SELECT count (*) FROM titanic.format"), "1");
}
END_TEST

static void
s_cut_off (void)
{
    s_sql ("SELECT pg_terminate_backend (pid) FROM pg_stat_activity"
           " WHERE application_name = 'titanicd'");
}

//  A connection that is lost is made again, and nobody sees it
START_TEST (postgresql_comes_back)
{
    store_t *store = trace_open (s_address ());
    trace_write (store, STORE_PUT, 1, "echo", "x");
    s_cut_off ();
    ck_assert_int_eq (trace_write (store, STORE_PUT, 2, "echo", "x"), STORE_OK);
    s_cut_off ();
    //  A read has one chance only
    store_answer_t answer = trace_read (store, STORE_FETCH, 1, NULL, 1);
    ck_assert_int_eq (answer.result, STORE_FAILED);
    ck_assert_str_ne (store_error (store), "");
    ck_assert_str_eq (trace_state (store, 1), "");
    store_close (&store);
}
END_TEST

//  An empty database in the place of the store would pass for one where nothing
//  was ever stored
START_TEST (postgresql_comes_back_to_the_same_store_only)
{
    store_t *store = trace_open (s_address ());
    trace_write (store, STORE_PUT, 1, "echo", "x");
    s_drop_schema ();
    s_cut_off ();
    ck_assert_int_eq (trace_write (store, STORE_PUT, 2, "echo", "x"),
                      STORE_FAILED);
    ck_assert_msg (strstr (store_error (store), "another store") != NULL,
                   "%s", store_error (store));
    store_t *other = trace_open (s_address ());
    ck_assert_int_eq (trace_write (store, STORE_PUT, 2, "echo", "x"),
                      STORE_FAILED);
    store_close (&other);
    store_close (&store);
}
END_TEST

//  From now on commits wait for a standby that does not come. It takes the server
//  a moment to learn that.
static void
s_lose_standby (void)
{
    s_sql ("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    s_sql ("SELECT pg_reload_conf ()");
}

//  What is kept on one machine only is not acknowledged: neither when nothing more
//  is heard, nor when somebody ends the waiting. It is there all the same, and
//  trying again is no mistake.
START_TEST (postgresql_does_not_count_half_a_commit)
{
    store_t *store = trace_open (s_address ());
    s_lose_standby ();
    pid_t child = 0;
    if (_i == 1 && (child = fork ()) == 0)
        for (;;)
            s_sql ("SELECT pg_cancel_backend (pid) FROM pg_stat_activity"
                   " WHERE wait_event = 'SyncRep'");
    unsigned number = 1;
    while (trace_write (store, STORE_PUT, number, "echo", "x") == STORE_OK)
        ck_assert_uint_lt (++number, 2000);
    ck_assert_str_ne (store_error (store), "");
    s_find_standby ();
    if (child) {
        kill (child, SIGKILL);
        waitpid (child, NULL, 0);
    }
    store_result_t result = STORE_FAILED;
    for (int try = 0; result != STORE_OK && try < 100 && usleep (50000) == 0;
                try++)
        result = trace_write (store, STORE_PUT, number, "echo", "x");
    ck_assert_int_eq (result, STORE_OK);
    ck_assert_str_eq (trace_state (store, number), "");
    //  What was given up does not hang about
    ck_assert_str_eq (s_sql ("SELECT count (*) FROM pg_stat_activity"
        " WHERE application_name = 'titanicd'"), "1");
    store_close (&store);
}
END_TEST

//  Silence costs a batch its time once, however many writes are in it
START_TEST (postgresql_is_not_waited_for_twice)
{
    store_t *store = trace_open (s_address ());
    s_lose_standby ();
    store_query_t queries [8];
    const store_query_t *pointers [8];
    store_answer_t answers [8];
    struct timespec begun, ended;
    unsigned number = 1;
    do {
        for (unsigned nbr = 0; nbr < 8; nbr++) {
            queries [nbr] = trace_query (STORE_PUT, number++, "echo", "x");
            pointers [nbr] = &queries [nbr];
        }
        clock_gettime (CLOCK_MONOTONIC, &begun);
        store_write (store, pointers, 8, answers);
        clock_gettime (CLOCK_MONOTONIC, &ended);
        for (unsigned nbr = 0; nbr < 8; nbr++)
            store_query_clear (&queries [nbr]);
    } while (answers [0].result == STORE_OK && number < 60000);
    for (unsigned nbr = 0; nbr < 8; nbr++)
        ck_assert_int_eq (answers [nbr].result, STORE_FAILED);
    ck_assert_int_lt (ended.tv_sec - begun.tv_sec, 2 * PG_SILENCE_MS / 1000);
    store_close (&store);
}
END_TEST

//  A name that fits into no index is one write's failure, and not that of others
//  in its transaction
START_TEST (postgresql_goes_on_after_a_failed_write)
{
    store_t *store = trace_open (s_address ());
    size_t size = 100000;
    char *name = malloc (size + 1);
    uint32_t bits = 1;
    for (size_t nbr = 0; nbr < size; nbr++)
        name [nbr] = (char) ('a' + (bits = bits * 1103515245 + 12345) / 65536
                                   % 26);
    name [size] = 0;
    store_query_t queries [] = { trace_query (STORE_PUT, 1, "echo", "x"),
                                 trace_query (STORE_PUT, 2, name, "x"),
                                 trace_query (STORE_PUT, 3, "echo", "x") };
    const store_query_t *pointers [] = { &queries [0], &queries [1],
                                         &queries [2] };
    store_answer_t answers [3];
    store_write (store, pointers, 3, answers);
    ck_assert_int_eq (answers [0].result, STORE_OK);
    ck_assert_int_eq (answers [1].result, STORE_FAILED);
    ck_assert_int_eq (answers [2].result, STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_ptr_null (trace_state (store, 2));
    for (int nbr = 0; nbr < 3; nbr++)
        store_query_clear (&queries [nbr]);
    free (name);
    store_close (&store);
}
END_TEST

//  Whatever a database is set to, 200 means on disk
START_TEST (postgresql_is_made_to_wait_for_the_disk)
{
    static const char *const statements [] = { "SHOW synchronous_commit" };
    s_sql ("ALTER DATABASE postgres SET synchronous_commit = off");
    char error [256];
    pg_link_t *link = pg_link_new (s_address (), statements, 1, error,
                                   sizeof error);
    s_sql ("ALTER DATABASE postgres RESET synchronous_commit");
    ck_assert_msg (link != NULL, "%s", error);
    ck_assert (pg_link_ready (link));
    ck_assert (pg_link_send (link, 0, NULL, 0));
    ck_assert (pg_link_sync (link));
    PGresult *result = pg_link_result (link);
    ck_assert_str_eq (PQgetvalue (result, 0, 0), "on");
    PQclear (result);
    ck_assert (pg_link_end (link));
    pg_link_destroy (&link);
}
END_TEST

//  As it was made before there was anything that counts
static const char s_version_2 [] =
    "CREATE SCHEMA titanic;"
    "CREATE TABLE titanic.format (application text NOT NULL,"
    " version int NOT NULL, store uuid NOT NULL);"
    "INSERT INTO titanic.format VALUES ('seatrial', 2, gen_random_uuid ());"
    "CREATE TABLE titanic.request (id uuid NOT NULL PRIMARY KEY,"
    " service bytea NOT NULL, body bytea NOT NULL, reply bytea, server uuid,"
    " since timestamptz NOT NULL DEFAULT clock_timestamp ())"
    " WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);"
    "CREATE INDEX waiting ON titanic.request (service, id)"
    " WHERE reply IS NULL;"
    "CREATE INDEX age ON titanic.request ((reply IS NULL), since);"
    "CREATE TABLE titanic.server (id uuid NOT NULL PRIMARY KEY,"
    " expires timestamptz NOT NULL) WITH (fillfactor = 50);"
    //  Number 1 waits for echo with the body "x", number 2 has the reply "y"
    "INSERT INTO titanic.request (id, service, body, reply) VALUES"
    " ('01000000-0000-0000-0000-000000000001', 'echo', '\\x0000000178', NULL),"
    " ('01000000-0000-0000-0000-000000000002', 'echo', '\\x0000000178',"
    "  '\\x0000000179')";

//  What is counted, and what is there
static void
s_check_count (void)
{
    char counted [64];
    snprintf (counted, sizeof counted, "%s",
              s_sql ("SELECT sum (bytes) FROM titanic.stored"));
    ck_assert_str_eq (s_sql ("SELECT coalesce (sum (200 + octet_length (service)"
        " + octet_length (body) + coalesce (octet_length (reply), 0)), 0)"
        " FROM titanic.request"), counted);
}

START_TEST (postgresql_raises_an_older_format)
{
    s_sql (s_version_2);
    store_t *store = trace_open (s_address ());
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_str_eq (trace_state (store, 2), "y");
    s_check_count ();
    trace_renew (store, 'a', LONG);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 9), "1");
    ck_assert_int_eq (trace_attempt (store, 1, 1, true), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 3, "echo", "x"), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 9), "3");
    store_close (&store);
    store = trace_open (s_address ());
    s_check_count ();
    store_close (&store);
}
END_TEST

//  A server of the older format that was there first finds its own store again
START_TEST (postgresql_is_the_same_store_when_raised)
{
    s_sql (s_version_2);
    char before [64];
    snprintf (before, sizeof before, "%s",
              s_sql ("SELECT store FROM titanic.format"));
    store_t *store = trace_open (s_address ());
    ck_assert_str_eq (s_sql ("SELECT store FROM titanic.format"), before);
    store_close (&store);
}
END_TEST

//  Whoever writes, and however often
START_TEST (postgresql_counts_what_is_stored)
{
    store_t *store = trace_open (s_address ());
    store_t *other = trace_open (s_address ());
    s_check_count ();
    for (unsigned number = 1; number <= 9; number++)
        trace_write (number % 2? store: other, STORE_PUT, number, "echo", "x");
    trace_write (store, STORE_PUT, 1, "echo", "x");
    trace_write (store, STORE_PUT, 1, "echo", "not the same");
    trace_write (other, STORE_ANSWER, 1, NULL, "a reply");
    trace_write (store, STORE_ANSWER, 1, NULL, "another, which is not kept");
    trace_write (store, STORE_ANSWER, 99, NULL, "to nothing");
    trace_write (other, STORE_DROP, 2, NULL, NULL);
    trace_write (other, STORE_DROP, 2, NULL, NULL);
    trace_renew (store, 'a', LONG);
    trace_claim (store, 'a', 0, 9);
    s_check_count ();
    s_sql ("DELETE FROM titanic.request WHERE service = 'echo'"
           " AND reply IS NULL");
    s_check_count ();
    store_close (&store);
    store_close (&other);
}
END_TEST

START_TEST (postgresql_has_one_limit_for_all_servers)
{
    store_t *store = trace_open (s_address ());
    store_t *other = trace_open (s_address ());
    store_set_limit (store, 100000);
    store_set_limit (other, 100000);
    char large [10001] = "";
    memset (large, 'a', 10000);
    unsigned count = 0;
    while (trace_write (count % 2? store: other, STORE_PUT, count + 1, "echo",
                        large) == STORE_OK)
        ck_assert_uint_lt (count++, 10);
    ck_assert_uint_ge (count, 8);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 100, "echo", large),
                      STORE_FULL);
    ck_assert_int_eq (trace_write (other, STORE_PUT, 101, "echo", large),
                      STORE_FULL);
    ck_assert_str_eq (store_error (store), "the store is as large as it may "
                      "be; see --max-stored-bytes");
    ck_assert_ptr_null (trace_state (store, 100));
    //  What may have been committed, unseen, is tried again
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", large),
                      STORE_OK);
    //  An operator is not held up, and what he deletes makes room
    s_sql ("INSERT INTO titanic.request (id, service, body)"
           " VALUES (gen_random_uuid (), 'x', '')");
    s_sql ("DELETE FROM titanic.request WHERE service = 'echo'");
    ck_assert_int_eq (trace_write (store, STORE_PUT, 100, "echo", large),
                      STORE_OK);
    s_check_count ();
    store_close (&store);
    store_close (&other);
}
END_TEST

//  Several connections take from one backlog: each request goes to one
START_TEST (postgresql_gives_each_request_to_one_server)
{
    enum { REQUESTS = 400, SERVERS = 4 };
    store_t *store = trace_open (s_address ());
    for (unsigned number = 1; number <= REQUESTS; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    store_close (&store);
    pid_t children [SERVERS];
    for (int name = 0; name < SERVERS; name++) {
        if ((children [name] = fork ()))
            continue;
        store = trace_open (s_address ());
        trace_renew (store, (char) name, LONG);
        for (int idle = 0; idle < 3; idle++)
            while (*trace_claim (store, (char) name, 0, 3))
                idle = 0;
        store_close (&store);
        _exit (0);
    }
    for (int name = 0; name < SERVERS; name++) {
        int status;
        waitpid (children [name], &status, 0);
        ck_assert_int_eq (status, 0);
    }
    ck_assert_str_eq (s_sql ("SELECT count (*) FROM titanic.request"
                             " WHERE server IS NOT NULL"), "400");
}
END_TEST

static void
s_add_postgresql_tests (TCase *tests)
{
    tcase_add_test (tests, postgresql_keeps_what_was_written);
    tcase_add_loop_test (tests, postgresql_refuses_what_is_not_its_own, 0, 2);
    tcase_add_test (tests, postgresql_takes_an_empty_schema);
    tcase_add_test (tests, postgresql_says_in_one_line_that_nobody_is_there);
    tcase_add_test (tests, postgresql_is_made_once);
    tcase_add_test (tests, postgresql_comes_back);
    tcase_add_test (tests, postgresql_comes_back_to_the_same_store_only);
    tcase_add_loop_test (tests, postgresql_does_not_count_half_a_commit, 0, 2);
    tcase_add_test (tests, postgresql_is_not_waited_for_twice);
    tcase_add_test (tests, postgresql_goes_on_after_a_failed_write);
    tcase_add_test (tests, postgresql_is_made_to_wait_for_the_disk);
    tcase_add_test (tests, postgresql_raises_an_older_format);
    tcase_add_test (tests, postgresql_is_the_same_store_when_raised);
    tcase_add_test (tests, postgresql_counts_what_is_stored);
    tcase_add_test (tests, postgresql_has_one_limit_for_all_servers);
    tcase_add_test (tests, postgresql_gives_each_request_to_one_server);
    tcase_set_timeout (tests, 30);
}

#endif

//  Empty where there is no server to try it on
Suite *
postgresql_suite (void)
{
    Suite *suite = suite_create ("postgresql");
#ifdef HAVE_LIBPQ
    if (getenv ("SEATRIAL_POSTGRESQL")) {
        TCase *contract = store_contract (BACKEND_POSTGRESQL,
                                          BACKEND_POSTGRESQL + 1);
        tcase_add_checked_fixture (contract, s_drop_schema, s_drop_schema);
        suite_add_tcase (suite, contract);
        TCase *tests = tcase_create ("postgresql");
        tcase_add_checked_fixture (tests, s_drop_schema, s_drop_schema);
        s_add_postgresql_tests (tests);
        suite_add_tcase (suite, tests);
    }
#endif
    return suite;
}
