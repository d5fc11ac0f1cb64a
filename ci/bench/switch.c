/*  =========================================================================
    switch - the smallest possible Majordomo switch, to measure brokers against

    One ROUTER on raw libzmq. It hands one request to each idle worker and does
    nothing else: one service, no expiry, no heartbeats, no checks. What a
    broker costs beyond this is what it costs for being a broker.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <zmq.h>

#define FRAMES 6

//  A message as it came: address, "", header and so on
typedef struct {
    zmq_msg_t frames [FRAMES];
    int count;
} envelope_t;

//  A queue that grows: idle workers' addresses, or requests that wait
typedef struct {
    envelope_t *items;
    size_t head, count, capacity;
} queue_t;

static void
s_put (queue_t *self, const envelope_t *item)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity? self->capacity * 2: 1024;
        envelope_t *items = malloc (capacity * sizeof (envelope_t));
        if (!items)
            abort ();
        for (size_t nbr = 0; nbr < self->count; nbr++)
            items [nbr] = self->items [(self->head + nbr) % self->capacity];
        free (self->items);
        self->items = items;
        self->head = 0;
        self->capacity = capacity;
    }
    self->items [(self->head + self->count++) % self->capacity] = *item;
}

static envelope_t *
s_take (queue_t *self)
{
    envelope_t *item = &self->items [self->head];
    self->head = (self->head + 1) % self->capacity;
    self->count--;
    return item;
}

static void
s_send (void *router, zmq_msg_t *frame, int more)
{
    if (zmq_msg_send (frame, router, more? ZMQ_SNDMORE: 0) < 0)
        zmq_msg_close (frame);
}

static void
s_send_text (void *router, const char *text, size_t size)
{
    zmq_send (router, text, size, ZMQ_SNDMORE);
}

//  Address, "", MDPC01, service, body to: worker, "", MDPW01, 2, address, "", body
static void
s_hand_on (void *router, envelope_t *worker, envelope_t *request)
{
    s_send (router, &worker->frames [0], 1);
    s_send_text (router, "", 0);
    s_send_text (router, "MDPW01", 6);
    s_send_text (router, "\2", 1);
    s_send (router, &request->frames [0], 1);
    s_send_text (router, "", 0);
    s_send (router, &request->frames [4], 0);
}

int
main (int argc, char *argv [])
{
    if (argc != 2) {
        fprintf (stderr, "usage: %s ENDPOINT\n", argv [0]);
        return 2;
    }
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
    void *context = zmq_ctx_new ();
    void *router = zmq_socket (context, ZMQ_ROUTER);
    int zero = 0;
    zmq_setsockopt (router, ZMQ_SNDHWM, &zero, sizeof zero);
    zmq_setsockopt (router, ZMQ_RCVHWM, &zero, sizeof zero);
    int backlog = 4096;
    zmq_setsockopt (router, ZMQ_BACKLOG, &backlog, sizeof backlog);
    if (zmq_bind (router, argv [1])) {
        fprintf (stderr, "%s: cannot bind %s: %s\n", argv [0], argv [1],
                 zmq_strerror (zmq_errno ()));
        return 1;
    }
    queue_t idle = { 0 }, waiting = { 0 };
    for (;;) {
        envelope_t envelope = { .count = 0 };
        zmq_msg_t rest;
        int more = 1;
        while (more) {
            zmq_msg_t *frame = envelope.count < FRAMES
                ? &envelope.frames [envelope.count]: &rest;
            zmq_msg_init (frame);
            if (zmq_msg_recv (frame, router, 0) < 0)
                return 1;
            more = zmq_msg_more (frame);
            envelope.count++;
            //  A worker's reply: worker, "", MDPW01, 3, client, "", body
            if (envelope.count == FRAMES + 1) {
                s_send (router, &envelope.frames [4], 1);
                s_send_text (router, "", 0);
                s_send_text (router, "MDPC01", 6);
                s_send_text (router, "bench", 5);
                s_send (router, frame, 0);
            }
        }
        if (memcmp (zmq_msg_data (&envelope.frames [2]), "MDPW01", 6) == 0)
            s_put (&idle, &envelope);
        else
            s_put (&waiting, &envelope);
        while (idle.count && waiting.count) {
            envelope_t *worker = s_take (&idle);
            s_hand_on (router, worker, s_take (&waiting));
        }
    }
}
