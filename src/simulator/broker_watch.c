/*  =========================================================================
    broker_watch - whether the broker does what it should, step by step

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "broker_watch.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "memory.h"
#include "trace.h"

typedef struct {
    frame_t *name;              //  Key
    size_t workers;             //  Registered
    size_t idle;                //  Of them, without a request
    size_t waiting;             //  Requests that no worker has
    int64_t left_ms;            //  When the last worker went
    UT_hash_handle hh;
} service_t;

//  Whoever has sent something, as a worker, as a client, or as both.
typedef struct _party_t {
    frame_t *address;           //  Key
    bool worker;                //  Registered
    bool dismissed;             //  Told, or has told, that it is over
    mdp_version_t version;      //  Worker: of its READY
    service_t *service;         //  Worker: what it serves
    struct _party_t *client;    //  Worker: whose request it has
    int64_t heard_ms;
    int64_t sent_ms;
    bool asked;                 //  Client: a request of its is in the broker
    mdp_version_t asked_version;    //  Client: of the request
    service_t *asked_of;        //  Client: what for; NULL for mmi.
    message_t *body;            //  Client: what it asked
    struct _party_t *holder;    //  Client: the worker that has the request
    bool parts;                 //  Client: PARTIALs wait for its REPLY
    int64_t asked_ms;           //  Client: when
    bool active;                //  In broker_watch_t active
    struct _party_t *prev, *next;
    UT_hash_handle hh;
} party_t;

struct _broker_watch_t {
    sim_t *sim;
    const machine_t *machine;   //  The broker
    party_t *parties;           //  By address
    party_t *active;            //  Workers, clients that wait, dismissed ones
    service_t *services;        //  By name
    party_t *guilty;            //  Is to get a DISCONNECT in this step
    party_t *answered;          //  Is to get a REPLY or PARTIAL in this step
    size_t from;                //  Its body, in the event's message
    bool partial;               //  A PARTIAL
    bool stopped;               //  Says good-bye to all
};

broker_watch_t *
broker_watch_new (sim_t *sim, const machine_t *machine)
{
    broker_watch_t *self = memory_need (calloc (1, sizeof (broker_watch_t)));
    self->sim = sim;
    self->machine = machine;
    return self;
}

void
broker_watch_start (broker_watch_t *self)
{
    party_t *party, *next;
    HASH_ITER (hh, self->parties, party, next) {
        HASH_DEL (self->parties, party);
        frame_destroy (&party->address);
        message_destroy (&party->body);
        free (party);
    }
    service_t *service, *following;
    HASH_ITER (hh, self->services, service, following) {
        HASH_DEL (self->services, service);
        frame_destroy (&service->name);
        free (service);
    }
    *self = (broker_watch_t) { .sim = self->sim, .machine = self->machine };
}

void
broker_watch_destroy (broker_watch_t **self_p)
{
    broker_watch_start (*self_p);
    free (*self_p);
    *self_p = NULL;
}

static party_t *
s_party (broker_watch_t *self, const frame_t *address)
{
    party_t *party;
    HASH_FIND (hh, self->parties, frame_data (address), frame_size (address),
               party);
    if (party)
        return party;
    party = memory_need (calloc (1, sizeof (party_t)));
    party->address = frame_ref (address);
    HASH_ADD_KEYPTR (hh, self->parties, frame_data (party->address),
                     frame_size (party->address), party);
    return party;
}

static service_t *
s_service (broker_watch_t *self, const frame_t *name)
{
    service_t *service;
    HASH_FIND (hh, self->services, frame_data (name), frame_size (name),
               service);
    if (service)
        return service;
    service = memory_need (calloc (1, sizeof (service_t)));
    service->name = frame_ref (name);
    HASH_ADD_KEYPTR (hh, self->services, frame_data (service->name),
                     frame_size (service->name), service);
    return service;
}

//  Those that time can change something for are looked at in each tick
static void
s_enlist (broker_watch_t *self, party_t *party)
{
    bool active = party->worker || party->asked || party->dismissed;
    if (active && !party->active)
        DL_APPEND (self->active, party);
    if (!active && party->active)
        DL_DELETE (self->active, party);
    party->active = active;
}

static bool
s_is_mmi (const frame_t *name)
{
    return frame_size (name) >= 4 && memcmp (frame_data (name), "mmi.", 4) == 0;
}

#define FAIL(...) machine_fail (self->machine, __VA_ARGS__)

//  --------------------------------------------------------------------------
//  What follows from an event

static void
s_unregister (broker_watch_t *self, party_t *worker, int64_t now_ms)
{
    service_t *service = worker->service;
    worker->worker = false;
    if (--service->workers == 0)
        service->left_ms = now_ms;
    if (worker->client) {
        worker->client->holder = NULL;
        worker->client->parts = false;
        worker->client = NULL;
        service->waiting++;
    }
    else
        service->idle--;
    s_enlist (self, worker);
}

static void
s_register (broker_watch_t *self, party_t *party,
            const mdp_command_t *command, int64_t now_ms)
{
    party->worker = true;
    party->version = command->version;
    party->service = s_service (self, command->service);
    party->heard_ms = party->sent_ms = now_ms;
    party->service->workers++;
    party->service->idle++;
}

static void
s_asks (broker_watch_t *self, party_t *party, const message_t *message,
        const mdp_command_t *command, int64_t now_ms)
{
    //  The clients that we have ask for one thing at a time
    if (party->asked)
        FAIL ("the simulation's own fault: two requests of one client");
    party->asked = true;
    party->asked_version = command->version;
    party->asked_ms = now_ms;
    party->asked_of = NULL;
    message_destroy (&party->body);
    party->body = memory_need (message_slice (message, command->body));
    if (s_is_mmi (command->service)) {
        self->answered = party;
        self->from = 0;
        return;
    }
    party->asked_of = s_service (self, command->service);
    party->asked_of->waiting++;
}

//  A REPLY or PARTIAL from a worker
static void
s_replies (broker_watch_t *self, party_t *worker,
           const mdp_command_t *command)
{
    party_t *client = worker->client;
    if (!client || !frame_equal (client->address, command->client)) {
        self->guilty = worker;
        return;
    }
    self->partial = command->type == MDP_WORKER_PARTIAL;
    self->from = client->parts? 0: command->body;
    if (self->partial && client->asked_version == MDP_0_1)
        client->parts = true;
    else
        self->answered = client;
    if (!self->partial) {
        worker->client = NULL;
        worker->service->idle++;
        client->holder = NULL;
    }
}

static void
s_worker_command (broker_watch_t *self, party_t *party,
                  const mdp_command_t *command, int64_t now_ms)
{
    if (command->type == MDP_WORKER_DISCONNECT) {
        if (party->worker)
            s_unregister (self, party, now_ms);
        party->dismissed = true;
        party->heard_ms = now_ms;
        return;
    }
    if (!party->worker) {
        if (command->type == MDP_WORKER_READY && !s_is_mmi (command->service))
            s_register (self, party, command, now_ms);
        else
            self->guilty = party;
        return;
    }
    party->heard_ms = now_ms;
    if (command->version != party->version
    ||  command->type == MDP_WORKER_READY
    ||  command->type == MDP_WORKER_REQUEST)
        self->guilty = party;
    else
    if (command->type != MDP_WORKER_HEARTBEAT)
        s_replies (self, party, command);
}

static void
s_received (broker_watch_t *self, const message_t *message, int64_t now_ms)
{
    party_t *party = s_party (self, message_frame (message, 0));
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, 1, MDP_AT_BROKER, &command);
    if (party->dismissed
    && (result != MDP_OK || command.type != MDP_WORKER_READY)) {
        party->heard_ms = now_ms;
        return;
    }
    party->dismissed = false;
    if (result != MDP_OK)
        self->guilty = party->worker? party: NULL;
    else
    if (command.type == MDP_CLIENT_REQUEST)
        s_asks (self, party, message, &command, now_ms);
    else
        s_worker_command (self, party, &command, now_ms);
    s_enlist (self, party);
}

static void
s_expire (broker_watch_t *self, int64_t now_ms)
{
    const swarm_t *swarm = &self->sim->swarm;
    int64_t patience_ms = swarm->heartbeat_ms * swarm->liveness;
    party_t *party, *next;
    DL_FOREACH_SAFE (self->active, party, next) {
        if (party->worker && now_ms - party->heard_ms >= patience_ms)
            s_unregister (self, party, now_ms);
        if (party->dismissed && now_ms - party->heard_ms >= patience_ms) {
            party->dismissed = false;
            s_enlist (self, party);
        }
    }
    DL_FOREACH_SAFE (self->active, party, next) {
        service_t *service = party->asked_of;
        if (!party->asked || party->holder || service->workers > 0)
            continue;
        int64_t since_ms = party->asked_ms > service->left_ms
            ? party->asked_ms: service->left_ms;
        if (now_ms - since_ms < swarm->expiry_ms)
            continue;
        party->asked = false;
        service->waiting--;
        s_enlist (self, party);
    }
}

void
broker_watch_event (broker_watch_t *self, const event_t *event)
{
    trace_broker_event (self->sim, machine_name (self->machine), event);
    if (machine_is_weak (self->machine))
        return;
    self->guilty = self->answered = NULL;
    party_t *party;
    switch (event->type) {
        case EVENT_TICK:
            s_expire (self, event->now_ms);
            break;
        case EVENT_RECEIVED:
            s_received (self, event->message, event->now_ms);
            break;
        case EVENT_UNREACHABLE:
            party = s_party (self, message_frame (event->message, 0));
            if (party->worker)
                s_unregister (self, party, event->now_ms);
            break;
        case EVENT_STOP:
            self->stopped = true;
            break;
        default:
            break;
    }
}

//  --------------------------------------------------------------------------
//  What the engine makes of it

static bool
s_same_body (const message_t *one, size_t one_from,
             const message_t *other, size_t other_from)
{
    if (message_size (one) - one_from != message_size (other) - other_from)
        return false;
    for (; one_from < message_size (one); one_from++, other_from++)
        if (!frame_equal (message_frame (one, one_from),
                          message_frame (other, other_from)))
            return false;
    return true;
}

static void
s_gives (broker_watch_t *self, party_t *worker, const message_t *message,
         const mdp_command_t *command)
{
    party_t *client = s_party (self, command->client);
    if (!worker->worker)
        FAIL ("REQUEST to a peer that is no worker");
    else
    if (worker->client)
        FAIL ("second REQUEST to a busy worker");
    else
    if (!client->asked || client->asked_of != worker->service)
        FAIL ("REQUEST that no client has made, or of another service");
    else
    if (client->holder)
        FAIL ("REQUEST that another worker has already");
    else
    if (command->version != worker->version
    ||  !s_same_body (message, command->body, client->body, 0))
        FAIL ("REQUEST is not as the client made it");
    else {
        worker->client = client;
        client->holder = worker;
        worker->service->idle--;
        worker->service->waiting--;
    }
}

static void
s_disconnects (broker_watch_t *self, party_t *party, int64_t now_ms)
{
    if (party != self->guilty && !(self->stopped && party->worker)) {
        FAIL ("DISCONNECT to a peer that did nothing wrong");
        return;
    }
    self->guilty = NULL;
    if (party->worker)
        s_unregister (self, party, now_ms);
    party->dismissed = true;
    party->heard_ms = now_ms;
    s_enlist (self, party);
}

static void
s_answers (broker_watch_t *self, party_t *client, const event_t *event,
           const message_t *message, const mdp_command_t *command)
{
    bool partial = command->type == MDP_CLIENT_PARTIAL;
    if (client != self->answered) {
        FAIL ("REPLY to a client that it is not for");
        return;
    }
    self->answered = NULL;
    if (!client->asked || client->asked_version != command->version
    ||  partial != (client->asked_of && self->partial))
        FAIL ("REPLY that the client does not wait for");
    else
    if (client->asked_of
    && !frame_equal (client->asked_of->name, command->service))
        FAIL ("REPLY in the name of another service");
    else
    if (self->from > 0 && !s_same_body (message, command->body,
                                        event->message, self->from))
        FAIL ("REPLY is not as the worker made it");
    if (partial)
        return;
    client->asked = client->parts = false;
    s_enlist (self, client);
}

static void
s_sent (broker_watch_t *self, const event_t *event, const message_t *message)
{
    party_t *party = s_party (self, message_frame (message, 0));
    mdp_command_t command;
    if (mdp_decode (message, 1, MDP_AT_CLIENT, &command) == MDP_OK) {
        s_answers (self, party, event, message, &command);
        return;
    }
    if (mdp_decode (message, 1, MDP_AT_WORKER, &command) != MDP_OK) {
        FAIL ("what was sent is not Majordomo");
        return;
    }
    if (command.type == MDP_WORKER_REQUEST)
        s_gives (self, party, message, &command);
    else
    if (command.type == MDP_WORKER_DISCONNECT)
        s_disconnects (self, party, event->now_ms);
    else
    if (command.type != MDP_WORKER_HEARTBEAT || !party->worker)
        FAIL ("%s to a peer that is not to get it",
              mdp_type_text (command.type));
    party->sent_ms = event->now_ms;
}

//  After a tick everybody has had a heartbeat, and the next one is foreseen
static void
s_check_heartbeats (broker_watch_t *self, const event_t *event,
                    update_t *update)
{
    int64_t heartbeat_ms = self->sim->swarm.heartbeat_ms;
    party_t *party;
    DL_FOREACH (self->active, party) {
        if (!party->worker)
            continue;
        if (event->type == EVENT_TICK
        &&  event->now_ms - party->sent_ms >= heartbeat_ms)
            FAIL ("a worker has had no heartbeat in time");
        if (update_deadline (update) > party->sent_ms + heartbeat_ms)
            FAIL ("the next heartbeat of a worker is not foreseen");
    }
}

void
broker_watch_effects (broker_watch_t *self, const event_t *event,
                      update_t *update, size_t first)
{
    for (size_t nbr = first; nbr < update_size (update); nbr++)
        trace_broker_effect (self->sim, machine_name (self->machine),
                             update_effect (update, nbr));
    if (machine_is_weak (self->machine))
        return;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        const effect_t *effect = update_effect (update, nbr);
        if (effect->type == EFFECT_SEND)
            s_sent (self, event, effect->message);
        else
        if (effect->type != EFFECT_NOTICE)
            FAIL ("an effect that is none of a broker's");
    }
    if (self->guilty)
        FAIL ("no DISCONNECT to a peer that is to get one");
    if (self->answered)
        FAIL ("no REPLY to a client that is to get one");
    if (self->stopped)
        return;
    service_t *service, *next;
    HASH_ITER (hh, self->services, service, next)
        if (service->idle > 0 && service->waiting > 0)
            FAIL ("a request waits while a worker is idle");
    s_check_heartbeats (self, event, update);
}
