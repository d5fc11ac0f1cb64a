/*  =========================================================================
    disk - a store that outlives its server, and fails now and then

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "disk.h"

#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "memory.h"

struct _disk_t {
    sim_t *sim;
    store_t *store;             //  What is on it
    disk_mode_t mode;
    bool lazy;                  //  The latest commit is still in a cache
    store_query_t *cache;       //  Lazy: it
    size_t cached;              //  Queries in it
};

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
disk_set_lazy (disk_t *self)
{
    self->lazy = true;
}

static bool
s_is_mishap (disk_t *self)
{
    return !self->sim->healing
        && dice_chance (&self->sim->dice, self->sim->swarm.disk_per_mille);
}

//  Carry one write out, or not
static void
s_write_one (disk_t *self, const store_query_t *query, store_answer_t *answer)
{
    answer->ticket = query->ticket;
    answer->type = query->type;
    answer->result = STORE_OK;
    if (self->mode == DISK_FAILING || s_is_mishap (self))
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
    store_answer_t real;
    store_write (self->store, &query, 1, &real);
    if (unsure)
        ledger_unsure (self->sim->ledger, &query->id);
    else
        answer->result = real.result;
}

static void
s_flush_cache (disk_t *self)
{
    for (size_t nbr = 0; nbr < self->cached; nbr++) {
        const store_query_t *query = &self->cache [nbr];
        store_answer_t answer;
        store_write (self->store, &query, 1, &answer);
    }
    s_drop_cache (self);
}

//  Say that all is on disk, and only take note
static void
s_cache (disk_t *self, const store_query_t *const *queries, size_t count,
         store_answer_t *answers)
{
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

void
disk_write (disk_t *self, const store_query_t *const *queries,
            size_t count, store_answer_t *answers)
{
    s_flush_cache (self);
    if (self->lazy) {
        s_cache (self, queries, count, answers);
        return;
    }
    if (self->mode == DISK_WELL && self->sim->swarm.disk_per_mille == 0) {
        store_write (self->store, queries, count, answers);
        return;
    }
    for (size_t nbr = 0; nbr < count; nbr++) {
        answers [nbr] = (store_answer_t) { 0 };
        s_write_one (self, queries [nbr], &answers [nbr]);
    }
}

void
disk_read (disk_t *self, const store_query_t *query, store_answer_t *answer)
{
    if (self->lazy)
        s_flush_cache (self);
    if (self->mode == DISK_FAILING || s_is_mishap (self))
        *answer = (store_answer_t) { .ticket = query->ticket,
            .type = query->type, .result = STORE_FAILED };
    else
        store_read (self->store, query, answer);
}

void
disk_tear (disk_t *self, const store_query_t *const *queries, size_t count)
{
    if (self->mode != DISK_WELL || dice_chance (&self->sim->dice, 500))
        return;
    store_answer_t *answers = memory_need (calloc (count, sizeof (*answers)));
    store_write (self->store, queries, count, answers);
    free (answers);
    sim_trace (self->sim, "disk", "has that commit");
}

void
disk_crash (disk_t *self)
{
    s_drop_cache (self);
}

disk_state_t
disk_state (disk_t *self, const request_id_t *id)
{
    store_query_t query = { .type = STORE_FETCH, .id = *id };
    store_answer_t answer;
    store_read (self->store, &query, &answer);
    disk_state_t state = answer.result != STORE_OK? DISK_ABSENT
        : answer.records->body? DISK_ANSWERED: DISK_PENDING;
    for (size_t nbr = 0; nbr < self->cached; nbr++)
        if (memcmp (&self->cache [nbr].id, id, sizeof *id) == 0)
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
