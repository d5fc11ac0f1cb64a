/*  =========================================================================
    engine - what the broker's engine itself costs, without any socket

    Steps the engine with requests of C clients for S services of W workers in
    turn, and prints nanoseconds a round trip: messages made and read included,
    ZeroMQ and the kernel not.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/engine/broker.h"
#include "../../src/protocol/mdp.h"

static int64_t
s_now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

//  A message as the ROUTER gives it: from a peer whose address is a letter and a
//  number
static message_t *
s_from (char kind, size_t number, const message_t *command)
{
    char address [24];
    int size = snprintf (address, sizeof address, "%c%zu", kind, number);
    message_t *message = message_new ();
    message_add_bytes (message, address, (size_t) size);
    message_add_from (message, command, 0);
    return message;
}

static void
s_step (broker_t *broker, message_t **message_p, update_t *update)
{
    event_t event = { .type = EVENT_RECEIVED, .now_ms = 1,
                      .message = *message_p };
    broker_step (broker, &event, update);
    message_destroy (message_p);
}

static frame_t *
s_service (size_t number)
{
    char name [24];
    int size = snprintf (name, sizeof name, "service%zu", number);
    return frame_new (name, (size_t) size);
}

//  The worker's REPLY to the REQUEST that the update holds: its address, "",
//  header, command, client, "", body
static message_t *
s_reply (update_t *update)
{
    const message_t *request = update_effect (update, 0)->message;
    message_t *body = message_slice (request, 6);
    message_t *reply = mdp_worker_reply (MDP_0_1, message_frame (request, 4),
                                         body, 0);
    message_t *message = message_new ();
    message_add_bytes (message, frame_data (message_frame (request, 0)),
                       frame_size (message_frame (request, 0)));
    message_add_from (message, reply, 0);
    message_destroy (&reply);
    message_destroy (&body);
    return message;
}

int
main (int argc, char *argv [])
{
    if (argc != 5) {
        fprintf (stderr, "usage: %s WORKERS CLIENTS SERVICES ROUND-TRIPS\n",
                 argv [0]);
        return 2;
    }
    size_t workers = strtoul (argv [1], NULL, 10);
    size_t clients = strtoul (argv [2], NULL, 10);
    size_t services = strtoul (argv [3], NULL, 10);
    size_t count = strtoul (argv [4], NULL, 10);
    broker_config_t config = { .heartbeat_ms = 2500, .liveness = 3,
        .expiry_ms = 60000, .max_services = 20000, .max_workers = 20000,
        .max_requests = 100000, .max_service_requests = 50000,
        .max_bytes = 1073741824, .max_frames = 4096 };
    broker_t *broker = broker_new (&config);
    update_t *update = update_new ();
    message_t *body = message_new ();
    message_add_bytes (body, argv [0], 1);
    for (size_t nbr = 0; nbr < workers; nbr++) {
        frame_t *service = s_service (nbr % services);
        message_t *ready = mdp_worker_ready (MDP_0_1, service);
        message_t *message = s_from ('w', nbr, ready);
        s_step (broker, &message, update);
        message_destroy (&ready);
        frame_destroy (&service);
    }
    update_clear (update);
    int64_t begin_ns = s_now_ns ();
    for (size_t nbr = 0; nbr < count; nbr++) {
        frame_t *service = s_service (nbr % services);
        message_t *request = mdp_client_request (MDP_0_1, service, body, 0);
        message_t *message = s_from ('c', nbr % clients, request);
        s_step (broker, &message, update);
        if (update_size (update) != 1)
            return 1;
        message = s_reply (update);
        update_clear (update);
        s_step (broker, &message, update);
        if (update_size (update) != 1)
            return 1;
        update_clear (update);
        message_destroy (&request);
        frame_destroy (&service);
    }
    printf ("{\"ns\": %.1f}\n", (double) (s_now_ns () - begin_ns)
                                / (double) count);
    message_destroy (&body);
    update_destroy (&update);
    broker_destroy (&broker);
    return 0;
}
