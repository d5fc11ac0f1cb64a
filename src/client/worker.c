/*  =========================================================================
    worker - one worker of a Majordomo broker, 7/MDP and 18/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "../protocol/mdp.h"
#include "wire.h"

//  How long DISCONNECT may take to leave.
#define FLUSH_MS 1000

struct _worker_t {
    char *endpoint;             //  Where the broker is
    frame_t *service;           //  Name of the service
    mdp_version_t version;      //  What we speak
    int64_t heartbeat_ms;       //  Between two signs of life, both ways
    int64_t liveness;           //  Intervals of silence until the broker is
                                //  gone
    bool verbose;               //  Tell what goes on
    zsock_t *socket;            //  NULL between two conversations
    int64_t open_ms;            //  Not before this time is a new one opened
    int64_t sent_ms;            //  When we last sent anything
    int64_t heard_ms;           //  When a command last came
    frame_t *client;            //  Whose request is in hand, NULL for none
    worker_result_t result;     //  Of the last worker_recv
};

static const char *const s_result_texts [WORKER_RESULT_COUNT] = {
    [WORKER_OK] = "ok",
    [WORKER_INTERRUPTED] = "interrupted",
    [WORKER_NO_CONNECTION] = "no socket to be had",
    [WORKER_NO_MEMORY] = "out of memory"
};

const char *
worker_result_text (worker_result_t result)
{
    assert (result < WORKER_RESULT_COUNT);
    return s_result_texts [result];
}

static void
s_tell (const worker_t *self, const char *text)
{
    if (self->verbose)
        wire_notice ("%s", text);
}

static void
s_close (worker_t *self)
{
    zsock_destroy (&self->socket);
    frame_destroy (&self->client);
}

//  Send a command, which counts as a sign of life. A conversation in which
//  that is not possible is over.
static void
s_send (worker_t *self, message_t **message_p)
{
    if (*message_p && wire_send (self->socket, *message_p) == 0)
        self->sent_ms = zclock_mono ();
    else {
        s_tell (self, "a command could not be sent; registering again");
        s_close (self);
    }
    message_destroy (message_p);
}

//  7/MDP, Opening and Closing a Connection: a new socket, then READY. Not more
//  often than once an interval, should the broker not want us. -1 when no
//  socket can be had.
static int
s_open (worker_t *self)
{
    self->socket = wire_connect (self->endpoint);
    if (!self->socket)
        return -1;
    int64_t now_ms = zclock_mono ();
    self->heard_ms = now_ms;
    self->open_ms = now_ms + self->heartbeat_ms;
    s_tell (self, "sends READY on a new socket");
    message_t *message = mdp_worker_ready (self->version, self->service);
    s_send (self, &message);
    return 0;
}

worker_t *
worker_new (const char *endpoint, const char *service, mdp_version_t version,
            int64_t heartbeat_ms, int64_t liveness)
{
    assert (endpoint && service && heartbeat_ms > 0 && liveness > 0);
    assert (version < MDP_VERSION_COUNT);
    if (mdp_check_service (service, strlen (service)) != MDP_OK) {
        errno = EINVAL;
        return NULL;
    }
    worker_t *self = calloc (1, sizeof (worker_t));
    if (!self)
        return NULL;
    self->version = version;
    self->heartbeat_ms = heartbeat_ms;
    self->liveness = liveness;
    self->endpoint = strdup (endpoint);
    self->service = frame_new (service, strlen (service));
    if (!self->endpoint || !self->service || s_open (self)) {
        int reason = errno;
        worker_destroy (&self);
        errno = reason;
    }
    return self;
}

void
worker_destroy (worker_t **self_p)
{
    assert (self_p);
    worker_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->socket) {
        zsock_set_linger (self->socket, FLUSH_MS);
        message_t *message = mdp_worker_disconnect (self->version, NULL);
        s_send (self, &message);
    }
    s_close (self);
    frame_destroy (&self->service);
    free (self->endpoint);
    free (self);
}

void
worker_set_verbose (worker_t *self, bool verbose)
{
    self->verbose = verbose;
}

worker_result_t
worker_result (const worker_t *self)
{
    return self->result;
}

void
worker_beat (worker_t *self)
{
    if (self->socket
    &&  zclock_mono () >= self->sent_ms + self->heartbeat_ms) {
        message_t *message = mdp_worker_heartbeat (self->version, NULL);
        s_send (self, &message);
    }
}

//  7/MDP, Heartbeating. Asked only when no message waits, since what has come
//  while the caller was at work shows that the broker is there.
static void
s_check_broker (worker_t *self)
{
    if (self->socket
    &&  zclock_mono () >= self->heard_ms
                        + self->heartbeat_ms * self->liveness) {
        s_tell (self, "the broker is silent; registering again");
        s_close (self);
    }
}

//  When there is something to do though nothing comes.
static int64_t
s_deadline (const worker_t *self)
{
    if (!self->socket)
        return self->open_ms;
    int64_t beat_ms = self->sent_ms + self->heartbeat_ms;
    int64_t gone_ms = self->heard_ms + self->heartbeat_ms * self->liveness;
    return beat_ms < gone_ms? beat_ms: gone_ms;
}

//  What to do about a message: the body if it is a request, else NULL.
static message_t *
s_handle (worker_t *self, const message_t *message)
{
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_WORKER, &command);
    if (result == MDP_OK && command.version != self->version)
        result = MDP_UNKNOWN_HEADER;
    if (result != MDP_OK) {
        s_tell (self, mdp_result_text (result));
        return NULL;
    }
    if (command.type == MDP_WORKER_DISCONNECT) {
        s_tell (self, "disconnected by the broker; registering again");
        s_close (self);
        return NULL;
    }
    //  7/MDP, Heartbeating: any command but DISCONNECT is a sign of life
    self->heard_ms = zclock_mono ();
    if (command.type == MDP_WORKER_HEARTBEAT)
        return NULL;
    if (command.type != MDP_WORKER_REQUEST) {
        s_tell (self, "the broker sent what a worker does not expect; dropped");
        return NULL;
    }
    message_t *body = message_slice (message, command.body);
    if (body) {
        s_tell (self, "received a REQUEST");
        self->client = frame_ref (command.client);
    }
    else
        //  The broker must not wait for a reply that cannot come
        s_close (self);
    return body;
}

//  What has come: the body of the first request, or NULL if there is none.
static message_t *
s_receive (worker_t *self)
{
    message_t *body = NULL;
    message_t *message;
    while (!body && self->socket
    &&    (message = wire_receive (self->socket))) {
        body = s_handle (self, message);
        message_destroy (&message);
    }
    return body;
}

message_t *
worker_recv (worker_t *self)
{
    assert (self);
    assert (!self->client);
    for (;;) {
        if (!self->socket && zclock_mono () >= self->open_ms
        &&  s_open (self)) {
            self->result = WORKER_NO_CONNECTION;
            return NULL;
        }
        worker_beat (self);
        message_t *body = NULL;
        switch (wire_wait (self->socket, s_deadline (self))) {
            case WIRE_READABLE:
                body = s_receive (self);
                break;
            case WIRE_TIMEOUT:
                s_check_broker (self);
                break;
            case WIRE_INTERRUPTED:
                self->result = WORKER_INTERRUPTED;
                return NULL;
        }
        if (body) {
            self->result = WORKER_OK;
            return body;
        }
    }
}

worker_result_t
worker_stay (worker_t *self, int64_t ms)
{
    assert (self && ms >= 0);
    int64_t until_ms = zclock_mono () + ms;
    while (zclock_mono () < until_ms) {
        worker_beat (self);
        int64_t beat_ms = self->sent_ms + self->heartbeat_ms;
        //  What comes waits until there is a reply, so that no socket is polled
        if (wire_wait (NULL, self->socket && beat_ms < until_ms
                       ? beat_ms: until_ms) == WIRE_INTERRUPTED)
            return WORKER_INTERRUPTED;
    }
    return WORKER_OK;
}

void
worker_partial (worker_t *self, const message_t *body)
{
    assert (self && body);
    assert (self->version != MDP_0_1);
    assert (message_size (body) > 0);
    //  The conversation may have ended with worker_beat
    if (self->socket) {
        assert (self->client);
        message_t *message = mdp_worker_partial (self->version, self->client,
                                                 body, 0);
        s_send (self, &message);
    }
}

void
worker_reply (worker_t *self, const message_t *body)
{
    assert (self && body);
    assert (message_size (body) > 0);
    if (self->socket) {
        assert (self->client);
        message_t *message = mdp_worker_reply (self->version, self->client,
                                               body, 0);
        s_send (self, &message);
    }
    frame_destroy (&self->client);
}
