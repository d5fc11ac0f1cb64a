/*  =========================================================================
    mdpworker - an echo service at a Majordomo broker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <zmq.h>

#include "tool.h"
#include "wire.h"
#include "worker.h"

static const option_t s_table [] = {
    TOOL_ENDPOINT_OPTION,
    { "heartbeat", 0, OPTION_NUMBER, "MS",
      "milliseconds between heartbeats", "2500", 1, TOOL_DAY_MS },
    { "liveness", 0, OPTION_NUMBER, "N",
      "heartbeats missed until the broker is gone", "3", 1, 1000 },
    TOOL_LAST_OPTION
};

static int
s_serve (const options_t *options, const char *service)
{
    const char *endpoint = options_string (options, "endpoint");
    worker_t *worker = worker_new (endpoint, service,
                                   options_number (options, "heartbeat"),
                                   options_number (options, "liveness"));
    if (!worker) {
        wire_notice ("cannot connect to %s: %s; write --endpoint as "
                     "tcp://ADDRESS:PORT", endpoint, zmq_strerror (errno));
        return TOOL_FAILED;
    }
    worker_set_verbose (worker, options_flag (options, "verbose") != 0);
    wire_notice ("serving %s at %s", service, endpoint);
    message_t *body;
    while ((body = worker_recv (worker))) {
        worker_reply (worker, body);
        message_destroy (&body);
    }
    //  To be stopped is how a worker ends
    worker_result_t result = worker_result (worker);
    if (result != WORKER_INTERRUPTED)
        wire_notice ("%s: %s", service, worker_result_text (result));
    worker_destroy (&worker);
    return result == WORKER_INTERRUPTED? TOOL_OK: TOOL_FAILED;
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "SERVICE",
        "A Majordomo worker that gives each request back as the reply.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    int status = TOOL_USAGE;
    const char *service = tool_service (options, 0);
    if (service && options_rest (options) > 1)
        wire_notice ("unexpected argument %s; try --help",
                     options_argument (options, 1));
    else
    if (service)
        status = s_serve (options, service);
    options_destroy (&options);
    return status;
}
