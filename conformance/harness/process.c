/*  =========================================================================
    process - the target's processes: start, stop, kill, pause, resume

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <czmq.h>

#include "process.h"

struct _child_t {
    char *command;              //  For /bin/sh
    char *directory;            //  Where it runs
    char *log;                  //  Where its output goes
    pid_t pid;                  //  0 while it does not run
    bool paused;                //  It was told to stand still
    int status;                 //  As waitpid gave it, once it has ended
};

//  A single program takes the shell's place, so that signals and statuses are its
//  own; NAME=VALUE may stand before it
static char *
s_shell_command (const char *command)
{
    if (strpbrk (command, ";&|\n"))
        return strdup (command);
    const char *word = command + strspn (command, " ");
    if (strncmp (word, "exec ", strlen ("exec ")) == 0)
        return strdup (command);
    bool assigns = memchr (word, '=', strcspn (word, " '\"/")) != NULL;
    return zsys_sprintf ("exec %s%s", assigns? "env ": "", command);
}

child_t *
child_new (const char *command, const char *directory, const char *log)
{
    child_t *self = (child_t *) zmalloc (sizeof (child_t));
    self->command = s_shell_command (command);
    self->directory = strdup (directory);
    self->log = strdup (log);
    return self;
}

void
child_destroy (child_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        child_t *self = *self_p;
        if (self->pid) {
            child_signal (self, SIGKILL);
            child_wait (self, 1000);
        }
        free (self->command);
        free (self->directory);
        free (self->log);
        free (self);
        *self_p = NULL;
    }
}

//  The words of a command that has nothing for a shell in it and names a program by
//  its path; NULL for another one. Free the array, and its first word alone.
static char **
s_words (const char *command)
{
    static const char plain [] = "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._:,+@%-";
    if (command [strspn (command, plain)]
    ||  strncmp (command, "exec /", strlen ("exec /")))
        return NULL;
    char *text = strdup (command + strlen ("exec "));
    char **words = (char **) zmalloc ((strlen (text) + 1) * sizeof (char *));
    char *rest = text;
    char *word;
    size_t count = 0;
    while ((word = strsep (&rest, " ")))
        if (*word)
            words [count++] = word;
    //  What is not there is for the shell to tell
    if (access (words [0], X_OK) == 0)
        return words;
    free (text);
    free (words);
    return NULL;
}

//  What the new process finds open, and where it is
static int
s_prepare (child_t *self, posix_spawn_file_actions_t *actions,
           posix_spawnattr_t *attributes)
{
    sigset_t none, usual;
    sigemptyset (&none);
    sigemptyset (&usual);
    sigaddset (&usual, SIGPIPE);
    sigaddset (&usual, SIGINT);
    sigaddset (&usual, SIGTERM);
    int rc = posix_spawn_file_actions_addopen (actions, STDIN_FILENO, "/dev/null",
                                               O_RDONLY, 0);
    rc = rc? rc: posix_spawn_file_actions_addopen (
        actions, STDOUT_FILENO, self->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    rc = rc? rc: posix_spawn_file_actions_adddup2 (actions, STDOUT_FILENO,
                                                   STDERR_FILENO);
    rc = rc? rc: posix_spawn_file_actions_addclosefrom_np (actions, 3);
    rc = rc? rc: posix_spawn_file_actions_addchdir_np (actions, self->directory);
    rc = rc? rc: posix_spawnattr_setsigmask (attributes, &none);
    rc = rc? rc: posix_spawnattr_setsigdefault (attributes, &usual);
    rc = rc? rc: posix_spawnattr_setpgroup (attributes, 0);
    return rc? rc: posix_spawnattr_setflags (
        attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
                    | POSIX_SPAWN_SETPGROUP);
}

//  Spawned, not forked: nothing of the harness is copied for it
int
child_start (child_t *self)
{
    assert (self->pid == 0);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init (&actions);
    posix_spawnattr_init (&attributes);
    char *shell [] = { "/bin/sh", "-c", self->command, NULL };
    char **words = s_words (self->command);
    char **arguments = words? words: shell;
    int rc = s_prepare (self, &actions, &attributes);
    if (rc == 0)
        rc = posix_spawn (&self->pid, arguments [0], &actions, &attributes,
                          arguments, environ);
    if (rc)
        self->pid = 0;
    posix_spawn_file_actions_destroy (&actions);
    posix_spawnattr_destroy (&attributes);
    if (words)
        free (words [0]);
    free (words);
    errno = rc;
    return rc? -1: 0;
}

void
child_signal (child_t *self, int signal)
{
    if (self->pid)
        kill (-self->pid, signal);
}

void
child_pause (child_t *self)
{
    if (!self->pid)
        return;
    child_signal (self, SIGSTOP);
    //  Until all its threads stand still; what it came to is left for child_ended
    siginfo_t info;
    waitid (P_PID, (id_t) self->pid, &info, WSTOPPED | WEXITED | WNOWAIT);
    self->paused = true;
}

void
child_resume (child_t *self)
{
    if (self->paused)
        child_signal (self, SIGCONT);
    self->paused = false;
}

bool
child_ended (child_t *self)
{
    if (self->pid && waitpid (self->pid, &self->status, WNOHANG)
                  == self->pid)
        self->pid = 0;
    return self->pid == 0;
}

bool
child_wait (child_t *self, int timeout_ms)
{
    int64_t end = zclock_mono () + timeout_ms;
    while (!child_ended (self) && zclock_mono () < end)
        zclock_sleep (2);
    return self->pid == 0;
}

bool
child_runs (const child_t *self)
{
    return self->pid != 0;
}

int
child_status (const child_t *self)
{
    return WIFSIGNALED (self->status)? -WTERMSIG (self->status)
                                     : WEXITSTATUS (self->status);
}

char *
child_fate (const child_t *self)
{
    if (WIFSIGNALED (self->status))
        return zsys_sprintf ("was killed by signal %d (%s)",
            WTERMSIG (self->status), strsignal (WTERMSIG (self->status)));
    return zsys_sprintf ("exited with status %d", WEXITSTATUS (self->status));
}

char *
child_output (const child_t *self, size_t size)
{
    char *text = (char *) zmalloc (size + 1);
    FILE *file = fopen (self->log, "r");
    if (!file)
        return text;
    if (fseek (file, -(long) size, SEEK_END))
        rewind (file);
    size = fread (text, 1, size, file);
    text [size] = 0;
    fclose (file);
    return text;
}
