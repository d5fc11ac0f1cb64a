/*  =========================================================================
    peer_zmq - peers as users have them: a DEALER of libzmq each

    All in one context with one I/O thread, and one epoll set over the
    descriptors of the sockets. libzmq signals such a descriptor once, and any
    call may take the signal (zmq_getsockopt(3), ZMQ_FD): so a socket that was
    used is looked at again before the next wait.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <zmq.h>

#define EVENTS_MAX 256

static void *s_context;
static peer_t *s_again;         //  To be looked at before the next wait

static void
s_die (const char *what)
{
    fprintf (stderr, "load: cannot %s: %s\n", what, zmq_strerror (zmq_errno ()));
    exit (3);
}

static void
s_look_again (peer_t *self)
{
    if (self->again)
        return;
    self->again = true;
    self->next = s_again;
    s_again = self;
}

void
peer_connect (peer_t *self, const struct sockaddr_in *address, int epoll)
{
    if (!s_context) {
        s_context = zmq_ctx_new ();
        if (!s_context)
            s_die ("make a context");
        zmq_ctx_set (s_context, ZMQ_MAX_SOCKETS,
                     zmq_ctx_get (s_context, ZMQ_SOCKET_LIMIT));
    }
    self->socket = zmq_socket (s_context, ZMQ_DEALER);
    char endpoint [64];
    snprintf (endpoint, sizeof endpoint, "tcp://%s:%u",
              inet_ntoa (address->sin_addr), ntohs (address->sin_port));
    int zero = 0;
    size_t size = sizeof self->fd;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };
    if (!self->socket
    ||  zmq_setsockopt (self->socket, ZMQ_SNDHWM, &zero, sizeof zero)
    ||  zmq_setsockopt (self->socket, ZMQ_LINGER, &zero, sizeof zero)
    ||  zmq_connect (self->socket, endpoint)
    ||  zmq_getsockopt (self->socket, ZMQ_FD, &self->fd, &size)
    ||  epoll_ctl (epoll, EPOLL_CTL_ADD, self->fd, &event))
        s_die ("make a socket");
    s_look_again (self);
}

void
peer_frame (peer_t *self, const void *data, size_t size, bool more)
{
    if (zmq_send (self->socket, data, size, more? ZMQ_SNDMORE: 0) < 0)
        s_die ("send");
}

void
peer_flush (peer_t *self)
{
    s_look_again (self);
}

//  Take one message; false if there is none
static bool
s_take (peer_t *self, peer_message_fn *message)
{
    zmq_msg_t held [PEER_FRAMES_MAX], rest;
    bytes_t frames [PEER_FRAMES_MAX];
    size_t count = 0;
    for (bool more = true; more;) {
        zmq_msg_t *frame = count < PEER_FRAMES_MAX? &held [count]: &rest;
        zmq_msg_init (frame);
        if (zmq_msg_recv (frame, self->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (frame);
            if (zmq_errno () != EAGAIN)
                s_die ("receive");
            return false;
        }
        more = zmq_msg_more (frame);
        if (frame == &rest)
            zmq_msg_close (frame);
        else
            frames [count++] = (bytes_t) { zmq_msg_data (frame),
                                           zmq_msg_size (frame) };
    }
    message (self, frames, count);
    for (size_t nbr = 0; nbr < count; nbr++)
        zmq_msg_close (&held [nbr]);
    return true;
}

static void
s_ready (peer_t *self, peer_message_fn *message)
{
    self->again = false;
    if (!self->open) {
        //  What is sent before the connection is there waits in the socket
        self->open = true;
        message (self, NULL, 0);
    }
    while (s_take (self, message))
        ;
}

bool
peer_wait (int epoll, int timeout_ms, peer_message_fn *message)
{
    struct epoll_event events [EVENTS_MAX];
    int count = epoll_wait (epoll, events, EVENTS_MAX, s_again? 0: timeout_ms);
    for (int nbr = 0; nbr < count; nbr++)
        s_look_again (events [nbr].data.ptr);
    peer_t *again = s_again;
    s_again = NULL;
    while (again) {
        peer_t *peer = again;
        again = peer->next;
        s_ready (peer, message);
    }
    return true;
}

void
peer_close (peer_t *self)
{
    if (self->socket)
        zmq_close (self->socket);
}
