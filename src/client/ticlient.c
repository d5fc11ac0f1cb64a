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
#include <stdio.h>
#include <string.h>

#include "titanic_client.h"
#include "tool.h"
#include "wire.h"

static const option_t s_table [] = {
    TOOL_CLIENT_OPTIONS,
    { "poll", 'p', OPTION_NUMBER, "MS",
      "milliseconds between the first two looks for the reply; then they double",
      "500", 1, TOOL_DAY_MS },
    { "max-poll", 0, OPTION_NUMBER, "MS",
      "longest time between two looks", "8000", 1, TOOL_DAY_MS },
    { "wait", 'w', OPTION_NUMBER, "MS",
      "wait, call: milliseconds until it stops looking, 0 for never", "0", 0,
      TOOL_DAY_MS },
    TOOL_LAST_OPTION
};

typedef struct {
    const options_t *options;   //  Borrowed
    titanic_client_t *client;
} ticlient_t;

//  A client as the options say. NULL after an error message.
static titanic_client_t *
s_client_new (const options_t *options)
{
    const char *version = tool_version (options);
    tool_keys_t keys;
    if (!version || tool_keys_load (&keys, options))
        return NULL;
    titanic_client_t *self =
        titanic_client_new (options_string (options, "endpoint"));
    if (!self)
        tool_no_connection (options);
    else
    if (keys.own && titanic_client_set_curve (self, keys.own,
                                              zcert_public_txt (keys.server))) {
        tool_no_curve (options);
        titanic_client_destroy (&self);
    }
    tool_keys_clear (&keys);
    if (self) {
        titanic_client_set_version (self, version);
        titanic_client_set_timeout (self, options_number (options, "timeout"));
        titanic_client_set_retries (self, options_number (options, "retries"));
        titanic_client_set_pause (self, options_number (options, "poll"),
                                  options_number (options, "max-poll"));
        titanic_client_set_verbose (self,
                                    options_flag (options, "verbose") != 0);
    }
    return self;
}

//  Tell what came of it if that is no success. The exit status.
static int
s_status (const ticlient_t *self, const char *service)
{
    titanic_client_result_t result = titanic_client_result (self->client);
    if (result == TITANIC_CLIENT_OK)
        return TOOL_OK;
    if (result == TITANIC_CLIENT_NO_CONNECTION)
        tool_no_connection (self->options);
    else
        wire_notice ("%s: %s", service, titanic_client_result_text (result));
    return result == TITANIC_CLIENT_PENDING
        || result == TITANIC_CLIENT_INTERRUPTED? TOOL_LATER: TOOL_FAILED;
}

//  The id of a request that the arguments tell, now stored; NULL and an exit
//  status.
static char *
s_store_request (ticlient_t *self, int *status)
{
    zmsg_t *body = tool_body (self->options, 2);
    *status = TOOL_USAGE;
    if (!body)
        return NULL;
    char *id = titanic_client_store (self->client,
        options_argument (self->options, 1), &body);
    *status = s_status (self, "titanic.request");
    return id;
}

static int
s_store (ticlient_t *self)
{
    int status;
    char *id = s_store_request (self, &status);
    if (id && (printf ("%s\n", id) < 0 || fflush (stdout))) {
        wire_notice ("cannot print the id %s", id);
        status = TOOL_FAILED;
    }
    zstr_free (&id);
    return status;
}

//  Print a reply; or say why there is none.
static int
s_print (ticlient_t *self, zmsg_t **reply_p)
{
    int status = !*reply_p? s_status (self, "titanic.reply")
        : tool_print (self->options, *reply_p)? TOOL_FAILED: TOOL_OK;
    zmsg_destroy (reply_p);
    return status;
}

static int
s_reply (ticlient_t *self)
{
    zmsg_t *reply = titanic_client_fetch (self->client,
        options_argument (self->options, 1));
    return s_print (self, &reply);
}

static int
s_wait_for (ticlient_t *self, const char *id)
{
    int64_t wait_ms = options_number (self->options, "wait");
    zmsg_t *reply = titanic_client_wait (self->client, id,
                                         wait_ms? wait_ms: -1);
    return s_print (self, &reply);
}

static int
s_wait (ticlient_t *self)
{
    return s_wait_for (self, options_argument (self->options, 1));
}

static int
s_close_id (ticlient_t *self, const char *id)
{
    titanic_client_close (self->client, id);
    return s_status (self, "titanic.close");
}

static int
s_close (ticlient_t *self)
{
    return s_close_id (self, options_argument (self->options, 1));
}

//  Not titanic_client_call: closed only when the reply has got out.
static int
s_call (ticlient_t *self)
{
    int status;
    char *id = s_store_request (self, &status);
    if (!id)
        return status;
    status = s_wait_for (self, id);
    bool lost = titanic_client_result (self->client) == TITANIC_CLIENT_UNKNOWN;
    if (status == TOOL_OK)
        status = s_close_id (self, id);
    if (status != TOOL_OK && !lost)
        wire_notice ("the request is kept as %s", id);
    zstr_free (&id);
    return status;
}

static const struct {
    const char *name;           //  First argument
    bool sends;                 //  SERVICE FRAME... follow, otherwise an ID
    int (*run) (ticlient_t *self);  //  Gives the exit status
} s_commands [] = {
    { "store", true, s_store },
    { "reply", false, s_reply },
    { "wait", false, s_wait },
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
    if (s_commands [index].sends)
        return tool_service (options, 1)? index: COMMANDS;
    if (options_rest (options) == 2)
        return index;
    wire_notice ("%s takes one id; try --help", name);
    return COMMANDS;
}

int
main (int argc, char *argv [])
{
    setlocale (LC_CTYPE, "");
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table,
        "store SERVICE FRAME... | reply ID | wait ID | close ID | "
        "call SERVICE FRAME...",
        "Have Titanic keep a request; look for the reply, or wait for it; forget "
        "both; or all of this.", &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    int status = TOOL_USAGE;
    size_t command = s_command (options);
    if (command < COMMANDS) {
        ticlient_t self = {
            .options = options, .client = s_client_new (options)
        };
        if (self.client)
            status = s_commands [command].run (&self);
        titanic_client_destroy (&self.client);
    }
    options_destroy (&options);
    return status;
}
