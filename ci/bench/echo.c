/*  =========================================================================
    echo - a service that stores nothing, to measure Titanic against

    Any number of workers for the service "bench" in one process, on the same
    reactor and sockets as titanicd. What Titanic costs beyond this is what it
    costs to keep requests.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>

#include "../../src/daemon/reactor.h"
#include "../../src/engine/conversation.h"

//  As the benchmark starts brokers: heartbeats are no part of it
#define HEARTBEAT_MS 60000

typedef struct {
    size_t count;
    conversation_t *workers;
} echo_t;

static void
s_step (void *engine, const event_t *event, update_t *update)
{
    echo_t *self = engine;
    int64_t deadline_ms = event->now_ms + HEARTBEAT_MS;
    if (event->type == EVENT_RECEIVED) {
        conversation_t *worker =
            &self->workers [CHANNEL_SLOT (event->channel)];
        mdp_command_t command;
        if (conversation_receive (worker, event->now_ms, event->message,
                                  &command, update) == CONVERSATION_REQUEST) {
            message_t *body = message_slice (event->message, command.body);
            conversation_reply (worker, event->now_ms, &body, update);
        }
        if (update_deadline (update) < deadline_ms)
            deadline_ms = update_deadline (update);
    }
    else
    if (event->type == EVENT_TICK)
        for (size_t nbr = 0; nbr < self->count; nbr++)
            conversation_tick (&self->workers [nbr], event->now_ms, update);
    update_set_deadline (update, deadline_ms);
}

int
main (int argc, char *argv [])
{
    if (argc != 3) {
        fprintf (stderr, "usage: %s ENDPOINT WORKERS\n", argv [0]);
        return 2;
    }
    conversation_config_t config = { HEARTBEAT_MS, 3, MDP_0_1 };
    echo_t echo = { .count = strtoul (argv [2], NULL, 10) };
    echo.workers = calloc (echo.count + 1, sizeof (conversation_t));
    if (!echo.workers)
        return 1;
    for (size_t nbr = 0; nbr < echo.count; nbr++)
        if (conversation_init (&echo.workers [nbr], &config, "bench",
                               (channel_t) nbr))
            return 1;
    reactor_config_t reactor = {
        .endpoint = argv [1],
        .max_message_bytes = 16777216,
        .step = s_step,
        .engine = &echo
    };
    int rc = reactor_run (&reactor);
    for (size_t nbr = 0; nbr < echo.count; nbr++)
        conversation_clear (&echo.workers [nbr]);
    free (echo.workers);
    return rc? 1: 0;
}
