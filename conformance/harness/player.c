/*  =========================================================================
    player - actors on sockets, and the loop that keeps them going

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <czmq.h>

#include "inside.h"
#include "vector.h"

//  --------------------------------------------------------------------------
//  Players

//  "tcp://host:port" to an address; the host is a number or localhost
int
inside_parse (const char *endpoint, struct sockaddr_in *address)
{
    char host [64];
    unsigned port;
    if (sscanf (endpoint, "tcp://%63[^:]:%u", host, &port) != 2
    ||  port > 65535)
        return -1;
    *address = (struct sockaddr_in) { .sin_family = AF_INET,
                                      .sin_port = htons ((uint16_t) port) };
    const char *number = streq (host, "localhost")? "127.0.0.1": host;
    return inet_pton (AF_INET, number, &address->sin_addr) == 1? 0: -1;
}

//  A blocking connection, which loopback answers at once
int
inside_connect_tcp (const char *endpoint)
{
    struct sockaddr_in address;
    if (inside_parse (endpoint, &address)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    int handle = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (handle < 0)
        return -1;
    if (connect (handle, (struct sockaddr *) &address, sizeof address)) {
        int error = errno;
        close (handle);
        errno = error;
        return -1;
    }
    fcntl (handle, F_SETFL, O_NONBLOCK);
    return handle;
}

//  The name by which a ROUTER peer calls the target, which has not told its own
#define ROUTER_TARGET "target"

//  A broker may have a port for workers
static const char *
s_endpoint (const stage_t *self, const player_t *player)
{
    const profile_t *profile = self->config.profile;
    return player->role == ROLE_WORKER && profile->worker_endpoint
         ? profile->worker_endpoint: profile->endpoint;
}

//  How long a connection may take; when one has taken longer, nothing waits for the
//  next: the target refuses connections, or does not take any
#define HANDSHAKE_MS 3000

zsock_t *
inside_monitor (stage_t *self, zsock_t *socket, int events)
{
    char *name = zsys_sprintf ("inproc://monitor-%u", ++self->monitors);
    zsock_t *monitor = NULL;
    if (zmq_socket_monitor (zsock_resolve (socket), name, events) == 0) {
        monitor = zsock_new (ZMQ_PAIR);
        zsock_connect (monitor, "%s", name);
    }
    free (name);
    return monitor;
}

//  Whoever opens first, and sends, shall be heard first: a broker owes no queue to
//  requests that come before the worker (7/MDP: SHOULD), and what is sent while a
//  connection is still on its way goes in any order
static void
s_await_handshake (stage_t *self, player_t *player, zsock_t **monitor_p)
{
    int64_t end = zclock_mono () + HANDSHAKE_MS;
    zmq_pollitem_t item = { .socket = *monitor_p? zsock_resolve (*monitor_p): NULL,
                            .events = ZMQ_POLLIN };
    while (*monitor_p && !self->refused && !stage_crashed (self, NULL)
    &&     zmq_poll (&item, 1, 5) == 0) {
        self->refused = zclock_mono () >= end;
        inside_turn (self, zclock_mono ());
    }
    zmq_socket_monitor (zsock_resolve (player->socket), NULL, 0);
    zsock_destroy (monitor_p);
}

static int
s_connect_zmtp (stage_t *self, player_t *player, const actor_t *actor)
{
    static const int types [] = { ZMQ_DEALER, ZMQ_REQ, ZMQ_ROUTER };
    player->socket = zsock_new (types [actor->over]);
    if (!player->socket)
        return -1;
    zsock_set_linger (player->socket, 1000);
    zsock_set_sndhwm (player->socket, 0);
    zsock_set_rcvhwm (player->socket, 0);
    //  Waits only when the target has refused the connection for good
    zsock_set_sndtimeo (player->socket, 0);
    zsock_set_reconnect_ivl (player->socket, 20);
    if (self->config.keys)
        keys_connect (self->config.keys, player->socket);
    void *handle = zsock_resolve (player->socket);
    if (actor->addressed && actor->address.size)
        zmq_setsockopt (handle, ZMQ_ROUTING_ID, actor->address.bytes,
                        actor->address.size);
    else
    if (self->config.profile->named && !actor->addressed) {
        char *name = zsys_sprintf ("seatrial-%u", ++self->names);
        zmq_setsockopt (handle, ZMQ_ROUTING_ID, name, strlen (name));
        free (name);
    }
    if (actor->over == OVER_ROUTER)
        zmq_setsockopt (handle, ZMQ_CONNECT_ROUTING_ID, ROUTER_TARGET,
                        strlen (ROUTER_TARGET));
    zsock_t *monitor = inside_monitor (self, player->socket,
                                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    int rc = zsock_connect (player->socket, "%s", s_endpoint (self, player));
    s_await_handshake (self, player, &monitor);
    return rc;
}

player_t *
inside_enter (stage_t *self, const actor_t *actor, bool quiet)
{
    player_t *player = (player_t *) zmalloc (sizeof (player_t));
    player->name = strdup (actor->name);
    player->kind = actor->kind;
    player->role = actor->role;
    player->words = inside_words (self, actor->version);
    player->over = actor->over;
    player->quiet = quiet;
    player->inbox = zlist_new ();
    player->handle = -1;
    int rc;
    if (actor->kind == ACTOR_BROKER)
        rc = host_open (self, player);
    else
    if (actor->over == OVER_TCP) {
        player->handle = inside_connect_tcp (s_endpoint (self, player));
        rc = player->handle < 0? -1: 0;
    }
    else
        rc = s_connect_zmtp (self, player, actor);
    if (rc) {
        inside_player_destroy (&player);
        return NULL;
    }
    vector_push (self->players, self->player_count, player);
    free (self->items);
    self->items = (zmq_pollitem_t *)
        zmalloc ((self->player_count + 1) * sizeof (zmq_pollitem_t));
    return player;
}

player_t *
stage_enter (stage_t *self, const actor_t *actor, char **reason)
{
    player_t *player = inside_enter (self, actor, false);
    if (player)
        stage_note (self, "%s opens", player->name);
    else
        *reason = zsys_sprintf ("%s cannot %s %s: %s", actor->name,
            actor->kind == ACTOR_BROKER? "listen on": "connect to",
            self->config.profile->endpoint, zmq_strerror (errno));
    return player;
}

void
stage_leave (stage_t *self, player_t *player)
{
    player->beating = false;
    player->serving = false;
    if (player->kind == ACTOR_BROKER)
        host_close (self, player);
    zsock_destroy (&player->socket);
    if (player->handle >= 0)
        close (player->handle);
    player->handle = -1;
    if (!player->quiet)
        stage_note (self, "%s closes", player->name);
}

//  Take a player off for good: probes come and go
void
inside_dismiss (stage_t *self, player_t *player)
{
    for (size_t index = 0; index < self->player_count; index++)
        if (self->players [index] == player) {
            self->players [index] = self->players [self->player_count - 1];
            //  Push the vector down to one less: the room stays
            self->player_count--;
            break;
        }
    inside_player_destroy (&player);
}

static int
s_send_tcp (player_t *player, zmsg_t *message)
{
    int rc = 0;
    for (zframe_t *frame = zmsg_first (message); frame && !rc;
                   frame = zmsg_next (message)) {
        ssize_t sent = send (player->handle, zframe_data (frame),
                             zframe_size (frame), MSG_NOSIGNAL);
        //  The target may hang up on garbage: that is its right
        if (sent < 0 && errno != EPIPE && errno != ECONNRESET)
            rc = -1;
    }
    return rc;
}

//  A REQ socket makes the empty first frame itself; a ROUTER wants an address
static void
s_dress (player_t *player, zmsg_t *message)
{
    if (player->over == OVER_REQ) {
        zframe_t *first = zmsg_first (message);
        if (first && zframe_size (first) == 0) {
            first = zmsg_pop (message);
            zframe_destroy (&first);
        }
    }
    else
    if (player->over == OVER_ROUTER)
        zmsg_pushstr (message, ROUTER_TARGET);
}

static void
s_undress (player_t *player, zmsg_t *message)
{
    if (player->over == OVER_REQ)
        zmsg_pushmem (message, "", 0);
    else
    if (player->over == OVER_ROUTER) {
        zframe_t *address = zmsg_pop (message);
        zframe_destroy (&address);
    }
}

int
stage_send (stage_t *self, player_t *player, zmsg_t **message_p)
{
    if (player->host)
        return host_send (self, player, message_p);
    inside_note_message (self, player, "->", *message_p);
    if (!player->socket && player->handle < 0) {
        zmsg_destroy (message_p);
        return -1;
    }
    int rc;
    if (player->handle >= 0)
        rc = s_send_tcp (player, *message_p);
    else {
        //  A worker that has just sent something owes no heartbeat
        player->beat_ms = zclock_mono () + stage_hb_ms (self, 1);
        s_dress (player, *message_p);
        //  A message of no frames cannot be sent, and is not a message
        rc = zmsg_size (*message_p)? zmsg_send (message_p, player->socket): 0;
        if (rc && errno == EAGAIN) {
            //  What comes of it the next steps show
            stage_note (self, "%s: the target refused the connection",
                        player->name);
            rc = 0;
        }
    }
    zmsg_destroy (message_p);
    return rc;
}

void
stage_beat (stage_t *self, player_t *player, bool beat)
{
    player->beating = beat;
    player->beat_ms = zclock_mono () + stage_hb_ms (self, 1);
}

void
stage_forget (stage_t *self, player_t *player)
{
    (void) self;
    zmsg_t *message;
    while ((message = (zmsg_t *) zlist_pop (player->inbox)))
        zmsg_destroy (&message);
}

void
stage_unreceive (stage_t *self, player_t *player, zmsg_t **message_p)
{
    (void) self;
    zlist_push (player->inbox, *message_p);
    *message_p = NULL;
}

void
inside_player_destroy (player_t **player_p)
{
    player_t *player = *player_p;
    *player_p = NULL;
    host_destroy (player);
    zsock_destroy (&player->socket);
    if (player->handle >= 0)
        close (player->handle);
    zmsg_t *message;
    while ((message = (zmsg_t *) zlist_pop (player->inbox)))
        zmsg_destroy (&message);
    zlist_destroy (&player->inbox);
    for (size_t index = player->owed_first; index < player->owed_count; index++)
        zmsg_destroy (&player->owed [index].message);
    free (player->owed);
    free (player->name);
    free (player);
}

//  --------------------------------------------------------------------------
//  Messages that the harness makes and knows by itself, from the fixtures

zmsg_t *
inside_compose (const golden_t *golden, const term_t *terms, size_t count,
           captures_t *captures)
{
    pattern_t pattern = golden_fill (golden, terms, count, NULL);
    zmsg_t *message = pattern_compose (&pattern, captures);
    pattern_clear (&pattern);
    assert (message);
    return message;
}

term_t
inside_literal (const char *text)
{
    return (term_t) { .type = TERM_BYTES, .bytes = (char *) text,
                      .size = strlen (text) };
}

void
inside_ready (stage_t *self, player_t *player, zframe_t *service)
{
    term_t term = { .type = TERM_BYTES, .bytes = (char *) zframe_data (service),
                    .size = zframe_size (service) };
    zmsg_t *message = inside_compose (player->words->ready, &term, 1, NULL);
    stage_send (self, player, &message);
    stage_beat (self, player, true);
}

void
stage_serve (stage_t *self, player_t *player, zframe_t *service,
             int64_t delay_ms)
{
    player->serving = true;
    player->delay_ms = delay_ms;
    inside_ready (self, player, service);
}

//  The echo of a request, owed after the worker's delay
static void
s_owe_echo (player_t *player, zmsg_t *request)
{
    captures_t *captures = captures_new ();
    //  Request and reply have the same parameters: client and body
    if (pattern_match (&player->words->request->pattern, request, captures)) {
        owed_t owed = { zclock_mono () + player->delay_ms,
            pattern_compose (&player->words->reply->pattern, captures) };
        if (owed.message)
            vector_push (player->owed, player->owed_count, owed);
    }
    captures_destroy (&captures);
}

//  --------------------------------------------------------------------------
//  The loop: heartbeats, echoes, arrivals

//  How late the harness was, the most counts
static void
s_note_lag (stage_t *self, int64_t late_ms)
{
    if (late_ms > self->lag_ms)
        self->lag_ms = late_ms;
}

static void
s_beat (stage_t *self, player_t *player, int64_t now)
{
    if (player->beating && player->socket && player->beat_ms <= now) {
        s_note_lag (self, now - player->beat_ms);
        zmsg_t *message = inside_compose (player->words->heartbeat_out, NULL, 0, NULL);
        stage_send (self, player, &message);
    }
}

static void
s_pay (stage_t *self, player_t *player, int64_t now)
{
    while (player->owed_first < player->owed_count
    &&     player->owed [player->owed_first].due_ms <= now) {
        owed_t *owed = &player->owed [player->owed_first++];
        if (player->socket && player->serving)
            stage_send (self, player, &owed->message);
        zmsg_destroy (&owed->message);
    }
}

//  Do what is due; when something is due next
static int64_t
s_tend (stage_t *self)
{
    int64_t now = zclock_mono ();
    int64_t next = INT64_MAX;
    for (size_t index = 0; index < self->player_count; index++) {
        player_t *player = self->players [index];
        if (player->kind == ACTOR_BROKER) {
            int64_t due = host_tend (self, player, now);
            if (due < next)
                next = due;
            continue;
        }
        s_beat (self, player, now);
        s_pay (self, player, now);
        if (player->beating && player->beat_ms < next)
            next = player->beat_ms;
        if (player->owed_first < player->owed_count
        &&  player->owed [player->owed_first].due_ms < next)
            next = player->owed [player->owed_first].due_ms;
    }
    return next;
}

static void
s_arrived (stage_t *self, player_t *player, zmsg_t *message)
{
    s_undress (player, message);
    inside_note_message (self, player, "<-", message);
    if (player->kind == ACTOR_WORKER
    &&  inside_is (player->words->disconnect_in, message))
        //  7/MDP: after DISCONNECT a worker sends no further commands
        player->beating = false;
    if (player->serving) {
        if (inside_is (player->words->request, message))
            s_owe_echo (player, message);
        zmsg_destroy (&message);
    }
    else
        zlist_append (player->inbox, message);
}

static void
s_read_tcp (stage_t *self, player_t *player)
{
    char buffer [4096];
    ssize_t size = recv (player->handle, buffer, sizeof buffer, 0);
    if (size > 0) {
        zmsg_t *message = zmsg_new ();
        zmsg_addmem (message, buffer, (size_t) size);
        s_arrived (self, player, message);
    }
    else
    if (size == 0 || errno != EAGAIN) {
        stage_note (self, "%s: the target hung up", player->name);
        close (player->handle);
        player->handle = -1;
    }
}

static void
s_read_player (stage_t *self, player_t *player)
{
    if (player->handle >= 0)
        s_read_tcp (self, player);
    if (player->kind == ACTOR_BROKER && player->socket) {
        host_read (self, player);
        return;
    }
    //  A bounded burst, so that a target that floods does not stop the clock
    for (int burst = 0; player->socket && burst < 1000; burst++) {
        if (!(zsock_events (player->socket) & ZMQ_POLLIN))
            break;
        zmsg_t *message = zmsg_recv (player->socket);
        if (!message)
            break;
        s_arrived (self, player, message);
    }
}

//  Wait for something to happen, for at most so long, and take it in
void
inside_turn (stage_t *self, int64_t until_ms)
{
    int64_t due = s_tend (self);
    if (due > until_ms)
        due = until_ms;
    int64_t now = zclock_mono ();
    long timeout = due > now? (long) (due - now): 0;
    for (size_t index = 0; index < self->player_count; index++) {
        player_t *player = self->players [index];
        self->items [index] = (zmq_pollitem_t) { .events = ZMQ_POLLIN,
            .socket = player->socket? zsock_resolve (player->socket): NULL,
            .fd = player->handle >= 0? player->handle: self->signals };
    }
    self->items [self->player_count] = (zmq_pollitem_t) {
        .fd = self->signals, .events = ZMQ_POLLIN };
    zmq_poll (self->items, (int) self->player_count + 1, timeout);
    s_note_lag (self, zclock_mono () - now - timeout);
    struct signalfd_siginfo signal;
    while (read (self->signals, &signal, sizeof signal) > 0)
        continue;
    for (size_t index = 0; index < self->player_count; index++)
        s_read_player (self, self->players [index]);
    s_tend (self);
}

zmsg_t *
stage_receive (stage_t *self, player_t *player, bool pass_heartbeats,
               int64_t timeout_ms)
{
    int64_t end = zclock_mono () + timeout_ms;
    while (true) {
        zmsg_t *message;
        while ((message = (zmsg_t *) zlist_pop (player->inbox))) {
            if (!pass_heartbeats || !inside_is (player->words->heartbeat_in, message))
                return message;
            zmsg_destroy (&message);
        }
        if (zclock_mono () >= end || stage_crashed (self, NULL))
            return NULL;
        inside_turn (self, end);
    }
}

