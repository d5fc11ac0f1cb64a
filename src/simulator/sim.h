/*  =========================================================================
    sim - one run: the clock, the chance, the faults, the verdict

    Everything in a run hangs on this. Parts know each other through it.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SIM_H_INCLUDED
#define SIM_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/engine.h"
#include "../protocol/mdp.h"
#include "agenda.h"
#include "dice.h"

#define SERVICES_MAX 4
#define PEERS_MAX 40
#define BROKERS_MAX 3
#define TITANICS_MAX 4

//  What a run is like. Each seed throws its own: a run with all faults at once
//  hides what one with two of them finds.
typedef struct {
    int64_t heartbeat_ms;       //  Of all peers
    int64_t liveness;
    int64_t expiry_ms;          //  Of the broker
    int64_t timeout_ms;         //  Of Titanic
    int64_t retry_ms;
    size_t brokers;             //  At most BROKERS_MAX
    size_t titanics;            //  On one store, at most TITANICS_MAX
    bool spread;                //  Each at one broker, not all at all
    int64_t lease_ms;           //  Others may be at the store; 0: none are
    int64_t patience_ms;        //  Until a silent store is given up
    size_t request_workers;     //  Of Titanic
    size_t reply_workers;
    size_t close_workers;
    size_t executions;
    size_t service_executions;
    mdp_version_t titanic_version;
    size_t services;            //  Different ones, at most SERVICES_MAX
    size_t workers;             //  Simulated ones, of all services
    size_t clients;             //  Of services
    size_t titanic_clients;
    int64_t think_ms;           //  Most of a client between two questions
    int64_t work_ms;            //  Most of a worker for an answer, as a rule
    int64_t latency_ms;         //  Most under way, as a rule
    int64_t disk_ms;            //  Most for a commit
    bool partials;              //  Workers of 0.2 send PARTIALs
    int64_t fault_ms;           //  Between two faults, at most; 0: none
    unsigned weights [20];      //  How often each fault, see nemesis.c
    unsigned torn_per_mille;    //  Commits in which the server dies
    unsigned disk_per_mille;    //  Commits that fail
} swarm_t;

typedef struct _machine_t machine_t;
typedef struct _network_t network_t;
typedef struct _disk_t disk_t;
typedef struct _ledger_t ledger_t;
typedef struct _peer_t peer_t;
typedef struct _lease_watch_t lease_watch_t;
typedef struct _mutant_t mutant_t;

//  What was done, for the report.
typedef struct {
    uint64_t steps;             //  Events into engines
    uint64_t faults;
    uint64_t stored;            //  Requests that were answered 200 with an id
    uint64_t answered;          //  Of them, replies that a client has got
    uint64_t closed;            //  Of them, closed
    uint64_t taken_over;        //  Claims that had been another server's
    uint64_t called;            //  Replies to clients of services
} counts_t;

typedef struct _sim_t {
    uint64_t seed;
    dice_t dice;
    agenda_t agenda;
    int64_t now_ms;             //  The virtual clock
    bool trace;                 //  Say what happens
    uint64_t digest;            //  Of all that went into engines
    bool healing;               //  No more faults: come to rest
    bool failed;
    char failure [512];         //  Why
    counts_t counts;
    swarm_t swarm;
    network_t *network;
    machine_t *brokers [BROKERS_MAX];
    machine_t *titanics [TITANICS_MAX];
    disk_t *disk;
    ledger_t *ledger;
    lease_watch_t *lease_watch;
    const mutant_t *mutant;     //  Put into an engine's way, NULL for none
    peer_t *peers [PEERS_MAX];  //  Workers and clients
    size_t peer_count;
} sim_t;

typedef struct {
    uint64_t seed;
    uint64_t steps;             //  Events into engines before all is healed
    bool trace;
    const mutant_t *mutant;
} sim_options_t;

//  One run from its seed. True when all was well; else why in failure, an array
//  of size bytes. What was done is added to the counts; the digest of the run.
bool
    sim_run (const sim_options_t *options, counts_t *counts,
             uint64_t *digest, char *failure, size_t size);

//  Something is wrong. The first reason is kept, and ends the run.
void
    sim_fail (sim_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  A line of the trace: who, and what it does.
void
    sim_trace (sim_t *self, const char *who, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  Call fn (object, number) in so many ms.
void
    sim_later (sim_t *self, int64_t in_ms, agenda_fn *fn, void *object,
               uint64_t number);

#endif
