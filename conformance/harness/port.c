/*  =========================================================================
    port - whether a target can have the port that its profile names

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <czmq.h>

#include "port.h"

//  What is no such endpoint has no port; the target will say what it thinks
static bool
s_parse (const char *endpoint, struct sockaddr_in *address)
{
    char host [64];
    unsigned port;
    if (sscanf (endpoint, "tcp://%63[^:]:%u", host, &port) != 2
    ||  port == 0 || port > 65535)
        return false;
    *address = (struct sockaddr_in) { .sin_family = AF_INET,
                                      .sin_port = htons ((uint16_t) port) };
    const char *number = streq (host, "*")? "0.0.0.0"
        : streq (host, "localhost")? "127.0.0.1": host;
    return inet_pton (AF_INET, number, &address->sin_addr) == 1;
}

static bool
s_is_taken (const struct sockaddr_in *address)
{
    int handle = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    //  Connections of the scenario before, that linger, do not count
    setsockopt (handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool taken = bind (handle, (const struct sockaddr *) address,
                       sizeof *address) && errno == EADDRINUSE;
    close (handle);
    return taken;
}

char *
port_obstacle (const profile_t *profile)
{
    const char *endpoints [] = { profile->endpoint, profile->worker_endpoint };
    for (int index = 0; index < 2 && !profile->attached; index++) {
        struct sockaddr_in address;
        if (endpoints [index] && s_parse (endpoints [index], &address)
        &&  s_is_taken (&address))
            return zsys_sprintf ("port %u is in use: something else listens on %s; "
                "end it, or name another endpoint in the profile",
                ntohs (address.sin_port), endpoints [index]);
    }
    return NULL;
}
