/*  =========================================================================
    lease_watch - who may execute what at a shared store, told a second time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "lease_watch.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

typedef struct {
    request_id_t server;        //  Key
    const machine_t *machine;   //  Whose it is
    uint64_t life;              //  And of which of its processes
    int64_t until_ms;           //  When it runs out; 0: it was given back
    UT_hash_handle hh;
} lease_entry_t;

struct _lease_watch_t {
    sim_t *sim;
    lease_entry_t *leases;      //  All that there ever were
};

static const request_id_t s_none;

lease_watch_t *
lease_watch_new (sim_t *sim)
{
    lease_watch_t *self = memory_need (calloc (1, sizeof (lease_watch_t)));
    self->sim = sim;
    return self;
}

void
lease_watch_destroy (lease_watch_t **self_p)
{
    lease_entry_t *lease, *next;
    HASH_ITER (hh, (*self_p)->leases, lease, next) {
        HASH_DEL ((*self_p)->leases, lease);
        free (lease);
    }
    free (*self_p);
    *self_p = NULL;
}

static bool
s_same (const request_id_t *one, const request_id_t *other)
{
    return memcmp (one, other, sizeof *one) == 0;
}

static lease_entry_t *
s_lease (const lease_watch_t *self, const request_id_t *server)
{
    lease_entry_t *lease;
    HASH_FIND (hh, self->leases, server, sizeof *server, lease);
    return lease;
}

bool
lease_watch_holds (const lease_watch_t *self, const request_id_t *server)
{
    const lease_entry_t *lease = s_lease (self, server);
    return lease && lease->until_ms > self->sim->now_ms;
}

//  --------------------------------------------------------------------------
//  What the store has done

static void
s_renewed (lease_watch_t *self, const machine_t *machine,
           const store_query_t *query, store_result_t result)
{
    lease_entry_t *lease = s_lease (self, &query->server);
    bool over = lease && lease->until_ms
        && lease->until_ms <= self->sim->now_ms;
    if (over != (result == STORE_UNKNOWN)) {
        sim_fail (self->sim, "the store renews a lease that has run out, or not "
                  "one that holds");
        return;
    }
    if (over)
        return;
    if (!lease) {
        lease = memory_need (calloc (1, sizeof (lease_entry_t)));
        lease->server = query->server;
        lease->machine = machine;
        lease->life = machine_life (machine);
        HASH_ADD (hh, self->leases, server, sizeof lease->server, lease);
    }
    if (lease->machine != machine || lease->life != machine_life (machine))
        machine_fail (machine, "its lease has the id of another server's");
    lease->until_ms = self->sim->now_ms + query->lease_ms;
}

static void
s_released (lease_watch_t *self, const store_query_t *query)
{
    if (s_same (&query->id, &s_none)) {
        lease_entry_t *lease = s_lease (self, &query->server);
        if (lease)
            lease->until_ms = 0;
        return;
    }
    entry_t *entry = ledger_find (self->sim->ledger, &query->id);
    if (entry && s_same (&entry->holder, &query->server))
        entry->holder = s_none;
}

void
lease_watch_written (lease_watch_t *self, const machine_t *machine,
                     const store_query_t *query, store_result_t result)
{
    if (query->type == STORE_RENEW)
        s_renewed (self, machine, query, result);
    if (query->type == STORE_RELEASE)
        s_released (self, query);
}

void
lease_watch_read (lease_watch_t *self, const machine_t *machine,
                  const store_query_t *query, const store_answer_t *answer)
{
    if (query->type != STORE_WAITING || s_same (&query->server, &s_none))
        return;
    for (size_t nbr = 0; nbr < answer->record_count; nbr++) {
        entry_t *entry = ledger_find (self->sim->ledger,
                                      &answer->records [nbr].id);
        if (!entry)
            continue;
        if (lease_watch_holds (self, &entry->holder))
            machine_fail (machine, "what it claims is another's, whose lease "
                          "holds");
        if (!s_same (&entry->holder, &s_none))
            self->sim->counts.taken_over++;
        entry->holder = query->server;
    }
}

void
lease_watch_lost (lease_watch_t *self, entry_t *entry)
{
    (void) self;
    entry->holder = s_none;
    entry->orphan = true;
}

bool
lease_watch_may_execute (const lease_watch_t *self, const machine_t *machine,
                         const entry_t *entry)
{
    const lease_entry_t *lease = s_lease (self, &entry->holder);
    return lease && lease->until_ms > self->sim->now_ms
        && lease->machine == machine && lease->life == machine_life (machine);
}
