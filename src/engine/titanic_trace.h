/*  =========================================================================
    titanic_trace - a Titanic server on a virtual clock, for its tests

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_TRACE_H_INCLUDED
#define TITANIC_TRACE_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "titanic.h"

#define HEARTBEAT 100
#define LIVENESS 3
#define TIMEOUT 1000
#define RETRY 200
#define TIDY 10100              //  More than the engine's own
//  One worker each for request, reply and close, so that channels are told apart
//  by their slots: 0, 1, 2, and executions from 3 on
#define SLOTS 4096

extern titanic_t *server;
extern update_t *server_update;     //  What has not been looked at yet
extern store_t *server_store;
extern int64_t server_now_ms;
extern bool server_store_fails;     //  The store has no space
extern bool server_store_waits;     //  The store does not answer yet

//  A fixture.
void
    server_set_up (void);
void
    server_tear_down (void);

//  Events, with the time in them, and the store's answers to what they bring.
void
    server_step (event_t event);
void
    server_tick (int64_t ms);
void
    server_receive (channel_t channel, message_t *message);

//  Give the store its queries and the engine the answers, until there are none.
void
    server_serve_store (void);

//  The oldest message sent on this slot; taken out. NULL if there is none.
message_t *
    server_sent (channel_t slot, channel_t *channel);

//  What a slot sent next must be this command; its body's first frame, as text.
const char *
    server_expect (channel_t slot, mdp_type_t type, channel_t *channel);
void
    server_expect_nothing (channel_t slot);

message_t *
    server_body (const char *first, const char *second);

//  A client asks one of the three services.
void
    server_ask (channel_t channel, const char *first, const char *second);

//  The broker replies to an execution.
void
    server_answer (channel_t channel, const char *service, const char *text);

//  All three workers register; their channels.
void
    server_register (channel_t channels [3]);

//  Keep the broker alive for so long.
void
    server_pass (channel_t channels [3], int64_t ms);

//  Store a request; its id.
const char *
    server_store_request (channel_t channels [3], const char *service,
                          const char *body);

//  The status that a question gets.
const char *
    server_status (channel_t channels [3], channel_t slot, const char *first);

#endif
