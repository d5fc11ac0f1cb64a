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

//  In the new process: never returns
static void
s_become (child_t *self)
{
    setpgid (0, 0);
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
    signal (SIGPIPE, SIG_DFL);
    signal (SIGINT, SIG_DFL);
    signal (SIGTERM, SIG_DFL);
    int log = open (self->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int none_in = open ("/dev/null", O_RDONLY);
    if (log >= 0 && none_in >= 0 && chdir (self->directory) == 0) {
        dup2 (none_in, STDIN_FILENO);
        dup2 (log, STDOUT_FILENO);
        dup2 (log, STDERR_FILENO);
        closefrom (3);
        execl ("/bin/sh", "sh", "-c", self->command, (char *) NULL);
    }
    _exit (127);
}

int
child_start (child_t *self)
{
    assert (self->pid == 0);
    pid_t pid = fork ();
    if (pid < 0)
        return -1;
    if (pid == 0)
        s_become (self);
    //  Both sides do it, so that it is done whoever comes first
    setpgid (pid, pid);
    self->pid = pid;
    return 0;
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
