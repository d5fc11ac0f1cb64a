/*  =========================================================================
    machine - a server's process: an engine, and what the reactor does for it

    The same order of things as src/daemon/reactor.c: all that has come in is
    given to the engine, all writes of that batch are one commit, then come the
    answers, then messages leave; a tick when nothing is left unread.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MACHINE_H_INCLUDED
#define MACHINE_H_INCLUDED

#include "network.h"

//  What is done to an engine; see sim.h for the servers.
typedef enum {
    MACHINE_BROKER,
    MACHINE_TITANIC
} machine_role_t;

//  The number-th of its role.
machine_t *
    machine_new (sim_t *sim, machine_role_t role, size_t number);
void
    machine_destroy (machine_t **self_p);

//  The process begins; it is killed, at once, and perhaps in the middle of a
//  commit.
void
    machine_start (machine_t *self);
void
    machine_crash (machine_t *self);

//  It begins again if it is not there; once all is healed no more.
void
    machine_restart (machine_t *self);

//  It is asked to end, says good-bye and ends.
void
    machine_stop (machine_t *self);

//  The same, when nobody wants anything of it any more: the engine must then hold
//  nothing but what a new one does.
void
    machine_stop_at_rest (machine_t *self);

bool
    machine_is_up (const machine_t *self);

//  Whether its memory ran out: then nothing is expected of it until it starts
//  again.
bool
    machine_is_weak (const machine_t *self);

//  When it wants a tick; INT64_MAX for never.
int64_t
    machine_deadline (const machine_t *self);

//  It is there, but does nothing for so long.
void
    machine_pause (machine_t *self, int64_t ms);

//  Its wall clock jumps.
void
    machine_set_wall (machine_t *self, int64_t ms);

//  Titanic: nothing gets to the store and back for so long.
void
    machine_cut_store (machine_t *self, int64_t ms);

//  It stands still no longer, and the store answers.
void
    machine_heal (machine_t *self);

//  A message has come in: dealer is NULL at the broker. Takes it.
void
    machine_receive (machine_t *self, dealer_t *dealer, message_t **message_p);

//  For the network: Titanic's process with its sockets.
host_t *
    machine_host (machine_t *self);

//  Counts its processes: each start and each end.
uint64_t
    machine_life (const machine_t *self);

const char *
    machine_name (const machine_t *self);

//  It does something wrong; see sim_fail.
void
    machine_fail (const machine_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  Titanic: the number of its broker that it calls by this one.
size_t
    machine_broker (const machine_t *self, size_t nbr);

//  Its clock, which is not the simulation's.
int64_t
    machine_clock_ms (const machine_t *self);

#endif
