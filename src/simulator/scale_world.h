/*  =========================================================================
    scale_world - brokers, Titanic servers and a load, as far as they take time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SCALE_WORLD_H_INCLUDED
#define SCALE_WORLD_H_INCLUDED

#include "scale_parts.h"

#define BROKERS_MOST 8
#define TITANICS_MOST 16

//  A deployment, its load, and what things take, in nanoseconds.
typedef struct {
    size_t brokers;
    size_t titanics;            //  Each at all brokers
    size_t clients;             //  At brokers in turn
    size_t workers;             //  Of one service, at brokers in turn
    bool lives;                 //  Clients store, fetch and close; else they store
    bool together;              //  All on one machine, the load too; else brokers,
                                //  servers and store on machines of their own
    size_t cores;               //  Of each machine
    int64_t pause_ms;           //  Of a client, before it fetches
    int64_t work_ms;            //  Of a worker
    int64_t lease_ms;
    int64_t retry_ms;
    int64_t broker_ns;          //  Processor: a message that comes in
    int64_t titanic_ns;         //  Processor: a message, or an answer of the store
    int64_t wake_ns;            //  Processor: each time that they begin to work
    int64_t load_ns;            //  Processor: a message to the load
    int64_t flush_ns;           //  A disk's
    base_times_t base;
    uint64_t seed;
} plan_t;

typedef struct {
    double stored;              //  A second
    double closed;              //  A second: whole lives
    double broker;              //  Of its processor's one thread, the busiest
    double store_cpu;           //  Of all cores of the store's machine
    double store_disk;
} outcome_t;

//  Run for so long, and so long before that does not count.
void
    world_measure (const plan_t *plan, int64_t warmup_ms, int64_t ms,
                   outcome_t *outcome);

//  Lose the first server's machine after so long. How long what it had claimed
//  then waits until another server has it, at most and on average; how many
//  requests that are.
size_t
    world_take_over (const plan_t *plan, int64_t lost_ms, int64_t *most_ms,
                     int64_t *mean_ms);

#endif
