/*  =========================================================================
    reactor - runs an engine on sockets, a clock and a store

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef REACTOR_H_INCLUDED
#define REACTOR_H_INCLUDED

#include "../engine/engine.h"
#include "../store/store.h"
#include "keyring.h"

typedef struct {
    const char *endpoint;       //  ZeroMQ endpoint
    const char *const *endpoints;   //  Of several brokers, by CHANNEL_BROKER;
                                //  NULL: endpoint is the only one
    size_t endpoint_count;
    bool bind;                  //  true: channel 0 is a ROUTER that binds it,
                                //  false: channels are DEALERs that connect
    keyring_t *keyring;         //  CURVE; NULL: plain. Borrowed
    size_t max_connections;     //  Peers at a time, when it binds
    int64_t max_message_bytes;  //  Largest frame taken from the wire
    bool verbose;               //  Show NOTICE_TRACE
    bool (*reload) (void *argument);    //  Called at SIGHUP, between two
                                //  steps; whether to show NOTICE_TRACE then
    void *reload_argument;
    store_t *store;             //  NULL when the engine has none; borrowed
    engine_step_fn *step;
    void *engine;               //  Borrowed
} reactor_config_t;

//  Run until SIGTERM or SIGINT, and tell the supervisor: drain what has arrived, step the engine for
//  each message, commit the writes of the whole batch, feed the answers back,
//  then poll until the deadline. At the end the engine gets EVENT_STOP and what
//  it sends is flushed (for at most a second). 0, or -1 after a one-line error
//  on stderr, when the endpoint cannot be bound or connected.
int
    reactor_run (const reactor_config_t *config);

#endif
