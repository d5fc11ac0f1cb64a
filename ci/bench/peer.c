/*  =========================================================================
    peer - one of thousands of cheap ZeroMQ peers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "peer.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING_SIZE 64
#define EVENTS_MAX 256

//  23/ZMTP, Framing
#define FLAG_MORE 1
#define FLAG_LONG 2
#define FLAG_COMMAND 4

static void
s_die (const char *what)
{
    fprintf (stderr, "load: cannot %s: %s\n", what, strerror (errno));
    exit (3);
}

static void
s_append (peer_t *self, const void *data, size_t size)
{
    if (self->out_size + size > self->out_room) {
        self->out_room = (self->out_size + size) * 2;
        self->out = realloc (self->out, self->out_room);
        if (!self->out)
            s_die ("grow a buffer");
    }
    memcpy (self->out + self->out_size, data, size);
    self->out_size += size;
}

static void
s_greet (peer_t *self)
{
    static const unsigned char ready [] =
        "\x04\x29\x05READY"
        "\x0bSocket-Type\0\0\0\x06" "DEALER"
        "\x08Identity\0\0\0\0";
    unsigned char greeting [GREETING_SIZE] = { 0xff };
    greeting [9] = 0x7f;
    greeting [10] = 3;
    memcpy (greeting + 12, "NULL", 4);
    s_append (self, greeting, sizeof greeting);
    s_append (self, ready, 2 + ready [1]);
}

void
peer_connect (peer_t *self, const struct sockaddr_in *address, int epoll)
{
    self->epoll = epoll;
    self->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0)
        s_die ("make a socket");
    int one = 1;
    setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect (self->fd, (const struct sockaddr *) address, sizeof *address)
    &&  errno != EINPROGRESS)
        s_die ("connect");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };
    self->blocked = true;
    event.events |= EPOLLOUT;
    if (epoll_ctl (epoll, EPOLL_CTL_ADD, self->fd, &event))
        s_die ("watch a socket");
    s_greet (self);
}

static void
s_watch (peer_t *self, bool blocked)
{
    if (self->blocked == blocked)
        return;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };
    if (blocked)
        event.events |= EPOLLOUT;
    if (epoll_ctl (self->epoll, EPOLL_CTL_MOD, self->fd, &event))
        s_die ("watch a socket");
    self->blocked = blocked;
}

//  Whose messages are being read
static const peer_t *s_current;

void
peer_flush (peer_t *self)
{
    if (self == s_current)
        return;
    size_t sent = 0;
    while (sent < self->out_size) {
        ssize_t size = send (self->fd, self->out + sent, self->out_size - sent,
                             MSG_NOSIGNAL);
        if (size < 0)
            break;
        sent += (size_t) size;
    }
    if (sent)
        memmove (self->out, self->out + sent, self->out_size - sent);
    self->out_size -= sent;
    s_watch (self, self->out_size > 0);
}

void
peer_frame (peer_t *self, const void *data, size_t size, bool more)
{
    unsigned char head [9] = { more? FLAG_MORE: 0 };
    if (size < 256) {
        head [1] = (unsigned char) size;
        s_append (self, head, 2);
    }
    else {
        head [0] |= FLAG_LONG;
        for (int nbr = 0; nbr < 8; nbr++)
            head [1 + nbr] = (unsigned char) ((uint64_t) size >> (56 - 8 * nbr));
        s_append (self, head, 9);
    }
    s_append (self, data, size);
}

//  The frame at *place, or false when it is not all there yet
static bool
s_frame (const peer_t *self, size_t *place, bytes_t *frame, int *flags)
{
    const unsigned char *data = self->in + *place;
    size_t left = self->in_size - *place;
    if (left < 2)
        return false;
    *flags = data [0];
    size_t head = *flags & FLAG_LONG? 9: 2;
    if (left < head)
        return false;
    uint64_t size = 0;
    for (size_t nbr = 1; nbr < head; nbr++)
        size = size << 8 | data [nbr];
    if (left - head < size)
        return false;
    *frame = (bytes_t) { data + head, (size_t) size };
    *place += head + (size_t) size;
    return true;
}

//  Take all messages that are whole
static void
s_messages (peer_t *self, peer_message_fn *message)
{
    size_t place = 0, done = 0, count = 0;
    bytes_t frames [PEER_FRAMES_MAX];
    if (!self->open) {
        if (self->in_size < GREETING_SIZE)
            return;
        place = GREETING_SIZE;
    }
    for (;;) {
        int flags;
        bytes_t frame;
        if (!s_frame (self, &place, &frame, &flags))
            break;
        if (flags & FLAG_COMMAND) {
            if (!self->open) {
                self->open = true;
                message (self, NULL, 0);
            }
            done = place;
            continue;
        }
        if (count < PEER_FRAMES_MAX)
            frames [count++] = frame;
        if (!(flags & FLAG_MORE)) {
            message (self, frames, count);
            count = 0;
            done = place;
        }
    }
    if (done) {
        memmove (self->in, self->in + done, self->in_size - done);
        self->in_size -= done;
    }
}

//  Say the rest of the greeting, or take what has come
static bool
s_ready (peer_t *self, peer_message_fn *message)
{
    s_current = self;
    for (;;) {
        if (self->in_room - self->in_size < 4096) {
            self->in_room = self->in_room * 2 + 4096;
            self->in = realloc (self->in, self->in_room);
            if (!self->in)
                s_die ("grow a buffer");
        }
        size_t room = self->in_room - self->in_size;
        ssize_t size = recv (self->fd, self->in + self->in_size, room, 0);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR
                                   && errno != ENOTCONN))
            return false;
        if (size < 0)
            break;
        self->in_size += (size_t) size;
        s_messages (self, message);
        if ((size_t) size < room)
            break;
    }
    s_current = NULL;
    if (self->out_size)
        peer_flush (self);
    return true;
}

bool
peer_wait (int epoll, int timeout_ms, peer_message_fn *message)
{
    struct epoll_event events [EVENTS_MAX];
    int count = epoll_wait (epoll, events, EVENTS_MAX, timeout_ms);
    for (int nbr = 0; nbr < count; nbr++)
        if (!s_ready (events [nbr].data.ptr, message))
            return false;
    return true;
}

void
peer_close (peer_t *self)
{
    close (self->fd);
    free (self->in);
    free (self->out);
}
