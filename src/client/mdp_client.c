/*  =========================================================================
    mdp_client - requests to a Majordomo broker, 7/MDP and 18/MDP MDP/Client

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mdp_client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "../protocol/message.h"
#include "body.h"
#include "curve.h"
#include "exchange.h"
#include "ready.h"
#include "wire.h"

#define TIMEOUT_MS 2500
#define RETRIES 3
#define IN_FLIGHT_MAX 256

struct _mdp_client_t {
    char *endpoint;             //  Where the broker is
    curve_t *curve;             //  Keys, NULL for none
    exchange_settings_t settings;   //  For the next request
    size_t in_flight_max;       //  Most requests at a time
    uint64_t last;              //  Number of the last request
    zlist_t *exchanges;         //  What is in flight, oldest first
    zlist_t *idle;              //  Sockets whose last reply has come
    ready_t *ready;             //  Knows the sockets in flight
    int64_t due_ms;             //  When one of them must be looked at
    mdp_client_result_t result; //  Of the last call
};

static const char *const s_result_texts [MDP_CLIENT_RESULT_COUNT] = {
    [MDP_CLIENT_OK] = "ok",
    [MDP_CLIENT_MORE] = "part of a reply",
    [MDP_CLIENT_PENDING] = "no reply yet",
    [MDP_CLIENT_IDLE] = "no request in flight",
    [MDP_CLIENT_NO_REPLY] = "no reply",
    [MDP_CLIENT_INTERRUPTED] = "interrupted",
    [MDP_CLIENT_BAD_SERVICE] = "invalid service name",
    [MDP_CLIENT_BAD_BODY] = "a body without frames",
    [MDP_CLIENT_FULL] = "too many requests in flight",
    [MDP_CLIENT_TOO_LARGE] = "the reply is too large",
    [MDP_CLIENT_NO_CONNECTION] = "no socket to be had",
    [MDP_CLIENT_NO_MEMORY] = "out of memory"
};

const char *
mdp_client_result_text (mdp_client_result_t result)
{
    assert (result < MDP_CLIENT_RESULT_COUNT);
    return s_result_texts [result];
}

mdp_client_t *
mdp_client_new (const char *endpoint)
{
    assert (endpoint);
    mdp_client_t *self = calloc (1, sizeof (mdp_client_t));
    if (!self)
        return NULL;
    self->settings.version = MDP_0_1;
    self->settings.timeout_ms = TIMEOUT_MS;
    self->settings.retries = RETRIES;
    self->in_flight_max = IN_FLIGHT_MAX;
    self->due_ms = INT64_MAX;
    self->endpoint = strdup (endpoint);
    self->exchanges = zlist_new ();
    self->idle = zlist_new ();
    self->ready = ready_new ();
    if (!self->endpoint || !self->exchanges || !self->idle || !self->ready) {
        int reason = errno;
        mdp_client_destroy (&self);
        errno = reason;
        return NULL;
    }
    self->settings.endpoint = self->endpoint;
    return self;
}

static void
s_drop_idle (mdp_client_t *self)
{
    zsock_t *socket;
    while (self->idle && (socket = zlist_pop (self->idle)))
        zsock_destroy (&socket);
}

void
mdp_client_destroy (mdp_client_t **self_p)
{
    assert (self_p);
    mdp_client_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    exchange_t *exchange;
    while (self->exchanges && (exchange = zlist_pop (self->exchanges)))
        exchange_destroy (&exchange);
    s_drop_idle (self);
    zlist_destroy (&self->exchanges);
    zlist_destroy (&self->idle);
    ready_destroy (&self->ready);
    curve_destroy (&self->curve);
    free (self->endpoint);
    free (self);
}

void
mdp_client_set_timeout (mdp_client_t *self, int64_t timeout_ms)
{
    assert (timeout_ms > 0);
    self->settings.timeout_ms = timeout_ms;
}

void
mdp_client_set_retries (mdp_client_t *self, int64_t retries)
{
    assert (retries >= 0);
    self->settings.retries = retries;
}

int
mdp_client_set_version (mdp_client_t *self, const char *version)
{
    assert (version);
    mdp_version_t number = mdp_version_of (version);
    if (number == MDP_VERSION_COUNT) {
        errno = EINVAL;
        return -1;
    }
    self->settings.version = number;
    return 0;
}

int
mdp_client_set_curve (mdp_client_t *self, zcert_t *own, const char *server_key)
{
    if (zlist_size (self->exchanges)) {
        errno = EBUSY;
        return -1;
    }
    if (curve_set (&self->curve, own, server_key))
        return -1;
    self->settings.curve = self->curve;
    s_drop_idle (self);
    return 0;
}

void
mdp_client_set_max_in_flight (mdp_client_t *self, size_t max)
{
    assert (max > 0);
    self->in_flight_max = max;
}

void
mdp_client_set_partials (mdp_client_t *self, bool partials)
{
    self->settings.partials = partials;
}

void
mdp_client_set_verbose (mdp_client_t *self, bool verbose)
{
    self->settings.verbose = verbose;
}

int
mdp_client_fd (const mdp_client_t *self)
{
    return ready_fd (self->ready);
}

size_t
mdp_client_in_flight (const mdp_client_t *self)
{
    return zlist_size (self->exchanges);
}

mdp_client_result_t
mdp_client_result (const mdp_client_t *self)
{
    return self->result;
}

//  --------------------------------------------------------------------------
//  Requests, both ways of waiting

//  A request that is not sent yet; NULL with self->result. The body is taken.
static exchange_t *
s_exchange (mdp_client_t *self, const char *service, zmsg_t **body_p,
            const exchange_settings_t *settings)
{
    exchange_t *exchange = NULL;
    if (mdp_check_service (service, strlen (service)) != MDP_OK)
        self->result = MDP_CLIENT_BAD_SERVICE;
    else
    if (zmsg_size (*body_p) == 0)
        self->result = MDP_CLIENT_BAD_BODY;
    else {
        self->result = MDP_CLIENT_NO_MEMORY;
        message_t *body = body_take (body_p);
        if (body)
            exchange = exchange_new (settings, ++self->last, service, body);
        message_destroy (&body);
    }
    zmsg_destroy (body_p);
    return exchange;
}

//  What came of an exchange that has come so far. It is destroyed, unless there
//  is more to come.
static zmsg_t *
s_finish (mdp_client_t *self, exchange_t **exchange_p)
{
    exchange_t *exchange = *exchange_p;
    zmsg_t *reply = NULL;
    self->result = exchange_step (exchange);
    if (self->result == MDP_CLIENT_OK || self->result == MDP_CLIENT_MORE) {
        message_t *body = exchange_take (exchange);
        reply = body_give (body, 0);
        message_destroy (&body);
        if (!reply)
            self->result = MDP_CLIENT_NO_MEMORY;
    }
    if (self->result == MDP_CLIENT_MORE)
        return reply;
    zsock_t *socket = self->result == MDP_CLIENT_OK?
        exchange_release (exchange): NULL;
    if (socket && zlist_push (self->idle, socket))
        zsock_destroy (&socket);
    exchange_destroy (exchange_p);
    return reply;
}

zmsg_t *
mdp_client_call (mdp_client_t *self, const char *service, zmsg_t **body_p)
{
    assert (self && service && body_p && *body_p);
    exchange_settings_t settings = self->settings;
    settings.partials = false;
    exchange_t *exchange = s_exchange (self, service, body_p, &settings);
    if (!exchange)
        return NULL;
    exchange_start (exchange, zlist_pop (self->idle), NULL);
    while (exchange_step (exchange) == MDP_CLIENT_PENDING)
        if (wire_wait (exchange_socket (exchange),
                       exchange_until_ms (exchange)) == WIRE_INTERRUPTED) {
            self->result = MDP_CLIENT_INTERRUPTED;
            exchange_destroy (&exchange);
            return NULL;
        }
    return s_finish (self, &exchange);
}

//  --------------------------------------------------------------------------
//  Requests in flight

static void
s_set_due (mdp_client_t *self, int64_t due_ms)
{
    self->due_ms = due_ms;
    ready_set_time (self->ready, due_ms);
}

uint64_t
mdp_client_send (mdp_client_t *self, const char *service, zmsg_t **body_p)
{
    assert (self && service && body_p && *body_p);
    if (zlist_size (self->exchanges) >= self->in_flight_max) {
        zmsg_destroy (body_p);
        self->result = MDP_CLIENT_FULL;
        return 0;
    }
    exchange_t *exchange = s_exchange (self, service, body_p, &self->settings);
    if (!exchange)
        return 0;
    exchange_start (exchange, zlist_pop (self->idle), self->ready);
    //  Its socket was used, so that it must be read: see ready.h
    self->result = exchange_step (exchange);
    if (self->result == MDP_CLIENT_NO_CONNECTION
    ||  self->result == MDP_CLIENT_NO_MEMORY
    ||  zlist_append (self->exchanges, exchange)) {
        exchange_destroy (&exchange);
        return 0;
    }
    int64_t due_ms = self->result == MDP_CLIENT_PENDING?
        exchange_until_ms (exchange): 0;
    if (due_ms < self->due_ms)
        s_set_due (self, due_ms);
    self->result = MDP_CLIENT_OK;
    return self->last;
}

//  Look at all that is in flight: one that has come so far, if there is one. More
//  may follow then, so that the time stays.
static exchange_t *
s_scan (mdp_client_t *self)
{
    int64_t due_ms = INT64_MAX;
    for (exchange_t *exchange = zlist_first (self->exchanges); exchange;
         exchange = zlist_next (self->exchanges)) {
        if (exchange_step (exchange) != MDP_CLIENT_PENDING)
            return exchange;
        if (exchange_until_ms (exchange) < due_ms)
            due_ms = exchange_until_ms (exchange);
    }
    s_set_due (self, due_ms);
    return NULL;
}

static exchange_t *
s_next (mdp_client_t *self)
{
    exchange_t *exchange = NULL;
    if (zclock_mono () >= self->due_ms)
        exchange = s_scan (self);
    while (!exchange && (exchange = ready_next (self->ready)))
        if (exchange_step (exchange) == MDP_CLIENT_PENDING)
            exchange = NULL;
    return exchange;
}

zmsg_t *
mdp_client_recv_nowait (mdp_client_t *self, uint64_t *number_p)
{
    assert (self);
    exchange_t *exchange = s_next (self);
    if (number_p)
        *number_p = exchange? exchange_number (exchange): 0;
    if (!exchange) {
        self->result = zlist_size (self->exchanges)?
            MDP_CLIENT_PENDING: MDP_CLIENT_IDLE;
        //  Perhaps it was set for what has come long since
        if (self->result == MDP_CLIENT_IDLE)
            s_set_due (self, INT64_MAX);
        return NULL;
    }
    exchange_t *found = exchange;
    zmsg_t *reply = s_finish (self, &exchange);
    if (exchange)
        //  More of it may have come already, of which its socket does not tell
        s_set_due (self, 0);
    else
        zlist_remove (self->exchanges, found);
    return reply;
}

zmsg_t *
mdp_client_recv (mdp_client_t *self, uint64_t *number_p)
{
    for (;;) {
        zmsg_t *reply = mdp_client_recv_nowait (self, number_p);
        if (self->result != MDP_CLIENT_PENDING)
            return reply;
        if (!ready_wait (self->ready)) {
            self->result = MDP_CLIENT_INTERRUPTED;
            return NULL;
        }
    }
}
