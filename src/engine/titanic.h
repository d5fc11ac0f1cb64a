/*  =========================================================================
    titanic - the Titanic server as an engine, 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_H_INCLUDED
#define TITANIC_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "engine.h"

typedef struct {
    mdp_version_t version;      //  What it speaks with the broker
    int64_t heartbeat_ms;       //  Between two signs of life, both ways
    int64_t liveness;           //  Intervals of silence until the broker is gone
    int64_t timeout_ms;         //  A service that does not reply for so long is
                                //  asked again
    int64_t retry_ms;           //  Until an absent service, or a store that
                                //  failed, is looked at again
    size_t request_workers;     //  Registered for titanic.request: so many
                                //  requests may be stored by one commit
    size_t reply_workers;       //  For titanic.reply
    size_t close_workers;       //  For titanic.close
    size_t executions;          //  Requests out at the broker, in all
    size_t service_executions;  //  For one service
    int64_t lease_ms;           //  Others may be at the store: silent for so
                                //  long, we lose what we have claimed. 0: it is
                                //  ours alone
    request_id_t server;        //  With a lease: 16 bytes that no other server
                                //  has, random ones
    size_t max_bytes;           //  In a request, all its frames together; what
                                //  is above gets 500; 0: no limit
    size_t max_frames;          //  In a request, the service's name included;
                                //  0: no limit
    int64_t keep_requests_ms;   //  A request that nobody answers is dropped
                                //  after so long, 0: never
    int64_t keep_replies_ms;    //  One that is answered, from its answer on
    size_t max_attempts;        //  A request is set aside once so many were sent
                                //  to their service and timed out, 0: never
} titanic_config_t;

typedef struct _titanic_t titanic_t;

//  NULL when memory is out.
titanic_t *
    titanic_new (const titanic_config_t *config);
void
    titanic_destroy (titanic_t **self_p);

//  Other limits from now on: the max_ and keep_ of config.
void
    titanic_set_limits (titanic_t *self, const titanic_config_t *config);

//  The server's entrance, an engine_step_fn. Channels are DEALERs to the broker.
void
    titanic_step (void *engine, const event_t *event, update_t *update);

#endif
