/*  =========================================================================
    titanic_client - requests that Titanic keeps, 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "titanic_client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "../protocol/tsp.h"
#include "mdp_client.h"
#include "wire.h"

#define RETRIES 3
#define FIRST_PAUSE_MS 500
#define LONGEST_PAUSE_MS 8000

struct _titanic_client_t {
    mdp_client_t *client;       //  Of the broker
    int64_t retries;            //  After a 500, where it is not waited for
    int64_t first_pause_ms;     //  Before it is asked again
    int64_t longest_pause_ms;   //  To which pauses grow
    bool verbose;               //  Tell each status
    titanic_client_result_t result; //  Of the last call
};

//  Pauses that grow, until a time.
typedef struct {
    int64_t pause_ms;           //  The next
    int64_t until_ms;           //  No more after this; INT64_MAX for never
} pauses_t;

static const char *const s_result_texts [TITANIC_CLIENT_RESULT_COUNT] = {
    [TITANIC_CLIENT_OK] = "ok (200)",
    [TITANIC_CLIENT_PENDING] = "pending (300)",
    [TITANIC_CLIENT_UNKNOWN] = "unknown or invalid (400)",
    [TITANIC_CLIENT_ERROR] = "error in the server (500); try again later",
    [TITANIC_CLIENT_MALFORMED] = "the reply has no status, or no id",
    [TITANIC_CLIENT_NO_REPLY] = "no reply",
    [TITANIC_CLIENT_INTERRUPTED] = "interrupted",
    [TITANIC_CLIENT_BAD_SERVICE] = "invalid service name",
    [TITANIC_CLIENT_BAD_BODY] = "a body without frames",
    [TITANIC_CLIENT_TOO_LARGE] = "the reply is too large",
    [TITANIC_CLIENT_NO_CONNECTION] = "no socket to be had",
    [TITANIC_CLIENT_NO_MEMORY] = "out of memory"
};

const char *
titanic_client_result_text (titanic_client_result_t result)
{
    assert (result < TITANIC_CLIENT_RESULT_COUNT);
    return s_result_texts [result];
}

titanic_client_t *
titanic_client_new (const char *endpoint)
{
    titanic_client_t *self = calloc (1, sizeof (titanic_client_t));
    if (!self)
        return NULL;
    self->retries = RETRIES;
    self->first_pause_ms = FIRST_PAUSE_MS;
    self->longest_pause_ms = LONGEST_PAUSE_MS;
    self->client = mdp_client_new (endpoint);
    if (!self->client) {
        int reason = errno;
        titanic_client_destroy (&self);
        errno = reason;
    }
    return self;
}

void
titanic_client_destroy (titanic_client_t **self_p)
{
    assert (self_p);
    titanic_client_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    mdp_client_destroy (&self->client);
    free (self);
}

void
titanic_client_set_timeout (titanic_client_t *self, int64_t timeout_ms)
{
    mdp_client_set_timeout (self->client, timeout_ms);
}

void
titanic_client_set_retries (titanic_client_t *self, int64_t retries)
{
    mdp_client_set_retries (self->client, retries);
    self->retries = retries;
}

void
titanic_client_set_pause (titanic_client_t *self, int64_t first_ms,
                          int64_t longest_ms)
{
    assert (first_ms > 0 && longest_ms > 0);
    self->first_pause_ms = first_ms;
    self->longest_pause_ms = longest_ms;
}

int
titanic_client_set_version (titanic_client_t *self, const char *version)
{
    return mdp_client_set_version (self->client, version);
}

int
titanic_client_set_curve (titanic_client_t *self, zcert_t *own,
                          const char *server_key)
{
    return mdp_client_set_curve (self->client, own, server_key);
}

void
titanic_client_set_verbose (titanic_client_t *self, bool verbose)
{
    self->verbose = verbose;
    mdp_client_set_verbose (self->client, verbose);
}

titanic_client_result_t
titanic_client_result (const titanic_client_t *self)
{
    return self->result;
}

//  --------------------------------------------------------------------------
//  One question

//  Why there is no answer.
static titanic_client_result_t
s_reason (mdp_client_result_t result)
{
    switch (result) {
        case MDP_CLIENT_NO_REPLY:
            return TITANIC_CLIENT_NO_REPLY;
        case MDP_CLIENT_INTERRUPTED:
            return TITANIC_CLIENT_INTERRUPTED;
        case MDP_CLIENT_TOO_LARGE:
            return TITANIC_CLIENT_TOO_LARGE;
        case MDP_CLIENT_NO_CONNECTION:
            return TITANIC_CLIENT_NO_CONNECTION;
        default:
            return TITANIC_CLIENT_NO_MEMORY;
    }
}

//  TSP-STATUS-03: what stands behind the code means nothing
static titanic_client_result_t
s_status (zframe_t *zframe)
{
    frame_t *frame = frame_new (zframe_data (zframe), zframe_size (zframe));
    int status = frame? tsp_status_read (frame): 0;
    titanic_client_result_t result = !frame? TITANIC_CLIENT_NO_MEMORY
        : status == TSP_OK? TITANIC_CLIENT_OK
        : status == TSP_PENDING? TITANIC_CLIENT_PENDING
        : status == TSP_UNKNOWN? TITANIC_CLIENT_UNKNOWN
        : status == TSP_ERROR? TITANIC_CLIENT_ERROR: TITANIC_CLIENT_MALFORMED;
    frame_destroy (&frame);
    return result;
}

//  Ask one of Titanic's services: what follows a 200, or NULL with self->result.
static zmsg_t *
s_ask (titanic_client_t *self, const char *service, zmsg_t **body_p)
{
    zmsg_t *reply = mdp_client_call (self->client, service, body_p);
    if (reply) {
        zframe_t *status = zmsg_pop (reply);
        self->result = s_status (status);
        zframe_destroy (&status);
        if (self->result != TITANIC_CLIENT_OK)
            zmsg_destroy (&reply);
    }
    else
        self->result = s_reason (mdp_client_result (self->client));
    if (self->verbose)
        wire_notice ("%s: %s", service,
                     titanic_client_result_text (self->result));
    return reply;
}

static zmsg_t *
s_ask_id (titanic_client_t *self, const char *service, const char *id)
{
    zmsg_t *body = zmsg_new ();
    if (body && zmsg_addstr (body, id) == 0)
        return s_ask (self, service, &body);
    zmsg_destroy (&body);
    self->result = TITANIC_CLIENT_NO_MEMORY;
    return NULL;
}

//  --------------------------------------------------------------------------
//  Questions again

static pauses_t
s_pauses (const titanic_client_t *self, int64_t wait_ms)
{
    return (pauses_t) {
        .pause_ms = self->first_pause_ms,
        .until_ms = wait_ms < 0? INT64_MAX: zclock_mono () + wait_ms
    };
}

//  Wait until it is time to ask again. False when there is no time left, or a
//  signal came.
static bool
s_pause (titanic_client_t *self, pauses_t *pauses)
{
    int64_t now_ms = zclock_mono ();
    if (now_ms >= pauses->until_ms)
        return false;
    int64_t next_ms = now_ms + (pauses->pause_ms < self->longest_pause_ms
                                ? pauses->pause_ms: self->longest_pause_ms);
    if (wire_wait (NULL, next_ms < pauses->until_ms
                   ? next_ms: pauses->until_ms) == WIRE_INTERRUPTED) {
        self->result = TITANIC_CLIENT_INTERRUPTED;
        return false;
    }
    if (pauses->pause_ms < self->longest_pause_ms)
        pauses->pause_ms *= 2;
    return true;
}

//  TSP-STATUS-13: after a 500 ask again later, so many times and not for ever
static bool
s_again (titanic_client_t *self, int64_t *tries_p, pauses_t *pauses)
{
    return self->result == TITANIC_CLIENT_ERROR && (*tries_p)-- > 0
        && s_pause (self, pauses);
}

//  The id as the server wrote it: to another one, case may matter. NULL with
//  self->result.
static char *
s_id (titanic_client_t *self, zmsg_t *reply)
{
    zframe_t *zframe = zmsg_first (reply);
    frame_t *frame = zframe
        ? frame_new (zframe_data (zframe), zframe_size (zframe)): NULL;
    request_id_t number;
    char *id = NULL;
    self->result = zframe && !frame? TITANIC_CLIENT_NO_MEMORY
                                   : TITANIC_CLIENT_MALFORMED;
    if (frame && tsp_id_read (frame, &number) == 0) {
        id = zframe_strdup (zframe);
        self->result = id? TITANIC_CLIENT_OK: TITANIC_CLIENT_NO_MEMORY;
    }
    frame_destroy (&frame);
    return id;
}

char *
titanic_client_store (titanic_client_t *self, const char *service,
                      zmsg_t **body_p)
{
    assert (self && service && body_p && *body_p);
    bool named = mdp_check_service (service, strlen (service)) == MDP_OK;
    if (!named || zmsg_size (*body_p) == 0) {
        zmsg_destroy (body_p);
        self->result = named? TITANIC_CLIENT_BAD_BODY
                            : TITANIC_CLIENT_BAD_SERVICE;
        return NULL;
    }
    //  9/TSP, The titanic.request Service: the target service, then its body
    zmsg_pushstr (*body_p, service);
    int64_t tries = self->retries;
    pauses_t pauses = s_pauses (self, -1);
    zmsg_t *reply;
    do {
        zmsg_t *body = zmsg_dup (*body_p);
        reply = s_ask (self, "titanic.request", &body);
    } while (!reply && s_again (self, &tries, &pauses));
    char *id = reply? s_id (self, reply): NULL;
    zmsg_destroy (&reply);
    zmsg_destroy (body_p);
    return id;
}

zmsg_t *
titanic_client_fetch (titanic_client_t *self, const char *id)
{
    assert (self && id);
    return s_ask_id (self, "titanic.reply", id);
}

zmsg_t *
titanic_client_wait (titanic_client_t *self, const char *id, int64_t wait_ms)
{
    assert (self && id);
    pauses_t pauses = s_pauses (self, wait_ms);
    zmsg_t *reply;
    do
        reply = titanic_client_fetch (self, id);
    while (!reply
    &&    (self->result == TITANIC_CLIENT_PENDING
    ||     self->result == TITANIC_CLIENT_ERROR)
    &&     s_pause (self, &pauses));
    return reply;
}

int
titanic_client_close (titanic_client_t *self, const char *id)
{
    assert (self && id);
    int64_t tries = self->retries;
    pauses_t pauses = s_pauses (self, -1);
    zmsg_t *reply;
    do
        reply = s_ask_id (self, "titanic.close", id);
    while (!reply && s_again (self, &tries, &pauses));
    zmsg_destroy (&reply);
    return self->result == TITANIC_CLIENT_OK? 0: -1;
}

zmsg_t *
titanic_client_call (titanic_client_t *self, const char *service,
                     zmsg_t **body_p, int64_t wait_ms, char **id_p)
{
    assert (id_p);
    *id_p = titanic_client_store (self, service, body_p);
    if (!*id_p)
        return NULL;
    zmsg_t *reply = titanic_client_wait (self, *id_p, wait_ms);
    //  9/TSP: what is unknown is not there to be closed
    if ((reply && titanic_client_close (self, *id_p) == 0)
    || (!reply && self->result == TITANIC_CLIENT_UNKNOWN))
        zstr_free (id_p);
    return reply;
}
