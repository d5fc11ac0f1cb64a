/*  =========================================================================
    ready - one descriptor for many sockets and a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "ready.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

//  A signal that comes between the look at zsys_interrupted and the poll does
//  not end the poll: it is seen after this time.
#define SLICE_MS 500

struct _ready_t {
    int all_fd;                 //  Epoll over the other two: what users poll
    int sockets_fd;             //  Epoll over the sockets' descriptors
    int timer_fd;               //  Readable when the time has come
    int64_t at_ms;              //  What it is set to
};

static int
s_watch (int epoll_fd, int fd, void *item)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = item };
    return epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

ready_t *
ready_new (void)
{
    ready_t *self = calloc (1, sizeof (ready_t));
    if (!self)
        return NULL;
    self->at_ms = INT64_MAX;
    self->all_fd = epoll_create1 (EPOLL_CLOEXEC);
    self->sockets_fd = epoll_create1 (EPOLL_CLOEXEC);
    self->timer_fd = timerfd_create (CLOCK_MONOTONIC,
                                     TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->all_fd < 0 || self->sockets_fd < 0 || self->timer_fd < 0
    ||  s_watch (self->all_fd, self->sockets_fd, NULL)
    ||  s_watch (self->all_fd, self->timer_fd, NULL)) {
        int reason = errno;
        ready_destroy (&self);
        errno = reason;
    }
    return self;
}

static void
s_close (int fd)
{
    if (fd >= 0)
        close (fd);
}

void
ready_destroy (ready_t **self_p)
{
    assert (self_p);
    ready_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    s_close (self->timer_fd);
    s_close (self->sockets_fd);
    s_close (self->all_fd);
    free (self);
}

int
ready_fd (const ready_t *self)
{
    return self->all_fd;
}

int
ready_add (ready_t *self, zsock_t *socket, void *item)
{
    return s_watch (self->sockets_fd, (int) zsock_fd (socket), item);
}

void
ready_remove (ready_t *self, zsock_t *socket)
{
    epoll_ctl (self->sockets_fd, EPOLL_CTL_DEL, (int) zsock_fd (socket), NULL);
}

void
ready_set_time (ready_t *self, int64_t at_ms)
{
    if (at_ms == self->at_ms)
        return;
    self->at_ms = at_ms;
    struct itimerspec when = { 0 };
    if (at_ms < INT64_MAX) {
        //  All zeros would disarm it: what is past is 1 ns after the start
        at_ms = at_ms < 0? 0: at_ms;
        when.it_value.tv_sec = at_ms / 1000;
        when.it_value.tv_nsec = at_ms % 1000 * 1000000 + (at_ms == 0);
    }
    timerfd_settime (self->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void *
ready_next (ready_t *self)
{
    struct epoll_event event;
    return epoll_wait (self->sockets_fd, &event, 1, 0) == 1?
        event.data.ptr: NULL;
}

bool
ready_wait (ready_t *self)
{
    zmq_pollitem_t item = { .fd = self->all_fd, .events = ZMQ_POLLIN };
    while (!zsys_interrupted)
        if (zmq_poll (&item, 1, SLICE_MS) > 0)
            return true;
    return false;
}
