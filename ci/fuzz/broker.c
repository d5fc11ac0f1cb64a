/*  =========================================================================
    broker - any messages, at any time, from a few peers of a broker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "../../src/engine/broker.h"
#include "../../src/protocol/mdp.h"

#define PEERS 6
#define SERVICES 4
#define STEPS_MAX 2000
#define HB 100

//  A peer as its messages tell; the broker may have forgotten it, but never knows
//  more than this
typedef struct {
    bool registered;            //  READY, and no DISCONNECT since
    bool busy;                  //  Has a request
    size_t asked;               //  Requests, as a client
    size_t replied;             //  Replies that came
    frame_t *client;            //  Whose request it has
} peer_t;

typedef struct {
    broker_t *broker;
    update_t *update;
    int64_t now_ms;
    peer_t peers [PEERS];
} world_t;

//  --------------------------------------------------------------------------
//  What the broker sends

static peer_t *
s_peer (world_t *self, const frame_t *address)
{
    HOLDS (address && frame_size (address) == 1);
    size_t nbr = frame_data (address) [0] - (size_t) 'a';
    HOLDS (nbr < PEERS);
    return &self->peers [nbr];
}

static void
s_check_to_worker (peer_t *peer, const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_DISCONNECT) {
        peer->registered = false;
        return;
    }
    HOLDS (peer->registered);
    if (command->type == MDP_WORKER_HEARTBEAT)
        return;
    //  MDP1-TOPOLOGY-06: one request at a time
    HOLDS (command->type == MDP_WORKER_REQUEST && !peer->busy);
    peer->busy = true;
    frame_destroy (&peer->client);
    peer->client = frame_ref (command->client);
}

static void
s_check_sent (world_t *self, const message_t *message)
{
    peer_t *peer = s_peer (self, message_frame (message, 0));
    mdp_command_t command;
    if (mdp_decode (message, 1, MDP_AT_WORKER, &command) == MDP_OK) {
        s_check_to_worker (peer, &command);
        return;
    }
    HOLDS (mdp_decode (message, 1, MDP_AT_CLIENT, &command) == MDP_OK);
    if (command.type == MDP_CLIENT_REPLY)
        peer->replied++;
    //  Nobody gets more than was asked for
    HOLDS (peer->replied <= peer->asked);
    HOLDS (command.type == MDP_CLIENT_REPLY || peer->replied < peer->asked);
}

static void
s_step (world_t *self, event_type_t type, const message_t *message)
{
    event_t event = { .type = type, .now_ms = self->now_ms,
                      .message = message };
    broker_step (self->broker, &event, self->update);
    HOLDS (!update_failed (self->update));
    if (type == EVENT_TICK)
        HOLDS (update_deadline (self->update) > self->now_ms);
    for (size_t nbr = 0; nbr < update_size (self->update); nbr++) {
        effect_t *effect = update_effect (self->update, nbr);
        HOLDS (effect->type == EFFECT_SEND || effect->type == EFFECT_NOTICE);
        if (effect->type == EFFECT_SEND)
            s_check_sent (self, effect->message);
    }
    update_clear (self->update);
}

//  --------------------------------------------------------------------------
//  What peers send

//  Take down what a message says before the broker gets it
static void
s_note (world_t *self, const message_t *message)
{
    mdp_command_t command;
    if (mdp_decode (message, 1, MDP_AT_BROKER, &command) != MDP_OK)
        return;
    peer_t *peer = s_peer (self, message_frame (message, 0));
    switch (command.type) {
        case MDP_CLIENT_REQUEST:
            peer->asked++;
            break;
        case MDP_WORKER_READY:
            peer->registered = true;
            peer->busy = false;
            break;
        case MDP_WORKER_REPLY:
            peer->busy = false;
            break;
        case MDP_WORKER_DISCONNECT:
            peer->registered = false;
            break;
        default:
            break;
    }
}

//  Takes the command
static void
s_receive (world_t *self, size_t from, message_t *command)
{
    char address = (char) ('a' + from);
    message_t *message = message_new ();
    HOLDS (command && message
    &&  message_add_bytes (message, &address, 1) == 0
    &&  message_add_from (message, command, 0) == 0);
    message_destroy (&command);
    s_note (self, message);
    s_step (self, EVENT_RECEIVED, message);
    message_destroy (&message);
}

static frame_t *
s_service (uint8_t byte)
{
    static const char *const names [SERVICES] = {
        "echo", "other", "mmi.service", "mmi.x"
    };
    const char *name = names [byte % SERVICES];
    return frame_new (name, strlen (name));
}

//  A well-formed command, of which there would be few otherwise
static void
s_command (world_t *self, uint8_t what, size_t from, bytes_t *bytes)
{
    uint8_t how = bytes_take (bytes);
    mdp_version_t version = how & 1? MDP_0_2: MDP_0_1;
    frame_t *service = s_service (how >> 1);
    peer_t *peer = &self->peers [from];
    //  To the client whose request it has, or to some other
    char other = (char) ('a' + how % PEERS);
    frame_t *client = peer->client && how < 200? frame_ref (peer->client)
                                               : frame_new (&other, 1);
    message_t *body = message_new ();
    frame_t *text = what <= 4? bytes_take_frame (bytes): frame_new ("", 0);
    HOLDS (message_take (body, &text) == 0);
    if (how & 0x20)
        HOLDS (message_add_string (body, "more") == 0);
    message_t *message =
        what == 1? mdp_worker_ready (version, service):
        what == 2? mdp_client_request (version, service, body, 0):
        what == 3? mdp_worker_reply (version, client, body, 0):
        what == 4? mdp_worker_partial (MDP_0_2, client, body, 0):
        how & 0x40? mdp_worker_disconnect (version, NULL)
                  : mdp_worker_heartbeat (version, NULL);
    frame_destroy (&service);
    frame_destroy (&client);
    message_destroy (&body);
    s_receive (self, from, message);
}

static void
s_unreachable (world_t *self, size_t from)
{
    char address = (char) ('a' + from);
    message_t *message = message_new ();
    HOLDS (message_add_bytes (message, &address, 1) == 0);
    s_step (self, EVENT_UNREACHABLE, message);
    message_destroy (&message);
}

//  What happens, to whom, and the rest
void
fuzz_broker (const uint8_t *data, size_t size)
{
    //  Low, so that every limit is reached
    broker_config_t config = { .heartbeat_ms = HB, .liveness = 3,
        .expiry_ms = size % 2? 0: 5 * HB, .max_services = 3, .max_workers = 4,
        .max_requests = 8, .max_service_requests = 5, .max_frames = 12,
        .max_bytes = 512 };
    world_t world = { .broker = broker_new (&config), .update = update_new (),
                      .now_ms = 1000 };
    HOLDS (world.broker && world.update);
    bytes_t bytes = { data, size };
    for (int step = 0; bytes.left && step < STEPS_MAX; step++) {
        uint8_t what = bytes_take (&bytes);
        size_t from = what / 8 % PEERS;
        what %= 8;
        if (what == 0)
            s_receive (&world, from, bytes_take_message (&bytes));
        else
        if (what <= 5)
            s_command (&world, what, from, &bytes);
        else
        if (what == 6) {
            world.now_ms += bytes_take (&bytes) * 2;
            s_step (&world, EVENT_TICK, NULL);
        }
        else
            s_unreachable (&world, from);
    }
    s_step (&world, EVENT_STOP, NULL);
    broker_destroy (&world.broker);
    update_destroy (&world.update);
    for (int nbr = 0; nbr < PEERS; nbr++)
        frame_destroy (&world.peers [nbr].client);
}
