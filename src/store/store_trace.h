/*  =========================================================================
    store_trace - what tests do with a store

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef STORE_TRACE_H_INCLUDED
#define STORE_TRACE_H_INCLUDED

#include <check.h>

#include "store.h"

//  A lease that no test sees the end of
#define LONG 600000

//  The backends by number, for loop tests. The last of them needs a server,
//  whose address is in the environment: ci/tests/postgresql.test.
#define BACKENDS 2
#define BACKEND_POSTGRESQL 2

//  The contract, on the backends from first up to end. In store_test.c.
TCase *
    store_contract (int first, int end);

store_t *
    trace_open (const char *address);

//  Ids in the order of their numbers; 0 in a query stands for none.
request_id_t
    trace_id (unsigned number);
store_query_t
    trace_query (store_query_type_t type, unsigned number, const char *service,
                 const char *body);

//  One write by itself; its result.
store_result_t
    trace_write (store_t *store, store_query_type_t type, unsigned number,
                 const char *service, const char *body);
store_answer_t
    trace_read (store_t *store, store_query_type_t type, unsigned number,
                const char *service, size_t limit);

//  The state of a request: NULL unknown, "" pending, else the reply.
const char *
    trace_state (store_t *store, unsigned number);

//  So many executions of a request have ended without a reply.
store_result_t
    trace_attempt (store_t *store, unsigned number, unsigned attempts,
                   bool aside);

//  A server, by a letter, renews its lease; gives back one claim, or with 0 the
//  lease; claims requests for echo: their numbers, as "1 2 5".
request_id_t
    trace_server (char name);
store_result_t
    trace_renew (store_t *store, char name, int64_t lease_ms);
void
    trace_release (store_t *store, char name, unsigned number);
const char *
    trace_claim (store_t *store, char name, unsigned after, size_t limit);

#endif
