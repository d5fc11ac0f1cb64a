/*  =========================================================================
    raider - a hostile peer over ZeroMQ

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "siege.h"

//  Sockets at a time.
#define SEATS 32

typedef struct {
    void *socket;               //  NULL while it is closed
    bool deaf;                  //  Never reads what comes
} seat_t;

typedef struct {
    foe_t *foe;
    forge_t *forge;
    void *context;
    seat_t seats [SEATS];
} raider_t;

static void
s_set (void *socket, int option, int value)
{
    zmq_setsockopt (socket, option, &value, sizeof value);
}

static void
s_open (raider_t *self, seat_t *seat)
{
    //  Whatever connects to a ROUTER, and what does not
    static const int types [] = {
        ZMQ_DEALER, ZMQ_DEALER, ZMQ_DEALER, ZMQ_DEALER, ZMQ_DEALER, ZMQ_DEALER,
        ZMQ_ROUTER, ZMQ_PUSH
    };
    int type = types [foe_chance (self->foe, sizeof types / sizeof *types)];
    seat->socket = zmq_socket (self->context, type);
    if (!seat->socket)
        return;
    seat->deaf = foe_chance (self->foe, 4) == 0;
    s_set (seat->socket, ZMQ_LINGER, 0);
    s_set (seat->socket, ZMQ_SNDHWM, 100);
    if (seat->deaf) {
        s_set (seat->socket, ZMQ_RCVHWM, 1);
        s_set (seat->socket, ZMQ_RCVBUF, 1024);
    }
    //  An address of its own, or one that others have too
    if (foe_chance (self->foe, 4) == 0) {
        char address [32];
        uint64_t number = foe_chance (self->foe, foe_chance (self->foe, 2)? 8
                                                                : UINT64_MAX);
        int size = snprintf (address, sizeof address, "raider%llx",
                             (unsigned long long) number);
        zmq_setsockopt (seat->socket, ZMQ_ROUTING_ID, address, (size_t) size);
    }
    zmq_connect (seat->socket, self->foe->endpoint);
}

//  Whether it could be sent, the whole of it
static bool
s_say (raider_t *self, seat_t *seat)
{
    words_t words = forge_words (self->forge);
    bool sent = true;
    for (size_t nbr = 0; sent && nbr < words.count; nbr++)
        sent = zmq_send (seat->socket, words.frames [nbr].data,
                         words.frames [nbr].size, ZMQ_DONTWAIT
                         | (nbr + 1 < words.count? ZMQ_SNDMORE: 0)) >= 0;
    words_clear (&words);
    return sent;
}

static void
s_hear (raider_t *self, seat_t *seat)
{
    for (int count = 0; count < 50; count++) {
        words_t words = { 0 };
        int more = 1;
        while (more) {
            zmq_msg_t part;
            zmq_msg_init (&part);
            if (zmq_msg_recv (&part, seat->socket, ZMQ_DONTWAIT) < 0) {
                words_clear (&words);
                return;
            }
            words_add (&words, zmq_msg_data (&part), zmq_msg_size (&part));
            more = zmq_msg_more (&part);
            zmq_msg_close (&part);
        }
        forge_learn (self->forge, &words);
        words_clear (&words);
    }
}

//  One socket's turn; whether something was sent
static bool
s_turn (raider_t *self, seat_t *seat)
{
    if (!seat->socket)
        s_open (self, seat);
    if (!seat->socket)
        return false;
    bool sent = false;
    for (size_t burst = foe_chance (self->foe, 32) + 1; burst; burst--)
        if (s_say (self, seat))
            sent = true;
        else
            break;
    if (!seat->deaf)
        s_hear (self, seat);
    if (foe_chance (self->foe, 100) == 0) {
        zmq_close (seat->socket);
        seat->socket = NULL;
    }
    return sent;
}

void
raider_run (foe_t *foe)
{
    raider_t self = { .foe = foe, .context = zmq_ctx_new () };
    self.forge = forge_new (foe);
    if (!self.context || !self.forge)
        _exit (EXIT_FAILURE);
    for (size_t vain = 0; !*foe->over; ) {
        if (s_turn (&self, &self.seats [foe_chance (foe, SEATS)]))
            vain = 0;
        else
        if (++vain > SEATS) {
            //  The broker reads as fast as it can: leave it the processor
            usleep (500);
            vain = 0;
        }
    }
}
