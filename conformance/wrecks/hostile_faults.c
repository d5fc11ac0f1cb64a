/*  =========================================================================
    hostile_faults - a broker's faults: hostile input

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "wreck.h"

//  --------------------------------------------------------------------------
//  Hostile input

//  Dies on what is malformed in one way
static bool
s_dies_on (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (event->type == EVENT_RECEIVED
    &&  (int) mdp_decode (event->message, 1, MDP_AT_BROKER, &command)
        == self->fault->argument)
        abort ();
    return true;
}

//  Takes malformed READYs, and malformed commands of workers, for well formed
static bool
s_lenient (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (event->type != EVENT_RECEIVED)
        return true;
    mdp_result_t result = mdp_decode (event->message, 1, MDP_AT_BROKER,
                                      &command);
    return result == MDP_OK
        || !notes_find (&self->workers, wreck_address (event));
}

//  Of a command's frame the first byte counts
static bool
s_first_byte (wreck_t *self, const event_t *event, update_t *update)
{
    if (event->type != EVENT_RECEIVED)
        return true;
    size_t empty = frame_size (message_frame (event->message, 1)) == 0;
    const frame_t *code = message_frame (event->message, 2 + empty);
    if (!code || frame_size (code) != 2
    || !wreck_starts (message_frame (event->message, 1 + empty), "MDPW"))
        return true;
    effect_t like = { .type = EFFECT_SEND,
                      .message = message_slice (event->message, 0) };
    wreck_exchange (&like, 2 + empty, frame_new (frame_data (code), 1));
    wreck_inject (self, event, &like.message, update);
    return false;
}

static bool
s_dies_on_unknown_client (wreck_t *self, const event_t *event,
                          update_t *update)
{
    (void) update;
    wreck_note_event (self, event);
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_REPLY
    && !notes_find (&self->clients, command.client))
        abort ();
    return true;
}

static bool
s_dies_on_long_client (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_REPLY
    &&  frame_size (command.client) > 255)
        abort ();
    return true;
}

//  What a busy worker answers goes to the client that asked, whatever address it
//  has
static bool
s_any_client_will_do (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    || (command.type != MDP_WORKER_REPLY && command.type != MDP_WORKER_PARTIAL))
        return true;
    note_t *held = notes_find (&self->held, wreck_address (event));
    if (!held || frame_equal (held->value, command.client))
        return true;
    effect_t like = { .type = EFFECT_SEND,
                      .message = message_slice (event->message, 0) };
    wreck_exchange (&like, command.body - 2, frame_ref (held->value));
    wreck_inject (self, event, &like.message, update);
    return false;
}

static void
s_note_held (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
}

//  Has only a few descriptors left, so that peers that do nothing keep others out:
//  one to listen, and two for peers. The linker puts this in the place of zmq_bind:
//  later, peers that are in already would not count.
int
    __real_zmq_bind (void *socket, const char *endpoint);
int
    __wrap_zmq_bind (void *socket, const char *endpoint);

int
__wrap_zmq_bind (void *socket, const char *endpoint)
{
    if (wreck_fault () && strcmp (wreck_fault ()->name, "few-descriptors") == 0
    &&  strncmp (endpoint, "tcp://", 6) == 0) {
        int next = dup (STDERR_FILENO);
        close (next);
        struct rlimit limit = { (rlim_t) next + 3, (rlim_t) next + 3 };
        setrlimit (RLIMIT_NOFILE, &limit);
    }
    return __real_zmq_bind (socket, endpoint);
}

const fault_t hostile_faults [] = {
    { "dies-on-no-empty-frame", s_dies_on, NULL, NULL, MDP_NO_EMPTY_FRAME },
    { "dies-on-no-header", s_dies_on, NULL, NULL, MDP_NO_HEADER },
    { "dies-on-unknown-header", s_dies_on, NULL, NULL, MDP_UNKNOWN_HEADER },
    { "dies-on-no-command", s_dies_on, NULL, NULL, MDP_NO_COMMAND },
    { "dies-on-unknown-command", s_dies_on, NULL, NULL, MDP_UNKNOWN_COMMAND },
    { "dies-on-too-few-frames", s_dies_on, NULL, NULL, MDP_TOO_FEW_FRAMES },
    { "dies-on-too-many-frames", s_dies_on, NULL, NULL, MDP_TOO_MANY_FRAMES },
    { "dies-on-no-delimiter", s_dies_on, NULL, NULL, MDP_NO_DELIMITER },
    { "dies-on-empty-service", s_dies_on, NULL, NULL, MDP_SERVICE_EMPTY },
    { "dies-on-long-service", s_dies_on, NULL, NULL, MDP_SERVICE_TOO_LONG },
    { "dies-on-odd-service", s_dies_on, NULL, NULL,
      MDP_SERVICE_NOT_PRINTABLE },
    { "dies-on-unknown-client", s_dies_on_unknown_client, NULL, NULL, 0 },
    { "dies-on-long-client", s_dies_on_long_client, NULL, NULL, 0 },
    { "any-client-will-do", s_any_client_will_do, s_note_held, NULL, 0 },
    { "first-byte-counts", s_first_byte, NULL, NULL, 0 },
    { "keeps-invalid-workers", s_lenient, NULL, NULL, 0 },
    { "few-descriptors", NULL, NULL, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
