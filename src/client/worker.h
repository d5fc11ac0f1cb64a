/*  =========================================================================
    worker - one worker of a Majordomo broker, 7/MDP and 18/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef WORKER_H_INCLUDED
#define WORKER_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "../protocol/message.h"

typedef enum {
    WORKER_OK,
    WORKER_INTERRUPTED,         //  SIGINT or SIGTERM
    WORKER_NO_CONNECTION,       //  No new socket could be had
    WORKER_NO_MEMORY,           //  Memory is out
    WORKER_RESULT_COUNT         //  How many results there are
} worker_result_t;

typedef struct _worker_t worker_t;

//  One line for people: "interrupted", ...
const char *
    worker_result_text (worker_result_t result);

//  A worker for a service of the broker at the endpoint, which need not be
//  there yet, in a version of the Majordomo Protocol. Heartbeats go out every heartbeat_ms; the broker counts as gone
//  when nothing has come for liveness times as long. NULL with errno, EINVAL
//  when that is no endpoint or no service name.
worker_t *
    worker_new (const char *endpoint, const char *service,
                mdp_version_t version, int64_t heartbeat_ms, int64_t liveness);

//  Say DISCONNECT and hang up. The broker gives a request that has no reply
//  yet to another worker.
void
    worker_destroy (worker_t **self_p);

//  Whether to tell on stderr what goes on.
void
    worker_set_verbose (worker_t *self, bool verbose);

//  Wait for the next request and keep up the conversation meanwhile: the body,
//  for the caller to destroy. NULL when none can come any more, and
//  worker_result knows why. Each request is to be answered with worker_reply
//  before the next can be received.
message_t *
    worker_recv (worker_t *self);

//  Send part of the answer to the request in hand, the frames of body, at least
//  one; more is to follow: 18/MDP, PARTIAL. Not in MDP_0_1.
void
    worker_partial (worker_t *self, const message_t *body);

//  Answer the request in hand with the frames of body, at least one.
void
    worker_reply (worker_t *self, const message_t *body);

//  Send a heartbeat if it is time. Who works on a request for longer than a
//  heartbeat interval calls this now and then, or the broker takes the worker
//  for gone.
void
    worker_beat (worker_t *self);

//  Stay for so many milliseconds with the request in hand, with a heartbeat
//  whenever it is time. WORKER_OK or WORKER_INTERRUPTED.
worker_result_t
    worker_stay (worker_t *self, int64_t ms);

//  What came of the last worker_recv.
worker_result_t
    worker_result (const worker_t *self);

#endif
