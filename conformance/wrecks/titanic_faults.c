/*  =========================================================================
    titanic_faults - a Titanic server's faults, one each

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/protocol/tsp.h"
#include "wreck.h"

//  Requests of titanic.request, reply and close, and their answers, are told
//  apart by what the conversation registered: there are as many workers of each as
//  conformance/targets/wreck.zpl says
#define REQUEST_WORKERS 4
#define REPLY_WORKERS 2
#define CLOSE_WORKERS 2

//  --------------------------------------------------------------------------
//  What many faults need to know

typedef enum {
    SERVICE_REQUEST,
    SERVICE_REPLY,
    SERVICE_CLOSE,
    SERVICE_NONE                //  A stored request's own channel
} service_t;

//  Which service a channel is registered for: its slot, see conversation.h
static service_t
s_service (channel_t channel)
{
    channel_t slot = channel % 4096;
    if (slot < REQUEST_WORKERS)
        return SERVICE_REQUEST;
    if (slot < REQUEST_WORKERS + REPLY_WORKERS)
        return SERVICE_REPLY;
    return slot < REQUEST_WORKERS + REPLY_WORKERS + CLOSE_WORKERS
         ? SERVICE_CLOSE: SERVICE_NONE;
}

//  A client's request on one of these channels, or NULL; its first body frame
static frame_t *
s_asked (const event_t *event, service_t service)
{
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED || s_service (event->channel) != service
    ||  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK
    ||  command.type != MDP_WORKER_REQUEST)
        return NULL;
    return message_frame (event->message, command.body);
}

//  The status in an answer to a client, 0 if the effect is no such thing
static int
s_answer (const effect_t *effect, service_t service, size_t *body)
{
    mdp_command_t command;
    if (!wreck_read_sent (effect, &command)
    ||  command.type != MDP_WORKER_REPLY
    ||  s_service (effect->channel) != service)
        return 0;
    *body = command.body;
    return tsp_status_read (message_frame (effect->message, command.body));
}

//  Another status for an answer
static void
s_restate (effect_t *effect, size_t body, const char *status)
{
    wreck_exchange (effect, body, frame_new (status, 3));
}

//  The same answer with one more frame at its end
static void
s_append (effect_t *effect, const char *text)
{
    message_add_string (effect->message, text);
}

static void
s_write (update_t *update, store_query_type_t type, const request_id_t *id,
         frame_t *service, const char *body)
{
    store_query_t query = { .type = type, .id = *id, .service = service };
    if (body) {
        query.body = message_new ();
        message_add_string (query.body, body);
    }
    update_write (update, &query);
}

//  Ids are noted as frames of 16 bytes
static void
s_note_id (notes_t *notes, const request_id_t *id)
{
    frame_t *key = frame_new (id->bytes, sizeof id->bytes);
    notes_put (notes, key, NULL);
    frame_destroy (&key);
}

static bool
s_has_noted (const notes_t *notes, const request_id_t *id)
{
    frame_t *key = frame_new (id->bytes, sizeof id->bytes);
    bool found = notes_find (notes, key) != NULL;
    frame_destroy (&key);
    return found;
}

static void
s_drop_all (wreck_t *self, update_t *update)
{
    for (size_t nbr = 0; nbr < self->names.count; nbr++) {
        request_id_t id;
        memcpy (id.bytes, frame_data (self->names.notes [nbr].key),
                sizeof id.bytes);
        s_write (update, STORE_DROP, &id, NULL, NULL);
    }
}

static void
s_note_puts (wreck_t *self, update_t *update, size_t first)
{
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (effect->type == EFFECT_WRITE && effect->query.type == STORE_PUT)
            s_note_id (&self->names, &effect->query.id);
    }
}

//  --------------------------------------------------------------------------
//  Answers

//  Other codes for answers: which service, which status becomes which
typedef struct {
    service_t service;
    int from;
    const char *to;
} restatement_t;

static const restatement_t s_restatements [] = {
    { SERVICE_REQUEST, 200, "201" },
    { SERVICE_REPLY, 300, "400" },
    { SERVICE_REPLY, 400, "300" },
    { SERVICE_REPLY, 300, "200" },
    { SERVICE_REPLY, 400, "200" },
    { SERVICE_CLOSE, 200, "204" },
    { SERVICE_CLOSE, 500, "200" }
};

enum { STATE_CREATED, STATE_PENDING_UNKNOWN, STATE_UNKNOWN_PENDING,
       STATE_PENDING_OK, STATE_UNKNOWN_OK, STATE_CLOSED_204,
       STATE_UNCLOSED_OK };

static void
s_restates (wreck_t *self, const event_t *event, update_t *update,
            size_t first)
{
    (void) event;
    const restatement_t *change = &s_restatements [self->fault->argument];
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, change->service, &body) == change->from)
            s_restate (effect, body, change->to);
    }
}

static void
s_says_stored (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        int status = s_answer (effect, SERVICE_REQUEST, &body);
        if (status != self->fault->argument)
            continue;
        s_restate (effect, body, "200");
        s_append (effect, "0123456789abcdef0123456789abcdef");
    }
}

//  What was closed is told besides that it was
static void
s_tells_closed (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) self;
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_CLOSE, &body))
            s_append (effect, "closed");
    }
}

static void
s_odd_ids (wreck_t *self, const event_t *event, update_t *update,
           size_t first)
{
    (void) self;
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_REQUEST, &body) == TSP_OK)
            wreck_exchange (effect, body + 1, frame_new ("42", 2));
    }
}

//  A reply is dropped once it was delivered
static bool
s_forgets_delivered (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    frame_t *asked = s_asked (event, SERVICE_REPLY);
    if (asked) {
        frame_destroy (&self->subject);
        self->subject = frame_ref (asked);
    }
    return true;
}

static void
s_forget_delivered (wreck_t *self, const event_t *event, update_t *update,
                    size_t first)
{
    (void) event;
    size_t body;
    request_id_t id;
    size_t end = update_size (update);
    for (; first < end; first++)
        if (s_answer (update_effect (update, first), SERVICE_REPLY, &body)
            == TSP_OK
        &&  self->subject && tsp_id_read (self->subject, &id) == 0)
            s_write (update, STORE_DROP, &id, NULL, NULL);
}

//  Replies only to the client who stored
static bool
s_bound_to_client (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (event->type != EVENT_RECEIVED
    ||  mdp_decode (event->message, 0, MDP_AT_WORKER, &command) != MDP_OK
    ||  command.type != MDP_WORKER_REQUEST)
        return true;
    if (s_asked (event, SERVICE_REQUEST))
        notes_put (&self->clients, command.client, NULL);
    frame_destroy (&self->subject);
    self->subject = frame_ref (command.client);
    return true;
}

static void
s_bind_to_client (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_REPLY, &body) && self->subject
        && !notes_find (&self->clients, self->subject))
            s_restate (effect, body, "400");
    }
}

//  Gives the last reply that it stored, whichever was asked for
static void
s_mixes_replies (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (effect->type == EFFECT_WRITE
        &&  effect->query.type == STORE_ANSWER) {
            frame_destroy (&self->subject);
            self->subject = frame_ref (message_frame (effect->query.body, 0));
        }
        if (s_answer (effect, SERVICE_REPLY, &body) == TSP_OK && self->subject)
            wreck_exchange (effect, body + 1, frame_ref (self->subject));
    }
}

//  --------------------------------------------------------------------------
//  Ids

//  9/TSP: 32 hexadecimal digits; what is none kills it
static bool
s_dies_on_bad_id (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    frame_t *asked = s_asked (event, (service_t) self->fault->argument);
    request_id_t id;
    if (asked && tsp_id_read (asked, &id))
        abort ();
    return true;
}

//  The first 32 digits of an id are enough
static bool
s_takes_long_ids (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    service_t service = s_service (event->channel);
    frame_t *asked = service == SERVICE_REQUEST? NULL
                   : s_asked (event, service);
    if (service == SERVICE_NONE || !asked
    ||  frame_size (asked) <= TSP_ID_DIGITS)
        return true;
    mdp_decode (event->message, 0, MDP_AT_WORKER, &command);
    message_t *body = message_new ();
    message_add_bytes (body, frame_data (asked), TSP_ID_DIGITS);
    message_t *message = mdp_worker_request (command.version, NULL,
                                             command.client, body, 0);
    message_destroy (&body);
    event_t cut = *event;
    cut.message = message;
    self->inner.step (self->inner.engine, &cut, update);
    message_destroy (&message);
    return false;
}

static bool
s_dies_on_empty_name (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    frame_t *asked = s_asked (event, SERVICE_REQUEST);
    if (asked && frame_size (asked) == 0)
        abort ();
    return true;
}

//  Takes an id for the name of a file, wherever that is
static bool
s_removes_files (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    frame_t *asked = s_asked (event, SERVICE_CLOSE);
    char name [64];
    if (asked && frame_size (asked) < 20) {
        const char *path = (const char *) frame_data (asked);
        int size = (int) frame_size (asked);
        while (size && (*path == '.' || *path == '/')) {
            path++;
            size--;
        }
        snprintf (name, sizeof name, "%.*s.req", size, path);
        unlink (name);
    }
    return true;
}

//  Closing one closes all. The harness asks titanic.close, too, whether it serves: of
//  an id that was never given
static bool
s_closes_all (wreck_t *self, const event_t *event, update_t *update)
{
    frame_t *asked = s_asked (event, SERVICE_CLOSE);
    request_id_t id;
    if (asked && tsp_id_read (asked, &id) == 0 && s_has_noted (&self->names, &id))
        s_drop_all (self, update);
    return true;
}

static void
s_note_all_puts (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) event;
    s_note_puts (self, update, first);
}

//  400 where an id is not known
static bool
s_close_unknown (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    self->number = event->type == EVENT_WRITTEN
        && event->answer->type == STORE_DROP
        && event->answer->result == STORE_UNKNOWN;
    return true;
}

static void
s_refuse_unknown (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    size_t body;
    for (; self->number && first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_CLOSE, &body) == TSP_OK)
            s_restate (effect, body, "400");
    }
}

//  Takes writes of one type away from the store and says that they were done
static void
s_feign_writes (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (effect->type != EFFECT_WRITE
        ||  (int) effect->query.type != self->fault->argument
        || (effect->query.body && message_bytes (effect->query.body) > 65536))
            continue;
        store_answer_t answer = { .ticket = effect->query.ticket,
            .type = effect->query.type, .result = STORE_OK };
        update_remove (update, nbr--);
        event_t done = *event;
        done.type = EVENT_WRITTEN;
        done.answer = &answer;
        self->inner.step (self->inner.engine, &done, update);
    }
}

//  --------------------------------------------------------------------------
//  Execution

enum { BODY_EMPTY, BODY_LARGE };

static void
s_mauls_requests (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_sent (effect, &command)
        ||  command.type != MDP_CLIENT_REQUEST)
            continue;
        for (size_t nbr = command.body; nbr < message_size (effect->message);
                    nbr++) {
            const frame_t *frame = message_frame (effect->message, nbr);
            if (self->fault->argument == BODY_EMPTY
            &&  frame_size (frame) == 0)
                wreck_exchange (effect, nbr--, NULL);
            else
            if (self->fault->argument == BODY_LARGE
            &&  frame_size (frame) > 65536)
                wreck_exchange (effect, nbr,
                                frame_new (frame_data (frame), 65536));
        }
    }
}

//  Replies that are fetched come in frames of so many bytes at most
static void
s_cuts_replies (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) event;
    size_t body;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_REPLY, &body) != TSP_OK)
            continue;
        while (++body < message_size (effect->message)) {
            const frame_t *frame = message_frame (effect->message, body);
            if (frame_size (frame) > (size_t) self->fault->argument)
                wreck_exchange (effect, body, frame_new (frame_data (frame),
                                           (size_t) self->fault->argument));
        }
    }
}

static void
s_wrong_service (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (wreck_read_sent (effect, &command)
        &&  command.type == MDP_CLIENT_REQUEST
        && !frame_is (command.service, "mmi.service", 11))
            wreck_exchange (effect, 2, frame_new ("tea", 3));
    }
}

//  Sends a request so many times and no more, whatever becomes of it
static void
s_sends_few (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_sent (effect, &command)
        ||  command.type != MDP_CLIENT_REQUEST
        ||  frame_is (command.service, "mmi.service", 11))
            continue;
        note_t *note = notes_put (&self->names, message_frame (effect->message,
                                                               command.body),
                                  NULL);
        if (note->heard_ms++ >= self->fault->argument)
            update_remove (update, first--);
    }
}

//  A request counts as answered as soon as it was loaded to be sent
static void
s_done_when_sent (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) self;
    (void) first;
    if (event->type != EVENT_READ || event->answer->type != STORE_WAITING)
        return;
    for (size_t nbr = 0; nbr < event->answer->record_count; nbr++)
        s_write (update, STORE_ANSWER, &event->answer->records [nbr].id, NULL,
                 "sent");
}

//  --------------------------------------------------------------------------
//  A full disk

//  An event about a write that failed for lack of space
static bool
s_is_full (const event_t *event)
{
    return event->type == EVENT_WRITTEN
        && event->answer->result == STORE_FULL;
}

static bool
s_gives_up_when_full (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    self->number += s_is_full (event);
    return true;
}

static void
s_give_up (wreck_t *self, const event_t *event, update_t *update,
           size_t first)
{
    (void) event;
    size_t body;
    for (; self->number && first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (s_answer (effect, SERVICE_REQUEST, &body) != TSP_OK)
            continue;
        s_restate (effect, body, "500");
        wreck_exchange (effect, body + 1, NULL);
    }
}

//  Once the disk was full, all that was stored before goes as soon as it can
static void
s_loses_when_full (wreck_t *self, const event_t *event, update_t *update,
                   size_t first)
{
    s_note_puts (self, update, first);
    if (s_is_full (event) && event->answer->type == STORE_PUT)
        self->number = 1;
    if (self->number && event->type == EVENT_RECEIVED)
        s_drop_all (self, update);
}

//  A reply that cannot be stored is thrown away
static bool
s_drops_reply_when_full (wreck_t *self, const event_t *event,
                         update_t *update)
{
    if (!s_is_full (event) || event->answer->type != STORE_ANSWER)
        return true;
    store_answer_t answer = *event->answer;
    answer.result = STORE_OK;
    event_t done = *event;
    done.answer = &answer;
    self->inner.step (self->inner.engine, &done, update);
    return false;
}

//  --------------------------------------------------------------------------
//  The broker

static void
s_no_heartbeats (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_WORKER_HEARTBEAT)
            update_remove (update, first--);
}

static void
s_registers_once (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++)
        if (wreck_read_sent (update_effect (update, first), &command)
        &&  command.type == MDP_WORKER_READY
        &&  self->number++ >= REQUEST_WORKERS + REPLY_WORKERS + CLOSE_WORKERS)
            update_remove (update, first--);
}

const fault_t titanic_faults [] = {
    { "says-201", NULL, s_restates, NULL, STATE_CREATED },
    { "pending-is-unknown", NULL, s_restates, NULL, STATE_PENDING_UNKNOWN },
    { "unknown-is-pending", NULL, s_restates, NULL, STATE_UNKNOWN_PENDING },
    { "pending-is-ok", NULL, s_restates, NULL, STATE_PENDING_OK },
    { "unknown-is-ok", NULL, s_restates, NULL, STATE_UNKNOWN_OK },
    { "closed-is-204", NULL, s_restates, NULL, STATE_CLOSED_204 },
    { "says-closed-when-full", NULL, s_restates, NULL, STATE_UNCLOSED_OK },
    { "tells-closed", NULL, s_tells_closed, NULL, 0 },
    { "stores-anything", NULL, s_says_stored, NULL, TSP_UNKNOWN },
    { "says-stored-when-full", NULL, s_says_stored, NULL, TSP_ERROR },
    { "odd-ids", NULL, s_odd_ids, NULL, 0 },
    { "forgets-delivered", s_forgets_delivered, s_forget_delivered, NULL, 0 },
    { "bound-to-client", s_bound_to_client, s_bind_to_client, NULL, 0 },
    { "mixes-replies", NULL, s_mixes_replies, NULL, 0 },
    { "reply-dies-on-bad-id", s_dies_on_bad_id, NULL, NULL, SERVICE_REPLY },
    { "close-dies-on-bad-id", s_dies_on_bad_id, NULL, NULL, SERVICE_CLOSE },
    { "takes-long-ids", s_takes_long_ids, NULL, NULL, 0 },
    { "dies-on-empty-name", s_dies_on_empty_name, NULL, NULL, 0 },
    { "removes-files", s_removes_files, NULL, NULL, 0 },
    { "closes-all", s_closes_all, s_note_all_puts, NULL, 0 },
    { "close-unknown-is-400", s_close_unknown, s_refuse_unknown, NULL, 0 },
    { "keeps-closed", NULL, s_feign_writes, NULL, STORE_DROP },
    { "acknowledges-unwritten", NULL, s_feign_writes, NULL, STORE_PUT },
    { "titanic-drops-empty-frames", NULL, s_mauls_requests, NULL,
      BODY_EMPTY },
    { "titanic-cuts-large-frames", NULL, s_mauls_requests, NULL, BODY_LARGE },
    { "titanic-cuts-large-replies", NULL, s_cuts_replies, NULL, 65536 },
    { "wrong-service", NULL, s_wrong_service, NULL, 0 },
    { "sends-once", NULL, s_sends_few, NULL, 1 },
    { "sends-twice", NULL, s_sends_few, NULL, 2 },
    { "sends-ten", NULL, s_sends_few, NULL, 10 },
    { "done-when-sent", NULL, s_done_when_sent, NULL, 0 },
    { "gives-up-when-full", s_gives_up_when_full, s_give_up, NULL, 0 },
    { "loses-when-full", NULL, s_loses_when_full, NULL, 0 },
    { "drops-reply-when-full", s_drops_reply_when_full, NULL, NULL, 0 },
    { "keeps-in-memory", NULL, NULL, "--store memory:", 0 },
    { "no-heartbeats", NULL, s_no_heartbeats, NULL, 0 },
    { "never-registers-again", NULL, s_registers_once, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
