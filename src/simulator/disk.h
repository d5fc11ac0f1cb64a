/*  =========================================================================
    disk - a store that outlives its servers, and fails now and then

    The store itself is the real one, in memory; this stands before it.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DISK_H_INCLUDED
#define DISK_H_INCLUDED

#include "machine.h"

typedef enum {
    DISK_WELL,
    DISK_FULL,                  //  Takes nothing new
    DISK_FAILING                //  Takes nothing, and reads fail too
} disk_mode_t;

disk_t *
    disk_new (sim_t *sim);
void
    disk_destroy (disk_t **self_p);

void
    disk_set_mode (disk_t *self, disk_mode_t mode);

//  What is wrong with it, for mutants.
typedef enum {
    DISK_SOUND,
    DISK_LAZY,                  //  Acknowledges commits before they are on disk
    DISK_OVERWRITES,            //  The last reply stays, not the first
    DISK_CLAIMS_LAST,           //  What somebody had claimed nobody else gets
    DISK_LEASES_SHORT,          //  They run out before their time
    DISK_CLAIMS_BLIND,          //  Claims do not count
    DISK_LEASES_REVIVE,         //  A lease that has run out is renewed
    DISK_STANDBY_LAGS           //  Acknowledges before the standby has it
} disk_fault_t;

void
    disk_set_fault (disk_t *self, disk_fault_t fault);

//  As in store.h, for this server. Where its connection is gone nothing is
//  answered, and nobody knows what was done.
void
    disk_write (disk_t *self, const machine_t *machine, bool connected,
                const store_query_t *const *queries, size_t count,
                store_answer_t *answers);
void
    disk_read (disk_t *self, const machine_t *machine, bool connected,
               const store_query_t *query, store_answer_t *answer);

//  The server dies while it writes: all of the commit is there, or nothing.
void
    disk_tear (disk_t *self, const machine_t *machine,
               const store_query_t *const *queries, size_t count);

//  The server dies. What was committed stays.
void
    disk_crash (disk_t *self, const machine_t *machine);

//  The machine with the store is lost, and its synchronous standby takes over. All
//  that was acknowledged is there; the latest claims, which nobody waits for on
//  disk, may not be.
void
    disk_fail_over (disk_t *self);

typedef enum {
    DISK_ABSENT,                //  There is nothing of this id
    DISK_PENDING,               //  There is a request
    DISK_ANSWERED               //  And its reply
} disk_state_t;

//  What there is, whatever the mode.
disk_state_t
    disk_state (disk_t *self, const request_id_t *id);

//  Whether an unanswered request is there.
bool
    disk_has_waiting (disk_t *self);

#endif
