/*  =========================================================================
    broker_trace - a broker on a virtual clock, for its tests

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BROKER_TRACE_H_INCLUDED
#define BROKER_TRACE_H_INCLUDED

#include <stdint.h>

#include "broker.h"

#define HB 100
#define LIVENESS 3
#define EXPIRY 1000

//  What the last step brought, and the time.
extern update_t *trace_update;
extern int64_t trace_now_ms;

//  A fixture: a broker with trace_config.
void
    trace_setup (void);
void
    trace_teardown (void);
broker_config_t
    trace_config (void);

//  Another broker in its place.
void
    trace_start (const broker_config_t *config);

//  Other limits for it.
void
    trace_set_limits (const broker_config_t *config);

void
    trace_step (event_type_t type, const message_t *message);

//  The next message that was sent, NULL when there is none.
const message_t *
    trace_next (void);

//  A message arrives from an address. Frames are strings, a NULL is last.
void
    trace_receive (const char *address, ...);

//  The next message sent is just this one, to this address; there is none.
void
    trace_expect (const char *address, ...);
void
    trace_expect_nothing (void);

//  Let time pass, with a tick at each deadline on the way and one at the end.
void
    trace_pass (int64_t ms);

//  Forget what was sent so far.
void
    trace_skip (void);

//  Let intervals pass in which only this worker sends heartbeats.
void
    trace_live (const char *worker, int intervals);

//  In version 0.1

#define READY(address, service) \
    trace_receive (address, "", "MDPW01", "\1", service, NULL)
#define REPLY(address, client, body) \
    trace_receive (address, "", "MDPW01", "\3", client, "", body, NULL)
#define HEARTBEAT(address) trace_receive (address, "", "MDPW01", "\4", NULL)
#define DISCONNECT(address) trace_receive (address, "", "MDPW01", "\5", NULL)
#define REQUEST(address, service, body) \
    trace_receive (address, "", "MDPC01", service, body, NULL)
#define GETS_REQUEST(address, client, body) \
    trace_expect (address, "", "MDPW01", "\2", client, "", body, NULL)
#define GETS_HEARTBEAT(address) trace_expect (address, "", "MDPW01", "\4", NULL)
#define GETS_DISCONNECT(address) trace_expect (address, "", "MDPW01", "\5", NULL)
#define GETS_REPLY(address, service, body) \
    trace_expect (address, "", "MDPC01", service, body, NULL)

#endif
