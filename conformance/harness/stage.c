/*  =========================================================================
    stage - the target and all whom the harness plays, while a scenario runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <czmq.h>

#include "process.h"
#include "stage.h"
#include "vector.h"

//  How much of what a process printed is kept with a verdict, in bytes
#define OUTPUT_MAX 4000
//  How long one question of a probe may take at the least
#define PROBE_MS 1000
//  How often a process that starts is looked at
#define START_POLL_MS 5

//  A reply that a serving worker owes
typedef struct {
    int64_t due_ms;
    zmsg_t *message;
} owed_t;

struct _player_t {
    char *name;                 //  In the transcript
    bool peer;
    role_t role;
    over_t over;
    zsock_t *socket;            //  NULL once it is closed, and over TCP
    int handle;                 //  Over TCP, else -1
    zlist_t *inbox;             //  zmsg_t, not yet looked at
    bool quiet;                 //  Not in the transcript
    bool beating;               //  Keeps up heartbeats
    int64_t beat_ms;            //  When the next one is due
    bool serving;               //  Echoes requests
    int64_t delay_ms;           //  So long after they came
    owed_t *owed;               //  In order of due time
    size_t owed_count;
    size_t owed_first;          //  Those before are paid
};

struct _stage_t {
    stage_config_t config;
    child_t *children [PROCESS_COUNT];  //  NULL if there is no command
    bool wanted [PROCESS_COUNT];        //  Should run
    player_t **players;
    size_t player_count;
    int signals;                //  Tells of children that end
    zmq_pollitem_t *items;      //  As many as players, and one
    int64_t began_us;
    int64_t lag_ms;
    unsigned probes;            //  Services of probes so far
    size_t beats;               //  Heartbeats in a row in the transcript
    FILE *transcript;
    char *transcript_text;
    size_t transcript_size;
    //  Messages that the harness itself needs
    const golden_t *ready, *request, *reply, *heartbeat_out, *heartbeat_in,
                   *disconnect_in, *client_request, *client_reply;
};

int64_t
stage_hb_ms (const stage_t *self, double hb)
{
    return (int64_t) (hb * (double) self->config.profile->heartbeat_ms
                         * self->config.scale);
}

int64_t
stage_lag_ms (const stage_t *self)
{
    return self->lag_ms;
}

//  --------------------------------------------------------------------------
//  Transcript

//  Heartbeats in a row are told so many times, then counted
#define BEATS_TOLD 4

static void
s_note_beats (stage_t *self)
{
    if (self->beats > BEATS_TOLD)
        fprintf (self->transcript, "%8s  (%zu more heartbeats, both ways)\n", "",
                 self->beats - BEATS_TOLD);
    self->beats = 0;
}

void
stage_note (stage_t *self, const char *format, ...)
{
    if (self->beats > BEATS_TOLD)
        s_note_beats (self);
    fprintf (self->transcript, "%8.3f  ",
             (double) (zclock_usecs () - self->began_us) / 1e6);
    va_list arguments;
    va_start (arguments, format);
    vfprintf (self->transcript, format, arguments);
    va_end (arguments);
    fputc ('\n', self->transcript);
}

static bool
s_is (const golden_t *golden, zmsg_t *message)
{
    return pattern_match (&golden->pattern, message, NULL);
}

static void
s_note_message (stage_t *self, player_t *player, const char *arrow,
                zmsg_t *message)
{
    if (player->quiet)
        return;
    bool beat = player->role == ROLE_WORKER
        && (s_is (self->heartbeat_in, message)
            || s_is (self->heartbeat_out, message));
    if (beat && ++self->beats > BEATS_TOLD)
        return;
    char *frames = notation_frames (message);
    stage_note (self, "%s %s %s", player->name, arrow, frames);
    free (frames);
    if (!beat)
        self->beats = 0;
}

char *
stage_transcript (stage_t *self)
{
    s_note_beats (self);
    fflush (self->transcript);
    return strdup (self->transcript_text);
}

char *
stage_output (stage_t *self)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    for (int index = 0; index < PROCESS_COUNT; index++) {
        char *output = self->children [index]
            ? child_output (self->children [index], OUTPUT_MAX): NULL;
        if (output && *output) {
            fprintf (out, "%s:\n%s", process_text ((process_t) index), output);
            if (output [strlen (output) - 1] != '\n')
                fputc ('\n', out);
        }
        free (output);
    }
    fclose (out);
    if (length == 0) {
        free (text);
        text = NULL;
    }
    return text;
}

//  --------------------------------------------------------------------------
//  Life

static const golden_t *
s_golden (const fixtures_t *fixtures, const char *name, way_t way, role_t role)
{
    const golden_t *golden = fixtures_find (fixtures, name, way, role);
    assert (golden);
    return golden;
}

stage_t *
stage_new (const stage_config_t *config)
{
    stage_t *self = (stage_t *) zmalloc (sizeof (stage_t));
    self->config = *config;
    self->began_us = zclock_usecs ();
    self->transcript = open_memstream (&self->transcript_text,
                                       &self->transcript_size);
    assert (self->transcript);
    const fixtures_t *fixtures = config->fixtures;
    self->ready = s_golden (fixtures, "READY", WAY_FROM, ROLE_WORKER);
    self->request = s_golden (fixtures, "REQUEST", WAY_TO, ROLE_WORKER);
    self->reply = s_golden (fixtures, "REPLY", WAY_FROM, ROLE_WORKER);
    self->heartbeat_out = s_golden (fixtures, "HEARTBEAT", WAY_FROM,
                                    ROLE_WORKER);
    self->heartbeat_in = s_golden (fixtures, "HEARTBEAT", WAY_TO, ROLE_WORKER);
    self->disconnect_in = s_golden (fixtures, "DISCONNECT", WAY_TO,
                                    ROLE_WORKER);
    self->client_request = s_golden (fixtures, "REQUEST", WAY_FROM,
                                     ROLE_CLIENT);
    self->client_reply = s_golden (fixtures, "REPLY", WAY_TO, ROLE_CLIENT);
    for (int index = 0; index < PROCESS_COUNT; index++) {
        const char *command = config->profile->programs [index].command;
        if (!command)
            continue;
        char *log = zsys_sprintf ("%s/%s.log", config->logs,
                                  process_text ((process_t) index));
        self->children [index] = child_new (command, config->directory, log);
        free (log);
    }
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGCHLD);
    sigprocmask (SIG_BLOCK, &set, NULL);
    self->signals = signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    assert (self->signals >= 0);
    self->items = (zmq_pollitem_t *) zmalloc (sizeof (zmq_pollitem_t));
    return self;
}

static void
s_player_destroy (player_t *player)
{
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

void
stage_destroy (stage_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        stage_t *self = *self_p;
        for (size_t index = 0; index < self->player_count; index++)
            s_player_destroy (self->players [index]);
        for (int index = 0; index < PROCESS_COUNT; index++)
            child_destroy (&self->children [index]);
        free (self->players);
        free (self->items);
        close (self->signals);
        fclose (self->transcript);
        free (self->transcript_text);
        free (self);
        *self_p = NULL;
    }
}

//  --------------------------------------------------------------------------
//  Players

//  "tcp://host:port" to an address; the host is a number or localhost
static int
s_parse_endpoint (const char *endpoint, struct sockaddr_in *address)
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
static int
s_connect_tcp (const char *endpoint)
{
    struct sockaddr_in address;
    if (s_parse_endpoint (endpoint, &address)) {
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
    zsock_set_reconnect_ivl (player->socket, 20);
    void *handle = zsock_resolve (player->socket);
    if (actor->addressed)
        zmq_setsockopt (handle, ZMQ_ROUTING_ID, actor->address.bytes,
                        actor->address.size);
    if (actor->over == OVER_ROUTER)
        zmq_setsockopt (handle, ZMQ_CONNECT_ROUTING_ID, ROUTER_TARGET,
                        strlen (ROUTER_TARGET));
    return zsock_connect (player->socket, "%s",
                          self->config.profile->endpoint);
}

static player_t *
s_enter (stage_t *self, const actor_t *actor, bool quiet)
{
    player_t *player = (player_t *) zmalloc (sizeof (player_t));
    player->name = strdup (actor->name);
    player->peer = actor->peer;
    player->role = actor->role;
    player->over = actor->over;
    player->quiet = quiet;
    player->inbox = zlist_new ();
    player->handle = -1;
    int rc;
    if (actor->over == OVER_TCP) {
        player->handle = s_connect_tcp (self->config.profile->endpoint);
        rc = player->handle < 0? -1: 0;
    }
    else
        rc = s_connect_zmtp (self, player, actor);
    if (rc) {
        s_player_destroy (player);
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
    player_t *player = s_enter (self, actor, false);
    if (player)
        stage_note (self, "%s opens", player->name);
    else
        *reason = zsys_sprintf ("%s cannot connect to %s: %s", actor->name,
            self->config.profile->endpoint, zmq_strerror (errno));
    return player;
}

void
stage_leave (stage_t *self, player_t *player)
{
    player->beating = false;
    player->serving = false;
    zsock_destroy (&player->socket);
    if (player->handle >= 0)
        close (player->handle);
    player->handle = -1;
    if (!player->quiet)
        stage_note (self, "%s closes", player->name);
}

//  Take a player off for good: probes come and go
static void
s_dismiss (stage_t *self, player_t *player)
{
    for (size_t index = 0; index < self->player_count; index++)
        if (self->players [index] == player) {
            self->players [index] = self->players [self->player_count - 1];
            //  Push the vector down to one less: the room stays
            self->player_count--;
            break;
        }
    s_player_destroy (player);
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
    s_note_message (self, player, "->", *message_p);
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

//  --------------------------------------------------------------------------
//  Messages that the harness makes and knows by itself, from the fixtures

static zmsg_t *
s_compose (const golden_t *golden, term_t *terms, size_t count,
           captures_t *captures)
{
    pattern_t pattern = golden_fill (golden, terms, count, NULL);
    zmsg_t *message = pattern_compose (&pattern, captures);
    pattern_clear (&pattern);
    assert (message);
    return message;
}

static term_t
s_literal (const char *text)
{
    return (term_t) { .type = TERM_BYTES, .bytes = (char *) text,
                      .size = strlen (text) };
}

static void
s_send_ready (stage_t *self, player_t *player, zframe_t *service)
{
    term_t term = { .type = TERM_BYTES, .bytes = (char *) zframe_data (service),
                    .size = zframe_size (service) };
    zmsg_t *message = s_compose (self->ready, &term, 1, NULL);
    stage_send (self, player, &message);
    stage_beat (self, player, true);
}

void
stage_serve (stage_t *self, player_t *player, zframe_t *service,
             int64_t delay_ms)
{
    player->serving = true;
    player->delay_ms = delay_ms;
    s_send_ready (self, player, service);
}

//  The echo of a request, owed after the worker's delay
static void
s_owe_echo (stage_t *self, player_t *player, zmsg_t *request)
{
    captures_t *captures = captures_new ();
    //  Request and reply have the same parameters: client and body
    if (pattern_match (&self->request->pattern, request, captures)) {
        owed_t owed = { zclock_mono () + player->delay_ms,
            pattern_compose (&self->reply->pattern, captures) };
        if (owed.message)
            vector_push (player->owed, player->owed_count, owed);
    }
    captures_destroy (&captures);
}

//  --------------------------------------------------------------------------
//  The loop: heartbeats, echoes, arrivals

static void
s_beat (stage_t *self, player_t *player, int64_t now)
{
    if (player->beating && player->socket && player->beat_ms <= now) {
        zmsg_t *message = s_compose (self->heartbeat_out, NULL, 0, NULL);
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
    s_note_message (self, player, "<-", message);
    if (!player->peer && player->role == ROLE_WORKER
    &&  s_is (self->disconnect_in, message))
        //  7/MDP: after DISCONNECT a worker sends no further commands
        player->beating = false;
    if (player->serving) {
        if (s_is (self->request, message))
            s_owe_echo (self, player, message);
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
static void
s_turn (stage_t *self, int64_t until_ms)
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
    int64_t late = zclock_mono () - now - timeout;
    if (late > self->lag_ms)
        self->lag_ms = late;
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
            if (!pass_heartbeats || !s_is (self->heartbeat_in, message))
                return message;
            zmsg_destroy (&message);
        }
        if (zclock_mono () >= end || stage_crashed (self, NULL))
            return NULL;
        s_turn (self, end);
    }
}

//  --------------------------------------------------------------------------
//  Processes

bool
stage_crashed (stage_t *self, char **reason)
{
    for (int index = 0; index < PROCESS_COUNT; index++) {
        if (!self->wanted [index] || !child_ended (self->children [index]))
            continue;
        if (reason) {
            char *fate = child_fate (self->children [index]);
            *reason = zsys_sprintf ("the %s %s",
                                    process_text ((process_t) index), fate);
            free (fate);
        }
        return true;
    }
    return false;
}

static int64_t
s_patience_ms (stage_t *self)
{
    int64_t ms = (int64_t) ((double) self->config.profile->start_ms
                          * self->config.scale);
    return ms > PROBE_MS? ms: PROBE_MS;
}

static const char s_titanic_deaf [] = "titanic.close does not answer";

//  What a probe waits for, in whatever steps it comes
static zmsg_t *
s_probe_receive (stage_t *self, player_t *player, const golden_t *golden,
                 int64_t end)
{
    zmsg_t *message;
    while (zclock_mono () < end
    && (message = stage_receive (self, player, true, end - zclock_mono ()))) {
        if (s_is (golden, message))
            return message;
        zmsg_destroy (&message);
    }
    return NULL;
}

static int64_t
s_probe_end (stage_t *self)
{
    int64_t ms = stage_hb_ms (self, 10);
    return zclock_mono () + (ms > 2 * PROBE_MS? ms: 2 * PROBE_MS);
}

//  One request through a service of its own, and back
static bool
s_probe_dialogue (stage_t *self, player_t *client, player_t *worker)
{
    char *service = zsys_sprintf ("seatrial.probe.%u", ++self->probes);
    char *question = zsys_sprintf ("question %u", self->probes);
    char *answer = zsys_sprintf ("answer %u", self->probes);
    zframe_t *name = zframe_from (service);
    int64_t end = s_probe_end (self);
    s_send_ready (self, worker, name);
    term_t terms [] = { s_literal (service), s_literal (question) };
    zmsg_t *message = s_compose (self->client_request, terms, 2, NULL);
    stage_send (self, client, &message);
    message = s_probe_receive (self, worker, self->request, end);
    bool served = false;
    captures_t *captures = captures_new ();
    if (message
    &&  pattern_match (&self->request->pattern, message, captures)) {
        term_t reply [] = { { .type = TERM_NAME, .name = "client" },
                            s_literal (answer) };
        zmsg_destroy (&message);
        message = s_compose (self->reply, reply, 2, captures);
        stage_send (self, worker, &message);
        terms [1] = s_literal (answer);
        pattern_t expected = golden_fill (self->client_reply, terms, 2, NULL);
        message = s_probe_receive (self, client, self->client_reply, end);
        served = message && pattern_match (&expected, message, NULL);
        pattern_clear (&expected);
    }
    zmsg_destroy (&message);
    captures_destroy (&captures);
    zframe_destroy (&name);
    free (service);
    free (question);
    free (answer);
    return served;
}

//  titanic.close of an id that nobody has ever been given
static bool
s_probe_titanic (stage_t *self)
{
    static const actor_t actor = { .name = "probe", .role = ROLE_CLIENT };
    const golden_t *close = s_golden (self->config.fixtures, "titanic.close",
                                      WAY_FROM, ROLE_CLIENT);
    const golden_t *closed = s_golden (self->config.fixtures, "titanic.close",
                                       WAY_TO, ROLE_CLIENT);
    int64_t end = zclock_mono () + s_patience_ms (self);
    bool served = false;
    while (!served && zclock_mono () < end && !stage_crashed (self, NULL)) {
        player_t *client = s_enter (self, &actor, true);
        if (!client)
            return false;
        term_t id = s_literal ("00000000000070008000000000000000");
        zmsg_t *message = s_compose (close, &id, 1, NULL);
        stage_send (self, client, &message);
        int64_t pause = zclock_mono () + stage_hb_ms (self, 2) + 100;
        message = s_probe_receive (self, client, closed,
                                   pause < end? pause: end);
        served = message != NULL;
        zmsg_destroy (&message);
        s_dismiss (self, client);
    }
    return served;
}

//  A broker that starts is there when its port takes connections
static stage_result_t
s_await_broker (stage_t *self, char **reason)
{
    struct sockaddr_in address;
    if (s_parse_endpoint (self->config.profile->endpoint, &address))
        return STAGE_FINE;
    int64_t end = zclock_mono () + s_patience_ms (self);
    while (true) {
        int handle = s_connect_tcp (self->config.profile->endpoint);
        if (handle >= 0) {
            close (handle);
            return STAGE_FINE;
        }
        if (stage_crashed (self, reason))
            return STAGE_DIED;
        if (zclock_mono () >= end)
            break;
        s_turn (self, zclock_mono () + START_POLL_MS);
    }
    *reason = zsys_sprintf ("the broker does not listen on %s",
                            self->config.profile->endpoint);
    return STAGE_DEAF;
}

stage_result_t
stage_start (stage_t *self, process_t process, char **reason)
{
    child_t *child = self->children [process];
    if (child) {
        if (child_runs (child) && !child_ended (child)) {
            *reason = zsys_sprintf ("the %s runs already",
                                    process_text (process));
            return STAGE_TROUBLE;
        }
        stage_note (self, "%s started", process_text (process));
        if (child_start (child)) {
            *reason = zsys_sprintf ("cannot start the %s: %s",
                process_text (process), strerror (errno));
            return STAGE_TROUBLE;
        }
        self->wanted [process] = true;
    }
    //  What else the broker can or cannot do, the steps will show
    if (process == PROCESS_BROKER)
        return s_await_broker (self, reason);
    if (s_probe_titanic (self))
        return STAGE_FINE;
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    *reason = strdup (s_titanic_deaf);
    return STAGE_DEAF;
}

stage_result_t
stage_act (stage_t *self, process_t process, action_t action, char **reason)
{
    static const char *words [] = {
        "killed", "stopped", "started", "paused", "resumed"
    };
    child_t *child = self->children [process];
    assert (child);
    if (action == ACTION_STARTED)
        return stage_start (self, process, reason);
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    stage_note (self, "%s %s", process_text (process), words [action]);
    if (action == ACTION_PAUSED || action == ACTION_RESUMED) {
        child_signal (child, action == ACTION_PAUSED? SIGSTOP: SIGCONT);
        return STAGE_FINE;
    }
    self->wanted [process] = false;
    child_signal (child, action == ACTION_KILLED? SIGKILL: SIGTERM);
    if (child_wait (child, (int) s_patience_ms (self)))
        return STAGE_FINE;
    *reason = zsys_sprintf ("the %s does not end when it gets SIGTERM",
                            process_text (process));
    return STAGE_DEAF;
}

//  --------------------------------------------------------------------------
//  Probes

stage_result_t
stage_probe (stage_t *self, bool titanic, char **reason)
{
    static const actor_t client_actor = { .name = "probe",
                                          .role = ROLE_CLIENT };
    static const actor_t worker_actor = { .name = "prober",
                                          .role = ROLE_WORKER };
    player_t *client = s_enter (self, &client_actor, true);
    player_t *worker = s_enter (self, &worker_actor, true);
    bool served = false;
    if (client && worker)
        served = s_probe_dialogue (self, client, worker);
    if (client)
        s_dismiss (self, client);
    if (worker)
        s_dismiss (self, worker);
    const char *what = "the broker does not pass a request on and its reply "
                       "back";
    if (served && titanic) {
        served = s_probe_titanic (self);
        what = s_titanic_deaf;
    }
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    if (served)
        return STAGE_FINE;
    *reason = strdup (what);
    return STAGE_DEAF;
}

//  --------------------------------------------------------------------------
//  State

static const char *
s_state_directory (const stage_t *self)
{
    return self->config.profile->state
         ? self->config.profile->state: self->config.directory;
}

static char *
s_filler (const stage_t *self)
{
    return zsys_sprintf ("%s/seatrial.filler", s_state_directory (self));
}

int
stage_fill (stage_t *self)
{
    stage_note (self, "state filled");
    char *path = s_filler (self);
    int handle = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    free (path);
    if (handle < 0)
        return -1;
    //  Big pieces first, then bytes, until not one goes in
    static char zeros [65536];
    size_t piece = sizeof zeros;
    while (piece) {
        ssize_t written = write (handle, zeros, piece);
        if (written < 0 && errno != ENOSPC) {
            close (handle);
            return -1;
        }
        if (written < 0)
            piece /= 2;
    }
    close (handle);
    return 0;
}

int
stage_free (stage_t *self)
{
    stage_note (self, "state freed");
    char *path = s_filler (self);
    int rc = unlink (path);
    free (path);
    return rc;
}

int
stage_place (stage_t *self, const char *name)
{
    char *path = zsys_sprintf ("%s/%s", self->config.directory, name);
    FILE *file = fopen (path, "w");
    free (path);
    if (!file)
        return -1;
    fputs ("this file belongs to the harness\n", file);
    return fclose (file);
}

bool
stage_has (stage_t *self, const char *name)
{
    char *path = zsys_sprintf ("%s/%s", self->config.directory, name);
    bool found = access (path, F_OK) == 0;
    free (path);
    return found;
}
