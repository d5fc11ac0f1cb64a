/*  =========================================================================
    titanic - the Titanic server as an engine, 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/tsp.h"
#include "conversation.h"
#include "dispatch.h"
#include "request_id.h"
#include "titanic.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

//  How often the store is asked for what was kept for long enough, and for how
//  much of it at a time
#define TIDY_MS 10000
#define TIDY_LIMIT 1000

//  Something that a client asked for and that the store works on
typedef struct {
    uint64_t ticket;            //  Key
    store_query_type_t type;
    conversation_t *conversation;   //  NULL: no client asked
    channel_t channel;          //  That it came by: a reply goes nowhere else
    request_id_t id;
    frame_t *service;           //  STORE_PUT: what it is for
    UT_hash_handle hh;
} operation_t;

struct _titanic_t {
    titanic_config_t config;
    conversation_config_t conversation_config;
    conversation_t *conversations;  //  Workers for request, reply, close
    size_t conversation_count;
    dispatch_t *dispatch;
    operation_t *operations;    //  By ticket
    uint64_t tickets;           //  Given out so far
    request_id_clock_t id_clock;
    int64_t lost_ms;            //  When the broker was last found lost
    bool lost;                  //  It has not been heard of since
    int64_t ticked_ms;          //  When heartbeats were last looked after
    int64_t awake_ms;           //  When we were last back after a long silence
    int64_t tidy_ms;            //  When to look for what is old
    int64_t pause_ms;           //  Between most events and what is due for them
    int64_t deadline_ms;        //  Nothing is due before this
    bool unsure;                //  Something may be due earlier
    bool told;                  //  The last request was above a limit
};

static int64_t
s_earlier (int64_t one_ms, int64_t other_ms)
{
    return one_ms < other_ms? one_ms: other_ms;
}

static uint64_t
s_ticket (void *argument)
{
    return ++((titanic_t *) argument)->tickets;
}

//  --------------------------------------------------------------------------
//  Life

static int
s_add_workers (titanic_t *self, const char *service, size_t count)
{
    for (size_t nbr = 0; nbr < count; nbr++) {
        size_t slot = self->conversation_count;
        if (conversation_init (&self->conversations [slot],
                               &self->conversation_config, service,
                               (channel_t) slot))
            return -1;
        self->conversation_count++;
    }
    return 0;
}

titanic_t *
titanic_new (const titanic_config_t *config)
{
    titanic_t *self = (titanic_t *) calloc (1, sizeof (titanic_t));
    if (!self)
        return NULL;
    self->config = *config;
    self->conversation_config = (conversation_config_t) {
        config->heartbeat_ms, config->liveness, config->version };
    self->pause_ms = s_earlier (config->heartbeat_ms,
                                s_earlier (config->retry_ms,
                                           config->timeout_ms));
    size_t workers = config->request_workers + config->reply_workers
                   + config->close_workers;
    assert (workers + config->executions <= CHANNEL_SLOTS);
    self->conversations = (conversation_t *) calloc (workers,
                                                     sizeof (conversation_t));
    dispatch_config_t dispatch = { config->version, config->heartbeat_ms,
        config->heartbeat_ms * config->liveness, config->timeout_ms,
        config->retry_ms, config->executions, config->service_executions,
        config->server, config->lease_ms, config->max_attempts };
    self->dispatch = dispatch_new (&dispatch, (channel_t) workers, s_ticket,
                                   self);
    //  TSP-SERVICES-01, TSP-SERVICES-02, TSP-SERVICES-03
    if (!self->conversations || !self->dispatch
    ||  s_add_workers (self, "titanic.request", config->request_workers)
    ||  s_add_workers (self, "titanic.reply", config->reply_workers)
    ||  s_add_workers (self, "titanic.close", config->close_workers))
        titanic_destroy (&self);
    return self;
}

static void
s_operation_destroy (titanic_t *self, operation_t *operation)
{
    HASH_DEL (self->operations, operation);
    frame_destroy (&operation->service);
    free (operation);
}

void
titanic_destroy (titanic_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        titanic_t *self = *self_p;
        operation_t *operation, *next;
        HASH_ITER (hh, self->operations, operation, next)
            s_operation_destroy (self, operation);
        for (size_t nbr = 0; nbr < self->conversation_count; nbr++)
            conversation_clear (&self->conversations [nbr]);
        free (self->conversations);
        dispatch_destroy (&self->dispatch);
        free (self);
        *self_p = NULL;
    }
}

void
titanic_set_limits (titanic_t *self, const titanic_config_t *config)
{
    self->config.max_bytes = config->max_bytes;
    self->config.max_frames = config->max_frames;
    self->config.keep_requests_ms = config->keep_requests_ms;
    self->config.keep_replies_ms = config->keep_replies_ms;
    dispatch_set_attempts (self->dispatch, config->max_attempts);
}

//  --------------------------------------------------------------------------
//  What clients ask

static void
s_reply_status (conversation_t *conversation, const event_t *event,
                tsp_status_t status, update_t *update)
{
    message_t *body = tsp_status_new (status);
    conversation_reply (conversation, event->now_ms, &body, update);
}

//  Note what the store is asked; NULL when memory is out
static operation_t *
s_operation_new (titanic_t *self, conversation_t *conversation,
                 store_query_type_t type)
{
    operation_t *operation = (operation_t *) calloc (1, sizeof (operation_t));
    if (!operation)
        return NULL;
    operation->ticket = s_ticket (self);
    operation->type = type;
    operation->conversation = conversation;
    operation->channel = conversation? conversation->channel: 0;
    HASH_ADD (hh, self->operations, ticket, sizeof operation->ticket,
              operation);
    if (operation->hh.tbl)
        return operation;
    free (operation);
    return NULL;
}

//  The store cannot be asked: there was no memory for it
static void
s_refuse (titanic_t *self, operation_t *operation, const event_t *event,
          update_t *update)
{
    s_reply_status (operation->conversation, event, TSP_ERROR, update);
    s_operation_destroy (self, operation);
}

//  Whether a request is within the limits. Told once, until one was again.
static bool
s_is_within (titanic_t *self, const message_t *message, size_t body,
             update_t *update)
{
    size_t bytes = message_bytes_from (message, body);
    size_t frames = message_size (message) - body;
    bool within =
        (!self->config.max_bytes || bytes <= self->config.max_bytes)
     && (!self->config.max_frames || frames <= self->config.max_frames);
    if (!within)
        update_notice (update, self->told? NOTICE_TRACE: NOTICE_WARNING,
                       "request not stored: too large, or too many frames",
                       message_frame (message, body));
    self->told = !within;
    return within;
}

//  9/TSP, The titanic.request Service: a service name, and one frame or more
static void
s_request (titanic_t *self, conversation_t *conversation, const event_t *event,
           const mdp_command_t *command, update_t *update)
{
    const frame_t *service = message_frame (event->message, command->body);
    if (message_size (event->message) < command->body + 2
    ||  mdp_check_service (frame_data (service), frame_size (service))
        != MDP_OK) {
        //  TSP-STATUS-05: what was not stored gets no 200
        s_reply_status (conversation, event, TSP_UNKNOWN, update);
        return;
    }
    if (!s_is_within (self, event->message, command->body, update)) {
        s_reply_status (conversation, event, TSP_ERROR, update);
        return;
    }
    operation_t *operation = s_operation_new (self, conversation, STORE_PUT);
    message_t *body = operation
        ? message_slice (event->message, command->body + 1): NULL;
    if (!body) {
        if (operation)
            s_refuse (self, operation, event, update);
        else
            s_reply_status (conversation, event, TSP_ERROR, update);
        return;
    }
    //  TSP-REQUEST-03
    operation->id = request_id_new (&self->id_clock, event->wall_ms,
                                    event->random);
    operation->service = frame_ref (service);
    //  TSP-EXEC-01: nobody looks whether the service is there
    store_query_t query = { .type = STORE_PUT, .ticket = operation->ticket,
        .id = operation->id, .service = frame_ref (service), .body = body };
    if (update_write (update, &query))
        s_refuse (self, operation, event, update);
}

//  The only frame of the body as an id; -1 if that is none, -2 if it is not
//  the only frame
static int
s_read_id (const event_t *event, const mdp_command_t *command,
           request_id_t *id)
{
    if (message_size (event->message) != command->body + 1)
        return -2;
    return tsp_id_read (message_frame (event->message, command->body), id);
}

//  9/TSP, The titanic.reply Service
static void
s_reply (titanic_t *self, conversation_t *conversation, const event_t *event,
         const mdp_command_t *command, update_t *update)
{
    request_id_t id;
    if (s_read_id (event, command, &id)) {
        //  TSP-STATUS-10
        s_reply_status (conversation, event, TSP_UNKNOWN, update);
        return;
    }
    operation_t *operation = s_operation_new (self, conversation, STORE_FETCH);
    if (!operation) {
        s_reply_status (conversation, event, TSP_ERROR, update);
        return;
    }
    operation->id = id;
    store_query_t query = { .type = STORE_FETCH, .id = id,
                            .ticket = operation->ticket };
    if (update_read (update, &query))
        s_refuse (self, operation, event, update);
}

//  9/TSP, The titanic.close Service
static void
s_close (titanic_t *self, conversation_t *conversation, const event_t *event,
         const mdp_command_t *command, update_t *update)
{
    request_id_t id;
    int rc = s_read_id (event, command, &id);
    if (rc) {
        //  I-16: what is no id is not known; several frames are no question
        s_reply_status (conversation, event, rc == -1? TSP_OK: TSP_UNKNOWN,
                        update);
        return;
    }
    operation_t *operation = s_operation_new (self, conversation, STORE_DROP);
    if (!operation) {
        s_reply_status (conversation, event, TSP_ERROR, update);
        return;
    }
    operation->id = id;
    dispatch_hold (self->dispatch, &id);
    store_query_t query = { .type = STORE_DROP, .id = id,
                            .ticket = operation->ticket };
    if (update_write (update, &query)) {
        dispatch_release (self->dispatch, &id);
        s_refuse (self, operation, event, update);
    }
}

//  --------------------------------------------------------------------------
//  What is old

//  What was kept for as long as it may is dropped, as if a client had closed it
static void
s_ask_old (titanic_t *self, bool answered, int64_t age_ms, update_t *update)
{
    store_query_t query = { .type = STORE_OLD, .ticket = s_ticket (self),
        .answered = answered, .age_ms = age_ms,
        .limit = age_ms? TIDY_LIMIT: 0 };
    update_read (update, &query);
}

static void
s_tidy (titanic_t *self, const event_t *event, update_t *update)
{
    if (self->tidy_ms == 0)
        self->tidy_ms = event->now_ms + TIDY_MS;
    if (event->now_ms < self->tidy_ms)
        return;
    self->tidy_ms = event->now_ms + TIDY_MS;
    s_ask_old (self, true, self->config.keep_replies_ms, update);
    if (self->config.keep_requests_ms)
        s_ask_old (self, false, self->config.keep_requests_ms, update);
}

static void
s_drop_old (titanic_t *self, const event_t *event, update_t *update)
{
    const store_answer_t *answer = event->answer;
    for (size_t nbr = 0; nbr < answer->record_count; nbr++) {
        operation_t *operation = s_operation_new (self, NULL, STORE_DROP);
        if (!operation)
            return;             //  It will be as old next time
        operation->id = answer->records [nbr].id;
        dispatch_hold (self->dispatch, &operation->id);
        store_query_t query = { .type = STORE_DROP, .id = operation->id,
                                .ticket = operation->ticket };
        if (update_write (update, &query)) {
            dispatch_release (self->dispatch, &operation->id);
            s_operation_destroy (self, operation);
            return;
        }
    }
    if (answer->record_count)
        update_notice (update, NOTICE_INFO, "requests dropped: kept for as long "
                       "as they may be", NULL);
    if (answer->record_count == TIDY_LIMIT) {
        self->tidy_ms = event->now_ms;
        self->unsure = true;
    }
}

//  --------------------------------------------------------------------------
//  What the store answers

//  The body of the reply that a client gets. Each begins with a status of those
//  that there are: TSP-REQUEST-08, TSP-REQUEST-11, TSP-REPLY-03, TSP-REPLY-06,
//  TSP-CLOSE-05, TSP-CLOSE-06
static message_t *
s_answer_body (const operation_t *operation, const store_answer_t *answer)
{
    store_result_t result = answer->result;
    if (result != STORE_OK && result != STORE_UNKNOWN)
        //  TSP-STATUS-12; no id goes with it: TSP-REQUEST-10
        return tsp_status_new (TSP_ERROR);
    if (operation->type == STORE_DROP)
        //  TSP-CLOSE-09: known or not; TSP-CLOSE-08: the second time too
        return tsp_status_new (TSP_OK);
    if (operation->type == STORE_PUT) {
        //  TSP-REQUEST-01, TSP-REQUEST-02, TSP-REQUEST-09: this is the first time
        //  that anybody says 200
        char text [TSP_ID_DIGITS + 1];
        tsp_id_print (&operation->id, text);
        message_t *body = tsp_status_new (TSP_OK);
        if (body && message_add_string (body, text))
            message_destroy (&body);
        return body;
    }
    if (result == STORE_UNKNOWN)
        //  TSP-STATUS-09
        return tsp_status_new (TSP_UNKNOWN);
    const message_t *reply = answer->records->body;
    if (!reply && answer->records->aside)
        //  TSP-STATUS-12, I-55: somebody must see to it
        return tsp_status_new (TSP_ERROR);
    if (!reply)
        //  TSP-STATUS-06, TSP-STATUS-07, TSP-REPLY-05
        return tsp_status_new (TSP_PENDING);
    //  TSP-REPLY-01, TSP-REPLY-04; nothing is changed by it: TSP-REPLY-08 to
    //  TSP-REPLY-10, TSP-REPLY-09
    message_t *body = tsp_status_new (TSP_OK);
    if (body && message_add_from (body, reply, 0))
        message_destroy (&body);
    return body;
}

static void
s_tell_dispatch (titanic_t *self, const operation_t *operation,
                 store_result_t result, update_t *update)
{
    bool done = result == STORE_OK || result == STORE_UNKNOWN;
    if (operation->type == STORE_PUT && done)
        dispatch_stored (self->dispatch, &operation->id, operation->service);
    else
    if (operation->type == STORE_DROP && done)
        dispatch_forget (self->dispatch, &operation->id, update);
    else
    if (operation->type == STORE_DROP)
        dispatch_release (self->dispatch, &operation->id);
}

static void
s_answered (titanic_t *self, const event_t *event, update_t *update)
{
    const store_answer_t *answer = event->answer;
    if (answer->type == STORE_OLD) {
        s_drop_old (self, event, update);
        return;
    }
    operation_t *operation;
    HASH_FIND (hh, self->operations, &answer->ticket, sizeof answer->ticket,
               operation);
    if (!operation) {
        dispatch_answer (self->dispatch, event->now_ms, answer, update);
        return;
    }
    s_tell_dispatch (self, operation, answer->result, update);
    conversation_t *conversation = operation->conversation;
    if (conversation && conversation->channel == operation->channel) {
        message_t *body = s_answer_body (operation, answer);
        if (!body)
            body = tsp_status_new (TSP_ERROR);
        conversation_reply (conversation, event->now_ms, &body, update);
    }
    s_operation_destroy (self, operation);
}

//  --------------------------------------------------------------------------
//  The broker

//  Many conversations find the same broker gone: what was sent to it is given
//  up once
static void
s_broker_lost (titanic_t *self, const event_t *event, update_t *update)
{
    int64_t patience = self->config.heartbeat_ms * self->config.liveness;
    if (self->lost_ms && event->now_ms - self->lost_ms < patience)
        return;
    self->lost_ms = event->now_ms;
    self->lost = true;
    dispatch_broker_lost (self->dispatch, update);
}

//  Whether a message on this conversation can come from a broker that is there:
//  what the one that is gone had sent to others may still be on its way
static bool
s_is_news (const titanic_t *self, const conversation_t *conversation,
           int64_t now_ms)
{
    return conversation->opened_ms >= self->lost_ms
        || now_ms - self->lost_ms >= self->config.heartbeat_ms;
}

//  Whether the broker may have taken us to be gone: commits held us up. It counts
//  from what it heard last, up to an interval before.
static void
s_notice_silence (titanic_t *self, const event_t *event)
{
    int64_t silence_ms = self->config.heartbeat_ms
                       * (self->config.liveness > 1? self->config.liveness - 1: 1);
    if (self->ticked_ms && event->now_ms - self->ticked_ms > silence_ms)
        self->awake_ms = event->now_ms;
    if (event->type == EVENT_TICK)
        self->ticked_ms = event->now_ms;
}

//  Whether a DISCONNECT is what we get for our silence: such a broker has all that it
//  was asked. TSP-EXEC-04 covers the rest.
static bool
s_is_dismissal (const titanic_t *self, int64_t now_ms)
{
    return self->awake_ms && now_ms - self->awake_ms
        < self->config.heartbeat_ms * self->config.liveness;
}

static void
s_broker_found (titanic_t *self)
{
    self->lost = false;
    dispatch_broker_found (self->dispatch);
}

static void
s_converse (titanic_t *self, conversation_t *conversation,
            const event_t *event, update_t *update)
{
    mdp_command_t command;
    conversation_result_t result = conversation_receive (conversation,
        event->now_ms, event->message, &command, update);
    if (result == CONVERSATION_LOST) {
        self->unsure = true;
        if (!s_is_dismissal (self, event->now_ms))
            s_broker_lost (self, event, update);
        return;
    }
    if (self->lost && s_is_news (self, conversation, event->now_ms))
        s_broker_found (self);
    if (result != CONVERSATION_REQUEST)
        return;
    size_t slot = conversation->slot;
    if (slot < self->config.request_workers)
        s_request (self, conversation, event, &command, update);
    else
    if (slot < self->config.request_workers + self->config.reply_workers)
        s_reply (self, conversation, event, &command, update);
    else
        s_close (self, conversation, event, &command, update);
}

static void
s_received (titanic_t *self, const event_t *event, update_t *update)
{
    channel_t slot = CHANNEL_SLOT (event->channel);
    if (slot >= self->conversation_count) {
        dispatch_receive (self->dispatch, event->now_ms, event->channel,
                          event->message, update);
        return;
    }
    conversation_t *conversation = &self->conversations [slot];
    if (conversation->channel == event->channel)
        s_converse (self, conversation, event, update);
}

static void
s_tick (titanic_t *self, const event_t *event, update_t *update)
{
    for (size_t nbr = 0; nbr < self->conversation_count; nbr++)
        if (conversation_tick (&self->conversations [nbr], event->now_ms,
                               update) == CONVERSATION_LOST)
            s_broker_lost (self, event, update);
}

static int64_t
s_deadline (const titanic_t *self)
{
    int64_t deadline = dispatch_deadline (self->dispatch);
    if (self->tidy_ms)
        deadline = s_earlier (deadline, self->tidy_ms);
    for (size_t nbr = 0; nbr < self->conversation_count; nbr++)
        deadline = s_earlier (deadline, conversation_deadline (
                                            &self->conversations [nbr]));
    return deadline;
}

void
titanic_step (void *engine, const event_t *event, update_t *update)
{
    titanic_t *self = (titanic_t *) engine;
    s_notice_silence (self, event);
    //  A lease is renewed by its own rules
    self->unsure = event->type == EVENT_TICK || self->config.lease_ms;
    switch (event->type) {
        case EVENT_TICK:
            s_tick (self, event, update);
            s_tidy (self, event, update);
            dispatch_tick (self->dispatch, event->now_ms, update);
            break;
        case EVENT_RECEIVED:
            s_received (self, event, update);
            break;
        case EVENT_WRITTEN:
        case EVENT_READ:
            s_answered (self, event, update);
            break;
        case EVENT_UNREACHABLE:
            break;
        case EVENT_STOP:
            for (size_t nbr = 0; nbr < self->conversation_count; nbr++)
                conversation_stop (&self->conversations [nbr], update);
            dispatch_stop (self->dispatch, update);
            return;
    }
    dispatch_serve (self->dispatch, event->now_ms, update);
    //  To look at all that is due takes time, and this is for each message; a
    //  tick that comes too early does no harm
    self->deadline_ms = self->unsure? s_deadline (self):
        s_earlier (self->deadline_ms, event->now_ms + self->pause_ms);
    update_set_deadline (update, self->deadline_ms);
}
