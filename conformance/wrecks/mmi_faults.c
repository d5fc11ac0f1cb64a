/*  =========================================================================
    mmi_faults - a broker's faults: management services

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "wreck.h"

static bool
s_is_name (const frame_t *frame, const char *name)
{
    return frame_is (frame, name, strlen (name));
}

static void
s_send_reply (mdp_version_t version, const frame_t *client,
              const frame_t *service, const char *text, update_t *update)
{
    message_t *body = message_new ();
    message_add_string (body, text);
    message_t *message = mdp_client_reply (version, client, service, body, 0);
    message_destroy (&body);
    update_send (update, 0, &message);
}

//  --------------------------------------------------------------------------
//  MMI

enum { MMI_MISSING, MMI_ALWAYS, MMI_IDLE, MMI_ASKED, MMI_EVER, MMI_EMPTY,
       MMI_UNKNOWN, MMI_SHORT, MMI_START };

static bool
s_mmi_event (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_CLIENT_REQUEST
    &&  s_is_name (command.service, "mmi.service")) {
        frame_destroy (&self->subject);
        self->subject = frame_ref (message_frame (event->message,
                                                  command.body));
    }
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_READY)
        notes_put (&self->names, command.service, NULL);
    return true;
}

//  A service's name begins like this
static bool
s_is_start (const wreck_t *self, const frame_t *name)
{
    for (size_t nbr = 0; nbr < self->names.count; nbr++) {
        const frame_t *service = self->names.notes [nbr].key;
        if (frame_size (service) >= frame_size (name)
        &&  memcmp (frame_data (service), frame_data (name),
                    frame_size (name)) == 0)
            return true;
    }
    return false;
}

//  What this fault answers instead; NULL for what the engine answered
static const char *
s_mmi_answer (wreck_t *self, const frame_t *status)
{
    bool unknown = s_is_name (status, "501");
    bool asked = notes_find (&self->clients, self->subject) != NULL;
    switch (self->fault->argument) {
        case MMI_MISSING:
            return "501";
        case MMI_ALWAYS:
            return unknown? NULL: "200";
        case MMI_IDLE:
            return self->held.count? "404": NULL;
        case MMI_ASKED:
            notes_put (&self->clients, self->subject, NULL);
            return asked? "200": NULL;
        case MMI_EVER:
            return notes_find (&self->names, self->subject)? "200": NULL;
        case MMI_EMPTY:
            return frame_size (self->subject) == 0? "200": NULL;
        case MMI_SHORT:
            return frame_size (self->subject) >= 64? "404": NULL;
        case MMI_START:
            return s_is_start (self, self->subject)? "200": NULL;
        default:
            return unknown? "404": NULL;
    }
}

static void
s_mmi_effects (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command))) {
        if (!wreck_starts (command.service, "mmi."))
            continue;
        if (!self->subject)
            self->subject = frame_new ("", 0);
        const char *status = s_mmi_answer (self,
            message_frame (effect->message, command.body));
        if (status)
            wreck_exchange (effect, command.body, frame_new (status, 3));
    }
}

//  Takes no notice of workers that register in mmi.
static bool
s_mmi_open (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (!wreck_read_event (event, &command))
        return true;
    if (command.type == MDP_WORKER_READY
    &&  wreck_starts (command.service, "mmi."))
        notes_put (&self->names, wreck_address (event), NULL);
    return !notes_find (&self->names, wreck_address (event));
}

//  Looks for mmi anywhere in a name
static bool
s_mmi_anywhere (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST
    || !memmem (frame_data (command.service), frame_size (command.service),
                "mmi", 3)
    ||  wreck_starts (command.service, "mmi."))
        return true;
    s_send_reply (command.version, wreck_address (event), command.service,
                  "501", update);
    return false;
}

//  Looks for mmi. in the worker's address
static bool
s_mmi_by_address (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_READY
    || !wreck_starts (wreck_address (event), "mmi."))
        return true;
    message_t *message = mdp_worker_disconnect (command.version,
                                                wreck_address (event));
    update_send (update, 0, &message);
    return false;
}

const fault_t mmi_faults [] = {
    { "mmi-missing", s_mmi_event, s_mmi_effects, NULL, MMI_MISSING },
    { "mmi-always-200", s_mmi_event, s_mmi_effects, NULL, MMI_ALWAYS },
    { "mmi-idle-only", s_mmi_event, s_mmi_effects, NULL, MMI_IDLE },
    { "mmi-counts-questions", s_mmi_event, s_mmi_effects, NULL, MMI_ASKED },
    { "mmi-remembers", s_mmi_event, s_mmi_effects, NULL, MMI_EVER },
    { "mmi-empty-200", s_mmi_event, s_mmi_effects, NULL, MMI_EMPTY },
    { "mmi-unknown-404", s_mmi_event, s_mmi_effects, NULL, MMI_UNKNOWN },
    { "mmi-short-names", s_mmi_event, s_mmi_effects, NULL, MMI_SHORT },
    { "mmi-start-of-name", s_mmi_event, s_mmi_effects, NULL, MMI_START },
    { "mmi-open", s_mmi_open, NULL, NULL, 0 },
    { "mmi-anywhere", s_mmi_anywhere, NULL, NULL, 0 },
    { "mmi-by-address", s_mmi_by_address, NULL, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
