/*  =========================================================================
    door - who may connect to a server, and how many

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "meter.h"
#include "notices.h"

//  File descriptors that are kept for other things than connections, and for
//  those connections that come in while others are being closed.
#define RESERVED 32

//  Connections that have ended and are still there: so many, or half of all that there
//  may be, and all are closed; a few are left alone in any case
#define DEAD_MOST 1000
#define DEAD_LEAST 16
//  Not again before all have been looked at
#define DEAD_PAUSE_MS 20000

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define MONITOR_ENDPOINT "inproc://door"
#define BELL_ENDPOINT "inproc://bell"

//  From one ring to the next, if nobody comes
#define RING_MS 100

//  From one look at what has come on connections to the next: when it is much on any
//  of them, and else
#define WATCH_MS 50
#define SWEEP_MS 200

//  Frames of a request, 27/ZAP, and bytes of each that are looked at
enum {
    ZAP_VERSION, ZAP_REQUEST_ID, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY,
    ZAP_MECHANISM, ZAP_CREDENTIALS, ZAP_FRAMES
};
#define ZAP_FRAME_SIZE 256

typedef struct {
    size_t size;
    unsigned char bytes [ZAP_FRAME_SIZE];
} zap_frame_t;

//  Two frames of an event: number and value; an endpoint
#define MONITOR_EVENTS (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED \
    | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)

struct _door_t {
    door_config_t config;       //  As given
    size_t connections;         //  As many as there may be
    int highest;                //  A connection with a file descriptor above
                                //  this is one too many
    void *zap;                  //  REP where libzmq asks; NULL without CURVE
    void *monitor;              //  PAIR where it tells
    void *bell;                 //  DEALER at the socket itself
    unsigned char bell_address [DOOR_BELL_SIZE];
    meter_t *meter;             //  What has come on each connection
    int64_t sweep_ms;           //  When to look at that
    int64_t dead_ms;            //  Not before this are all closed again
    void *thread;               //  libzmq's handle
    atomic_bool verbose;        //  Tell everything
    atomic_bool stuffed;        //  Too many connections are dead
    notices_t notices;          //  The thread's own part of the log
    repeated_t unknown;         //  Refused: a key that is not known
    repeated_t improper;        //  Refused: no proper handshake
    repeated_t too_many;        //  Closed: above the limit
    repeated_t unaccepted;      //  Not even accepted
    repeated_t endless;         //  Closed: its message does not end
    repeated_t dead;            //  All closed: many were dead
    size_t known;               //  Certificates when that was last told
};

static int64_t
s_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
s_tell (door_t *self, repeated_t *repeated, const char *text,
        const char *subject)
{
    frame_t *frame = subject? frame_new (subject, strlen (subject)): NULL;
    self->notices.verbose = atomic_load (&self->verbose);
    notices_write_once (&self->notices, repeated, s_now_ms (), NOTICE_WARNING,
                        text, frame);
    frame_destroy (&frame);
}

//  --------------------------------------------------------------------------
//  Keys

//  Receive a message of up to so many frames; what is more is cut off. How many
//  there were, -1 with errno.
static int
s_receive (void *socket, zap_frame_t *frames, int most)
{
    int count = 0;
    int more = 1;
    for (; more; count++) {
        zap_frame_t beyond;
        zap_frame_t *frame = count < most? &frames [count]: &beyond;
        int size = zmq_recv (socket, frame->bytes, sizeof (frame->bytes),
                             ZMQ_DONTWAIT);
        if (size < 0)
            return -1;
        frame->size = (size_t) size < sizeof (frame->bytes)
            ? (size_t) size: sizeof (frame->bytes);
        size_t more_size = sizeof (more);
        if (zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &more_size))
            return -1;
    }
    return count;
}

static bool
s_frame_is (const zap_frame_t *frame, const char *text)
{
    return frame->size == strlen (text)
        && memcmp (frame->bytes, text, frame->size) == 0;
}

static void
s_refuse (door_t *self, const zap_frame_t *frames)
{
    char subject [KEY_TEXT_SIZE + ZAP_FRAME_SIZE + 8];
    zmq_z85_encode (subject, frames [ZAP_CREDENTIALS].bytes, KEY_SIZE);
    strcat (subject, " from ");
    strncat (subject, (const char *) frames [ZAP_ADDRESS].bytes,
             frames [ZAP_ADDRESS].size);
    s_tell (self, &self->unknown, "connection refused: no certificate has its "
            "public key", subject);
}

//  Say when certificates have come or gone.
static void
s_tell_known (door_t *self)
{
    size_t known = keyring_known (self->config.keyring);
    if (known == self->known)
        return;
    self->known = known;
    const char *text = keyring_clients (self->config.keyring);
    frame_t *subject = frame_new (text, strlen (text));
    notices_write (&self->notices, s_now_ms (), NOTICE_INFO,
                   "the directory of certificates has changed", subject);
    frame_destroy (&subject);
}

//  Answer one question of libzmq's, 27/ZAP.
static void
s_answer (door_t *self)
{
    zap_frame_t frames [ZAP_FRAMES];
    int count = s_receive (self->zap, frames, ZAP_FRAMES);
    if (count < 0)
        return;
    bool proper = count == ZAP_FRAMES
        && s_frame_is (&frames [ZAP_VERSION], "1.0")
        && s_frame_is (&frames [ZAP_MECHANISM], "CURVE")
        && frames [ZAP_CREDENTIALS].size == KEY_SIZE;
    bool welcome = proper
        && keyring_admits (self->config.keyring, frames [ZAP_CREDENTIALS].bytes,
                           s_now_ms ());
    if (proper && !welcome)
        s_refuse (self, frames);
    s_tell_known (self);

    const char *status = welcome? "200": "400";
    const char *text = welcome? "OK": "Not known";
    zmq_send (self->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send (self->zap, frames [ZAP_REQUEST_ID].bytes,
              count > ZAP_REQUEST_ID? frames [ZAP_REQUEST_ID].size: 0,
              ZMQ_SNDMORE);
    zmq_send (self->zap, status, strlen (status), ZMQ_SNDMORE);
    zmq_send (self->zap, text, strlen (text), ZMQ_SNDMORE);
    zmq_send (self->zap, "", 0, ZMQ_SNDMORE);
    zmq_send (self->zap, "", 0, 0);
}

//  --------------------------------------------------------------------------
//  Connections

//  One more connection. File descriptors are given out lowest first, so that the
//  number tells whether there are too many. libzmq would try to accept again and
//  again, without a pause, once there are none left.
static void
s_accepted (door_t *self, int handle)
{
    if (handle <= self->highest) {
        meter_open (self->meter, handle);
        return;
    }
    //  libzmq closes it when it sees the end. Should it be another connection by
    //  now, that is one too many as well.
    shutdown (handle, SHUT_RDWR);
    s_tell (self, &self->too_many, "connection closed: too many; see "
            "--max-connections", NULL);
}

static void
s_watch (door_t *self)
{
    zap_frame_t frames [2];
    if (s_receive (self->monitor, frames, 2) < 1 || frames [0].size < 6)
        return;
    uint16_t event;
    uint32_t value;
    memcpy (&event, frames [0].bytes, sizeof (event));
    memcpy (&value, frames [0].bytes + sizeof (event), sizeof (value));
    switch (event) {
        case ZMQ_EVENT_ACCEPTED:
            s_accepted (self, (int) value);
            break;
        case ZMQ_EVENT_ACCEPT_FAILED:
            s_tell (self, &self->unaccepted, "connection cannot be accepted",
                    strerror ((int) value));
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            s_tell (self, &self->improper, self->config.keyring
                ? "connection refused: it does not speak CURVE, or to another "
                  "server's key": "connection refused: no proper handshake",
                NULL);
            break;
        default:
            break;
    }
}

//  libzmq keeps a connection that has ended if it does not read from it any more: it
//  has stopped when its address was taken over and more was under way. There is no way
//  to close one of them; each takes a file descriptor, and up to a message of memory.
static void
s_count_dead (door_t *self)
{
    size_t dead = meter_dead (self->meter);
    if (dead <= DEAD_LEAST
    || (dead <= DEAD_MOST && dead <= self->connections / 2))
        return;
    if (s_now_ms () < self->dead_ms)
        return;
    self->dead_ms = s_now_ms () + DEAD_PAUSE_MS;
    atomic_store (&self->stuffed, true);
    s_tell (self, &self->dead, "all connections are closed, as many have ended "
            "whose address was taken over", NULL);
    zmq_send (self->bell, "", 0, ZMQ_DONTWAIT);
}

//  Close connections whose message does not end: libzmq forgets its frames then.
static void
s_sweep (door_t *self)
{
    int64_t now_ms = s_now_ms ();
    if (now_ms < self->sweep_ms)
        return;
    int handle;
    while ((handle = meter_sweep (self->meter,
                                  self->config.max_unfinished_bytes)) >= 0) {
        shutdown (handle, SHUT_RDWR);
        s_tell (self, &self->endless, "connection closed: a message does not "
                "end; see --max-message", NULL);
    }
    s_count_dead (self);
    self->sweep_ms = now_ms + (meter_watches (self->meter)? WATCH_MS: SWEEP_MS);
    //  So that the reactor finds out that there is nothing to read
    if (meter_waits (self->meter))
        zmq_send (self->bell, "", 0, ZMQ_DONTWAIT);
}

//  How long to wait. The bell was rung if nobody listens for it.
static long
s_patience_ms (const door_t *self, bool listens)
{
    long patience_ms = meter_watches (self->meter)? WATCH_MS: SWEEP_MS;
    return listens || patience_ms < RING_MS? patience_ms: RING_MS;
}

//  Until the context is terminated.
static void
s_run (void *argument)
{
    door_t *self = argument;
    zmq_pollitem_t items [] = {
        { .fd = self->config.wake_fd, .events = ZMQ_POLLIN },
        { .socket = self->monitor, .events = ZMQ_POLLIN },
        { .socket = self->zap, .events = ZMQ_POLLIN }
    };
    int count = self->zap? 3: 2;
    while (zmq_poll (items, count, s_patience_ms (self, items [0].events)) >= 0
    ||     errno == EINTR) {
        if (items [0].revents & ZMQ_POLLIN) {
            zmq_send (self->bell, "", 0, ZMQ_DONTWAIT);
            items [0].events = 0;
        }
        else
            items [0].events = ZMQ_POLLIN;
        if (items [1].revents & ZMQ_POLLIN)
            s_watch (self);
        if (self->zap && (items [2].revents & ZMQ_POLLIN))
            s_answer (self);
        s_sweep (self);
    }
    zmq_close (self->bell);
    zmq_close (self->monitor);
    if (self->zap)
        zmq_close (self->zap);
}

//  --------------------------------------------------------------------------
//  Life

//  How many connections there may be. -1 with errno when there is room for none.
static int
s_measure (door_t *self)
{
    int lowest = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    struct rlimit limit;
    if (lowest < 0 || getrlimit (RLIMIT_NOFILE, &limit))
        return -1;
    close (lowest);
    rlim_t needed = (rlim_t) lowest + RESERVED;
    if (limit.rlim_cur <= needed) {
        errno = EMFILE;
        return -1;
    }
    rlim_t room = limit.rlim_cur - needed;
    self->connections = self->config.max_connections < room
        ? self->config.max_connections: (size_t) room;
    self->highest = lowest + (int) self->connections - 1;
    return 0;
}

static int
s_connect (door_t *self, void *context, void *socket)
{
    int none_ms = 0;
    if (getrandom (self->bell_address, DOOR_BELL_SIZE, 0) != DOOR_BELL_SIZE)
        return -1;
    self->bell_address [0] = 1; //  0 is not for peers to choose
    self->monitor = zmq_socket (context, ZMQ_PAIR);
    self->bell = zmq_socket (context, ZMQ_DEALER);
    if (!self->monitor || !self->bell
    ||  zmq_setsockopt (self->bell, ZMQ_LINGER, &none_ms, sizeof (none_ms))
    ||  zmq_setsockopt (self->bell, ZMQ_ROUTING_ID, self->bell_address,
                        DOOR_BELL_SIZE)
    ||  zmq_bind (socket, BELL_ENDPOINT)
    ||  zmq_connect (self->bell, BELL_ENDPOINT)
    ||  zmq_socket_monitor (socket, MONITOR_ENDPOINT, MONITOR_EVENTS)
    ||  zmq_connect (self->monitor, MONITOR_ENDPOINT))
        return -1;
    if (!self->config.keyring)
        return 0;
    self->zap = zmq_socket (context, ZMQ_REP);
    //  libzmq lets everybody in as long as this socket is not there: so it comes
    //  before the first peer, and goes after the last
    return !self->zap || zmq_setsockopt (self->zap, ZMQ_LINGER, &none_ms,
                                         sizeof (none_ms))
        || zmq_setsockopt (socket, ZMQ_ZAP_DOMAIN, "mdp", 3)
        || zmq_bind (self->zap, ZAP_ENDPOINT)? -1: 0;
}

door_t *
door_open (void *context, void *socket, const door_config_t *config,
           bool verbose)
{
    assert (context && socket && config);
    door_t *self = calloc (1, sizeof (door_t));
    if (!self)
        return NULL;
    self->config = *config;
    atomic_init (&self->verbose, verbose);
    if (config->keyring)
        self->known = keyring_known (config->keyring);
    if (s_connect (self, context, socket) == 0 && s_measure (self) == 0) {
        self->meter = meter_new (self->highest);
        if (self->meter)
            self->thread = zmq_threadstart (s_run, self);
    }
    if (self->thread)
        return self;
    int reason = errno;
    if (self->monitor)
        zmq_close (self->monitor);
    if (self->bell)
        zmq_close (self->bell);
    if (self->zap)
        zmq_close (self->zap);
    meter_destroy (&self->meter);
    free (self);
    errno = reason;
    return NULL;
}

bool
door_stuffed (door_t *self)
{
    return atomic_load_explicit (&self->stuffed, memory_order_relaxed)
        && atomic_exchange (&self->stuffed, false);
}

const void *
door_bell (const door_t *self)
{
    return self->bell_address;
}

size_t
door_connections (const door_t *self)
{
    return self->connections;
}

int
door_highest (const door_t *self)
{
    return self->highest;
}

meter_t *
door_meter (const door_t *self)
{
    return self->meter;
}

void
door_set_verbose (door_t *self, bool verbose)
{
    atomic_store (&self->verbose, verbose);
}

void
door_close (door_t **self_p)
{
    assert (self_p);
    door_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zmq_threadclose (self->thread);
    meter_destroy (&self->meter);
    free (self);
}
