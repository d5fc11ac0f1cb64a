/*  =========================================================================
    client - requests to a Majordomo broker, 7/MDP MDP/Client

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CLIENT_H_INCLUDED
#define CLIENT_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../protocol/mdp.h"
#include "../protocol/message.h"

typedef enum {
    CLIENT_OK,
    CLIENT_NO_REPLY,            //  Not even after all retries
    CLIENT_INTERRUPTED,         //  SIGINT or SIGTERM
    CLIENT_BAD_SERVICE,         //  No name for a service
    CLIENT_NO_CONNECTION,       //  No new socket could be had
    CLIENT_NO_MEMORY,
    CLIENT_RESULT_COUNT         //  How many results there are
} client_result_t;

typedef struct _client_t client_t;

//  One line for people: "no reply", ...
const char *
    client_result_text (client_result_t result);

//  A client of the broker at the endpoint, whether it is there yet or not.
//  NULL with errno when that is no endpoint.
client_t *
    client_new (const char *endpoint);

//  Hang up. A request without a reply is forgotten.
void
    client_destroy (client_t **self_p);

//  How long to wait for a reply before the request is sent again, 2,500 ms at
//  first; and how often it is sent again, 3 times at first.
void
    client_set_timeout (client_t *self, int64_t timeout_ms);
void
    client_set_retries (client_t *self, int64_t retries);

//  Which version of the Majordomo Protocol to speak: MDP_0_1 at first. With
//  MDP_0_2 the body of a reply is that of all its PARTIALs and the FINAL, in
//  order.
void
    client_set_version (client_t *self, mdp_version_t version);

//  Whether to tell on stderr what goes on.
void
    client_set_verbose (client_t *self, bool verbose);

//  Send the frames of body, at least one, to the service and wait for the
//  reply: its body, for the caller to destroy. NULL when there is none, and
//  client_result knows why. A request that was sent again may be carried out
//  more than once.
message_t *
    client_call (client_t *self, const char *service, const message_t *body);

//  What came of the last call.
client_result_t
    client_result (const client_t *self);

#endif
