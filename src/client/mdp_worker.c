/*  =========================================================================
    mdp_worker - one worker of a Majordomo broker, 7/MDP and 18/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mdp_worker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "../protocol/message.h"
#include "body.h"
#include "curve.h"
#include "ready.h"
#include "wire.h"

#define HEARTBEAT_MS 2500
#define LIVENESS 3
#define MAX_PAUSE_MS 32000

//  How long DISCONNECT may take to leave.
#define FLUSH_MS 1000

struct _mdp_worker_t {
    char *endpoint;             //  Where the broker is
    curve_t *curve;             //  Keys, NULL for none
    frame_t *service;           //  Name of the service
    mdp_version_t version;      //  What we speak
    int64_t heartbeat_ms;       //  Between two signs of life, both ways
    int64_t liveness;           //  Intervals of silence until the broker is
                                //  gone
    int64_t max_pause_ms;       //  Between two registrations
    bool verbose;               //  Tell what goes on
    ready_t *ready;             //  Knows the socket and the time
    zsock_t *socket;            //  NULL between two conversations
    int64_t vain;               //  Registrations that came to nothing so far
    int64_t opened_ms;          //  When the last one was
    int64_t open_ms;            //  Not before this time is the next
    int64_t sent_ms;            //  When we last sent anything
    int64_t heard_ms;           //  When a command last came
    bool busy;                  //  A request is in the caller's hands
    frame_t *client;            //  Whose request that is; NULL if its
                                //  conversation has ended
    message_t *next;            //  A REQUEST that came too early, whole
    bool unread;                //  The socket was not read until it was empty
    mdp_worker_result_t result; //  Of the last call
};

static const char *const s_result_texts [MDP_WORKER_RESULT_COUNT] = {
    [MDP_WORKER_OK] = "ok",
    [MDP_WORKER_PENDING] = "no request yet",
    [MDP_WORKER_INTERRUPTED] = "interrupted",
    [MDP_WORKER_NO_CONNECTION] = "no socket to be had",
    [MDP_WORKER_NO_MEMORY] = "out of memory"
};

const char *
mdp_worker_result_text (mdp_worker_result_t result)
{
    assert (result < MDP_WORKER_RESULT_COUNT);
    return s_result_texts [result];
}

static void
s_tell (const mdp_worker_t *self, const char *text)
{
    if (self->verbose)
        wire_notice ("%s", text);
}

mdp_worker_t *
mdp_worker_new (const char *endpoint, const char *service)
{
    assert (endpoint && service);
    if (mdp_check_service (service, strlen (service)) != MDP_OK) {
        errno = EINVAL;
        return NULL;
    }
    mdp_worker_t *self = calloc (1, sizeof (mdp_worker_t));
    if (!self)
        return NULL;
    self->version = MDP_0_1;
    self->heartbeat_ms = HEARTBEAT_MS;
    self->liveness = LIVENESS;
    self->max_pause_ms = MAX_PAUSE_MS;
    self->open_ms = zclock_mono ();
    self->endpoint = strdup (endpoint);
    self->service = frame_new (service, strlen (service));
    self->ready = ready_new ();
    if (!self->endpoint || !self->service || !self->ready) {
        int reason = errno;
        mdp_worker_destroy (&self);
        errno = reason;
        return NULL;
    }
    ready_set_time (self->ready, self->open_ms);
    return self;
}

//  End the conversation. The request in hand belongs to it, and so does one that
//  waits.
static void
s_close (mdp_worker_t *self)
{
    if (self->socket)
        ready_remove (self->ready, self->socket);
    zsock_destroy (&self->socket);
    frame_destroy (&self->client);
    message_destroy (&self->next);
    self->unread = false;
}

//  Send a command, which counts as a sign of life. A conversation in which
//  that is not possible is over.
static void
s_send (mdp_worker_t *self, message_t **message_p)
{
    if (*message_p && wire_send (self->socket, *message_p) == 0)
        self->sent_ms = zclock_mono ();
    else {
        s_tell (self, "a command could not be sent; registering again");
        s_close (self);
    }
    message_destroy (message_p);
}

void
mdp_worker_destroy (mdp_worker_t **self_p)
{
    assert (self_p);
    mdp_worker_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->socket) {
        zsock_set_linger (self->socket, FLUSH_MS);
        message_t *message = mdp_worker_disconnect (self->version, NULL);
        s_send (self, &message);
    }
    s_close (self);
    ready_destroy (&self->ready);
    curve_destroy (&self->curve);
    frame_destroy (&self->service);
    free (self->endpoint);
    free (self);
}

void
mdp_worker_set_heartbeat (mdp_worker_t *self, int64_t heartbeat_ms,
                          int64_t liveness)
{
    assert (heartbeat_ms > 0 && liveness > 0);
    self->heartbeat_ms = heartbeat_ms;
    self->liveness = liveness;
}

void
mdp_worker_set_max_pause (mdp_worker_t *self, int64_t max_pause_ms)
{
    assert (max_pause_ms > 0);
    self->max_pause_ms = max_pause_ms;
}

int
mdp_worker_set_version (mdp_worker_t *self, const char *version)
{
    assert (version);
    mdp_version_t number = mdp_version_of (version);
    if (number == MDP_VERSION_COUNT) {
        errno = EINVAL;
        return -1;
    }
    self->version = number;
    return 0;
}

int
mdp_worker_set_curve (mdp_worker_t *self, zcert_t *own, const char *server_key)
{
    return curve_set (&self->curve, own, server_key);
}

void
mdp_worker_set_verbose (mdp_worker_t *self, bool verbose)
{
    self->verbose = verbose;
}

int
mdp_worker_fd (const mdp_worker_t *self)
{
    return ready_fd (self->ready);
}

mdp_worker_result_t
mdp_worker_result (const mdp_worker_t *self)
{
    return self->result;
}

//  --------------------------------------------------------------------------
//  The conversation

//  From this registration to the next: one interval, and twice as much each time
//  in vain.
static int64_t
s_pause_ms (const mdp_worker_t *self)
{
    int64_t pause_ms = self->heartbeat_ms;
    for (int64_t nbr = 0; nbr < self->vain && pause_ms < self->max_pause_ms; nbr++)
        pause_ms *= 2;
    return pause_ms < self->max_pause_ms? pause_ms: self->max_pause_ms;
}

//  7/MDP, Opening and Closing a Connection: a new socket, then READY. A broker
//  that does not want us, or is not there, is left alone for longer each time.
//  -1 when no socket can be had.
static int
s_open (mdp_worker_t *self)
{
    self->socket = wire_connect (self->endpoint, self->curve);
    if (!self->socket)
        return -1;
    if (ready_add (self->ready, self->socket, self)) {
        int reason = errno;
        s_close (self);
        errno = reason;
        return -1;
    }
    self->opened_ms = self->heard_ms = zclock_mono ();
    self->open_ms = self->opened_ms + s_pause_ms (self);
    self->vain++;
    s_tell (self, "sends READY on a new socket");
    message_t *message = mdp_worker_ready (self->version, self->service);
    s_send (self, &message);
    return 0;
}

static void
s_beat (mdp_worker_t *self)
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
s_check_broker (mdp_worker_t *self)
{
    if (self->socket && !self->unread
    &&  zclock_mono () >= self->heard_ms
                        + self->heartbeat_ms * self->liveness) {
        s_tell (self, "the broker is silent; registering again");
        s_close (self);
    }
}

//  When there is something to do though nothing comes.
static int64_t
s_deadline (const mdp_worker_t *self)
{
    if (!self->socket)
        return self->busy? INT64_MAX: self->open_ms;
    int64_t beat_ms = self->sent_ms + self->heartbeat_ms;
    int64_t gone_ms = self->heard_ms + self->heartbeat_ms * self->liveness;
    return beat_ms < gone_ms || self->unread? beat_ms: gone_ms;
}

//  The descriptor tells of what comes, not of what waits: see ready.h
static void
s_arm (mdp_worker_t *self)
{
    bool waits = self->unread && !self->busy;
    ready_set_time (self->ready, waits? 0: s_deadline (self));
}

//  What to do about a message. True if it is a REQUEST.
static bool
s_handle (mdp_worker_t *self, const message_t *message)
{
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_WORKER, &command);
    if (result == MDP_OK && command.version != self->version)
        result = MDP_UNKNOWN_HEADER;
    if (result != MDP_OK) {
        s_tell (self, mdp_result_text (result));
        return false;
    }
    if (command.type == MDP_WORKER_DISCONNECT) {
        s_tell (self, "disconnected by the broker; registering again");
        s_close (self);
        return false;
    }
    //  7/MDP, Heartbeating: any command but DISCONNECT is a sign of life
    self->heard_ms = zclock_mono ();
    self->vain = 0;
    self->open_ms = self->opened_ms + s_pause_ms (self);
    if (command.type == MDP_WORKER_REQUEST)
        return true;
    if (command.type != MDP_WORKER_HEARTBEAT)
        s_tell (self, "the broker sent what a worker does not expect; dropped");
    return false;
}

//  Read what has come, until there is a REQUEST.
static void
s_receive (mdp_worker_t *self)
{
    message_t *message;
    while (!self->next && self->socket
    &&    (message = wire_receive (self->socket))) {
        if (s_handle (self, message))
            self->next = message;
        else
            message_destroy (&message);
    }
    if (!self->next && self->socket && errno == ENOMEM) {
        //  If it was a REQUEST, the broker must not wait for the reply
        s_tell (self, "what came could not be taken; registering again");
        s_close (self);
    }
    self->unread = self->next != NULL;
}

//  The REQUEST that has come is now in hand: its body, or NULL when there is
//  none.
static zmsg_t *
s_take (mdp_worker_t *self)
{
    if (!self->next)
        return NULL;
    mdp_command_t command;
    mdp_result_t result = mdp_decode (self->next, 0, MDP_AT_WORKER, &command);
    assert (result == MDP_OK);
    (void) result;
    zmsg_t *body = body_give (self->next, command.body);
    if (body) {
        s_tell (self, "received a REQUEST");
        self->client = frame_ref (command.client);
        self->busy = true;
        message_destroy (&self->next);
    }
    else
        //  The broker must not wait for a reply that cannot come
        s_close (self);
    return body;
}

//  Register if it is time. -1 when no socket can be had.
static int
s_register (mdp_worker_t *self)
{
    if (self->socket || self->busy || zclock_mono () < self->open_ms)
        return 0;
    if (s_open (self) == 0)
        return 0;
    self->result = MDP_WORKER_NO_CONNECTION;
    return -1;
}

zmsg_t *
mdp_worker_recv (mdp_worker_t *self)
{
    assert (self);
    assert (!self->busy);
    for (;;) {
        if (s_register (self))
            return NULL;
        s_beat (self);
        switch (self->next? WIRE_READABLE
                : wire_wait (self->socket, s_deadline (self))) {
            case WIRE_READABLE:
                s_receive (self);
                break;
            case WIRE_TIMEOUT:
                self->unread = false;
                s_check_broker (self);
                break;
            case WIRE_INTERRUPTED:
                self->result = MDP_WORKER_INTERRUPTED;
                return NULL;
        }
        zmsg_t *body = s_take (self);
        if (body) {
            s_arm (self);
            self->result = MDP_WORKER_OK;
            return body;
        }
    }
}

void
mdp_worker_tick (mdp_worker_t *self)
{
    assert (self);
    if (s_register (self))
        //  To be tried again; mdp_worker_recv tells
        self->open_ms = zclock_mono () + self->heartbeat_ms;
    s_beat (self);
    s_receive (self);
    s_check_broker (self);
    s_arm (self);
}

zmsg_t *
mdp_worker_recv_nowait (mdp_worker_t *self)
{
    assert (self);
    assert (!self->busy);
    self->result = MDP_WORKER_PENDING;
    mdp_worker_tick (self);
    zmsg_t *body = s_take (self);
    if (body)
        self->result = MDP_WORKER_OK;
    s_arm (self);
    return body;
}

mdp_worker_result_t
mdp_worker_stay (mdp_worker_t *self, int64_t ms)
{
    assert (self && ms >= 0);
    self->result = MDP_WORKER_OK;
    int64_t until_ms = zclock_mono () + ms;
    while (zclock_mono () < until_ms) {
        mdp_worker_tick (self);
        int64_t due_ms = s_deadline (self);
        //  A request that came too early waits; what is behind it is not read
        if (wire_wait (self->unread? NULL: self->socket,
                       due_ms < until_ms? due_ms: until_ms) == WIRE_INTERRUPTED) {
            self->result = MDP_WORKER_INTERRUPTED;
            break;
        }
    }
    return self->result;
}

//  Send a command with a body, which is taken, to the client of the request in
//  hand.
static int
s_answer (mdp_worker_t *self, zmsg_t **body_p, bool partial)
{
    assert (self && body_p && *body_p);
    assert (self->busy);
    assert (zmsg_size (*body_p) > 0);
    message_t *body = body_take (body_p);
    if (self->client) {
        message_t *message = !body? NULL: partial
            ? mdp_worker_partial (self->version, self->client, body, 0)
            : mdp_worker_reply (self->version, self->client, body, 0);
        s_send (self, &message);
    }
    message_destroy (&body);
    return self->client? 0: -1;
}

int
mdp_worker_send_partial (mdp_worker_t *self, zmsg_t **body_p)
{
    assert (self->version != MDP_0_1);
    int rc = s_answer (self, body_p, true);
    s_arm (self);
    return rc;
}

int
mdp_worker_send_reply (mdp_worker_t *self, zmsg_t **body_p)
{
    int rc = s_answer (self, body_p, false);
    frame_destroy (&self->client);
    self->busy = false;
    //  The socket was used: what is in it may not be told
    self->unread = self->socket != NULL;
    s_arm (self);
    return rc;
}
