/*  =========================================================================
    scale_parts - what things take time on: processors, disks, a database

    For scale only: the clock counts nanoseconds, and nothing fails.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SCALE_PARTS_H_INCLUDED
#define SCALE_PARTS_H_INCLUDED

#include "../engine/engine.h"
#include "agenda.h"

//  The virtual clock and what is to come.
typedef struct {
    agenda_t agenda;
    int64_t now_ns;
} clock_ns_t;

void
    clock_later (clock_ns_t *self, int64_t in_ns, agenda_fn *fn, void *object,
                 uint64_t number);

//  A processor of some cores, first come, first served.
typedef struct _burst_t burst_t;
typedef struct {
    clock_ns_t *clock;
    size_t cores;
    size_t busy;
    int64_t used_ns;            //  By all cores together
    burst_t *queue;
} cpu_t;

//  Call fn (object, number) when it has worked for so long.
void
    cpu_run (cpu_t *self, int64_t ns, agenda_fn *fn, void *object,
             uint64_t number);
void
    cpu_clear (cpu_t *self);

//  A disk: all that wait when a flush begins are flushed together.
typedef struct {
    clock_ns_t *clock;
    int64_t flush_ns;
    bool flushing;
    int64_t used_ns;
    burst_t *queue;
    burst_t *going;
} disk_ns_t;

void
    disk_ns_flush (disk_ns_t *self, agenda_fn *fn, void *object,
                   uint64_t number);
void
    disk_ns_clear (disk_ns_t *self);

//  What the database's work takes.
typedef struct {
    int64_t net_ns;             //  One way, to anybody
    int64_t transaction_ns;     //  Processor: a transaction that writes
    int64_t row_ns;             //  A row written, of it
    int64_t read_ns;            //  A statement that reads
    bool standby;               //  Each commit waits for another machine's disk
} base_times_t;

//  PostgreSQL, as far as it takes time; what it holds is the truth.
typedef struct _base_t base_t;

base_t *
    base_new (clock_ns_t *clock, const base_times_t *times, cpu_t *cpu,
              disk_ns_t *disk, disk_ns_t *standby);
void
    base_destroy (base_t **self_p);

//  Carry out a commit, or a read, for a server that waits for it: then fn (object,
//  number). The answers, one a query, are the caller's.
void
    base_write (base_t *self, const store_query_t *const *queries,
                size_t count, store_answer_t *answers, agenda_fn *fn,
                void *object, uint64_t number);
void
    base_read (base_t *self, const store_query_t *query,
               store_answer_t *answer, agenda_fn *fn, void *object,
               uint64_t number);

//  How many requests without a reply were claimed last by this server.
size_t
    base_held (base_t *self, const request_id_t *server);

#endif
