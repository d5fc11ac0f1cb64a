/*  =========================================================================
    titanic_client - requests that Titanic keeps, 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_CLIENT_H_INCLUDED
#define TITANIC_CLIENT_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

#include "seatrial_export.h"

#ifdef __cplusplus
extern "C" {
#endif

//  What came of a call: Titanic's answer (9/TSP, Status Frames), or why there is
//  none.
typedef enum {
    TITANIC_CLIENT_OK,          //  200
    TITANIC_CLIENT_PENDING,     //  300: there is no reply yet; ask again later
    TITANIC_CLIENT_UNKNOWN,     //  400: no such request; do not ask again
    TITANIC_CLIENT_ERROR,       //  500: the server is in trouble; ask again later
    TITANIC_CLIENT_MALFORMED,   //  What came is no answer in the sense of 9/TSP
    TITANIC_CLIENT_NO_REPLY,    //  No answer, not even after all retries
    TITANIC_CLIENT_INTERRUPTED, //  SIGINT or SIGTERM (zsys_interrupted)
    TITANIC_CLIENT_BAD_SERVICE, //  No name for a service
    TITANIC_CLIENT_BAD_BODY,    //  A body without frames
    TITANIC_CLIENT_TOO_LARGE,   //  The reply is longer than is taken
    TITANIC_CLIENT_NO_CONNECTION,   //  No socket, or no such endpoint: errno
    TITANIC_CLIENT_NO_MEMORY,
    TITANIC_CLIENT_RESULT_COUNT //  How many results there are
} titanic_client_result_t;

typedef struct _titanic_client_t titanic_client_t;

//  One line for people: "pending (300)", ...
SEATRIAL_EXPORT const char *
    titanic_client_result_text (titanic_client_result_t result);

//  A client of the Titanic server that serves at the broker at an endpoint,
//  "tcp://127.0.0.1:5555". Nothing is opened before the first call. To be
//  destroyed by the caller. NULL with errno when memory or descriptors are out.
SEATRIAL_EXPORT titanic_client_t *
    titanic_client_new (const char *endpoint);

//  Hang up and null the caller's pointer. What is stored stays stored.
SEATRIAL_EXPORT void
    titanic_client_destroy (titanic_client_t **self_p);

//  How long to wait for an answer of Titanic itself, in milliseconds above 0,
//  before it is asked again, 2,500 at first; and how often it is asked again, 0
//  or more, 3 at first. Retries are also how often titanic_client_store and
//  titanic_client_close ask again after a 500.
SEATRIAL_EXPORT void
    titanic_client_set_timeout (titanic_client_t *self, int64_t timeout_ms);
SEATRIAL_EXPORT void
    titanic_client_set_retries (titanic_client_t *self, int64_t retries);

//  Pauses before Titanic is asked again after a 300 or a 500, in milliseconds
//  above 0: the first, each next one twice as long, and the longest; 500 and
//  8,000 at first.
SEATRIAL_EXPORT void
    titanic_client_set_pause (titanic_client_t *self, int64_t first_ms,
                              int64_t longest_ms);

//  As mdp_client_set_version.
SEATRIAL_EXPORT int
    titanic_client_set_version (titanic_client_t *self, const char *version);

//  As mdp_client_set_curve.
SEATRIAL_EXPORT int
    titanic_client_set_curve (titanic_client_t *self, zcert_t *own,
                              const char *server_key);

//  Whether to tell on stderr what goes on.
SEATRIAL_EXPORT void
    titanic_client_set_verbose (titanic_client_t *self, bool verbose);

//  Have a request stored: the service that is to carry it out, which need not be
//  there, and its body, at least one frame, which is taken: *body_p comes back
//  NULL. The id that came with 200, 32 hexadecimal digits, for the caller to
//  free (zstr_free) and to keep: with it the reply can be had from any process,
//  and the request stays stored until titanic_client_close. NULL when it is not
//  known to be stored: PENDING, UNKNOWN, ERROR, MALFORMED, or any below them.
//
//  When Titanic's answer is lost, it is asked again; then the request may be
//  stored twice, and carried out twice, and the first id is lost with the first
//  answer. 9/TSP, The titanic.request Service has no means against that: make
//  requests such that it does no harm.
SEATRIAL_EXPORT char *
    titanic_client_store (titanic_client_t *self, const char *service,
                          zmsg_t **body_p);

//  Ask once for the reply to a request: its body, for the caller to destroy,
//  which may have no frames. It may be asked for again: 9/TSP, The titanic.reply
//  Service. NULL: PENDING, UNKNOWN, ERROR, MALFORMED or any below them.
SEATRIAL_EXPORT zmsg_t *
    titanic_client_fetch (titanic_client_t *self, const char *id);

//  Ask for the reply until it is there, with pauses that grow, but not longer
//  than wait_ms milliseconds; -1 for ever. After 300 and 500 Titanic is asked
//  again; any other answer is the last. NULL as above; the request stays stored,
//  so that after PENDING, ERROR, NO_REPLY and INTERRUPTED one may wait again.
SEATRIAL_EXPORT zmsg_t *
    titanic_client_wait (titanic_client_t *self, const char *id,
                         int64_t wait_ms);

//  Have a request and its reply forgotten. 0, also when the id was not known
//  (9/TSP, The titanic.close Service); -1: UNKNOWN (this is no id), ERROR,
//  PENDING, MALFORMED or any below them.
SEATRIAL_EXPORT int
    titanic_client_close (titanic_client_t *self, const char *id);

//  Store, wait, close. The reply, for the caller to destroy; NULL as with store
//  and wait. *id_p comes back NULL when nothing is left behind; otherwise it is
//  the id of what is still stored, for the caller to free: there was no reply
//  in time, or it was not closed (then result says why, though there is a reply).
SEATRIAL_EXPORT zmsg_t *
    titanic_client_call (titanic_client_t *self, const char *service,
                         zmsg_t **body_p, int64_t wait_ms, char **id_p);

//  What came of the last call of one of these five.
SEATRIAL_EXPORT titanic_client_result_t
    titanic_client_result (const titanic_client_t *self);

#ifdef __cplusplus
}
#endif

#endif
