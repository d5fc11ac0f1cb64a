/*  =========================================================================
    alone_faults - a Titanic server's faults that only its broker sees

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "../../src/engine/conversation.h"
#include "wreck.h"

//  Fits the heartbeat and the liveness of targets/wreck.zpl
#define EXPIRY_MS 500

//  A reply that came to Titanic as a client
static bool
s_read_reply (const event_t *event, mdp_command_t *command)
{
    return event->type == EVENT_RECEIVED
        && mdp_decode (event->message, 0, MDP_AT_CLIENT, command) == MDP_OK;
}

//  Give the engine another message in place of the one that came
static void
s_feign (wreck_t *self, const event_t *event, message_t **message_p,
         update_t *update)
{
    event_t feigned = *event;
    feigned.message = *message_p;
    self->inner.step (self->inner.engine, &feigned, update);
    message_destroy (message_p);
}

//  Whatever reply comes is for the request that is out
static bool
s_takes_any_reply (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!s_read_reply (event, &command)
    ||  command.type != MDP_CLIENT_REPLY
    || !frame_is (command.service, "coffee", 6))
        return true;
    frame_t *service = frame_new ("echo", 4);
    message_t *message = mdp_client_reply (command.version, NULL, service,
                                           event->message, command.body);
    frame_destroy (&service);
    s_feign (self, event, &message, update);
    return false;
}

//  The reply to every request is what the first one asked: it went back the way of
//  another
static void
s_note_first (wreck_t *self, const event_t *event, update_t *update,
              size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; !self->subject && first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (wreck_read_sent (effect, &command)
        &&  command.type == MDP_CLIENT_REQUEST
        && !frame_is (command.service, "mmi.service", 11))
            self->subject = frame_ref (message_frame (effect->message,
                                                      command.body));
    }
}

static bool
s_late_is_now (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!self->subject || !s_read_reply (event, &command)
    ||  frame_is (command.service, "mmi.service", 11))
        return true;
    message_t *body = message_new ();
    message_add (body, self->subject);
    message_t *message = mdp_client_reply (command.version, NULL,
                                           command.service, body, 0);
    message_destroy (&body);
    s_feign (self, event, &message, update);
    return false;
}

//  Waits for an answer of mmi.service, however long
static void
s_waits_for_mmi (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    mdp_command_t command;
    if (s_read_reply (event, &command)
    &&  frame_is (command.service, "mmi.service", 11))
        self->number++;
    for (; self->number == 0 && first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_CLIENT_REQUEST
        && !frame_is (command.service, "mmi.service", 11))
            update_remove (update, first--);
}

//  A broker that sends no HEARTBEAT is gone, whatever else it sends
static bool
s_only_heartbeats_count (wreck_t *self, const event_t *event,
                         update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED
    ||  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK)
        return true;
    if (command.type == MDP_WORKER_HEARTBEAT)
        self->number = 0;
    else
    if (command.type == MDP_WORKER_REQUEST && self->number == 0)
        self->number = (size_t) event->now_ms;
    return self->number == 0
        || event->now_ms - (int64_t) self->number < EXPIRY_MS;
}

//  A service that was not there once is given up
static bool
s_note_absence (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (s_read_reply (event, &command)
    &&  frame_is (command.service, "mmi.service", 11)
    &&  frame_is (message_frame (event->message, command.body), "404", 3))
        self->number++;
    return true;
}

static void
s_gives_up_absent (wreck_t *self, const event_t *event, update_t *update,
                   size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; self->number && first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_CLIENT_REQUEST)
            update_remove (update, first--);
}

//  Sends nothing to services that mmi.service does not know, or that no
//  mmi.service vouches for
static bool
s_note_mmi (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (s_read_reply (event, &command)
    &&  frame_is (command.service, "mmi.service", 11))
        self->number = frame_is (message_frame (event->message, command.body),
                                 "200", 3);
    return true;
}

static void
s_needs_mmi (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_CLIENT_REQUEST
        && !frame_is (command.service, "mmi.service", 11)
        &&  self->number == 0)
            update_remove (update, first--);
}

//  A request whose body is empty is none
static bool
s_ignores_empty (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED
    ||  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK
    ||  command.type != MDP_WORKER_REQUEST
    ||  message_size (event->message) != command.body + 2)
        return true;
    return frame_size (message_frame (event->message, command.body + 1)) > 0;
}

//  A reply whose body is empty never comes
static bool
s_ignores_empty_reply (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    return !s_read_reply (event, &command)
        ||  frame_size (message_frame (event->message, command.body)) > 0;
}

//  Five bytes are enough for a client's address
static void
s_short_addresses (wreck_t *self, const event_t *event, update_t *update,
                   size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (wreck_read_sent (effect, &command)
        &&  command.type == MDP_WORKER_REPLY
        &&  frame_size (command.client) > 8)
            wreck_exchange (effect, command.body - 2,
                            frame_new (frame_data (command.client), 5));
    }
}

static bool
s_dies_on_malformed (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    if (event->type == EVENT_RECEIVED
    &&  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK
    &&  mdp_decode (event->message, 0, MDP_AT_CLIENT, &command) != MDP_OK)
        abort ();
    return true;
}

//  A FINAL is all that there is; or what came before it, for whichever request,
//  is a part of it
enum { PARTS_NONE, PARTS_ALL };

static bool
s_parts (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!s_read_reply (event, &command)
    ||  frame_is (command.service, "mmi.service", 11))
        return true;
    if (command.type == MDP_CLIENT_PARTIAL) {
        frame_destroy (&self->subject);
        self->subject = frame_ref (message_frame (event->message, command.body));
        return false;
    }
    if (self->fault->argument == PARTS_NONE || !self->subject)
        return true;
    message_t *body = message_new ();
    message_add (body, self->subject);
    message_add_from (body, event->message, command.body);
    message_t *message = mdp_client_reply (command.version, NULL,
                                           command.service, body, 0);
    message_destroy (&body);
    s_feign (self, event, &message, update);
    return false;
}

//  Who was disconnected once sends no more heartbeats
static bool
s_note_disconnect (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (event->type == EVENT_RECEIVED
    &&  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) == MDP_OK
    &&  command.type == MDP_WORKER_DISCONNECT)
        self->number++;
    return true;
}

static void
s_heartbeats_once (wreck_t *self, const event_t *event, update_t *update,
                   size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; self->number && first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_WORKER_HEARTBEAT)
            update_remove (update, first--);
}

//  A second DISCONNECT is met with a READY on the connection that it came by
static bool
s_same_connection (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED
    ||  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK
    ||  command.type != MDP_WORKER_DISCONNECT
    ||  event->channel / CHANNEL_SLOTS < 2)
        return true;
    frame_t *key = frame_new (&event->channel, sizeof event->channel);
    const note_t *note = notes_find (&self->names, key);
    message_t *ready = mdp_worker_ready (command.version, note->value);
    update_send (update, event->channel, &ready);
    frame_destroy (&key);
    return false;
}

static void
s_note_service (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_sent (effect, &command)
        ||  command.type != MDP_WORKER_READY)
            continue;
        frame_t *key = frame_new (&effect->channel, sizeof effect->channel);
        notes_put (&self->names, key, command.service);
        frame_destroy (&key);
    }
}

//  What was sent is sent once more some time later, closed or not: by a connection
//  that the engine knows nothing of
#define AGAIN_MS 700
#define AGAIN_CHANNEL (CHANNEL_SLOTS + CHANNEL_SLOTS - 1)

static void
s_repeats_closed (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (self->subject || !wreck_read_sent (effect, &command)
        ||  command.type != MDP_CLIENT_REQUEST
        ||  frame_is (command.service, "mmi.service", 11))
            continue;
        self->subject = frame_ref (message_frame (effect->message,
                                                  command.body));
        notes_put (&self->names, command.service, NULL)->heard_ms =
            event->now_ms;
        self->number = (size_t) command.version;
    }
    if (!self->subject || self->names.count == 0
    ||  event->now_ms < self->names.notes [0].heard_ms + AGAIN_MS)
        return;
    message_t *body = message_new ();
    message_add (body, self->subject);
    frame_t *service = frame_ref (self->names.notes [0].key);
    message_t *message = mdp_client_request ((mdp_version_t) self->number,
                                             service, body, 0);
    update_open (update, AGAIN_CHANNEL);
    update_send (update, AGAIN_CHANNEL, &message);
    notes_drop (&self->names, service);
    frame_destroy (&service);
    message_destroy (&body);
}

//  Each READY is sent twice
static void
s_ready_twice (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    size_t end = update_size (update);
    for (; first < end; first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_sent (effect, &command)
        ||  command.type != MDP_WORKER_READY)
            continue;
        message_t *again = message_slice (effect->message, 0);
        update_send (update, effect->channel, &again);
    }
}

const fault_t alone_faults [] = {
    { "takes-any-reply", s_takes_any_reply, NULL, NULL, 0 },
    { "late-is-now", s_late_is_now, s_note_first, NULL, 0 },
    { "waits-for-mmi", NULL, s_waits_for_mmi, NULL, 0 },
    { "counts-heartbeats-only", s_only_heartbeats_count, NULL, NULL, 0 },
    { "gives-up-absent", s_note_absence, s_gives_up_absent, NULL, 0 },
    { "needs-mmi", s_note_mmi, s_needs_mmi, NULL, 0 },
    { "ignores-empty-requests", s_ignores_empty, NULL, NULL, 0 },
    { "ignores-empty-replies", s_ignores_empty_reply, NULL, NULL, 0 },
    { "short-addresses", NULL, s_short_addresses, NULL, 0 },
    { "dies-on-malformed", s_dies_on_malformed, NULL, NULL, 0 },
    { "last-part-only", s_parts, NULL, NULL, PARTS_NONE },
    { "keeps-old-parts", s_parts, NULL, NULL, PARTS_ALL },
    { "titanic-heartbeats-once", s_note_disconnect, s_heartbeats_once, NULL,
      0 },
    { "titanic-same-connection", s_same_connection, s_note_service, NULL, 0 },
    { "repeats-closed", NULL, s_repeats_closed, NULL, 0 },
    { "titanic-ready-twice", NULL, s_ready_twice, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
