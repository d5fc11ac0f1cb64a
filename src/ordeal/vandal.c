/*  =========================================================================
    vandal - a hostile peer over TCP, which knows ZMTP and does not keep to it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "siege.h"

//  Connections at a time, and bytes that one sends at most.
#define LINES 64
#define SPEECH_MAX 65536

typedef struct {
    int fd;                     //  -1 while it is closed
    unsigned char speech [SPEECH_MAX];
    size_t size, said;
} line_t;

static void
s_add (line_t *self, const void *data, size_t size)
{
    if (size > SPEECH_MAX - self->size)
        size = SPEECH_MAX - self->size;
    memcpy (self->speech + self->size, data, size);
    self->size += size;
}

static void
s_add_noise (foe_t *foe, line_t *self, size_t size)
{
    while (size-- > 0) {
        unsigned char byte = (unsigned char) foe_chance (foe, 256);
        s_add (self, &byte, 1);
    }
}

//  23/ZMTP: greeting, with the mechanism NULL, and READY
static void
s_add_handshake (line_t *self)
{
    unsigned char greeting [64] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0,
                                    'N', 'U', 'L', 'L' };
    static const char ready [] =
        "\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06" "DEALER"
        "\x08Identity\0\0\0\0";
    s_add (self, greeting, sizeof greeting);
    s_add (self, ready, sizeof ready - 1);
}

//  A frame of ZMTP that says more about its length than is true
static void
s_add_frame (foe_t *foe, line_t *self)
{
    unsigned char flags = (unsigned char) foe_chance (foe, 8);
    uint64_t length = foe_chance (foe, UINT64_MAX) >> foe_chance (foe, 64);
    s_add (self, &flags, 1);
    if (flags & 2)
        for (int shift = 56; shift >= 0; shift -= 8) {
            unsigned char byte = (unsigned char) (length >> shift);
            s_add (self, &byte, 1);
        }
    else {
        unsigned char byte = (unsigned char) length;
        s_add (self, &byte, 1);
    }
    s_add_noise (foe, self, foe_chance (foe, 200));
}

//  A message whose end never comes
static void
s_add_endless (foe_t *foe, line_t *self)
{
    static const char start [] = "\1\0\1\6MDPC01\1\5raid0";
    s_add (self, start, sizeof start - 1);
    size_t count = foe_chance (foe, 5000);
    while (count-- > 0) {
        unsigned char frame [2] = { 1, (unsigned char) foe_chance (foe, 10) };
        s_add (self, frame, 2);
        s_add_noise (foe, self, frame [1]);
    }
}

//  A worker that registers, and then talks as it likes
static void
s_add_worker (foe_t *foe, line_t *self)
{
    static const char ready [] = "\1\0\1\6MDPW01\1\1\1\0\5raid1";
    s_add (self, ready, sizeof ready - 1);
    for (size_t count = foe_chance (foe, 20); count; count--)
        s_add_frame (foe, self);
}

static void
s_compose (foe_t *foe, line_t *self)
{
    self->size = self->said = 0;
    switch (foe_chance (foe, 8)) {
        case 0:                 //  Nothing at all
            break;
        case 1:
            s_add_noise (foe, self, foe_chance (foe, 2000));
            break;
        case 2:                 //  Half a handshake
            s_add_handshake (self);
            self->size = foe_chance (foe, self->size);
            break;
        case 3:                 //  A handshake with a mistake
            s_add_handshake (self);
            self->speech [foe_chance (foe, self->size)]
                = (unsigned char) foe_chance (foe, 256);
            s_add_noise (foe, self, foe_chance (foe, 100));
            break;
        case 4:
            s_add_handshake (self);
            s_add_endless (foe, self);
            break;
        case 5:
            s_add_handshake (self);
            s_add_worker (foe, self);
            break;
        default:
            s_add_handshake (self);
            for (size_t count = foe_chance (foe, 30); count; count--)
                s_add_frame (foe, self);
    }
}

static void
s_open (foe_t *foe, line_t *self)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons ((uint16_t) foe->port) };
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    self->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0)
        return;
    if (connect (self->fd, (struct sockaddr *) &address, sizeof address)
    &&  errno != EINPROGRESS) {
        close (self->fd);
        self->fd = -1;
        return;
    }
    s_compose (foe, self);
}

//  Leave, politely or not
static void
s_leave (foe_t *foe, line_t *self)
{
    struct linger reset = { .l_onoff = 1 };
    if (foe_chance (foe, 2))
        setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close (self->fd);
    self->fd = -1;
}

static void
s_turn (foe_t *foe, line_t *self)
{
    if (self->fd < 0) {
        s_open (foe, self);
        return;
    }
    //  Some in one go, some byte by byte
    size_t most = foe_chance (foe, 4)? 1 + foe_chance (foe, 5000): 1;
    if (most > self->size - self->said)
        most = self->size - self->said;
    ssize_t sent = most? send (self->fd, self->speech + self->said, most,
                               MSG_NOSIGNAL): 0;
    if (sent > 0)
        self->said += (size_t) sent;
    bool broken = sent < 0 && errno != EAGAIN && errno != ENOTCONN;
    bool silent = self->said == self->size;
    if (broken || foe_chance (foe, silent? 20: 200) == 0)
        s_leave (foe, self);
}

void
vandal_run (foe_t *foe)
{
    line_t *lines = (line_t *) calloc (LINES, sizeof (line_t));
    if (!lines)
        _exit (EXIT_FAILURE);
    for (size_t nbr = 0; nbr < LINES; nbr++)
        lines [nbr].fd = -1;
    while (!*foe->over) {
        s_turn (foe, &lines [foe_chance (foe, LINES)]);
        //  A bystander's processor is no part of the trial
        usleep (50);
    }
}
