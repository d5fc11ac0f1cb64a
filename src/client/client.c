/*  =========================================================================
    client - requests to a Majordomo broker, 7/MDP MDP/Client

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "client.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "../protocol/mdp.h"
#include "wire.h"

#define TIMEOUT_MS 2500
#define RETRIES 3

struct _client_t {
    char *endpoint;             //  Where the broker is
    mdp_version_t version;      //  What we speak
    int64_t timeout_ms;         //  For one attempt
    int64_t retries;            //  Attempts after the first
    bool verbose;               //  Tell what goes on
    zsock_t *socket;            //  NULL after an attempt without a reply
    client_result_t result;     //  Of the last call
};

static const char *const s_result_texts [CLIENT_RESULT_COUNT] = {
    [CLIENT_OK] = "ok",
    [CLIENT_NO_REPLY] = "no reply",
    [CLIENT_INTERRUPTED] = "interrupted",
    [CLIENT_BAD_SERVICE] = "invalid service name",
    [CLIENT_NO_CONNECTION] = "no socket to be had",
    [CLIENT_NO_MEMORY] = "out of memory"
};

const char *
client_result_text (client_result_t result)
{
    assert (result < CLIENT_RESULT_COUNT);
    return s_result_texts [result];
}

client_t *
client_new (const char *endpoint)
{
    assert (endpoint);
    client_t *self = calloc (1, sizeof (client_t));
    if (!self)
        return NULL;
    self->version = MDP_0_1;
    self->timeout_ms = TIMEOUT_MS;
    self->retries = RETRIES;
    self->endpoint = strdup (endpoint);
    if (self->endpoint)
        self->socket = wire_connect (endpoint);
    if (!self->socket) {
        int reason = errno;
        client_destroy (&self);
        errno = reason;
    }
    return self;
}

void
client_destroy (client_t **self_p)
{
    assert (self_p);
    client_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zsock_destroy (&self->socket);
    free (self->endpoint);
    free (self);
}

void
client_set_timeout (client_t *self, int64_t timeout_ms)
{
    assert (timeout_ms > 0);
    self->timeout_ms = timeout_ms;
}

void
client_set_retries (client_t *self, int64_t retries)
{
    assert (retries >= 0);
    self->retries = retries;
}

void
client_set_version (client_t *self, mdp_version_t version)
{
    assert (version < MDP_VERSION_COUNT);
    self->version = version;
}

void
client_set_verbose (client_t *self, bool verbose)
{
    self->verbose = verbose;
}

client_result_t
client_result (const client_t *self)
{
    return self->result;
}

//  Whether a message answers our request. What does not is no reason to stop
//  waiting.
static bool
s_read (client_t *self, const frame_t *service, const message_t *message,
        mdp_command_t *command)
{
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_CLIENT, command);
    if (result == MDP_OK && command->version != self->version)
        result = MDP_UNKNOWN_HEADER;
    const char *reason = result != MDP_OK? mdp_result_text (result)
        : !frame_equal (command->service, service)
        ? "a reply from another service": NULL;
    if (reason && self->verbose)
        wire_notice ("dropped: %s", reason);
    return !reason;
}

//  Wait for a reply until the time is over. NULL with self->result.
static message_t *
s_await (client_t *self, const frame_t *service)
{
    int64_t until_ms = zclock_mono () + self->timeout_ms;
    message_t *body = message_new ();
    while (body) {
        wire_event_t event = wire_wait (self->socket, until_ms);
        if (event != WIRE_READABLE) {
            self->result = event == WIRE_TIMEOUT?
                CLIENT_NO_REPLY: CLIENT_INTERRUPTED;
            message_destroy (&body);
            return NULL;
        }
        mdp_command_t command;
        message_t *message = wire_receive (self->socket);
        bool answers = message && s_read (self, service, message, &command);
        bool final = answers && command.type == MDP_CLIENT_REPLY;
        if (answers && message_add_from (body, message, command.body))
            message_destroy (&body);
        message_destroy (&message);
        if (final && body) {
            self->result = CLIENT_OK;
            return body;
        }
        if (answers)            //  MDP2-CLIENT-29: there is more to come
            until_ms = zclock_mono () + self->timeout_ms;
    }
    self->result = CLIENT_NO_MEMORY;
    return NULL;
}

//  MDP/Client is synchronous: what has come before a request is sent belongs
//  to nothing.
static void
s_drain (client_t *self)
{
    while (wire_wait (self->socket, 0) == WIRE_READABLE) {
        message_t *message = wire_receive (self->socket);
        message_destroy (&message);
    }
}

//  7/MDP, MDP/Client: poll, and when there is no reply in time close the
//  socket, so that no late reply is taken for that to another request; then
//  send the request again on a new one, several times.
static message_t *
s_exchange (client_t *self, const frame_t *service, const message_t *request)
{
    for (int64_t attempt = 0; attempt <= self->retries; attempt++) {
        if (!self->socket)
            self->socket = wire_connect (self->endpoint);
        if (!self->socket) {
            self->result = CLIENT_NO_CONNECTION;
            return NULL;
        }
        s_drain (self);
        self->result = CLIENT_NO_MEMORY;
        message_t *reply = NULL;
        if (wire_send (self->socket, request) == 0)
            reply = s_await (self, service);
        if (reply)
            return reply;
        zsock_destroy (&self->socket);
        if (self->result != CLIENT_NO_REPLY)
            return NULL;
        if (self->verbose)
            wire_notice ("no reply within %" PRId64 " ms; retries left: %"
                         PRId64, self->timeout_ms,
                         self->retries - attempt);
    }
    return NULL;
}

message_t *
client_call (client_t *self, const char *service, const message_t *body)
{
    assert (self && service && body);
    assert (message_size (body) > 0);
    if (mdp_check_service (service, strlen (service)) != MDP_OK) {
        self->result = CLIENT_BAD_SERVICE;
        return NULL;
    }
    self->result = CLIENT_NO_MEMORY;
    message_t *reply = NULL;
    frame_t *name = frame_new (service, strlen (service));
    message_t *request = name?
        mdp_client_request (self->version, name, body, 0): NULL;
    if (request)
        reply = s_exchange (self, name, request);
    message_destroy (&request);
    frame_destroy (&name);
    return reply;
}
