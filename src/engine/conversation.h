/*  =========================================================================
    conversation - one worker's dialogue with the broker, 7/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CONVERSATION_H_INCLUDED
#define CONVERSATION_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "engine.h"

typedef struct {
    int64_t heartbeat_ms;       //  Between two signs of life, both ways
    int64_t liveness;           //  Intervals of silence until the broker is gone
    mdp_version_t version;      //  What it speaks
} conversation_config_t;

//  The worker side of one connection. Each socket has a channel of its own, so
//  that what comes from an old one cannot be taken for new.
typedef struct {
    const conversation_config_t *config;
    frame_t *service;           //  That it registers
    channel_t slot;             //  The low bits of all its channels
    channel_t channel;          //  Now; 0 while it is closed
    unsigned serial;            //  Of the channel
    int64_t heard_ms;           //  Last sign of life from the broker
    int64_t sent_ms;            //  Last sign of life from us
    int64_t opened_ms;          //  When the socket was opened
    unsigned vain;              //  Sockets in a row, with this one, on which nothing
                                //  has come
    bool over;                  //  To be closed, for which memory was out
    int64_t open_ms;            //  While closed: when to open again; while over:
                                //  when to try again
    frame_t *client;            //  Whose request is in hand; NULL if none
} conversation_t;

//  Channels are made of a slot, which is the conversation's for good, and a
//  serial number, which is the socket's.
#define CHANNEL_SLOTS 4096
#define CHANNEL_SLOT(channel) ((channel) % CHANNEL_SLOTS)

channel_t
    channel_new (channel_t slot, unsigned *serial);

//  What a step of a conversation came to.
typedef enum {
    CONVERSATION_FINE,
    CONVERSATION_REQUEST,       //  There is a request in hand: see command
    CONVERSATION_LOST           //  The broker is gone, or has been away
} conversation_result_t;

//  0, or -1 when memory is out.
int
    conversation_init (conversation_t *self,
                       const conversation_config_t *config,
                       const char *service, channel_t slot);
void
    conversation_clear (conversation_t *self);

//  Open, register, send heartbeats, notice silence: as far as it is due.
conversation_result_t
    conversation_tick (conversation_t *self, int64_t now_ms,
                       update_t *update);

//  Take a message from the broker. With CONVERSATION_REQUEST the command's
//  frames are in the message.
conversation_result_t
    conversation_receive (conversation_t *self, int64_t now_ms,
                          const message_t *message, mdp_command_t *command,
                          update_t *update);

//  Reply to the request in hand; takes the body. When memory is out, or the body
//  is NULL, the conversation begins anew, so that the broker waits no longer.
void
    conversation_reply (conversation_t *self, int64_t now_ms,
                        message_t **body_p, update_t *update);

//  Say good-bye.
void
    conversation_stop (conversation_t *self, update_t *update);

//  When the next tick is due.
int64_t
    conversation_deadline (const conversation_t *self);

#endif
