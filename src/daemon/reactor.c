/*  =========================================================================
    reactor - runs an engine on sockets, a clock and a store

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include "reactor.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "channels.h"
#include "notices.h"
#include "supervisor.h"

//  Messages in a batch, and batches in a row, that may go before a tick that
//  is due. A worker is not to expire while its heartbeat lies unread, but
//  heartbeats to workers cannot wait for ever either.
#define BATCH_MAX 256
#define BATCHES_BEFORE_TICK 16

//  A batch of so many shows that there is much to do: then others on this processor
//  get a chance to hand over more. To wait in the kernel costs more than a message.
#define RUSH 4

//  When the process was held up for longer than this, by SIGSTOP or because
//  others had the processor, ZeroMQ's threads were held up too: they are given
//  time to hand over what has come in before anything expires.
#define STALL_MS 50
#define SETTLE_MS 100

//  How long good-byes may take.
#define FLUSH_MS 1000

//  Longest single wait.
#define WAIT_MAX_MS 3600000

typedef struct {
    const reactor_config_t *config; //  As given
    channels_t *channels;       //  The sockets
    int signal_fd;              //  SIGTERM, SIGINT and SIGHUP are read here
    int64_t watchdog_ms;        //  How often the supervisor wants to hear of us
    int64_t alive_ms;           //  When it is to hear next
    update_t *update;           //  What the engine asks for
    update_t *spare;            //  What is being carried out
    int64_t deadline_ms;        //  When the engine wants a tick
    int64_t settle_ms;          //  No tick before this, 0 for none
    size_t full_batches;        //  In a row, while a tick was due
    int64_t now_ms;             //  For events: monotonic clock
    int64_t wall_ms;            //  For events: since the Unix epoch
    unsigned char random [512]; //  Bits from the system
    size_t random_left;         //  Bytes of them that nobody had yet
    bool failed;                //  Cannot go on
    notices_t notices;          //  The log
    repeated_t store_failed;    //  The store did not do what it was asked
    repeated_t dropped;         //  A message that came could not be taken
    repeated_t unread;          //  A peer does not read what it is sent
} reactor_t;

static int64_t
s_clock_ms (clockid_t clock)
{
    struct timespec now;
    clock_gettime (clock, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
s_notice (reactor_t *self, notice_level_t level, const char *text,
          const frame_t *subject)
{
    notices_write (&self->notices, s_clock_ms (CLOCK_MONOTONIC), level, text,
                   subject);
}

//  The same for what peers can cause again and again.
static void
s_warn_once (reactor_t *self, repeated_t *repeated, const char *text,
             const frame_t *subject)
{
    notices_write_once (&self->notices, repeated, s_clock_ms (CLOCK_MONOTONIC),
                        NOTICE_WARNING, text, subject);
}

//  What a user can do about an endpoint that does not work.
static const char *
s_endpoint_hint (int reason)
{
    switch (reason) {
        case EADDRINUSE:
            return "stop the other process or choose another --endpoint";
        case EADDRNOTAVAIL:
        case ENODEV:
            return "this machine has no such address; "
                   "choose another --endpoint";
        case EACCES:
            return "choose a port above 1023";
        case EINVAL:
        case EPROTONOSUPPORT:
            return "write --endpoint as tcp://ADDRESS:PORT";
        case EMFILE:
            return "allow more open files with ulimit -n";
        default:
            return "choose another --endpoint";
    }
}

static void
s_endpoint_error (const char *what, const char *endpoint, int reason)
{
    fprintf (stderr, "%s: cannot %s %s: %s; %s\n",
             program_invocation_short_name, what, endpoint,
             zmq_strerror (reason), s_endpoint_hint (reason));
}

//  What time it is for the events that follow. Within a batch it stands still. The
//  calendar may be some milliseconds late: requests are kept for seconds or days.
static void
s_look_at_clock (reactor_t *self)
{
    self->now_ms = s_clock_ms (CLOCK_MONOTONIC);
    self->wall_ms = s_clock_ms (CLOCK_REALTIME_COARSE);
}

//  Random bits from the system, which is asked for many at a time.
static void
s_draw_random (reactor_t *self, void *bits, size_t size)
{
    if (self->random_left < size) {
        size_t drawn = 0;
        while (drawn < sizeof (self->random)) {
            ssize_t more = getrandom (self->random + drawn,
                                      sizeof (self->random) - drawn, 0);
            if (more > 0)
                drawn += (size_t) more;
            else
                assert (errno == EINTR);
        }
        self->random_left = sizeof (self->random);
    }
    self->random_left -= size;
    memcpy (bits, self->random + self->random_left, size);
}

//  Give an event to the engine. Its effects are added to the update.
static void
s_step (reactor_t *self, event_t *event)
{
    event->now_ms = self->now_ms;
    event->wall_ms = self->wall_ms;
    if (event->type == EVENT_RECEIVED && self->config->store)
        s_draw_random (self, event->random, sizeof (event->random));
    size_t before = update_size (self->update);
    self->config->step (self->config->engine, event, self->update);
    self->deadline_ms = update_deadline (self->update);

    //  What the engine has closed must not speak to it any more, though the
    //  effect itself waits for the end of the batch
    for (size_t index = before; index < update_size (self->update); index++) {
        effect_t *effect = update_effect (self->update, index);
        if (effect->type == EFFECT_CLOSE)
            channels_mute (self->channels, effect->channel);
    }
}

static void
s_step_simple (reactor_t *self, event_type_t type)
{
    event_t event = { .type = type };
    s_step (self, &event);
}

static void
s_step_answer (reactor_t *self, event_type_t type, store_answer_t *answer)
{
    event_t event = { .type = type, .answer = answer };
    s_step (self, &event);
    store_answer_clear (answer);
}

//  Give the answers to the engine.
static void
s_answer (reactor_t *self, store_answer_t *answers, size_t count)
{
    bool failed = false;
    for (size_t place = 0; place < count; place++) {
        if (answers [place].result != STORE_OK
        &&  answers [place].result != STORE_UNKNOWN)
            failed = true;
        s_step_answer (self, EVENT_WRITTEN, &answers [place]);
    }
    if (failed)
        s_warn_once (self, &self->store_failed,
                     store_error (self->config->store), NULL);
}

//  Commit each write by itself, which takes no memory of ours: what is asked of
//  the store must have an answer, or the engine would wait for ever.
static void
s_write_singly (reactor_t *self, size_t from, size_t end)
{
    s_notice (self, NOTICE_WARNING, "writes are not committed together: out of "
              "memory", NULL);
    for (size_t index = from; index < end; index++) {
        effect_t *effect = update_effect (self->update, index);
        if (effect->type != EFFECT_WRITE)
            continue;
        const store_query_t *query = &effect->query;
        store_answer_t answer;
        store_write (self->config->store, &query, 1, &answer);
        s_look_at_clock (self);
        s_answer (self, &answer, 1);
    }
}

//  Commit all writes from effect number from to number end together.
static void
s_write (reactor_t *self, size_t from, size_t end)
{
    size_t count = 0;
    for (size_t index = from; index < end; index++)
        if (update_effect (self->update, index)->type == EFFECT_WRITE)
            count++;
    if (count == 0)
        return;

    const store_query_t **queries = calloc (count, sizeof (*queries));
    store_answer_t *answers = calloc (count, sizeof (*answers));
    if (queries && answers) {
        size_t place = 0;
        for (size_t index = from; index < end; index++) {
            effect_t *effect = update_effect (self->update, index);
            if (effect->type == EFFECT_WRITE)
                queries [place++] = &effect->query;
        }
        store_write (self->config->store, queries, count, answers);
        s_look_at_clock (self);
        s_answer (self, answers, count);
    }
    else
        s_write_singly (self, from, end);
    free (queries);
    free (answers);
}

//  Carry out the reads from effect number from to number end.
static void
s_read (reactor_t *self, size_t from, size_t end)
{
    for (size_t index = from; index < end; index++) {
        effect_t *effect = update_effect (self->update, index);
        if (effect->type != EFFECT_READ)
            continue;
        store_answer_t answer = { 0 };
        store_read (self->config->store, &effect->query, &answer);
        if (answer.result != STORE_OK && answer.result != STORE_UNKNOWN)
            s_warn_once (self, &self->store_failed,
                         store_error (self->config->store), NULL);
        s_step_answer (self, EVENT_READ, &answer);
    }
}

//  All that the store has to do with the update, and with what the engine
//  makes of the answers.
static void
s_store (reactor_t *self)
{
    if (!self->config->store)
        return;
    size_t done = 0;
    while (done < update_size (self->update)) {
        size_t end = update_size (self->update);
        s_write (self, done, end);
        s_read (self, done, end);
        done = end;
    }
}

static size_t
s_brokers (const reactor_t *self)
{
    return self->config->endpoints? self->config->endpoint_count: 1;
}

static const char *
s_endpoint (const reactor_t *self, size_t broker)
{
    assert (broker < s_brokers (self));
    return self->config->endpoints? self->config->endpoints [broker]
                                  : self->config->endpoint;
}

static void
s_open (reactor_t *self, channel_t channel)
{
    const char *endpoint = s_endpoint (self, CHANNEL_BROKER (channel));
    //  What failed for good has been told of
    if (self->failed
    ||  channels_connect (self->channels, channel, endpoint) == 0)
        return;
    if (errno == EMFILE || errno == ENOMEM) {
        //  The others can go on
        s_notice (self, NOTICE_WARNING, "cannot open a socket: too many",
                  NULL);
        return;
    }
    s_endpoint_error ("connect to", endpoint, errno);
    self->failed = true;
}

static void
s_send (reactor_t *self, const effect_t *effect)
{
    const message_t *message = effect->message;
    //  Only a ROUTER's message starts with an address
    const frame_t *address = self->config->bind?
        message_frame (message, 0): NULL;
    switch (channels_send (self->channels, effect->channel, message)) {
        case CHANNELS_OK:
            break;
        case CHANNELS_UNREACHABLE: {
            event_t event = {
                .type = EVENT_UNREACHABLE,
                .channel = effect->channel,
                .message = message
            };
            s_step (self, &event);
            break;
        }
        case CHANNELS_FULL:
            s_warn_once (self, &self->unread, "message dropped: peer does not "
                         "read what it is sent", address);
            break;
        case CHANNELS_UNKNOWN:
            s_notice (self, NOTICE_TRACE, "message dropped: channel is closed",
                      address);
            break;
        default:
            s_notice (self, NOTICE_WARNING, "message dropped: cannot be sent",
                      address);
    }
}

static void
s_effect (reactor_t *self, const effect_t *effect)
{
    switch (effect->type) {
        case EFFECT_SEND:
            s_send (self, effect);
            break;
        case EFFECT_OPEN:
            s_open (self, effect->channel);
            break;
        case EFFECT_CLOSE:
            channels_close (self->channels, effect->channel);
            break;
        case EFFECT_NOTICE:
            s_notice (self, effect->level, effect->text, effect->subject);
            break;
        case EFFECT_WRITE:
        case EFFECT_READ:
            break;              //  Done by s_store
    }
}

//  Carry out all that the engine has asked for, and what it asks for when a
//  message cannot be sent.
static void
s_carry_out (reactor_t *self)
{
    for (;;) {
        s_store (self);
        if (update_failed (self->update))
            s_notice (self, NOTICE_WARNING, "messages lost: out of memory",
                      NULL);
        if (update_size (self->update) == 0)
            break;
        update_t *update = self->update;
        self->update = self->spare;
        self->spare = update;
        for (size_t index = 0; index < update_size (update); index++)
            s_effect (self, update_effect (update, index));
        update_clear (update);
    }
    update_clear (self->update);
}

//  Give the engine a batch of what has arrived. Whether the batch is full, so
//  that there may be more.
static bool
s_receive (reactor_t *self)
{
    for (size_t count = 0; count < BATCH_MAX; count++) {
        event_t event = { .type = EVENT_RECEIVED };
        message_t *message = NULL;
        switch (channels_receive (self->channels, &event.channel, &message)) {
            case CHANNELS_EMPTY:
                if (count >= RUSH)
                    sched_yield ();
                return false;
            case CHANNELS_OK:
                event.message = message;
                s_step (self, &event);
                message_destroy (&message);
                //  With nothing to commit there is nothing to gather: peers
                //  work on what they have while we read on
                if (!self->config->store)
                    s_carry_out (self);
                break;
            default:
                s_warn_once (self, &self->dropped, "message dropped: too many "
                             "frames, or out of memory", NULL);
        }
    }
    return true;
}

//  The tick, if it is due and nothing that has arrived is left unread. After a wait
//  there may be more than what ended it: the next round does not wait, and sees.
static void
s_tick (reactor_t *self, bool waited, bool full, bool stalled)
{
    int64_t now_ms = self->now_ms;
    if (now_ms < self->deadline_ms) {
        self->settle_ms = 0;
        self->full_batches = 0;
        return;
    }
    if (stalled && self->settle_ms == 0)
        self->settle_ms = now_ms + SETTLE_MS;
    if (waited || now_ms < self->settle_ms)
        return;
    if (full && ++self->full_batches < BATCHES_BEFORE_TICK)
        return;
    self->settle_ms = 0;
    self->full_batches = 0;
    s_step_simple (self, EVENT_TICK);
    s_carry_out (self);
    s_look_at_clock (self);
}

//  How long to wait for input.
static int64_t
s_timeout_ms (const reactor_t *self, int64_t now_ms)
{
    int64_t until_ms = self->deadline_ms > self->settle_ms?
        self->deadline_ms: self->settle_ms;
    if (until_ms > self->alive_ms)
        until_ms = self->alive_ms;
    if (until_ms <= now_ms)
        return 0;
    return until_ms - now_ms < WAIT_MAX_MS? until_ms - now_ms: WAIT_MAX_MS;
}

//  Tell the supervisor that the loop goes round, if it is time.
static void
s_live (reactor_t *self, int64_t now_ms)
{
    if (now_ms < self->alive_ms)
        return;
    supervisor_alive ();
    self->alive_ms = now_ms + self->watchdog_ms;
}

static void
s_reload (reactor_t *self)
{
    supervisor_reloading ();
    self->notices.verbose = self->config->reload (self->config->reload_argument);
    if (channels_door (self->channels))
        door_set_verbose (channels_door (self->channels),
                          self->notices.verbose);
    supervisor_ready ();
}

//  Signals have come: whether they are to end us.
static bool
s_signalled (reactor_t *self)
{
    struct signalfd_siginfo signal;
    bool end = false;
    while (read (self->signal_fd, &signal, sizeof (signal))
                == (ssize_t) sizeof (signal))
        if (signal.ssi_signo != SIGHUP)
            end = true;
        else
        if (self->config->reload)
            s_reload (self);
    return end;
}

static void
s_loop (reactor_t *self)
{
    s_look_at_clock (self);
    s_step_simple (self, EVENT_TICK);
    s_carry_out (self);
    s_look_at_clock (self);
    while (!self->failed) {
        int64_t begun_ms = self->now_ms;
        int64_t timeout_ms = s_timeout_ms (self, begun_ms);
        if (channels_wait (self->channels, (int) timeout_ms)
        &&  s_signalled (self))
            break;
        s_look_at_clock (self);
        bool full = s_receive (self);
        s_carry_out (self);
        s_look_at_clock (self);
        bool stalled = self->now_ms - begun_ms > timeout_ms + STALL_MS;
        s_tick (self, timeout_ms > 0, full, stalled);
        s_live (self, self->now_ms);
        if (channels_lost (self->channels)) {
            s_endpoint_error ("bind", channels_endpoint (self->channels),
                              channels_lost (self->channels));
            self->failed = true;
        }
    }
}

//  From now on SIGTERM, SIGINT and SIGHUP are read from a file descriptor, by this
//  thread and those that it starts. -1 with errno when that cannot be had.
static int
s_signals_open (void)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    sigaddset (&signals, SIGHUP);
    if (sigprocmask (SIG_BLOCK, &signals, NULL))
        return -1;
    return signalfd (-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

//  Each peer takes a file descriptor, and the usual soft limit is low for the
//  sake of programs that use select.
static void
s_raise_file_limit (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
}

static int
s_start (reactor_t *self)
{
    s_raise_file_limit ();
    self->signal_fd = s_signals_open ();
    self->update = update_new ();
    self->spare = update_new ();
    //  Before the context: its threads inherit the signal mask
    if (self->signal_fd >= 0 && self->update && self->spare)
        self->channels = channels_new (self->config->max_message_bytes,
                                       self->signal_fd);
    if (!self->channels) {
        fprintf (stderr, "%s: cannot start: %s; free memory or file "
                 "descriptors\n", program_invocation_short_name,
                 strerror (errno));
        return -1;
    }
    channels_set_keyring (self->channels, self->config->keyring);
    if (self->config->bind
    &&  channels_bind (self->channels, 0, self->config->endpoint,
                       self->config->max_connections, self->config->verbose)) {
        s_endpoint_error ("bind", self->config->endpoint, errno);
        return -1;
    }
    return 0;
}

//  Whether nobody but this machine can see what goes to and from the endpoint.
static bool
s_is_local (const char *endpoint)
{
    static const char *const local [] = {
        "ipc://", "inproc://", "tcp://127.", "tcp://localhost:", "tcp://[::1]:"
    };
    for (size_t index = 0; index < sizeof (local) / sizeof (*local); index++)
        if (strncmp (endpoint, local [index], strlen (local [index])) == 0)
            return true;
    return false;
}

static void
s_say_where (const reactor_t *self, const char *what, const char *endpoint)
{
    const keyring_t *keyring = self->config->keyring;
    fprintf (stderr, "%s: %s %s%s\n", program_invocation_short_name, what,
             endpoint, keyring? ", with CURVE": "");
    if (!keyring && !s_is_local (endpoint))
        fprintf (stderr, "%s: warning: %s is open to the network: whoever can "
                 "reach it can read and send all; see --curve-cert\n",
                 program_invocation_short_name, endpoint);
}

static void
s_say_ready (reactor_t *self)
{
    const reactor_config_t *config = self->config;
    if (config->bind)
        s_say_where (self, "listening on", channels_endpoint (self->channels));
    else
        for (size_t broker = 0; broker < s_brokers (self); broker++)
            s_say_where (self, "connecting to", s_endpoint (self, broker));
    door_t *door = channels_door (self->channels);
    if (door && door_connections (door) < config->max_connections)
        fprintf (stderr, "%s: warning: at most %zu connections, not %zu; "
                 "ulimit -n allows more\n", program_invocation_short_name,
                 door_connections (door), config->max_connections);
}

static void
s_end (reactor_t *self)
{
    channels_destroy (&self->channels);
    update_destroy (&self->update);
    update_destroy (&self->spare);
    if (self->signal_fd >= 0)
        close (self->signal_fd);
}

int
reactor_run (const reactor_config_t *config)
{
    assert (config && config->step && config->endpoint);
    reactor_t self = {
        .config = config,
        .notices = { .verbose = config->verbose },
        .watchdog_ms = supervisor_watchdog_ms (),
        .alive_ms = INT64_MAX
    };
    if (self.watchdog_ms != INT64_MAX)
        self.alive_ms = 0;
    if (s_start (&self)) {
        s_end (&self);
        return -1;
    }
    s_say_ready (&self);
    supervisor_ready ();
    s_loop (&self);
    supervisor_stopping ();
    if (!self.failed) {
        channels_set_linger (self.channels, FLUSH_MS);
        s_step_simple (&self, EVENT_STOP);
        s_carry_out (&self);
    }
    s_end (&self);
    return self.failed? -1: 0;
}
