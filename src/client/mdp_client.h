/*  =========================================================================
    mdp_client - requests to a Majordomo broker, 7/MDP and 18/MDP MDP/Client

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MDP_CLIENT_H_INCLUDED
#define MDP_CLIENT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

#include "seatrial_export.h"

#ifdef __cplusplus
extern "C" {
#endif

//  What came of a call.
typedef enum {
    MDP_CLIENT_OK,              //  Done; where a reply was asked for, here it is
    MDP_CLIENT_MORE,            //  A PARTIAL of the reply; more is to come
    MDP_CLIENT_PENDING,         //  Requests are in flight, no reply has come yet
    MDP_CLIENT_IDLE,            //  No request is in flight
    MDP_CLIENT_NO_REPLY,        //  Not even after all retries
    MDP_CLIENT_INTERRUPTED,     //  SIGINT or SIGTERM (zsys_interrupted)
    MDP_CLIENT_BAD_SERVICE,     //  No name for a service
    MDP_CLIENT_BAD_BODY,        //  A body without frames
    MDP_CLIENT_FULL,            //  As many requests in flight as may be
    MDP_CLIENT_TOO_LARGE,       //  The reply is longer than is taken
    MDP_CLIENT_NO_CONNECTION,   //  No socket, or no such endpoint: errno
    MDP_CLIENT_NO_MEMORY,
    MDP_CLIENT_RESULT_COUNT     //  How many results there are
} mdp_client_result_t;

typedef struct _mdp_client_t mdp_client_t;

//  One line for people: "no reply", ...
SEATRIAL_EXPORT const char *
    mdp_client_result_text (mdp_client_result_t result);

//  A client of the broker at an endpoint, "tcp://127.0.0.1:5555". Nothing is
//  opened before the first request, and the broker need not be there then. To
//  be destroyed by the caller. NULL with errno when memory or descriptors are
//  out.
SEATRIAL_EXPORT mdp_client_t *
    mdp_client_new (const char *endpoint);

//  Hang up and null the caller's pointer. Requests without a reply are
//  forgotten here; the broker may have them carried out all the same.
SEATRIAL_EXPORT void
    mdp_client_destroy (mdp_client_t **self_p);

//  How long to wait for a reply, in milliseconds above 0, before the request is
//  sent again over a new socket; 2,500 at first. For requests to come.
SEATRIAL_EXPORT void
    mdp_client_set_timeout (mdp_client_t *self, int64_t timeout_ms);

//  How often a request without a reply is sent again, 0 or more; 3 at first, so
//  that it is sent four times in all. 7/MDP, MDP/Client recommends "several".
//  For requests to come.
SEATRIAL_EXPORT void
    mdp_client_set_retries (mdp_client_t *self, int64_t retries);

//  Which Majordomo Protocol to speak, "0.1" (7/MDP) at first, or "0.2"
//  (18/MDP). 0, or -1 with errno EINVAL when there is no such version. For
//  requests to come.
SEATRIAL_EXPORT int
    mdp_client_set_version (mdp_client_t *self, const char *version);

//  Have connections encrypted and both ends authenticated (CurveZMQ): own is
//  the client's certificate with its secret key, which is copied; server_key
//  is the broker's public key, 40 characters of Z85 (zcert_public_txt). A broker
//  that has another key, or does not want ours, is as one that does not reply.
//  0, or -1 with errno: EINVAL these are no keys; EBUSY requests are in flight;
//  ENOTSUP libzmq was built without CURVE; ENOMEM.
SEATRIAL_EXPORT int
    mdp_client_set_curve (mdp_client_t *self, zcert_t *own,
                          const char *server_key);

//  How many requests may be in flight at a time, at least 1; 256 at first. Each
//  takes a socket; czmq gives a process 1,024 (zsys_set_max_sockets).
SEATRIAL_EXPORT void
    mdp_client_set_max_in_flight (mdp_client_t *self, size_t max);

//  Whether mdp_client_recv gives each PARTIAL by itself, as MDP_CLIENT_MORE; not
//  so at first: then a reply has the frames of all its PARTIALs and of its
//  FINAL, in order. Who has seen a PARTIAL will see no retry: a request whose
//  FINAL does not come has failed. For requests to come.
SEATRIAL_EXPORT void
    mdp_client_set_partials (mdp_client_t *self, bool partials);

//  Whether to tell on stderr what goes on.
SEATRIAL_EXPORT void
    mdp_client_set_verbose (mdp_client_t *self, bool verbose);

//  Send the frames of a body, at least one, to a service (1 to 255 bytes, no
//  control characters) and wait for the reply: its body, for the caller to
//  destroy. The body sent is taken: *body_p comes back NULL, whatever comes of
//  it. NULL when there is no reply, and mdp_client_result knows why: NO_REPLY,
//  INTERRUPTED, BAD_SERVICE, BAD_BODY, TOO_LARGE, NO_CONNECTION, NO_MEMORY. It
//  blocks for at most timeout x (retries + 1), and in 0.2 as long as PARTIALs
//  come. A request that was sent again may be carried out more than once: 7/MDP,
//  Reliability. May be used while requests of mdp_client_send are in flight.
SEATRIAL_EXPORT zmsg_t *
    mdp_client_call (mdp_client_t *self, const char *service,
                     zmsg_t **body_p);

//  Send a request and do not wait. Its number, 1 and up, by which
//  mdp_client_recv tells its reply. The body is taken as above. 0 when it was
//  not sent, and mdp_client_result knows why: BAD_SERVICE, BAD_BODY, FULL,
//  NO_CONNECTION, NO_MEMORY.
//
//  Replies carry a service's name and nothing else to tell them by (7/MDP,
//  MDP/Client), and workers are not equally fast. So each request in flight has
//  a socket of its own, to which the broker sends its reply and no other;
//  sockets are used again only after the whole reply.
SEATRIAL_EXPORT uint64_t
    mdp_client_send (mdp_client_t *self, const char *service,
                     zmsg_t **body_p);

//  The next reply that comes, whichever it is, for the caller to destroy;
//  *number_p (unless number_p is NULL) says to which request. Blocks until
//  there is one or a request has failed; sends again what has waited too long.
//  mdp_client_result says OK or MORE; or there is none (NULL): NO_REPLY,
//  TOO_LARGE, NO_CONNECTION, NO_MEMORY are the end of request *number_p; IDLE
//  and INTERRUPTED are about none (*number_p is 0).
SEATRIAL_EXPORT zmsg_t *
    mdp_client_recv (mdp_client_t *self, uint64_t *number_p);

//  The same without waiting: NULL with PENDING when there is no reply yet.
SEATRIAL_EXPORT zmsg_t *
    mdp_client_recv_nowait (mdp_client_t *self, uint64_t *number_p);

//  A descriptor that is readable when mdp_client_recv_nowait has something to
//  do: a reply, or a request to send again. The same for life, never to be
//  read or closed by the caller; for poll, zpoller, zloop and event loops of
//  any kind. When it is readable, call mdp_client_recv_nowait until it gives
//  PENDING or IDLE.
SEATRIAL_EXPORT int
    mdp_client_fd (const mdp_client_t *self);

//  How many requests of mdp_client_send have not been answered nor failed yet.
SEATRIAL_EXPORT size_t
    mdp_client_in_flight (const mdp_client_t *self);

//  What came of the last call, send or recv.
SEATRIAL_EXPORT mdp_client_result_t
    mdp_client_result (const mdp_client_t *self);

#ifdef __cplusplus
}
#endif

#endif
