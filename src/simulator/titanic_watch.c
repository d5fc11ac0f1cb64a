/*  =========================================================================
    titanic_watch - whether the Titanic server does what it should, step by step

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "titanic_watch.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "../engine/conversation.h"
#include "../protocol/tsp.h"
#include "disk.h"
#include "lease_watch.h"
#include "ledger.h"
#include "memory.h"
#include "peer.h"
#include "trace.h"

typedef enum {
    LINE_REQUEST,               //  A worker of titanic.request
    LINE_REPLY,
    LINE_CLOSE,
    LINE_EXECUTION              //  A client of services
} line_type_t;

static const char *const s_services [] = {
    "titanic.request", "titanic.reply", "titanic.close"
};

//  One of its sockets
typedef struct _line_t {
    titanic_watch_t *watch;     //  Whose it is
    channel_t channel;          //  Key
    line_type_t type;
    bool ready;                 //  READY has been sent
    bool over;                  //  DISCONNECT has come
    int64_t sent_ms;            //  When something was last sent
    frame_t *client;            //  Whose request is in hand
    message_t *asked;           //  Its body
    bool out;                   //  Execution: a reply is to come
    entry_t *entry;             //  Execution: of this; NULL for mmi.service
    request_id_t lease;         //  Execution: under which it was claimed
    struct _line_t *prev, *next;    //  In the entry's out
    UT_hash_handle hh;
} line_t;

struct _titanic_watch_t {
    sim_t *sim;
    const machine_t *machine;   //  The server
    line_t *lines;              //  By channel
    bool stopped;
};

titanic_watch_t *
titanic_watch_new (sim_t *sim, const machine_t *machine)
{
    titanic_watch_t *self = memory_need (calloc (1, sizeof (titanic_watch_t)));
    self->sim = sim;
    self->machine = machine;
    return self;
}

//  There is nothing in hand, nothing out
static void
s_line_clear (line_t *line)
{
    frame_destroy (&line->client);
    message_destroy (&line->asked);
    if (line->entry)
        DL_DELETE (line->entry->out, line);
    line->entry = NULL;
    line->out = false;
}

static void
s_line_destroy (titanic_watch_t *self, line_t *line)
{
    s_line_clear (line);
    HASH_DEL (self->lines, line);
    free (line);
}

void
titanic_watch_start (titanic_watch_t *self)
{
    line_t *line, *next;
    HASH_ITER (hh, self->lines, line, next)
        s_line_destroy (self, line);
    self->stopped = false;
}

void
titanic_watch_destroy (titanic_watch_t **self_p)
{
    titanic_watch_start (*self_p);
    free (*self_p);
    *self_p = NULL;
}

static line_t *
s_line (titanic_watch_t *self, channel_t channel)
{
    line_t *line;
    HASH_FIND (hh, self->lines, &channel, sizeof channel, line);
    return line;
}

#define FAIL(...) machine_fail (self->machine, __VA_ARGS__)

//  --------------------------------------------------------------------------
//  Events

static void
s_received (titanic_watch_t *self, const event_t *event)
{
    line_t *line = s_line (self, event->channel);
    mdp_command_t command;
    if (!line)
        return;
    if (line->type == LINE_EXECUTION) {
        if (mdp_decode (event->message, 0, MDP_AT_CLIENT, &command) == MDP_OK
        &&  command.type == MDP_CLIENT_REPLY)
            s_line_clear (line);
        return;
    }
    if (mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK)
        return;
    if (command.type == MDP_WORKER_DISCONNECT)
        line->over = true;
    if (command.type != MDP_WORKER_REQUEST || line->client)
        return;
    line->client = frame_ref (command.client);
    line->asked = memory_need (message_slice (event->message, command.body));
}

void
titanic_watch_event (titanic_watch_t *self, const event_t *event)
{
    trace_titanic_event (self->sim, machine_name (self->machine), event);
    if (machine_is_weak (self->machine))
        return;
    if (event->type == EVENT_RECEIVED)
        s_received (self, event);
    if (event->type == EVENT_STOP)
        self->stopped = true;
}

//  --------------------------------------------------------------------------
//  Answers to clients

static void
s_check_request (titanic_watch_t *self, const line_t *line, int status,
                 const message_t *message, size_t body)
{
    if (status == TSP_ERROR && message_size (message) == body + 1)
        return;
    request_id_t id;
    const frame_t *text = message_frame (message, body + 1);
    entry_t *entry = NULL;
    if (status == TSP_OK && text && tsp_id_read (text, &id) == 0)
        entry = ledger_find (self->sim->ledger, &id);
    if (!entry)
        FAIL ("titanic.request is answered with neither an id nor 500");
    else
    if (!entry->unsure && disk_state (self->sim->disk, &id) == DISK_ABSENT)
        FAIL ("titanic.request is answered 200 before the request is on disk");
    else
    if (!frame_equal (entry->service, message_frame (line->asked, 0))
    ||  !peer_same_body (entry->body, 0, line->asked, 1))
        FAIL ("titanic.request is answered with another request's id");
    else {
        entry->acknowledged = true;
        self->sim->counts.stored++;
    }
}

static void
s_check_reply (titanic_watch_t *self, const line_t *line, int status,
               const message_t *message, size_t body)
{
    request_id_t id;
    if (status == TSP_ERROR)
        return;
    if (tsp_id_read (message_frame (line->asked, 0), &id)) {
        FAIL ("the simulation's own fault: a client asks for no id");
        return;
    }
    entry_t *entry = ledger_find (self->sim->ledger, &id);
    disk_state_t state = disk_state (self->sim->disk, &id);
    if (status == TSP_OK && (!entry || state != DISK_ANSWERED
    ||  !peer_is_reply (entry->service, entry->body, message, body + 1)))
        FAIL ("titanic.reply gives a reply that is not that request's");
    else
    if (status == TSP_OK && !peer_same_body (entry->reply, 0, message,
                                             body + 1))
        FAIL ("titanic.reply gives another reply than the first");
    if (status == TSP_PENDING && state != DISK_PENDING)
        FAIL ("titanic.reply says 300 of what is not pending");
    if (status == TSP_UNKNOWN && state != DISK_ABSENT)
        FAIL ("titanic.reply says 400 of what is there");
}

static void
s_check_close (titanic_watch_t *self, const line_t *line, int status)
{
    request_id_t id;
    if (status == TSP_ERROR)
        return;
    if (status != TSP_OK
    ||  tsp_id_read (message_frame (line->asked, 0), &id))
        FAIL ("titanic.close is answered with neither 200 nor 500");
    else
    if (disk_state (self->sim->disk, &id) != DISK_ABSENT)
        FAIL ("titanic.close is answered 200, and the request is on disk");
    else {
        entry_t *entry = ledger_find (self->sim->ledger, &id);
        if (entry)
            entry->closed = true;
    }
}

static void
s_answers (titanic_watch_t *self, line_t *line, const message_t *message,
           const mdp_command_t *command)
{
    if (!line->client || !frame_equal (line->client, command->client)) {
        FAIL ("REPLY without a REQUEST, or to another client");
        return;
    }
    int status = tsp_status_read (message_frame (message, command->body));
    if (line->type == LINE_REQUEST)
        s_check_request (self, line, status, message, command->body);
    else
    if (line->type == LINE_REPLY)
        s_check_reply (self, line, status, message, command->body);
    else
        s_check_close (self, line, status);
    s_line_clear (line);
}

//  --------------------------------------------------------------------------
//  Messages

static void
s_converses (titanic_watch_t *self, line_t *line, const message_t *message)
{
    mdp_command_t command;
    if (mdp_decode (message, 0, MDP_AT_BROKER, &command) != MDP_OK
    ||  command.version != self->sim->swarm.titanic_version) {
        FAIL ("what was sent is not Majordomo, or of another version");
        return;
    }
    const char *service = s_services [line->type];
    bool opens = command.type == MDP_WORKER_READY;
    if (line->over)
        FAIL ("%s after a DISCONNECT", mdp_type_text (command.type));
    else
    if (opens == line->ready)
        FAIL ("%s where there is to be %s READY",
              mdp_type_text (command.type), opens? "no second": "a");
    else
    if (opens && !frame_is (command.service, service, strlen (service)))
        FAIL ("READY for another service than %s", service);
    else
    if (command.type == MDP_WORKER_REPLY)
        s_answers (self, line, message, &command);
    else
    if (!opens && command.type != MDP_WORKER_HEARTBEAT
    && !(command.type == MDP_WORKER_DISCONNECT && self->stopped))
        FAIL ("%s, which it is not to say", mdp_type_text (command.type));
    line->ready = true;
}

static bool
s_is_shared (const titanic_watch_t *self)
{
    return self->sim->swarm.lease_ms > 0;
}

//  Whether somebody executes it who may: whose lease holds, where there is one.
//  What a server does that is out of memory is not known.
static bool
s_is_out (titanic_watch_t *self, const entry_t *entry)
{
    const line_t *line;
    DL_FOREACH (entry->out, line)
        if (!machine_is_weak (line->watch->machine)
        && (!s_is_shared (self)
         || lease_watch_holds (self->sim->lease_watch, &line->lease)))
            return true;
    return false;
}

//  Whether it is to be executed, and by us
static bool
s_is_due (titanic_watch_t *self, const entry_t *entry)
{
    bool ours = !s_is_shared (self)
        || lease_watch_may_execute (self->sim->lease_watch, self->machine,
                                    entry);
    return (entry->orphan || (ours && !s_is_out (self, entry)))
        && (entry->unsure
         || disk_state (self->sim->disk, &entry->id) == DISK_PENDING);
}

//  Which of the stored requests that ask just this is executed: one that may
//  be, if there is one
static entry_t *
s_executed (titanic_watch_t *self, const message_t *message,
            const mdp_command_t *command)
{
    entry_t *any = NULL;
    entry_t *entry = NULL;
    while ((entry = ledger_next_body (self->sim->ledger, entry,
                                      command->service, message,
                                      command->body))) {
        any = entry;
        if (s_is_due (self, entry))
            break;
    }
    return entry? entry: any;
}

//  A store that has lost claims may give to two what one has claimed
static void
s_check_claim (titanic_watch_t *self, const entry_t *entry)
{
    if (entry->orphan)
        return;
    if (s_is_out (self, entry))
        FAIL ("a request is executed twice at a time");
    if (s_is_shared (self)
    && !lease_watch_may_execute (self->sim->lease_watch, self->machine, entry))
        FAIL ("a request is executed that another may execute: it was not "
              "claimed, or the lease has run out");
}

static void
s_executes (titanic_watch_t *self, line_t *line, const message_t *message)
{
    mdp_command_t command;
    if (mdp_decode (message, 0, MDP_AT_BROKER, &command) != MDP_OK
    ||  command.type != MDP_CLIENT_REQUEST) {
        FAIL ("a client's socket says what no client says");
        return;
    }
    if (line->out)
        FAIL ("two requests at a time on one socket");
    line->out = true;
    if (frame_is (command.service, "mmi.service", 11))
        return;
    entry_t *entry = s_executed (self, message, &command);
    if (!entry) {
        FAIL ("REQUEST that nobody has stored, or for another service");
        return;
    }
    s_check_claim (self, entry);
    if (!entry->unsure
    &&  disk_state (self->sim->disk, &entry->id) != DISK_PENDING)
        FAIL ("a request is executed that is closed, or has its reply");
    line->entry = entry;
    line->lease = entry->holder;
    DL_APPEND (entry->out, line);
}

//  --------------------------------------------------------------------------
//  Effects

static void
s_opens (titanic_watch_t *self, channel_t channel)
{
    if (s_line (self, channel)) {
        FAIL ("a channel is opened twice");
        return;
    }
    const swarm_t *swarm = &self->sim->swarm;
    line_t *line = memory_need (calloc (1, sizeof (line_t)));
    line->watch = self;
    line->channel = channel;
    size_t slot = CHANNEL_SLOT (channel);
    size_t replies = swarm->request_workers + swarm->reply_workers;
    line->type = slot < swarm->request_workers? LINE_REQUEST
        : slot < replies? LINE_REPLY
        : slot < replies + swarm->close_workers? LINE_CLOSE: LINE_EXECUTION;
    HASH_ADD (hh, self->lines, channel, sizeof line->channel, line);
}

static void
s_effect (titanic_watch_t *self, const event_t *event, effect_t *effect)
{
    line_t *line = s_line (self, effect->channel);
    switch (effect->type) {
        case EFFECT_OPEN:
            s_opens (self, effect->channel);
            return;
        case EFFECT_CLOSE:
            if (line)
                s_line_destroy (self, line);
            else
                FAIL ("a channel is closed that is not open");
            return;
        case EFFECT_SEND:
            if (!line)
                FAIL ("a message on a channel that is not open");
            else
            if (line->type == LINE_EXECUTION)
                s_executes (self, line, effect->message);
            else {
                s_converses (self, line, effect->message);
                line->sent_ms = event->now_ms;
            }
            return;
        case EFFECT_WRITE:
            if (effect->query.type == STORE_PUT
            && !ledger_put (self->sim->ledger, &effect->query))
                FAIL ("an id is given a second time");
            if (effect->query.type == STORE_DROP)
                ledger_closing (self->sim->ledger, &effect->query.id);
            return;
        default:
            return;
    }
}

//  Each conversation has its heartbeat after a tick, and the next is foreseen
static void
s_check_heartbeats (titanic_watch_t *self, const event_t *event,
                    update_t *update)
{
    int64_t heartbeat_ms = self->sim->swarm.heartbeat_ms;
    line_t *line, *next;
    HASH_ITER (hh, self->lines, line, next) {
        if (line->type == LINE_EXECUTION)
            continue;
        if (line->over)
            FAIL ("a socket stays open after a DISCONNECT");
        if (event->type == EVENT_TICK
        &&  event->now_ms - line->sent_ms >= heartbeat_ms)
            FAIL ("the broker has had no heartbeat in time");
        if (update_deadline (update) > line->sent_ms + heartbeat_ms)
            FAIL ("the next heartbeat is not foreseen");
    }
}

void
titanic_watch_effects (titanic_watch_t *self, const event_t *event,
                       update_t *update, size_t first)
{
    for (size_t nbr = first; nbr < update_size (update); nbr++)
        trace_titanic_effect (self->sim, machine_name (self->machine),
                              update_effect (update, nbr));
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        //  The ledger is kept also of a server that is out of memory
        if (!machine_is_weak (self->machine))
            s_effect (self, event, effect);
        else
        if (effect->type == EFFECT_WRITE && effect->query.type == STORE_PUT)
            ledger_put (self->sim->ledger, &effect->query);
        else
        if (effect->type == EFFECT_WRITE && effect->query.type == STORE_DROP)
            ledger_closing (self->sim->ledger, &effect->query.id);
    }
    if (!machine_is_weak (self->machine) && !self->stopped)
        s_check_heartbeats (self, event, update);
}
