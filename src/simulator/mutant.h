/*  =========================================================================
    mutant - engines with one fault each, which the simulator must catch

    As in conformance/wrecks: put between events and effects, so that the
    engines carry no hooks.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MUTANT_H_INCLUDED
#define MUTANT_H_INCLUDED

#include "disk.h"
#include "sim.h"

//  What a mutant remembers of its server while that runs.
typedef struct {
    uint64_t count;             //  Whatever it counts
    frame_t *frame;             //  Whatever it keeps
    message_t *message;
} wreckage_t;

struct _mutant_t {
    const char *name;
    const char *summary;        //  What it does wrong
    machine_role_t role;        //  To which server
    //  False keeps the event from the engine; NULL for all that pass
    bool (*event) (wreckage_t *self, const event_t *event, update_t *update);
    //  Effects from number first on are what the event brought. What it gives
    //  back goes into the engine at once
    void (*effects) (wreckage_t *self, void *engine, const event_t *event,
                     update_t *update, size_t first);
    disk_fault_t disk;          //  Of the store, see disk.h
};

//  All of them; the last has no name.
extern const mutant_t mutants [];

//  NULL when there is none.
const mutant_t *
    mutant_find (const char *name);

//  An event for a server's engine, past the mutant if it is one of that
//  server; NULL for no mutant.
void
    mutant_step (const mutant_t *self, machine_role_t role,
                 void **wreckage_p, void *engine, const event_t *event,
                 update_t *update);

void
    mutant_forget (void **wreckage_p);

#endif
