/*  =========================================================================
    exchange - one request and its reply, on a socket of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "exchange.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

//  Longest reply taken: frames, as for one message of a server, and bytes.
#define REPLY_FRAMES_MAX 65536
#define REPLY_BYTES_MAX 268435456

struct _exchange_t {
    exchange_settings_t settings;
    uint64_t number;            //  By which the caller knows it
    frame_t *service;           //  Who is to answer
    message_t *request;         //  As it is sent
    ready_t *ready;             //  Borrowed; knows the socket. May be NULL
    zsock_t *socket;            //  Of this attempt; NULL when none can be had
    int64_t until_ms;           //  When this attempt is over
    int64_t retries;            //  Attempts left
    message_t *body;            //  What has come of the reply
    size_t bytes;               //  In it
    bool parted;                //  A PARTIAL has been given to the caller
    mdp_client_result_t result;
};

exchange_t *
exchange_new (const exchange_settings_t *settings, uint64_t number,
              const char *service, const message_t *body)
{
    exchange_t *self = calloc (1, sizeof (exchange_t));
    if (!self)
        return NULL;
    self->settings = *settings;
    self->number = number;
    self->retries = settings->retries;
    self->result = MDP_CLIENT_PENDING;
    self->service = frame_new (service, strlen (service));
    if (self->service)
        self->request = mdp_client_request (settings->version, self->service,
                                            body, 0);
    self->body = message_new ();
    if (!self->request || !self->body)
        exchange_destroy (&self);
    return self;
}

static void
s_hang_up (exchange_t *self)
{
    if (self->socket && self->ready)
        ready_remove (self->ready, self->socket);
    zsock_destroy (&self->socket);
}

void
exchange_destroy (exchange_t **self_p)
{
    assert (self_p);
    exchange_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    int reason = errno;         //  Why there is no connection
    s_hang_up (self);
    message_destroy (&self->body);
    message_destroy (&self->request);
    frame_destroy (&self->service);
    free (self);
    errno = reason;
}

static bool
s_readable (zsock_t *socket)
{
    return (zsock_events (socket) & ZMQ_POLLIN) != 0;
}

//  MDP/Client is synchronous: what has come before a request is sent belongs
//  to nothing.
static void
s_drain (zsock_t *socket)
{
    while (s_readable (socket)) {
        message_t *message = wire_receive (socket);
        message_destroy (&message);
    }
}

static void
s_attempt (exchange_t *self)
{
    if (!self->socket)
        self->socket = wire_connect (self->settings.endpoint,
                                     self->settings.curve);
    if (!self->socket
    || (self->ready && ready_add (self->ready, self->socket, self))) {
        self->result = MDP_CLIENT_NO_CONNECTION;
        return;
    }
    s_drain (self->socket);
    //  There is no connection any more, such as when the broker has refused it: then
    //  this attempt has no reply
    if (wire_send (self->socket, self->request) && errno != EAGAIN)
        self->result = MDP_CLIENT_NO_MEMORY;
    self->until_ms = zclock_mono () + self->settings.timeout_ms;
}

void
exchange_start (exchange_t *self, zsock_t *socket, ready_t *ready)
{
    assert (!self->socket);
    self->socket = socket;
    self->ready = ready;
    s_attempt (self);
}

//  Keep what an answer holds, if it is not too much.
static void
s_keep (exchange_t *self, const message_t *message,
        const mdp_command_t *command)
{
    size_t frames = message_size (message) - command->body;
    for (size_t index = command->body; index < message_size (message); index++)
        self->bytes += frame_size (message_frame (message, index));
    if (message_size (self->body) + frames > REPLY_FRAMES_MAX
    ||  self->bytes > REPLY_BYTES_MAX)
        self->result = MDP_CLIENT_TOO_LARGE;
    else
    if (message_add_from (self->body, message, command->body))
        self->result = MDP_CLIENT_NO_MEMORY;
    else
    if (command->type == MDP_CLIENT_REPLY)
        self->result = MDP_CLIENT_OK;
    else {
        //  MDP2-CLIENT-29: there is more to come
        self->until_ms = zclock_mono () + self->settings.timeout_ms;
        if (self->settings.partials) {
            self->result = MDP_CLIENT_MORE;
            self->parted = true;
        }
    }
}

//  A message may answer our request. What does not is no reason to stop
//  waiting.
static void
s_read (exchange_t *self, const message_t *message)
{
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_CLIENT, &command);
    if (result == MDP_OK && command.version != self->settings.version)
        result = MDP_UNKNOWN_HEADER;
    const char *reason = result != MDP_OK? mdp_result_text (result)
        : !frame_equal (command.service, self->service)
        ? "a reply from another service": NULL;
    if (!reason)
        s_keep (self, message, &command);
    else
    if (self->settings.verbose)
        wire_notice ("dropped: %s", reason);
}

//  7/MDP, MDP/Client: when there is no reply in time close the socket, so that
//  no late reply is taken for that to another request; then send the request
//  again on a new one, several times.
static void
s_again (exchange_t *self)
{
    if (self->settings.verbose)
        wire_notice ("no reply within %" PRId64 " ms; retries left: %" PRId64,
                     self->settings.timeout_ms,
                     self->parted? 0: self->retries);
    s_hang_up (self);
    message_destroy (&self->body);
    self->body = message_new ();
    self->bytes = 0;
    if (self->parted || self->retries == 0)
        self->result = MDP_CLIENT_NO_REPLY;
    else
    if (!self->body)
        self->result = MDP_CLIENT_NO_MEMORY;
    else {
        self->retries--;
        s_attempt (self);
    }
}

mdp_client_result_t
exchange_step (exchange_t *self)
{
    bool again = true;
    while (again && self->result == MDP_CLIENT_PENDING) {
        while (self->result == MDP_CLIENT_PENDING
        &&     s_readable (self->socket)) {
            message_t *message = wire_receive (self->socket);
            if (message)
                s_read (self, message);
            message_destroy (&message);
        }
        again = self->result == MDP_CLIENT_PENDING
             && zclock_mono () >= self->until_ms;
        if (again)
            s_again (self);
    }
    return self->result;
}

message_t *
exchange_take (exchange_t *self)
{
    message_t *body = self->body;
    self->body = NULL;
    if (self->result == MDP_CLIENT_MORE) {
        self->body = message_new ();
        self->result = self->body? MDP_CLIENT_PENDING: MDP_CLIENT_NO_MEMORY;
    }
    return body;
}

zsock_t *
exchange_release (exchange_t *self)
{
    zsock_t *socket = self->socket;
    if (socket && self->ready)
        ready_remove (self->ready, socket);
    self->socket = NULL;
    return socket;
}

uint64_t
exchange_number (const exchange_t *self)
{
    return self->number;
}

zsock_t *
exchange_socket (const exchange_t *self)
{
    return self->socket;
}

int64_t
exchange_until_ms (const exchange_t *self)
{
    return self->until_ms;
}
