/*  =========================================================================
    store_trace - what tests do with a store

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "store_trace.h"

store_t *
trace_open (const char *address)
{
    store_result_t result;
    char error [256] = "";
    store_t *store = store_open (address, &result, error, sizeof error);
    ck_assert_msg (store != NULL, "%s", error);
    return store;
}

//  Ids in the order of their numbers
request_id_t
trace_id (unsigned number)
{
    request_id_t id = { { 0 } };
    id.bytes [0] = 1;
    id.bytes [14] = (unsigned char) (number >> 8);
    id.bytes [15] = (unsigned char) number;
    return id;
}

store_query_t
trace_query (store_query_type_t type, unsigned number, const char *service,
         const char *body)
{
    store_query_t query = { .type = type, .id = trace_id (number),
                            .ticket = 1000 + number };
    if (service)
        query.service = frame_new (service, strlen (service));
    if (body) {
        query.body = message_new ();
        message_add_string (query.body, body);
    }
    return query;
}

//  One write by itself; its result
store_result_t
trace_write (store_t *store, store_query_type_t type, unsigned number,
         const char *service, const char *body)
{
    store_query_t query = trace_query (type, number, service, body);
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    ck_assert_uint_eq (answer.ticket, 1000 + number);
    ck_assert_int_eq (answer.type, type);
    store_result_t result = answer.result;
    store_answer_clear (&answer);
    store_query_clear (&query);
    return result;
}

store_answer_t
trace_read (store_t *store, store_query_type_t type, unsigned number,
        const char *service, size_t limit)
{
    store_query_t query = trace_query (type, number, service, NULL);
    query.limit = limit;
    if (number == 0)
        query.id = (request_id_t) { { 0 } };
    store_answer_t answer;
    store_read (store, &query, &answer);
    ck_assert_uint_eq (answer.ticket, 1000 + number);
    store_query_clear (&query);
    return answer;
}

//  The state of a request: NULL unknown, "" pending, else the reply
const char *
trace_state (store_t *store, unsigned number)
{
    static char text [64];
    store_answer_t answer = trace_read (store, STORE_FETCH, number, NULL, 1);
    const char *state = NULL;
    if (answer.result == STORE_OK) {
        ck_assert_uint_eq (answer.record_count, 1);
        *text = 0;
        if (answer.records->body) {
            frame_t *frame = message_frame (answer.records->body, 0);
            snprintf (text, sizeof text, "%.*s", (int) frame_size (frame),
                      (const char *) frame_data (frame));
        }
        state = text;
    }
    else
        ck_assert_int_eq (answer.result, STORE_UNKNOWN);
    store_answer_clear (&answer);
    return state;
}

request_id_t
trace_server (char name)
{
    return (request_id_t) { { 0xff, (unsigned char) name } };
}

store_result_t
trace_renew (store_t *store, char name, int64_t lease_ms)
{
    store_query_t query = { .type = STORE_RENEW, .server = trace_server (name),
                            .lease_ms = lease_ms };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    return answer.result;
}

//  Give back one claim; 0: the lease
void
trace_release (store_t *store, char name, unsigned number)
{
    store_query_t query = { .type = STORE_RELEASE, .server = trace_server (name) };
    if (number)
        query.id = trace_id (number);
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
}

store_result_t
trace_attempt (store_t *store, unsigned number, unsigned attempts, bool aside)
{
    store_query_t query = { .type = STORE_ATTEMPT, .id = trace_id (number),
                            .attempts = attempts, .aside = aside };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    return answer.result;
}

//  What a server gets to execute: the numbers, as "1 2 5"
const char *
trace_claim (store_t *store, char name, unsigned after, size_t limit)
{
    static char text [64];
    store_query_t query = trace_query (STORE_WAITING, after, "echo", NULL);
    if (after == 0)
        query.id = (request_id_t) { { 0 } };
    query.server = trace_server (name);
    query.limit = limit;
    store_answer_t answer;
    store_read (store, &query, &answer);
    ck_assert_int_eq (answer.result, STORE_OK);
    *text = 0;
    for (size_t nbr = 0; nbr < answer.record_count; nbr++) {
        ck_assert_uint_eq (message_size (answer.records [nbr].body), 1);
        ck_assert (frame_is (answer.records [nbr].service, "echo", 4));
        size_t size = strlen (text);
        snprintf (text + size, sizeof text - size, "%s%d", size? " ": "",
                  answer.records [nbr].id.bytes [15]);
    }
    store_answer_clear (&answer);
    store_query_clear (&query);
    return text;
}
