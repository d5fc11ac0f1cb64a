/*  =========================================================================
    dispatch - carries out stored requests, 9/TSP Request Execution

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DISPATCH_H_INCLUDED
#define DISPATCH_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "engine.h"

typedef struct {
    mdp_version_t version;      //  What it speaks with the broker
    int64_t heartbeat_ms;       //  For so long an answer shows that a service
                                //  is there
    int64_t patience_ms;        //  For so long mmi.service may be silent; after that
                                //  the broker is taken to have none
    int64_t timeout_ms;         //  Without a reply for so long, ask again
    int64_t retry_ms;           //  Until an absent service, or a store that
                                //  failed, is looked at again
    size_t executions;          //  Requests out at the broker, in all
    size_t service_executions;  //  For one service
    request_id_t server;        //  See lease.h
    int64_t lease_ms;
    size_t max_attempts;        //  Timeouts until a request is set aside; 0:
                                //  never
} dispatch_config_t;

//  Gives the store's answers a number to come back by.
typedef uint64_t (dispatch_ticket_fn) (void *argument);

typedef struct _dispatch_t dispatch_t;

//  Executions use the slots for channels from first_slot on. NULL when memory
//  is out.
dispatch_t *
    dispatch_new (const dispatch_config_t *config, channel_t first_slot,
                  dispatch_ticket_fn *ticket, void *argument);
void
    dispatch_destroy (dispatch_t **self_p);

//  Another limit from now on.
void
    dispatch_set_attempts (dispatch_t *self, size_t max_attempts);

//  A request for this service has been stored.
void
    dispatch_stored (dispatch_t *self, const request_id_t *id,
                     const frame_t *service);

//  A request is being dropped from the store: it must not be sent from now on;
//  it has been dropped; it could not be dropped.
void
    dispatch_hold (dispatch_t *self, const request_id_t *id);
void
    dispatch_forget (dispatch_t *self, const request_id_t *id,
                     update_t *update);
void
    dispatch_release (dispatch_t *self, const request_id_t *id);

//  A message has come on one of our channels.
void
    dispatch_receive (dispatch_t *self, int64_t now_ms, channel_t channel,
                      const message_t *message, update_t *update);

//  The store has answered one of our queries.
void
    dispatch_answer (dispatch_t *self, int64_t now_ms,
                     const store_answer_t *answer, update_t *update);

//  The broker is gone, and what was sent to it may be lost; it is there again.
void
    dispatch_broker_lost (dispatch_t *self, update_t *update);
void
    dispatch_broker_found (dispatch_t *self);

//  Do what can be done now: look for work, ask for services, send requests.
void
    dispatch_serve (dispatch_t *self, int64_t now_ms, update_t *update);

//  The same, after a look at what is out at the broker for too long.
void
    dispatch_tick (dispatch_t *self, int64_t now_ms, update_t *update);

//  The server ends: others may have at once what it has claimed.
void
    dispatch_stop (dispatch_t *self, update_t *update);

//  When the next tick is due, INT64_MAX for never.
int64_t
    dispatch_deadline (const dispatch_t *self);

#endif
