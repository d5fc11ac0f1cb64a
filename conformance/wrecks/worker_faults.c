/*  =========================================================================
    worker_faults - a worker's faults

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "peer.h"

//  Fits the heartbeat and the liveness of targets/wreck.zpl
#define EXPIRY_MS 500

static void
s_send_heartbeat (peer_t *self)
{
    message_t *message = mdp_worker_heartbeat (self->version, NULL);
    peer_send (self, message);
    message_destroy (&message);
}

static void
s_ready_twice (peer_t *self, message_t **message_p,
               const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_READY)
        peer_send (self, *message_p);
}

static void
s_beats_early (peer_t *self, message_t **message_p,
               const mdp_command_t *command)
{
    (void) message_p;
    if (command->type == MDP_WORKER_READY)
        s_send_heartbeat (self);
}

//  Where the client's address stands in a REPLY
static size_t
s_address (const mdp_command_t *command)
{
    return command->body - 2;
}

static void
s_no_delimiter (peer_t *self, message_t **message_p,
                const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_REPLY)
        peer_exchange (message_p, command->body - 1, NULL);
}

static void
s_replies_twice (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_REPLY)
        peer_send (self, *message_p);
}

//  An address is no string
static void
s_address_to_nul (peer_t *self, message_t **message_p,
                  const mdp_command_t *command)
{
    (void) self;
    if (command->type != MDP_WORKER_REPLY)
        return;
    const char *data = (const char *) frame_data (command->client);
    size_t size = strnlen (data, frame_size (command->client));
    peer_exchange (message_p, s_address (command), frame_new (data, size));
}

static void
s_first_address (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    if (command->type != MDP_WORKER_REPLY)
        return;
    if (!self->kept)
        self->kept = frame_ref (command->client);
    peer_exchange (message_p, s_address (command), frame_ref (self->kept));
}

//  The same body once more is thought done
static void
s_carries_out_once (peer_t *self, message_t **message_p,
                    const mdp_command_t *command)
{
    if (command->type != MDP_WORKER_REQUEST)
        return;
    const frame_t *body = message_frame (*message_p, command->body);
    if (self->kept && frame_equal (self->kept, body))
        message_destroy (message_p);
    else {
        frame_destroy (&self->kept);
        self->kept = frame_ref (body);
    }
}

static void
s_dies_on_many (peer_t *self, message_t **message_p,
                const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_REQUEST
    &&  message_size (*message_p) > command->body + 4)
        abort ();
}

//  An empty frame at the end is no body
static void
s_drops_empty_end (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    (void) self;
    size_t last = message_size (*message_p) - 1;
    if (command->type == MDP_WORKER_REPLY
    &&  frame_size (message_frame (*message_p, last)) == 0)
        peer_exchange (message_p, last, NULL);
}

static void
s_partial_only (peer_t *self, message_t **message_p,
                const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_REPLY && command->version == MDP_0_2)
        peer_exchange (message_p, 1, frame_new ("\3", 1));
}

static void
s_long_goodbye (peer_t *self, message_t **message_p,
                const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_DISCONNECT)
        message_add_string (*message_p, "bye");
}

static void
s_no_heartbeats (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_HEARTBEAT)
        message_destroy (message_p);
}

static void
s_rare_heartbeats (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_HEARTBEAT && self->number++ % 6)
        message_destroy (message_p);
}

static void
s_no_heartbeats_busy (peer_t *self, message_t **message_p,
                      const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_HEARTBEAT && self->busy)
        message_destroy (message_p);
}

//  Once it has replied, it thinks that is life enough
static void
s_heartbeats_till_reply (peer_t *self, message_t **message_p,
                         const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_REPLY)
        self->number++;
    if (command->type == MDP_WORKER_HEARTBEAT && self->number)
        message_destroy (message_p);
}

static void
s_heartbeats_once (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_READY)
        self->number++;
    if (command->type == MDP_WORKER_HEARTBEAT && self->number > 1)
        message_destroy (message_p);
}

//  After long work it takes its broker for gone, though heartbeats wait unread
static void
s_note_work (peer_t *self, message_t **message_p, const mdp_command_t *command)
{
    (void) message_p;
    if (command->type == MDP_WORKER_REPLY
    &&  zclock_mono () - self->heartbeat_ms > EXPIRY_MS)
        self->number++;
}

static void
s_leaves_after_work (peer_t *self, message_t **message_p,
                     const mdp_command_t *command)
{
    if (command->type == MDP_WORKER_REQUEST)
        self->heartbeat_ms = zclock_mono ();
    if (self->number == 0)
        return;
    self->number = 0;
    message_destroy (message_p);
    *message_p = mdp_worker_disconnect (self->version, NULL);
}

static void
s_heartbeats_always (peer_t *self, message_t **message_p,
                     const mdp_command_t *command)
{
    if (command->type != MDP_WORKER_REPLY)
        return;
    peer_send (self, *message_p);
    message_destroy (message_p);
    s_send_heartbeat (self);
}

static void
s_deaf_to_heartbeats (peer_t *self, message_t **message_p,
                      const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_HEARTBEAT)
        message_destroy (message_p);
}

//  A broker from which no HEARTBEAT comes is gone, though other commands do
static void
s_only_heartbeats (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    int64_t now_ms = zclock_mono ();
    if (self->heartbeat_ms == 0 || command->type == MDP_WORKER_HEARTBEAT)
        self->heartbeat_ms = now_ms;
    if (now_ms - self->heartbeat_ms > EXPIRY_MS) {
        self->heartbeat_ms = 0;
        message_destroy (message_p);
        *message_p = mdp_worker_disconnect (self->version, NULL);
    }
}

static void
s_deaf_to_disconnect (peer_t *self, message_t **message_p,
                      const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_WORKER_DISCONNECT)
        message_destroy (message_p);
}

static void
s_keep_ready (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) message_p;
    if (command->type == MDP_WORKER_READY && !self->kept)
        self->kept = frame_ref (command->service);
}

//  Registers again where it was disconnected
static void
s_same_socket (peer_t *self, message_t **message_p,
               const mdp_command_t *command)
{
    if (command->type != MDP_WORKER_DISCONNECT || !self->kept)
        return;
    message_destroy (message_p);
    message_t *ready = mdp_worker_ready (self->version, self->kept);
    peer_send (self, ready);
    message_destroy (&ready);
}

static void
s_registers_often (peer_t *self, message_t **message_p,
                   const mdp_command_t *command, size_t times)
{
    if (command->type == MDP_WORKER_READY && self->number++ >= times)
        message_destroy (message_p);
}

static void
s_registers_once (peer_t *self, message_t **message_p,
                  const mdp_command_t *command)
{
    s_registers_often (self, message_p, command, 1);
}

static void
s_registers_twice (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    s_registers_often (self, message_p, command, 2);
}

//  Takes any header for its own
static void
s_any_header (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) command;
    bool old = self->version == MDP_0_1;
    size_t header = old? 1: 0;
    if (message_size (*message_p) > header + 4)
        peer_exchange (message_p, header,
                       frame_new (old? "MDPW01": "MDPW02", 6));
}

static void
s_dies_on_short (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) self;
    (void) command;
    if (message_size (*message_p) < 2)
        abort ();
}

const peer_fault_t worker_faults [] = {
    { "worker-ready-twice", s_ready_twice, NULL, 0 },
    { "worker-beats-early", s_beats_early, NULL, 0 },
    { "worker-no-delimiter", s_no_delimiter, NULL, 0 },
    { "worker-replies-twice", s_replies_twice, NULL, 0 },
    { "worker-address-to-nul", s_address_to_nul, NULL, 0 },
    { "worker-first-address", s_first_address, NULL, 0 },
    { "worker-carries-out-once", NULL, s_carries_out_once, 0 },
    { "worker-dies-on-many-frames", NULL, s_dies_on_many, 0 },
    { "worker-drops-empty-end", s_drops_empty_end, NULL, 0 },
    { "worker-partial-only", s_partial_only, NULL, 0 },
    { "worker-long-goodbye", s_long_goodbye, NULL, 0 },
    { "worker-no-heartbeats", s_no_heartbeats, NULL, 0 },
    { "worker-rare-heartbeats", s_rare_heartbeats, NULL, 0 },
    { "worker-no-heartbeats-busy", s_no_heartbeats_busy, NULL, 0 },
    { "worker-heartbeats-till-reply", s_heartbeats_till_reply, NULL, 0 },
    { "worker-heartbeats-once", s_heartbeats_once, NULL, 0 },
    { "worker-leaves-after-work", s_note_work, s_leaves_after_work, 0 },
    { "worker-heartbeats-always", s_heartbeats_always, NULL, 0 },
    { "worker-deaf-to-heartbeats", NULL, s_deaf_to_heartbeats, 0 },
    { "worker-only-heartbeats-count", NULL, s_only_heartbeats, 0 },
    { "worker-never-gives-up", NULL, NULL, PEER_FEIGNS_HEARTBEATS },
    { "worker-deaf-to-disconnect", NULL, s_deaf_to_disconnect, 0 },
    { "worker-same-socket", s_keep_ready, s_same_socket, 0 },
    { "worker-own-address", NULL, NULL, PEER_OWN_ADDRESS },
    { "worker-keeps-sockets", NULL, NULL, PEER_KEEPS_SOCKETS },
    { "worker-registers-once", s_registers_once, NULL, 0 },
    { "worker-registers-twice", s_registers_twice, NULL, 0 },
    { "worker-needs-broker", NULL, NULL, PEER_NEEDS_BROKER },
    { "worker-any-header", NULL, s_any_header, 0 },
    { "worker-dies-on-short", NULL, s_dies_on_short, 0 },
    { "worker-dies-after-pause", NULL, NULL, PEER_DIES_AFTER_PAUSE },
    { NULL, NULL, NULL, 0 }
};
