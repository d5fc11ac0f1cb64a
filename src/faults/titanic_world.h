/*  =========================================================================
    titanic_world - a broker, a service and clients around a Titanic server

    All honest, on a virtual clock: the broker keeps to 7/MDP, gives each worker
    one request at a time and the request of a worker that is gone to another. The
    store is a real one. What is acknowledged is looked up in it at once.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_WORLD_H_INCLUDED
#define TITANIC_WORLD_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../store/store.h"

#define WORLD_HB 100

//  Open the store and begin; false when the server could not get the memory, and
//  then there is nothing to end. Requests for "echo" are echoed; those for "late" too,
//  after world_hurry, before that they get no reply; for anything else there is no
//  worker. With lease_ms the store is shared, and what is executed
//  is claimed for so long. So many effects stand in each update before the server's, so
//  that it is a later one that there is no room for.
bool
    world_begin (const char *store_address, int64_t lease_ms, size_t effects);
void
    world_end (void);
void
    world_hurry (void);

//  Let time pass, with ticks and heartbeats where they are due.
void
    world_pass (int64_t ms);

//  What a client asks, and what came of it. Questions stay valid to the end.
typedef struct {
    const char *service;        //  titanic.request, ..
    message_t *body;            //  Its frames
    int status;                 //  0 until there is an answer
    request_id_t id;            //  That came with a 200 for a request
    message_t *answer;          //  All frames
    uint32_t channel;           //  Of the worker that has it, 0 while it waits
} question_t;

question_t *
    world_request (const char *service, const char *text);
question_t *
    world_reply (const request_id_t *id);
question_t *
    world_close (const request_id_t *id);

//  Let time pass until there is an answer, at most so long. Its status, or 0.
int
    world_wait (question_t *question, int64_t ms);

//  Whether the store has this request.
bool
    world_is_stored (const request_id_t *id);

#endif
