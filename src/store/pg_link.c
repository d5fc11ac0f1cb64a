/*  =========================================================================
    pg_link - a connection to PostgreSQL that comes back when it is lost

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pg_link.h"
#include "pg_schema.h"

#define ERROR_SIZE 256

//  Making a connection, in a thread of its own
typedef struct {
    pthread_t thread;
    pthread_mutex_t mutex;      //  Over what follows
    pthread_cond_t ended;
    bool done;
    PGconn *connection;         //  NULL when it failed
    pg_session_t session;       //  Of that
    char error [ERROR_SIZE];
} attempt_t;

struct _pg_link_t {
    char *address;
    const char *const *statements;
    size_t count;
    pg_store_id_t id;           //  Which store we opened: no other will do
    PGconn *connection;         //  NULL while there is none
    pg_session_t session;       //  Of this connection, or of the last
    int64_t pause_ms;           //  No attempt to make another before this time
    attempt_t *attempt;         //  To make one; NULL if none is under way
    bool warned;
    bool silent;                //  Nothing came for too long
    char error [ERROR_SIZE];
};

//  --------------------------------------------------------------------------
//  Errors

//  What libpq says, as one line
static void
s_set_line (char *line, const char *text)
{
    size_t length = 0;
    for (; text && *text && length < ERROR_SIZE - 1; text++) {
        if (*text != '\n')
            line [length++] = *text == '\t'? ' ': *text;
        else
        if (text [1] && length < ERROR_SIZE - 2) {
            line [length++] = ';';
            line [length++] = ' ';
        }
    }
    line [length] = 0;
}

const char *
pg_link_error (const pg_link_t *self)
{
    return self->error;
}

bool
pg_link_warned (pg_link_t *self)
{
    bool warned = self->warned;
    self->warned = false;
    return warned;
}

static void
s_notice (void *argument, const PGresult *notice)
{
    const char *severity = PQresultErrorField (notice,
                                               PG_DIAG_SEVERITY_NONLOCALIZED);
    pg_link_t *self = (pg_link_t *) argument;
    if (self && severity && strcmp (severity, "WARNING") == 0) {
        self->warned = true;
        s_set_line (self->error, PQresultErrorField (notice,
                                                 PG_DIAG_MESSAGE_PRIMARY));
    }
}

//  --------------------------------------------------------------------------
//  Connecting

//  A wait that a silent server ends too: false when it had to, with ETIMEDOUT
static bool
s_wait (PGconn *connection, bool write, int silence_ms)
{
    struct pollfd item = { PQsocket (connection),
                           (short) (POLLIN | (write? POLLOUT: 0)), 0 };
    int rc;
    do
        rc = poll (&item, 1, silence_ms);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        errno = ETIMEDOUT;
    return rc > 0;
}

//  Bring out what is to be sent, and wait until the next result is whole
static bool
s_receive_within (PGconn *connection, int silence_ms)
{
    for (;;) {
        int rest = PQflush (connection);
        if (rest == 0 && !PQisBusy (connection))
            return true;
        if (rest >= 0 && !s_wait (connection, rest == 1, silence_ms))
            return false;
        if (rest < 0 || !PQconsumeInput (connection)) {
            errno = EIO;
            return false;
        }
    }
}

static bool
s_receive (PGconn *connection)
{
    return s_receive_within (connection, PG_SILENCE_MS);
}

PGresult *
pg_execute (PGconn *connection, const char *sql, int silence_ms)
{
    if (!PQsendQuery (connection, sql))
        return NULL;
    PGresult *last = NULL;
    while (s_receive_within (connection, silence_ms)) {
        PGresult *result = PQgetResult (connection);
        if (!result)
            return last;
        //  Of several statements the first that fails counts
        if (last && PQresultStatus (last) == PGRES_FATAL_ERROR)
            PQclear (result);
        else {
            PQclear (last);
            last = result;
        }
    }
    PQclear (last);
    return NULL;
}

static bool
s_prepare (const pg_link_t *self, PGconn *connection)
{
    for (size_t number = 0; number < self->count; number++) {
        char name [24];
        snprintf (name, sizeof name, "%zu", number);
        if (!PQsendPrepare (connection, name, self->statements [number], 0,
                            NULL))
            return false;
        bool good = true;
        while (s_receive (connection)) {
            PGresult *result = PQgetResult (connection);
            if (!result)
                break;
            good = good && PQresultStatus (result) == PGRES_COMMAND_OK;
            PQclear (result);
        }
        if (!good || PQstatus (connection) != CONNECTION_OK)
            return false;
    }
    return true;
}

//  Settings that an address may overrule come before it. Of many hosts the one
//  that takes writes is ours; one that is gone must not hold up the next for long.
static PGconn *
s_dial (const char *address)
{
    static const char *const names [] = {
        "target_session_attrs", "connect_timeout", "tcp_user_timeout",
        "keepalives_idle", "keepalives_interval", "keepalives_count",
        "fallback_application_name", "dbname", NULL
    };
    const char *const values [] = {
        "read-write", "2", "5000", "5", "2", "3", "titanicd", address, NULL
    };
    return PQconnectdbParams (names, values, 1);
}

//  A connection that is ready for use; NULL with a line in error
static PGconn *
s_connect (const pg_link_t *self, const pg_store_id_t *known,
           pg_store_id_t *found, pg_session_t *session, char *error,
           char *warning)
{
    PGconn *connection = s_dial (self->address);
    char why [ERROR_SIZE] = "";
    if (PQstatus (connection) == CONNECTION_OK) {
        PQsetNoticeReceiver (connection, s_notice, NULL);
        PQsetnonblocking (connection, 1);
        if (pg_schema_check (connection, known, found, why, sizeof why,
                             warning, ERROR_SIZE)
        &&  pg_session_take_over (connection, &self->session, session)
        &&  s_prepare (self, connection)
        &&  PQenterPipelineMode (connection))
            return connection;
    }
    s_set_line (error, *why? why: PQerrorMessage (connection));
    if (!*error)
        snprintf (error, ERROR_SIZE, "the server does not answer");
    PQfinish (connection);
    return NULL;
}

static void *
s_attempt (void *argument)
{
    pg_link_t *self = (pg_link_t *) argument;
    attempt_t *attempt = self->attempt;
    char warning [ERROR_SIZE];
    pg_store_id_t found;
    //  What is ours does not change while the attempt lasts
    PGconn *connection = s_connect (self, &self->id, &found,
                                    &attempt->session, attempt->error,
                                    warning);
    pthread_mutex_lock (&attempt->mutex);
    attempt->connection = connection;
    attempt->done = true;
    pthread_cond_signal (&attempt->ended);
    pthread_mutex_unlock (&attempt->mutex);
    return NULL;
}

static void
s_attempt_free (attempt_t *attempt)
{
    pthread_mutex_destroy (&attempt->mutex);
    pthread_cond_destroy (&attempt->ended);
    free (attempt);
}

static bool
s_attempt_begin (pg_link_t *self)
{
    attempt_t *attempt = (attempt_t *) calloc (1, sizeof (attempt_t));
    if (!attempt)
        return false;
    pthread_mutex_init (&attempt->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init (&monotonic);
    pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init (&attempt->ended, &monotonic);
    pthread_condattr_destroy (&monotonic);
    self->attempt = attempt;
    if (pthread_create (&attempt->thread, NULL, s_attempt, self) == 0)
        return true;
    self->attempt = NULL;
    s_attempt_free (attempt);
    return false;
}

static int64_t
s_clock_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

//  Take what the attempt has come to, after this patience
static void
s_attempt_end (pg_link_t *self, int64_t patience_ms)
{
    attempt_t *attempt = self->attempt;
    struct timespec until;
    clock_gettime (CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long) (patience_ms % 1000) * 1000000;
    until.tv_sec += (time_t) (patience_ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock (&attempt->mutex);
    int rc = 0;
    while (!attempt->done && rc == 0)
        rc = pthread_cond_timedwait (&attempt->ended, &attempt->mutex, &until);
    bool done = attempt->done;
    pthread_mutex_unlock (&attempt->mutex);
    if (!done)
        return;
    pthread_join (attempt->thread, NULL);
    self->connection = attempt->connection;
    if (self->connection) {
        PQsetNoticeReceiver (self->connection, s_notice, self);
        self->session = attempt->session;
    }
    else {
        memcpy (self->error, attempt->error, ERROR_SIZE);
        self->pause_ms = s_clock_ms () + PG_PAUSE_MS;
    }
    s_attempt_free (attempt);
    self->attempt = NULL;
}

bool
pg_link_ready (pg_link_t *self)
{
    if (self->connection)
        return true;
    if (self->attempt)
        s_attempt_end (self, 0);
    else
    if (s_clock_ms () >= self->pause_ms && s_attempt_begin (self))
        s_attempt_end (self, PG_PATIENCE_MS);
    return self->connection != NULL;
}

//  --------------------------------------------------------------------------
//  Life

pg_link_t *
pg_link_new (const char *address, const char *const *statements, size_t count,
             char *error, size_t size)
{
    pg_link_t *self = (pg_link_t *) calloc (1, sizeof (pg_link_t));
    if (self && !(self->address = strdup (address)))
        pg_link_destroy (&self);
    if (!self) {
        snprintf (error, size, "out of memory");
        return NULL;
    }
    self->statements = statements;
    self->count = count;
    char warning [ERROR_SIZE] = "";
    pg_session_t session;
    self->connection = s_connect (self, NULL, &self->id, &session, self->error,
                                  warning);
    if (self->connection) {
        self->session = session;
        PQsetNoticeReceiver (self->connection, s_notice, self);
        snprintf (error, size, "%s", warning);
        return self;
    }
    snprintf (error, size, "%s", self->error);
    pg_link_destroy (&self);
    return NULL;
}

void
pg_link_destroy (pg_link_t **self_p)
{
    assert (self_p);
    pg_link_t *self = *self_p;
    if (!self)
        return;
    //  An attempt that is under way ends by its own timeout
    while (self->attempt)
        s_attempt_end (self, 1000);
    if (self->connection)
        PQfinish (self->connection);
    free (self->address);
    free (self);
    *self_p = NULL;
}

void
pg_link_drop (pg_link_t *self, const char *reason)
{
    if (!self->connection)
        return;
    //  Nothing is wrong with it, but that nothing comes
    bool silent = self->silent && !reason;
    self->silent = false;
    if (silent)
        self->pause_ms = s_clock_ms () + PG_REST_MS;
    if (!reason || !*reason)
        reason = PQerrorMessage (self->connection);
    s_set_line (self->error, *reason? reason: "libpq failed, out of memory");
    if (silent)
        snprintf (self->error, ERROR_SIZE, "PostgreSQL was silent for %d ms",
                  PG_SILENCE_MS);
    PQfinish (self->connection);
    self->connection = NULL;
}

//  --------------------------------------------------------------------------
//  Queries

bool
pg_link_send (pg_link_t *self, size_t statement, const pg_value_t *values,
              size_t count)
{
    const char *data [8];
    int sizes [8];
    int binary [8];
    assert (count <= 8);
    for (size_t place = 0; place < count; place++) {
        //  A NULL pointer would be NULL
        data [place] = values [place].data
            ? (const char *) values [place].data: "";
        sizes [place] = (int) values [place].size;
        binary [place] = 1;
    }
    char name [24];
    snprintf (name, sizeof name, "%zu", statement);
    if (self->connection && PQsendQueryPrepared (self->connection, name,
            (int) count, data, sizes, binary, 1))
        return true;
    pg_link_drop (self, NULL);
    return false;
}

bool
pg_link_sync (pg_link_t *self)
{
    if (self->connection && PQpipelineSync (self->connection))
        return true;
    pg_link_drop (self, NULL);
    return false;
}

//  As s_receive, and whether the server was silent
static bool
s_hear (pg_link_t *self)
{
    bool heard = s_receive (self->connection);
    self->silent = !heard && errno == ETIMEDOUT;
    return heard;
}

PGresult *
pg_link_result (pg_link_t *self)
{
    if (!self->connection)
        return NULL;
    PGresult *result = s_hear (self)
        ? PQgetResult (self->connection): NULL;
    //  Each statement's results end with a NULL
    if (result && s_hear (self)) {
        PGresult *end = PQgetResult (self->connection);
        if (!end && PQstatus (self->connection) == CONNECTION_OK)
            return result;
        PQclear (end);
    }
    pg_link_drop (self, result? PQresultErrorMessage (result): NULL);
    PQclear (result);
    return NULL;
}

bool
pg_link_end (pg_link_t *self)
{
    while (self->connection && s_hear (self)) {
        PGresult *result = PQgetResult (self->connection);
        bool end = PQresultStatus (result) == PGRES_PIPELINE_SYNC;
        PQclear (result);
        if (end)
            return true;
        if (!result)
            break;
    }
    pg_link_drop (self, NULL);
    return false;
}

store_result_t
pg_link_failed (pg_link_t *self, const PGresult *result)
{
    if (!result)
        return STORE_FAILED;
    const char *code = PQresultErrorField (result, PG_DIAG_SQLSTATE);
    bool full = code && strcmp (code, "53100") == 0;
    //  What came after the failure adds nothing to the reason; nor does where in
    //  our own triggers it was found that the store is full
    if (code)
        s_set_line (self->error, full
            ? PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY)
            : PQresultErrorMessage (result));
    return full? STORE_FULL: STORE_FAILED;
}
