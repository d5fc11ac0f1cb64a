/*  =========================================================================
    pg_schema - the tables of a store in PostgreSQL

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PG_SCHEMA_H_INCLUDED
#define PG_SCHEMA_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

//  A store's own id, as text: what a copy or a standby has in common with it, and
//  an empty database has not.
typedef struct {
    char text [40];
} pg_store_id_t;

//  Set up a fresh connection and see that the store is there. With known NULL it
//  is made if it is not, else it must be that one. false with one line in error,
//  or nothing in it when PQerrorMessage has the reason. What an operator should
//  know is in warning, else "".
bool
    pg_schema_check (PGconn *connection, const pg_store_id_t *known,
                     pg_store_id_t *found, char *error, size_t error_size,
                     char *warning, size_t warning_size);

//  A connection as the server knows it. One that was given up may wait for a
//  standby still, and hold what it has written: whoever comes next ends it.
typedef struct {
    char text [64];             //  "" for none
} pg_session_t;

bool
    pg_session_take_over (PGconn *connection, const pg_session_t *last,
                          pg_session_t *own);

//  Carry out some SQL, not in a pipeline. The result of the last statement, or of
//  the first that fails, is the caller's; NULL when the connection is lost, or
//  silent for so long. In pg_link.c.
PGresult *
    pg_execute (PGconn *connection, const char *sql, int silence_ms);

#endif
