/*  =========================================================================
    broker - the Majordomo broker as an engine

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BROKER_H_INCLUDED
#define BROKER_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "engine.h"

//  An answer may have so much more than a request, so that what comes in can go
//  back in an answer, with a status and a name. A worker's envelope takes two of
//  the frames.
#define BROKER_ANSWER_BYTES 1024
#define BROKER_ANSWER_FRAMES 8

typedef struct {
    int64_t heartbeat_ms;       //  Between two signs of life, both ways
    int64_t liveness;           //  Intervals of silence until a worker is gone
    int64_t expiry_ms;          //  How long a request waits for a service that
                                //  has no worker; 0 for ever
    size_t max_services;        //  Services with workers or requests
    size_t max_workers;         //  Registered workers; also how many dismissed
                                //  ones are remembered
    size_t max_requests;        //  Requests, waiting or held by workers; what an
                                //  idle worker takes at once comes on top
    size_t max_service_requests;    //  Requests that wait for one service
    size_t max_client_requests; //  Of one client, waiting or held by workers;
                                //  0: no limit
    size_t max_client_bytes;    //  Of memory that these take; 0: no limit
    size_t max_frames;          //  Frames in a message, without the address; see
                                //  BROKER_ANSWER_FRAMES
    size_t max_body_bytes;      //  In the body of a message, all its frames
                                //  together; 0: no limit
    size_t max_bytes;           //  Of memory that all requests take: their
                                //  bodies, and what goes with each frame and
                                //  request; 0: no limit
    size_t max_resends;         //  A request goes to so many more workers when
                                //  one after the other is gone; 0: no limit
} broker_config_t;

typedef struct _broker_t broker_t;

//  NULL when memory is out.
broker_t *
    broker_new (const broker_config_t *config);
void
    broker_destroy (broker_t **self_p);

//  Other limits from now on: the max_ of config. What is above them stays, until
//  it goes by itself.
void
    broker_set_limits (broker_t *self, const broker_config_t *config);

//  The broker's entrance, an engine_step_fn. Channel 0 is a ROUTER. Workers and
//  requests expire, and heartbeats are sent, with EVENT_TICK only: who runs the
//  engine first gives it all that has arrived.
void
    broker_step (void *engine, const event_t *event, update_t *update);

#endif
