/*  =========================================================================
    scale_parts - what things take time on: processors, disks, a database

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "scale_parts.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "../store/backend.h"
#include "../store/claims.h"
#include "memory.h"

void
clock_later (clock_ns_t *self, int64_t in_ns, agenda_fn *fn, void *object,
             uint64_t number)
{
    agenda_add (&self->agenda, self->now_ns + in_ns, fn, object, number);
}

//  --------------------------------------------------------------------------
//  Processors and disks

struct _burst_t {
    cpu_t *cpu;
    int64_t ns;
    agenda_fn *fn;              //  What comes of it
    void *object;
    uint64_t number;
    burst_t *prev, *next;
};

static burst_t *
s_burst_new (agenda_fn *fn, void *object, uint64_t number)
{
    burst_t *burst = memory_need (calloc (1, sizeof (burst_t)));
    burst->fn = fn;
    burst->object = object;
    burst->number = number;
    return burst;
}

static void
s_bursts_destroy (burst_t **list)
{
    burst_t *burst, *next;
    DL_FOREACH_SAFE (*list, burst, next)
        free (burst);
    *list = NULL;
}

static void
s_worked (void *object, uint64_t number)
{
    (void) number;
    burst_t *burst = object;
    cpu_t *self = burst->cpu;
    self->busy--;
    if (self->queue) {
        burst_t *next = self->queue;
        DL_DELETE (self->queue, next);
        self->busy++;
        self->used_ns += next->ns;
        clock_later (self->clock, next->ns, s_worked, next, 0);
    }
    burst->fn (burst->object, burst->number);
    free (burst);
}

void
cpu_run (cpu_t *self, int64_t ns, agenda_fn *fn, void *object, uint64_t number)
{
    burst_t *burst = s_burst_new (fn, object, number);
    burst->cpu = self;
    burst->ns = ns;
    if (self->busy == self->cores) {
        DL_APPEND (self->queue, burst);
        return;
    }
    self->busy++;
    self->used_ns += ns;
    clock_later (self->clock, ns, s_worked, burst, 0);
}

void
cpu_clear (cpu_t *self)
{
    s_bursts_destroy (&self->queue);
}

static void s_begin_flush (disk_ns_t *self);

static void
s_flushed (void *object, uint64_t number)
{
    (void) number;
    disk_ns_t *self = object;
    burst_t *burst, *next;
    burst_t *done = self->going;
    self->going = NULL;
    self->flushing = false;
    if (self->queue)
        s_begin_flush (self);
    DL_FOREACH_SAFE (done, burst, next) {
        burst->fn (burst->object, burst->number);
        free (burst);
    }
}

static void
s_begin_flush (disk_ns_t *self)
{
    self->going = self->queue;
    self->queue = NULL;
    self->flushing = true;
    self->used_ns += self->flush_ns;
    clock_later (self->clock, self->flush_ns, s_flushed, self, 0);
}

void
disk_ns_flush (disk_ns_t *self, agenda_fn *fn, void *object, uint64_t number)
{
    burst_t *burst = s_burst_new (fn, object, number);
    DL_APPEND (self->queue, burst);
    if (!self->flushing)
        s_begin_flush (self);
}

void
disk_ns_clear (disk_ns_t *self)
{
    s_bursts_destroy (&self->queue);
    s_bursts_destroy (&self->going);
}

//  --------------------------------------------------------------------------
//  What the database holds

typedef struct _row_t {
    request_id_t id;            //  Key
    frame_t *service;
    message_t *body;
    message_t *reply;
    request_id_t server;        //  Who claimed it last
    struct _row_t *prev, *next; //  Those without a reply
    UT_hash_handle hh;
} row_t;

struct _base_t {
    clock_ns_t *clock;
    base_times_t times;
    cpu_t *cpu;
    disk_ns_t *disk;
    disk_ns_t *standby;
    row_t *rows;                //  By id
    row_t *waiting;             //  As they came
    claims_t *claims;
};

//  What is under way
typedef struct {
    base_t *base;
    const store_query_t *const *queries;
    const store_query_t *query; //  Of a read
    size_t count;
    store_answer_t *answers;
    agenda_fn *fn;
    void *object;
    uint64_t number;
} call_t;

base_t *
base_new (clock_ns_t *clock, const base_times_t *times, cpu_t *cpu,
          disk_ns_t *disk, disk_ns_t *standby)
{
    base_t *self = memory_need (calloc (1, sizeof (base_t)));
    *self = (base_t) { .clock = clock, .times = *times, .cpu = cpu,
        .disk = disk, .standby = standby,
        .claims = memory_need (claims_new ()) };
    return self;
}

static void
s_row_destroy (base_t *self, row_t *row)
{
    if (!row->reply)
        DL_DELETE (self->waiting, row);
    HASH_DEL (self->rows, row);
    frame_destroy (&row->service);
    message_destroy (&row->body);
    message_destroy (&row->reply);
    free (row);
}

void
base_destroy (base_t **self_p)
{
    row_t *row, *next;
    HASH_ITER (hh, (*self_p)->rows, row, next)
        s_row_destroy (*self_p, row);
    claims_destroy (&(*self_p)->claims);
    free (*self_p);
    *self_p = NULL;
}

static int64_t
s_now_ms (const base_t *self)
{
    return self->clock->now_ns / 1000000;
}

static store_result_t
s_apply (base_t *self, const store_query_t *query)
{
    static const request_id_t none;
    row_t *row;
    HASH_FIND (hh, self->rows, &query->id, sizeof query->id, row);
    switch (query->type) {
        case STORE_PUT:
            row = memory_need (calloc (1, sizeof (row_t)));
            row->id = query->id;
            row->service = frame_ref (query->service);
            row->body = memory_need (message_slice (query->body, 0));
            HASH_ADD (hh, self->rows, id, sizeof row->id, row);
            DL_APPEND (self->waiting, row);
            return STORE_OK;
        case STORE_RENEW:
            return claims_renew (self->claims, &query->server,
                                 query->lease_ms, s_now_ms (self));
        case STORE_RELEASE:
            if (memcmp (&query->id, &none, sizeof none))
                claims_release (self->claims, &query->id, &query->server);
            else
                claims_resign (self->claims, &query->server);
            return STORE_OK;
        default:
            break;
    }
    if (!row)
        return STORE_UNKNOWN;
    claims_forget (self->claims, &query->id);
    if (query->type == STORE_DROP)
        s_row_destroy (self, row);
    else
    if (!row->reply) {
        row->reply = memory_need (message_slice (query->body, 0));
        DL_DELETE (self->waiting, row);
    }
    return STORE_OK;
}

static void
s_append (store_answer_t *answer, const request_id_t *id, frame_t *service,
          message_t *body)
{
    frame_t *own_service = service? frame_ref (service): NULL;
    message_t *own_body = body? memory_need (message_slice (body, 0)): NULL;
    if (answer_append (answer, id, &own_service, &own_body))
        memory_need (NULL);
}

//  There is one service. Which of its requests come first is of no account.
static void
s_look (base_t *self, const store_query_t *query, store_answer_t *answer)
{
    row_t *row;
    *answer = (store_answer_t) { .ticket = query->ticket,
                                 .type = query->type };
    if (query->type == STORE_FETCH) {
        HASH_FIND (hh, self->rows, &query->id, sizeof query->id, row);
        if (row)
            s_append (answer, &row->id, NULL, row->reply);
        else
            answer->result = STORE_UNKNOWN;
    }
    if (query->type == STORE_SERVICES && !query->service && self->waiting)
        s_append (answer, &self->waiting->id, self->waiting->service, NULL);
    if (query->type != STORE_WAITING)
        return;
    DL_FOREACH (self->waiting, row) {
        if (answer->record_count == query->limit)
            break;
        if (!claims_take (self->claims, &row->id, &query->server,
                          s_now_ms (self)))
            continue;
        row->server = query->server;
        s_append (answer, &row->id, row->service, row->body);
    }
}

size_t
base_held (base_t *self, const request_id_t *server)
{
    size_t count = 0;
    row_t *row;
    DL_FOREACH (self->waiting, row)
        if (memcmp (&row->server, server, sizeof *server) == 0)
            count++;
    return count;
}

//  --------------------------------------------------------------------------
//  What it takes

static void
s_answered (void *object, uint64_t number)
{
    (void) number;
    call_t *call = object;
    call->fn (call->object, call->number);
    free (call);
}

//  The answer is on its way
static void
s_done (void *object, uint64_t number)
{
    (void) number;
    call_t *call = object;
    clock_later (call->base->clock, call->base->times.net_ns, s_answered,
                 call, 0);
}

static void
s_standby (void *object, uint64_t number)
{
    call_t *call = object;
    if (number == 0)
        disk_ns_flush (call->base->standby, s_standby, call, 1);
    else
        clock_later (call->base->clock, call->base->times.net_ns, s_done,
                     call, 0);
}

static void
s_flushed_here (void *object, uint64_t number)
{
    (void) number;
    call_t *call = object;
    if (call->base->times.standby)
        clock_later (call->base->clock, call->base->times.net_ns, s_standby,
                     call, 0);
    else
        s_done (call, 0);
}

static void
s_computed (void *object, uint64_t number)
{
    (void) number;
    call_t *call = object;
    base_t *self = call->base;
    if (call->query) {
        s_done (call, 0);
        return;
    }
    for (size_t nbr = 0; nbr < call->count; nbr++)
        call->answers [nbr] = (store_answer_t) {
            .ticket = call->queries [nbr]->ticket,
            .type = call->queries [nbr]->type,
            .result = s_apply (self, call->queries [nbr]) };
    disk_ns_flush (self->disk, s_flushed_here, call, 0);
}

static void
s_arrived (void *object, uint64_t number)
{
    call_t *call = object;
    int64_t work_ns = (int64_t) number;
    //  What is claimed is written, too, without waiting for the disk
    if (call->query) {
        s_look (call->base, call->query, call->answers);
        if (call->query->type == STORE_WAITING)
            work_ns += (int64_t) call->answers->record_count
                     * call->base->times.row_ns;
    }
    cpu_run (call->base->cpu, work_ns, s_computed, call, 0);
}

static call_t *
s_call (base_t *self, store_answer_t *answers, agenda_fn *fn, void *object,
        uint64_t number, int64_t work_ns)
{
    call_t *call = memory_need (calloc (1, sizeof (call_t)));
    *call = (call_t) { .base = self, .answers = answers, .fn = fn,
                       .object = object, .number = number };
    clock_later (self->clock, self->times.net_ns, s_arrived, call,
                 (uint64_t) work_ns);
    return call;
}

void
base_write (base_t *self, const store_query_t *const *queries, size_t count,
            store_answer_t *answers, agenda_fn *fn, void *object,
            uint64_t number)
{
    call_t *call = s_call (self, answers, fn, object, number,
        self->times.transaction_ns + (int64_t) count * self->times.row_ns);
    call->queries = queries;
    call->count = count;
}

void
base_read (base_t *self, const store_query_t *query, store_answer_t *answer,
           agenda_fn *fn, void *object, uint64_t number)
{
    call_t *call = s_call (self, answer, fn, object, number,
                           self->times.read_ns);
    call->query = query;
}
