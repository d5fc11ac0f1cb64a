/*  =========================================================================
    services - the broker's services and the requests that wait for them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "services.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

//  A table that cannot grow must not end the process
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "ladder.h"

//  A ROUTER's addresses have 255 bytes at most.
#define ADDRESS_MAX 255

//  What memory has to do with a request besides its bytes, about: otherwise many
//  empty frames would cost nothing.
#define REQUEST_COST 512
#define FRAME_COST 64

//  When something expires. All marks are due the same time after they are
//  set, so that a plain list keeps them in order.
typedef struct _mark_t {
    struct _mark_t *prev;       //  In services_t marks
    struct _mark_t *next;
    int64_t due_ms;             //  When it expires
    service_t *service;         //  Whose requests, NULL while not set
    request_t *request;         //  Just this one; NULL for all in waiting
} mark_t;

//  The requests of one client for one service, in order of arrival. There only
//  while it has some.
typedef struct _lane_t {
    struct _lane_t *prev;       //  In service_t lanes
    struct _lane_t *next;
    request_t *requests;        //  At least one
    size_t count;               //  How many
    standing_t standing;        //  In service_t longest, by count
    UT_hash_handle hh;          //  In services_t lanes, by key
    size_t key_size;            //  Bytes of key
    unsigned char key [];       //  The service's number, then the address
} lane_t;

//  Who has requests here, waiting or held by workers. There only while it has some.
typedef struct _client_t {
    frame_t *address;           //  Key in services_t clients
    limit_t requests;           //  How many
    limit_t bytes;              //  In them, without parts of answers
    request_t *waiting;         //  Of them, those that no worker has had, in
                                //  order of arrival
    size_t waiting_count;       //  How many
    size_t waiting_bytes;       //  In them
    standing_t by_count;        //  In services_t most, by waiting_count
    standing_t by_bytes;        //  In services_t largest, by waiting_bytes
    UT_hash_handle hh;          //  In services_t clients
} client_t;

struct _request_t {
    request_t *queue_prev;      //  In lane_t requests or service_t returned
    request_t *queue_next;
    request_t *age_prev;        //  In service_t waiting or marked
    request_t *age_next;
    request_t *own_prev;        //  In client_t waiting
    request_t *own_next;
    service_t *service;         //  NULL while a worker holds the request
    lane_t *lane;               //  NULL when returned, or held
    mark_t mark;                //  Set while in service_t marked
    mdp_version_t version;      //  What the client speaks
    client_t *client;           //  Whose it is, counted there
    message_t *message;         //  As it came
    size_t body;                //  Number of its first body frame
    message_t *parts;           //  Of its answer, kept for a client of 0.1
    size_t part_bytes;          //  In them, which are among bytes
    size_t bytes;               //  That it takes, with its answer's parts
    size_t lost;                //  Workers that held it and are gone
};

struct _service_t {
    frame_t *name;              //  Key in services_t services
    uint64_t number;            //  Never given to another service
    size_t workers;             //  Registered workers
    void *idle;                 //  The broker's own
    limit_t queue;              //  Waiting requests
    request_t *returned;        //  Requests that workers gave back, in order
    lane_t *lanes;              //  The other requests; the first lane is next
    ladder_t longest;           //  The same
    request_t *waiting;         //  Those that came while there were workers
    request_t *marked;          //  Those that came while there were none
    mark_t mark;                //  Set when waiting expires
    UT_hash_handle hh;          //  In services_t services
};

struct _services_t {
    service_t *services;        //  All services, by name
    lane_t *lanes;              //  All lanes, by service and client
    mark_t *marks;              //  What expires, in order of time
    client_t *clients;          //  All that have requests, by address
    ladder_t most, largest;     //  The same, by what of theirs waits
    limit_t client_limit;       //  Of any client; only told counts
    size_t max_client_requests; //  Most requests of one client
    size_t max_client_bytes;    //  Most bytes in them
    uint64_t last_number;       //  Number of the latest service
    int64_t expiry_ms;          //  Patience without workers; 0 for ever
    size_t max_service_requests;    //  Most waiting requests of one service
    limit_t service_limit;      //  Services
    limit_t request_limit;      //  Requests, waiting and held
    limit_t byte_limit;         //  Bytes of all requests
};

bool
limit_take (limit_t *self, size_t number)
{
    if (self->count > self->most || number > self->most - self->count)
        return false;
    self->count += number;
    return true;
}

void
limit_give (limit_t *self, size_t number)
{
    assert (self->count >= number);
    self->count -= number;
    if (self->count < self->most - self->most / 4)
        self->told = false;
}

bool
limit_tell (limit_t *self)
{
    bool tell = !self->told;
    self->told = true;
    return tell;
}

void
services_set_limits (services_t *self, const services_config_t *config)
{
    self->max_service_requests = config->max_service_requests;
    self->max_client_requests = config->max_client_requests?
        config->max_client_requests: SIZE_MAX;
    self->max_client_bytes = config->max_client_bytes?
        config->max_client_bytes: SIZE_MAX;
    client_t *client, *next_client;
    HASH_ITER (hh, self->clients, client, next_client) {
        client->requests.most = self->max_client_requests;
        client->bytes.most = self->max_client_bytes;
    }
    self->service_limit.most = config->max_services;
    self->request_limit.most = config->max_requests;
    self->byte_limit.most = config->max_bytes? config->max_bytes: SIZE_MAX;
    service_t *service, *next;
    HASH_ITER (hh, self->services, service, next)
        service->queue.most = config->max_service_requests;
}

services_t *
services_new (const services_config_t *config)
{
    assert (config);
    services_t *self = calloc (1, sizeof (services_t));
    if (!self)
        return NULL;
    self->expiry_ms = config->expiry_ms;
    services_set_limits (self, config);
    return self;
}

static void
s_mark_set (services_t *self, mark_t *mark, service_t *service,
            request_t *request, int64_t now_ms)
{
    assert (!mark->service);
    mark->due_ms = now_ms + self->expiry_ms;
    mark->service = service;
    mark->request = request;
    DL_APPEND (self->marks, mark);
}

static void
s_mark_clear (services_t *self, mark_t *mark)
{
    if (!mark->service)
        return;
    DL_DELETE (self->marks, mark);
    mark->service = NULL;
}

static void
s_lane_destroy (services_t *self, service_t *service, lane_t *lane)
{
    assert (!lane->requests && !lane->count);
    ladder_place (&service->longest, &lane->standing, 0);
    DL_DELETE (service->lanes, lane);
    HASH_DEL (self->lanes, lane);
    free (lane);
}

//  The key of a client's lane for a service. Its size.
static size_t
s_lane_key (const service_t *service, const frame_t *client,
            unsigned char key [sizeof (service->number) + ADDRESS_MAX])
{
    size_t size = frame_size (client);
    assert (size <= ADDRESS_MAX);
    memcpy (key, &service->number, sizeof (service->number));
    memcpy (key + sizeof (service->number), frame_data (client), size);
    return size + sizeof (service->number);
}

//  The client's lane for the service; NULL when there is none.
static lane_t *
s_lane_find (services_t *self, const service_t *service, const frame_t *client)
{
    unsigned char key [sizeof (service->number) + ADDRESS_MAX];
    size_t size = s_lane_key (service, client, key);
    lane_t *lane;
    HASH_FIND (hh, self->lanes, key, size, lane);
    return lane;
}

//  Find the client's lane for the service or make it. NULL when memory is out.
//  MDP1-TOPOLOGY-09, MDP1-TOPOLOGY-12: a lane a client, and lanes take turns
static lane_t *
s_lane_obtain (services_t *self, service_t *service, const frame_t *client)
{
    lane_t *lane = s_lane_find (self, service, client);
    if (lane)
        return lane;
    unsigned char key [sizeof (service->number) + ADDRESS_MAX];
    size_t size = s_lane_key (service, client, key);
    lane = calloc (1, sizeof (lane_t) + size);
    if (!lane)
        return NULL;
    lane->standing.owner = lane;
    lane->key_size = size;
    memcpy (lane->key, key, size);
    HASH_ADD_KEYPTR (hh, self->lanes, lane->key, lane->key_size, lane);
    if (!lane->hh.tbl) {
        free (lane);
        return NULL;
    }
    DL_APPEND (service->lanes, lane);
    return lane;
}

//  Where a client and its lane stand after their requests have changed.
static void
s_rank (services_t *self, service_t *service, client_t *client, lane_t *lane)
{
    ladder_place (&service->longest, &lane->standing, lane->count);
    ladder_place (&self->most, &client->by_count, client->waiting_count);
    ladder_place (&self->largest, &client->by_bytes, client->waiting_bytes);
}

//  Put a new request at the end of its client's lane.
static void
s_lane_append (services_t *self, lane_t *lane, request_t *request)
{
    client_t *client = request->client;
    request->lane = lane;
    DL_APPEND2 (lane->requests, request, queue_prev, queue_next);
    lane->count++;
    DL_APPEND2 (client->waiting, request, own_prev, own_next);
    client->waiting_count++;
    client->waiting_bytes += request->bytes;
    s_rank (self, request->service, client, lane);
}

static void
s_lane_remove (services_t *self, request_t *request)
{
    client_t *client = request->client;
    lane_t *lane = request->lane;
    request->lane = NULL;
    DL_DELETE2 (lane->requests, request, queue_prev, queue_next);
    lane->count--;
    DL_DELETE2 (client->waiting, request, own_prev, own_next);
    client->waiting_count--;
    client->waiting_bytes -= request->bytes;
    s_rank (self, request->service, client, lane);
    if (!lane->requests)
        s_lane_destroy (self, request->service, lane);
}

//  Take a waiting request out of all that it waits in.
static void
s_request_unlink (services_t *self, request_t *request)
{
    service_t *service = request->service;
    assert (service);
    if (request->lane)
        s_lane_remove (self, request);
    else
        DL_DELETE2 (service->returned, request, queue_prev, queue_next);

    if (request->mark.service) {
        DL_DELETE2 (service->marked, request, age_prev, age_next);
        s_mark_clear (self, &request->mark);
    }
    else
        DL_DELETE2 (service->waiting, request, age_prev, age_next);

    request->service = NULL;
    limit_give (&service->queue, 1);
}

//  Count one more request of a client. NULL with the reason in *result.
static client_t *
s_client_take (services_t *self, const frame_t *address,
               services_result_t *result)
{
    *result = SERVICES_OK;
    client_t *client;
    HASH_FIND (hh, self->clients, frame_data (address), frame_size (address),
               client);
    if (client) {
        if (limit_take (&client->requests, 1))
            return client;
        client->requests.told = true;
        *result = SERVICES_CLIENT;
        return NULL;
    }
    *result = SERVICES_NO_MEMORY;
    client = calloc (1, sizeof (client_t));
    if (!client)
        return NULL;
    //  It may stay for longer than the message that the address came with
    client->address = frame_new (frame_data (address), frame_size (address));
    client->requests = (limit_t) { .count = 1,
                                   .most = self->max_client_requests };
    client->bytes.most = self->max_client_bytes;
    client->by_count.owner = client->by_bytes.owner = client;
    if (client->address)
        HASH_ADD_KEYPTR (hh, self->clients, frame_data (client->address),
                         frame_size (client->address), client);
    if (!client->hh.tbl) {
        frame_destroy (&client->address);
        free (client);
        return NULL;
    }
    *result = SERVICES_OK;
    return client;
}

static void
s_client_give (services_t *self, client_t *client)
{
    bool told = client->requests.told;
    limit_give (&client->requests, 1);
    if (told && !client->requests.told)
        self->client_limit.told = false;
    if (client->requests.count)
        return;
    assert (!client->waiting && !client->waiting_bytes);
    HASH_DEL (self->clients, client);
    frame_destroy (&client->address);
    free (client);
}

static void
s_request_free (services_t *self, request_t **request_p)
{
    if ((*request_p)->client)
        s_client_give (self, (*request_p)->client);
    message_destroy (&(*request_p)->message);
    message_destroy (&(*request_p)->parts);
    free (*request_p);
    *request_p = NULL;
}

void
services_done (services_t *self, request_t **request_p)
{
    assert (request_p && *request_p);
    assert (!(*request_p)->service);
    limit_give (&self->request_limit, 1);
    limit_give (&self->byte_limit, (*request_p)->bytes);
    limit_give (&(*request_p)->client->bytes,
                (*request_p)->bytes - (*request_p)->part_bytes);
    s_request_free (self, request_p);
}

static void
s_service_destroy (services_t *self, service_t *service)
{
    assert (service->queue.count == 0);
    s_mark_clear (self, &service->mark);
    HASH_DEL (self->services, service);
    limit_give (&self->service_limit, 1);
    frame_destroy (&service->name);
    free (service);
}

void
services_destroy (services_t **self_p)
{
    assert (self_p);
    services_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    service_t *service, *next;
    HASH_ITER (hh, self->services, service, next) {
        request_t *request;
        while ((request = services_next (self, service)))
            services_done (self, &request);
        s_service_destroy (self, service);
    }
    assert (!self->lanes && !self->marks);
    free (self);
}

//  MDP1-CLIENT-24, MDP1-TOPOLOGY-11, MDP1-SCALABILITY-02: a service is its name,
//  the whole of it, and has a queue of its own
service_t *
services_find (services_t *self, const frame_t *name)
{
    service_t *service;
    HASH_FIND (hh, self->services, frame_data (name), frame_size (name),
               service);
    return service;
}

service_t *
services_obtain (services_t *self, const frame_t *name,
                 services_result_t *result)
{
    *result = SERVICES_OK;
    service_t *service = services_find (self, name);
    if (service)
        return service;
    if (!limit_take (&self->service_limit, 1)) {
        *result = SERVICES_TOO_MANY;
        return NULL;
    }
    service = calloc (1, sizeof (service_t));
    if (service) {
        service->name = frame_new (frame_data (name), frame_size (name));
    }
    if (service && service->name) {
        service->number = ++self->last_number;
        service->queue.most = self->max_service_requests;
        HASH_ADD_KEYPTR (hh, self->services, frame_data (service->name),
                         frame_size (service->name), service);
        if (!service->hh.tbl) {
            frame_destroy (&service->name);
        }
    }
    if (service && service->name)
        return service;
    free (service);
    limit_give (&self->service_limit, 1);
    *result = SERVICES_NO_MEMORY;
    return NULL;
}

void
services_release (services_t *self, service_t **service_p)
{
    assert (service_p && *service_p);
    service_t *service = *service_p;
    *service_p = NULL;
    if (service->workers == 0 && service->queue.count == 0)
        s_service_destroy (self, service);
}

limit_t *
services_limit (services_t *self, service_t *service,
                services_result_t result)
{
    switch (result) {
        case SERVICES_TOO_MANY:
            return &self->service_limit;
        case SERVICES_REQUESTS:
            return &self->request_limit;
        case SERVICES_BYTES:
            return &self->byte_limit;
        case SERVICES_CLIENT:
            return &self->client_limit;
        case SERVICES_QUEUE:
            assert (service);
            return &service->queue;
        default:
            return NULL;
    }
}

const frame_t *
service_name (const service_t *self)
{
    return self->name;
}

size_t
service_workers (const service_t *self)
{
    return self->workers;
}

size_t
service_waiting (const service_t *self)
{
    return self->queue.count;
}

void **
service_idle (service_t *self)
{
    return &self->idle;
}

void
services_gain_worker (services_t *self, service_t *service)
{
    service->workers++;
    s_mark_clear (self, &service->mark);
    //  A request is marked once in its life, so that this loop is paid for by
    //  the arrivals
    while (service->marked) {
        request_t *request = service->marked;
        DL_DELETE2 (service->marked, request, age_prev, age_next);
        s_mark_clear (self, &request->mark);
        DL_APPEND2 (service->waiting, request, age_prev, age_next);
    }
}

void
services_lose_worker (services_t *self, service_t *service, int64_t now_ms)
{
    assert (service->workers > 0);
    service->workers--;
    if (service->workers == 0 && service->waiting && self->expiry_ms)
        s_mark_set (self, &service->mark, service, NULL, now_ms);
}

//  Bytes of memory that a message takes, from frame number from on.
static size_t
s_cost (const message_t *message, size_t from)
{
    return message_bytes_from (message, from)
         + (message_size (message) - from) * FRAME_COST;
}

//  A request with all that it owns. NULL with the reason in *result.
static request_t *
s_request_new (services_t *self, mdp_version_t version, const frame_t *client,
               const message_t *message, size_t body, services_result_t *result)
{
    *result = SERVICES_NO_MEMORY;
    request_t *request = calloc (1, sizeof (request_t));
    if (!request)
        return NULL;
    request->version = version;
    request->client = s_client_take (self, client, result);
    if (!request->client) {
        s_request_free (self, &request);
        return NULL;
    }
    request->message = message_ref (message);
    request->body = body;
    request->bytes = s_cost (message, body) + frame_size (client)
                   + REQUEST_COST;
    return request;
}

//  Count a new request among all. Nothing is counted unless SERVICES_OK.
static services_result_t
s_count_in_all (services_t *self, service_t *service, size_t bytes)
{
    //  What an idle worker takes at once finds room, whoever else fills the broker
    //  with what waits: workers are limited, too
    bool waits = service->queue.count > 0 || !service->idle;
    if (!limit_take (&service->queue, 1))
        return SERVICES_QUEUE;
    services_result_t result = SERVICES_OK;
    if (waits && !limit_take (&self->request_limit, 1))
        result = SERVICES_REQUESTS;
    else
    if (!limit_take (&self->byte_limit, bytes)) {
        if (waits)
            limit_give (&self->request_limit, 1);
        result = SERVICES_BYTES;
    }
    else
    if (!waits)
        self->request_limit.count++;
    if (result != SERVICES_OK)
        limit_give (&service->queue, 1);
    return result;
}

//  The request that expires next; NULL when none does. A mark on requests that are
//  gone goes, too.
static request_t *
s_next_to_expire (services_t *self)
{
    while (self->marks) {
        mark_t *mark = self->marks;
        request_t *request = mark->request? mark->request
                                          : mark->service->waiting;
        if (request)
            return request;
        s_mark_clear (self, mark);
    }
    return NULL;
}

//  The request that has to make room for this one where the limit is reached: the
//  newest of who has most, and would still have no less than the newcomer's
//  client; when nobody has so much, one that waits for a service that nobody
//  serves, if this one is served. NULL when there is none.
static request_t *
s_displaced (services_t *self, service_t *service, const request_t *request,
             services_result_t limit)
{
    const client_t *client = request->client;
    if (limit == SERVICES_QUEUE) {
        const lane_t *own = s_lane_find (self, service, client->address);
        const lane_t *longest = ladder_top (&service->longest);
        if (longest && longest->count > (own? own->count: 0) + 1)
            return longest->requests->queue_prev;
        return NULL;
    }
    bool bytes = limit == SERVICES_BYTES;
    const client_t *first = ladder_top (bytes? &self->largest: &self->most);
    if (first && (bytes
        ? first->waiting_bytes > client->waiting_bytes + request->bytes
        : first->waiting_count > client->waiting_count + 1))
        return first->waiting->own_prev;
    return service->workers? s_next_to_expire (self): NULL;
}

//  Drop a waiting request so that there is room for one for a service, which
//  stays.
static void
s_displace (services_t *self, const service_t *service, request_t *request)
{
    service_t *other = request->service;
    s_request_unlink (self, request);
    services_done (self, &request);
    if (other != service)
        services_release (self, &other);
}

//  Count a new request, and make room for it if it must be; *limit_p is the
//  limit that stood against it, SERVICES_OK for none. Nothing is counted unless
//  SERVICES_OK.
static services_result_t
s_count (services_t *self, service_t *service, const request_t *request,
         services_result_t *limit_p)
{
    client_t *client = request->client;
    *limit_p = SERVICES_OK;
    if (!limit_take (&client->bytes, request->bytes))
        return SERVICES_CLIENT;
    services_result_t result;
    while ((result = s_count_in_all (self, service, request->bytes))
                                                    != SERVICES_OK) {
        request_t *displaced = s_displaced (self, service, request, result);
        if (!displaced)
            break;
        s_displace (self, service, displaced);
        *limit_p = result;
    }
    if (result != SERVICES_OK)
        limit_give (&client->bytes, request->bytes);
    return result;
}

services_result_t
services_add (services_t *self, service_t *service, mdp_version_t version,
              const frame_t *client, const message_t *message, size_t body,
              int64_t now_ms, services_result_t *limit_p)
{
    services_result_t result;
    *limit_p = SERVICES_OK;
    request_t *request = s_request_new (self, version, client, message, body,
                                        &result);
    if (!request)
        return result;
    result = s_count (self, service, request, limit_p);
    if (result != SERVICES_OK) {
        s_request_free (self, &request);
        return result;
    }
    lane_t *lane = s_lane_obtain (self, service, client);
    if (!lane) {
        limit_give (&service->queue, 1);
        services_done (self, &request);
        return SERVICES_NO_MEMORY;
    }
    request->service = service;
    s_lane_append (self, lane, request);
    if (service->workers == 0 && self->expiry_ms) {
        s_mark_set (self, &request->mark, service, request, now_ms);
        DL_APPEND2 (service->marked, request, age_prev, age_next);
    }
    else
        DL_APPEND2 (service->waiting, request, age_prev, age_next);
    return SERVICES_OK;
}

request_t *
services_next (services_t *self, service_t *service)
{
    request_t *request = service->returned;
    if (!request && service->lanes) {
        //  The next turn is another client's
        lane_t *lane = service->lanes;
        DL_DELETE (service->lanes, lane);
        DL_APPEND (service->lanes, lane);
        request = lane->requests;
    }
    if (request)
        s_request_unlink (self, request);
    return request;
}

services_result_t
services_gather (services_t *self, request_t *request,
                 const message_t *message, size_t body)
{
    if (!request->parts)
        request->parts = message_new ();
    message_t *part = message_slice (message, body);
    services_result_t result = SERVICES_NO_MEMORY;
    if (request->parts && part) {
        size_t bytes = s_cost (part, 0);
        result = SERVICES_BYTES;
        if (limit_take (&self->byte_limit, bytes)) {
            request->bytes += bytes;
            request->part_bytes += bytes;
            result = message_add_from (request->parts, part, 0)
                ? SERVICES_NO_MEMORY: SERVICES_OK;
        }
    }
    message_destroy (&part);
    return result;
}

//  Another worker begins its answer anew
static void
s_drop_parts (services_t *self, request_t *request)
{
    limit_give (&self->byte_limit, request->part_bytes);
    request->bytes -= request->part_bytes;
    request->part_bytes = 0;
    message_destroy (&request->parts);
}

void
services_return (services_t *self, service_t *service,
                 request_t **request_p)
{
    assert (service->workers > 0);
    assert (request_p && *request_p);
    request_t *request = *request_p;
    *request_p = NULL;
    assert (!request->service);
    s_drop_parts (self, request);
    request->service = service;
    DL_APPEND2 (service->returned, request, queue_prev, queue_next);
    DL_APPEND2 (service->waiting, request, age_prev, age_next);
    //  A request that was let in once is not turned away now
    service->queue.count++;
}

request_t *
services_expired (services_t *self, int64_t now_ms, service_t **service_p)
{
    request_t *request = self->marks && self->marks->due_ms <= now_ms
        ? s_next_to_expire (self): NULL;
    if (!request || self->marks->due_ms > now_ms)
        return NULL;
    *service_p = request->service;
    s_request_unlink (self, request);
    return request;
}

int64_t
services_deadline (const services_t *self)
{
    return self->marks? self->marks->due_ms: INT64_MAX;
}

mdp_version_t
request_version (const request_t *self)
{
    return self->version;
}

const frame_t *
request_client (const request_t *self)
{
    return self->client->address;
}

const message_t *
request_message (const request_t *self)
{
    return self->message;
}

size_t
request_body (const request_t *self)
{
    return self->body;
}

size_t
request_lose_worker (request_t *self)
{
    return ++self->lost;
}

const message_t *
request_parts (const request_t *self)
{
    return self->parts;
}
