/*  =========================================================================
    mdpclient - requests to Majordomo services from the command line

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"
#include "wire.h"

static const option_t s_table [] = {
    TOOL_CLIENT_OPTIONS,
    { "serves", 's', OPTION_FLAG, NULL,
      "ask the broker whether it serves these names (8/MMI)", NULL, 0, 0 },
    TOOL_LAST_OPTION
};

//  A client as the options say. NULL after an error message.
static mdp_client_t *
s_client_new (const options_t *options)
{
    const char *version = tool_version (options);
    tool_keys_t keys;
    if (!version || tool_keys_load (&keys, options))
        return NULL;
    mdp_client_t *self = mdp_client_new (options_string (options, "endpoint"));
    if (!self)
        tool_no_connection (options);
    else
    if (keys.own
    &&  mdp_client_set_curve (self, keys.own, zcert_public_txt (keys.server))) {
        tool_no_curve (options);
        mdp_client_destroy (&self);
    }
    tool_keys_clear (&keys);
    if (self) {
        mdp_client_set_version (self, version);
        mdp_client_set_timeout (self, options_number (options, "timeout"));
        mdp_client_set_retries (self, options_number (options, "retries"));
        mdp_client_set_verbose (self, options_flag (options, "verbose") != 0);
    }
    return self;
}

//  The reply, NULL after an error message.
static zmsg_t *
s_ask (mdp_client_t *client, const options_t *options, const char *service,
       zmsg_t **body_p)
{
    zmsg_t *reply = mdp_client_call (client, service, body_p);
    if (!reply && mdp_client_result (client) == MDP_CLIENT_NO_CONNECTION)
        tool_no_connection (options);
    else
    if (!reply)
        wire_notice ("%s: %s", service,
                     mdp_client_result_text (mdp_client_result (client)));
    return reply;
}

static int
s_call (mdp_client_t *client, const options_t *options)
{
    const char *service = tool_service (options, 0);
    zmsg_t *body = service? tool_body (options, 1): NULL;
    if (!body)
        return TOOL_USAGE;
    zmsg_t *reply = s_ask (client, options, service, &body);
    int status = reply && tool_print (options, reply) == 0?
        TOOL_OK: TOOL_FAILED;
    zmsg_destroy (&reply);
    return status;
}

//  8/MMI: 200 a worker serves it, 404 none does, 501 the broker cannot tell.
static int
s_ask_service (mdp_client_t *client, const options_t *options, const char *name)
{
    zmsg_t *body = zmsg_new ();
    zmsg_addstr (body, name);
    zmsg_t *reply = s_ask (client, options, "mmi.service", &body);
    char *code = reply? zmsg_popstr (reply): NULL;
    int status = TOOL_FAILED;
    if (code && strlen (code) == 3 && strspn (code, "0123456789") == 3) {
        status = streq (code, "200")? TOOL_OK
               : streq (code, "404")? TOOL_LATER: TOOL_FAILED;
        printf ("%s %s\n", code, name);
    }
    else
    if (code)
        wire_notice ("mmi.service: the broker did not answer with a code");
    free (code);
    zmsg_destroy (&reply);
    return status;
}

//  The worst of all answers is the exit status.
static int
s_serves (mdp_client_t *client, const options_t *options)
{
    if (!tool_service (options, 0))
        return TOOL_USAGE;
    int worst = TOOL_OK;
    for (size_t index = 0; index < options_rest (options); index++) {
        int status = s_ask_service (client, options,
                                    options_argument (options, index));
        if (worst != TOOL_FAILED && status != TOOL_OK)
            worst = status;
        if (zsys_interrupted)
            break;
    }
    return worst;
}

int
main (int argc, char *argv [])
{
    setlocale (LC_CTYPE, "");
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "SERVICE FRAME...",
        "Send a request to a Majordomo service, print the frames of the reply.\n"
        "With --serves SERVICE...: ask the broker who is served; status 3: not all.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    int status = TOOL_USAGE;
    mdp_client_t *client = s_client_new (options);
    if (client)
        status = options_flag (options, "serves")?
            s_serves (client, options): s_call (client, options);
    mdp_client_destroy (&client);
    options_destroy (&options);
    return status;
}
