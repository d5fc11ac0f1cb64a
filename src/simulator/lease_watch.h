/*  =========================================================================
    lease_watch - who may execute what at a shared store, told a second time

    It hears of all that the store has done, also where nobody got the answer,
    and knows by the one true clock which leases hold.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef LEASE_WATCH_H_INCLUDED
#define LEASE_WATCH_H_INCLUDED

#include "ledger.h"
#include "machine.h"

lease_watch_t *
    lease_watch_new (sim_t *sim);
void
    lease_watch_destroy (lease_watch_t **self_p);

//  The store has carried out what this server asked for.
void
    lease_watch_written (lease_watch_t *self, const machine_t *machine,
                         const store_query_t *query, store_result_t result);
void
    lease_watch_read (lease_watch_t *self, const machine_t *machine,
                      const store_query_t *query, const store_answer_t *answer);

//  The store has lost its latest claims with its machine: those of this id.
void
    lease_watch_lost (lease_watch_t *self, entry_t *entry);

//  Whether the lease of this id holds; whether a server's process is the one that
//  has claimed the request, under a lease that holds.
bool
    lease_watch_holds (const lease_watch_t *self, const request_id_t *server);
bool
    lease_watch_may_execute (const lease_watch_t *self,
                             const machine_t *machine, const entry_t *entry);

#endif
