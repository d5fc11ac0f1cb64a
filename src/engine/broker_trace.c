/*  =========================================================================
    broker_trace - a broker on a virtual clock, for its tests

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>

#include "broker_trace.h"

static broker_t *s_broker;
update_t *trace_update;
static size_t s_cursor;         //  Effects looked at so far
int64_t trace_now_ms;

void
trace_start (const broker_config_t *config)
{
    broker_destroy (&s_broker);
    s_broker = broker_new (config);
    ck_assert_ptr_nonnull (s_broker);
}

void
trace_set_limits (const broker_config_t *config)
{
    broker_set_limits (s_broker, config);
}

broker_config_t
trace_config (void)
{
    return (broker_config_t) {
        .heartbeat_ms = HB, .liveness = LIVENESS, .expiry_ms = EXPIRY,
        .max_services = 100, .max_workers = 100, .max_requests = 1000,
        .max_service_requests = 1000, .max_frames = 100
    };
}

void
trace_setup (void)
{
    broker_config_t config = trace_config ();
    trace_now_ms = 5000;
    s_cursor = 0;
    trace_update = update_new ();
    trace_start (&config);
}

void
trace_teardown (void)
{
    update_destroy (&trace_update);
    broker_destroy (&s_broker);
}

void
trace_step (event_type_t type, const message_t *message)
{
    event_t event = { .type = type, .now_ms = trace_now_ms, .message = message };
    broker_step (s_broker, &event, trace_update);
    ck_assert (!update_failed (trace_update));
}

//  The next message that was sent, NULL when there is none.
const message_t *
trace_next (void)
{
    while (s_cursor < update_size (trace_update)) {
        effect_t *effect = update_effect (trace_update, s_cursor++);
        if (effect->type == EFFECT_SEND) {
            ck_assert_uint_eq (effect->channel, 0);
            return effect->message;
        }
        ck_assert_int_eq (effect->type, EFFECT_NOTICE);
    }
    update_clear (trace_update);
    s_cursor = 0;
    return NULL;
}

//  Frames are strings, the address first and a NULL last.
static message_t *
s_compose (const char *frame, va_list frames)
{
    message_t *message = message_new ();
    for (; frame; frame = va_arg (frames, const char *))
        ck_assert_int_eq (message_add_string (message, frame), 0);
    return message;
}

//  A message arrives from an address.
void
trace_receive (const char *address, ...)
{
    va_list frames;
    va_start (frames, address);
    message_t *message = s_compose (address, frames);
    va_end (frames);
    trace_step (EVENT_RECEIVED, message);
    message_destroy (&message);
}

//  The next message sent is just this one, to this address.
void
trace_expect (const char *address, ...)
{
    const message_t *sent = trace_next ();
    ck_assert_msg (sent, "nothing was sent to %s", address);
    va_list frames;
    va_start (frames, address);
    message_t *message = s_compose (address, frames);
    va_end (frames);
    ck_assert_uint_eq (message_size (sent), message_size (message));
    for (size_t index = 0; index < message_size (message); index++)
        ck_assert (frame_equal (message_frame (sent, index),
                                message_frame (message, index)));
    message_destroy (&message);
}

void
trace_expect_nothing (void)
{
    ck_assert_ptr_null (trace_next ());
}

//  Let time pass, with a tick at each deadline on the way and one at the end.
void
trace_pass (int64_t ms)
{
    int64_t end_ms = trace_now_ms + ms;
    while (update_deadline (trace_update) <= end_ms) {
        if (trace_now_ms < update_deadline (trace_update))
            trace_now_ms = update_deadline (trace_update);
        int64_t before_ms = trace_now_ms;
        trace_step (EVENT_TICK, NULL);
        ck_assert_int_gt (update_deadline (trace_update), before_ms);
    }
    trace_now_ms = end_ms;
    trace_step (EVENT_TICK, NULL);
}

//  Forget what was sent so far.
void
trace_skip (void)
{
    while (trace_next ())
        ;
}

//  Let intervals pass in which only this worker sends heartbeats.
void
trace_live (const char *worker, int intervals)
{
    while (intervals-- > 0) {
        trace_pass (HB);
        HEARTBEAT (worker);
    }
    trace_skip ();
}
