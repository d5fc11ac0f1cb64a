/*  =========================================================================
    supervisor - tells systemd, or whoever has started us, how we are

    libsystemd has the same, but nothing else that we want, and asks for a check in
    configure, a package and two ways to build; these few lines do for all.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "supervisor.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

//  A supervisor that does not listen is no reason to stop: errors do not matter.
static void
s_tell (const char *text)
{
    const char *path = getenv ("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || strlen (path) < 2 || strlen (path) >= sizeof (address.sun_path))
        return;
    strcpy (address.sun_path, path);
    size_t size = offsetof (struct sockaddr_un, sun_path) + strlen (path);
    if (*path == '@')           //  An abstract name
        address.sun_path [0] = 0;
    int handle = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0)
        return;
    //  A reader that is slow would hold up all our peers
    sendto (handle, text, strlen (text), MSG_NOSIGNAL | MSG_DONTWAIT,
            (struct sockaddr *) &address, (socklen_t) size);
    close (handle);
}

void
supervisor_ready (void)
{
    s_tell ("READY=1");
}

void
supervisor_reloading (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    char text [64];
    snprintf (text, sizeof (text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
              (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
    s_tell (text);
}

void
supervisor_stopping (void)
{
    s_tell ("STOPPING=1");
}

void
supervisor_alive (void)
{
    s_tell ("WATCHDOG=1");
}

int64_t
supervisor_watchdog_ms (void)
{
    const char *text = getenv ("WATCHDOG_USEC");
    const char *pid = getenv ("WATCHDOG_PID");
    if (!text || (pid && atoll (pid) != (long long) getpid ()))
        return INT64_MAX;
    int64_t ms = (int64_t) (strtoull (text, NULL, 10) / 2000);
    return ms > 0? ms: INT64_MAX;
}
