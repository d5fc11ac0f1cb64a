/*  =========================================================================
    stage - the target and all whom the harness plays, while a scenario runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <czmq.h>

#include "inside.h"

//  How much of what a process printed is kept with a verdict, in bytes, and how
//  much is looked through
#define OUTPUT_MAX 4000
#define PRINTED_MAX 1000000
//  How often a process that starts is looked at
#define START_POLL_MS 5

int64_t
stage_scaled_ms (const stage_t *self, double ms)
{
    return (int64_t) (ms * self->config.scale);
}

int64_t
stage_hb_ms (const stage_t *self, double hb)
{
    return stage_scaled_ms (self, hb
                            * (double) self->config.profile->heartbeat_ms);
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

static int64_t
s_now_us (const stage_t *self)
{
    return zclock_usecs () - self->began_us;
}

static void
s_note_beats (stage_t *self)
{
    if (self->beats > BEATS_TOLD) {
        transcript_heartbeats (&self->events, s_now_us (self) / 1000,
                               self->beats - BEATS_TOLD);
        fprintf (self->transcript, "%8s  (%zu more heartbeats, both ways)\n", "",
                 self->beats - BEATS_TOLD);
    }
    self->beats = 0;
}

void
stage_note (stage_t *self, const char *format, ...)
{
    if (self->beats > BEATS_TOLD)
        s_note_beats (self);
    int64_t now_us = s_now_us (self);
    va_list arguments;
    va_start (arguments, format);
    char *text = zsys_vprintf (format, arguments);
    va_end (arguments);
    fprintf (self->transcript, "%8.3f  %s\n", (double) now_us / 1e6, text);
    transcript_note (&self->events, now_us / 1000, text);
    free (text);
}

void
inside_note_name (stage_t *self, const char *old, const char *name)
{
    if (self->beats > BEATS_TOLD)
        s_note_beats (self);
    fprintf (self->transcript, "%8.3f  %s is called %s from here on\n",
             (double) s_now_us (self) / 1e6, old, name);
    transcript_rename (&self->events, old, name);
}

//  The name of a message; a peer or a guest may speak as a worker or as a client
static const char *
s_message_name (const stage_t *self, const player_t *player, bool sent,
                zmsg_t *message)
{
    way_t way = sent? WAY_FROM: WAY_TO;
    const char *version = player->words->version;
    const golden_t *golden = fixtures_recognise (self->config.fixtures, version,
                                                 way, player->role, message);
    if (!golden && (player->kind == ACTOR_PEER || player->kind == ACTOR_GUEST))
        golden = fixtures_recognise (self->config.fixtures, version, way,
                                     player->role == ROLE_WORKER? ROLE_CLIENT
                                                                : ROLE_WORKER,
                                     message);
    return golden? golden->name: NULL;
}

//  Line and entry for a message
static void
s_record (stage_t *self, player_t *player, const char *arrow, zmsg_t *message)
{
    static const char *kinds [] = {
        [ACTOR_CLIENT] = "client", [ACTOR_WORKER] = "worker",
        [ACTOR_PEER] = "peer", [ACTOR_BROKER] = "broker",
        [ACTOR_GUEST] = "guest"
    };
    if (self->beats > BEATS_TOLD)
        s_note_beats (self);
    int64_t now_us = s_now_us (self);
    bool sent = streq (arrow, "->");
    char *frames = notation_frames (message);
    fprintf (self->transcript, "%8.3f  %s %s %s\n", (double) now_us / 1e6,
             player->name, arrow, frames);
    free (frames);
    const char *name = s_message_name (self, player, sent, message);
    entry_t *entry = transcript_message (&self->events, now_us / 1000,
        player->name, kinds [player->kind],
        player->host? player->host->name: "broker", sent);
    entry->name = name? strdup (name): NULL;
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message)) {
        zmsg_t *single = zmsg_new ();
        zmsg_addmem (single, zframe_data (frame), zframe_size (frame));
        char *text = notation_frames (single);
        entry_add_frame (entry, text);
        free (text);
        zmsg_destroy (&single);
    }
}

bool
inside_is (const golden_t *golden, zmsg_t *message)
{
    return pattern_match (&golden->pattern, message, NULL);
}

void
inside_note_message (stage_t *self, player_t *player, const char *arrow,
                     zmsg_t *message)
{
    if (player->quiet)
        return;
    bool beat = (player->kind == ACTOR_WORKER || player->kind == ACTOR_GUEST)
        && inside_is (player->words->heartbeat_in, message);
    if (beat && ++self->beats > BEATS_TOLD)
        return;
    s_record (self, player, arrow, message);
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

transcript_t
stage_take_events (stage_t *self)
{
    transcript_t events = self->events;
    self->events = (transcript_t) { 0 };
    return events;
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
s_golden (const fixtures_t *fixtures, const char *version, const char *name,
          way_t way, role_t role)
{
    const golden_t *golden = fixtures_exact (fixtures, version, name, way,
                                             role);
    assert (golden);
    return golden;
}

static words_t
s_learn (const fixtures_t *fixtures, const char *version)
{
    return (words_t) {
        .version = version,
        .ready = s_golden (fixtures, version, "READY", WAY_FROM, ROLE_WORKER),
        .request = s_golden (fixtures, version, "REQUEST", WAY_TO,
                             ROLE_WORKER),
        .reply = s_golden (fixtures, version, "REPLY", WAY_FROM, ROLE_WORKER),
        .partial = fixtures_exact (fixtures, version, "PARTIAL", WAY_FROM,
                                   ROLE_WORKER),
        .heartbeat_out = s_golden (fixtures, version, "HEARTBEAT", WAY_FROM,
                                   ROLE_WORKER),
        .heartbeat_in = s_golden (fixtures, version, "HEARTBEAT", WAY_TO,
                                  ROLE_WORKER),
        .disconnect_in = s_golden (fixtures, version, "DISCONNECT", WAY_TO,
                                   ROLE_WORKER),
        .disconnect_out = s_golden (fixtures, version, "DISCONNECT", WAY_FROM,
                                    ROLE_WORKER),
        .client_request = s_golden (fixtures, version, "REQUEST", WAY_FROM,
                                    ROLE_CLIENT),
        .client_reply = s_golden (fixtures, version, "REPLY", WAY_TO,
                                  ROLE_CLIENT),
        .mmi_question = fixtures_exact (fixtures, version, "mmi.service",
                                        WAY_FROM, ROLE_CLIENT),
        .mmi_answer = fixtures_exact (fixtures, version, "mmi.service", WAY_TO,
                                      ROLE_CLIENT)
    };
}

const words_t *
inside_words (const stage_t *self, const char *version)
{
    for (size_t index = 0; index < WORDS_MAX; index++)
        if (self->words [index].version
        &&  streq (self->words [index].version, version))
            return &self->words [index];
    return NULL;
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
    const char *const *versions = fixtures_versions (config->fixtures);
    for (size_t index = 0; versions [index] && index < WORDS_MAX; index++)
        self->words [index] = s_learn (config->fixtures, versions [index]);
    self->spoken = inside_words (self, config->version);
    assert (self->spoken);
    sigset_t ended;
    sigemptyset (&ended);
    sigaddset (&ended, SIGCHLD);
    self->signals = signalfd (-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
    assert (self->signals >= 0);
    self->items = (zmq_pollitem_t *) zmalloc (sizeof (zmq_pollitem_t));
    return self;
}

void
stage_destroy (stage_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        stage_t *self = *self_p;
        for (size_t index = 0; index < self->player_count; index++)
            inside_player_destroy (&self->players [index]);
        for (int index = 0; index < PROCESS_COUNT; index++)
            child_destroy (&self->children [index]);
        free (self->players);
        free (self->items);
        close (self->signals);
        fclose (self->transcript);
        free (self->transcript_text);
        transcript_clear (&self->events);
        free (self);
        *self_p = NULL;
    }
}

//  --------------------------------------------------------------------------
//  Processes

//  A client ends by itself; only a signal is a crash. Others must not end.
static bool
s_has_crashed (const stage_t *self, int process)
{
    child_t *child = self->children [process];
    if (!self->wanted [process] || !child_ended (child))
        return false;
    return (process != PROCESS_CLIENT && process != PROCESS_TITANIC_CLIENT)
        || child_status (child) < 0;
}

bool
stage_crashed (stage_t *self, char **reason)
{
    for (int index = 0; index < PROCESS_COUNT; index++) {
        if (!s_has_crashed (self, index))
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

//  A child for the process, as the profile says how to start it
static child_t *
s_prepare (stage_t *self, process_t process, bool slow, zmsg_t *request)
{
    char *command = profile_command (self->config.profile, process, slow,
                                     self->spoken->version, request,
                                     self->config.keys);
    if (!command)
        return NULL;
    char *log = zsys_sprintf ("%s/%s.log", self->config.logs,
                              process_text (process));
    child_destroy (&self->children [process]);
    self->children [process] = child_new (command, self->config.directory,
                                          log);
    free (log);
    free (command);
    return self->children [process];
}

int64_t
inside_patience_ms (const stage_t *self)
{
    int64_t ms = (int64_t) ((double) self->config.profile->start_ms
                          * self->config.scale);
    return ms > PROBE_MS? ms: PROBE_MS;
}

//  A broker that starts is there when its port takes connections
static stage_result_t
s_await_broker (stage_t *self, char **reason)
{
    struct sockaddr_in address;
    if (inside_parse (self->config.profile->endpoint, &address))
        return STAGE_FINE;
    int64_t end = zclock_mono () + inside_patience_ms (self);
    while (true) {
        int handle = inside_connect_tcp (self->config.profile->endpoint);
        if (handle >= 0) {
            close (handle);
            return STAGE_FINE;
        }
        if (stage_crashed (self, reason))
            return STAGE_DIED;
        if (zclock_mono () >= end)
            break;
        inside_turn (self, zclock_mono () + START_POLL_MS);
    }
    *reason = zsys_sprintf ("the broker does not listen on %s",
                            self->config.profile->endpoint);
    return STAGE_DEAF;
}

static stage_result_t
s_launch (stage_t *self, process_t process, bool slow, zmsg_t *request,
          char **reason)
{
    child_t *child = self->children [process];
    if (child && child_runs (child) && !child_ended (child)) {
        *reason = zsys_sprintf ("the %s runs already", process_text (process));
        return STAGE_TROUBLE;
    }
    child = s_prepare (self, process, slow, request);
    if (!child)
        //  It runs already, outside
        return STAGE_FINE;
    stage_note (self, "%s started", process_text (process));
    if (child_start (child)) {
        *reason = zsys_sprintf ("cannot start the %s: %s",
            process_text (process), strerror (errno));
        return STAGE_TROUBLE;
    }
    self->wanted [process] = true;
    return STAGE_FINE;
}

static bool
s_is_host (const stage_t *self)
{
    for (size_t index = 0; index < self->player_count; index++)
        if (self->players [index]->kind == ACTOR_BROKER)
            return true;
    return false;
}

stage_result_t
stage_start (stage_t *self, process_t process, bool slow, char **reason)
{
    self->slow = slow;
    //  Whoever was connected is of an earlier life
    for (size_t index = 0; index < self->player_count; index++)
        host_clear (self->players [index]);
    stage_result_t result = s_launch (self, process, slow, NULL, reason);
    if (result != STAGE_FINE)
        return result;
    //  What else the broker can or cannot do, the steps will show
    if (process == PROCESS_BROKER)
        return s_await_broker (self, reason);
    //  What connects to the harness shows itself there
    if (s_is_host (self) || process != PROCESS_TITANIC)
        return STAGE_FINE;
    return stage_await_titanic (self, reason);
}

stage_result_t
stage_call (stage_t *self, process_t process, zmsg_t *request, char **reason)
{
    return s_launch (self, process, false, request, reason);
}

stage_result_t
stage_await_end (stage_t *self, process_t process, int64_t timeout_ms,
                 int *status, char **reason)
{
    child_t *child = self->children [process];
    int64_t end = zclock_mono () + timeout_ms;
    assert (child);
    while (!child_ended (child) && zclock_mono () < end)
        inside_turn (self, end);
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    if (child_ended (child)) {
        *status = child_status (child);
        stage_note (self, "%s ended with status %d", process_text (process),
                    *status);
        return STAGE_FINE;
    }
    *reason = zsys_sprintf ("the %s does not end", process_text (process));
    return STAGE_DEAF;
}

bool
stage_printed (stage_t *self, process_t process, const void *text, size_t size)
{
    char *output = child_output (self->children [process], PRINTED_MAX);
    bool found = memmem (output, strlen (output), text, size) != NULL;
    free (output);
    return found;
}

bool
stage_is_down (const stage_t *self)
{
    for (int index = PROCESS_BROKER; index <= PROCESS_TITANIC; index++)
        if (self->children [index] && !self->wanted [index])
            return true;
    return false;
}

void
stage_resume (stage_t *self)
{
    for (int index = 0; index < PROCESS_COUNT; index++)
        if (self->children [index])
            child_resume (self->children [index]);
}

stage_result_t
stage_act (stage_t *self, process_t process, action_t action, char **reason)
{
    static const char *words [] = {
        "killed", "stopped", "started", "paused", "resumed"
    };
    child_t *child = self->children [process];
    assert (child);
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    stage_note (self, "%s %s", process_text (process), words [action]);
    if (action == ACTION_PAUSED || action == ACTION_RESUMED) {
        (action == ACTION_PAUSED? child_pause: child_resume) (child);
        return STAGE_FINE;
    }
    self->wanted [process] = false;
    child_signal (child, action == ACTION_KILLED? SIGKILL: SIGTERM);
    if (child_wait (child, (int) inside_patience_ms (self)))
        return STAGE_FINE;
    *reason = zsys_sprintf ("the %s does not end when it gets SIGTERM",
                            process_text (process));
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
        //  A slow disk is no reason to leave peers without heartbeats
        inside_turn (self, 0);
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
