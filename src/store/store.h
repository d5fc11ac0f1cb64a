/*  =========================================================================
    store - where Titanic keeps its requests and replies

    One interface for all backends, each a constant table of functions. An
    engine never sees it: its queries travel in effects, the answers in events.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef STORE_H_INCLUDED
#define STORE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol/message.h"

//  Servers that share a store take turns by claims. A server holds a lease on
//  an id of its own, which it renews; what STORE_WAITING gives it, it has claimed,
//  and nobody else gets that while the lease holds. When the lease has run out,
//  its claims count for nothing. A server whose id is all zero claims nothing and
//  sees what is claimed: it has the store to itself.

//  A request's id: 16 bytes in UUID version 7 layout, so that ids that were
//  given out later sort later. On the wire it is 32 hexadecimal digits, 9/TSP.
typedef struct {
    unsigned char bytes [16];
} request_id_t;

typedef enum {
    //  Writes
    STORE_PUT,                  //  Keep a new request: id, service, body. The
                                //  same once more is done already
    STORE_ANSWER,               //  Keep the reply to a request: id, body.
                                //  Never makes a request that is not there; the
                                //  first reply stays
    STORE_DROP,                 //  Forget a request and its reply: id
    STORE_ATTEMPT,              //  So many executions of a request without a
                                //  reply have ended without one: id, attempts.
                                //  aside: it does not wait any more, and nobody
                                //  has claimed it
    STORE_REVIVE,               //  All that was set aside waits again, with no
                                //  attempts
    STORE_RENEW,                //  Hold the lease of server for lease_ms from
                                //  now. STORE_UNKNOWN: it has run out, and this
                                //  server's id is of no use any more
    STORE_RELEASE,              //  Give back what server has claimed: id; all
                                //  zero: its lease too, and so every claim
    //  Reads
    STORE_FETCH,                //  The state of a request, and its reply: id
    STORE_SERVICES,             //  Names of the services that unanswered
                                //  requests ask for, after service, up to limit
    STORE_WAITING,              //  Unanswered requests for service, in the
                                //  order of their ids, after id, up to limit.
                                //  With a server: those that nobody has
                                //  claimed, which are its own from now on
    STORE_OLD                   //  Ids of requests that have been unanswered, or
                                //  answered, for age_ms at least, up to limit;
                                //  time, too, to give space back
} store_query_type_t;

//  A query owns what it points to; store_query_clear drops that.
typedef struct {
    store_query_type_t type;
    uint64_t ticket;            //  Comes back with the answer
    request_id_t id;            //  All zero: before every other id
    frame_t *service;           //  NULL: before every other name
    message_t *body;            //  Request body, or reply body
    size_t limit;               //  Most records in the answer
    request_id_t server;        //  RENEW, RELEASE, WAITING: who asks
    int64_t lease_ms;           //  RENEW
    int64_t age_ms;             //  OLD; a backend may round it to seconds
    bool answered;              //  OLD: which of the two
    unsigned attempts;          //  ATTEMPT
    bool aside;                 //  ATTEMPT
} store_query_t;

typedef enum {
    STORE_OK,
    STORE_UNKNOWN,              //  No request has this id (any more)
    STORE_FULL,                 //  No space left where the store lives
    STORE_LOCKED,               //  Another server has the store open
    STORE_FAILED                //  Anything else; the text tells
} store_result_t;

//  One line for people: "no space left", ...
const char *
    store_result_text (store_result_t result);

typedef struct {
    request_id_t id;
    frame_t *service;           //  SERVICES, WAITING; else NULL
    message_t *body;            //  WAITING: the request; FETCH: the reply, NULL
                                //  while there is none
    unsigned attempts;          //  WAITING
    bool aside;                 //  FETCH: it has no reply and was set aside
} store_record_t;

//  An answer owns its records.
typedef struct {
    uint64_t ticket;
    store_query_type_t type;
    store_result_t result;
    store_record_t *records;    //  Reads, when the result is STORE_OK
    size_t record_count;
} store_answer_t;

void
    store_query_clear (store_query_t *self);
void
    store_answer_clear (store_answer_t *self);

typedef struct _store_t store_t;

//  Open the store that an address names: "memory:", or "sqlite:PATH" or just
//  PATH for a SQLite file, which is made if it is not there, or "postgresql://..."
//  as libpq understands it, for a database with a schema titanic, which is made
//  likewise. On failure NULL, with the reason in *result and one line for people
//  in error, an array of size bytes. On success error is "", or a warning about
//  how the store is set up.
store_t *
    store_open (const char *address, store_result_t *result,
                char *error, size_t size);

//  Whether servers in other processes may use the same store.
bool
    store_is_shared (const store_t *self);

//  The clock by which leases run out where this process has the store to itself:
//  a monotonic one, in milliseconds. Tests and simulators set their own. A shared
//  store goes by its own clock.
typedef int64_t (store_clock_fn) (void *argument);
void
    store_set_clock (store_t *self, store_clock_fn *clock, void *argument);
//  Keep the store at or below so many bytes from now on, 0 for no limit, as far as
//  the backend can. A STORE_PUT that does not fit in gets STORE_FULL, with room
//  left for replies.
void
    store_set_limit (store_t *self, int64_t max_bytes);

//  Close and free. What was committed stays.
void
    store_close (store_t **self_p);

//  Carry out writes in order as one commit and fill in one answer each, in the
//  same order. STORE_OK and STORE_UNKNOWN are given only once the commit is on
//  disk. When the commit fails as a whole, each write is tried alone, so that
//  one that cannot be stored does not take the others with it.
void
    store_write (store_t *self, const store_query_t *const *queries,
                 size_t count, store_answer_t *answers);

//  Answer one read, from what is committed. When STORE_WAITING fails on a shared
//  store, it may have claimed something all the same.
void
    store_read (store_t *self, const store_query_t *query,
                store_answer_t *answer);

//  One line about the last failure, for the log; "" when there was none.
const char *
    store_error (const store_t *self);

#endif
