/*  =========================================================================
    broker - the Majordomo broker as an engine

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "broker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

//  A table that cannot grow must not end the process
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "../protocol/mdp.h"
#include "services.h"

//  The one socket, a ROUTER.
#define CHANNEL 0

//  A ROUTER's addresses have 255 bytes at most.
#define ADDRESS_MAX 255

//  8/MMI, Namespace
#define MMI_PREFIX "mmi."
#define MMI_SERVICE "mmi.service"

//  A registered worker.
typedef struct _worker_t {
    struct _worker_t *idle_prev;    //  Among its service's idle workers, the
    struct _worker_t *idle_next;    //  one that has rested longest first
    struct _worker_t *heard_prev;   //  In broker_t heard
    struct _worker_t *heard_next;
    struct _worker_t *sent_prev;    //  In broker_t sent
    struct _worker_t *sent_next;
    UT_hash_handle hh;          //  In broker_t workers
    mdp_version_t version;      //  What the worker speaks
    frame_t *address;           //  Its address, key in broker_t workers
    service_t *service;         //  What it registered for
    request_t *request;         //  What it works on, NULL when it does not
    bool idle;                  //  Among its service's idle workers
    int64_t heard_ms;           //  When something last came from it
    int64_t sent_ms;            //  When something was last sent to it
} worker_t;

//  A peer whose conversation as a worker is over, and that may not know it.
typedef struct _dismissed_t {
    struct _dismissed_t *prev;  //  In broker_t silent
    struct _dismissed_t *next;
    UT_hash_handle hh;          //  In broker_t dismissed
    frame_t *address;           //  Its address, key in broker_t dismissed
    int64_t heard_ms;           //  When something last came from it
} dismissed_t;

struct _broker_t {
    broker_config_t config;     //  As given
    int64_t patience_ms;        //  Silence until a worker is gone
    services_t *services;       //  Services and their requests
    worker_t *workers;          //  All workers, by address
    worker_t *heard;            //  The same, longest silent first
    worker_t *sent;             //  The same, longest without a message first
    limit_t worker_limit;       //  How many of them
    dismissed_t *dismissed;     //  Dismissed peers, by address
    dismissed_t *silent;        //  The same, longest silent first
    bool stopped;               //  EVENT_STOP has come
    int64_t now_ms;             //  The time, during a step
    update_t *update;           //  What follows, during a step
};

//  Why a request or a worker is turned away, by services_result_t.
static const char *const s_request_refusals [] = {
    [SERVICES_OK] = "",
    [SERVICES_NO_MEMORY] = "request dropped: out of memory",
    [SERVICES_TOO_MANY] = "request dropped: too many services",
    [SERVICES_REQUESTS] = "request dropped: too many requests",
    [SERVICES_QUEUE] = "request dropped: too many requests for service",
    [SERVICES_CLIENT] = "request dropped: one client has too many, now for service",
    [SERVICES_BYTES] = "request dropped: requests take too much memory"
};

//  Why a request that waited is dropped for another, the same.
static const char *const s_request_displacements [] = {
    [SERVICES_REQUESTS] = "too many requests: one that waited is dropped, now for "
                          "service",
    [SERVICES_QUEUE] = "too many requests: who has most lost one, for service",
    [SERVICES_BYTES] = "requests take too much memory: some that waited are "
                       "dropped, now for service"
};

static services_config_t
s_services_config (const broker_config_t *config)
{
    return (services_config_t) {
        .expiry_ms = config->expiry_ms,
        .max_services = config->max_services,
        .max_requests = config->max_requests,
        .max_service_requests = config->max_service_requests,
        .max_client_requests = config->max_client_requests,
        .max_client_bytes = config->max_client_bytes,
        .max_bytes = config->max_bytes
    };
}

broker_t *
broker_new (const broker_config_t *config)
{
    assert (config);
    assert (config->heartbeat_ms > 0);
    assert (config->liveness > 0);
    assert (config->expiry_ms >= 0);
    broker_t *self = calloc (1, sizeof (broker_t));
    if (!self)
        return NULL;
    self->config = *config;
    self->patience_ms = config->heartbeat_ms * config->liveness;
    self->worker_limit.most = config->max_workers;
    services_config_t services_config = s_services_config (config);
    self->services = services_new (&services_config);
    if (!self->services)
        broker_destroy (&self);
    return self;
}

void
broker_set_limits (broker_t *self, const broker_config_t *config)
{
    self->config.max_workers = config->max_workers;
    self->config.max_frames = config->max_frames;
    self->config.max_body_bytes = config->max_body_bytes;
    self->config.max_resends = config->max_resends;
    self->worker_limit.most = config->max_workers;
    services_config_t services_config = s_services_config (config);
    services_set_limits (self->services, &services_config);
}

static void
s_notice (broker_t *self, notice_level_t level, const char *text,
          const frame_t *subject)
{
    update_notice (self->update, level, text, subject);
}

//  A limit was reached. Only the first time is worth a warning: the peer that
//  runs into it must not fill the log.
static void
s_limit_notice (broker_t *self, limit_t *limit, const char *text,
                const frame_t *subject)
{
    bool loud = !limit || limit_tell (limit);
    s_notice (self, loud? NOTICE_WARNING: NOTICE_TRACE, text, subject);
}

//  A copy of an address, to be kept for longer than the message that it came with
static frame_t *
s_keep (const frame_t *address)
{
    return frame_new (frame_data (address), frame_size (address));
}

static worker_t *
s_worker_find (broker_t *self, const frame_t *address)
{
    worker_t *worker;
    HASH_FIND (hh, self->workers, frame_data (address), frame_size (address),
               worker);
    return worker;
}

//  MDP1-HEARTBEAT-05: whatever comes is a sign of life
static void
s_worker_heard (broker_t *self, worker_t *worker)
{
    worker->heard_ms = self->now_ms;
    DL_DELETE2 (self->heard, worker, heard_prev, heard_next);
    DL_APPEND2 (self->heard, worker, heard_prev, heard_next);
}

//  MDP1-HEARTBEAT-07: whatever is sent stands for a heartbeat. What could not be
//  sent for want of memory does too, so that it is not tried without a pause.
//  0, or -1 then.
static int
s_worker_send (broker_t *self, worker_t *worker, message_t **message_p)
{
    worker->sent_ms = self->now_ms;
    DL_DELETE2 (self->sent, worker, sent_prev, sent_next);
    DL_APPEND2 (self->sent, worker, sent_prev, sent_next);
    return update_send (self->update, CHANNEL, message_p);
}

static void
s_worker_rest (worker_t *worker)
{
    assert (!worker->idle && !worker->request);
    worker_t *idle = *service_idle (worker->service);
    DL_APPEND2 (idle, worker, idle_prev, idle_next);
    *service_idle (worker->service) = idle;
    worker->idle = true;
}

static void
s_worker_rouse (worker_t *worker)
{
    if (!worker->idle)
        return;
    worker_t *idle = *service_idle (worker->service);
    DL_DELETE2 (idle, worker, idle_prev, idle_next);
    *service_idle (worker->service) = idle;
    worker->idle = false;
}

//  Give waiting requests to idle workers, each to the least recently used.
static void
s_dispatch (broker_t *self, service_t *service)
{
    while (*service_idle (service) && service_waiting (service)
    &&     !self->stopped) {
        worker_t *worker = *service_idle (service);
        request_t *request = services_next (self->services, service);
        message_t *message = mdp_worker_request (
            worker->version, worker->address,
            request_client (request), request_message (request),
            request_body (request));
        if (s_worker_send (self, worker, &message)) {
            //  The request stays where it was until there is memory again
            services_return (self->services, service, &request);
            s_notice (self, NOTICE_WARNING,
                      "request not dispatched: out of memory",
                      service_name (service));
            return;
        }
        //  MDP1-TOPOLOGY-06: a busy worker is not among the idle ones.
        //  MDP1-TOPOLOGY-10, MDP1-CONNECTION-08: whichever of the service's is
        //  free
        s_worker_rouse (worker);
        worker->request = request;
    }
}

//  What a worker that is gone held goes to the next one: MDP1-RELIABILITY-01,
//  MDP1-RELIABILITY-02. Where the operator has set an end to it, a request that no
//  worker survives does not take down all of them: I-55.
static void
s_give_back (broker_t *self, worker_t *worker)
{
    size_t workers = request_lose_worker (worker->request);
    if (self->stopped || !self->config.max_resends
    ||  workers <= self->config.max_resends) {
        services_return (self->services, worker->service, &worker->request);
        return;
    }
    s_notice (self, NOTICE_WARNING, "request dropped: each worker that had it is "
              "gone, see --max-resends", service_name (worker->service));
    services_done (self->services, &worker->request);
}

//  Forget a worker.
static void
s_worker_remove (broker_t *self, worker_t **worker_p)
{
    worker_t *worker = *worker_p;
    *worker_p = NULL;
    service_t *service = worker->service;
    s_worker_rouse (worker);
    DL_DELETE2 (self->heard, worker, heard_prev, heard_next);
    DL_DELETE2 (self->sent, worker, sent_prev, sent_next);
    HASH_DEL (self->workers, worker);
    limit_give (&self->worker_limit, 1);

    if (worker->request)
        s_give_back (self, worker);
    services_lose_worker (self->services, service, self->now_ms);
    frame_destroy (&worker->address);
    free (worker);

    s_dispatch (self, service);
    services_release (self->services, &service);
}

static dismissed_t *
s_dismissed_find (broker_t *self, const frame_t *address)
{
    dismissed_t *dismissed;
    HASH_FIND (hh, self->dismissed, frame_data (address),
               frame_size (address), dismissed);
    return dismissed;
}

static void
s_dismissed_remove (broker_t *self, dismissed_t **dismissed_p)
{
    dismissed_t *dismissed = *dismissed_p;
    *dismissed_p = NULL;
    DL_DELETE (self->silent, dismissed);
    HASH_DEL (self->dismissed, dismissed);
    frame_destroy (&dismissed->address);
    free (dismissed);
}

//  Remember that this peer is to be sent nothing more.
static void
s_dismiss (broker_t *self, const frame_t *address)
{
    assert (!s_dismissed_find (self, address));
    while (self->silent
    &&     HASH_COUNT (self->dismissed) >= self->config.max_workers) {
        dismissed_t *oldest = self->silent;
        s_dismissed_remove (self, &oldest);
    }
    dismissed_t *dismissed = calloc (1, sizeof (dismissed_t));
    if (dismissed && (dismissed->address = s_keep (address))) {
        dismissed->heard_ms = self->now_ms;
        HASH_ADD_KEYPTR (hh, self->dismissed, frame_data (dismissed->address),
                         frame_size (dismissed->address), dismissed);
        if (dismissed->hh.tbl) {
            DL_APPEND (self->silent, dismissed);
            return;
        }
        frame_destroy (&dismissed->address);
    }
    free (dismissed);
    s_notice (self, NOTICE_WARNING, "dismissed worker not remembered: "
              "out of memory", address);
}

//  Send DISCONNECT, and after that nothing: 7/MDP, Opening and Closing a
//  Connection.
static void
s_disconnect (broker_t *self, mdp_version_t version, const frame_t *address)
{
    message_t *message = mdp_worker_disconnect (version, address);
    update_send (self->update, CHANNEL, &message);
    s_dismiss (self, address);  //  MDP1-CONNECTION-20
}

//  End a worker's conversation with a DISCONNECT.
static void
s_worker_disconnect (broker_t *self, worker_t **worker_p)
{
    s_disconnect (self, (*worker_p)->version, (*worker_p)->address);
    s_worker_remove (self, worker_p);
}

//  Register a worker. false when memory is out, and then nothing has changed.
static bool
s_worker_add (broker_t *self, const frame_t *address, mdp_version_t version,
              service_t *service)
{
    worker_t *worker = calloc (1, sizeof (worker_t));
    if (!worker)
        return false;
    worker->address = s_keep (address);
    if (worker->address)
        HASH_ADD_KEYPTR (hh, self->workers, frame_data (worker->address),
                         frame_size (worker->address), worker);
    if (!worker->hh.tbl) {
        frame_destroy (&worker->address);
        free (worker);
        return false;
    }
    worker->version = version;
    worker->service = service;
    worker->heard_ms = self->now_ms;
    worker->sent_ms = self->now_ms;
    DL_APPEND2 (self->heard, worker, heard_prev, heard_next);
    DL_APPEND2 (self->sent, worker, sent_prev, sent_next);
    services_gain_worker (self->services, service);
    s_worker_rest (worker);
    return true;
}

//  MMI-NAMESPACE-04: the start of the name, and nothing else
static bool
s_is_mmi (const frame_t *name)
{
    size_t size = strlen (MMI_PREFIX);
    return frame_size (name) >= size
        && memcmp (frame_data (name), MMI_PREFIX, size) == 0;
}

//  A READY from a peer that is no worker yet.
static void
s_ready (broker_t *self, const frame_t *address, const mdp_command_t *command)
{
    if (s_is_mmi (command->service)) {  //  MMI-NAMESPACE-05
        s_notice (self, NOTICE_INFO, "worker refused: service name is reserved",
                  command->service);
        s_disconnect (self, command->version, address);
        return;
    }
    if (!limit_take (&self->worker_limit, 1)) {
        s_limit_notice (self, &self->worker_limit,
                        "worker refused: too many workers", command->service);
        s_disconnect (self, command->version, address);
        return;
    }
    services_result_t result;
    service_t *service = services_obtain (self->services, command->service,
                                          &result);
    if (service && s_worker_add (self, address, command->version, service)) {
        //  MDP1-WORKER-08, MDP1-WORKER-25, MDP1-CONNECTION-10,
        //  MDP1-CONNECTION-12, MDP1-RELIABILITY-04
        s_notice (self, NOTICE_TRACE, "worker registered for service",
                  command->service);
        s_dispatch (self, service);
        return;
    }
    if (service)
        services_release (self->services, &service);
    limit_give (&self->worker_limit, 1);
    s_limit_notice (self, services_limit (self->services, NULL, result),
                    result == SERVICES_TOO_MANY?
                        "worker refused: too many services":
                        "worker refused: out of memory", command->service);
    s_disconnect (self, command->version, address);
}

//  The request that a REPLY or PARTIAL answers; NULL when it answers none, and
//  then the worker has been disconnected.
static request_t *
s_answered (broker_t *self, worker_t *worker, const mdp_command_t *command)
{
    request_t *request = worker->request;
    if (request && frame_equal (command->client, request_client (request)))
        return request;
    //  MDP1-CONNECTION-19. MDP1-REQREP-06: what belongs to another client's
    //  request must not reach this one, and the other way round
    s_notice (self, NOTICE_INFO, request
        ? "worker disconnected: REPLY to another client's REQUEST"
        : "worker disconnected: REPLY without a REQUEST",
        service_name (worker->service));
    s_worker_disconnect (self, &worker);
    return NULL;
}

//  A PARTIAL from a worker, which goes on with the request: MDP2-REQREP-08.
//  MDP2-VERSION-02: a client of 0.1 gets all parts in its one REPLY.
static void
s_partial (broker_t *self, worker_t *worker, const message_t *message,
           const mdp_command_t *command)
{
    request_t *request = s_answered (self, worker, command);
    if (!request)
        return;
    services_result_t result = SERVICES_OK;
    if (request_version (request) != MDP_0_1) {
        //  MDP2-CLIENT-30
        message_t *partial = mdp_client_partial (
            request_version (request), request_client (request),
            service_name (worker->service), message, command->body);
        //  A FINAL without this part would look whole
        if (update_send (self->update, CHANNEL, &partial))
            result = SERVICES_NO_MEMORY;
    }
    else
        result = services_gather (self->services, request, message,
                                  command->body);
    if (result == SERVICES_OK)
        return;
    s_limit_notice (self, services_limit (self->services, worker->service,
                                          result),
                    "request dropped: no room for the parts of its answer",
                    service_name (worker->service));
    services_done (self->services, &worker->request);
    s_worker_disconnect (self, &worker);
}

//  A REPLY with the parts that came before it, all as one body. NULL when memory
//  is out.
static message_t *
s_whole_reply (const request_t *request, const frame_t *service,
               const message_t *message, size_t body)
{
    const message_t *parts = request_parts (request);
    if (!parts)
        return mdp_client_reply (request_version (request),
                                 request_client (request), service, message,
                                 body);
    message_t *reply = NULL;
    message_t *whole = message_slice (parts, 0);
    if (whole && message_add_from (whole, message, body) == 0)
        reply = mdp_client_reply (request_version (request),
                                  request_client (request), service, whole, 0);
    message_destroy (&whole);
    return reply;
}

//  A REPLY from a worker, FINAL in 0.2: pass it on to the client that waits for
//  it.
static void
s_reply (broker_t *self, worker_t *worker, const message_t *message,
         const mdp_command_t *command)
{
    request_t *request = s_answered (self, worker, command);
    if (!request)
        return;
    //  MDP1-TOPOLOGY-02, MDP1-TOPOLOGY-08, MDP1-CLIENT-01: one reply, to the
    //  client that asked, in MDP/Client
    service_t *service = worker->service;
    message_t *reply = s_whole_reply (request, service_name (service), message,
                                      command->body);
    update_send (self->update, CHANNEL, &reply);
    services_done (self->services, &worker->request);
    s_worker_rest (worker);
    s_dispatch (self, service);
}

//  A well-formed command in MDP/Worker, from a peer that is not dismissed.
static void
s_worker_command (broker_t *self, const message_t *message,
                  const mdp_command_t *command)
{
    const frame_t *address = message_frame (message, 0);
    worker_t *worker = s_worker_find (self, address);
    if (command->type == MDP_WORKER_DISCONNECT) {
        //  MDP1-CONNECTION-15, MDP1-CONNECTION-16
        if (worker) {
            s_notice (self, NOTICE_TRACE, "worker left service",
                      service_name (worker->service));
            s_worker_remove (self, &worker);
        }
        s_dismiss (self, address);
        return;
    }
    if (!worker) {
        if (command->type == MDP_WORKER_READY)
            s_ready (self, address, command);
        else {                  //  MDP1-CONNECTION-19, MDP1-CONNECTION-27
            s_notice (self, NOTICE_TRACE, "unknown worker disconnected",
                      address);
            s_disconnect (self, command->version, address);
        }
        return;
    }
    s_worker_heard (self, worker);
    if (command->version != worker->version) {
        //  MDP2-VERSION-01: a worker does not change its version
        s_notice (self, NOTICE_INFO, "worker disconnected: command of another "
                  "version", service_name (worker->service));
        s_worker_disconnect (self, &worker);
        return;
    }
    switch (command->type) {
        case MDP_WORKER_HEARTBEAT:  //  MDP1-HEARTBEAT-01
            break;
        case MDP_WORKER_PARTIAL:
            s_partial (self, worker, message, command);
            break;
        case MDP_WORKER_REPLY:
            s_reply (self, worker, message, command);
            break;
        default:                //  MDP1-CONNECTION-19
            s_notice (self, NOTICE_INFO,
                      command->type == MDP_WORKER_READY?
                          "worker disconnected: second READY":
                          "worker disconnected: REQUEST from a worker",
                      service_name (worker->service));
            s_worker_disconnect (self, &worker);
    }
}

//  A request for a management service, which the broker answers itself; 8/MMI.
static void
s_mmi (broker_t *self, const message_t *message, const mdp_command_t *command)
{
    //  MMI-NAMESPACE-02: answered in MDP/Client
    const char *status = "501"; //  MMI-UNKNOWN-01
    if (frame_is (command->service, MMI_SERVICE, strlen (MMI_SERVICE))) {
        //  MMI-SERVICE-01. MMI-SERVICE-08: asking makes no service, and only
        //  workers count; MMI-SERVICE-04 to MMI-SERVICE-07, that is
        //  MMI-SERVICE-05 the busy ones too, MMI-SERVICE-06 else "404"
        const frame_t *name = message_frame (message, command->body);
        service_t *service = services_find (self->services, name);
        status = service && service_workers (service)? "200": "404";
    }
    message_t *reply = NULL;
    message_t *body = message_new ();
    if (body && message_add_string (body, status) == 0)
        reply = mdp_client_reply (command->version, message_frame (message, 0),
                                  command->service, body, 0);
    update_send (self->update, CHANNEL, &reply);
    message_destroy (&body);
}

static void
s_client_request (broker_t *self, const message_t *message,
                  const mdp_command_t *command)
{
    if (s_is_mmi (command->service)) {  //  MMI-NAMESPACE-03
        s_mmi (self, message, command);
        return;
    }
    services_result_t result, limit = SERVICES_OK;
    service_t *service = services_obtain (self->services, command->service,
                                          &result);
    if (service)                //  MDP1-CLIENT-25
        result = services_add (self->services, service, command->version,
                               message_frame (message, 0), message,
                               command->body, self->now_ms, &limit);
    if (limit != SERVICES_OK)
        s_limit_notice (self, services_limit (self->services, service, limit),
                        s_request_displacements [limit], command->service);
    if (result != SERVICES_OK)
        s_limit_notice (self, services_limit (self->services, service, result),
                        s_request_refusals [result], command->service);
    if (service) {
        s_dispatch (self, service);
        services_release (self->services, &service);
    }
}

//  7/MDP, Opening and Closing a Connection: an invalid message is dropped, and
//  its sender is invalid too, if it is one that we count on.
static void
s_invalid (broker_t *self, const frame_t *address, mdp_result_t result)
{
    s_notice (self, NOTICE_INFO, mdp_result_text (result), address);
    worker_t *worker = s_worker_find (self, address);
    //  The next worker's answer would be no smaller: its request would end the
    //  conversation of one worker after the other
    if (worker && worker->request
    && (result == MDP_TOO_LARGE || result == MDP_TOO_MANY_FRAMES)) {
        s_notice (self, NOTICE_INFO, "request dropped: its answer is above "
                  "--max-message or --max-frames",
                  service_name (worker->service));
        services_done (self->services, &worker->request);
    }
    if (worker) {               //  MDP1-CONNECTION-22
        s_notice (self, NOTICE_INFO, "worker disconnected: invalid message",
                  service_name (worker->service));
        s_worker_disconnect (self, &worker);
    }
}

//  The limits on a message. The body alone counts in bytes, and an answer may have
//  a little more, so that what came in from a client can always come back.
static mdp_result_t
s_check_size (const broker_t *self, const message_t *message,
              const mdp_command_t *command)
{
    bool answer = command->type == MDP_WORKER_REPLY
               || command->type == MDP_WORKER_PARTIAL;
    if (message_size (message) - 1 > self->config.max_frames
                                   + (answer? BROKER_ANSWER_FRAMES: 0))
        return MDP_TOO_MANY_FRAMES;
    size_t bytes = message_bytes_from (message, command->body);
    if (self->config.max_body_bytes
    &&  bytes > self->config.max_body_bytes
              + (answer? BROKER_ANSWER_BYTES: 0))
        return MDP_TOO_LARGE;
    return MDP_OK;
}

static void
s_received (broker_t *self, const message_t *message)
{
    const frame_t *address = message_frame (message, 0);
    if (!address || frame_size (address) == 0
    ||  frame_size (address) > ADDRESS_MAX) {
        s_notice (self, NOTICE_WARNING, "message dropped: no address", NULL);
        return;
    }
    mdp_command_t command;
    mdp_result_t result = MDP_TOO_MANY_FRAMES;
    if (message_size (message) - 1 <= self->config.max_frames
                                    + BROKER_ANSWER_FRAMES)
        result = mdp_decode (message, 1, MDP_AT_BROKER, &command);
    if (result == MDP_OK)
        result = s_check_size (self, message, &command);

    dismissed_t *dismissed = s_dismissed_find (self, address);
    if (dismissed) {
        if (result != MDP_OK || command.type != MDP_WORKER_READY) {
            //  MDP1-CONNECTION-16, MDP1-CONNECTION-20
            dismissed->heard_ms = self->now_ms;
            DL_DELETE (self->silent, dismissed);
            DL_APPEND (self->silent, dismissed);
            s_notice (self, NOTICE_TRACE, "message from dismissed worker "
                      "dropped", address);
            return;
        }
        //  A worker whose address is fixed comes back with it:
        //  MDP1-CONNECTION-26
        s_dismissed_remove (self, &dismissed);
    }
    if (result != MDP_OK)       //  MDP1-CONNECTION-04, MDP1-CONNECTION-21
        s_invalid (self, address, result);
    else
    if (command.type == MDP_CLIENT_REQUEST)
        s_client_request (self, message, &command);
    else
        s_worker_command (self, message, &command);
}

static void
s_unreachable (broker_t *self, const message_t *message)
{
    const frame_t *address = message_frame (message, 0);
    worker_t *worker = address? s_worker_find (self, address): NULL;
    if (worker) {
        s_notice (self, NOTICE_TRACE, "worker lost: not connected any more",
                  service_name (worker->service));
        s_worker_remove (self, &worker);
    }
    else
        s_notice (self, NOTICE_TRACE, "message dropped: peer not connected "
                  "any more", address);
}

//  MDP1-HEARTBEAT-13: only silence counts. MDP1-RELIABILITY-03.
//  MDP1-HEARTBEAT-11, MDP1-HEARTBEAT-16: nothing is sent to a silent worker,
//  and its address is forgotten, so that it is told should it come back.
static void
s_expire_workers (broker_t *self)
{
    int64_t latest_ms = self->now_ms - self->patience_ms;
    //  All go out of reach first: what one held must not go to the next that
    //  is gone
    worker_t *worker = self->heard;
    while (worker && worker->heard_ms <= latest_ms) {
        s_worker_rouse (worker);
        worker = worker->heard_next;
    }
    while (self->heard && self->heard->heard_ms <= latest_ms) {
        worker = self->heard;
        s_notice (self, NOTICE_INFO, "worker lost: silent for too long",
                  service_name (worker->service));
        s_worker_remove (self, &worker);
    }
    while (self->silent && self->silent->heard_ms <= latest_ms) {
        dismissed_t *dismissed = self->silent;
        s_dismissed_remove (self, &dismissed);
    }
}

//  MDP1-CLIENT-26
static void
s_expire_requests (broker_t *self)
{
    service_t *service;
    request_t *request;
    while ((request = services_expired (self->services, self->now_ms,
                                        &service))) {
        s_notice (self, NOTICE_INFO, "request expired: no worker for service",
                  service_name (service));
        services_done (self->services, &request);
        services_release (self->services, &service);
    }
}

//  MDP1-HEARTBEAT-09, MDP1-WORKER-26: to idle and busy workers alike, and
//  MDP1-HEARTBEAT-03: to nobody else
static void
s_send_heartbeats (broker_t *self)
{
    while (self->sent
    &&     self->sent->sent_ms <= self->now_ms - self->config.heartbeat_ms) {
        worker_t *worker = self->sent;
        message_t *message = mdp_worker_heartbeat (worker->version,
                                                   worker->address);
        s_worker_send (self, worker, &message);
        //  Requests wait here for an idle worker only after memory ran out
        s_dispatch (self, worker->service);
    }
}

static void
s_stop (broker_t *self)
{
    self->stopped = true;       //  No request goes to another worker now
    while (self->heard) {
        worker_t *worker = self->heard;
        message_t *message = mdp_worker_disconnect (worker->version,
                                                    worker->address);
        update_send (self->update, CHANNEL, &message);
        s_worker_remove (self, &worker);
    }
}

static int64_t
s_earlier (int64_t one_ms, int64_t other_ms)
{
    return one_ms < other_ms? one_ms: other_ms;
}

static int64_t
s_deadline (broker_t *self)
{
    int64_t deadline_ms = services_deadline (self->services);
    if (self->heard)
        deadline_ms = s_earlier (deadline_ms,
                                 self->heard->heard_ms + self->patience_ms);
    if (self->silent)
        deadline_ms = s_earlier (deadline_ms,
                                 self->silent->heard_ms + self->patience_ms);
    if (self->sent)
        deadline_ms = s_earlier (deadline_ms, self->sent->sent_ms
                                              + self->config.heartbeat_ms);
    return deadline_ms;
}

void
broker_step (void *engine, const event_t *event, update_t *update)
{
    broker_t *self = engine;
    assert (self && event && update);
    self->now_ms = event->now_ms;
    self->update = update;
    if (!self->stopped)
        switch (event->type) {
            case EVENT_TICK:
                s_expire_workers (self);
                s_expire_requests (self);
                s_send_heartbeats (self);
                break;
            case EVENT_RECEIVED:
                s_received (self, event->message);
                break;
            case EVENT_UNREACHABLE:
                s_unreachable (self, event->message);
                break;
            case EVENT_STOP:
                s_stop (self);
                break;
            case EVENT_WRITTEN:
            case EVENT_READ:
                assert (false); //  The broker keeps nothing
        }
    update_set_deadline (update, self->stopped? INT64_MAX: s_deadline (self));
    self->update = NULL;
}

void
broker_destroy (broker_t **self_p)
{
    assert (self_p);
    broker_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    self->stopped = true;
    while (self->heard) {
        worker_t *worker = self->heard;
        s_worker_remove (self, &worker);
    }
    while (self->silent) {
        dismissed_t *dismissed = self->silent;
        s_dismissed_remove (self, &dismissed);
    }
    services_destroy (&self->services);
    free (self);
}
