/*  =========================================================================
    wreck - servers with one fault each, put between events and effects

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/daemon/broker_daemon.h"
#include "../../src/daemon/titanic_daemon.h"
#include "../../src/store/backend.h"
#include "wreck.h"

//  No wreck keeps anything there: this is in place of the real one, for libpq brings so
//  many libraries that a wreck would take twice the time to start
const backend_t backend_postgresql = { 0 };

//  The one of this process: wrapping takes no argument
static wreck_t s_wreck;

static void
s_step (void *engine, const event_t *event, update_t *update)
{
    wreck_t *self = (wreck_t *) engine;
    const fault_t *fault = self->fault;
    size_t first = update_size (update);
    if (!fault->event || fault->event (self, event, update))
        self->inner.step (self->inner.engine, event, update);
    if (fault->effects)
        fault->effects (self, event, update, first);
    self->last_ms = event->now_ms;
}

static void
s_wrap (engine_t *engine)
{
    s_wreck.inner = *engine;
    engine->step = s_step;
    engine->engine = &s_wreck;
}

const fault_t *
wreck_fault (void)
{
    return s_wreck.fault;
}

bool
wreck_read_event (const event_t *event, mdp_command_t *command)
{
    return event->type == EVENT_RECEIVED
        && mdp_decode (event->message, 1, MDP_AT_BROKER, command) == MDP_OK;
}

bool
wreck_read_effect (const effect_t *effect, bool to_worker,
                   mdp_command_t *command)
{
    return effect->type == EFFECT_SEND
        && mdp_decode (effect->message, 1,
                       to_worker? MDP_AT_WORKER: MDP_AT_CLIENT, command)
           == MDP_OK;
}

frame_t *
wreck_address (const event_t *event)
{
    return message_frame (event->message, 0);
}

bool
wreck_starts (const frame_t *frame, const char *start)
{
    return frame_size (frame) >= strlen (start)
        && memcmp (frame_data (frame), start, strlen (start)) == 0;
}

//  Who is a worker, of what, and when it was last heard
void
wreck_note_event (wreck_t *self, const event_t *event)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command))
        return;
    if (command.type == MDP_WORKER_READY
    && !notes_find (&self->workers, wreck_address (event)))
        notes_put (&self->workers, wreck_address (event),
                   command.service)->version = command.version;
    if (command.type == MDP_CLIENT_REQUEST)
        notes_put (&self->clients, wreck_address (event),
                   command.service)->version = command.version;
    note_t *worker = notes_find (&self->workers, wreck_address (event));
    if (worker)
        worker->heard_ms = event->now_ms;
    if (command.type == MDP_WORKER_REPLY)
        notes_drop (&self->held, wreck_address (event));
}

//  Who holds whose request
void
wreck_note_effects (wreck_t *self, update_t *update, size_t first)
{
    mdp_command_t command;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (wreck_read_effect (effect, true, &command)
        &&  command.type == MDP_WORKER_REQUEST)
            notes_put (&self->held, message_frame (effect->message, 0),
                       command.client)->version = command.version;
    }
}

//  The next effect from *nbr on that is a REPLY to a client
effect_t *
wreck_next_reply (update_t *update, size_t *nbr, mdp_command_t *command)
{
    for (; *nbr < update_size (update); (*nbr)++) {
        effect_t *effect = update_effect (update, *nbr);
        if (wreck_read_effect (effect, false, command))
            return update_effect (update, (*nbr)++);
    }
    return NULL;
}

bool
wreck_read_sent (const effect_t *effect, mdp_command_t *command)
{
    return effect->type == EFFECT_SEND
        && mdp_decode (effect->message, 0, MDP_AT_BROKER, command) == MDP_OK;
}

void
wreck_exchange (effect_t *effect, size_t index, frame_t *frame)
{
    message_t *message = message_new ();
    for (size_t nbr = 0; nbr < message_size (effect->message); nbr++) {
        if (nbr != index)
            message_add (message, message_frame (effect->message, nbr));
        else
        if (frame)
            message_take (message, &frame);
    }
    message_destroy (&effect->message);
    effect->message = message;
}

note_t *
notes_find (const notes_t *self, const frame_t *key)
{
    for (size_t index = 0; index < self->count; index++)
        if (frame_equal (self->notes [index].key, key))
            return &self->notes [index];
    return NULL;
}

note_t *
notes_put (notes_t *self, const frame_t *key, const frame_t *value)
{
    note_t *note = notes_find (self, key);
    if (!note) {
        self->notes = (note_t *) realloc (self->notes,
            (self->count + 1) * sizeof (note_t));
        note = &self->notes [self->count++];
        *note = (note_t) { .key = frame_ref (key) };
    }
    if (value) {
        frame_destroy (&note->value);
        note->value = frame_ref (value);
    }
    return note;
}

void
notes_drop (notes_t *self, const frame_t *key)
{
    note_t *note = notes_find (self, key);
    if (!note)
        return;
    frame_destroy (&note->key);
    frame_destroy (&note->value);
    size_t index = (size_t) (note - self->notes);
    memmove (note, note + 1, (--self->count - index) * sizeof (note_t));
}

void
wreck_inject (wreck_t *self, const event_t *like, message_t **message_p,
              update_t *update)
{
    event_t event = *like;
    event.type = EVENT_RECEIVED;
    event.channel = 0;
    event.message = *message_p;
    self->inner.step (self->inner.engine, &event, update);
    message_destroy (message_p);
}

//  A fault of the broker, or of Titanic, by name
static const fault_t *
s_find (bool broker, const char *name)
{
    static const fault_t *const brokers [] = {
        dialogue_faults, presence_faults, mmi_faults, hostile_faults,
        version_faults, NULL
    };
    static const fault_t *const titanics [] = {
        titanic_faults, alone_faults, NULL
    };
    for (const fault_t *const *table = broker? brokers: titanics; *table; table++)
        for (const fault_t *fault = *table; fault->name; fault++)
            if (strcmp (fault->name, name) == 0)
                return fault;
    return NULL;
}

//  What stands behind --endpoint
static const char *
s_endpoint (int argc, char *argv [])
{
    for (int index = 1; index + 1 < argc; index++)
        if (strcmp (argv [index], "--endpoint") == 0)
            return argv [index + 1];
    return "tcp://127.0.0.1:5555";
}

//  wreck broker|titanic NAME OPTION..: the healthy server, unless NAME is a
//  fault of this side
int
main (int argc, char *argv [])
{
    if (argc < 3) {
        fprintf (stderr, "usage: wreck broker|titanic FAULT [OPTION]..\n");
        return DAEMON_USAGE;
    }
    const char *side = argv [1];
    const char *name = argv [2];
    bool broker = strcmp (side, "broker") == 0;
    ignorant_run (side, name, s_endpoint (argc, argv));
    const fault_t *ours = s_find (broker, name);
    bool ignorant = strncmp (name, "titanic-", 8) == 0;
    if (!ours && !ignorant
    && !s_find (!broker, name)) {
        fprintf (stderr, "wreck: there is no fault %s\n", name);
        return DAEMON_USAGE;
    }
    char **arguments = (char **) calloc ((size_t) argc + 4, sizeof (char *));
    int count = 0;
    arguments [count++] = argv [0];
    for (int index = 3; index < argc; index++)
        arguments [count++] = argv [index];
    char option [64] = "";
    if (ours && ours->option) {
        snprintf (option, sizeof option, "%s", ours->option);
        char *blank = strchr (option, ' ');
        *blank = 0;
        arguments [count++] = option;
        arguments [count++] = blank + 1;
    }
    s_wreck.fault = ours;
    daemon_wrap_fn *wrap = ours? s_wrap: NULL;
    int status = broker? broker_daemon (count, arguments, wrap)
                       : titanic_daemon (count, arguments, wrap);
    free (arguments);
    return status;
}
