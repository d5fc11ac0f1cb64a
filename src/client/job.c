/*  =========================================================================
    job - a shell command that carries out one request

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "job.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

//  Longest output, as long as the longest frame that servers take.
#define OUTPUT_BYTES_MAX 16777216

//  How long a command that is told to end may take, and how often it is looked
//  whether it did.
#define POLITENESS_MS 1000
#define LOOK_MS 10

//  At a time; a pipe holds as much.
#define CHUNK_BYTES 65536

struct _job_t {
    const job_settings_t *settings;
    pid_t pid;                  //  0 when it does not run
    int to_fd, from_fd;         //  Its standard input and output, -1 when closed
    zchunk_t *input;            //  All that it gets
    size_t written;             //  Of it
    zchunk_t *output;           //  All that it said
    char reason [80];           //  Why it failed, empty if it did not
};

static void
s_close (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

static bool
s_is_gone (const job_t *self)
{
    return waitpid (self->pid, NULL, WNOHANG) == self->pid;
}

//  At once if politeness_ms is 0; otherwise it is asked first.
static void
s_kill (job_t *self, int64_t politeness_ms)
{
    if (self->pid == 0)
        return;
    bool gone = false;
    int64_t until_ms = zclock_mono () + politeness_ms;
    if (politeness_ms)
        kill (-self->pid, SIGTERM);
    while (!(gone = s_is_gone (self)) && zclock_mono () < until_ms)
        zclock_sleep (LOOK_MS);
    if (!gone) {
        kill (-self->pid, SIGKILL);
        waitpid (self->pid, NULL, 0);
    }
    self->pid = 0;
}

//  What the child does between fork and exec: standard input and output, a
//  process group of its own, signals as nobody had touched them.
static int
s_spawn (pid_t *pid, char *const *argv, int input_fd, int output_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset (&none);
    sigemptyset (&usual);
    sigaddset (&usual, SIGPIPE);
    sigaddset (&usual, SIGINT);
    sigaddset (&usual, SIGTERM);
    posix_spawn_file_actions_init (&actions);
    posix_spawnattr_init (&attributes);
    posix_spawn_file_actions_adddup2 (&actions, input_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2 (&actions, output_fd, STDOUT_FILENO);
    posix_spawnattr_setpgroup (&attributes, 0);
    posix_spawnattr_setsigmask (&attributes, &none);
    posix_spawnattr_setsigdefault (&attributes, &usual);
    posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETPGROUP
                              | POSIX_SPAWN_SETSIGMASK
                              | POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawn (pid, "/bin/sh", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy (&attributes);
    posix_spawn_file_actions_destroy (&actions);
    return rc;
}

//  sh -c COMMAND mdpworker FRAME...; NULL with self->reason.
static char **
s_arguments (job_t *self, zmsg_t *request)
{
    size_t frames = self->settings->arguments? zmsg_size (request): 0;
    char **argv = calloc (frames + 5, sizeof (char *));
    if (!argv)
        return NULL;
    argv [0] = strdup ("sh");
    argv [1] = strdup ("-c");
    argv [2] = strdup (self->settings->command);
    argv [3] = strdup ("mdpworker");
    zframe_t *frame = zmsg_first (request);
    for (size_t index = 0; index < frames; index++) {
        if (memchr (zframe_data (frame), 0, zframe_size (frame)))
            snprintf (self->reason, sizeof self->reason,
                      "a frame with a NUL cannot be an argument");
        argv [index + 4] = zframe_strdup (frame);
        frame = zmsg_next (request);
    }
    return argv;
}

static void
s_free_arguments (char **argv)
{
    for (size_t index = 0; argv && argv [index]; index++)
        free (argv [index]);
    free (argv);
}

static void
s_start (job_t *self, zmsg_t *request)
{
    char **argv = s_arguments (self, request);
    int input [2] = { -1, -1 }, output [2] = { -1, -1 };
    int rc = 0;
    if (!argv)
        rc = ENOMEM;
    else
    if (*self->reason == 0) {
        if (pipe2 (input, O_CLOEXEC) || pipe2 (output, O_CLOEXEC))
            rc = errno;
        else
            rc = s_spawn (&self->pid, argv, input [0], output [1]);
    }
    if (rc) {
        self->pid = 0;
        snprintf (self->reason, sizeof self->reason, "cannot be started: %s",
                  strerror (rc));
    }
    s_close (&input [0]);
    s_close (&output [1]);
    self->to_fd = input [1];
    self->from_fd = output [0];
    if (self->pid == 0) {
        s_close (&self->to_fd);
        s_close (&self->from_fd);
    }
    else {
        fcntl (self->to_fd, F_SETFL, O_NONBLOCK);
        fcntl (self->from_fd, F_SETFL, O_NONBLOCK);
    }
    s_free_arguments (argv);
}

job_t *
job_new (const job_settings_t *settings, zmsg_t *request)
{
    assert (settings && request);
    job_t *self = calloc (1, sizeof (job_t));
    if (!self)
        return NULL;
    self->settings = settings;
    self->to_fd = self->from_fd = -1;
    self->input = zchunk_new (NULL, 0);
    self->output = zchunk_new (NULL, 0);
    if (!self->input || !self->output) {
        job_destroy (&self);
        return NULL;
    }
    if (!settings->arguments)
        for (zframe_t *frame = zmsg_first (request); frame;
             frame = zmsg_next (request))
            zchunk_extend (self->input, zframe_data (frame),
                           zframe_size (frame));
    s_start (self, request);
    return self;
}

void
job_destroy (job_t **self_p)
{
    assert (self_p);
    job_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    s_close (&self->to_fd);
    s_close (&self->from_fd);
    s_kill (self, POLITENESS_MS);
    zchunk_destroy (&self->input);
    zchunk_destroy (&self->output);
    free (self);
}

size_t
job_poll (const job_t *self, zmq_pollitem_t *items)
{
    size_t count = 0;
    if (self->to_fd >= 0)
        items [count++] = (zmq_pollitem_t) {
            .fd = self->to_fd, .events = ZMQ_POLLOUT
        };
    if (self->from_fd >= 0)
        items [count++] = (zmq_pollitem_t) {
            .fd = self->from_fd, .events = ZMQ_POLLIN
        };
    return count;
}

bool
job_is_ending (const job_t *self)
{
    return self->from_fd < 0;
}

//  A command need not read its input: that it has closed it is no failure.
static void
s_write (job_t *self)
{
    while (self->to_fd >= 0) {
        size_t left = zchunk_size (self->input) - self->written;
        ssize_t size = left? write (self->to_fd, zchunk_data (self->input)
                                    + self->written, left): 0;
        if (size > 0)
            self->written += (size_t) size;
        else
        if (left && errno == EAGAIN)
            return;
        else
        if (!left || errno != EINTR)
            s_close (&self->to_fd);
    }
}

static void
s_read (job_t *self)
{
    char buffer [CHUNK_BYTES];
    while (self->from_fd >= 0) {
        ssize_t size = read (self->from_fd, buffer, sizeof buffer);
        if (size < 0 && errno == EAGAIN)
            return;
        if (size < 0 && errno == EINTR)
            continue;
        if (size > 0)
            zchunk_extend (self->output, buffer, (size_t) size);
        if (size <= 0)
            s_close (&self->from_fd);
        else
        if (zchunk_size (self->output) > OUTPUT_BYTES_MAX) {
            snprintf (self->reason, sizeof self->reason,
                      "more than %d bytes of output", OUTPUT_BYTES_MAX);
            s_close (&self->from_fd);
            s_kill (self, 0);
        }
    }
}

//  True when it has ended.
static bool
s_reap (job_t *self)
{
    int status;
    if (self->pid && waitpid (self->pid, &status, WNOHANG) == self->pid) {
        self->pid = 0;
        if (WIFSIGNALED (status))
            snprintf (self->reason, sizeof self->reason, "ended by signal %d",
                      WTERMSIG (status));
        else
        if (WEXITSTATUS (status))
            snprintf (self->reason, sizeof self->reason, "exit status %d",
                      WEXITSTATUS (status));
    }
    return self->pid == 0;
}

bool
job_step (job_t *self)
{
    s_write (self);
    s_read (self);
    if (self->from_fd >= 0 || !s_reap (self))
        return false;
    s_close (&self->to_fd);
    return true;
}

//  A last line need not be ended.
static void
s_add_lines (zmsg_t *reply, const char *data, size_t size)
{
    while (size) {
        const char *end = memchr (data, '\n', size);
        size_t line = end? (size_t) (end - data): size;
        zmsg_addmem (reply, data, line);
        data += end? line + 1: line;
        size -= end? line + 1: line;
    }
}

zmsg_t *
job_reply (job_t *self, bool *good)
{
    *good = *self->reason == 0;
    zmsg_t *reply = zmsg_new ();
    const char *output = (const char *) zchunk_data (self->output);
    size_t size = zchunk_size (self->output);
    if (!*good) {
        zmsg_addstr (reply, "500");
        zmsg_addstr (reply, self->reason);
    }
    else
    if (self->settings->lines && size)
        s_add_lines (reply, output, size);
    else
        zmsg_addmem (reply, output, size);
    return reply;
}
