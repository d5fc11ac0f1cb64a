/*  =========================================================================
    ticlient - requests that Titanic keeps, 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <czmq.h>

#include "../protocol/tsp.h"
#include "tool.h"
#include "wire.h"

static const option_t s_table [] = {
    TOOL_CLIENT_OPTIONS,
    { "poll", 'p', OPTION_NUMBER, "MS",
      "call: milliseconds between two looks for the reply", "500", 1,
      TOOL_DAY_MS },
    { "wait", 'w', OPTION_NUMBER, "MS",
      "call: milliseconds until it stops looking, 0 for never", "0", 0,
      TOOL_DAY_MS },
    TOOL_LAST_OPTION
};

typedef struct {
    const options_t *options;   //  Borrowed
    client_t *client;           //  Of the broker
    char id [TSP_ID_DIGITS + 1];    //  Of the request that call has stored
} ticlient_t;

//  Ask one of Titanic's services once. The reply with its status; NULL and 0 after
//  an error message.
static message_t *
s_ask_once (ticlient_t *self, const char *service, const message_t *body,
            int *status)
{
    *status = 0;
    message_t *reply = client_call (self->client, service, body);
    if (!reply) {
        wire_notice ("%s: %s", service,
                     client_result_text (client_result (self->client)));
        return NULL;
    }
    *status = tsp_status_read (message_frame (reply, 0));
    if (*status == 0) {
        wire_notice ("%s: the reply has no status", service);
        message_destroy (&reply);
    }
    else
    if (options_flag (self->options, "verbose"))
        wire_notice ("%s: %d", service, *status);
    return reply;
}

//  When it stops looking; 0 for never.
static int64_t
s_until_ms (const ticlient_t *self)
{
    int64_t wait_ms = options_number (self->options, "wait");
    return wait_ms? zclock_mono () + wait_ms: 0;
}

//  Wait for the time between two looks; false when there is to be no other.
static bool
s_pause (const ticlient_t *self, int64_t until_ms)
{
    int64_t next_ms = zclock_mono () + options_number (self->options, "poll");
    return (!until_ms || next_ms <= until_ms)
        && wire_wait (NULL, next_ms) != WIRE_INTERRUPTED;
}

//  TSP-STATUS-13: after a 500 ask again later, so many times and not for ever
static message_t *
s_ask (ticlient_t *self, const char *service, const message_t *body,
       int64_t tries, int *status)
{
    message_t *reply = s_ask_once (self, service, body, status);
    while (*status == TSP_ERROR && tries-- > 0 && s_pause (self, 0)) {
        message_destroy (&reply);
        reply = s_ask_once (self, service, body, status);
    }
    return reply;
}

//  Ask about an id.
static message_t *
s_ask_id (ticlient_t *self, const char *service, const char *id,
          int64_t tries, int *status)
{
    *status = 0;
    message_t *body = message_new ();
    message_t *reply = NULL;
    if (body && message_add_string (body, id) == 0)
        reply = s_ask (self, service, body, tries, status);
    else
        wire_notice ("out of memory");
    message_destroy (&body);
    return reply;
}

//  What a status says that is no success. The exit status.
static int
s_refused (const char *service, int status)
{
    switch (status) {
        case TSP_PENDING:
            wire_notice ("%s: pending", service);
            return TOOL_PENDING;
        case TSP_UNKNOWN:
            wire_notice ("%s: unknown or invalid (400)", service);
            break;
        case TSP_ERROR:
            wire_notice ("%s: error in the server (500); try again later",
                         service);
            break;
        default:
            break;              //  Has been told
    }
    return TOOL_FAILED;
}

//  Have the request stored that the arguments tell, and note its id. The exit
//  status.
static int
s_store_request (ticlient_t *self)
{
    //  9/TSP, The titanic.request Service: the target service, then its body;
    //  so they stand on the command line
    message_t *body = tool_body (self->options, 1);
    if (!body)
        return TOOL_FAILED;
    int status;
    message_t *reply = s_ask (self, "titanic.request", body,
        options_number (self->options, "retries"), &status);
    message_destroy (&body);
    int result = TOOL_FAILED;
    request_id_t id;
    if (status != TSP_OK)
        result = s_refused ("titanic.request", status);
    else
    if (message_size (reply) < 2 || tsp_id_read (message_frame (reply, 1), &id))
        wire_notice ("titanic.request: the reply has no id");
    else {
        //  As the server wrote it: to another one, case may matter
        memcpy (self->id, frame_data (message_frame (reply, 1)),
                TSP_ID_DIGITS);
        result = TOOL_OK;
    }
    message_destroy (&reply);
    return result;
}

static int
s_store (ticlient_t *self)
{
    int result = s_store_request (self);
    if (result == TOOL_OK) {
        message_t *message = message_new ();
        if (!message || message_add_string (message, self->id)
        ||  tool_print (message, 0))
            result = TOOL_FAILED;
        message_destroy (&message);
    }
    return result;
}

static int
s_reply (ticlient_t *self)
{
    int status;
    message_t *reply = s_ask_id (self, "titanic.reply",
                                 options_argument (self->options, 1), 0,
                                 &status);
    int result = status == TSP_OK?
        tool_print (reply, 1)? TOOL_FAILED: TOOL_OK:
        s_refused ("titanic.reply", status);
    message_destroy (&reply);
    return result;
}

static int
s_close_id (ticlient_t *self, const char *id)
{
    int status;
    message_t *reply = s_ask_id (self, "titanic.close", id,
        options_number (self->options, "retries"), &status);
    message_destroy (&reply);
    return status == TSP_OK? TOOL_OK: s_refused ("titanic.close", status);
}

static int
s_close (ticlient_t *self)
{
    return s_close_id (self, options_argument (self->options, 1));
}

//  9/TSP, Status Frames: ask again later after 300 and 500, and only then. The
//  reply, or NULL with the last status.
static message_t *
s_poll (ticlient_t *self, int *status)
{
    int64_t until_ms = s_until_ms (self);
    for (;;) {
        message_t *reply = s_ask_id (self, "titanic.reply", self->id, 0,
                                     status);
        if (*status == TSP_OK)
            return reply;
        message_destroy (&reply);
        if (*status != TSP_PENDING && *status != TSP_ERROR)
            return NULL;
        if (!s_pause (self, until_ms))
            return NULL;
    }
}

static int
s_call (ticlient_t *self)
{
    int result = s_store_request (self);
    if (result != TOOL_OK)
        return result;
    int status;
    message_t *reply = s_poll (self, &status);
    if (!reply) {
        result = s_refused ("titanic.reply", status);
        if (status != TSP_UNKNOWN)
            wire_notice ("the request is kept as %s", self->id);
        return result;
    }
    //  Closed only when the reply has got out
    result = tool_print (reply, 1)? TOOL_FAILED: TOOL_OK;
    if (result != TOOL_OK || s_close_id (self, self->id) != TOOL_OK)
        wire_notice ("the request is kept as %s", self->id);
    message_destroy (&reply);
    return result;
}

static const struct {
    const char *name;           //  First argument
    bool sends;                 //  SERVICE FRAME... follow, otherwise an ID
    int (*run) (ticlient_t *self);  //  Gives the exit status
} s_commands [] = {
    { "store", true, s_store },
    { "reply", false, s_reply },
    { "close", false, s_close },
    { "call", true, s_call }
};

#define COMMANDS (sizeof (s_commands) / sizeof (s_commands [0]))

//  The number of the command that the arguments give; COMMANDS after an error
//  message.
static size_t
s_command (const options_t *options)
{
    const char *name = options_argument (options, 0);
    size_t index = 0;
    while (name && index < COMMANDS && strcmp (name, s_commands [index].name))
        index++;
    if (!name || index == COMMANDS) {
        wire_notice ("%s%s; try --help", name? "unknown command ":
                     "no command", name? name: "");
        return COMMANDS;
    }
    size_t rest = options_rest (options);
    if (s_commands [index].sends) {
        if (!tool_service (options, 1))
            return COMMANDS;
        if (rest > 2)
            return index;
        wire_notice ("no frame; try --help");
    }
    else {
        if (rest == 2)
            return index;
        wire_notice ("%s takes one id; try --help", name);
    }
    return COMMANDS;
}

int
main (int argc, char *argv [])
{
    setlocale (LC_CTYPE, "");
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table,
        "store SERVICE FRAME... | reply ID | close ID | "
        "call SERVICE FRAME...",
        "Have Titanic keep a request; look for the reply; forget both; or all "
        "three.", &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    int status = TOOL_USAGE;
    size_t command = s_command (options);
    if (command < COMMANDS) {
        ticlient_t self = {
            .options = options, .client = tool_client_new (options)
        };
        status = self.client? s_commands [command].run (&self): TOOL_FAILED;
        client_destroy (&self.client);
    }
    options_destroy (&options);
    return status;
}
