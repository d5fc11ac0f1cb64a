/*  =========================================================================
    sim - one run: the clock, the chance, the faults, the verdict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk.h"
#include "lease_watch.h"
#include "ledger.h"
#include "machine.h"
#include "memory.h"
#include "mutant.h"
#include "nemesis.h"
#include "peer.h"

void
sim_fail (sim_t *self, const char *format, ...)
{
    if (self->failed)
        return;
    self->failed = true;
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (self->failure, sizeof self->failure, format, arguments);
    va_end (arguments);
    sim_trace (self, "FAILED", "%s", self->failure);
}

void
sim_trace (sim_t *self, const char *who, const char *format, ...)
{
    if (!self->trace)
        return;
    printf ("%8lld  %-16s ", (long long) self->now_ms, who);
    va_list arguments;
    va_start (arguments, format);
    vprintf (format, arguments);
    va_end (arguments);
    putchar ('\n');
}

void
sim_later (sim_t *self, int64_t in_ms, agenda_fn *fn, void *object,
           uint64_t number)
{
    agenda_add (&self->agenda, self->now_ms + in_ms, fn, object, number);
}

//  --------------------------------------------------------------------------
//  The world

static void
s_add_peers (sim_t *self, size_t count, peer_t *(*make) (sim_t *, size_t))
{
    for (size_t nbr = 0; nbr < count; nbr++)
        self->peers [self->peer_count++] = make (self, nbr);
}

static void
s_create (sim_t *self)
{
    nemesis_swarm (self);
    self->network = network_new (self);
    self->ledger = memory_need (calloc (1, sizeof (ledger_t)));
    self->disk = disk_new (self);
    if (self->mutant)
        disk_set_fault (self->disk, self->mutant->disk);
    self->lease_watch = lease_watch_new (self);
    for (size_t nbr = 0; nbr < self->swarm.brokers; nbr++)
        self->brokers [nbr] = machine_new (self, MACHINE_BROKER, nbr);
    for (size_t nbr = 0; nbr < self->swarm.titanics; nbr++)
        self->titanics [nbr] = machine_new (self, MACHINE_TITANIC, nbr);
    s_add_peers (self, self->swarm.workers, peer_worker_new);
    s_add_peers (self, self->swarm.clients, peer_client_new);
    s_add_peers (self, self->swarm.titanic_clients, peer_titanic_client_new);
    for (size_t nbr = 0; nbr < self->swarm.brokers; nbr++)
        machine_start (self->brokers [nbr]);
    for (size_t nbr = 0; nbr < self->swarm.titanics; nbr++)
        machine_start (self->titanics [nbr]);
    for (size_t nbr = 0; nbr < self->peer_count; nbr++)
        peer_start (self->peers [nbr]);
    nemesis_start (self);
}

static void
s_destroy (sim_t *self)
{
    memory_fail_after (0);
    for (size_t nbr = 0; nbr < self->peer_count; nbr++)
        peer_destroy (&self->peers [nbr]);
    for (size_t nbr = 0; nbr < self->swarm.titanics; nbr++)
        machine_destroy (&self->titanics [nbr]);
    for (size_t nbr = 0; nbr < self->swarm.brokers; nbr++)
        machine_destroy (&self->brokers [nbr]);
    lease_watch_destroy (&self->lease_watch);
    disk_destroy (&self->disk);
    ledger_clear (self->ledger);
    free (self->ledger);
    network_destroy (&self->network);
    agenda_clear (&self->agenda);
}

//  --------------------------------------------------------------------------
//  Time

//  The next thing on the agenda
static void
s_advance (sim_t *self)
{
    agenda_item_t item;
    if (!agenda_next (&self->agenda, &item)) {
        sim_fail (self, "nothing happens any more");
        return;
    }
    self->now_ms = item.at_ms;
    item.fn (item.object, item.number);
}

static void
s_pass (sim_t *self, int64_t ms)
{
    int64_t end_ms = self->now_ms + ms;
    while (!self->failed && self->agenda.count > 0
    &&     self->agenda.items [0].at_ms <= end_ms)
        s_advance (self);
    self->now_ms = end_ms;
}

//  --------------------------------------------------------------------------
//  Rest

//  Who is not done, or NULL
static const char *
s_who_works (sim_t *self)
{
    for (size_t nbr = 0; nbr < self->peer_count; nbr++)
        if (!self->peers [nbr]->type->is_done (self->peers [nbr]))
            return self->peers [nbr]->host.name;
    return disk_has_waiting (self->disk)? "a stored request": NULL;
}

static void
s_come_to_rest (sim_t *self)
{
    const swarm_t *swarm = &self->swarm;
    int64_t patience_ms = 500 * swarm->heartbeat_ms + 50 * swarm->timeout_ms;
    int64_t latest_ms = self->now_ms + patience_ms;
    const char *who;
    while (!self->failed && (who = s_who_works (self))) {
        if (self->now_ms > latest_ms)
            sim_fail (self, "all is healed for %lld ms, and %s has not what "
                      "it waits for", (long long) patience_ms, who);
        s_pass (self, swarm->heartbeat_ms);
    }
    //  What nobody waits for any more runs out
    s_pass (self, 3 * swarm->timeout_ms + swarm->retry_ms);
}

//  Everybody leaves, and the brokers are to be left with nothing
static void
s_leave (sim_t *self)
{
    const swarm_t *swarm = &self->swarm;
    for (size_t nbr = 0; nbr < swarm->titanics; nbr++)
        machine_stop_at_rest (self->titanics [nbr]);
    for (size_t nbr = 0; nbr < self->peer_count; nbr++)
        self->peers [nbr]->type->leave (self->peers [nbr]);
    s_pass (self, swarm->expiry_ms
                  + (swarm->liveness + 2) * swarm->heartbeat_ms);
    for (size_t nbr = 0; nbr < swarm->brokers; nbr++) {
        machine_t *broker = self->brokers [nbr];
        if (machine_is_up (broker) && machine_deadline (broker) != INT64_MAX)
            machine_fail (broker, "all have left, and it waits for somebody");
        machine_stop_at_rest (broker);
    }
}

static void
s_check_ledger (sim_t *self)
{
    for (entry_t *entry = self->ledger->entries; entry;
                  entry = entry->hh.next) {
        disk_state_t state = disk_state (self->disk, &entry->id);
        if (entry->closed && state != DISK_ABSENT)
            sim_fail (self, "at rest the store holds a closed request");
        if (entry->acknowledged && !entry->closing && state != DISK_ANSWERED)
            sim_fail (self, "at rest an acknowledged request has no reply in "
                      "the store");
        if (state == DISK_PENDING)
            sim_fail (self, "at rest a stored request was not executed");
    }
}

bool
sim_run (const sim_options_t *options, counts_t *counts, uint64_t *digest,
         char *failure, size_t size)
{
    size_t pieces = memory_pieces ();
    sim_t self = { .seed = options->seed, .dice = { options->seed },
                   .trace = options->trace, .mutant = options->mutant,
                   .digest = 0xcbf29ce484222325u };
    s_create (&self);
    while (!self.failed && self.counts.steps < options->steps)
        s_advance (&self);
    if (!self.failed)
        nemesis_heal (&self);
    if (!self.failed)
        s_come_to_rest (&self);
    if (!self.failed)
        s_leave (&self);
    if (!self.failed)
        s_check_ledger (&self);
    s_destroy (&self);
    if (!self.failed && memory_pieces () != pieces)
        sim_fail (&self, "%zu pieces of memory were not given back",
                  memory_pieces () - pieces);
    counts->steps += self.counts.steps;
    counts->faults += self.counts.faults;
    counts->stored += self.counts.stored;
    counts->answered += self.counts.answered;
    counts->closed += self.counts.closed;
    counts->taken_over += self.counts.taken_over;
    counts->called += self.counts.called;
    *digest = self.digest;
    snprintf (failure, size, "%s", self.failure);
    return !self.failed;
}
