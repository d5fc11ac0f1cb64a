/*  =========================================================================
    mdp_worker - one worker of a Majordomo broker, 7/MDP and 18/MDP MDP/Worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MDP_WORKER_H_INCLUDED
#define MDP_WORKER_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

#include "seatrial_export.h"

#ifdef __cplusplus
extern "C" {
#endif

//  What came of a call.
typedef enum {
    MDP_WORKER_OK,
    MDP_WORKER_PENDING,         //  No request has come yet
    MDP_WORKER_INTERRUPTED,     //  SIGINT or SIGTERM (zsys_interrupted)
    MDP_WORKER_NO_CONNECTION,   //  No socket, or no such endpoint: errno
    MDP_WORKER_NO_MEMORY,
    MDP_WORKER_RESULT_COUNT     //  How many results there are
} mdp_worker_result_t;

typedef struct _mdp_worker_t mdp_worker_t;

//  One line for people: "interrupted", ...
SEATRIAL_EXPORT const char *
    mdp_worker_result_text (mdp_worker_result_t result);

//  A worker for a service (1 to 255 bytes, no control characters) of the broker
//  at an endpoint, "tcp://127.0.0.1:5555". It registers with the first
//  mdp_worker_recv or mdp_worker_tick; the broker need not be there then. One
//  request at a time: who wants several makes several workers. To be destroyed
//  by the caller. NULL with errno: EINVAL this is no name for a service; or
//  memory or descriptors are out.
SEATRIAL_EXPORT mdp_worker_t *
    mdp_worker_new (const char *endpoint, const char *service);

//  Say DISCONNECT, hang up and null the caller's pointer. It may take a second
//  until that has left. The broker may give a request that has no reply yet to
//  another worker.
SEATRIAL_EXPORT void
    mdp_worker_destroy (mdp_worker_t **self_p);

//  Milliseconds between heartbeats, 2,500 at first, and how many intervals of
//  silence mean that the broker is gone, 3 at first; both above 0. The broker
//  must have about the same: 7/MDP, Heartbeating. Before the first use.
SEATRIAL_EXPORT void
    mdp_worker_set_heartbeat (mdp_worker_t *self, int64_t heartbeat_ms,
                              int64_t liveness);

//  How long at most, in milliseconds above 0, until the worker registers again
//  with a broker that disconnects it or is silent; 32,000 at first. The first
//  time comes one heartbeat interval after the last, and with each that is in
//  vain twice as much; a broker that has sent something else than DISCONNECT
//  begins anew. Before the first use.
SEATRIAL_EXPORT void
    mdp_worker_set_max_pause (mdp_worker_t *self, int64_t max_pause_ms);

//  Which Majordomo Protocol to speak, "0.1" (7/MDP) at first, or "0.2"
//  (18/MDP). 0, or -1 with errno EINVAL when there is no such version. Before
//  the first use.
SEATRIAL_EXPORT int
    mdp_worker_set_version (mdp_worker_t *self, const char *version);

//  Have the connection encrypted and both ends authenticated (CurveZMQ): own is
//  the worker's certificate with its secret key, which is copied; server_key
//  is the broker's public key, 40 characters of Z85 (zcert_public_txt). A broker
//  that has another key, or does not want ours, is as one that is silent. 0, or
//  -1 with errno: EINVAL these are no keys; ENOTSUP libzmq was built without
//  CURVE; ENOMEM. For the next connection: best before the first use.
SEATRIAL_EXPORT int
    mdp_worker_set_curve (mdp_worker_t *self, zcert_t *own,
                          const char *server_key);

//  Whether to tell on stderr what goes on.
SEATRIAL_EXPORT void
    mdp_worker_set_verbose (mdp_worker_t *self, bool verbose);

//  Wait for the next request and keep up the conversation meanwhile: the body,
//  for the caller to destroy. Each is to be answered with
//  mdp_worker_send_reply before the next can be received. NULL when none can
//  come, and mdp_worker_result knows why: INTERRUPTED, NO_CONNECTION, NO_MEMORY.
SEATRIAL_EXPORT zmsg_t *
    mdp_worker_recv (mdp_worker_t *self);

//  The same without waiting: NULL with PENDING when no request has come, or with
//  NO_CONNECTION. Does what mdp_worker_tick does.
SEATRIAL_EXPORT zmsg_t *
    mdp_worker_recv_nowait (mdp_worker_t *self);

//  Send part of the reply to the request in hand, the frames of a body, at least
//  one; more is to follow: 18/MDP, PARTIAL. Only in version 0.2. The body is
//  taken: *body_p comes back NULL. 0, or -1 when no one waits for it any more,
//  since the conversation in which the request came has ended: the broker gives
//  the request to another worker.
SEATRIAL_EXPORT int
    mdp_worker_send_partial (mdp_worker_t *self, zmsg_t **body_p);

//  Reply to the request in hand with the frames of a body, at least one; this is
//  FINAL in 18/MDP. Otherwise as above. The request is done with in any case.
SEATRIAL_EXPORT int
    mdp_worker_send_reply (mdp_worker_t *self, zmsg_t **body_p);

//  Do what is due, never waiting: heartbeats, and to register again. Who works
//  on a request for longer than a heartbeat interval calls this now and then,
//  or the broker takes the worker for gone: 7/MDP, Heartbeating.
SEATRIAL_EXPORT void
    mdp_worker_tick (mdp_worker_t *self);

//  Stay with the request in hand for so many milliseconds, 0 or more, with
//  mdp_worker_tick whenever it is due. OK or INTERRUPTED.
SEATRIAL_EXPORT mdp_worker_result_t
    mdp_worker_stay (mdp_worker_t *self, int64_t ms);

//  A descriptor that is readable when there is something to do: a command from
//  the broker, a heartbeat to send. The same for life, never to be read or
//  closed by the caller; for poll, zpoller, zloop and event loops of any kind.
//  When it is readable, call mdp_worker_recv_nowait, or mdp_worker_tick if a
//  request is in hand.
SEATRIAL_EXPORT int
    mdp_worker_fd (const mdp_worker_t *self);

//  What came of the last mdp_worker_recv, mdp_worker_recv_nowait or
//  mdp_worker_stay.
SEATRIAL_EXPORT mdp_worker_result_t
    mdp_worker_result (const mdp_worker_t *self);

#ifdef __cplusplus
}
#endif

#endif
