/*  =========================================================================
    peer - workers and clients with one fault each, put under what they send and
    receive

    The linker puts this between the tools and wire.c (--wrap), so that
    production code carries no hooks. The environment's WRECK names the fault.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/client/wire.h"
#include "peer.h"

//  Fits the heartbeat of targets/wreck.zpl
#define HEARTBEAT_MS 100
#define ALONE_MS 100

static peer_t s_peer;

//  What the linker calls instead of these, and their true names
zsock_t *__real_wire_connect (const char *endpoint, const curve_t *curve);
int __real_wire_send (zsock_t *socket, const message_t *message);
message_t *__real_wire_receive (zsock_t *socket);
wire_event_t __real_wire_wait (zsock_t *socket, int64_t until_ms);
void __real_zsock_destroy_checked (zsock_t **socket_p, const char *file,
                                   size_t line);

zsock_t *__wrap_wire_connect (const char *endpoint, const curve_t *curve);
int __wrap_wire_send (zsock_t *socket, const message_t *message);
message_t *__wrap_wire_receive (zsock_t *socket);
wire_event_t __wrap_wire_wait (zsock_t *socket, int64_t until_ms);
void __wrap_zsock_destroy_checked (zsock_t **socket_p, const char *file,
                                   size_t line);

static bool
s_has (int flag)
{
    return s_peer.fault && (s_peer.fault->flags & flag);
}

//  SIGCONT tells that it was stopped, and no clock does that for sure on a busy
//  machine.
static void
s_die_resumed (int signal)
{
    (void) signal;
    abort ();
}

void
peer_send (peer_t *self, const message_t *message)
{
    __real_wire_send (self->socket, message);
}

void
peer_exchange (message_t **message_p, size_t index, frame_t *frame)
{
    message_t *message = message_new ();
    for (size_t nbr = 0; nbr < message_size (*message_p); nbr++) {
        if (nbr != index)
            message_add (message, message_frame (*message_p, nbr));
        else
        if (frame)
            message_take (message, &frame);
    }
    message_destroy (message_p);
    *message_p = message;
}

//  --------------------------------------------------------------------------
//  Between the tool and wire.c

zsock_t *
__wrap_wire_connect (const char *endpoint, const curve_t *curve)
{
    if (!s_has (PEER_OVER_REQ) && !s_has (PEER_OWN_ADDRESS))
        return s_peer.socket = __real_wire_connect (endpoint, curve);
    s_peer.socket = zsock_new (s_has (PEER_OVER_REQ)? ZMQ_REQ: ZMQ_DEALER);
    if (s_has (PEER_OWN_ADDRESS))
        zsock_set_identity (s_peer.socket, "mine");
    zsock_set_linger (s_peer.socket, 0);
    zsock_connect (s_peer.socket, "%s", endpoint);
    return s_peer.socket;
}

int
__wrap_wire_send (zsock_t *socket, const message_t *message)
{
    s_peer.socket = socket;
    mdp_command_t command;
    message_t *changed = message_slice (message, 0);
    if (mdp_decode (changed, 0, MDP_AT_BROKER, &command) == MDP_OK) {
        s_peer.version = command.version;
        if (s_peer.fault && s_peer.fault->send)
            s_peer.fault->send (&s_peer, &changed, &command);
        if (command.type == MDP_WORKER_REPLY)
            s_peer.busy = false;
    }
    if (changed)
        __real_wire_send (socket, changed);
    message_destroy (&changed);
    return 0;
}

//  The broker's heartbeat that never came
static message_t *
s_feign (void)
{
    return s_has (PEER_FEIGNS_HEARTBEATS)
        ? mdp_worker_heartbeat (s_peer.version, NULL): NULL;
}

message_t *
__wrap_wire_receive (zsock_t *socket)
{
    mdp_command_t command;
    message_t *message = __real_wire_receive (socket);
    if (!message)
        return s_has (PEER_FEIGNS_HEARTBEATS) && s_peer.number++ % 2 == 0
            ? s_feign (): NULL;
    //  As a worker or as a client: their headers differ
    if (mdp_decode (message, 0, MDP_AT_WORKER, &command)
    &&  mdp_decode (message, 0, MDP_AT_CLIENT, &command))
        memset (&command, 0, sizeof command);
    if (command.type == MDP_WORKER_REQUEST)
        s_peer.busy = true;
    if (s_peer.fault && s_peer.fault->receive)
        s_peer.fault->receive (&s_peer, &message, &command);
    if (s_has (PEER_WAITS_FOR_MORE)) {
        zmq_pollitem_t item = { zsock_resolve (socket), 0, ZMQ_POLLIN, 0 };
        if (zmq_poll (&item, 1, 2 * HEARTBEAT_MS) > 0)
            abort ();
    }
    return message;
}

wire_event_t
__wrap_wire_wait (zsock_t *socket, int64_t until_ms)
{
    int64_t now_ms = zclock_mono ();
    if (s_has (PEER_FEIGNS_HEARTBEATS) && until_ms > now_ms + HEARTBEAT_MS)
        until_ms = now_ms + HEARTBEAT_MS;
    wire_event_t event = __real_wire_wait (socket, until_ms);
    return event == WIRE_TIMEOUT && socket && s_has (PEER_FEIGNS_HEARTBEATS)
        ? WIRE_READABLE: event;
}

//  What czmq.h makes of zsock_destroy
void
__wrap_zsock_destroy_checked (zsock_t **socket_p, const char *file,
                              size_t line)
{
    if (s_has (PEER_KEEPS_SOCKETS))
        *socket_p = NULL;
    else
        __real_zsock_destroy_checked (socket_p, file, line);
}

//  --------------------------------------------------------------------------
//  Which one it is

static const char *
s_endpoint (int argc, char *argv [])
{
    for (int index = 1; index + 1 < argc; index++)
        if (strcmp (argv [index], "--endpoint") == 0)
            return argv [index + 1];
    return "tcp://127.0.0.1:5555";
}

//  Four that know nothing of what they are
static void
s_run_ignorant (const char *kind, const char *endpoint)
{
    if (strcmp (kind, "silent") == 0)
        exit (0);
    if (strcmp (kind, "crash") && strcmp (kind, "hang") && strcmp (kind, "echo"))
        return;
    zsock_t *socket = __real_wire_connect (endpoint, NULL);
    if (strcmp (kind, "crash") == 0)
        abort ();
    if (strcmp (kind, "hang") == 0)
        while (true)
            pause ();
    zstr_send (socket, "hello");
    while (true) {
        zmsg_t *message = zmsg_recv (socket);
        if (!message)
            exit (0);
        zmsg_send (&message, socket);
    }
}

//  Before the tool's own main. The role is the name of the program behind
//  "wreck-", and the fault is ignored if it is not one of this role's.
static void
s_begin (int argc, char *argv []) __attribute__ ((constructor));

static void
s_begin (int argc, char *argv [])
{
    const char *name = getenv ("WRECK");
    const char *role = strrchr (argv [0], '/');
    role = role? role + 1: argv [0];
    role += strncmp (role, "wreck-", 6) == 0? 6: 0;
    if (!name || (!strncmp (role, "lt-", 3)))
        return;
    size_t size = strlen (role);
    if (strncmp (name, role, size) == 0 && name [size] == '-')
        s_run_ignorant (name + size + 1, s_endpoint (argc, argv));
    const peer_fault_t *fault = strcmp (role, "worker") == 0
        ? worker_faults: client_faults;
    while (fault->name && strcmp (fault->name, name))
        fault++;
    if (!fault->name)
        return;
    s_peer.fault = fault;
    if (s_has (PEER_DIES_AFTER_PAUSE))
        signal (SIGCONT, s_die_resumed);
    if (s_has (PEER_NEEDS_BROKER)) {
        //  With these options a socket is ready to send only when it is connected,
        //  and tries that once
        zsock_t *probe = zsock_new (ZMQ_DEALER);
        zsock_set_immediate (probe, 1);
        zsock_set_reconnect_ivl (probe, -1);
        zsock_connect (probe, "%s", s_endpoint (argc, argv));
        zclock_sleep (ALONE_MS);
        if (!(zsock_events (probe) & ZMQ_POLLOUT))
            exit (1);
        zsock_destroy (&probe);
    }
}
