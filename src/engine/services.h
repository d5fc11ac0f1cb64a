/*  =========================================================================
    services - the broker's services and the requests that wait for them

    Part of the broker engine. A service is there while it has workers or
    requests. The requests of each client for one service wait in a lane of
    their own, and the lanes take turns. Every operation takes the same time
    however many services, clients and requests there are.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SERVICES_H_INCLUDED
#define SERVICES_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol/mdp.h"

//  Something that peers can make grow, and how far. told keeps the log quiet:
//  the limit is reported once, and again only after a quarter was free.
typedef struct {
    size_t count;               //  How many there are
    size_t most;                //  How many there may be
    bool told;                  //  Somebody was told that it is reached
} limit_t;

typedef struct _services_t services_t;
typedef struct _service_t service_t;
typedef struct _request_t request_t;

typedef struct {
    int64_t expiry_ms;          //  Patience without workers; 0 for ever
    size_t max_services;
    size_t max_requests;        //  In all, also those that workers hold
    size_t max_service_requests;    //  That wait for one service
    size_t max_client_requests; //  Of one client, 0 for no limit
    size_t max_client_bytes;    //  In them, 0 for no limit
    size_t max_bytes;           //  Of memory that all requests take, 0 for no
                                //  limit
} services_config_t;

typedef enum {
    SERVICES_OK,
    SERVICES_NO_MEMORY,
    SERVICES_TOO_MANY,          //  No room for another service
    SERVICES_REQUESTS,          //  No room for another request
    SERVICES_QUEUE,             //  No room in this service's queue
    SERVICES_CLIENT,            //  This client has as many as it may
    SERVICES_BYTES              //  No room for this much
} services_result_t;

services_t *
    services_new (const services_config_t *config);
void
    services_destroy (services_t **self_p);

//  Other limits from now on; expiry_ms stays. What is above them stays, too.
void
    services_set_limits (services_t *self, const services_config_t *config);

//  Find a service by name, NULL when there is none. Never makes one.
service_t *
    services_find (services_t *self, const frame_t *name);

//  Find a service by name or make it. NULL with the reason in *result.
service_t *
    services_obtain (services_t *self, const frame_t *name,
                     services_result_t *result);

//  Drop the service if it has neither workers nor waiting requests.
void
    services_release (services_t *self, service_t **service_p);

//  The limit that a result speaks of; service may be NULL unless the result is
//  SERVICES_QUEUE.
limit_t *
    services_limit (services_t *self, service_t *service,
                    services_result_t result);

//  Count some more, if there is room; some less.
bool
    limit_take (limit_t *self, size_t number);
void
    limit_give (limit_t *self, size_t number);

//  Whether to speak up about the limit: true once, until there was room again.
bool
    limit_tell (limit_t *self);

const frame_t *
    service_name (const service_t *self);
size_t
    service_workers (const service_t *self);
size_t
    service_waiting (const service_t *self);

//  A place for the broker's own record of the service's idle workers.
void **
    service_idle (service_t *self);

//  A worker has registered for the service: nothing expires from now on.
void
    services_gain_worker (services_t *self, service_t *service);

//  A worker has gone. After the last one the requests begin to age.
void
    services_lose_worker (services_t *self, service_t *service,
                          int64_t now_ms);

//  Keep a client's request: the message, with its body from frame number body
//  on. It belongs to the services, also while a worker holds it. Where a limit is
//  reached, who has most makes room for who has less: of the client with most
//  requests that wait (in this queue, in all, or in bytes) the newest is dropped.
//  What waits for a service that nobody serves makes room for what is served. Then
//  *limit_p is that limit. SERVICES_OK when nothing stood against it.
services_result_t
    services_add (services_t *self, service_t *service,
                  mdp_version_t version, const frame_t *client,
                  const message_t *message, size_t body, int64_t now_ms,
                  services_result_t *limit_p);

//  Take out the request whose turn it is; NULL when none waits.
request_t *
    services_next (services_t *self, service_t *service);

//  Put a request that was taken out in front of all that have not been. The
//  service still has a worker: the one that gives the request back.
void
    services_return (services_t *self, service_t *service,
                     request_t **request_p);

//  A part of the answer to a request that a worker holds, kept until the rest is
//  there: the frames of message from number body on. SERVICES_BYTES when there is
//  no room for it.
services_result_t
    services_gather (services_t *self, request_t *request,
                     const message_t *message, size_t body);

//  The request has been answered.
void
    services_done (services_t *self, request_t **request_p);

//  Take out a request that waited too long for a worker, with its service;
//  NULL when there is none. The caller ends with services_done and
//  services_release.
request_t *
    services_expired (services_t *self, int64_t now_ms,
                      service_t **service_p);

//  When the next request expires, INT64_MAX for never.
int64_t
    services_deadline (const services_t *self);

mdp_version_t
    request_version (const request_t *self);
const frame_t *
    request_client (const request_t *self);

//  The message that it came with, and the number of the first frame of its body
//  there.
const message_t *
    request_message (const request_t *self);
size_t
    request_body (const request_t *self);

//  A worker that held it is gone; how many there were, with this one.
size_t
    request_lose_worker (request_t *self);

//  The parts of its answer so far, NULL for none.
const message_t *
    request_parts (const request_t *self);

#endif
