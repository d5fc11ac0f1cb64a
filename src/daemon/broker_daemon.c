/*  =========================================================================
    broker_daemon - the broker as a process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include "broker_daemon.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "../engine/broker.h"
#include "options.h"
#include "reactor.h"
#include "reload.h"

//  Longest time that can be set: a day.
#define DAY_MS 86400000

//  No client gets more than this part of the memory for requests.
#define CLIENT_PART 4

static const option_t s_table [] = {
    { "endpoint", 'e', OPTION_STRING, "ENDPOINT", "where to listen",
      "tcp://127.0.0.1:5555", 0, 0 },
    { "heartbeat", 0, OPTION_NUMBER, "MS",
      "milliseconds between heartbeats", "2500", 1, DAY_MS },
    { "liveness", 0, OPTION_NUMBER, "N",
      "heartbeats missed until a worker is gone", "3", 1, 1000 },
    { "expiry", 0, OPTION_NUMBER, "MS",
      "milliseconds that a request waits for a service without workers, "
      "0 for ever", "60000", 0, DAY_MS },
    { "curve-cert", 0, OPTION_STRING, "FILE",
      "speak CURVE with this certificate; FILE_secret has its secret key",
      NULL, 0, 0 },
    { "curve-clients", 0, OPTION_STRING, "DIRECTORY",
      "public certificates of those that may connect; any lets everybody in",
      NULL, 0, 0 },
    { "max-connections", 0, OPTION_NUMBER, "N", "most connections at a time",
      "10000", 1, 1000000 },
    { "max-services", 0, OPTION_NUMBER, "N", "most services",
      "10000", 1, INT32_MAX },
    { "max-workers", 0, OPTION_NUMBER, "N", "most workers",
      "10000", 1, INT32_MAX },
    { "max-requests", 0, OPTION_NUMBER, "N", "most requests in the broker",
      "100000", 1, INT32_MAX },
    { "max-service-requests", 0, OPTION_NUMBER, "N",
      "most requests that wait for one service", "50000", 1, INT32_MAX },
    { "max-client-requests", 0, OPTION_NUMBER, "N",
      "most requests of one client in the broker", "5000", 1, INT32_MAX },
    { "max-bytes", 0, OPTION_NUMBER, "BYTES",
      "most bytes in all requests together", "1073741824", 1, INT64_MAX },
    { "max-message", 0, OPTION_NUMBER, "BYTES",
      "largest body of a message, in bytes, all its frames together", "16777216", 1024, INT32_MAX },
    { "max-frames", 0, OPTION_NUMBER, "N", "most frames in a message",
      "4096", 6, 65535 },
    { "max-resends", 0, OPTION_NUMBER, "N",
      "most workers that get the request of one that is gone, one after the "
      "other, 0 for no end", "0", 0, INT32_MAX },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

//  Settings that SIGHUP brings into effect
static const char *const s_live [] = {
    "verbose", "max-services", "max-workers", "max-requests",
    "max-service-requests", "max-client-requests", "max-bytes", "max-frames",
    "max-resends", NULL
};

//  A broker that runs, for SIGHUP
typedef struct {
    int argc;
    char **argv;
    options_t *options;         //  Now in effect, but for what takes a restart
    broker_t *broker;
} running_t;

static broker_config_t
s_config (const options_t *options)
{
    return (broker_config_t) {
        .heartbeat_ms = options_number (options, "heartbeat"),
        .liveness = options_number (options, "liveness"),
        .expiry_ms = options_number (options, "expiry"),
        .max_services = (size_t) options_number (options, "max-services"),
        .max_workers = (size_t) options_number (options, "max-workers"),
        .max_requests = (size_t) options_number (options, "max-requests"),
        .max_service_requests =
            (size_t) options_number (options, "max-service-requests"),
        .max_client_requests =
            (size_t) options_number (options, "max-client-requests"),
        .max_client_bytes = (size_t) (options_number (options, "max-bytes")
                                      / CLIENT_PART),
        .max_frames = (size_t) options_number (options, "max-frames"),
        .max_body_bytes = (size_t) options_number (options, "max-message"),
        .max_bytes = (size_t) options_number (options, "max-bytes"),
        .max_resends = (size_t) options_number (options, "max-resends")
    };
}

//  At SIGHUP. The certificates of others are read again by themselves.
static bool
s_reload (void *argument)
{
    running_t *running = argument;
    options_t *later = reload_options (running->options, running->argc,
                                       running->argv, s_table, s_live, "");
    if (later) {
        broker_config_t config = s_config (later);
        broker_set_limits (running->broker, &config);
        options_destroy (&running->options);
        running->options = later;
    }
    return options_flag (running->options, "verbose") != 0;
}

//  The keys that the options name, NULL for none. An exit status, after one
//  line of error unless it is DAEMON_OK.
static int
s_keyring_new (const options_t *options, keyring_t **keyring_p)
{
    const char *certificate = options_string (options, "curve-cert");
    const char *clients = options_string (options, "curve-clients");
    *keyring_p = NULL;
    if (!certificate && !clients)
        return DAEMON_OK;
    char error [512];
    if (!certificate)
        snprintf (error, sizeof (error), "--curve-clients is of no use without "
                  "--curve-cert FILE, our own certificate; mdpcert makes one");
    else
    if (!clients)
        snprintf (error, sizeof (error), "--curve-cert needs --curve-clients "
                  "DIRECTORY, the certificates of those that may connect, or "
                  "--curve-clients any");
    else
        *keyring_p = keyring_server_new (certificate, clients, error,
                                         sizeof (error));
    if (*keyring_p)
        return DAEMON_OK;
    fprintf (stderr, "%s: %s\n", program_invocation_short_name, error);
    return DAEMON_USAGE;
}

//  Run with these keys, NULL for plain.
static int
s_run (running_t *running, keyring_t *keyring, daemon_wrap_fn *wrap)
{
    const options_t *options = running->options;
    broker_config_t broker_config = s_config (options);
    broker_t *broker = running->broker = broker_new (&broker_config);
    if (!broker) {
        fprintf (stderr, "%s: cannot start: out of memory; free some\n",
                 program_invocation_short_name);
        return DAEMON_FAILED;
    }
    engine_t engine = { broker_step, broker };
    if (wrap)
        wrap (&engine);
    reactor_config_t config = {
        .endpoint = options_string (options, "endpoint"),
        .bind = true,
        .keyring = keyring,
        .max_connections = (size_t) options_number (options, "max-connections"),
        .max_message_bytes = options_number (options, "max-message")
                           + BROKER_ANSWER_BYTES,
        .verbose = options_flag (options, "verbose") != 0,
        .reload = s_reload,
        .reload_argument = running,
        .step = engine.step,
        .engine = engine.engine
    };
    int rc = reactor_run (&config);
    broker_destroy (&broker);
    return rc? DAEMON_FAILED: DAEMON_OK;
}

int
broker_daemon (int argc, char *argv [], daemon_wrap_fn *wrap)
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "",
                                      "A Majordomo broker: 7/MDP and 8/MMI.",
                                      &result);
    if (!options)
        return result == OPTIONS_DONE? DAEMON_OK: DAEMON_USAGE;
    if (options_rest (options)) {
        fprintf (stderr, "%s: unexpected argument %s; try --help\n",
                 program_invocation_short_name, options_argument (options, 0));
        options_destroy (&options);
        return DAEMON_USAGE;
    }
    keyring_t *keyring;
    int status = s_keyring_new (options, &keyring);
    running_t running = { argc, argv, options, NULL };
    if (status == DAEMON_OK)
        status = s_run (&running, keyring, wrap);
    keyring_destroy (&keyring);
    options_destroy (&running.options);
    return status;
}
