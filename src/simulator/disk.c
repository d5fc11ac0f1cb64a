/*  =========================================================================
    disk - a store that outlives its servers, and fails now and then

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "lease_watch.h"
#include "ledger.h"
#include "memory.h"

//  Something that the standby does not have yet
typedef struct _ahead_t {
    request_id_t id;
    request_id_t server;        //  Who has claimed it; all zero: it was put
    struct _ahead_t *prev, *next;
} ahead_t;

struct _disk_t {
    sim_t *sim;
    store_t *store;             //  What is on it
    disk_mode_t mode;
    ahead_t *ahead;             //  In the order in which it came
    disk_fault_t fault;
    const machine_t *cacher;    //  Lazy: whose cache it is
    store_query_t *cache;       //  Lazy: the latest commit
    size_t cached;              //  Queries in it
};

static const request_id_t s_none;

//  Leases run out by it
static int64_t
s_clock_ms (void *argument)
{
    return ((const sim_t *) argument)->now_ms;
}

disk_t *
disk_new (sim_t *sim)
{
    disk_t *self = memory_need (calloc (1, sizeof (disk_t)));
    self->sim = sim;
    store_result_t result;
    char error [64];
    self->store = memory_need (store_open ("memory:", &result, error,
                                           sizeof error));
    store_set_clock (self->store, s_clock_ms, sim);
    return self;
}

static void
s_drop_ahead (disk_t *self)
{
    ahead_t *ahead, *next;
    DL_FOREACH_SAFE (self->ahead, ahead, next) {
        DL_DELETE (self->ahead, ahead);
        free (ahead);
    }
}

static void
s_add_ahead (disk_t *self, const request_id_t *id, const request_id_t *server)
{
    ahead_t *ahead = memory_need (calloc (1, sizeof (ahead_t)));
    ahead->id = *id;
    ahead->server = *server;
    DL_APPEND (self->ahead, ahead);
}

static void
s_drop_cache (disk_t *self)
{
    for (size_t nbr = 0; nbr < self->cached; nbr++)
        store_query_clear (&self->cache [nbr]);
    free (self->cache);
    self->cache = NULL;
    self->cached = 0;
}

void
disk_destroy (disk_t **self_p)
{
    disk_t *self = *self_p;
    s_drop_cache (self);
    s_drop_ahead (self);
    store_close (&self->store);
    free (self);
    *self_p = NULL;
}

void
disk_set_mode (disk_t *self, disk_mode_t mode)
{
    self->mode = mode;
}

void
disk_set_fault (disk_t *self, disk_fault_t fault)
{
    self->fault = fault;
}

static bool
s_is_mishap (disk_t *self)
{
    return !self->sim->healing
        && dice_chance (&self->sim->dice, self->sim->swarm.disk_per_mille);
}

//  --------------------------------------------------------------------------
//  What the store really does

//  A reply that is there already gives way to a new one
static void
s_overwrite (disk_t *self, const request_id_t *id)
{
    entry_t *entry = ledger_find (self->sim->ledger, id);
    if (!entry || disk_state (self, id) != DISK_ANSWERED)
        return;
    store_query_t drop = { .type = STORE_DROP, .id = *id };
    store_query_t put = { .type = STORE_PUT, .id = *id,
        .service = entry->service, .body = entry->body };
    const store_query_t *queries [] = { &drop, &put };
    store_answer_t answers [2];
    store_write (self->store, queries, 2, answers);
}

static void
s_resign (disk_t *self, const request_id_t *server)
{
    store_query_t query = { .type = STORE_RELEASE, .server = *server };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (self->store, queries, 1, &answer);
}

//  One write; what it came to
static store_result_t
s_apply (disk_t *self, const machine_t *machine, const store_query_t *query)
{
    store_query_t altered = *query;
    const store_query_t *queries [] = { &altered };
    if (query->type == STORE_RENEW && self->fault == DISK_LEASES_SHORT)
        altered.lease_ms /= 4;
    if (query->type == STORE_RENEW && self->fault == DISK_LEASES_REVIVE)
        s_resign (self, &query->server);
    if (query->type == STORE_ANSWER && self->fault == DISK_OVERWRITES)
        s_overwrite (self, &query->id);
    if (query->type == STORE_PUT && self->fault == DISK_STANDBY_LAGS)
        s_add_ahead (self, &query->id, &s_none);
    store_answer_t answer;
    store_write (self->store, queries, 1, &answer);
    lease_watch_written (self->sim->lease_watch, machine, query,
                         answer.result);
    if (query->type == STORE_ANSWER && answer.result == STORE_OK)
        ledger_answered (self->sim->ledger, query);
    return answer.result;
}

//  What was claimed before is not given to another
static void
s_keep_claimed (disk_t *self, store_answer_t *answer)
{
    size_t kept = 0;
    for (size_t nbr = 0; nbr < answer->record_count; nbr++) {
        store_record_t *record = &answer->records [nbr];
        entry_t *entry = ledger_find (self->sim->ledger, &record->id);
        if (!entry || memcmp (&entry->holder, &s_none, sizeof s_none) == 0) {
            answer->records [kept++] = *record;
            continue;
        }
        frame_destroy (&record->service);
        message_destroy (&record->body);
    }
    answer->record_count = kept;
}

//  One read. A claim is not waited for on disk: the standby has it with the next
//  commit.
static void
s_look (disk_t *self, const machine_t *machine, const store_query_t *query,
        store_answer_t *answer)
{
    store_query_t altered = *query;
    if (query->type == STORE_WAITING && self->fault == DISK_CLAIMS_BLIND)
        altered.server = s_none;
    store_read (self->store, &altered, answer);
    if (query->type == STORE_WAITING && self->fault == DISK_CLAIMS_LAST)
        s_keep_claimed (self, answer);
    lease_watch_read (self->sim->lease_watch, machine, query, answer);
    for (size_t nbr = 0; nbr < answer->record_count; nbr++)
        if (query->type == STORE_WAITING
        &&  memcmp (&query->server, &s_none, sizeof s_none))
            s_add_ahead (self, &answer->records [nbr].id, &query->server);
}

//  A commit: the standby has all that was before it, and says so
static void
s_committed (disk_t *self)
{
    if (self->fault != DISK_STANDBY_LAGS)
        s_drop_ahead (self);
}

//  --------------------------------------------------------------------------
//  A cache that should not be

static void
s_flush_cache (disk_t *self)
{
    for (size_t nbr = 0; nbr < self->cached; nbr++)
        s_apply (self, self->cacher, &self->cache [nbr]);
    s_drop_cache (self);
}

//  Say that all is on disk, and only take note
static void
s_cache (disk_t *self, const machine_t *machine,
         const store_query_t *const *queries, size_t count,
         store_answer_t *answers)
{
    self->cacher = machine;
    self->cache = memory_need (calloc (count, sizeof (store_query_t)));
    self->cached = count;
    for (size_t nbr = 0; nbr < count; nbr++) {
        self->cache [nbr] = *queries [nbr];
        if (queries [nbr]->service)
            self->cache [nbr].service = frame_ref (queries [nbr]->service);
        if (queries [nbr]->body)
            self->cache [nbr].body = memory_need (message_slice (
                queries [nbr]->body, 0));
        answers [nbr] = (store_answer_t) { .ticket = queries [nbr]->ticket,
            .type = queries [nbr]->type, .result = STORE_OK };
    }
}

//  --------------------------------------------------------------------------
//  What its servers get

//  Carry one write out, or not
static void
s_write_one (disk_t *self, const machine_t *machine, bool connected,
             const store_query_t *query, store_answer_t *answer)
{
    *answer = (store_answer_t) { .ticket = query->ticket,
                                 .type = query->type, .result = STORE_OK };
    if (!connected || self->mode == DISK_FAILING || s_is_mishap (self))
        answer->result = STORE_FAILED;
    else
    if (self->mode == DISK_FULL && query->type != STORE_DROP)
        answer->result = STORE_FULL;
    //  Now and then nobody can say whether a write that failed was carried out:
    //  the connection to the database went in the middle of a commit
    bool unsure = answer->result == STORE_FAILED
        && dice_chance (&self->sim->dice, 100);
    if (answer->result != STORE_OK && !unsure)
        return;
    store_result_t result = s_apply (self, machine, query);
    if (unsure)
        ledger_unsure (self->sim->ledger, &query->id);
    else
        answer->result = result;
}

void
disk_write (disk_t *self, const machine_t *machine, bool connected,
            const store_query_t *const *queries, size_t count,
            store_answer_t *answers)
{
    s_flush_cache (self);
    if (self->fault == DISK_LAZY) {
        s_cache (self, machine, queries, count, answers);
        return;
    }
    for (size_t nbr = 0; nbr < count; nbr++)
        s_write_one (self, machine, connected, queries [nbr], &answers [nbr]);
    s_committed (self);
}

void
disk_read (disk_t *self, const machine_t *machine, bool connected,
           const store_query_t *query, store_answer_t *answer)
{
    s_flush_cache (self);
    bool failed = !connected || self->mode == DISK_FAILING
        || s_is_mishap (self);
    //  What it was to claim it may have claimed all the same
    bool unsure = failed && dice_chance (&self->sim->dice, 100);
    if (!failed || unsure)
        s_look (self, machine, query, answer);
    if (unsure)
        store_answer_clear (answer);
    if (failed)
        *answer = (store_answer_t) { .ticket = query->ticket,
            .type = query->type, .result = STORE_FAILED };
}

//  --------------------------------------------------------------------------
//  What befalls it

void
disk_tear (disk_t *self, const machine_t *machine,
           const store_query_t *const *queries, size_t count)
{
    if (self->mode != DISK_WELL || dice_chance (&self->sim->dice, 500))
        return;
    s_flush_cache (self);
    for (size_t nbr = 0; nbr < count; nbr++)
        s_apply (self, machine, queries [nbr]);
    s_committed (self);
    sim_trace (self->sim, "disk", "has that commit");
}

void
disk_crash (disk_t *self, const machine_t *machine)
{
    if (self->cacher == machine)
        s_drop_cache (self);
}

//  What the standby does not have is as if it had not been
static void
s_undo (disk_t *self, const ahead_t *ahead)
{
    bool put = memcmp (&ahead->server, &s_none, sizeof s_none) == 0;
    store_query_t query = { .type = put? STORE_DROP: STORE_RELEASE,
                            .id = ahead->id, .server = ahead->server };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (self->store, queries, 1, &answer);
    entry_t *entry = ledger_find (self->sim->ledger, &ahead->id);
    if (entry)
        lease_watch_lost (self->sim->lease_watch, entry);
}

void
disk_fail_over (disk_t *self)
{
    size_t count;
    ahead_t *ahead;
    DL_COUNT (self->ahead, ahead, count);
    size_t kept = dice_below (&self->sim->dice, count + 1);
    DL_FOREACH (self->ahead, ahead)
        if (kept > 0)
            kept--;
        else
            s_undo (self, ahead);
    s_drop_ahead (self);
}

//  --------------------------------------------------------------------------
//  What there is

disk_state_t
disk_state (disk_t *self, const request_id_t *id)
{
    store_query_t query = { .type = STORE_FETCH, .id = *id };
    store_answer_t answer;
    store_read (self->store, &query, &answer);
    disk_state_t state = answer.result != STORE_OK? DISK_ABSENT
        : answer.records->body? DISK_ANSWERED: DISK_PENDING;
    for (size_t nbr = 0; nbr < self->cached; nbr++)
        if (memcmp (&self->cache [nbr].id, id, sizeof *id) == 0
        &&  self->cache [nbr].type != STORE_RELEASE)
            state = self->cache [nbr].type == STORE_DROP? DISK_ABSENT
                : self->cache [nbr].type == STORE_PUT? DISK_PENDING
                : DISK_ANSWERED;
    store_answer_clear (&answer);
    return state;
}

bool
disk_has_waiting (disk_t *self)
{
    s_flush_cache (self);
    store_query_t query = { .type = STORE_SERVICES, .limit = 1 };
    store_answer_t answer;
    store_read (self->store, &query, &answer);
    bool waiting = answer.record_count > 0;
    store_answer_clear (&answer);
    return waiting;
}
