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
    TOOL_MDP_OPTION,
    { "delay", 0, OPTION_NUMBER, "MS",
      "milliseconds that it works on each request", "0", 0, TOOL_DAY_MS },
    { "partial", 0, OPTION_FLAG, NULL,
      "give each frame but the last back as a PARTIAL; needs --mdp 0.2",
      NULL, 0, 0 },
    TOOL_LAST_OPTION
};

//  The reply is the request: in PARTIALs of one frame each and a FINAL, or whole.
//  -1 when memory is out.
static int
s_answer (worker_t *worker, const message_t *body, bool partial)
{
    size_t last = partial? message_size (body) - 1: 0;
    message_t *reply = message_slice (body, last);
    for (size_t index = 0; reply && index < last; index++) {
        message_t *part = message_new ();
        if (part && message_add (part, message_frame (body, index)) == 0)
            worker_partial (worker, part);
        else
            message_destroy (&reply);
        message_destroy (&part);
    }
    if (!reply)
        return -1;
    worker_reply (worker, reply);
    message_destroy (&reply);
    return 0;
}

//  Answer requests until told to stop.
static worker_result_t
s_work (worker_t *worker, int64_t delay_ms, bool partial)
{
    message_t *body;
    while ((body = worker_recv (worker))) {
        worker_result_t result = worker_stay (worker, delay_ms);
        if (result == WORKER_OK && s_answer (worker, body, partial))
            result = WORKER_NO_MEMORY;
        message_destroy (&body);
        if (result != WORKER_OK)
            return result;
    }
    return worker_result (worker);
}

static int
s_serve (const options_t *options, mdp_version_t version, const char *service)
{
    const char *endpoint = options_string (options, "endpoint");
    worker_t *worker = worker_new (endpoint, service, version,
                                   options_number (options, "heartbeat"),
                                   options_number (options, "liveness"));
    if (!worker) {
        wire_notice ("cannot connect to %s: %s; write --endpoint as "
                     "tcp://ADDRESS:PORT", endpoint, zmq_strerror (errno));
        return TOOL_FAILED;
    }
    worker_set_verbose (worker, options_flag (options, "verbose") != 0);
    wire_notice ("serving %s at %s", service, endpoint);
    worker_result_t result = s_work (worker, options_number (options, "delay"),
                                     options_flag (options, "partial") != 0);
    //  To be stopped is how a worker ends
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
    mdp_version_t version;
    const char *service = tool_service (options, 0);
    if (service && options_rest (options) > 1)
        wire_notice ("unexpected argument %s; try --help",
                     options_argument (options, 1));
    else
    if (service && tool_version (options, &version) == 0) {
        if (options_flag (options, "partial") && version == MDP_0_1)
            wire_notice ("--partial needs --mdp 0.2: 0.1 has no PARTIAL");
        else
            status = s_serve (options, version, service);
    }
    options_destroy (&options);
    return status;
}
