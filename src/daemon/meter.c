/*  =========================================================================
    meter - what has come on each connection and is no message yet

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "meter.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

//  Of TCP, with the number of bytes that have come
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

//  TCP_ESTABLISHED of netinet/tcp.h, which goes with a shorter tcp_info
#define STATE_ESTABLISHED 1

//  Connections that one sweep looks at: so many, or this part of all, so that it comes to
//  each in a second or two
#define SWEEP_LEAST 500
#define SWEEP_PART 8

//  The part of what may come that makes it worth a look
#define WATCHED_PART 16

//  Looks in a row at a connection that has ended: by the last one ZeroMQ has closed it,
//  if it reads from it at all
#define ENDED_LOOKS 25

//  Turns of the reader after which it had everything that had come before: one may
//  be half over
#define TURNS 2

typedef enum {
    CONNECTION_NONE,            //  No connection has this file descriptor
    CONNECTION_OPEN,            //  Nothing is to be said about it
    CONNECTION_WATCHED,         //  Much has come: is there a message in it?
    CONNECTION_FULL             //  Too much has come since then
} connection_state_t;

typedef struct {
    connection_state_t state;
    atomic_bool read;           //  A message was read, since it is watched
    uint64_t bytes;             //  WATCHED: that had come when that began; OPEN:
                                //  when a message was last seen
    unsigned turn;              //  FULL: of the reader, when that was found
    unsigned ended;             //  Looks at it since it has ended and anything was
                                //  taken from it
    uint64_t taken;             //  Bytes, at the last look
} connection_t;

struct _meter_t {
    connection_t *connections;  //  By file descriptor
    int highest;                //  The last one's
    int top;                    //  The last one that there has been
    int next;                   //  Where the next sweep goes on
    int seen, looks;            //  In this sweep: places, and connections
    size_t full;                //  Connections that are FULL
    size_t dead;                //  Those that have ended ENDED_LOOKS ago
    atomic_size_t open;         //  Connections
    atomic_size_t watched;      //  Those WATCHED or FULL
    size_t messages;            //  Reader's: read in this turn
    atomic_uint turn;           //  Reader's: when it comes to the next, it has
                                //  had a look at each connection
};

meter_t *
meter_new (int highest)
{
    assert (highest >= 0);
    meter_t *self = calloc (1, sizeof (meter_t));
    if (self)
        self->connections = calloc ((size_t) highest + 1,
                                    sizeof (connection_t));
    if (!self || !self->connections) {
        free (self);
        return NULL;
    }
    self->highest = highest;
    return self;
}

void
meter_destroy (meter_t **self_p)
{
    assert (self_p);
    meter_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    free (self->connections);
    free (self);
}

//  All changes of state go through here, so that the numbers are right.
static void
s_become (meter_t *self, connection_t *connection, connection_state_t state)
{
    bool was_watched = connection->state >= CONNECTION_WATCHED;
    bool is_watched = state >= CONNECTION_WATCHED;
    if (is_watched && !was_watched)
        atomic_fetch_add (&self->watched, 1);
    if (was_watched && !is_watched)
        atomic_fetch_sub (&self->watched, 1);
    if (connection->state == CONNECTION_NONE && state != CONNECTION_NONE)
        atomic_fetch_add (&self->open, 1);
    if (connection->state != CONNECTION_NONE && state == CONNECTION_NONE)
        atomic_fetch_sub (&self->open, 1);
    if (state == CONNECTION_NONE) {
        self->dead -= connection->ended >= ENDED_LOOKS;
        connection->ended = 0;
    }
    self->full -= connection->state == CONNECTION_FULL;
    self->full += state == CONNECTION_FULL;
    connection->state = state;
}

void
meter_open (meter_t *self, int handle)
{
    if (handle < 0 || handle > self->highest)
        return;
    if (handle > self->top)
        self->top = handle;
    connection_t *connection = &self->connections [handle];
    s_become (self, connection, CONNECTION_NONE);   //  Another one had it before
    s_become (self, connection, CONNECTION_OPEN);
    connection->bytes = 0;
}

//  Bytes that ZeroMQ has taken from a connection, and whether it has ended. false when
//  it is gone, or not one of TCP.
static bool
s_measure (int handle, uint64_t *bytes, bool *ended)
{
    struct tcp_info info;
    socklen_t size = sizeof (info);
    int unread;
    if (getsockopt (handle, IPPROTO_TCP, TCP_INFO, &info, &size)
    ||  size < offsetof (struct tcp_info, tcpi_bytes_received)
             + sizeof (info.tcpi_bytes_received)
    ||  ioctl (handle, FIONREAD, &unread))
        return false;
    *bytes = info.tcpi_bytes_received > (uint64_t) unread?
        info.tcpi_bytes_received - (uint64_t) unread: 0;
    *ended = info.tcpi_state != STATE_ESTABLISHED;
    return true;
}

//  Look at one connection. Whether it is to be closed.
static bool
s_look (meter_t *self, int handle, size_t most_bytes)
{
    connection_t *connection = &self->connections [handle];
    uint64_t bytes;
    bool ended;
    //  A message that is read from here on tells of bytes that are counted below
    if (connection->state == CONNECTION_OPEN)
        atomic_store (&connection->read, false);
    if (!s_measure (handle, &bytes, &ended)) {
        s_become (self, connection, CONNECTION_NONE);
        return false;
    }
    if (!ended || bytes != connection->taken) {
        self->dead -= connection->ended >= ENDED_LOOKS;
        connection->ended = 0;
    }
    else
    if (connection->ended < ENDED_LOOKS)
        self->dead += ++connection->ended == ENDED_LOOKS;
    connection->taken = bytes;
    if (connection->state >= CONNECTION_WATCHED
    &&  atomic_load (&connection->read)) {
        s_become (self, connection, CONNECTION_OPEN);
        connection->bytes = bytes;
    }
    uint64_t more = bytes > connection->bytes? bytes - connection->bytes: 0;
    switch (connection->state) {
        case CONNECTION_OPEN:
            //  What came before it is watched may have been messages
            if (more > most_bytes / WATCHED_PART) {
                s_become (self, connection, CONNECTION_WATCHED);
                connection->bytes = bytes;
            }
            return false;
        case CONNECTION_WATCHED:
            //  A message that has come may wait to be read
            if (more > most_bytes) {
                s_become (self, connection, CONNECTION_FULL);
                connection->turn = atomic_load (&self->turn);
            }
            return false;
        case CONNECTION_FULL:
            //  Another connection may have the number by now
            if (more <= most_bytes) {
                s_become (self, connection, CONNECTION_OPEN);
                connection->bytes = bytes;
                return false;
            }
            if (atomic_load (&self->turn) - connection->turn < TURNS)
                return false;
            s_become (self, connection, CONNECTION_NONE);
            return true;
        case CONNECTION_NONE:
            break;
    }
    return false;
}

int
meter_sweep (meter_t *self, size_t most_bytes)
{
    int most = (int) atomic_load (&self->open) / SWEEP_PART;
    if (most < SWEEP_LEAST)
        most = SWEEP_LEAST;
    while (self->seen <= self->top && self->looks < most) {
        int handle = self->next;
        self->next = handle < self->top? handle + 1: 0;
        self->seen++;
        if (self->connections [handle].state == CONNECTION_NONE)
            continue;
        self->looks++;
        if (s_look (self, handle, most_bytes))
            return handle;
    }
    self->seen = self->looks = 0;
    return -1;
}

size_t
meter_dead (const meter_t *self)
{
    return self->dead;
}

bool
meter_waits (const meter_t *self)
{
    return self->full > 0;
}

bool
meter_watches (const meter_t *self)
{
    return atomic_load_explicit (&self->watched, memory_order_relaxed) > 0;
}

void
meter_read (meter_t *self, int handle)
{
    if (handle >= 0 && handle <= self->highest)
        atomic_store (&self->connections [handle].read, true);
    //  ZeroMQ reads from each connection in turn: so many messages, and each was
    //  looked at. Under load there is always another one to read
    if (++self->messages >= atomic_load (&self->open))
        meter_drained (self);
}

void
meter_drained (meter_t *self)
{
    self->messages = 0;
    atomic_fetch_add (&self->turn, 1);
}
