/*  =========================================================================
    sqlite - requests in a SQLite file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "backend.h"
#include "blob.h"

//  "SeaT": whose file this is
#define APPLICATION_ID 0x53656154
//  Of the schema below; a newer one is refused, an older one is raised
#define SCHEMA_VERSION 3
#define SCHEMA_OLDEST 2

//  Pages: fewer empty ones are not worth it; more at a time hold others up
#define GIVE_BACK_LEAST 256
#define GIVE_BACK_MOST 4096

//  reply is NULL as long as there is none. Frames are kept as README.md in this
//  folder tells. Ids grow, so inserts append; the partial index holds just what
//  waits for execution, in the order of arrival within a service. aside is 1 for
//  what has no reply and does not wait, since attempts were enough.
#define WAITING_INDEXES                                                     \
    "CREATE INDEX waiting ON request (service, id)"                         \
    " WHERE reply IS NULL AND aside = 0;"                                   \
    "CREATE INDEX aside ON request (id) WHERE aside = 1;"

static const char s_schema [] =
    "CREATE TABLE request ("
    " id BLOB NOT NULL PRIMARY KEY,"
    " service BLOB NOT NULL,"
    " since INTEGER NOT NULL DEFAULT (unixepoch ()),"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " aside INTEGER NOT NULL DEFAULT 0,"
    " body BLOB NOT NULL,"
    " reply BLOB);"
    "CREATE INDEX age ON request (reply IS NULL, since);"
    WAITING_INDEXES;

//  What makes a version of the one before it
static const char *const s_steps [] = {
    [3] = "ALTER TABLE request ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE request ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;"
          "DROP INDEX waiting;"
          WAITING_INDEXES
};

typedef enum {
    SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_PUT, SQL_ANSWER, SQL_DROP,
    SQL_ATTEMPT, SQL_REVIVE, SQL_FETCH, SQL_SERVICE, SQL_WAITING, SQL_USED, SQL_OLD, SQL_COUNT
} sql_t;

static const char *s_sql [SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    //  The same once more changes a row to what it is; another changes none
    [SQL_PUT] = "INSERT INTO request (id, service, body) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (id) DO UPDATE SET service = excluded.service"
                " WHERE service = excluded.service AND body = excluded.body",
    [SQL_ANSWER] = "UPDATE request SET reply = coalesce (reply, ?2),"
                   " since = CASE WHEN reply IS NULL THEN unixepoch ()"
                   " ELSE since END, aside = 0"
                   " WHERE id = ?1",
    //  TSP-CLOSE-01, TSP-CLOSE-02, TSP-CLOSE-03
    [SQL_DROP] = "DELETE FROM request WHERE id = ?1",
    [SQL_ATTEMPT] = "UPDATE request SET attempts = ?2, aside = ?3"
                    " WHERE id = ?1 AND reply IS NULL",
    [SQL_REVIVE] = "UPDATE request SET attempts = 0, aside = 0"
                   " WHERE aside = 1",
    //  TSP-OVERVIEW-01, TSP-REPLY-08: reading takes nothing away
    [SQL_FETCH] = "SELECT reply, aside FROM request WHERE id = ?1",
    //  One step over the index a service, however many requests wait
    [SQL_SERVICE] = "SELECT min(service) FROM request"
                    " WHERE reply IS NULL AND aside = 0 AND service > ?1",
    [SQL_WAITING] = "SELECT id, body, attempts FROM request"
                    " WHERE reply IS NULL AND aside = 0 AND service = ?1"
                    " AND id > ?2 ORDER BY id LIMIT ?3",
    //  SQLite keeps both numbers; nothing is looked through
    [SQL_USED] = "SELECT (page_count - freelist_count) * page_size FROM"
                 " pragma_page_count, pragma_freelist_count, pragma_page_size",
    [SQL_OLD] = "SELECT id FROM request WHERE (reply IS NULL) = ?1"
                " AND since <= unixepoch () - ?2 LIMIT ?3"
};

typedef struct {
    sqlite3 *database;
    sqlite3_stmt *statements [SQL_COUNT];
    int lock;                   //  Locked while we live, -1 if not
    int64_t max_bytes;          //  Of the file, 0 for no limit
    int64_t used_bytes;         //  About; read from the file with each batch
    bool full;                  //  The last failure was that there is no space
    char error [256];           //  About the last failure
} sqlite_t;

//  --------------------------------------------------------------------------
//  Failures

//  What went wrong, as a result; keeps a line about it
static store_result_t
s_failed (sqlite_t *self)
{
    //  A commit that fails leaves its reason in errno only; and the one that
    //  SQLite keeps is from some time ago, unless this is such a failure
    int reason = errno;
    int code = sqlite3_errcode (self->database);
    int system = 0;
    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        system = sqlite3_system_errno (self->database);
    if (code == SQLITE_IOERR && reason)
        system = reason;
    self->full = code == SQLITE_FULL || (code == SQLITE_IOERR
        && (system == ENOSPC || system == EDQUOT || system == EFBIG));
    snprintf (self->error, sizeof self->error, "%s%s%s",
              sqlite3_errmsg (self->database), system? ": ": "",
              system? strerror (system): "");
    return self->full? STORE_FULL: STORE_FAILED;
}

static store_result_t
s_no_memory (sqlite_t *self)
{
    snprintf (self->error, sizeof self->error, "out of memory");
    return STORE_FAILED;
}

static const char *
s_error (const void *state)
{
    return ((const sqlite_t *) state)->error;
}

//  --------------------------------------------------------------------------
//  Opening

static void
s_close (void *state)
{
    sqlite_t *self = (sqlite_t *) state;
    for (int index = 0; index < SQL_COUNT; index++)
        sqlite3_finalize (self->statements [index]);
    sqlite3_close (self->database);
    if (self->lock >= 0)
        close (self->lock);
    free (self);
}

//  One server a store: the kernel frees the lock however its holder ends
static store_result_t
s_lock (sqlite_t *self, const char *path)
{
    char name [4096];
    if (snprintf (name, sizeof name, "%s.lock", path) >= (int) sizeof name) {
        snprintf (self->error, sizeof self->error, "the path is too long");
        return STORE_FAILED;
    }
    self->lock = open (name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (self->lock < 0) {
        snprintf (self->error, sizeof self->error, "cannot open its lock file: "
                  "%s", strerror (errno));
        return STORE_FAILED;
    }
    char pid [24] = "";
    if (flock (self->lock, LOCK_EX | LOCK_NB)) {
        ssize_t size = read (self->lock, pid, sizeof pid - 1);
        pid [size > 0? size: 0] = 0;
        pid [strcspn (pid, "\n")] = 0;
        snprintf (self->error, sizeof self->error, "another titanicd (pid %s) "
            "has it open; stop that or choose another --store",
            *pid? pid: "unknown");
        return STORE_LOCKED;
    }
    //  The number is for people; nothing hangs on whether it could be written
    int size = snprintf (pid, sizeof pid, "%ld\n", (long) getpid ());
    if (ftruncate (self->lock, 0) == 0
    &&  write (self->lock, pid, (size_t) size) != size)
        errno = 0;
    return STORE_OK;
}

static int
s_pragma_number (sqlite_t *self, const char *sql, int *number)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2 (self->database, sql, -1, &statement, NULL);
    if (rc)
        return rc;
    rc = sqlite3_step (statement);
    if (rc == SQLITE_ROW)
        *number = sqlite3_column_int (statement, 0);
    sqlite3_finalize (statement);
    return rc == SQLITE_ROW? SQLITE_OK: rc;
}

static store_result_t
s_create (sqlite_t *self)
{
    char sql [1024];
    snprintf (sql, sizeof sql, "PRAGMA auto_vacuum = INCREMENTAL; "
        "BEGIN IMMEDIATE; %s PRAGMA application_id = %d; "
        "PRAGMA user_version = %d; COMMIT;", s_schema, APPLICATION_ID,
        SCHEMA_VERSION);
    return sqlite3_exec (self->database, sql, NULL, NULL, NULL)
        ? s_failed (self): STORE_OK;
}

//  Raise a file of an older version, one step or nothing at all
static store_result_t
s_raise (sqlite_t *self, int version)
{
    for (; version < SCHEMA_VERSION; version++) {
        char sql [1024];
        snprintf (sql, sizeof sql, "BEGIN IMMEDIATE; %s PRAGMA user_version ="
                  " %d; COMMIT;", s_steps [version + 1], version + 1);
        if (sqlite3_exec (self->database, sql, NULL, NULL, NULL))
            return s_failed (self);
    }
    return STORE_OK;
}

//  A file of ours, or an empty one that becomes so; anything else is let be
static store_result_t
s_check_schema (sqlite_t *self)
{
    int application = 0;
    int version = 0;
    int tables = 0;
    if (s_pragma_number (self, "PRAGMA application_id", &application)
    ||  s_pragma_number (self, "PRAGMA user_version", &version)
    ||  s_pragma_number (self, "SELECT count(*) FROM sqlite_master", &tables))
        return s_failed (self);
    if (application == 0 && version == 0 && tables == 0)
        return s_create (self);
    if (application != APPLICATION_ID) {
        snprintf (self->error, sizeof self->error, "this database belongs to "
                  "another program; choose another --store");
        return STORE_FAILED;
    }
    if (version >= SCHEMA_OLDEST && version < SCHEMA_VERSION)
        return s_raise (self, version);
    if (version != SCHEMA_VERSION) {
        snprintf (self->error, sizeof self->error, "its format is version %d, "
            "and this titanicd knows %d only; use the one that wrote it",
            version, SCHEMA_VERSION);
        return STORE_FAILED;
    }
    return STORE_OK;
}

static store_result_t
s_prepare (sqlite_t *self)
{
    for (int index = 0; index < SQL_COUNT; index++)
        if (sqlite3_prepare_v3 (self->database, s_sql [index], -1,
                SQLITE_PREPARE_PERSISTENT, &self->statements [index], NULL))
            return s_failed (self);
    return STORE_OK;
}

//  What has a meaning of its own for SQLite, such as "" and :memory:, is in no
//  file: what is kept there would be gone with the process
static store_result_t
s_check_path (sqlite_t *self, const char *path)
{
    if (*path && strcmp (path, ":memory:") && strncmp (path, "file:", 5))
        return STORE_OK;
    snprintf (self->error, sizeof self->error, "that is no path of a file; "
              "choose another --store, or memory: for tests");
    return STORE_FAILED;
}

static store_result_t
s_set_up (sqlite_t *self, const char *path)
{
    store_result_t result = s_check_path (self, path);
    if (result == STORE_OK)
        result = s_lock (self, path);
    if (result != STORE_OK)
        return result;
    errno = 0;
    if (sqlite3_open_v2 (path, &self->database, SQLITE_OPEN_READWRITE
            | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
        return s_failed (self);
    //  A write-ahead log that somebody else has left is not ours to fold in
    sqlite3_db_config (self->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                       NULL);
    //  An operator may look into the file meanwhile
    sqlite3_busy_timeout (self->database, 1000);
    result = s_check_schema (self);
    if (result != STORE_OK)
        return result;
    sqlite3_db_config (self->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
                       NULL);
    if (sqlite3_exec (self->database, "PRAGMA journal_mode = WAL; "
                      "PRAGMA synchronous = FULL;", NULL, NULL, NULL))
        return s_failed (self);
    return s_prepare (self);
}

static void *
s_open (const char *path, store_result_t *result, char *error, size_t size)
{
    sqlite_t *self = (sqlite_t *) calloc (1, sizeof (sqlite_t));
    if (!self) {
        *result = STORE_FAILED;
        snprintf (error, size, "out of memory");
        return NULL;
    }
    self->lock = -1;
    *result = s_set_up (self, path);
    if (*result == STORE_OK)
        return self;
    snprintf (error, size, "cannot open store %s: %s", path, self->error);
    s_close (self);
    return NULL;
}

//  --------------------------------------------------------------------------
//  Statements

static void
s_bind_id (sqlite3_stmt *statement, int place, const request_id_t *id)
{
    sqlite3_bind_blob (statement, place, id->bytes, sizeof id->bytes,
                       SQLITE_STATIC);
}

static void
s_bind_frame (sqlite3_stmt *statement, int place, const frame_t *frame)
{
    //  A NULL pointer would be bound as NULL, which no name equals
    if (frame && frame_size (frame))
        sqlite3_bind_blob (statement, place, frame_data (frame),
                           (int) frame_size (frame), SQLITE_STATIC);
    else
        sqlite3_bind_zeroblob (statement, place, 0);
}

//  Run a statement that gives no rows
static store_result_t
s_run (sqlite_t *self, sql_t sql)
{
    sqlite3_stmt *statement = self->statements [sql];
    errno = 0;
    int rc = sqlite3_step (statement);
    store_result_t result = rc == SQLITE_DONE? STORE_OK: s_failed (self);
    sqlite3_reset (statement);
    sqlite3_clear_bindings (statement);
    return result;
}

static store_result_t
s_begin (void *state)
{
    sqlite_t *self = (sqlite_t *) state;
    store_result_t result = s_run (self, SQL_BEGIN);
    //  Once a batch: asking takes longer than a small write
    if (result == STORE_OK && self->max_bytes) {
        sqlite3_stmt *statement = self->statements [SQL_USED];
        self->used_bytes = sqlite3_step (statement) == SQLITE_ROW
            ? sqlite3_column_int64 (statement, 0): 0;
        sqlite3_reset (statement);
    }
    return result;
}

static store_result_t
s_commit (void *state)
{
    return s_run ((sqlite_t *) state, SQL_COMMIT);
}

static void
s_rollback (void *state)
{
    sqlite_t *self = (sqlite_t *) state;
    bool full = self->full;
    self->full = false;
    //  Some failures have rolled back already
    if (!sqlite3_get_autocommit (self->database)) {
        char error [sizeof self->error];
        memcpy (error, self->error, sizeof error);
        s_run (self, SQL_ROLLBACK);
        memcpy (self->error, error, sizeof error);
    }
    //  The log may have no room left to grow while the file has some inside.
    //  SQLite folds the log in after a commit only, and there will be none.
    if (full)
        sqlite3_wal_checkpoint_v2 (self->database, NULL,
                                   SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

//  The last part of the file is for replies: without them a store that is full of
//  requests would stay so
#define RESERVE_PART 8

static void
s_limit (void *state, int64_t max_bytes)
{
    ((sqlite_t *) state)->max_bytes = max_bytes;
}

//  Whether so many bytes more are within the limit; then they count
static bool
s_fits (sqlite_t *self, const store_query_t *query, size_t size)
{
    if (!self->max_bytes)
        return true;
    int64_t used = self->used_bytes;
    int64_t most = self->max_bytes;
    if (query->type == STORE_PUT)
        most -= most / RESERVE_PART;
    if (used <= most && size <= (uint64_t) (most - used)) {
        self->used_bytes += (int64_t) size;
        return true;
    }
    snprintf (self->error, sizeof self->error, "the store is as large as it may "
              "be; see --max-stored-bytes");
    return false;
}

static store_result_t
s_apply_body (sqlite_t *self, const store_query_t *query)
{
    sql_t sql = query->type == STORE_PUT? SQL_PUT: SQL_ANSWER;
    size_t size;
    unsigned char *blob = blob_pack (query->body, &size);
    if (!blob)
        return s_no_memory (self);
    if (!s_fits (self, query, size)) {
        free (blob);
        return STORE_FULL;
    }
    sqlite3_stmt *statement = self->statements [sql];
    s_bind_id (statement, 1, &query->id);
    if (query->type == STORE_PUT)
        s_bind_frame (statement, 2, query->service);
    //  SQLite has a limit of its own. What it does not take would be NULL, which
    //  stands for no reply.
    store_result_t result;
    if (sqlite3_bind_blob64 (statement, query->type == STORE_PUT? 3: 2, blob,
                             size, SQLITE_STATIC)) {
        result = s_failed (self);
        sqlite3_clear_bindings (statement);
    }
    else
        result = s_run (self, sql);
    free (blob);
    return result;
}

static store_result_t
s_apply (void *state, const store_query_t *query)
{
    sqlite_t *self = (sqlite_t *) state;
    store_result_t result;
    if (query->type == STORE_DROP) {
        s_bind_id (self->statements [SQL_DROP], 1, &query->id);
        result = s_run (self, SQL_DROP);
    }
    else
    if (query->type == STORE_ATTEMPT) {
        s_bind_id (self->statements [SQL_ATTEMPT], 1, &query->id);
        sqlite3_bind_int64 (self->statements [SQL_ATTEMPT], 2, query->attempts);
        sqlite3_bind_int (self->statements [SQL_ATTEMPT], 3, query->aside);
        result = s_run (self, SQL_ATTEMPT);
    }
    else
    if (query->type == STORE_REVIVE)
        return s_run (self, SQL_REVIVE);
    else
        result = s_apply_body (self, query);
    if (result != STORE_OK || sqlite3_changes (self->database))
        return result;
    if (query->type != STORE_PUT)
        return STORE_UNKNOWN;
    snprintf (self->error, sizeof self->error, "there is another request of "
                                               "this id");
    return STORE_FAILED;
}

static store_result_t
s_damaged (sqlite_t *self)
{
    snprintf (self->error, sizeof self->error, "a record is damaged, or memory "
                                               "is out");
    return STORE_FAILED;
}

static store_result_t
s_fetch (sqlite_t *self, const store_query_t *query, store_answer_t *answer)
{
    sqlite3_stmt *statement = self->statements [SQL_FETCH];
    s_bind_id (statement, 1, &query->id);
    int rc = sqlite3_step (statement);
    if (rc == SQLITE_DONE)
        return STORE_UNKNOWN;
    if (rc != SQLITE_ROW)
        return s_failed (self);
    message_t *body = NULL;
    if (sqlite3_column_type (statement, 0) != SQLITE_NULL) {
        body = blob_unpack (sqlite3_column_blob (statement, 0),
                         (size_t) sqlite3_column_bytes (statement, 0));
        if (!body)
            return s_damaged (self);
    }
    frame_t *service = NULL;
    if (answer_append (answer, &query->id, &service, &body))
        return s_no_memory (self);
    answer->records->aside = sqlite3_column_int (statement, 1);
    return STORE_OK;
}

static store_result_t
s_services (sqlite_t *self, const store_query_t *query, store_answer_t *answer)
{
    static const request_id_t none;
    sqlite3_stmt *statement = self->statements [SQL_SERVICE];
    const frame_t *after = query->service;
    for (size_t nbr = 0; nbr < query->limit; nbr++) {
        s_bind_frame (statement, 1, after);
        if (sqlite3_step (statement) != SQLITE_ROW)
            return s_failed (self);
        if (sqlite3_column_type (statement, 0) == SQLITE_NULL)
            return STORE_OK;
        frame_t *service = frame_new (sqlite3_column_blob (statement, 0),
            (size_t) sqlite3_column_bytes (statement, 0));
        message_t *body = NULL;
        sqlite3_reset (statement);
        after = service;
        if (!service || answer_append (answer, &none, &service, &body))
            return s_no_memory (self);
    }
    return STORE_OK;
}

static store_result_t
s_waiting (sqlite_t *self, const store_query_t *query, store_answer_t *answer)
{
    sqlite3_stmt *statement = self->statements [SQL_WAITING];
    s_bind_frame (statement, 1, query->service);
    s_bind_id (statement, 2, &query->id);
    sqlite3_bind_int64 (statement, 3, (sqlite3_int64) query->limit);
    int rc;
    while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
        request_id_t id;
        if (sqlite3_column_bytes (statement, 0) != (int) sizeof id.bytes)
            return s_damaged (self);
        memcpy (id.bytes, sqlite3_column_blob (statement, 0), sizeof id.bytes);
        message_t *body = blob_unpack (sqlite3_column_blob (statement, 1),
            (size_t) sqlite3_column_bytes (statement, 1));
        frame_t *service = frame_ref (query->service);
        if (!body || answer_append (answer, &id, &service, &body)) {
            frame_destroy (&service);
            return s_damaged (self);
        }
        answer->records [answer->record_count - 1].attempts =
            (unsigned) sqlite3_column_int64 (statement, 2);
    }
    return rc == SQLITE_DONE? STORE_OK: s_failed (self);
}

//  Once a quarter of the file is empty, some of it goes back to the file system.
//  What is left is for the requests to come, and not all at once: others wait.
static void
s_give_back (sqlite_t *self)
{
    int pages = 0;
    int empty = 0;
    char sql [64];
    if (s_pragma_number (self, "PRAGMA page_count", &pages)
    ||  s_pragma_number (self, "PRAGMA freelist_count", &empty)
    ||  empty < GIVE_BACK_LEAST || empty < pages / 4)
        return;
    int excess = empty - pages / 8;
    snprintf (sql, sizeof sql, "PRAGMA incremental_vacuum (%d)",
              excess < GIVE_BACK_MOST? excess: GIVE_BACK_MOST);
    if (sqlite3_exec (self->database, sql, NULL, NULL, NULL))
        s_failed (self);
}

static store_result_t
s_old (sqlite_t *self, const store_query_t *query, store_answer_t *answer)
{
    sqlite3_stmt *statement = self->statements [SQL_OLD];
    sqlite3_bind_int (statement, 1, !query->answered);
    sqlite3_bind_int64 (statement, 2, query->age_ms / 1000);
    sqlite3_bind_int64 (statement, 3, (sqlite3_int64) query->limit);
    int rc;
    while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
        request_id_t id;
        frame_t *service = NULL;
        message_t *body = NULL;
        if (sqlite3_column_bytes (statement, 0) != (int) sizeof id.bytes)
            return s_damaged (self);
        memcpy (id.bytes, sqlite3_column_blob (statement, 0), sizeof id.bytes);
        if (answer_append (answer, &id, &service, &body))
            return s_no_memory (self);
    }
    return rc == SQLITE_DONE? STORE_OK: s_failed (self);
}

static store_result_t
s_read (void *state, const store_query_t *query, store_answer_t *answer)
{
    sqlite_t *self = (sqlite_t *) state;
    sql_t sql = query->type == STORE_FETCH? SQL_FETCH
              : query->type == STORE_OLD? SQL_OLD
              : query->type == STORE_SERVICES? SQL_SERVICE: SQL_WAITING;
    store_result_t result = query->type == STORE_FETCH
        ? s_fetch (self, query, answer)
        : query->type == STORE_OLD? s_old (self, query, answer)
        : query->type == STORE_SERVICES? s_services (self, query, answer)
        : s_waiting (self, query, answer);
    if (query->type == STORE_OLD) {
        sqlite3_reset (self->statements [sql]);
        s_give_back (self);
    }
    sqlite3_reset (self->statements [sql]);
    sqlite3_clear_bindings (self->statements [sql]);
    return result;
}

const backend_t backend_sqlite = {
    .open = s_open, .close = s_close, .begin = s_begin, .apply = s_apply,
    .commit = s_commit, .rollback = s_rollback, .read = s_read,
    .limit = s_limit, .error = s_error
};
