/*  =========================================================================
    conversation - one worker's dialogue with the broker, 7/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>

#include "conversation.h"

//  A second socket on which nothing comes gets twice the time, a third one twice that, and
//  so on, doubled so often at most: the broker may have many to greet, and the more of them
//  come anew the longer it takes.
#define DOUBLED_MOST 3

channel_t
channel_new (channel_t slot, unsigned *serial)
{
    //  Never 0, which stands for closed
    *serial = *serial % (UINT32_MAX / CHANNEL_SLOTS - 1) + 1;
    return *serial * CHANNEL_SLOTS + slot;
}

int
conversation_init (conversation_t *self, const conversation_config_t *config,
                   const char *service, channel_t slot)
{
    *self = (conversation_t) { .config = config, .slot = slot };
    self->service = frame_new (service, strlen (service));
    return self->service? 0: -1;
}

void
conversation_clear (conversation_t *self)
{
    frame_destroy (&self->service);
    frame_destroy (&self->client);
}

//  Send a command; it counts as a sign of life. 0, or -1 when memory is out.
static int
s_send (conversation_t *self, int64_t now_ms, message_t *message,
        update_t *update)
{
    self->sent_ms = now_ms;
    return update_send (update, self->channel, &message);
}

//  7/MDP, Opening and Closing a Connection: a worker that was disconnected
//  comes back on a fresh socket. Not more often than once an interval.
static void
s_close (conversation_t *self, int64_t now_ms, int64_t open_ms,
         update_t *update)
{
    frame_destroy (&self->client);
    self->over = update_close (update, self->channel) != 0;
    if (self->over)
        open_ms = now_ms + self->config->heartbeat_ms;
    else
        self->channel = 0;
    self->open_ms = open_ms;
}

static void
s_open (conversation_t *self, int64_t now_ms, update_t *update)
{
    channel_t channel = channel_new (self->slot, &self->serial);
    int64_t later_ms = now_ms + self->config->heartbeat_ms;
    if (update_open (update, channel)) {
        self->open_ms = later_ms;
        return;
    }
    self->channel = channel;
    self->vain++;
    self->opened_ms = now_ms;
    self->heard_ms = now_ms;
    //  TSP-PEER-01: one READY a connection
    if (s_send (self, now_ms, mdp_worker_ready (self->config->version,
                                                self->service), update))
        s_close (self, now_ms, later_ms, update);
}

//  When the broker is gone if nothing comes until then
static int64_t
s_gone_ms (const conversation_t *self)
{
    unsigned doubled = self->vain > 1? self->vain - 1: 0;
    if (doubled > DOUBLED_MOST)
        doubled = DOUBLED_MOST;
    return self->heard_ms
         + (self->config->heartbeat_ms * self->config->liveness << doubled);
}

conversation_result_t
conversation_tick (conversation_t *self, int64_t now_ms, update_t *update)
{
    const conversation_config_t *config = self->config;
    if (self->over && now_ms >= self->open_ms)
        s_close (self, now_ms, now_ms, update);
    if (!self->channel && now_ms >= self->open_ms)
        s_open (self, now_ms, update);
    if (!self->channel || self->over)
        return CONVERSATION_FINE;
    if (now_ms >= s_gone_ms (self)) {
        //  TSP-PEER-06
        update_notice (update, NOTICE_WARNING, "the broker is silent; "
                       "registering again", self->service);
        s_close (self, now_ms, now_ms + config->heartbeat_ms, update);
        return CONVERSATION_LOST;
    }
    if (now_ms - self->sent_ms >= config->heartbeat_ms)
        //  TSP-PEER-03
        s_send (self, now_ms, mdp_worker_heartbeat (config->version, NULL),
                update);
    return CONVERSATION_FINE;
}

static conversation_result_t
s_disconnected (conversation_t *self, int64_t now_ms, update_t *update)
{
    //  TSP-PEER-05
    int64_t earliest = self->opened_ms + self->config->heartbeat_ms;
    update_notice (update, NOTICE_INFO, "disconnected by the broker; "
                   "registering again", self->service);
    s_close (self, now_ms, earliest > now_ms? earliest: now_ms, update);
    if (self->open_ms == now_ms)
        s_open (self, now_ms, update);
    return CONVERSATION_LOST;
}

conversation_result_t
conversation_receive (conversation_t *self, int64_t now_ms,
                      const message_t *message, mdp_command_t *command,
                      update_t *update)
{
    if (self->over)
        return CONVERSATION_FINE;
    //  TSP-PEER-08
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_WORKER, command);
    if (result == MDP_OK && command->version != self->config->version)
        result = MDP_UNKNOWN_HEADER;
    if (result != MDP_OK) {
        update_notice (update, NOTICE_WARNING, mdp_result_text (result), NULL);
        return CONVERSATION_FINE;
    }
    self->vain = 0;
    if (command->type == MDP_WORKER_DISCONNECT)
        return s_disconnected (self, now_ms, update);
    //  7/MDP, Heartbeating: any command but DISCONNECT is a sign of life
    self->heard_ms = now_ms;
    if (command->type == MDP_WORKER_HEARTBEAT)
        return CONVERSATION_FINE;
    if (command->type != MDP_WORKER_REQUEST || self->client) {
        update_notice (update, NOTICE_WARNING, "the broker sent what a worker "
                       "does not expect; dropped", self->service);
        return CONVERSATION_FINE;
    }
    self->client = frame_ref (command->client);
    return CONVERSATION_REQUEST;
}

void
conversation_reply (conversation_t *self, int64_t now_ms, message_t **body_p,
                    update_t *update)
{
    if (self->channel && self->client) {
        //  TSP-PEER-02: with the address of the request
        message_t *reply = *body_p? mdp_worker_reply (self->config->version,
            self->client, *body_p, 0): NULL;
        if (s_send (self, now_ms, reply, update))
            s_close (self, now_ms, now_ms + self->config->heartbeat_ms, update);
    }
    frame_destroy (&self->client);
    message_destroy (body_p);
}

void
conversation_stop (conversation_t *self, update_t *update)
{
    if (self->channel) {
        message_t *message = mdp_worker_disconnect (self->config->version,
                                                    NULL);
        update_send (update, self->channel, &message);
    }
}

int64_t
conversation_deadline (const conversation_t *self)
{
    if (!self->channel || self->over)
        return self->open_ms;
    int64_t beat = self->sent_ms + self->config->heartbeat_ms;
    int64_t gone = s_gone_ms (self);
    return beat < gone? beat: gone;
}
