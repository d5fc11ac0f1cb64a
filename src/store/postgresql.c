/*  =========================================================================
    postgresql - requests in PostgreSQL, shared by many servers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "blob.h"
#include "pg_link.h"

typedef enum {
    SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_ASYNC, SQL_LIMIT, SQL_PUT, SQL_ANSWER,
    SQL_DROP, SQL_ATTEMPT, SQL_REVIVE, SQL_RENEW, SQL_RELEASE, SQL_RESIGN, SQL_FETCH, SQL_SERVICES,
    SQL_WAITING, SQL_CLAIM, SQL_OLD, SQL_COUNT
} sql_t;

static const char *const s_sql [SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    //  A claim that is lost with its machine is one that nobody has: the request
    //  is executed again, which 9/TSP allows
    [SQL_ASYNC] = "SET LOCAL synchronous_commit = off",
    //  Triggers keep to it, see pg_schema.c
    [SQL_LIMIT] = "SELECT set_config ('titanic.most', $1::bigint::text, true),"
                  " set_config ('titanic.stored', (SELECT coalesce (sum (bytes),"
                  " 0) FROM titanic.stored)::text, true)",
    //  The same once more changes a row to what it is; another changes none
    [SQL_PUT] = "INSERT INTO titanic.request AS r (id, service, body)"
                " VALUES ($1::uuid, $2::bytea, $3::bytea)"
                " ON CONFLICT (id) DO UPDATE SET service = excluded.service"
                " WHERE r.service = excluded.service"
                " AND r.body = excluded.body",
    [SQL_ANSWER] = "UPDATE titanic.request"
                   " SET reply = coalesce (reply, $2::bytea), since = CASE"
                   " WHEN reply IS NULL THEN clock_timestamp ()"
                   " ELSE since END, aside = false"
                   " WHERE id = $1::uuid",
    //  TSP-CLOSE-01, TSP-CLOSE-02, TSP-CLOSE-03
    [SQL_DROP] = "DELETE FROM titanic.request WHERE id = $1::uuid",
    [SQL_ATTEMPT] = "UPDATE titanic.request SET attempts = $2::bigint,"
                    " aside = $3::bigint = 1,"
                    " server = CASE WHEN $3::bigint = 1 THEN NULL"
                    " ELSE server END"
                    " WHERE id = $1::uuid AND reply IS NULL",
    [SQL_REVIVE] = "UPDATE titanic.request SET attempts = 0, aside = false"
                   " WHERE aside",
    [SQL_RENEW] = "INSERT INTO titanic.server AS s (id, expires) VALUES"
                  " ($1::uuid, clock_timestamp ()"
                  " + $2::bigint * interval '1 ms')"
                  " ON CONFLICT (id) DO UPDATE SET expires = excluded.expires"
                  " WHERE s.expires > clock_timestamp ()",
    [SQL_RELEASE] = "UPDATE titanic.request SET server = NULL"
                    " WHERE id = $1::uuid AND server = $2::uuid",
    [SQL_RESIGN] = "DELETE FROM titanic.server WHERE id = $1::uuid",
    //  TSP-OVERVIEW-01, TSP-REPLY-08: reading takes nothing away
    [SQL_FETCH] = "SELECT reply, aside::int::bigint FROM titanic.request"
                  " WHERE id = $1::uuid",
    //  One step over the index a service, however many requests wait
    [SQL_SERVICES] = "WITH RECURSIVE names (name) AS ("
                     " (SELECT service FROM titanic.request"
                     "  WHERE reply IS NULL AND NOT aside AND service > $1::bytea"
                     "  ORDER BY service LIMIT 1)"
                     " UNION ALL"
                     " SELECT (SELECT service FROM titanic.request"
                     "  WHERE reply IS NULL AND NOT aside AND service > names.name"
                     "  ORDER BY service LIMIT 1)"
                     " FROM names WHERE names.name IS NOT NULL)"
                     " SELECT name FROM names WHERE name IS NOT NULL"
                     " LIMIT $2::bigint",
    [SQL_WAITING] = "SELECT id, body, attempts FROM titanic.request"
                    " WHERE reply IS NULL AND NOT aside AND service = $1::bytea"
                    " AND id > $2::uuid ORDER BY id LIMIT $3::bigint",
    //  What others are claiming just now is passed by, not waited for
    [SQL_CLAIM] = "WITH free AS MATERIALIZED ("
                  " SELECT r.id FROM titanic.request r"
                  " WHERE r.reply IS NULL AND NOT r.aside"
                  " AND r.service = $1::bytea"
                  " AND r.id > $2::uuid AND (r.server IS NULL OR NOT EXISTS ("
                  "  SELECT 1 FROM titanic.server s WHERE s.id = r.server"
                  "  AND s.expires > clock_timestamp ()))"
                  " ORDER BY r.id LIMIT $3::bigint"
                  " FOR UPDATE OF r SKIP LOCKED),"
                  " taken AS (UPDATE titanic.request r SET server = $4::uuid"
                  " FROM free WHERE r.id = free.id"
                  " RETURNING r.id, r.body, r.attempts)"
                  " SELECT id, body, attempts FROM taken ORDER BY id",
    [SQL_OLD] = "SELECT id FROM titanic.request"
                " WHERE (reply IS NULL) = ($1::bigint = 0) AND since <="
                " clock_timestamp () - $2::bigint * interval '1 ms'"
                " ORDER BY since LIMIT $3::bigint"
};

typedef struct {
    pg_link_t *link;
    int64_t max_bytes;          //  Of all that is stored, 0 for no limit
    char error [128];           //  A failure of ours; else that of the link
} postgresql_t;

//  --------------------------------------------------------------------------
//  Life and failures

static void
s_close (void *state)
{
    postgresql_t *self = (postgresql_t *) state;
    pg_link_destroy (&self->link);
    free (self);
}

static void *
s_open (const char *path, store_result_t *result, char *error, size_t size)
{
    char reason [512] = "out of memory";
    postgresql_t *self = (postgresql_t *) calloc (1, sizeof (postgresql_t));
    if (self)
        self->link = pg_link_new (path, s_sql, SQL_COUNT, reason,
                                  sizeof reason);
    if (self && self->link) {
        snprintf (error, size, "%s", reason);
        return self;
    }
    //  No address here: there may be a password in it
    snprintf (error, size, "cannot open the PostgreSQL store: %s", reason);
    *result = STORE_FAILED;
    free (self);
    return NULL;
}

static const char *
s_error (const void *state)
{
    const postgresql_t *self = (const postgresql_t *) state;
    return *self->error? self->error: pg_link_error (self->link);
}

static void
s_limit (void *state, int64_t max_bytes)
{
    ((postgresql_t *) state)->max_bytes = max_bytes;
}

static store_result_t
s_failed (postgresql_t *self, const char *reason)
{
    snprintf (self->error, sizeof self->error, "%s", reason);
    return STORE_FAILED;
}

//  --------------------------------------------------------------------------
//  Parameters

//  Numbers go most significant byte first
typedef struct {
    unsigned char bytes [8];
} number_t;

static number_t
s_number (uint64_t value)
{
    number_t number;
    for (int place = 7; place >= 0; place--) {
        number.bytes [place] = (unsigned char) value;
        value >>= 8;
    }
    return number;
}

static uint64_t
s_value (const PGresult *rows, int row, int column)
{
    const unsigned char *bytes =
        (const unsigned char *) PQgetvalue (rows, row, column);
    uint64_t value = 0;
    for (int place = 0; place < PQgetlength (rows, row, column); place++)
        value = value << 8 | bytes [place];
    return value;
}

static pg_value_t
s_id_value (const request_id_t *id)
{
    return (pg_value_t) { id->bytes, sizeof id->bytes };
}

static pg_value_t
s_frame_value (const frame_t *frame)
{
    return frame? (pg_value_t) { frame_data (frame), frame_size (frame) }
                : (pg_value_t) { NULL, 0 };
}

//  --------------------------------------------------------------------------
//  Writes

static bool
s_send_bare (postgresql_t *self, sql_t sql)
{
    return pg_link_send (self->link, sql, NULL, 0);
}

static bool
s_send_body (postgresql_t *self, const store_query_t *query)
{
    size_t size;
    unsigned char *blob = blob_pack (query->body, &size);
    if (!blob)
        return false;
    pg_value_t id = s_id_value (&query->id);
    pg_value_t put [] = { id, s_frame_value (query->service), { blob, size } };
    pg_value_t answer [] = { id, { blob, size } };
    bool sent = query->type == STORE_PUT
        ? pg_link_send (self->link, SQL_PUT, put, 3)
        : pg_link_send (self->link, SQL_ANSWER, answer, 2);
    free (blob);
    return sent;
}

static bool
s_send_write (postgresql_t *self, const store_query_t *query)
{
    static const request_id_t none;
    pg_value_t id = s_id_value (&query->id);
    pg_value_t server = s_id_value (&query->server);
    number_t lease = s_number ((uint64_t) query->lease_ms);
    pg_value_t renew [] = { server, { lease.bytes, sizeof lease } };
    pg_value_t release [] = { id, server };
    number_t attempts = s_number (query->attempts);
    number_t aside = s_number (query->aside);
    pg_value_t attempt [] = { id, { attempts.bytes, sizeof attempts },
                              { aside.bytes, sizeof aside } };
    switch (query->type) {
        case STORE_DROP:
            return pg_link_send (self->link, SQL_DROP, &id, 1);
        case STORE_ATTEMPT:
            return pg_link_send (self->link, SQL_ATTEMPT, attempt, 3);
        case STORE_REVIVE:
            return s_send_bare (self, SQL_REVIVE);
        case STORE_RENEW:
            return pg_link_send (self->link, SQL_RENEW, renew, 2);
        case STORE_RELEASE:
            return memcmp (&query->id, &none, sizeof none)
                ? pg_link_send (self->link, SQL_RELEASE, release, 2)
                : pg_link_send (self->link, SQL_RESIGN, &server, 1);
        default:
            return s_send_body (self, query);
    }
}

//  What a statement that has been carried out means for its query
static store_result_t
s_outcome (postgresql_t *self, const store_query_t *query, PGresult *result)
{
    if (strcmp (PQcmdTuples (result), "0") || query->type == STORE_RELEASE
    ||  query->type == STORE_REVIVE)
        return STORE_OK;
    if (query->type == STORE_PUT)
        return s_failed (self, "there is another request of this id");
    return STORE_UNKNOWN;
}

//  The result of a statement that gives no rows; NULL when it is no success, and
//  then *failure says what it is
static PGresult *
s_done (postgresql_t *self, store_result_t *failure)
{
    PGresult *result = pg_link_result (self->link);
    if (PQresultStatus (result) == PGRES_COMMAND_OK)
        return result;
    //  What follows a failure is skipped, and adds nothing to the reason
    if (*failure == STORE_OK)
        *failure = pg_link_failed (self->link, result);
    PQclear (result);
    return NULL;
}

//  The rows of the next statement; NULL when it failed
static PGresult *
s_rows (postgresql_t *self, store_result_t *failure)
{
    PGresult *result = pg_link_result (self->link);
    if (PQresultStatus (result) == PGRES_TUPLES_OK)
        return result;
    if (*failure == STORE_OK)
        *failure = pg_link_failed (self->link, result);
    PQclear (result);
    return NULL;
}

//  A transaction that failed is open still
static void
s_roll_back (postgresql_t *self)
{
    if (s_send_bare (self, SQL_ROLLBACK) && pg_link_sync (self->link)) {
        PQclear (pg_link_result (self->link));
        pg_link_end (self->link);
    }
}

//  Places of writes in the order of ids, so that servers that write to the same
//  requests at once do so in the same order and do not wait for each other in a
//  ring. Writes to one request stay as they are.
typedef struct {
    const request_id_t *id;
    size_t place;
} turn_t;

static int
s_compare (const void *left, const void *right)
{
    const turn_t *a = (const turn_t *) left;
    const turn_t *b = (const turn_t *) right;
    int order = memcmp (a->id, b->id, sizeof *a->id);
    return order? order: (a->place > b->place) - (a->place < b->place);
}

static bool
s_send_all (postgresql_t *self, const store_query_t *const *queries,
            size_t count, turn_t *turns)
{
    for (size_t place = 0; place < count; place++)
        turns [place] = (turn_t) { &queries [place]->id, place };
    qsort (turns, count, sizeof (turn_t), s_compare);
    number_t most = s_number ((uint64_t) self->max_bytes);
    pg_value_t limit = { most.bytes, sizeof most };
    bool sent = s_send_bare (self, SQL_BEGIN)
        && (!self->max_bytes || pg_link_send (self->link, SQL_LIMIT, &limit, 1));
    for (size_t turn = 0; sent && turn < count; turn++)
        sent = s_send_write (self, queries [turns [turn].place]);
    if (sent && s_send_bare (self, SQL_COMMIT) && pg_link_sync (self->link))
        return true;
    //  Half of a transaction is on its way
    pg_link_drop (self->link, "out of memory, or the connection was lost");
    return false;
}

//  A commit counts when the server says COMMIT, and does not say that it waited
//  for a standby in vain: such a one is kept here only, and may be lost yet
static store_result_t
s_commit_done (postgresql_t *self, store_result_t failure)
{
    PGresult *result = s_done (self, &failure);
    bool committed = result && strcmp (PQcmdStatus (result), "COMMIT") == 0;
    PQclear (result);
    bool ended = pg_link_end (self->link);
    if (ended && !committed)
        s_roll_back (self);
    if (failure == STORE_OK && (!committed || !ended
                            || pg_link_warned (self->link)))
        failure = STORE_FAILED;
    return failure;
}

static store_result_t
s_write (void *state, const store_query_t *const *queries, size_t count,
         store_answer_t *answers)
{
    postgresql_t *self = (postgresql_t *) state;
    *self->error = 0;
    if (!pg_link_ready (self->link))
        return STORE_FAILED;
    turn_t *turns = (turn_t *) calloc (count, sizeof (turn_t));
    if (!turns)
        return s_failed (self, "out of memory");
    pg_link_warned (self->link);
    store_result_t failure = STORE_FAILED;
    if (s_send_all (self, queries, count, turns)) {
        failure = STORE_OK;
        PQclear (s_done (self, &failure));
        if (self->max_bytes)
            PQclear (s_rows (self, &failure));
        for (size_t turn = 0; turn < count; turn++) {
            size_t place = turns [turn].place;
            PGresult *result = s_done (self, &failure);
            if (result)
                answers [place].result = s_outcome (self, queries [place],
                                                    result);
            PQclear (result);
        }
        failure = s_commit_done (self, failure);
    }
    free (turns);
    return failure;
}

//  --------------------------------------------------------------------------
//  Reads

//  One statement by itself
static PGresult *
s_query (postgresql_t *self, sql_t sql, const pg_value_t *values, size_t count)
{
    store_result_t failure = STORE_OK;
    if (!pg_link_send (self->link, sql, values, count)
    || !pg_link_sync (self->link))
        return NULL;
    PGresult *result = s_rows (self, &failure);
    if (pg_link_end (self->link))
        return result;
    PQclear (result);
    return NULL;
}

static PGresult *
s_claim (postgresql_t *self, const pg_value_t *values)
{
    if (!s_send_bare (self, SQL_BEGIN) || !s_send_bare (self, SQL_ASYNC)
    || !pg_link_send (self->link, SQL_CLAIM, values, 4)
    || !s_send_bare (self, SQL_COMMIT) || !pg_link_sync (self->link)) {
        pg_link_drop (self->link, "out of memory, or the connection was lost");
        return NULL;
    }
    store_result_t failure = STORE_OK;
    PQclear (s_done (self, &failure));
    PQclear (s_done (self, &failure));
    PGresult *result = s_rows (self, &failure);
    if (s_commit_done (self, failure) == STORE_OK)
        return result;
    PQclear (result);
    return NULL;
}

static store_result_t
s_damaged (postgresql_t *self)
{
    return s_failed (self, "a record is damaged, or memory is out");
}

static message_t *
s_unpack (const PGresult *rows, int row, int column)
{
    return blob_unpack ((const unsigned char *) PQgetvalue (rows, row, column),
                        (size_t) PQgetlength (rows, row, column));
}

static store_result_t
s_fetch (postgresql_t *self, const store_query_t *query, PGresult *rows,
         store_answer_t *answer)
{
    if (PQntuples (rows) == 0)
        return STORE_UNKNOWN;
    message_t *body = NULL;
    if (!PQgetisnull (rows, 0, 0) && !(body = s_unpack (rows, 0, 0)))
        return s_damaged (self);
    frame_t *service = NULL;
    if (answer_append (answer, &query->id, &service, &body))
        return s_damaged (self);
    answer->records->aside = s_value (rows, 0, 1);
    return STORE_OK;
}

static store_result_t
s_services (postgresql_t *self, PGresult *rows, store_answer_t *answer)
{
    static const request_id_t none;
    for (int row = 0; row < PQntuples (rows); row++) {
        frame_t *service = frame_new (PQgetvalue (rows, row, 0),
                                      (size_t) PQgetlength (rows, row, 0));
        message_t *body = NULL;
        if (!service || answer_append (answer, &none, &service, &body))
            return s_damaged (self);
    }
    return STORE_OK;
}

static store_result_t
s_waiting (postgresql_t *self, const store_query_t *query, PGresult *rows,
           store_answer_t *answer)
{
    for (int row = 0; row < PQntuples (rows); row++) {
        request_id_t id;
        if (PQgetlength (rows, row, 0) != (int) sizeof id.bytes)
            return s_damaged (self);
        memcpy (id.bytes, PQgetvalue (rows, row, 0), sizeof id.bytes);
        message_t *body = s_unpack (rows, row, 1);
        frame_t *service = frame_ref (query->service);
        if (!body || answer_append (answer, &id, &service, &body)) {
            frame_destroy (&service);
            return s_damaged (self);
        }
        answer->records [row].attempts = (unsigned) s_value (rows, row, 2);
    }
    return STORE_OK;
}

static store_result_t
s_old (postgresql_t *self, PGresult *rows, store_answer_t *answer)
{
    for (int row = 0; row < PQntuples (rows); row++) {
        request_id_t id;
        frame_t *service = NULL;
        message_t *body = NULL;
        if (PQgetlength (rows, row, 0) != (int) sizeof id.bytes)
            return s_damaged (self);
        memcpy (id.bytes, PQgetvalue (rows, row, 0), sizeof id.bytes);
        if (answer_append (answer, &id, &service, &body))
            return s_damaged (self);
    }
    return STORE_OK;
}

static PGresult *
s_ask_old (postgresql_t *self, const store_query_t *query)
{
    number_t answered = s_number (query->answered);
    number_t age = s_number ((uint64_t) query->age_ms);
    number_t limit = s_number (query->limit);
    pg_value_t old [] = { { answered.bytes, sizeof answered },
                          { age.bytes, sizeof age },
                          { limit.bytes, sizeof limit } };
    return s_query (self, SQL_OLD, old, 3);
}

static PGresult *
s_ask (postgresql_t *self, const store_query_t *query)
{
    static const request_id_t none;
    number_t limit = s_number (query->limit);
    pg_value_t id = s_id_value (&query->id);
    pg_value_t service = s_frame_value (query->service);
    pg_value_t most = { limit.bytes, sizeof limit };
    pg_value_t names [] = { service, most };
    pg_value_t waiting [] = { service, id, most, s_id_value (&query->server) };
    if (query->type == STORE_FETCH)
        return s_query (self, SQL_FETCH, &id, 1);
    if (query->type == STORE_OLD)
        return s_ask_old (self, query);
    if (query->type == STORE_SERVICES)
        return s_query (self, SQL_SERVICES, names, 2);
    if (memcmp (&query->server, &none, sizeof none) == 0)
        return s_query (self, SQL_WAITING, waiting, 3);
    return s_claim (self, waiting);
}

static store_result_t
s_read (void *state, const store_query_t *query, store_answer_t *answer)
{
    postgresql_t *self = (postgresql_t *) state;
    *self->error = 0;
    PGresult *rows = pg_link_ready (self->link)? s_ask (self, query): NULL;
    if (!rows)
        return STORE_FAILED;
    store_result_t result = query->type == STORE_FETCH
        ? s_fetch (self, query, rows, answer)
        : query->type == STORE_OLD? s_old (self, rows, answer)
        : query->type == STORE_SERVICES? s_services (self, rows, answer)
        : s_waiting (self, query, rows, answer);
    PQclear (rows);
    return result;
}

const backend_t backend_postgresql = {
    .open = s_open, .close = s_close, .write = s_write, .read = s_read,
    .limit = s_limit, .error = s_error, .shared = true
};
