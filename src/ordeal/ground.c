/*  =========================================================================
    ground - what ordeal and siege stand on: sockets, chance, clock, directory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../engine/conversation.h"
#include "ordeal.h"

int64_t
ordeal_clock_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

//  xorshift64: the state is never 0
uint64_t
ordeal_chance (ordeal_t *self, uint64_t count)
{
    self->chance ^= self->chance << 13;
    self->chance ^= self->chance >> 7;
    self->chance ^= self->chance << 17;
    return self->chance % count;
}

void
ordeal_fail (ordeal_t *self, const char *format, ...)
{
    self->failed = true;
    printf ("FAILED  ");
    va_list arguments;
    va_start (arguments, format);
    vprintf (format, arguments);
    va_end (arguments);
    putchar ('\n');
}

void
ordeal_close (ordeal_t *self, channel_t *channel)
{
    if (!*channel)
        return;
    channels_mute (self->channels, *channel);
    if (self->leaving_count < sizeof self->leaving / sizeof *self->leaving)
        self->leaving [self->leaving_count++] = *channel;
    *channel = 0;
}

void
ordeal_reopen (ordeal_t *self, channel_t slot, channel_t *channel)
{
    static channel_t serial;
    ordeal_close (self, channel);
    *channel = ++serial * CHANNEL_SLOTS + slot;
    if (channels_connect (self->channels, *channel, self->endpoint))
        ordeal_fail (self, "cannot connect to %s: %s", self->endpoint,
                     strerror (errno));
}

void
ordeal_send (ordeal_t *self, channel_t channel, message_t *message)
{
    if (message)
        channels_send (self->channels, channel, message);
    message_destroy (&message);
}

static unsigned
s_free_port (void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address)
    ||  getsockname (fd, (struct sockaddr *) &address, &size))
        address.sin_port = 0;
    if (fd >= 0)
        close (fd);
    return ntohs (address.sin_port);
}

unsigned
ordeal_ground (const char *name, char *directory)
{
    unsigned port = s_free_port ();
    if (mkdtemp (directory) && port)
        return port;
    fprintf (stderr, "%s: cannot start: no directory in /tmp, or no port of "
             "127.0.0.1, is to be had: %s; free some\n", name, strerror (errno));
    return 0;
}

static void
s_clean_up (const char *directory)
{
    static const char *const names [] = {
        "log", "store", "store-wal", "store-shm", "store.lock"
    };
    char path [300];
    for (size_t nbr = 0; nbr < sizeof names / sizeof *names; nbr++) {
        snprintf (path, sizeof path, "%s/%s", directory, names [nbr]);
        unlink (path);
    }
    rmdir (directory);
}

int
ordeal_verdict (const char *directory, unsigned long long seed, bool failed,
                bool interrupted)
{
    if (failed)
        printf ("seed %llu; what the servers said, and their store, are in "
                "%s\n", seed, directory);
    else
        s_clean_up (directory);
    if (interrupted)
        return 130;
    if (!failed)
        printf ("all well\n");
    return failed? EXIT_FAILURE: EXIT_SUCCESS;
}

int
ordeal_interrupts (void)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    sigprocmask (SIG_BLOCK, &signals, NULL);
    return signalfd (-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}
