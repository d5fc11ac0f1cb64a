/*  =========================================================================
    pg_schema - the tables of a store in PostgreSQL

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_link.h"
#include "pg_schema.h"

//  Of the tables below; a newer one is refused, an older one is raised
#define SCHEMA_VERSION 4
#define SCHEMA_OLDEST 2
//  "SeaT": who makes tables holds this lock
#define LOCK "1399153012"
//  What we use came with this version
#define SERVER_MIN 140000

//  So long a step from one version to the next may take: it looks at each request
#define RAISE_MS 3600000

//  The shape of SQLite's, and who has claimed a request; frames are kept as
//  README.md in this folder tells. A claim changes no index, so it may stay on its
//  page if there is room. What lives shortly leaves many dead rows behind.
static const char s_tables [] =
    "CREATE TABLE titanic.format ("
    " application text NOT NULL, version int NOT NULL, store uuid NOT NULL);"
    "INSERT INTO titanic.format VALUES ('seatrial', 2, gen_random_uuid ());"
    "CREATE TABLE titanic.request ("
    " id uuid NOT NULL PRIMARY KEY,"
    " service bytea NOT NULL,"
    " body bytea NOT NULL,"
    " reply bytea,"
    " server uuid,"
    " since timestamptz NOT NULL DEFAULT clock_timestamp ())"
    " WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);"
    "CREATE INDEX waiting ON titanic.request (service, id)"
    " WHERE reply IS NULL;"
    "CREATE INDEX age ON titanic.request ((reply IS NULL), since);"
    "CREATE TABLE titanic.server ("
    " id uuid NOT NULL PRIMARY KEY, expires timestamptz NOT NULL)"
    " WITH (fillfactor = 50);";

//  How much is stored, for --max-stored-bytes. A request counts as its service,
//  body and reply, and 200 bytes for its rows in table and indexes. Triggers
//  count, so that what an operator deletes counts too. A transaction adds up its
//  own in a setting, and at its commit changes one row of many, by its process,
//  so that servers do not wait for each other. Who has a limit sets
//  it, and what was there when it began; the last eighth is for replies, without
//  which a store that is full would stay so.
#define BYTES(row) "(200::bigint + octet_length (" row ".service)"          \
    " + octet_length (" row ".body) + coalesce (octet_length (" row ".reply), 0))"

static const char s_counting [] =
    "CREATE TABLE titanic.stored ("
    " part int NOT NULL PRIMARY KEY, bytes bigint NOT NULL)"
    " WITH (fillfactor = 50);"
    "CREATE FUNCTION titanic.setting (name text) RETURNS bigint"
    " LANGUAGE sql STABLE AS $$"
    " SELECT coalesce (nullif (current_setting ($1, true), ''), '0')::bigint"
    " $$;"
    "CREATE FUNCTION titanic.count () RETURNS trigger"
    " LANGUAGE plpgsql AS $$"
    " DECLARE"
    "  change bigint := 0;"
    "  most bigint := titanic.setting ('titanic.most');"
    " BEGIN"
    "  IF TG_OP <> 'DELETE' THEN change := " BYTES ("NEW") "; END IF;"
    "  IF TG_OP <> 'INSERT' THEN change := change - " BYTES ("OLD") "; END IF;"
    "  change := change + titanic.setting ('titanic.change');"
    "  IF TG_OP = 'INSERT' THEN most := most - most / 8; END IF;"
    "  IF TG_OP <> 'DELETE' AND most > 0"
    "  AND titanic.setting ('titanic.stored') + change > most THEN"
    "   RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE ="
    "    'the store is as large as it may be; see --max-stored-bytes';"
    "  END IF;"
    "  PERFORM set_config ('titanic.change', change::text, true);"
    "  RETURN NULL;"
    " END $$;"
    "CREATE FUNCTION titanic.keep_count () RETURNS trigger"
    " LANGUAGE plpgsql AS $$"
    " DECLARE"
    "  change bigint := titanic.setting ('titanic.change');"
    " BEGIN"
    "  IF change <> 0 THEN"
    "   INSERT INTO titanic.stored AS s VALUES"
    "    (pg_backend_pid () % 256, change)"
    "    ON CONFLICT (part) DO UPDATE SET bytes = s.bytes + excluded.bytes;"
    "   PERFORM set_config ('titanic.change', '0', true);"
    "  END IF;"
    "  RETURN NULL;"
    " END $$;"
    "LOCK TABLE titanic.request IN SHARE ROW EXCLUSIVE MODE;"
    "INSERT INTO titanic.stored SELECT 0, coalesce (sum " BYTES ("r") ", 0)"
    " FROM titanic.request r;"
    "CREATE TRIGGER count AFTER INSERT OR UPDATE OF reply OR DELETE"
    " ON titanic.request FOR EACH ROW EXECUTE FUNCTION titanic.count ();"
    "CREATE CONSTRAINT TRIGGER keep_count"
    " AFTER INSERT OR UPDATE OF reply OR DELETE ON titanic.request"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    //  The first of a transaction does it for all
    " WHEN (titanic.setting ('titanic.change') = 0)"
    " EXECUTE FUNCTION titanic.keep_count ();"
    "UPDATE titanic.format SET version = 3;";

//  aside: what has no reply and does not wait, since attempts were enough
static const char s_attempts [] =
    "ALTER TABLE titanic.request"
    " ADD COLUMN attempts bigint NOT NULL DEFAULT 0,"
    " ADD COLUMN aside boolean NOT NULL DEFAULT false;"
    "DROP INDEX titanic.waiting;"
    "CREATE INDEX waiting ON titanic.request (service, id)"
    " WHERE reply IS NULL AND NOT aside;"
    "CREATE INDEX aside ON titanic.request (id) WHERE aside;"
    "UPDATE titanic.format SET version = 4;";

//  What makes a version of the one before it
static const char *const s_steps [] = { [3] = s_counting, [4] = s_attempts };

//  200 means on disk, here and on each synchronous standby: what a database or a
//  role is set to below that is raised, what is above is left. The plans that
//  hold for an empty table must hold for a full one.
static const char s_settings [] =
    "SELECT set_config ('synchronous_commit', 'on', false)"
    " WHERE current_setting ('synchronous_commit') <> 'remote_apply';"
    "SET enable_seqscan = off; SET enable_bitmapscan = off;"
    "SET enable_sort = off; SET enable_hashjoin = off;"
    "SET enable_mergejoin = off; SET jit = off;"
    "SET plan_cache_mode = force_generic_plan;"
    "SET statement_timeout = 0; SET lock_timeout = '2s';"
    "SET idle_session_timeout = 0;"
    "SELECT current_setting ('fsync')";

//  A statement that must succeed; its first value, or "" if there is none
static bool
s_ask_within (PGconn *connection, const char *sql, char *value, size_t size,
              int silence_ms)
{
    PGresult *result = pg_execute (connection, sql, silence_ms);
    ExecStatusType status = PQresultStatus (result);
    if (value)
        *value = 0;
    if (value && status == PGRES_TUPLES_OK && PQntuples (result) > 0)
        snprintf (value, size, "%s", PQgetvalue (result, 0, 0));
    PQclear (result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static bool
s_ask (PGconn *connection, const char *sql, char *value, size_t size)
{
    return s_ask_within (connection, sql, value, size, PG_SILENCE_MS);
}

//  What there is in a database, as far as it concerns us
typedef enum {
    FOUND_NOTHING,              //  Nobody has used our names
    FOUND_OURS,
    FOUND_THEIRS,
    FOUND_OLDER_VERSION,        //  Of ours, and we can raise it
    FOUND_OTHER_VERSION,
    FOUND_ERROR                 //  PQerrorMessage tells
} found_t;

static found_t
s_look (PGconn *connection, pg_store_id_t *id, int *version)
{
    char tables [16];
    char format [80];
    if (!s_ask (connection, "SELECT count (*) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'titanic'", tables, sizeof tables))
        return FOUND_ERROR;
    if (strcmp (tables, "0") == 0)
        return FOUND_NOTHING;
    if (!s_ask (connection, "SELECT 1 FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE n.nspname = 'titanic' AND c.relname = 'format'"
                " AND a.attname = 'application'", format, sizeof format))
        return FOUND_ERROR;
    if (!*format)
        return FOUND_THEIRS;
    if (!s_ask (connection, "SELECT version || ' ' || store FROM"
                " titanic.format WHERE application = 'seatrial'", format,
                sizeof format))
        return FOUND_ERROR;
    char *space = strchr (format, ' ');
    if (!space)
        return FOUND_THEIRS;
    *version = atoi (format);
    snprintf (id->text, sizeof id->text, "%.36s", space + 1);
    return *version == SCHEMA_VERSION? FOUND_OURS
         : *version < SCHEMA_VERSION && *version >= SCHEMA_OLDEST
         ? FOUND_OLDER_VERSION: FOUND_OTHER_VERSION;
}

//  Somebody with more rights may have made the schema for us
static bool
s_create (PGconn *connection)
{
    char schema [4];
    return s_ask (connection, "SELECT 1 FROM pg_namespace"
                  " WHERE nspname = 'titanic'", schema, sizeof schema)
        && (*schema || s_ask (connection, "CREATE SCHEMA titanic", NULL, 0))
        && s_ask (connection, s_tables, NULL, 0);
}

//  Make the tables, or raise them from an older version. Two servers may start at
//  once: one does it, the other waits for it.
static found_t
s_raise (PGconn *connection, bool create, pg_store_id_t *id, int *version)
{
    found_t found = FOUND_ERROR;
    if (s_ask (connection, "BEGIN; SELECT pg_advisory_xact_lock (" LOCK ")",
               NULL, 0))
        found = s_look (connection, id, version);
    if (found == FOUND_NOTHING && create)
        found = s_create (connection)? s_look (connection, id, version)
                                     : FOUND_ERROR;
    while (found == FOUND_OLDER_VERSION)
        found = s_ask_within (connection, s_steps [*version + 1], NULL, 0,
                              RAISE_MS)
            ? s_look (connection, id, version): FOUND_ERROR;
    if (found == FOUND_OURS)
        return s_ask (connection, "COMMIT", NULL, 0)? found: FOUND_ERROR;
    //  The reason is to stay in PQerrorMessage; the connection is given up
    return found;
}

bool
pg_schema_check (PGconn *connection, const pg_store_id_t *known,
                 pg_store_id_t *found, char *error, size_t error_size,
                 char *warning, size_t warning_size)
{
    *warning = 0;
    char fsync [8];
    if (PQserverVersion (connection) < SERVER_MIN) {
        snprintf (error, error_size, "PostgreSQL 14 or newer is needed");
        return false;
    }
    if (!s_ask (connection, s_settings, fsync, sizeof fsync))
        return false;
    if (strcmp (fsync, "off") == 0)
        snprintf (warning, warning_size, "PostgreSQL runs with fsync = off: "
            "what is acknowledged may be lost when its machine fails; set it "
            "to on");
    int version = 0;
    found_t what = s_look (connection, found, &version);
    if ((what == FOUND_NOTHING && !known) || what == FOUND_OLDER_VERSION)
        what = s_raise (connection, !known, found, &version);
    if (what == FOUND_NOTHING
    || (what == FOUND_OURS && known && strcmp (known->text, found->text)))
        snprintf (error, error_size, "another store answers there than the one "
                  "that was opened; see to the hosts in --store");
    if (what == FOUND_THEIRS)
        snprintf (error, error_size, "the schema titanic in this database "
                  "belongs to another program; choose another database");
    if (what == FOUND_OTHER_VERSION)
        snprintf (error, error_size, "its format is version %d, and this "
                  "titanicd knows %d only; use the one that wrote it", version,
                  SCHEMA_VERSION);
    if (what != FOUND_OURS || *error)
        return false;
    //  Servers that died; nobody has a claim under a lease that is so old
    return s_ask (connection, "DELETE FROM titanic.server WHERE expires"
                  " < clock_timestamp () - interval '1 day'", NULL, 0);
}

//  A process number may come back, even at another server: its start does not
#define SESSION "pid || ' ' || extract (epoch FROM backend_start)"

bool
pg_session_take_over (PGconn *connection, const pg_session_t *last,
                      pg_session_t *own)
{
    char sql [256];
    snprintf (sql, sizeof sql, "SELECT pg_terminate_backend (pid) FROM"
              " pg_stat_activity WHERE " SESSION " = '%s'", last->text);
    return (!*last->text || s_ask (connection, sql, NULL, 0))
        && s_ask (connection, "SELECT " SESSION " FROM pg_stat_activity"
                  " WHERE pid = pg_backend_pid ()", own->text,
                  sizeof own->text);
}
