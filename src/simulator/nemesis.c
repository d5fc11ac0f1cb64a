/*  =========================================================================
    nemesis - what goes wrong, and when

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "nemesis.h"

#include "disk.h"
#include "ledger.h"
#include "machine.h"
#include "memory.h"
#include "peer.h"

//  --------------------------------------------------------------------------
//  What can go wrong

//  So many intervals, as a time
static int64_t
s_intervals (sim_t *sim, int64_t low, int64_t high)
{
    return dice_between (&sim->dice, low * sim->swarm.heartbeat_ms,
                         high * sim->swarm.heartbeat_ms);
}

static void
s_start_machine (machine_t *machine)
{
    if (!machine_is_up (machine))
        machine_start (machine);
}

static void
s_restart (void *object, uint64_t number)
{
    (void) number;
    machine_restart (object);
}

static void
s_crash_machine (sim_t *sim, machine_t *machine)
{
    machine_crash (machine);
    sim_later (sim, s_intervals (sim, 0, 6), s_restart, machine, 0);
}

static machine_t *
s_any_broker (sim_t *sim)
{
    return sim->brokers [dice_below (&sim->dice, sim->swarm.brokers)];
}

static machine_t *
s_any_titanic (sim_t *sim)
{
    return sim->titanics [dice_below (&sim->dice, sim->swarm.titanics)];
}

static void
s_crash_broker (sim_t *sim)
{
    s_crash_machine (sim, s_any_broker (sim));
}

static void
s_crash_titanic (sim_t *sim)
{
    s_crash_machine (sim, s_any_titanic (sim));
}

//  A machine is lost that a broker and a server were on
static void
s_crash_both (sim_t *sim)
{
    size_t nbr = dice_below (&sim->dice, sim->swarm.titanics);
    s_crash_machine (sim, sim->titanics [nbr]);
    s_crash_machine (sim, sim->brokers [nbr % sim->swarm.brokers]);
}

static void
s_stop_machine (sim_t *sim, machine_t *machine)
{
    machine_stop (machine);
    sim_later (sim, s_intervals (sim, 0, 6), s_restart, machine, 0);
}

static void
s_stop_broker (sim_t *sim)
{
    s_stop_machine (sim, s_any_broker (sim));
}

static void
s_stop_titanic (sim_t *sim)
{
    s_stop_machine (sim, s_any_titanic (sim));
}

static void
s_start_peer (void *object, uint64_t number)
{
    (void) number;
    peer_start (object);
}

static void
s_crash_peer (sim_t *sim)
{
    peer_t *peer = sim->peers [dice_below (&sim->dice, sim->peer_count)];
    peer_crash (peer);
    sim_later (sim, s_intervals (sim, 0, 6), s_start_peer, peer, 0);
}

//  Of servers, then of peers
static host_t *
s_host (sim_t *sim, size_t number)
{
    size_t titanics = sim->swarm.titanics;
    return number < titanics? machine_host (sim->titanics [number])
                            : &sim->peers [number - titanics]->host;
}

//  Servers as often as all others together
static size_t
s_any_host (sim_t *sim)
{
    size_t titanics = sim->swarm.titanics;
    return dice_chance (&sim->dice, 500)? dice_below (&sim->dice, titanics)
        : titanics + dice_below (&sim->dice, sim->peer_count);
}

static void
s_break_connection (sim_t *sim)
{
    host_t *host = s_host (sim, s_any_host (sim));
    sim_trace (sim, host->name, "loses a connection");
    network_break (sim->network, host);
}

static void
s_heal_host (void *object, uint64_t number)
{
    sim_t *sim = object;
    host_t *host = s_host (sim, number);
    if (host->cut) {
        sim_trace (sim, host->name, "reaches all brokers again");
        network_heal (sim->network, host);
    }
}

//  From some brokers, or from all
static void
s_cut (sim_t *sim)
{
    size_t number = s_any_host (sim);
    host_t *host = s_host (sim, number);
    unsigned all = (1u << sim->swarm.brokers) - 1;
    unsigned brokers = 1 + (unsigned) dice_below (&sim->dice, all);
    sim_trace (sim, host->name, "is cut off from brokers %x", brokers);
    network_cut (sim->network, host, brokers, dice_chance (&sim->dice, 500));
    sim_later (sim, s_intervals (sim, 0, 8), s_heal_host, sim, number);
}

//  So long that a lease may run out, now and then
static int64_t
s_while (sim_t *sim)
{
    int64_t longest = dice_chance (&sim->dice, 300)
        ? 5 + 2 * (sim->swarm.lease_ms / sim->swarm.heartbeat_ms): 5;
    return s_intervals (sim, 0, longest);
}

static void
s_pause (sim_t *sim, machine_t *machine, int64_t ms)
{
    sim_trace (sim, machine_name (machine), "stands still for %lld ms",
               (long long) ms);
    machine_pause (machine, ms);
}

static void
s_pause_broker (sim_t *sim)
{
    s_pause (sim, s_any_broker (sim), s_intervals (sim, 0, 5));
}

static void
s_pause_titanic (sim_t *sim)
{
    s_pause (sim, s_any_titanic (sim), s_while (sim));
}

static void
s_cut_store (sim_t *sim)
{
    machine_t *machine = s_any_titanic (sim);
    int64_t ms = s_while (sim);
    sim_trace (sim, machine_name (machine), "is cut off from the store for "
               "%lld ms", (long long) ms);
    machine_cut_store (machine, ms);
}

static void
s_jump (sim_t *sim)
{
    machine_t *machine = s_any_titanic (sim);
    sim_trace (sim, machine_name (machine), "has its wall clock jump");
    machine_set_wall (machine, 1700000000000
                      + dice_between (&sim->dice, -3600000, 3600000));
}

static void
s_mend_disk (void *object, uint64_t number)
{
    (void) number;
    sim_t *sim = object;
    sim_trace (sim, "disk", "is well");
    disk_set_mode (sim->disk, DISK_WELL);
}

static void
s_spoil_disk (sim_t *sim)
{
    bool full = dice_chance (&sim->dice, 500);
    sim_trace (sim, "disk", full? "is full": "fails");
    disk_set_mode (sim->disk, full? DISK_FULL: DISK_FAILING);
    sim_later (sim, s_intervals (sim, 0, 5), s_mend_disk, sim, 0);
}

//  Until its standby is promoted there is no store
static void
s_fail_over (sim_t *sim)
{
    sim_trace (sim, "disk", "is lost with its machine, the standby takes over");
    disk_fail_over (sim->disk);
    disk_set_mode (sim->disk, DISK_FAILING);
    sim_later (sim, s_intervals (sim, 0, 5), s_mend_disk, sim, 0);
}

static void
s_speed_up (void *object, uint64_t number)
{
    (void) number;
    sim_t *sim = object;
    network_slow (sim->network, sim->swarm.latency_ms);
}

static void
s_slow_down (sim_t *sim)
{
    sim_trace (sim, "network", "is slow");
    network_slow (sim->network, s_intervals (sim, 0, 4));
    sim_later (sim, s_intervals (sim, 0, 6), s_speed_up, sim, 0);
}

//  An operator restarts what has run out of memory
static void
s_revive (void *object, uint64_t number)
{
    sim_t *sim = object;
    (void) number;
    if (sim->healing)
        return;
    for (size_t nbr = 0; nbr < sim->swarm.brokers; nbr++)
        if (machine_is_weak (sim->brokers [nbr]))
            s_crash_machine (sim, sim->brokers [nbr]);
    for (size_t nbr = 0; nbr < sim->swarm.titanics; nbr++)
        if (machine_is_weak (sim->titanics [nbr]))
            s_crash_machine (sim, sim->titanics [nbr]);
}

static void
s_exhaust (sim_t *sim)
{
    sim_trace (sim, "memory", "is about to run out");
    memory_fail_after (1 + dice_below (&sim->dice, 60));
    sim_later (sim, s_intervals (sim, 1, 5), s_revive, sim, 0);
}

static void (*const s_faults []) (sim_t *sim) = {
    s_crash_broker, s_crash_titanic, s_stop_broker, s_stop_titanic,
    s_crash_peer, s_break_connection, s_cut, s_pause_broker, s_pause_titanic,
    s_jump, s_spoil_disk, s_slow_down, s_crash_both, s_cut_store, s_fail_over,
    s_exhaust
};

#define FAULTS (sizeof s_faults / sizeof *s_faults)

//  --------------------------------------------------------------------------
//  When

static void s_strike_later (sim_t *sim);

static void
s_strike (void *object, uint64_t number)
{
    (void) number;
    sim_t *sim = object;
    if (sim->healing)
        return;
    size_t sum = 0;
    for (size_t nbr = 0; nbr < FAULTS; nbr++)
        sum += sim->swarm.weights [nbr];
    size_t chosen = sum? dice_below (&sim->dice, sum): 0;
    for (size_t nbr = 0; sum && nbr < FAULTS; nbr++) {
        if (chosen < sim->swarm.weights [nbr]) {
            s_faults [nbr] (sim);
            sim->counts.faults++;
            break;
        }
        chosen -= sim->swarm.weights [nbr];
    }
    s_strike_later (sim);
}

static void
s_strike_later (sim_t *sim)
{
    if (sim->swarm.fault_ms > 0)
        sim_later (sim, dice_between (&sim->dice, 1, sim->swarm.fault_ms),
                   s_strike, sim, 0);
}

void
nemesis_start (sim_t *sim)
{
    s_strike_later (sim);
}

//  What is lost for good stays so, as long as there is another: a server that does
//  not come back is one whose work others must take over
static void
s_heal_machines (sim_t *sim, machine_t **machines, size_t count)
{
    size_t left = count;
    for (size_t nbr = 0; nbr < count; nbr++) {
        if (machine_is_weak (machines [nbr]))
            machine_crash (machines [nbr]);
        if (!machine_is_up (machines [nbr]) && left > 1 && !sim->swarm.spread
        &&  dice_chance (&sim->dice, 500))
            left--;
        else
            s_start_machine (machines [nbr]);
    }
}

void
nemesis_heal (sim_t *sim)
{
    sim_trace (sim, "nemesis", "heals everything");
    const swarm_t *swarm = &sim->swarm;
    sim->healing = true;
    memory_fail_after (0);
    network_slow (sim->network, swarm->latency_ms);
    disk_set_mode (sim->disk, DISK_WELL);
    for (size_t nbr = 0; nbr < swarm->brokers; nbr++)
        machine_heal (sim->brokers [nbr]);
    for (size_t nbr = 0; nbr < swarm->titanics; nbr++) {
        machine_heal (sim->titanics [nbr]);
        network_heal (sim->network, machine_host (sim->titanics [nbr]));
    }
    for (size_t nbr = 0; nbr < sim->peer_count; nbr++) {
        network_heal (sim->network, &sim->peers [nbr]->host);
        peer_start (sim->peers [nbr]);
    }
    //  What may be in the store without the server's knowledge, it finds when
    //  it starts; where there are others it looks all the time
    if (swarm->lease_ms == 0 && ledger_has_unsure (sim->ledger))
        machine_crash (sim->titanics [0]);
    s_heal_machines (sim, sim->brokers, swarm->brokers);
    s_heal_machines (sim, sim->titanics, swarm->titanics);
}

//  --------------------------------------------------------------------------
//  What a run is like

//  One server, or several
static void
s_swarm_servers (sim_t *sim)
{
    swarm_t *swarm = &sim->swarm;
    dice_t *dice = &sim->dice;
    swarm->brokers = swarm->titanics = 1;
    if (dice_chance (dice, 600)) {
        swarm->brokers = 1 + dice_below (dice, BROKERS_MAX);
        swarm->titanics = 2 + dice_below (dice, TITANICS_MAX - 1);
        swarm->spread = swarm->brokers > 1
            && swarm->titanics >= swarm->brokers && dice_chance (dice, 300);
    }
    bool shared = swarm->titanics > 1 || dice_chance (dice, 300);
    swarm->lease_ms = shared
        ? swarm->heartbeat_ms * dice_between (dice, 2, 20): 0;
    swarm->patience_ms = swarm->heartbeat_ms * dice_between (dice, 1, 3);
}

static void
s_swarm_faults (sim_t *sim)
{
    swarm_t *swarm = &sim->swarm;
    dice_t *dice = &sim->dice;
    //  Each kind of fault is left out of half of the runs
    for (size_t nbr = 0; nbr < FAULTS; nbr++)
        swarm->weights [nbr] = dice_chance (dice, 500)
            ? 1 + (unsigned) dice_below (dice, 10): 0;
    //  Memory needs no help to be hard
    if (dice_chance (dice, 700))
        swarm->weights [FAULTS - 1] = 0;
    swarm->fault_ms = dice_between (dice, 1, 10) * swarm->heartbeat_ms;
    if (dice_chance (dice, 50))
        swarm->fault_ms = 0;
    swarm->torn_per_mille = dice_chance (dice, 500)
        ? (unsigned) dice_below (dice, 20): 0;
    swarm->disk_per_mille = dice_chance (dice, 300)
        ? (unsigned) dice_below (dice, 50): 0;
}

void
nemesis_swarm (sim_t *sim)
{
    swarm_t *swarm = &sim->swarm;
    dice_t *dice = &sim->dice;
    swarm->heartbeat_ms = dice_between (dice, 20, 200);
    swarm->liveness = dice_between (dice, 3, 5);
    swarm->expiry_ms = swarm->heartbeat_ms * dice_between (dice, 3, 30);
    swarm->timeout_ms = swarm->heartbeat_ms * dice_between (dice, 5, 20);
    swarm->retry_ms = swarm->heartbeat_ms * dice_between (dice, 1, 5);
    s_swarm_servers (sim);
    swarm->request_workers = 1 + dice_below (dice, 4);
    swarm->reply_workers = 1 + dice_below (dice, 2);
    swarm->close_workers = 1 + dice_below (dice, 2);
    swarm->executions = 1 + dice_below (dice, 8);
    swarm->service_executions = 1 + dice_below (dice, swarm->executions);
    swarm->titanic_version = dice_chance (dice, 500)? MDP_0_2: MDP_0_1;
    swarm->services = 1 + dice_below (dice, SERVICES_MAX);
    swarm->workers = swarm->services + dice_below (dice, 8);
    swarm->clients = dice_below (dice, 8);
    swarm->titanic_clients = 1 + dice_below (dice, 8);
    swarm->think_ms = 1 + dice_between (dice, 0, swarm->heartbeat_ms / 2);
    swarm->work_ms = dice_between (dice, 0, swarm->heartbeat_ms / 4);
    swarm->latency_ms = dice_between (dice, 0, swarm->heartbeat_ms / 10);
    swarm->disk_ms = dice_between (dice, 0, swarm->heartbeat_ms / 10);
    //  I-49: a client of 0.2, which Titanic then is, cannot tell the parts of
    //  a worker that went from those of the next
    swarm->partials = swarm->titanic_version == MDP_0_1;
    s_swarm_faults (sim);
}
