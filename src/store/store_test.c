/*  =========================================================================
    store_test - one contract for every backend

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_trace.h"

Suite *
store_suite (void);

static char s_directory [32];
static char s_path [64];

//  The backends by number, for loop tests
static const char *
s_address (int backend)
{
    return backend == 0? "memory:": backend == 1? s_path
                       : getenv ("SEATRIAL_POSTGRESQL");
}

static void
s_set_up (void)
{
    strcpy (s_directory, "/tmp/store-test-XXXXXX");
    ck_assert_ptr_nonnull (mkdtemp (s_directory));
    snprintf (s_path, sizeof s_path, "%s/t.db", s_directory);
}

static void
s_tear_down (void)
{
    static const char *endings [] = { "", "-wal", "-shm", ".lock" };
    for (size_t nbr = 0; nbr < sizeof endings / sizeof *endings; nbr++) {
        char name [80];
        snprintf (name, sizeof name, "%s%s", s_path, endings [nbr]);
        unlink (name);
    }
    rmdir (s_directory);
}

START_TEST (a_request_has_a_life)
{
    store_t *store = trace_open (s_address (_i));
    ck_assert_ptr_null (trace_state (store, 1));
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "x"), STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "y"), STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "y");
    ck_assert_str_eq (trace_state (store, 1), "y");
    ck_assert_int_eq (trace_write (store, STORE_DROP, 1, NULL, NULL), STORE_OK);
    ck_assert_ptr_null (trace_state (store, 1));
    store_close (&store);
    ck_assert_ptr_null (store);
}
END_TEST

START_TEST (what_is_not_there_stays_away)
{
    store_t *store = trace_open (s_address (_i));
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "y"),
                      STORE_UNKNOWN);
    ck_assert_ptr_null (trace_state (store, 1));
    ck_assert_int_eq (trace_write (store, STORE_DROP, 1, NULL, NULL),
                      STORE_UNKNOWN);
    trace_write (store, STORE_PUT, 1, "echo", "x");
    trace_write (store, STORE_DROP, 1, NULL, NULL);
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "late"),
                      STORE_UNKNOWN);
    ck_assert_ptr_null (trace_state (store, 1));
    store_close (&store);
}
END_TEST

START_TEST (waiting_requests_come_in_order)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 9; number >= 1; number--)
        trace_write (store, STORE_PUT, number, number % 3? "echo": "other", "x");
    trace_write (store, STORE_ANSWER, 4, NULL, "y");
    //  echo: 1 2 5 7 8
    store_answer_t answer = trace_read (store, STORE_WAITING, 0, "echo", 3);
    ck_assert_uint_eq (answer.record_count, 3);
    static const unsigned first [] = { 1, 2, 5 };
    for (size_t nbr = 0; nbr < 3; nbr++) {
        request_id_t id = trace_id (first [nbr]);
        ck_assert_mem_eq (&answer.records [nbr].id, &id, sizeof id);
        ck_assert (frame_is (answer.records [nbr].service, "echo", 4));
        ck_assert_uint_eq (message_size (answer.records [nbr].body), 1);
    }
    store_answer_clear (&answer);
    answer = trace_read (store, STORE_WAITING, 5, "echo", 3);
    ck_assert_uint_eq (answer.record_count, 2);
    store_answer_clear (&answer);
    answer = trace_read (store, STORE_WAITING, 0, "nosuch", 3);
    ck_assert_int_eq (answer.result, STORE_OK);
    ck_assert_uint_eq (answer.record_count, 0);
    store_answer_clear (&answer);
    store_close (&store);
}
END_TEST

START_TEST (services_that_wait_are_named_once)
{
    store_t *store = trace_open (s_address (_i));
    trace_write (store, STORE_PUT, 1, "b", "x");
    trace_write (store, STORE_PUT, 2, "a", "x");
    trace_write (store, STORE_PUT, 3, "b", "x");
    trace_write (store, STORE_PUT, 4, "c", "x");
    trace_write (store, STORE_PUT, 5, "d", "x");
    trace_write (store, STORE_ANSWER, 4, NULL, "y");
    store_answer_t answer = trace_read (store, STORE_SERVICES, 0, NULL, 2);
    ck_assert_uint_eq (answer.record_count, 2);
    ck_assert (frame_is (answer.records [0].service, "a", 1));
    ck_assert (frame_is (answer.records [1].service, "b", 1));
    store_answer_clear (&answer);
    answer = trace_read (store, STORE_SERVICES, 0, "b", 2);
    ck_assert_uint_eq (answer.record_count, 1);
    ck_assert (frame_is (answer.records [0].service, "d", 1));
    store_answer_clear (&answer);
    store_close (&store);
}
END_TEST

START_TEST (bodies_are_kept_byte_for_byte)
{
    store_t *store = trace_open (s_address (_i));
    store_query_t query = trace_query (STORE_PUT, 1, "echo", NULL);
    query.body = message_new ();
    char bytes [256];
    for (int byte = 0; byte < 256; byte++)
        bytes [byte] = (char) byte;
    char *large = calloc (1, 1 << 20);
    message_add_string (query.body, "");
    message_add_bytes (query.body, bytes, sizeof bytes);
    message_add_bytes (query.body, large, 1 << 20);
    message_add_string (query.body, "");
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
    store_answer_clear (&answer);
    answer = trace_read (store, STORE_WAITING, 0, "echo", 1);
    ck_assert_uint_eq (answer.record_count, 1);
    const message_t *body = answer.records->body;
    ck_assert_uint_eq (message_size (body), 4);
    for (size_t nbr = 0; nbr < 4; nbr++)
        ck_assert (frame_equal (message_frame (body, nbr),
                                message_frame (query.body, nbr)));
    store_answer_clear (&answer);
    store_query_clear (&query);
    free (large);
    store_close (&store);
}
END_TEST

//  No frames is a reply too, and not the same as no reply
START_TEST (a_body_may_have_no_frames)
{
    store_t *store = trace_open (s_address (_i));
    for (store_query_type_t type = STORE_PUT; type <= STORE_ANSWER; type++) {
        store_query_t query = trace_query (type, 1, "echo", NULL);
        query.body = message_new ();
        const store_query_t *queries [] = { &query };
        store_answer_t answer;
        store_write (store, queries, 1, &answer);
        ck_assert_int_eq (answer.result, STORE_OK);
        store_answer_clear (&answer);
        store_query_clear (&query);
        answer = type == STORE_PUT
            ? trace_read (store, STORE_WAITING, 0, "echo", 1)
            : trace_read (store, STORE_FETCH, 1, NULL, 1);
        ck_assert_uint_eq (answer.record_count, 1);
        ck_assert_ptr_nonnull (answer.records->body);
        ck_assert_uint_eq (message_size (answer.records->body), 0);
        store_answer_clear (&answer);
    }
    store_close (&store);
}
END_TEST

START_TEST (one_that_fails_does_not_take_others_with_it)
{
    store_t *store = trace_open (s_address (_i));
    trace_write (store, STORE_PUT, 2, "echo", "another");
    store_query_t queries [3];
    const store_query_t *pointers [3];
    store_answer_t answers [3];
    for (unsigned nbr = 0; nbr < 3; nbr++) {
        //  Number 2 is there already
        queries [nbr] = trace_query (STORE_PUT, nbr + 1, "echo", "x");
        pointers [nbr] = &queries [nbr];
    }
    store_write (store, pointers, 3, answers);
    ck_assert_int_eq (answers [0].result, STORE_OK);
    ck_assert_int_eq (answers [1].result, STORE_FAILED);
    ck_assert_int_eq (answers [2].result, STORE_OK);
    ck_assert_str_ne (store_error (store), "");
    for (unsigned nbr = 0; nbr < 3; nbr++) {
        ck_assert_str_eq (trace_state (store, nbr + 1), "");
        store_query_clear (&queries [nbr]);
        store_answer_clear (&answers [nbr]);
    }
    store_close (&store);
}
END_TEST

//  A commit whose end nobody saw is tried again
START_TEST (the_same_once_more_is_done_already)
{
    store_t *store = trace_open (s_address (_i));
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "x"), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "x"), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "z"),
                      STORE_FAILED);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "other", "x"),
                      STORE_FAILED);
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "y"), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "z"), STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "y");
    ck_assert_int_eq (trace_write (store, STORE_PUT, 1, "echo", "x"), STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "y");
    store_close (&store);
}
END_TEST

//  --------------------------------------------------------------------------
//  Servers that share a store

START_TEST (a_request_is_claimed_by_one_server)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 1; number <= 9; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    ck_assert_int_eq (trace_renew (store, 'a', LONG), STORE_OK);
    ck_assert_int_eq (trace_renew (store, 'b', LONG), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 2), "1 2");
    ck_assert_str_eq (trace_claim (store, 'b', 0, 3), "3 4 5");
    ck_assert_str_eq (trace_claim (store, 'a', 0, 1), "6");
    //  One to give back, and one that is not b's
    trace_release (store, 'a', 2);
    trace_release (store, 'b', 1);
    ck_assert_str_eq (trace_claim (store, 'b', 0, 2), "2 7");
    ck_assert_str_eq (trace_claim (store, 'b', 0, 9), "8 9");
    ck_assert_str_eq (trace_claim (store, 'a', 0, 9), "");
    //  Who claims nothing sees all
    store_answer_t answer = trace_read (store, STORE_WAITING, 0, "echo", 20);
    ck_assert_uint_eq (answer.record_count, 9);
    store_answer_clear (&answer);
    store_close (&store);
}
END_TEST

START_TEST (claims_go_with_the_lease)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 1; number <= 4; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    //  A lease of no time has run out when it begins
    ck_assert_int_eq (trace_renew (store, 'a', LONG), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 2), "1 2");
    ck_assert_int_eq (trace_renew (store, 'a', 0), STORE_OK);
    ck_assert_int_eq (trace_renew (store, 'a', LONG), STORE_UNKNOWN);
    ck_assert_int_eq (trace_renew (store, 'b', LONG), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'b', 0, 3), "1 2 3");
    //  A server that goes gives back all
    trace_release (store, 'b', 0);
    ck_assert_int_eq (trace_renew (store, 'c', LONG), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'c', 0, 9), "1 2 3 4");
    trace_release (store, 'b', 1);
    ck_assert_int_eq (trace_renew (store, 'd', LONG), STORE_OK);
    ck_assert_str_eq (trace_claim (store, 'd', 0, 9), "");
    store_close (&store);
}
END_TEST

//  The late reply of one whose claim is gone is as good as the first, and never
//  instead of it
START_TEST (a_claim_is_not_needed_to_answer)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 1; number <= 3; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    trace_renew (store, 'a', LONG);
    trace_renew (store, 'b', LONG);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 3), "1 2 3");
    trace_renew (store, 'a', 0);
    ck_assert_str_eq (trace_claim (store, 'b', 0, 3), "1 2 3");
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "of a"),
                      STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, "of b"),
                      STORE_OK);
    ck_assert_str_eq (trace_state (store, 1), "of a");
    ck_assert_int_eq (trace_write (store, STORE_DROP, 2, NULL, NULL), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 2, NULL, "of b"),
                      STORE_UNKNOWN);
    trace_release (store, 'b', 3);
    ck_assert_str_eq (trace_claim (store, 'b', 0, 3), "3");
    store_close (&store);
}
END_TEST

static int64_t
s_hand (void *argument)
{
    return *(int64_t *) argument;
}

START_TEST (leases_run_out_by_the_clock)
{
    int64_t now_ms = 1000;
    store_t *store = trace_open (s_address (_i));
    ck_assert (!store_is_shared (store));
    store_set_clock (store, s_hand, &now_ms);
    trace_write (store, STORE_PUT, 1, "echo", "x");
    trace_renew (store, 'a', 100);
    trace_renew (store, 'b', 1000);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 1), "1");
    now_ms += 60;
    ck_assert_int_eq (trace_renew (store, 'a', 100), STORE_OK);
    now_ms += 99;
    ck_assert_str_eq (trace_claim (store, 'b', 0, 1), "");
    now_ms += 1;
    ck_assert_str_eq (trace_claim (store, 'b', 0, 1), "1");
    ck_assert_int_eq (trace_renew (store, 'a', 100), STORE_UNKNOWN);
    store_close (&store);
}
END_TEST

START_TEST (sqlite_keeps_what_was_written)
{
    store_t *store = trace_open (s_path);
    trace_write (store, STORE_PUT, 1, "echo", "x");
    trace_write (store, STORE_PUT, 2, "echo", "x");
    trace_write (store, STORE_ANSWER, 2, NULL, "y");
    store_close (&store);
    store = trace_open (s_path);
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_str_eq (trace_state (store, 2), "y");
    store_close (&store);
}
END_TEST

START_TEST (sqlite_has_one_server)
{
    store_t *store = trace_open (s_path);
    store_result_t result;
    char error [256];
    store_t *second = store_open (s_path, &result, error, sizeof error);
    ck_assert_ptr_null (second);
    ck_assert_int_eq (result, STORE_LOCKED);
    char pid [32];
    snprintf (pid, sizeof pid, "pid %ld", (long) getpid ());
    ck_assert_msg (strstr (error, pid) != NULL, "%s", error);
    store_close (&store);
    store = trace_open (s_path);
    store_close (&store);
}
END_TEST

//  A database that somebody else made, or will make
static const char *const s_foreign [] = {
    "CREATE TABLE theirs (x)",
    "PRAGMA application_id = 7",
    "PRAGMA application_id = 0x53656154; PRAGMA user_version = 99"
};

//  All bytes of the database and of its write-ahead log, added up
static unsigned long
s_checksum (void)
{
    static const char *endings [] = { "", "-wal" };
    unsigned long sum = 0;
    for (size_t nbr = 0; nbr < 2; nbr++) {
        char name [80];
        snprintf (name, sizeof name, "%s%s", s_path, endings [nbr]);
        FILE *file = fopen (name, "r");
        for (int byte; file && (byte = fgetc (file)) != EOF;)
            sum = sum * 31 + (unsigned long) byte + 1;
        if (file)
            fclose (file);
    }
    return sum;
}

//  Refused, and not a byte of it altered: also when its owner was killed and has
//  left a write-ahead log
START_TEST (sqlite_refuses_what_is_not_its_own)
{
    sqlite3 *database;
    ck_assert_int_eq (sqlite3_open (s_path, &database), SQLITE_OK);
    ck_assert_int_eq (sqlite3_db_config (database,
        SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
    ck_assert_int_eq (sqlite3_exec (database, "PRAGMA journal_mode = WAL",
                                    NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq (sqlite3_exec (database, s_foreign [_i], NULL, NULL,
                                    NULL), SQLITE_OK);
    sqlite3_close (database);
    unsigned long before = s_checksum ();
    store_result_t result;
    char error [256];
    ck_assert_ptr_null (store_open (s_path, &result, error, sizeof error));
    ck_assert_int_eq (result, STORE_FAILED);
    ck_assert_msg (strstr (error, s_path) != NULL, "%s", error);
    ck_assert_uint_eq (s_checksum (), before);
}
END_TEST

START_TEST (sqlite_refuses_garbage)
{
    FILE *file = fopen (s_path, "w");
    for (int line = 0; line < 100; line++)
        fputs ("this is no database\n", file);
    fclose (file);
    store_result_t result;
    char error [256];
    ck_assert_ptr_null (store_open (s_path, &result, error, sizeof error));
    ck_assert_int_eq (result, STORE_FAILED);
}
END_TEST

//  Names that have a meaning of their own for SQLite: none of them is a file that
//  would keep anything
static const char *const s_no_files [] = {
    "", "sqlite:", ":memory:", "sqlite::memory:", "file:x?mode=memory",
    "postgresql://nowhere"
};

START_TEST (sqlite_refuses_what_is_no_file)
{
    store_result_t result;
    char error [256] = "";
    ck_assert_ptr_null (store_open (s_no_files [_i], &result, error,
                                    sizeof error));
    ck_assert_int_eq (result, STORE_FAILED);
    ck_assert_str_ne (error, "");
    ck_assert_ptr_null (strchr (error, '\n'));
}
END_TEST

//  What was dropped makes room for what comes
START_TEST (sqlite_uses_space_again)
{
    store_t *store = trace_open (s_path);
    char *large = calloc (1, 1 << 20);
    memset (large, 'a', (1 << 20) - 1);
    for (unsigned number = 1; number <= 20; number++) {
        ck_assert_int_eq (trace_write (store, STORE_PUT, number, "echo", large),
                          STORE_OK);
        ck_assert_int_eq (trace_write (store, STORE_DROP, number, NULL, NULL),
                          STORE_OK);
    }
    free (large);
    store_close (&store);
    FILE *file = fopen (s_path, "r");
    ck_assert_int_eq (fseek (file, 0, SEEK_END), 0);
    ck_assert_int_lt (ftell (file), 4 << 20);
    fclose (file);
}
END_TEST

//  A file that may not grow stands for a disk that fails. What fits is kept,
//  what does not is not half there, and with room again the same handle goes on.
START_TEST (sqlite_goes_on_after_a_failed_write)
{
    signal (SIGXFSZ, SIG_IGN);
    store_t *store = trace_open (s_path);
    trace_write (store, STORE_PUT, 1, "echo", "x");
    struct rlimit before;
    getrlimit (RLIMIT_FSIZE, &before);
    struct rlimit limit = { 200000, before.rlim_max };
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    char *large = calloc (1, 1 << 20);
    memset (large, 'a', (1 << 20) - 1);
    store_query_t queries [2] = { trace_query (STORE_PUT, 2, "echo", large),
                                  trace_query (STORE_PUT, 3, "echo", "small") };
    const store_query_t *pointers [2] = { &queries [0], &queries [1] };
    store_answer_t answers [2];
    store_write (store, pointers, 2, answers);
    ck_assert_int_eq (answers [0].result, STORE_FULL);
    ck_assert_int_eq (answers [1].result, STORE_OK);
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_ptr_null (trace_state (store, 2));
    ck_assert_str_eq (trace_state (store, 3), "");
    store_write (store, pointers, 1, answers);
    ck_assert_int_eq (answers [0].result, STORE_OK);
    for (int nbr = 0; nbr < 2; nbr++) {
        store_query_clear (&queries [nbr]);
        store_answer_clear (&answers [nbr]);
    }
    free (large);
    store_close (&store);
}
END_TEST

//  The log cannot grow, but the file has room inside: that is used
START_TEST (sqlite_uses_room_inside_when_there_is_none_outside)
{
    signal (SIGXFSZ, SIG_IGN);
    store_t *store = trace_open (s_path);
    char *large = calloc (1, 20001);
    memset (large, 'a', 20000);
    for (unsigned number = 1; number <= 10; number++)
        trace_write (store, STORE_PUT, number, "echo", large);
    for (unsigned number = 1; number <= 10; number++)
        trace_write (store, STORE_DROP, number, NULL, NULL);
    //  What is in the log goes to the file
    store_close (&store);
    store = trace_open (s_path);
    struct rlimit before;
    getrlimit (RLIMIT_FSIZE, &before);
    struct rlimit limit = { 250000, before.rlim_max };
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
    for (unsigned number = 11; number <= 50; number++) {
        ck_assert_int_eq (trace_write (store, STORE_PUT, number, "echo", large),
                          STORE_OK);
        ck_assert_int_eq (trace_write (store, STORE_DROP, number, NULL, NULL),
                          STORE_OK);
    }
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
    free (large);
    store_close (&store);
}
END_TEST

//  Which requests are old, of those with or without an answer: "1 3"
static const char *
s_old (store_t *store, bool answered, int64_t age_ms, size_t limit)
{
    static char text [64];
    *text = 0;
    store_query_t query = { .type = STORE_OLD, .answered = answered,
                            .age_ms = age_ms, .limit = limit };
    store_answer_t answer;
    store_read (store, &query, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
    for (unsigned number = 1; number < 10; number++) {
        request_id_t id = trace_id (number);
        for (size_t nbr = 0; nbr < answer.record_count; nbr++)
            if (memcmp (&answer.records [nbr].id, &id, sizeof id) == 0)
                sprintf (text + strlen (text), "%s%u", *text? " ": "", number);
    }
    store_answer_clear (&answer);
    return text;
}

START_TEST (what_is_old_is_named)
{
    store_t *store = trace_open (s_address (_i));
    trace_write (store, STORE_PUT, 1, "a", "x");
    trace_write (store, STORE_PUT, 2, "b", "x");
    trace_write (store, STORE_PUT, 3, "a", "x");
    trace_write (store, STORE_ANSWER, 2, NULL, "y");
    ck_assert_str_eq (s_old (store, false, 0, 10), "1 3");
    ck_assert_str_eq (s_old (store, true, 0, 10), "2");
    ck_assert_str_eq (s_old (store, false, 3600000, 10), "");
    ck_assert_str_eq (s_old (store, true, 3600000, 10), "");
    ck_assert_uint_eq (strlen (s_old (store, false, 0, 1)), 1);
    ck_assert_str_eq (s_old (store, false, 0, 0), "");
    store_close (&store);
}
END_TEST

//  A file that was large once does not stay so
START_TEST (sqlite_gives_space_back)
{
    store_t *store = trace_open (s_path);
    char *large = calloc (1, 20001);
    memset (large, 'a', 20000);
    for (unsigned number = 1; number <= 500; number++)
        trace_write (store, STORE_PUT, number, "echo", large);
    store_close (&store);
    struct stat before, after;
    ck_assert_int_eq (stat (s_path, &before), 0);
    store = trace_open (s_path);
    for (unsigned number = 1; number <= 490; number++)
        trace_write (store, STORE_DROP, number, NULL, NULL);
    ck_assert_str_eq (s_old (store, true, 0, 0), "");
    ck_assert_str_eq (trace_state (store, 495), "");
    store_close (&store);
    ck_assert_int_eq (stat (s_path, &after), 0);
    ck_assert_int_lt (after.st_size, before.st_size / 4);
    free (large);
}
END_TEST

//  The service that waits, "" if none does, and the attempts of what it waits for
static const char *
s_waiting (store_t *store)
{
    static char text [64];
    *text = 0;
    store_answer_t answer = trace_read (store, STORE_SERVICES, 0, NULL, 9);
    size_t services = answer.record_count;
    store_answer_clear (&answer);
    answer = trace_read (store, STORE_WAITING, 0, "echo", 9);
    ck_assert_uint_eq (services, answer.record_count? 1: 0);
    for (size_t nbr = 0; nbr < answer.record_count; nbr++)
        sprintf (text + strlen (text), "%s%d:%u", *text? " ": "",
                 answer.records [nbr].id.bytes [15],
                 answer.records [nbr].attempts);
    store_answer_clear (&answer);
    return text;
}

static bool
s_is_aside (store_t *store, unsigned number)
{
    store_answer_t answer = trace_read (store, STORE_FETCH, number, NULL, 1);
    ck_assert_int_eq (answer.result, STORE_OK);
    bool aside = answer.records->aside;
    store_answer_clear (&answer);
    return aside;
}

START_TEST (attempts_are_counted)
{
    store_t *store = trace_open (s_address (_i));
    trace_write (store, STORE_PUT, 1, "echo", "x");
    trace_write (store, STORE_PUT, 2, "echo", "x");
    ck_assert_str_eq (s_waiting (store), "1:0 2:0");
    ck_assert_int_eq (trace_attempt (store, 1, 3, false), STORE_OK);
    ck_assert_str_eq (s_waiting (store), "1:3 2:0");
    ck_assert (!s_is_aside (store, 1));
    trace_renew (store, 'a', LONG);
    store_query_t query = trace_query (STORE_WAITING, 0, "echo", NULL);
    query.id = (request_id_t) { { 0 } };
    query.server = trace_server ('a');
    query.limit = 9;
    store_answer_t answer;
    store_read (store, &query, &answer);
    ck_assert_uint_eq (answer.records->attempts, 3);
    store_answer_clear (&answer);
    store_query_clear (&query);
    //  What is gone, or answered, is no more attempted
    ck_assert_int_eq (trace_attempt (store, 3, 1, true), STORE_UNKNOWN);
    trace_write (store, STORE_ANSWER, 2, NULL, "y");
    ck_assert_int_eq (trace_attempt (store, 2, 1, true), STORE_UNKNOWN);
    ck_assert (!s_is_aside (store, 2));
    store_close (&store);
}
END_TEST

START_TEST (what_is_set_aside_does_not_wait)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 1; number <= 3; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    trace_renew (store, 'a', LONG);
    trace_renew (store, 'b', LONG);
    ck_assert_str_eq (trace_claim (store, 'a', 0, 1), "1");
    ck_assert_int_eq (trace_attempt (store, 1, 2, true), STORE_OK);
    ck_assert_int_eq (trace_attempt (store, 2, 2, true), STORE_OK);
    ck_assert_str_eq (s_waiting (store), "3:0");
    ck_assert_str_eq (trace_claim (store, 'b', 0, 9), "3");
    ck_assert_int_eq (trace_attempt (store, 3, 2, true), STORE_OK);
    ck_assert_str_eq (s_waiting (store), "");
    ck_assert (s_is_aside (store, 1));
    ck_assert_str_eq (trace_state (store, 1), "");
    ck_assert_str_eq (s_old (store, false, 0, 9), "1 2 3");
    //  A late reply is as good as any; and it can be closed
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 2, NULL, "y"), STORE_OK);
    ck_assert_str_eq (trace_state (store, 2), "y");
    ck_assert (!s_is_aside (store, 2));
    ck_assert_int_eq (trace_write (store, STORE_DROP, 3, NULL, NULL), STORE_OK);
    //  Whose it was has no claim any more
    ck_assert_int_eq (trace_write (store, STORE_REVIVE, 0, NULL, NULL),
                      STORE_OK);
    ck_assert (!s_is_aside (store, 1));
    ck_assert_str_eq (s_waiting (store), "1:0");
    ck_assert_str_eq (trace_claim (store, 'b', 0, 9), "1");
    ck_assert_int_eq (trace_write (store, STORE_REVIVE, 0, NULL, NULL),
                      STORE_OK);
    store_close (&store);
}
END_TEST

//  For those that keep more than memory
START_TEST (attempts_outlive_a_restart)
{
    store_t *store = trace_open (s_address (_i));
    for (unsigned number = 1; number <= 3; number++)
        trace_write (store, STORE_PUT, number, "echo", "x");
    trace_attempt (store, 2, 7, false);
    trace_attempt (store, 3, 7, true);
    store_close (&store);
    store = trace_open (s_address (_i));
    ck_assert_str_eq (s_waiting (store), "1:0 2:7");
    ck_assert (s_is_aside (store, 3));
    store_close (&store);
}
END_TEST

//  Likewise
START_TEST (a_store_keeps_to_its_limit)
{
    store_t *store = trace_open (s_address (_i));
    char *large = calloc (1, 20001);
    memset (large, 'a', 20000);
    store_set_limit (store, 1000000);
    unsigned count = 0;
    while (trace_write (store, STORE_PUT, count + 1, "echo", large) == STORE_OK)
        ck_assert_uint_lt (count++, 50);
    ck_assert_uint_gt (count, 30);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 100, "echo", large),
                      STORE_FULL);
    ck_assert_ptr_nonnull (strstr (store_error (store), "max-stored-bytes"));
    //  There is room for replies, and for what is small
    ck_assert_int_eq (trace_write (store, STORE_ANSWER, 1, NULL, large), STORE_OK);
    //  What was dropped makes room
    ck_assert_int_eq (trace_write (store, STORE_DROP, 2, NULL, NULL), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_DROP, 3, NULL, NULL), STORE_OK);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 101, "echo", large), STORE_OK);
    //  Replies have an end, too
    unsigned replies = 3;
    while (trace_write (store, STORE_ANSWER, ++replies, NULL, large) == STORE_OK)
        ck_assert_uint_lt (replies, count);
    //  One that does not fit takes no other with it
    store_query_t queries [] = { trace_query (STORE_PUT, 102, "echo", large),
                                 trace_query (STORE_DROP, 4, NULL, NULL) };
    const store_query_t *pointers [] = { &queries [0], &queries [1] };
    store_answer_t answers [2];
    store_write (store, pointers, 2, answers);
    ck_assert_int_eq (answers [0].result, STORE_FULL);
    ck_assert_int_eq (answers [1].result, STORE_OK);
    for (int nbr = 0; nbr < 2; nbr++)
        store_query_clear (&queries [nbr]);
    //  No limit
    store_set_limit (store, 0);
    ck_assert_int_eq (trace_write (store, STORE_PUT, 103, "echo", large),
                      STORE_OK);
    store_close (&store);
    free (large);
}
END_TEST

TCase *
store_contract (int first, int end)
{
    TCase *contract = tcase_create ("contract");
    tcase_add_loop_test (contract, a_request_has_a_life, first, end);
    tcase_add_loop_test (contract, what_is_not_there_stays_away, first, end);
    tcase_add_loop_test (contract, waiting_requests_come_in_order, first, end);
    tcase_add_loop_test (contract, what_is_old_is_named, first, end);
    tcase_add_loop_test (contract, services_that_wait_are_named_once, first,
                         end);
    tcase_add_loop_test (contract, bodies_are_kept_byte_for_byte, first, end);
    tcase_add_loop_test (contract, a_body_may_have_no_frames, first, end);
    tcase_add_loop_test (contract, one_that_fails_does_not_take_others_with_it,
                         first, end);
    tcase_add_loop_test (contract, the_same_once_more_is_done_already, first,
                         end);
    tcase_add_loop_test (contract, a_request_is_claimed_by_one_server, first,
                         end);
    tcase_add_loop_test (contract, claims_go_with_the_lease, first, end);
    tcase_add_loop_test (contract, a_claim_is_not_needed_to_answer, first,
                         end);
    tcase_add_loop_test (contract, attempts_are_counted, first, end);
    tcase_add_loop_test (contract, what_is_set_aside_does_not_wait, first, end);
    tcase_add_loop_test (contract, attempts_outlive_a_restart,
                         first? first: 1, end);
    tcase_add_loop_test (contract, a_store_keeps_to_its_limit,
                         first? first: 1, end);
    return contract;
}
//  As it was made before attempts were counted
static const char s_version_2 [] =
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "CREATE TABLE request (id BLOB NOT NULL PRIMARY KEY,"
    " service BLOB NOT NULL, since INTEGER NOT NULL DEFAULT (unixepoch ()),"
    " body BLOB NOT NULL, reply BLOB);"
    "CREATE INDEX waiting ON request (service, id) WHERE reply IS NULL;"
    "CREATE INDEX age ON request (reply IS NULL, since);"
    "PRAGMA application_id = 0x53656154; PRAGMA user_version = 2;"
    "INSERT INTO request (id, service, body, reply) VALUES"
    " (X'01000000000000000000000000000001', CAST ('echo' AS BLOB),"
    "  X'0000000178', NULL),"
    " (X'01000000000000000000000000000002', CAST ('echo' AS BLOB),"
    "  X'0000000178', X'0000000179')";

START_TEST (sqlite_raises_an_older_format)
{
    sqlite3 *database;
    ck_assert_int_eq (sqlite3_open (s_path, &database), SQLITE_OK);
    ck_assert_int_eq (sqlite3_exec (database, s_version_2, NULL, NULL, NULL),
                      SQLITE_OK);
    sqlite3_close (database);
    //  The second time there is nothing to raise
    for (int time = 0; time < 2; time++) {
        store_t *store = trace_open (s_path);
        ck_assert_str_eq (trace_state (store, 2), "y");
        ck_assert_str_eq (s_waiting (store), time? "1:1": "1:0");
        ck_assert_int_eq (trace_attempt (store, 1, 1, false), STORE_OK);
        store_close (&store);
    }
    store_t *store = trace_open (s_path);
    ck_assert_int_eq (trace_attempt (store, 1, 2, true), STORE_OK);
    ck_assert (s_is_aside (store, 1));
    ck_assert_str_eq (s_waiting (store), "");
    ck_assert_int_eq (trace_write (store, STORE_PUT, 3, "echo", "x"), STORE_OK);
    ck_assert_str_eq (s_waiting (store), "3:0");
    store_close (&store);
}
END_TEST

Suite *
store_suite (void)
{
    Suite *suite = suite_create ("store");
    TCase *contract = store_contract (0, BACKENDS);
    tcase_add_checked_fixture (contract, s_set_up, s_tear_down);
    tcase_add_loop_test (contract, leases_run_out_by_the_clock, 0, BACKENDS);
    suite_add_tcase (suite, contract);
    TCase *sqlite = tcase_create ("sqlite");
    //  A thousand commits, each to a disk that others use too
    tcase_set_timeout (sqlite, 60);
    tcase_add_checked_fixture (sqlite, s_set_up, s_tear_down);
    tcase_add_test (sqlite, sqlite_keeps_what_was_written);
    tcase_add_test (sqlite, sqlite_has_one_server);
    tcase_add_loop_test (sqlite, sqlite_refuses_what_is_not_its_own, 0,
                         (int) (sizeof s_foreign / sizeof *s_foreign));
    tcase_add_test (sqlite, sqlite_refuses_garbage);
    tcase_add_loop_test (sqlite, sqlite_refuses_what_is_no_file, 0,
                         (int) (sizeof s_no_files / sizeof *s_no_files));
    tcase_add_test (sqlite, sqlite_uses_space_again);
    tcase_add_test (sqlite, sqlite_goes_on_after_a_failed_write);
    tcase_add_test (sqlite,
                    sqlite_uses_room_inside_when_there_is_none_outside);
    tcase_add_test (sqlite, sqlite_gives_space_back);
    tcase_add_test (sqlite, sqlite_raises_an_older_format);
    suite_add_tcase (suite, sqlite);
    return suite;
}
