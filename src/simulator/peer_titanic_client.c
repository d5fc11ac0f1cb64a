/*  =========================================================================
    titanic_client - a simulated client of Titanic

    It remembers what it was promised, also over a crash, and holds the server
    to it.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>

#include "../protocol/tsp.h"
#include "caller.h"
#include "machine.h"
#include "memory.h"

//  Stored requests that it looks after at a time.
#define ERRANDS_MAX 6

typedef enum {
    ACTION_NONE,
    ACTION_STORE,
    ACTION_POLL,
    ACTION_CLOSE
} action_t;

//  A request that was answered 200 with an id.
typedef struct {
    frame_t *id;                //  As it came
    frame_t *service;
    message_t *body;
    message_t *reply;           //  NULL until it has come
    bool closing;               //  A close has been sent
    bool closed;                //  And was answered 200
    bool kept;                  //  At rest: is not to be closed
} errand_t;

typedef struct {
    caller_t caller;
    errand_t errands [ERRANDS_MAX];
    size_t count;
    action_t action;            //  What it asks for now
    size_t subject;             //  Of the errands
    frame_t *service;           //  ACTION_STORE
    message_t *body;            //  ACTION_STORE
    uint64_t bodies;            //  So far
} client_t;

static void
s_errand_clear (errand_t *errand)
{
    frame_destroy (&errand->id);
    frame_destroy (&errand->service);
    message_destroy (&errand->body);
    message_destroy (&errand->reply);
}

static void
s_errand_remove (client_t *self, size_t nbr)
{
    s_errand_clear (&self->errands [nbr]);
    self->errands [nbr] = self->errands [--self->count];
}

//  --------------------------------------------------------------------------
//  Questions

static frame_t *
s_name (const char *name, size_t size)
{
    return memory_need (frame_new (name, size));
}

//  Each try is a request of its own: what became of the one before is not known
static void
s_store (client_t *self)
{
    sim_t *sim = self->caller.peer.sim;
    frame_destroy (&self->service);
    message_destroy (&self->body);
    self->service = peer_service (dice_below (&sim->dice,
                                              sim->swarm.services));
    self->body = peer_body_new (sim, &self->caller.peer, ++self->bodies);
    self->action = ACTION_STORE;
    message_t *question = memory_need (message_new ());
    if (message_add (question, self->service)
    ||  message_add_from (question, self->body, 0))
        memory_need (NULL);
    caller_ask (&self->caller, s_name ("titanic.request", 15), question);
}

static void
s_ask_about (client_t *self, size_t nbr, action_t action)
{
    self->action = action;
    self->subject = nbr;
    if (action == ACTION_CLOSE)
        self->errands [nbr].closing = true;
    message_t *question = memory_need (message_new ());
    if (message_add (question, self->errands [nbr].id))
        memory_need (NULL);
    caller_ask (&self->caller, action == ACTION_CLOSE
                ? s_name ("titanic.close", 13): s_name ("titanic.reply", 13),
                question);
}

//  At rest every errand is brought to its end: half of them are closed
static void
s_finish (client_t *self)
{
    for (size_t nbr = 0; nbr < self->count; nbr++) {
        errand_t *errand = &self->errands [nbr];
        if (errand->kept)
            continue;
        if (errand->closed || (!errand->reply && !errand->closing))
            s_ask_about (self, nbr, ACTION_POLL);
        else
        if (errand->closing
        ||  dice_chance (&self->caller.peer.sim->dice, 500))
            s_ask_about (self, nbr, ACTION_CLOSE);
        else {
            errand->kept = true;
            continue;
        }
        return;
    }
}

static void
s_next (caller_t *caller)
{
    client_t *self = (client_t *) caller;
    dice_t *dice = &caller->peer.sim->dice;
    self->action = ACTION_NONE;
    if (caller->peer.sim->healing) {
        s_finish (self);
        return;
    }
    if (self->count == 0
    || (self->count < ERRANDS_MAX && dice_chance (dice, 300))) {
        s_store (self);
        return;
    }
    size_t nbr = dice_below (dice, self->count);
    const errand_t *errand = &self->errands [nbr];
    unsigned closes = errand->closed? 100: errand->reply? 600: 50;
    s_ask_about (self, nbr, dice_chance (dice, closes)? ACTION_CLOSE
                                                      : ACTION_POLL);
}

//  --------------------------------------------------------------------------
//  Answers

static void
s_stored (client_t *self, int status, const message_t *answer)
{
    sim_t *sim = self->caller.peer.sim;
    request_id_t id;
    const frame_t *text = message_frame (answer, 1);
    if (status == TSP_ERROR)
        return;
    if (status != TSP_OK || !text || tsp_id_read (text, &id)) {
        sim_fail (sim, "%s: titanic.request answers %d and no id",
                  self->caller.peer.host.name, status);
        return;
    }
    self->errands [self->count++] = (errand_t) {
        .id = frame_ref (text), .service = frame_ref (self->service),
        .body = memory_need (message_slice (self->body, 0)) };
}

static void
s_polled (client_t *self, errand_t *errand, int status,
          const message_t *answer)
{
    sim_t *sim = self->caller.peer.sim;
    const char *name = self->caller.peer.host.name;
    const char *id = (const char *) frame_data (errand->id);
    if (status == TSP_ERROR)
        return;
    if (errand->closed && status != TSP_UNKNOWN)
        sim_fail (sim, "%s: %.32s was closed and comes back with %d", name, id,
                  status);
    else
    if (errand->closed)
        s_errand_remove (self, self->subject);
    else
    if (status == TSP_UNKNOWN && !errand->closing)
        sim_fail (sim, "%s: %.32s was acknowledged and is lost", name, id);
    else
    if (status == TSP_PENDING && errand->reply)
        sim_fail (sim, "%s: %.32s had its reply and is pending again", name,
                  id);
    else
    if (status == TSP_OK) {
        if (!peer_is_reply (errand->service, errand->body, answer, 1))
            sim_fail (sim, "%s: the reply to %.32s is not its own", name, id);
        if (errand->reply && !peer_same_body (errand->reply, 0, answer, 0))
            sim_fail (sim, "%s: %.32s has another reply than before", name,
                      id);
        if (errand->reply)
            return;
        sim->counts.answered++;
        errand->reply = memory_need (message_slice (answer, 0));
    }
}

static void
s_answered (caller_t *caller, const message_t *answer)
{
    client_t *self = (client_t *) caller;
    if (!answer)
        return;
    int status = tsp_status_read (message_frame (answer, 0));
    if (self->action == ACTION_STORE)
        s_stored (self, status, answer);
    else
    if (self->action == ACTION_POLL)
        s_polled (self, &self->errands [self->subject], status, answer);
    else
    if (self->action == ACTION_CLOSE && status == TSP_OK) {
        if (!self->errands [self->subject].closed)
            caller->peer.sim->counts.closed++;
        self->errands [self->subject].closed = true;
    }
    else
    if (status != TSP_ERROR)
        sim_fail (caller->peer.sim, "%s: titanic.close answers %d",
                  caller->peer.host.name, status);
}

//  --------------------------------------------------------------------------
//  Life

static bool
s_is_done (const peer_t *peer)
{
    const client_t *self = (const client_t *) peer;
    if (self->caller.service)
        return false;
    for (size_t nbr = 0; nbr < self->count; nbr++)
        if (!self->errands [nbr].kept)
            return false;
    return true;
}

static void
s_destroy (peer_t **peer_p)
{
    client_t *self = (client_t *) *peer_p;
    *peer_p = NULL;
    caller_clear (&self->caller);
    while (self->count)
        s_errand_remove (self, 0);
    frame_destroy (&self->service);
    message_destroy (&self->body);
    free (self);
}

static const peer_type_t s_type = {
    "titanic-client", caller_start, caller_stop, caller_leave, s_is_done,
    s_destroy, caller_receive
};

peer_t *
peer_titanic_client_new (sim_t *sim, size_t number)
{
    client_t *self = memory_need (calloc (1, sizeof (client_t)));
    caller_init (&self->caller, sim, &s_type, number);
    self->caller.next = s_next;
    self->caller.answered = s_answered;
    return &self->caller.peer;
}
