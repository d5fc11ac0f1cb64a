/*  =========================================================================
    mdpworker - a service at a Majordomo broker: a shell command, or an echo

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "job.h"
#include "mdp_worker.h"
#include "tool.h"
#include "wire.h"

//  A signal that comes between the look at zsys_interrupted and the poll does
//  not end the poll: it is seen after this time.
#define SLICE_MS 500

//  How often a command that has closed its output is asked whether it has ended.
#define ENDING_MS 10

static const option_t s_table [] = {
    TOOL_PEER_OPTIONS,
    { "heartbeat", 0, OPTION_NUMBER, "MS",
      "milliseconds between heartbeats", "2500", 1, TOOL_DAY_MS },
    { "liveness", 0, OPTION_NUMBER, "N",
      "heartbeats missed until the broker is gone", "3", 1, 1000 },
    { "max-pause", 0, OPTION_NUMBER, "MS",
      "longest time between two registrations in vain", "32000", 1,
      TOOL_DAY_MS },
    { "jobs", 'j', OPTION_NUMBER, "N",
      "workers, each with a connection of its own", "1", 1, 256 },
    { "arguments", 'a', OPTION_FLAG, NULL,
      "COMMAND gets frames as $1 and on, not as its input", NULL, 0, 0 },
    { "lines", 'l', OPTION_FLAG, NULL,
      "each line of the output is a frame; else all is one", NULL, 0, 0 },
    { "delay", 0, OPTION_NUMBER, "MS",
      "milliseconds that the echo works on each request", "0", 0,
      TOOL_DAY_MS },
    { "partial", 0, OPTION_FLAG, NULL,
      "echo each frame but the last as a PARTIAL; needs --mdp 0.2",
      NULL, 0, 0 },
    TOOL_LAST_OPTION
};

//  One worker and its request.
typedef struct {
    mdp_worker_t *worker;
    job_t *job;                 //  The command at work, NULL for none
    zmsg_t *echo;               //  What is to be given back, NULL for nothing
    int64_t echo_ms;            //  When
    zmq_pollitem_t *items;      //  What is polled for it
    size_t polled;              //  How many
} slot_t;

typedef struct {
    const options_t *options;   //  Borrowed
    const char *service;
    const char *command;        //  NULL for an echo
    job_settings_t settings;    //  Of commands
    bool partial;               //  Echo in PARTIALs
    size_t count;               //  Of slots
    slot_t *slots;
    zmq_pollitem_t *items;      //  Three for each
} service_t;

//  --------------------------------------------------------------------------
//  One request

//  The reply is the request: in PARTIALs of one frame each and a FINAL, or
//  whole.
static void
s_give_back (slot_t *slot, bool partial)
{
    while (partial && zmsg_size (slot->echo) > 1) {
        zmsg_t *part = zmsg_new ();
        zframe_t *frame = zmsg_pop (slot->echo);
        zmsg_append (part, &frame);
        mdp_worker_send_partial (slot->worker, &part);
    }
    mdp_worker_send_reply (slot->worker, &slot->echo);
}

static void
s_reply (service_t *self, slot_t *slot)
{
    bool good;
    zmsg_t *reply = job_reply (slot->job, &good);
    if (!good) {
        char *reason = zframe_strdup (zmsg_last (reply));
        wire_notice ("%s: a command failed: %s", self->service, reason);
        zstr_free (&reason);
    }
    if (mdp_worker_send_reply (slot->worker, &reply))
        wire_notice ("%s: nobody waits for a reply any more: the conversation "
                     "with the broker had ended", self->service);
    job_destroy (&slot->job);
}

//  0, or -1 after an error message.
static int
s_begin (service_t *self, slot_t *slot, zmsg_t **body_p)
{
    if (!self->command) {
        slot->echo = *body_p;
        *body_p = NULL;
        slot->echo_ms = zclock_mono ()
                      + options_number (self->options, "delay");
        return 0;
    }
    slot->job = job_new (&self->settings, *body_p);
    zmsg_destroy (body_p);
    if (!slot->job)
        wire_notice ("%s: out of memory", self->service);
    return slot->job? 0: -1;
}

//  Do what can be done for one worker. 0, or -1 after an error message.
static int
s_step (service_t *self, slot_t *slot)
{
    if (slot->job || slot->echo)
        mdp_worker_tick (slot->worker);
    else {
        zmsg_t *body = mdp_worker_recv_nowait (slot->worker);
        if (mdp_worker_result (slot->worker) == MDP_WORKER_NO_CONNECTION) {
            tool_no_connection (self->options);
            return -1;
        }
        if (body && s_begin (self, slot, &body))
            return -1;
    }
    if (slot->job && job_step (slot->job))
        s_reply (self, slot);
    if (slot->echo && zclock_mono () >= slot->echo_ms)
        s_give_back (slot, self->partial);
    return 0;
}

//  --------------------------------------------------------------------------
//  All of them

//  What to poll, and for how long at most.
static size_t
s_poll_items (service_t *self, int64_t *timeout_ms)
{
    size_t used = 0;
    *timeout_ms = SLICE_MS;
    for (size_t index = 0; index < self->count; index++) {
        slot_t *slot = &self->slots [index];
        slot->items = self->items + used;
        slot->items [0] = (zmq_pollitem_t) {
            .fd = mdp_worker_fd (slot->worker), .events = ZMQ_POLLIN
        };
        slot->polled = 1;
        if (slot->job)
            slot->polled += job_poll (slot->job, slot->items + 1);
        used += slot->polled;
        int64_t left_ms = slot->job && job_is_ending (slot->job)? ENDING_MS
            : slot->echo? slot->echo_ms - zclock_mono (): SLICE_MS;
        if (left_ms < *timeout_ms)
            *timeout_ms = left_ms < 0? 0: left_ms;
    }
    return used;
}

//  Whether there is anything to do for a worker.
static bool
s_is_due (const slot_t *slot)
{
    for (size_t index = 0; index < slot->polled; index++)
        if (slot->items [index].revents)
            return true;
    return (slot->job && job_is_ending (slot->job))
        || (slot->echo && zclock_mono () >= slot->echo_ms);
}

//  Serve until told to stop, which is how a worker ends. The exit status.
static int
s_run (service_t *self)
{
    while (!zsys_interrupted) {
        int64_t timeout_ms;
        size_t count = s_poll_items (self, &timeout_ms);
        zmq_poll (self->items, (int) count, (long) timeout_ms);
        for (size_t index = 0; index < self->count; index++)
            if (s_is_due (&self->slots [index])
            &&  s_step (self, &self->slots [index]))
                return TOOL_FAILED;
    }
    return TOOL_OK;
}

//  A worker as the options say. NULL after an error message.
static mdp_worker_t *
s_worker_new (const service_t *self, const char *version,
              const tool_keys_t *keys)
{
    const options_t *options = self->options;
    mdp_worker_t *worker = mdp_worker_new (options_string (options, "endpoint"),
                                           self->service);
    if (!worker)
        tool_no_connection (options);
    else
    if (keys->own && mdp_worker_set_curve (worker, keys->own,
                                           zcert_public_txt (keys->server))) {
        tool_no_curve (options);
        mdp_worker_destroy (&worker);
    }
    if (worker) {
        mdp_worker_set_version (worker, version);
        mdp_worker_set_heartbeat (worker, options_number (options, "heartbeat"),
                                  options_number (options, "liveness"));
        mdp_worker_set_max_pause (worker, options_number (options, "max-pause"));
        mdp_worker_set_verbose (worker, options_flag (options, "verbose") != 0);
    }
    return worker;
}

static int
s_serve (service_t *self, const char *version)
{
    tool_keys_t keys;
    if (tool_keys_load (&keys, self->options))
        return TOOL_USAGE;
    size_t count = (size_t) options_number (self->options, "jobs");
    int status = TOOL_FAILED;
    self->slots = calloc (count, sizeof (slot_t));
    self->items = calloc (count * 3, sizeof (zmq_pollitem_t));
    while (self->slots && self->items && self->count < count
    &&    (self->slots [self->count].worker =
               s_worker_new (self, version, &keys)))
        self->count++;
    tool_keys_clear (&keys);
    if (self->count == count) {
        wire_notice ("serving %s at %s", self->service,
                     options_string (self->options, "endpoint"));
        status = s_run (self);
    }
    for (size_t index = 0; index < self->count; index++) {
        slot_t *slot = &self->slots [index];
        job_destroy (&slot->job);
        zmsg_destroy (&slot->echo);
        mdp_worker_destroy (&slot->worker);
    }
    free (self->slots);
    free (self->items);
    return status;
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "SERVICE [COMMAND]",
        "A Majordomo worker. COMMAND is for the shell and is run for each request;"
        "\nits output is the reply. Without COMMAND the request is the reply.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? TOOL_OK: TOOL_USAGE;
    //  What a command does not read is no reason to end
    signal (SIGPIPE, SIG_IGN);
    int status = TOOL_USAGE;
    service_t self = {
        .options = options,
        .service = tool_service (options, 0),
        .command = options_argument (options, 1),
        .settings = {
            .command = options_argument (options, 1),
            .arguments = options_flag (options, "arguments") != 0,
            .lines = options_flag (options, "lines") != 0
        },
        .partial = options_flag (options, "partial") != 0
    };
    const char *version = self.service? tool_version (options): NULL;
    if (version && options_rest (options) > 2)
        wire_notice ("unexpected argument %s; COMMAND is one argument, in quotes",
                     options_argument (options, 2));
    else
    if (version && self.partial && streq (version, "0.1"))
        wire_notice ("--partial needs --mdp 0.2: 0.1 has no PARTIAL");
    else
    if (version)
        status = s_serve (&self, version);
    options_destroy (&options);
    return status;
}
