/*  =========================================================================
    pg_link - a connection to PostgreSQL that comes back when it is lost

    Nothing here waits for long: a server that is silent is given up after
    PG_SILENCE_MS, and connecting goes on in a thread of its own.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PG_LINK_H_INCLUDED
#define PG_LINK_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "store.h"

//  A server from which nothing comes for so long, while it owes an answer, is
//  given up. It is less than the patience of a broker at default settings (7.5
//  s), and more than a healthy standby takes for a commit.
#define PG_SILENCE_MS 3000

//  For so long a query waits for a connection that is just being made: enough for
//  a server that was restarted.
#define PG_PATIENCE_MS 250


//  The next attempt after one that failed; after a server that was silent, so that
//  what is tried alone now, write by write, does not wait as long each time.
#define PG_PAUSE_MS 100
#define PG_REST_MS 1000

typedef struct _pg_link_t pg_link_t;

//  Connect, make the tables if there are none, prepare the statements. On
//  failure NULL, with the reason in error; on success error is "" or a warning.
pg_link_t *
    pg_link_new (const char *address, const char *const *statements,
                 size_t count, char *error, size_t size);
void
    pg_link_destroy (pg_link_t **self_p);

//  Whether there is a connection to send on. Begins to make one if there is
//  none.
bool
    pg_link_ready (pg_link_t *self);

//  Append a prepared statement, with parameters in binary; false when the
//  connection is lost.
typedef struct {
    const void *data;
    size_t size;
} pg_value_t;

bool
    pg_link_send (pg_link_t *self, size_t statement, const pg_value_t *values,
                  size_t count);

//  All has been sent, and answers are wanted. false as above.
bool
    pg_link_sync (pg_link_t *self);

//  The result of the next statement, the caller's to PQclear; NULL when the
//  connection is lost, and with it what the server made of the rest. A statement
//  that came after one that failed has PGRES_PIPELINE_ABORTED.
PGresult *
    pg_link_result (pg_link_t *self);

//  Read up to the end of what was sent before the sync; false as above.
bool
    pg_link_end (pg_link_t *self);

//  Drop the connection. The next pg_link_ready makes another.
void
    pg_link_drop (pg_link_t *self, const char *reason);

//  What a result that is a failure comes to, with a line in pg_link_error.
store_result_t
    pg_link_failed (pg_link_t *self, const PGresult *result);

//  Whether the server has warned of something since this was last asked.
bool
    pg_link_warned (pg_link_t *self);

//  One line about the last failure.
const char *
    pg_link_error (const pg_link_t *self);

#endif
