/*  =========================================================================
    caller - a client of Titanic that holds the server to its promises

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/tsp.h"
#include "ordeal.h"

//  After an answer that says "later", so long.
#define LATER_MS 5

enum { NOTHING, STORE, POLL, CLOSE };

static const char *const s_services [] = {
    [STORE] = "titanic.request", [POLL] = "titanic.reply",
    [CLOSE] = "titanic.close"
};

int
caller_start (caller_t *self, channel_t slot)
{
    *self = (caller_t) { .slot = slot };
    self->kept = (errand_t *) calloc (KEPT_MAX, sizeof (errand_t));
    return self->kept? 0: -1;
}

void
caller_clear (caller_t *self)
{
    free (self->kept);
}

//  The service and the body of request number serial
static void
s_names (const caller_t *self, uint64_t serial, char service [32],
         char body [64])
{
    snprintf (service, 32, "service%llu",
              (unsigned long long) (serial % SERVICES));
    snprintf (body, 64, "client %u, request %llu", (unsigned) self->slot,
              (unsigned long long) serial);
}

//  --------------------------------------------------------------------------
//  Questions

static void
s_ask (caller_t *self, ordeal_t *ordeal, int action, errand_t *subject)
{
    self->action = action;
    self->subject = subject;
    self->due_ms = ordeal->now_ms + ordeal->patience_ms;
    if (!self->channel)
        ordeal_reopen (ordeal, self->slot, &self->channel);
    message_t *body = message_new ();
    frame_t *name = frame_new (s_services [action],
                               strlen (s_services [action]));
    if (!body || !name)
        abort ();
    if (action == STORE) {
        char service [32], text [64];
        s_names (self, ++self->serial, service, text);
        message_add_string (body, service);
        message_add_string (body, text);
    }
    else
        message_add_string (body, subject->id);
    if (action == CLOSE)
        subject->closing = true;
    ordeal_send (ordeal, self->channel,
                 mdp_client_request (MDP_0_1, name, body, 0));
    frame_destroy (&name);
    message_destroy (&body);
}

//  In the end all that is open is brought to its end, and then everything that
//  was kept is looked at once more
static void
s_finish (caller_t *self, ordeal_t *ordeal)
{
    if (self->count > 0) {
        errand_t *errand = &self->errands [self->count - 1];
        bool closes = errand->closing? !errand->closed
            : errand->answered && ordeal->tidy;
        s_ask (self, ordeal, closes? CLOSE: POLL, errand);
    }
    else
    if (self->checked < self->kept_count)
        s_ask (self, ordeal, POLL, &self->kept [self->checked]);
}

static void
s_next (caller_t *self, ordeal_t *ordeal)
{
    self->action = NOTHING;
    if (ordeal->finishing) {
        s_finish (self, ordeal);
        return;
    }
    if (self->count == 0
    || (self->count < ERRANDS_MAX && ordeal_chance (ordeal, 2))) {
        s_ask (self, ordeal, STORE, NULL);
        return;
    }
    errand_t *errand = &self->errands [ordeal_chance (ordeal, self->count)];
    bool closes = errand->closing? !errand->closed
        : errand->answered || ordeal_chance (ordeal, 20) == 0;
    s_ask (self, ordeal, closes? CLOSE: POLL, errand);
}

//  --------------------------------------------------------------------------
//  Answers

//  It is done with: perhaps it is looked at again in the end
static void
s_keep (caller_t *self, ordeal_t *ordeal, errand_t *errand)
{
    uint64_t place = self->finished++;
    if (place < KEPT_MAX)
        self->kept_count++;
    else
        place = ordeal_chance (ordeal, self->finished);
    if (place < KEPT_MAX)
        self->kept [place] = *errand;
    *errand = self->errands [--self->count];
}

static void
s_stored (caller_t *self, ordeal_t *ordeal, int status,
          const message_t *message, size_t body)
{
    request_id_t id;
    const frame_t *text = message_frame (message, body + 1);
    if (status == TSP_ERROR)
        return;
    if (status != TSP_OK || !text || tsp_id_read (text, &id)) {
        ordeal_fail (ordeal, "titanic.request answered %d and no id", status);
        return;
    }
    errand_t *errand = &self->errands [self->count++];
    *errand = (errand_t) { .serial = self->serial };
    tsp_id_print (&id, errand->id);
    ordeal->stored++;
}

static bool
s_is_own (const caller_t *self, const errand_t *errand,
          const message_t *message, size_t from)
{
    char service [32], body [64];
    s_names (self, errand->serial, service, body);
    return message_size (message) == from + 2
        && frame_is (message_frame (message, from), service, strlen (service))
        && frame_is (message_frame (message, from + 1), body, strlen (body));
}

static void
s_polled (caller_t *self, ordeal_t *ordeal, int status,
          const message_t *message, size_t body)
{
    errand_t *errand = self->subject;
    bool kept = errand >= self->kept && errand < self->kept + KEPT_MAX;
    if (status == TSP_ERROR)
        return;
    if (errand->closed && status != TSP_UNKNOWN)
        ordeal_fail (ordeal, "%s was closed and comes back with %d",
                     errand->id, status);
    if (!errand->closing && status == TSP_UNKNOWN)
        ordeal_fail (ordeal, "%s was acknowledged and is lost", errand->id);
    if (errand->answered && status == TSP_PENDING)
        ordeal_fail (ordeal, "%s had its reply and is pending again",
                     errand->id);
    if (status == TSP_OK
    && !s_is_own (self, errand, message, body + 1))
        ordeal_fail (ordeal, "the reply to %s is not its own", errand->id);
    if (kept)
        self->checked++;
    else {
        if (status == TSP_OK && !errand->answered) {
            errand->answered = true;
            ordeal->answered++;
        }
        //  Some stay in the store
        if (errand->closed
        || (errand->answered && !errand->closing && !ordeal->tidy
        && (ordeal->finishing || ordeal_chance (ordeal, 50) == 0)))
            s_keep (self, ordeal, errand);
    }
}

static void
s_closed (caller_t *self, ordeal_t *ordeal, int status)
{
    if (status == TSP_ERROR)
        return;
    if (status != TSP_OK)
        ordeal_fail (ordeal, "titanic.close answered %d", status);
    if (!self->subject->closed)
        ordeal->closed++;
    self->subject->closed = true;
}

void
caller_receive (caller_t *self, ordeal_t *ordeal, const message_t *message)
{
    mdp_command_t command;
    const char *service = self->action? s_services [self->action]: "";
    if (mdp_decode (message, 0, MDP_AT_CLIENT, &command) != MDP_OK
    ||  command.type != MDP_CLIENT_REPLY
    || !frame_is (command.service, service, strlen (service))) {
        ordeal_fail (ordeal, "client %u was sent what it did not ask for",
                     (unsigned) self->slot);
        return;
    }
    int status = tsp_status_read (message_frame (message, command.body));
    if (self->action == STORE)
        s_stored (self, ordeal, status, message, command.body);
    else
    if (self->action == POLL)
        s_polled (self, ordeal, status, message, command.body);
    else
        s_closed (self, ordeal, status);
    self->action = NOTHING;
    self->due_ms = 0;
    self->vain = 0;
    if (status == TSP_ERROR)
        ordeal->refused++;
    if (status == TSP_PENDING || status == TSP_ERROR)
        self->due_ms = ordeal->now_ms + LATER_MS;
    else
        s_next (self, ordeal);
}

//  --------------------------------------------------------------------------
//  Time

void
caller_tick (caller_t *self, ordeal_t *ordeal)
{
    if (ordeal->now_ms < self->due_ms)
        return;
    if (self->action) {
        ordeal_close (ordeal, &self->channel);
        ordeal->gone++;
        if (++self->vain == ordeal->tries)
            ordeal_fail (ordeal, "client %u asked %s %u times in vain",
                         (unsigned) self->slot, s_services [self->action],
                         self->vain);
    }
    s_next (self, ordeal);
}

bool
caller_is_done (const caller_t *self)
{
    return self->action == NOTHING && self->count == 0
        && self->checked == self->kept_count;
}
