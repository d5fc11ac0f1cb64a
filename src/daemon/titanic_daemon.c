/*  =========================================================================
    titanic_daemon - the Titanic server as a process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "../engine/fleet.h"
#include "../store/store.h"
#include "options.h"
#include "reactor.h"
#include "reload.h"
#include "titanic_daemon.h"

//  Longest time that can be set: a day.
#define DAY_MS 86400000
//  A hundred of them
#define YEARS_S 3153600000

static const option_t s_table [] = {
    { "endpoint", 'e', OPTION_STRING, "ENDPOINT",
      "where the broker is; several with commas between them",
      "tcp://127.0.0.1:5555", 0, 0 },
    { "store", 's', OPTION_STRING, "ADDRESS",
      "where requests are kept: sqlite:PATH, PATH, postgresql://..., or "
      "memory: for tests",
      "sqlite:titanic.db", 0, 0 },
    { "curve-cert", 0, OPTION_STRING, "FILE",
      "speak CURVE with this certificate; FILE_secret has its secret key",
      NULL, 0, 0 },
    { "curve-server", 0, OPTION_STRING, "FILE",
      "the broker's public certificate", NULL, 0, 0 },
    { "mdp", 0, OPTION_STRING, "VERSION",
      "version of the Majordomo Protocol: 0.1 or 0.2", "0.1", 0, 0 },
    { "heartbeat", 0, OPTION_NUMBER, "MS",
      "milliseconds between heartbeats", "2500", 1, DAY_MS },
    { "liveness", 0, OPTION_NUMBER, "N",
      "heartbeats missed until the broker is gone", "3", 1, 1000 },
    { "timeout", 0, OPTION_NUMBER, "MS",
      "milliseconds until a service that does not reply is asked again",
      "60000", 1, DAY_MS },
    { "max-attempts", 0, OPTION_NUMBER, "N",
      "timeouts after which a request is set aside, 0 for never", "0", 0,
      1000000 },
    { "try-again", 0, OPTION_FLAG, NULL,
      "first let all that was set aside wait for its service again", NULL, 0,
      0 },
    { "retry", 0, OPTION_NUMBER, "MS",
      "milliseconds until an absent service, or a store that failed, is "
      "looked at again", "1000", 1, DAY_MS },
    { "lease", 0, OPTION_NUMBER, "MS",
      "milliseconds of silence after which other servers at a shared store "
      "execute what this one had begun", "10000", 100, DAY_MS },
    { "workers", 0, OPTION_NUMBER, "N",
      "workers for titanic.request: so many requests may share a commit",
      "128", 1, 1000 },
    { "reply-workers", 0, OPTION_NUMBER, "N", "workers for titanic.reply",
      "64", 1, 1000 },
    { "close-workers", 0, OPTION_NUMBER, "N", "workers for titanic.close",
      "64", 1, 1000 },
    { "executions", 0, OPTION_NUMBER, "N",
      "most stored requests that are executed at a time", "256", 1, 1000 },
    { "service-executions", 0, OPTION_NUMBER, "N",
      "most of them for one service", "64", 1, 1000 },
    { "max-message", 0, OPTION_NUMBER, "BYTES",
      "largest request taken, in bytes, all its frames together", "16777216",
      1024, INT32_MAX },
    { "max-frames", 0, OPTION_NUMBER, "N", "most frames in a request",
      "4096", 2, 65535 },
    { "max-stored-bytes", 0, OPTION_NUMBER, "BYTES",
      "largest store, in bytes; the last eighth is for replies only",
      "10737418240", 1048576, INT64_MAX },
    { "keep-replies", 0, OPTION_NUMBER, "SECONDS",
      "seconds that a reply is kept if no one closes it, 0 for ever", "0", 0,
      YEARS_S },
    { "keep-requests", 0, OPTION_NUMBER, "SECONDS",
      "seconds that a request is kept if no one answers it, 0 for ever", "0", 0,
      YEARS_S },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

//  Where the brokers are
typedef struct {
    char *list;                 //  As given, cut up
    const char *each [FLEET_MAX];
    size_t count;
} brokers_t;

//  Read a list with commas; -1 when there are too many, or one is empty
static int
s_read_brokers (brokers_t *self, const char *list)
{
    *self = (brokers_t) { .list = strdup (list) };
    for (char *next = self->list; next;) {
        if (self->count == FLEET_MAX)
            return -1;
        const char *endpoint = self->each [self->count++] = next;
        next = strchr (next, ',');
        if (next)
            *next++ = 0;
        if (!*endpoint)
            return -1;
    }
    return self->count? 0: -1;
}

//  Settings that SIGHUP brings into effect
static const char *const s_live [] = {
    "verbose", "max-message", "max-frames", "max-stored-bytes",
    "max-attempts", "keep-replies", "keep-requests", NULL
};

//  A server that runs, for SIGHUP
typedef struct {
    int argc;
    char **argv;
    options_t *options;         //  Now in effect, but for what takes a restart
    mdp_version_t version;
    keyring_t *keyring;         //  NULL for plain
    store_t *store;
    fleet_t *fleet;
    const brokers_t *brokers;
} running_t;

static titanic_config_t
s_config (const options_t *options, mdp_version_t version)
{
    return (titanic_config_t) {
        .version = version,
        .heartbeat_ms = options_number (options, "heartbeat"),
        .liveness = options_number (options, "liveness"),
        .timeout_ms = options_number (options, "timeout"),
        .retry_ms = options_number (options, "retry"),
        .request_workers = (size_t) options_number (options, "workers"),
        .reply_workers = (size_t) options_number (options, "reply-workers"),
        .close_workers = (size_t) options_number (options, "close-workers"),
        .executions = (size_t) options_number (options, "executions"),
        .service_executions =
            (size_t) options_number (options, "service-executions"),
        .max_bytes = (size_t) options_number (options, "max-message"),
        .max_frames = (size_t) options_number (options, "max-frames"),
        .keep_replies_ms = options_number (options, "keep-replies") * 1000,
        .keep_requests_ms = options_number (options, "keep-requests") * 1000,
        .max_attempts = (size_t) options_number (options, "max-attempts")
    };
}

//  At SIGHUP. New connections use the certificates that are there now.
static bool
s_reload (void *argument)
{
    running_t *running = argument;
    char error [512] = "";
    char also [540] = "";
    if (running->keyring
    &&  keyring_reload (running->keyring,
                        options_string (running->options, "curve-cert"),
                        options_string (running->options, "curve-server"),
                        error, sizeof error))
        snprintf (also, sizeof also, "; certificates stay as they were: %s",
                  error);
    options_t *later = reload_options (running->options, running->argc,
                                       running->argv, s_table, s_live, also);
    if (later) {
        titanic_config_t config = s_config (later, running->version);
        fleet_set_limits (running->fleet, &config);
        store_set_limit (running->store,
                         options_number (later, "max-stored-bytes"));
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
    const char *server = options_string (options, "curve-server");
    *keyring_p = NULL;
    if (!certificate && !server)
        return DAEMON_OK;
    char error [512];
    if (certificate && server)
        *keyring_p = keyring_client_new (certificate, server, error,
                                         sizeof error);
    else
        snprintf (error, sizeof error, certificate
            ? "--curve-cert needs --curve-server FILE, the public certificate "
              "of the broker"
            : "--curve-server needs --curve-cert FILE, our own certificate; "
              "mdpcert makes one");
    if (*keyring_p)
        return DAEMON_OK;
    fprintf (stderr, "%s: %s\n", program_invocation_short_name, error);
    return DAEMON_USAGE;
}

//  Run on a store that is open
static int
s_run (const char *program, running_t *running, daemon_wrap_fn *wrap)
{
    const options_t *options = running->options;
    const brokers_t *brokers = running->brokers;
    store_set_limit (running->store,
                     options_number (options, "max-stored-bytes"));
    titanic_config_t titanic_config = s_config (options, running->version);
    if (store_is_shared (running->store) || brokers->count > 1) {
        titanic_config.lease_ms = options_number (options, "lease");
        uuid_generate_random (titanic_config.server.bytes);
    }
    fleet_t *fleet = running->fleet = fleet_new (&titanic_config,
                                                 brokers->count);
    if (!fleet) {
        fprintf (stderr, "%s: cannot start: out of memory; free some\n",
                 program);
        return DAEMON_FAILED;
    }
    engine_t engine = { fleet_step, fleet };
    if (wrap)
        wrap (&engine);
    reactor_config_t config = {
        .endpoint = brokers->each [0],
        .endpoints = brokers->each,
        .endpoint_count = brokers->count,
        .keyring = running->keyring,
        //  What the broker lets through is ours to answer: without an end to
        //  the connection, which would make it send the same to the next worker
        .max_message_bytes = -1,
        .verbose = options_flag (options, "verbose") != 0,
        .reload = s_reload,
        .reload_argument = running,
        .store = running->store,
        .step = engine.step,
        .engine = engine.engine
    };
    int rc = reactor_run (&config);
    fleet_destroy (&fleet);
    return rc? DAEMON_FAILED: DAEMON_OK;
}

//  What was set aside waits again. 0, or -1 after one line of error.
static int
s_revive (store_t *store)
{
    store_query_t query = { .type = STORE_REVIVE };
    const store_query_t *queries [] = { &query };
    store_answer_t answer;
    store_write (store, queries, 1, &answer);
    if (answer.result == STORE_OK)
        return 0;
    fprintf (stderr, "%s: cannot try again what was set aside: %s; start "
             "without --try-again, or see to the store\n",
             program_invocation_short_name, store_error (store));
    return -1;
}

static int
s_open_and_run (running_t *running, daemon_wrap_fn *wrap)
{
    store_result_t opened;
    char error [512];
    running->store = store_open (options_string (running->options, "store"),
                                 &opened, error, sizeof error);
    int status = DAEMON_FAILED;
    if (running->store && *error)
        fprintf (stderr, "%s: %s\n", program_invocation_short_name, error);
    if (!running->store)
        fprintf (stderr, "%s: %s\n", program_invocation_short_name, error);
    else
    if (!options_flag (running->options, "try-again")
    ||  s_revive (running->store) == 0)
        status = s_run (program_invocation_short_name, running, wrap);
    store_close (&running->store);
    return status;
}

int
titanic_daemon (int argc, char *argv [], daemon_wrap_fn *wrap)
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "",
        "A Titanic server: persistent request-reply, 9/TSP.", &result);
    if (!options)
        return result == OPTIONS_DONE? DAEMON_OK: DAEMON_USAGE;
    if (options_rest (options)) {
        fprintf (stderr, "%s: unexpected argument %s; try --help\n",
                 program_invocation_short_name, options_argument (options, 0));
        options_destroy (&options);
        return DAEMON_USAGE;
    }
    mdp_version_t version = mdp_version_of (options_string (options, "mdp"));
    if (version == MDP_VERSION_COUNT) {
        fprintf (stderr, "%s: --mdp %s is no version; there are 0.1 and 0.2\n",
                 program_invocation_short_name, options_string (options, "mdp"));
        options_destroy (&options);
        return DAEMON_USAGE;
    }
    brokers_t brokers;
    if (s_read_brokers (&brokers, options_string (options, "endpoint"))) {
        fprintf (stderr, "%s: --endpoint %s is no list of 1 to %d endpoints; "
                 "write one, or some with a comma between two\n",
                 program_invocation_short_name,
                 options_string (options, "endpoint"), FLEET_MAX);
        free (brokers.list);
        options_destroy (&options);
        return DAEMON_USAGE;
    }
    keyring_t *keyring;
    int status = s_keyring_new (options, &keyring);
    running_t running = { argc, argv, options, version, keyring, NULL, NULL,
                          &brokers };
    if (status == DAEMON_OK)
        status = s_open_and_run (&running, wrap);
    keyring_destroy (&keyring);
    free (brokers.list);
    options_destroy (&running.options);
    return status;
}
