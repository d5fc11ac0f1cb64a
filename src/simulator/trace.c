/*  =========================================================================
    trace - what happens in a run, a line each, for people

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "trace.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../engine/conversation.h"
#include "../protocol/tsp.h"
#include "network.h"

//  A line in the making; what does not fit in is left out.
typedef struct {
    char text [400];
    size_t size;
} line_t;

static void
s_add (line_t *line, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static void
s_add (line_t *line, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (line->text + line->size,
                          sizeof line->text - line->size, format, arguments);
    va_end (arguments);
    line->size += (size_t) size;
    if (line->size >= sizeof line->text)
        line->size = sizeof line->text - 1;
}

static void
s_add_frame (line_t *line, const frame_t *frame)
{
    s_add (line, "%s\"", line->size && line->text [line->size - 1] == '('
           ? "": ", ");
    for (size_t nbr = 0; frame && nbr < frame_size (frame); nbr++) {
        unsigned char byte = frame_data (frame) [nbr];
        s_add (line, isprint (byte)? "%c": "\\x%02x", byte);
    }
    s_add (line, "\"");
}

static void
s_add_peer (line_t *line, sim_t *sim, const frame_t *address)
{
    unsigned number;
    const host_t *host = network_whose (sim->network, address, &number);
    if (host)
        s_add (line, "%s\"%s#%u\"", line->text [line->size - 1] == '('
               ? "": ", ", host->name, number);
    else
        s_add_frame (line, address);
}

//  A command with what is in it; from the frame after the address, if any
static void
s_add_message (line_t *line, sim_t *sim, const message_t *message,
               size_t from, mdp_receiver_t receiver)
{
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, from, receiver, &command);
    if (result == MDP_OK)
        s_add (line, "%s%s (", receiver == MDP_AT_BROKER? "": "GETS_",
               mdp_type_text (command.type));
    else
        s_add (line, "MALFORMED (");
    if (from > 0)
        s_add_peer (line, sim, message_frame (message, 0));
    size_t body = from;
    if (result == MDP_OK) {
        if (command.service)
            s_add_frame (line, command.service);
        if (command.client)
            s_add_peer (line, sim, command.client);
        body = command.body;
    }
    for (; body < message_size (message); body++)
        s_add_frame (line, message_frame (message, body));
    s_add (line, ")%s", result != MDP_OK? mdp_result_text (result)
           : command.version == MDP_0_2? " 0.2": "");
}

void
trace_broker_event (sim_t *sim, const char *who, const event_t *event)
{
    if (!sim->trace)
        return;
    line_t line = { .size = 0 };
    switch (event->type) {
        case EVENT_TICK:
            s_add (&line, "TICK");
            break;
        case EVENT_RECEIVED:
            s_add_message (&line, sim, event->message, 1, MDP_AT_BROKER);
            break;
        case EVENT_UNREACHABLE:
            s_add (&line, "UNREACHABLE (");
            s_add_peer (&line, sim, message_frame (event->message, 0));
            s_add (&line, ")");
            break;
        default:
            s_add (&line, "STOP");
    }
    sim_trace (sim, who, "%s", line.text);
}

void
trace_broker_effect (sim_t *sim, const char *who, const effect_t *effect)
{
    if (!sim->trace || effect->type != EFFECT_SEND)
        return;
    line_t line = { .size = 0 };
    mdp_command_t command;
    bool client = mdp_decode (effect->message, 1, MDP_AT_CLIENT, &command)
        == MDP_OK;
    s_add_message (&line, sim, effect->message, 1,
                   client? MDP_AT_CLIENT: MDP_AT_WORKER);
    sim_trace (sim, who, "%s", line.text);
}

static const char *const s_queries [] = {
    [STORE_PUT] = "PUT", [STORE_ANSWER] = "ANSWER", [STORE_DROP] = "DROP",
    [STORE_FETCH] = "FETCH", [STORE_SERVICES] = "SERVICES",
    [STORE_WAITING] = "WAITING", [STORE_OLD] = "OLD", [STORE_RENEW] = "RENEW",
    [STORE_RELEASE] = "RELEASE", [STORE_ATTEMPT] = "ATTEMPT",
    [STORE_REVIVE] = "REVIVE"
};

static void
s_add_answer (line_t *line, const store_answer_t *answer)
{
    s_add (line, "%s answered: %s, %zu records", s_queries [answer->type],
           store_result_text (answer->result), answer->record_count);
}

//  Which of its brokers it is for; its slot, which is the worker's or the
//  execution's, and its number there
static void
s_add_channel (line_t *line, channel_t channel)
{
    s_add (line, "%u/%u.%u: ", (unsigned) CHANNEL_BROKER (channel),
           (unsigned) CHANNEL_SLOT (channel),
           (unsigned) ((uint32_t) channel / CHANNEL_SLOTS));
}

void
trace_titanic_event (sim_t *sim, const char *who, const event_t *event)
{
    if (!sim->trace)
        return;
    line_t line = { .size = 0 };
    switch (event->type) {
        case EVENT_TICK:
            s_add (&line, "TICK");
            break;
        case EVENT_RECEIVED: {
            mdp_command_t command;
            bool client = mdp_decode (event->message, 0, MDP_AT_CLIENT,
                                      &command) == MDP_OK;
            s_add_channel (&line, event->channel);
            s_add_message (&line, sim, event->message, 0,
                           client? MDP_AT_CLIENT: MDP_AT_WORKER);
            break;
        }
        case EVENT_WRITTEN:
        case EVENT_READ:
            s_add_answer (&line, event->answer);
            break;
        default:
            s_add (&line, "STOP");
    }
    sim_trace (sim, who, "%s", line.text);
}

static void
s_add_query (line_t *line, const store_query_t *query)
{
    char id [TSP_ID_DIGITS + 1];
    tsp_id_print (&query->id, id);
    s_add (line, "store %s (%s", s_queries [query->type], id);
    if (query->service)
        s_add_frame (line, query->service);
    for (size_t nbr = 0; query->body && nbr < message_size (query->body);
                nbr++)
        s_add_frame (line, message_frame (query->body, nbr));
    s_add (line, ")");
}

void
trace_titanic_effect (sim_t *sim, const char *who, const effect_t *effect)
{
    if (!sim->trace || effect->type == EFFECT_NOTICE)
        return;
    line_t line = { .size = 0 };
    if (effect->type == EFFECT_WRITE || effect->type == EFFECT_READ)
        s_add_query (&line, &effect->query);
    else {
        s_add_channel (&line, effect->channel);
        if (effect->type == EFFECT_SEND) {
            s_add (&line, "sends ");
            s_add_message (&line, sim, effect->message, 0, MDP_AT_BROKER);
        }
        else
            s_add (&line, effect->type == EFFECT_OPEN? "opens": "closes");
    }
    sim_trace (sim, who, "%s", line.text);
}
