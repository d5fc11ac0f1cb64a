/*  =========================================================================
    ignorant - four servers that know nothing: they may pass nothing

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "wreck.h"

//  The broker's four are called crash, hang, silent and echo; Titanic's have
//  "titanic-" in front, and a healthy broker beside them
static const char *
s_kind (const char *side, const char *name)
{
    if (strcmp (side, "broker") == 0)
        return name;
    return strncmp (name, "titanic-", 8) == 0? name + 8: "";
}

static zsock_t *
s_open (const char *side, const char *endpoint)
{
    bool broker = strcmp (side, "broker") == 0;
    zsock_t *socket = zsock_new (broker? ZMQ_ROUTER: ZMQ_DEALER);
    int rc = broker? zsock_bind (socket, "%s", endpoint)
                   : zsock_connect (socket, "%s", endpoint);
    if (rc < 0)
        exit (1);
    return socket;
}

void
ignorant_run (const char *side, const char *name, const char *endpoint)
{
    const char *kind = s_kind (side, name);
    bool echo = strcmp (kind, "echo") == 0;
    if (strcmp (kind, "crash") == 0) {
        zsock_t *socket = s_open (side, endpoint);
        if (strcmp (side, "broker") == 0) {
            zmsg_t *message = zmsg_recv (socket);
            zmsg_destroy (&message);
        }
        abort ();
    }
    if (strcmp (kind, "hang") == 0) {
        s_open (side, endpoint);
        while (true)
            pause ();
    }
    if (!echo && strcmp (kind, "silent"))
        return;
    zsock_t *socket = s_open (side, endpoint);
    while (true) {
        zmsg_t *message = zmsg_recv (socket);
        if (!message)
            exit (0);
        if (echo)
            zmsg_send (&message, socket);
        zmsg_destroy (&message);
    }
}
