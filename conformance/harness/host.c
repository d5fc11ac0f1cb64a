/*  =========================================================================
    host - the harness as the broker of what is tried

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "inside.h"
#include "vector.h"

//  libzmq closes a listener in the background: so long the port may still be its
#define REBIND_MS 2000
//  How often it is looked whether somebody has tried to connect
#define ATTEMPT_POLL_MS 5

//  A name or localhost is bound as the number that peers connect to
static int
s_bind (zsock_t *socket, const char *endpoint)
{
    struct sockaddr_in address;
    char number [INET_ADDRSTRLEN];
    bool parsed = inside_parse (endpoint, &address) == 0;
    if (parsed)
        inet_ntop (AF_INET, &address.sin_addr, number, sizeof number);
    int64_t end = zclock_mono () + REBIND_MS;
    while (true) {
        int port = parsed
            ? zsock_bind (socket, "tcp://%s:%u", number, ntohs (address.sin_port))
            : zsock_bind (socket, "%s", endpoint);
        if (port >= 0 || errno != EADDRINUSE || zclock_mono () >= end)
            return port;
        zclock_sleep (5);
    }
}

static zlist_t *
s_new_names (void)
{
    zlist_t *names = zlist_new ();
    zlist_autofree (names);
    zlist_comparefn (names, (zlist_compare_fn *) strcmp);
    return names;
}

int
host_open (stage_t *self, player_t *host)
{
    const profile_t *profile = self->config.profile;
    if (!host->offered) {
        host->offered = s_new_names ();
        host->echoed = s_new_names ();
    }
    host->socket = zsock_new (ZMQ_ROUTER);
    if (!host->socket)
        return -1;
    zsock_set_linger (host->socket, 0);
    zsock_set_router_mandatory (host->socket, 1);
    zsock_set_sndhwm (host->socket, 0);
    zsock_set_rcvhwm (host->socket, 0);
    if (self->config.keys)
        keys_bind (self->config.keys, host->socket);
    host->monitor = inside_monitor (self, host->socket, ZMQ_EVENT_DISCONNECTED);
    host->hangups = 0;
    if (s_bind (host->socket, profile->endpoint) >= 0
    && (!profile->worker_endpoint
    ||  s_bind (host->socket, profile->worker_endpoint) >= 0))
        return 0;
    zsock_destroy (&host->socket);
    zsock_destroy (&host->monitor);
    return -1;
}

//  How many connections nobody took so far, on this machine or in this namespace;
//  0 where that cannot be known
static unsigned long long
s_refused (void)
{
    FILE *file = fopen ("/proc/net/snmp", "r");
    unsigned long long refused = 0;
    char line [1024];
    //  A line of names, then one of numbers: AttemptFails is the seventh
    while (file && fgets (line, sizeof line, file))
        if (sscanf (line, "Tcp: %*d %*d %*d %*d %*d %*d %llu", &refused) == 1)
            break;
    if (file)
        fclose (file);
    return refused;
}

void
host_close (stage_t *self, player_t *host)
{
    host_clear (host);
    zsock_destroy (&host->socket);
    //  Whoever connects from now on must find nobody
    int64_t end = zclock_mono () + REBIND_MS;
    int handle;
    while ((handle = inside_connect_tcp (self->config.profile->endpoint)) >= 0
    &&      zclock_mono () < end) {
        close (handle);
        zclock_sleep (5);
    }
    if (handle >= 0)
        close (handle);
    host->refused = s_refused ();
}

//  Who is to come before its broker must have tried, however late it starts
static void
s_await_attempt (stage_t *self, const player_t *host)
{
    int64_t end = zclock_mono () + inside_patience_ms (self);
    while (s_refused () == host->refused && zclock_mono () < end
    &&    !stage_crashed (self, NULL))
        inside_turn (self, zclock_mono () + ATTEMPT_POLL_MS);
}

int
stage_reopen (stage_t *self, player_t *host)
{
    host_clear (host);
    zsock_destroy (&host->socket);
    zsock_destroy (&host->monitor);
    int rc = host_open (self, host);
    if (rc == 0)
        stage_note (self, "%s opens", host->name);
    return rc;
}

void
host_clear (player_t *host)
{
    for (size_t index = 0; index < host->guest_count; index++)
        host->guests [index]->gone = true;
}

void
host_destroy (player_t *host)
{
    for (size_t index = 0; index < host->guest_count; index++)
        inside_player_destroy (&host->guests [index]);
    free (host->guests);
    zsock_destroy (&host->monitor);
    zlist_destroy (&host->offered);
    zlist_destroy (&host->echoed);
    free (host->latest);
    zframe_destroy (&host->address);
    free (host->socket_type);
    free (host->service);
}

//  --------------------------------------------------------------------------
//  Guests

static player_t *
s_guest (player_t *host, zframe_t *address)
{
    for (size_t index = 0; index < host->guest_count; index++) {
        player_t *guest = host->guests [index];
        if (!guest->gone && zframe_eq (guest->address, address))
            return guest;
    }
    player_t *guest = (player_t *) zmalloc (sizeof (player_t));
    guest->name = zsys_sprintf ("guest-%zu", host->guest_count + 1);
    guest->kind = ACTOR_GUEST;
    guest->role = ROLE_WORKER;
    guest->words = host->words;
    guest->host = host;
    guest->handle = -1;
    guest->inbox = zlist_new ();
    guest->address = zframe_dup (address);
    vector_push (host->guests, host->guest_count, guest);
    return guest;
}

//  Whether a connection has ended that has not been counted yet
static bool
s_hung_up (player_t *host)
{
    while (host->monitor && zsock_events (host->monitor) & ZMQ_POLLIN) {
        zmsg_t *event = zmsg_recv (host->monitor);
        zmsg_destroy (&event);
        host->hangups++;
    }
    if (host->hangups == 0)
        return false;
    host->hangups--;
    return true;
}

//  Whoever chooses its own address has the same one on a fresh socket (7/MDP wants
//  fresh sockets, not fresh addresses): its next READY is a new guest's, if a
//  connection has ended since
static player_t *
s_visitor (player_t *host, zframe_t *address, zmsg_t *message)
{
    player_t *guest = s_guest (host, address);
    if (guest->heard_ms && inside_is (guest->words->ready, message)
    &&  s_hung_up (host)) {
        guest->gone = true;
        guest = s_guest (host, address);
    }
    return guest;
}

void
stage_know_guests (player_t *host)
{
    for (size_t index = 0; index < host->guest_count; index++)
        host->guests [index]->heard = true;
}

size_t
stage_guests (const player_t *host)
{
    return host->guest_count;
}

player_t *
stage_guest_at (const player_t *host, size_t index)
{
    return host->guests [index];
}

void
stage_name_guest (stage_t *self, player_t *guest, const char *name)
{
    if (streq (guest->name, name))
        return;
    inside_note_name (self, guest->name, name);
    free (guest->name);
    guest->name = strdup (name);
}

const char *
stage_guest_socket (const player_t *guest)
{
    return guest->socket_type? guest->socket_type: "";
}

int
host_send (stage_t *self, player_t *guest, zmsg_t **message_p)
{
    inside_note_message (self, guest, "<-", *message_p);
    zmsg_t *message = *message_p;
    *message_p = NULL;
    if (inside_is (guest->words->request, message))
        guest->busy = true;
    if (inside_is (guest->words->disconnect_in, message)) {
        guest->beating = false;
        zstr_free (&guest->service);
    }
    guest->beat_ms = zclock_mono () + stage_hb_ms (self, 1);
    int rc = -1;
    if (guest->host->socket && !guest->gone) {
        zframe_t *address = zframe_dup (guest->address);
        zmsg_prepend (message, &address);
        rc = zmsg_send (&message, guest->host->socket);
    }
    zmsg_destroy (&message);
    //  What it sent before may still be to come
    if (rc) {
        guest->beating = false;
        guest->left = true;
    }
    return rc;
}

int64_t
host_tend (stage_t *self, player_t *host, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    for (size_t index = 0; host->socket && !host->mute
                        && index < host->guest_count; index++) {
        player_t *guest = host->guests [index];
        if (guest->gone || !guest->beating)
            continue;
        if (guest->beat_ms <= now_ms) {
            zmsg_t *message = inside_compose (guest->words->heartbeat_in, NULL,
                                              0, NULL);
            host_send (self, guest, &message);
        }
        if (guest->beat_ms < next)
            next = guest->beat_ms;
    }
    return next;
}

//  --------------------------------------------------------------------------
//  What a broker does by itself

//  The frame of a capture as a string; fresh, NULL when there is none
static char *
s_captured (captures_t *captures, const char *name)
{
    zmsg_t *frames = captures_get (captures, name);
    return frames && zmsg_size (frames)? zframe_strdup (zmsg_first (frames))
                                       : NULL;
}

static bool
s_registers (stage_t *self, player_t *guest, zmsg_t *message)
{
    captures_t *captures = captures_new ();
    bool ready = pattern_match (&guest->words->ready->pattern, message,
                                captures);
    if (ready) {
        free (guest->service);
        guest->service = s_captured (captures, "service");
        guest->beating = true;
        guest->busy = false;
        guest->beat_ms = zclock_mono () + stage_hb_ms (self, 1);
    }
    captures_destroy (&captures);
    return ready;
}

//  Answer a question to mmi.service; whether it was one
static bool
s_answers (stage_t *self, player_t *host, player_t *guest, zmsg_t *message)
{
    const words_t *words = guest->words;
    captures_t *captures = captures_new ();
    bool asked = words->mmi_question && words->mmi_answer
        && pattern_match (&words->mmi_question->pattern, message, captures);
    if (asked && !host->unanswering) {
        char *service = s_captured (captures, "service");
        term_t status = inside_literal (host->unmanaged? "501"
            : service && zlist_exists (host->offered, service)? "200": "404");
        zmsg_t *answer = inside_compose (words->mmi_answer, &status, 1, NULL);
        host_send (self, guest, &answer);
        free (service);
    }
    captures_destroy (&captures);
    return asked;
}

//  Answer a request for a service that the broker itself serves; whether it was one
static bool
s_echoes (stage_t *self, player_t *host, player_t *guest, zmsg_t *message)
{
    const words_t *words = guest->words;
    captures_t *captures = captures_new ();
    char *service = pattern_match (&words->client_request->pattern, message,
                                   captures)
        ? s_captured (captures, "service"): NULL;
    bool echoed = service && zlist_exists (host->echoed, service);
    if (echoed) {
        zmsg_t *reply = pattern_compose (&words->client_reply->pattern, captures);
        host_send (self, guest, &reply);
    }
    free (service);
    captures_destroy (&captures);
    return echoed;
}

static void
s_arrived (stage_t *self, player_t *host, player_t *guest, zmsg_t *message)
{
    const words_t *words = guest->words;
    inside_note_message (self, guest, "->", message);
    guest->heard_ms = zclock_mono ();
    if (s_answers (self, host, guest, message)
    ||  s_echoes (self, host, guest, message)) {
        zmsg_destroy (&message);
        return;
    }
    if (inside_is (words->reply, message))
        guest->busy = false;
    if (inside_is (words->disconnect_out, message)) {
        guest->beating = false;
        zstr_free (&guest->service);
    }
    if (!s_registers (self, guest, message)
    &&  !inside_is (words->heartbeat_out, message)) {
        host->arrivals++;
        free (host->latest);
        host->latest = notation_frames (message);
    }
    zlist_append (guest->inbox, message);
}

void
host_read (stage_t *self, player_t *host)
{
    for (int burst = 0; burst < 1000; burst++) {
        if (!(zsock_events (host->socket) & ZMQ_POLLIN))
            break;
        zmsg_t *message = zmsg_recv (host->socket);
        if (!message)
            break;
        zframe_t *address = zmsg_pop (message);
        player_t *guest = s_visitor (host, address, message);
        zframe_t *first = zmsg_first (message);
        const char *type = first? zframe_meta (first, "Socket-Type"): NULL;
        if (type && !guest->socket_type)
            guest->socket_type = strdup (type);
        zframe_destroy (&address);
        s_arrived (self, host, guest, message);
    }
}

//  --------------------------------------------------------------------------
//  For scripts

bool
stage_is_partial (const player_t *guest, zmsg_t *message)
{
    return guest->words->partial && inside_is (guest->words->partial, message);
}

//  What a script need not name: heartbeats, but not before READY, and the PARTIALs
//  that a worker may send before its REPLY
static bool
s_is_passed_over (player_t *guest, zmsg_t *message)
{
    const words_t *words = guest->words;
    return guest->heard
        && (inside_is (words->heartbeat_out, message)
            || stage_is_partial (guest, message));
}

//  The first message in a guest's inbox that counts: others are passed over unless
//  they are what suits
static zmsg_t *
s_take (player_t *guest, suits_fn *suits, void *argument, zmsg_t **other)
{
    zmsg_t *message;
    while ((message = (zmsg_t *) zlist_first (guest->inbox))) {
        if (suits (argument, message)) {
            zlist_pop (guest->inbox);
            return message;
        }
        if (!s_is_passed_over (guest, message)) {
            zmsg_destroy (other);
            *other = zmsg_dup (message);
            return NULL;
        }
        zlist_pop (guest->inbox);
        zmsg_destroy (&message);
    }
    return NULL;
}

zmsg_t *
stage_host_receive (stage_t *self, player_t *host, suits_fn *suits,
                    void *argument, bool fresh, int64_t timeout_ms,
                    player_t **guest_p, zmsg_t **other)
{
    int64_t end = zclock_mono () + timeout_ms;
    *other = NULL;
    while (true) {
        for (size_t index = 0; index < host->guest_count; index++) {
            player_t *guest = host->guests [index];
            if (guest->gone || (fresh && guest->heard))
                continue;
            zmsg_t *message = s_take (guest, suits, argument, other);
            if (message) {
                guest->heard = true;
                *guest_p = guest;
                zmsg_destroy (other);
                return message;
            }
        }
        if (zclock_mono () >= end || stage_crashed (self, NULL))
            return NULL;
        inside_turn (self, end);
    }
}

//  What came before and was not looked at, but for READY and HEARTBEAT; fresh, NULL
//  for none
static char *
s_unread (player_t *host)
{
    for (size_t index = 0; index < host->guest_count; index++) {
        player_t *guest = host->guests [index];
        zmsg_t *message = guest->gone? NULL: (zmsg_t *) zlist_first (guest->inbox);
        for (; message; message = (zmsg_t *) zlist_next (guest->inbox))
            if (!inside_is (guest->words->ready, message)
            &&  !inside_is (guest->words->heartbeat_out, message))
                return notation_frames (message);
    }
    return NULL;
}

bool
stage_host_idle (stage_t *self, player_t *host, int64_t timeout_ms,
                 char **frames)
{
    *frames = s_unread (host);
    if (*frames)
        return false;
    if (!host->socket)
        s_await_attempt (self, host);
    int64_t end = zclock_mono () + timeout_ms;
    size_t before = host->arrivals;
    while (zclock_mono () < end && host->arrivals == before
    &&     !stage_crashed (self, NULL))
        inside_turn (self, end);
    if (host->arrivals == before)
        return true;
    *frames = strdup (host->latest);
    return false;
}

stage_result_t
stage_await_leave (stage_t *self, player_t *guest, int64_t timeout_ms)
{
    int64_t end = zclock_mono () + timeout_ms;
    while (!stage_crashed (self, NULL)) {
        //  A ROUTER that must route says that there is no such peer any more
        zmsg_t *message = inside_compose (guest->words->heartbeat_in, NULL, 0,
                                          NULL);
        if (host_send (self, guest, &message)) {
            stage_note (self, "%s is gone", guest->name);
            return STAGE_FINE;
        }
        if (zclock_mono () >= end)
            return STAGE_DEAF;
        inside_turn (self, zclock_mono () + stage_hb_ms (self, 0.25));
    }
    return STAGE_DIED;
}

void
stage_mute (stage_t *self, player_t *host)
{
    (void) self;
    host->mute = true;
    stage_know_guests (host);
}

void
stage_offer (stage_t *self, player_t *host, const char *service, offer_t offer)
{
    static const char *const words [] = {
        "lacks", "ignores", "offers", "serves"
    };
    stage_note (self, "%s %s %s", host->name, words [offer], service);
    zlist_remove (host->offered, (char *) service);
    zlist_remove (host->echoed, (char *) service);
    //  Who has no mmi.service has no management services at all
    if (streq (service, "mmi.service")) {
        host->unmanaged = offer == OFFER_NOT;
        host->unanswering = offer == OFFER_SILENT;
    }
    if (offer >= OFFER_ONLY)
        zlist_append (host->offered, (char *) service);
    if (offer == OFFER_ECHO)
        zlist_append (host->echoed, (char *) service);
}
