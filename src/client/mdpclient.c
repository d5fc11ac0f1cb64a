/*  =========================================================================
    mdpclient - one request to a Majordomo service

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <locale.h>
#include <stddef.h>

#include "tool.h"
#include "wire.h"

static const option_t s_table [] = {
    TOOL_CLIENT_OPTIONS,
    TOOL_LAST_OPTION
};

static int
s_call (const options_t *options, const char *service, const message_t *body)
{
    client_t *client = tool_client_new (options);
    if (!client)
        return TOOL_FAILED;
    int status = TOOL_FAILED;
    message_t *reply = client_call (client, service, body);
    if (!reply)
        wire_notice ("%s: %s", service,
                     client_result_text (client_result (client)));
    else
    if (tool_print (reply, 0) == 0)
        status = TOOL_OK;
    message_destroy (&reply);
    client_destroy (&client);
    return status;
}

int
main (int argc, char *argv [])
{
    setlocale (LC_CTYPE, "");
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "SERVICE FRAME...",
        "Send a request to a Majordomo service, print the frames of the reply.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    int status = TOOL_USAGE;
    const char *service = tool_service (options, 0);
    message_t *body = service? tool_body (options, 1): NULL;
    if (body)
        status = s_call (options, service, body);
    message_destroy (&body);
    options_destroy (&options);
    return status;
}
