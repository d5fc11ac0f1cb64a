/*  =========================================================================
    version_faults - a broker's faults: PARTIAL, and two versions side by side

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "wreck.h"

//  Most PARTIALs that are passed on by a broker that counts them
#define FEW 20

static void
s_send_partial (const frame_t *client, const message_t *message, size_t body,
                update_t *update)
{
    frame_t *service = frame_new ("echo", 4);
    message_t *partial = mdp_client_partial (MDP_0_2, client, service, message,
                                             body);
    frame_destroy (&service);
    update_send (update, 0, &partial);
}

//  The next effect from *nbr on that is a PARTIAL to a client
static effect_t *
s_next_partial (update_t *update, size_t *nbr, mdp_command_t *command)
{
    effect_t *effect;
    while ((effect = wreck_next_reply (update, nbr, command)))
        if (command->type == MDP_CLIENT_PARTIAL)
            return effect;
    return NULL;
}

//  --------------------------------------------------------------------------
//  PARTIAL

static void
s_drops_partials (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    mdp_command_t command;
    while (s_next_partial (update, &first, &command))
        if (self->number++ >= (size_t) self->fault->argument)
            update_remove (update, --first);
}

static void
s_partial_as_final (wreck_t *self, const event_t *event, update_t *update,
                    size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    effect_t *effect;
    while ((effect = s_next_partial (update, &first, &command)))
        wreck_exchange (effect, 2, frame_new ("\3", 1));
}

//  PARTIALs are kept until the FINAL goes out
static void
s_holds_partials (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    static message_t *kept [FEW];
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command))) {
        if (command.type == MDP_CLIENT_PARTIAL && self->number < FEW) {
            kept [self->number++] = message_slice (effect->message, 0);
            update_remove (update, --first);
            continue;
        }
        message_t *final = message_slice (effect->message, 0);
        update_remove (update, --first);
        for (size_t nbr = 0; nbr < self->number; nbr++)
            update_send (update, 0, &kept [nbr]);
        self->number = 0;
        update_send (update, 0, &final);
        return;
    }
}

//  A PARTIAL goes to the client whose address it has, come what may; what the
//  engine makes of it comes after, or not at all
enum { FORWARD_ONLY, FORWARD_AND_JUDGE };

static bool
s_forwards_any_partial (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    wreck_note_event (self, event);
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_PARTIAL)
        return true;
    if (self->fault->argument == FORWARD_ONLY) {
        s_send_partial (command.client, event->message, command.body, update);
        return false;
    }
    if (!notes_find (&self->held, wreck_address (event)))
        s_send_partial (command.client, event->message, command.body, update);
    return true;
}

static void
s_note_held (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
}

//  A worker is free again after its first PARTIAL
static bool
s_partial_ends (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    || (command.type != MDP_WORKER_PARTIAL && command.type != MDP_WORKER_REPLY))
        return true;
    bool free_already = notes_find (&self->names, wreck_address (event)) != NULL;
    if (command.type == MDP_WORKER_REPLY && !free_already)
        return true;
    if (command.type == MDP_WORKER_REPLY) {
        notes_drop (&self->names, wreck_address (event));
        frame_t *service = frame_new ("echo", 4);
        message_t *final = mdp_client_reply (MDP_0_2, command.client, service,
                                             event->message, command.body);
        frame_destroy (&service);
        update_send (update, 0, &final);
        return false;
    }
    s_send_partial (command.client, event->message, command.body, update);
    if (free_already)
        return false;
    notes_put (&self->names, wreck_address (event), NULL);
    message_t *plain = mdp_worker_reply (MDP_0_2, command.client,
                                         event->message, command.body);
    message_t *message = message_new ();
    message_add (message, wreck_address (event));
    message_add_from (message, plain, 0);
    message_destroy (&plain);
    wreck_inject (self, event, &message, update);
    return false;
}

//  The FINALs that the engine then sends are none of the worker's
static void
s_drop_finals (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_PARTIAL)
        return;
    (void) self;
    for (; first < update_size (update); first++)
        if (wreck_read_effect (update_effect (update, first), false, &command)
        &&  command.type == MDP_CLIENT_REPLY)
            update_remove (update, first--);
}

static bool
s_dies_without_client (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    if (event->type == EVENT_UNREACHABLE
    &&  notes_find (&self->clients, wreck_address (event)))
        abort ();
    wreck_note_event (self, event);
    return true;
}

static bool
s_is_code (const message_t *message, const char *header, const char *code)
{
    return message_size (message) > 3
        && frame_is (message_frame (message, 1), header, 6)
        && frame_is (message_frame (message, 2), code, 1);
}

//  What stands behind the client's address is passed on, whatever it is
static bool
s_forwards_malformed (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED || wreck_read_event (event, &command)
    || !s_is_code (event->message, "MDPW02", "\3")
    ||  message_size (event->message) < 5)
        return true;
    s_send_partial (message_frame (event->message, 3), event->message, 4,
                    update);
    return false;
}

//  A client's PARTIAL is carried out as a REQUEST
static bool
s_takes_client_partial (wreck_t *self, const event_t *event, update_t *update)
{
    if (event->type != EVENT_RECEIVED
    || !s_is_code (event->message, "MDPC02", "\2"))
        return true;
    effect_t like = { .type = EFFECT_SEND,
                      .message = message_slice (event->message, 0) };
    wreck_exchange (&like, 2, frame_new ("\1", 1));
    wreck_inject (self, event, &like.message, update);
    return false;
}

//  --------------------------------------------------------------------------
//  Two versions

//  What an event leads to goes out in the version of the event
static void
s_keeps_version (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    bool to_worker = self->fault->argument == MDP_WORKER_REQUEST;
    mdp_command_t cause;
    if (!wreck_read_event (event, &cause))
        return;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        mdp_command_t command;
        if (!wreck_read_effect (effect, to_worker, &command)
        ||  command.version == cause.version
        ||  (int) command.type != self->fault->argument)
            continue;
        const frame_t *address = message_frame (effect->message, 0);
        message_t *message = to_worker
            ? mdp_worker_request (cause.version, address, command.client,
                                  effect->message, command.body)
            : mdp_client_reply (cause.version, address, command.service,
                                effect->message, command.body);
        message_destroy (&effect->message);
        effect->message = message;
    }
}

//  Workers get this command in 0.2, whatever they speak
static void
s_newest_version (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_effect (effect, true, &command)
        ||  (int) command.type != self->fault->argument)
            continue;
        const frame_t *address = message_frame (effect->message, 0);
        message_t *message = command.type == MDP_WORKER_HEARTBEAT
            ? mdp_worker_heartbeat (MDP_0_2, address)
            : mdp_worker_disconnect (MDP_0_2, address);
        message_destroy (&effect->message);
        effect->message = message;
    }
}

//  A client of 0.1 gets the FINAL and nothing of what came before
static void
s_loses_parts (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    (void) self;
    mdp_command_t cause, command;
    if (!wreck_read_event (event, &cause) || cause.type != MDP_WORKER_REPLY)
        return;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command)))
        if (command.version != cause.version) {
            message_t *message = mdp_client_reply (command.version,
                message_frame (effect->message, 0), command.service,
                event->message, cause.body);
            message_destroy (&effect->message);
            effect->message = message;
        }
}

//  What a worker that is gone said of an answer gets into the next one's
static bool
s_note_part (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_PARTIAL) {
        notes_put (&self->names, command.client,
                   message_frame (event->message, command.body));
        notes_put (&self->clients, command.client, wreck_address (event));
    }
    return true;
}

static void
s_keep_parts (wreck_t *self, const event_t *event, update_t *update,
              size_t first)
{
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command))) {
        note_t *part = notes_find (&self->names,
                                   message_frame (effect->message, 0));
        note_t *from = notes_find (&self->clients,
                                   message_frame (effect->message, 0));
        if (!part || command.version != MDP_0_1
        ||  frame_equal (from->value, wreck_address (event)))
            continue;
        message_t *message = message_new ();
        for (size_t nbr = 0; nbr < message_size (effect->message); nbr++) {
            if (nbr == command.body)
                message_add (message, part->value);
            message_add (message, message_frame (effect->message, nbr));
        }
        message_destroy (&effect->message);
        effect->message = message;
    }
}

//  Where there is a worker of 0.2, no client of 0.1 is listened to
static bool
s_forgets_old_clients (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST || command.version != MDP_0_1)
        return true;
    for (size_t nbr = 0; nbr < self->workers.count; nbr++)
        if (self->workers.notes [nbr].version == MDP_0_2)
            return false;
    return true;
}

static bool
s_dies_on_change (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (!wreck_read_event (event, &command))
        return true;
    const note_t *worker = notes_find (&self->workers, wreck_address (event));
    if (worker && worker->version != command.version)
        abort ();
    return true;
}

const fault_t version_faults [] = {
    { "drops-partials", NULL, s_drops_partials, NULL, 0 },
    { "few-partials", NULL, s_drops_partials, NULL, FEW },
    { "partial-as-final", NULL, s_partial_as_final, NULL, 0 },
    { "holds-partials", NULL, s_holds_partials, NULL, 0 },
    { "forwards-any-partial", s_forwards_any_partial, s_note_held, NULL,
      FORWARD_ONLY },
    { "forwards-late-partials", s_forwards_any_partial, s_note_held, NULL,
      FORWARD_AND_JUDGE },
    { "partial-ends-request", s_partial_ends, s_drop_finals, NULL, 0 },
    { "dies-without-client", s_dies_without_client, NULL, NULL, 0 },
    { "forwards-malformed-partials", s_forwards_malformed, NULL, NULL, 0 },
    { "takes-client-partial", s_takes_client_partial, NULL, NULL, 0 },
    { "answers-in-workers-version", NULL, s_keeps_version, NULL,
      MDP_CLIENT_REPLY },
    { "asks-in-clients-version", NULL, s_keeps_version, NULL,
      MDP_WORKER_REQUEST },
    { "heartbeats-in-one-version", NULL, s_newest_version, NULL,
      MDP_WORKER_HEARTBEAT },
    { "disconnects-in-one-version", NULL, s_newest_version, NULL,
      MDP_WORKER_DISCONNECT },
    { "loses-parts", NULL, s_loses_parts, NULL, 0 },
    { "keeps-parts-of-the-dead", s_note_part, s_keep_parts, NULL, 0 },
    { "forgets-old-clients", s_forgets_old_clients, NULL, NULL, 0 },
    { "dies-on-change", s_dies_on_change, NULL, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
