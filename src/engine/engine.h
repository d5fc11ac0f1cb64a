/*  =========================================================================
    engine - what goes into an engine and what comes out

    An engine is a state machine. It does no I/O and knows no clock: an event,
    with the time in it, goes in; an update comes out. The reactor runs engines
    on sockets and a store, the simulator on a virtual clock, and a wreck puts
    itself between the two.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef ENGINE_H_INCLUDED
#define ENGINE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol/message.h"
#include "../store/store.h"

//  A channel is a socket as an engine sees it. The broker has one, number 0,
//  a ROUTER: the first frame of each message on it, either way, is the peer's
//  address. Titanic has many, DEALERs that connect to the broker, which it
//  opens and closes by number; nothing is prepended there. Of several brokers the
//  upper half of the number says which one it is for.
typedef uint64_t channel_t;
#define CHANNEL_BROKER(channel) ((size_t) ((channel) >> 32))

typedef enum {
    EVENT_TICK,                 //  The deadline has come, or nothing else has
    EVENT_RECEIVED,             //  A message has come in on a channel
    EVENT_UNREACHABLE,          //  A message could not be sent: no such peer
    EVENT_WRITTEN,              //  The store has done, or failed, a write
    EVENT_READ,                 //  The store answers a read
    EVENT_STOP                  //  The process ends: say good-bye
} event_type_t;

typedef struct {
    event_type_t type;
    int64_t now_ms;             //  Monotonic clock, never goes back
    int64_t wall_ms;            //  Since the Unix epoch, may jump
    uint64_t random [2];        //  Fresh random bits, with EVENT_RECEIVED
    channel_t channel;          //  EVENT_RECEIVED, EVENT_UNREACHABLE
    const message_t *message;   //  EVENT_RECEIVED, EVENT_UNREACHABLE
    const store_answer_t *answer;   //  EVENT_WRITTEN, EVENT_READ
} event_t;

typedef enum {
    EFFECT_SEND,                //  Send a message on a channel
    EFFECT_OPEN,                //  Open a new socket as this channel
    EFFECT_CLOSE,               //  Close the channel's socket, drop what waits
    EFFECT_WRITE,               //  Give the store something to keep or drop
    EFFECT_READ,                //  Ask the store; after all writes before it
    EFFECT_NOTICE               //  Say something in the log
} effect_type_t;

//  How loud a notice is: trace shows only with -v.
typedef enum {
    NOTICE_TRACE,
    NOTICE_INFO,
    NOTICE_WARNING
} notice_level_t;

typedef struct {
    effect_type_t type;
    channel_t channel;          //  SEND, OPEN, CLOSE
    message_t *message;         //  SEND; belongs to the update
    store_query_t query;        //  WRITE, READ; what it points to belongs to
                                //  the update
    notice_level_t level;       //  NOTICE
    const char *text;           //  NOTICE: a constant string, what happened
    frame_t *subject;           //  NOTICE: to what, may be NULL; a reference
                                //  that belongs to the update
} effect_t;

//  What an engine wants done, in order. The reactor carries out the effects
//  of many events together: all writes of a batch are one commit, and only
//  then come their answers back as events.
typedef struct _update_t update_t;

update_t *
    update_new (void);
void
    update_destroy (update_t **self_p);

//  Drop all effects, keep the memory.
void
    update_clear (update_t *self);

size_t
    update_size (const update_t *self);

//  Effect number index, borrowed; a wreck may change it in place.
effect_t *
    update_effect (update_t *self, size_t index);

//  Take effect number index out and destroy what it owns.
void
    update_remove (update_t *self, size_t index);

//  When the engine wants its next EVENT_TICK, on the monotonic clock;
//  INT64_MAX for never.
int64_t
    update_deadline (const update_t *self);
void
    update_set_deadline (update_t *self, int64_t deadline_ms);

//  Append an effect. Those that end in _p take what is given, which comes back
//  NULL. 0, or -1 when memory is out, and then there is no such effect: what
//  would wait for it must not. A NULL message is memory that was out before.
//  The update remembers too: see update_failed.
int
    update_send (update_t *self, channel_t channel, message_t **message_p);
int
    update_open (update_t *self, channel_t channel);
int
    update_close (update_t *self, channel_t channel);
int
    update_write (update_t *self, store_query_t *query_p);
int
    update_read (update_t *self, store_query_t *query_p);
void
    update_notice (update_t *self, notice_level_t level, const char *text,
                   const frame_t *subject);

//  Whether memory ran out while effects were appended.
bool
    update_failed (const update_t *self);

//  The one entrance of an engine: appends what follows from the event to the
//  update and sets its deadline.
typedef void (engine_step_fn) (void *engine, const event_t *event,
                               update_t *update);

#endif
