/*  =========================================================================
    exchange - one request and its reply, on a socket of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef EXCHANGE_H_INCLUDED
#define EXCHANGE_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <czmq.h>

#include "../protocol/mdp.h"
#include "../protocol/message.h"
#include "curve.h"
#include "mdp_client.h"
#include "ready.h"

//  How a client wants its requests sent.
typedef struct {
    const char *endpoint;       //  Borrowed, as long as requests are in flight
    const curve_t *curve;       //  Borrowed likewise; NULL for none
    mdp_version_t version;      //  What we speak
    int64_t timeout_ms;         //  For one attempt
    int64_t retries;            //  Attempts after the first
    bool partials;              //  Give each PARTIAL by itself
    bool verbose;               //  Tell what goes on
} exchange_settings_t;

typedef struct _exchange_t exchange_t;

//  A request that is not sent yet, to a service with a name that is good.
//  NULL when memory is out.
exchange_t *
    exchange_new (const exchange_settings_t *settings, uint64_t number,
                  const char *service, const message_t *body);

//  Hang up.
void
    exchange_destroy (exchange_t **self_p);

//  Send it over socket, which is taken, or a new one if that is NULL. Its
//  sockets are made known to ready, unless that is NULL.
void
    exchange_start (exchange_t *self, zsock_t *socket, ready_t *ready);

//  Read what has come, and send again what has waited too long. PENDING until
//  there is a reply (OK), part of one (MORE) or a failure.
mdp_client_result_t
    exchange_step (exchange_t *self);

//  What has come, for the caller to destroy. After MORE it is PENDING again.
message_t *
    exchange_take (exchange_t *self);

//  The socket of an exchange that ended OK, for another one; NULL if it has
//  none.
zsock_t *
    exchange_release (exchange_t *self);

uint64_t
    exchange_number (const exchange_t *self);

//  Where a reply comes; when it is to be stepped though none does.
zsock_t *
    exchange_socket (const exchange_t *self);
int64_t
    exchange_until_ms (const exchange_t *self);

#endif
