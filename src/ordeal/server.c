/*  =========================================================================
    server - a server as a child process, to be killed

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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ordeal.h"

//  In the child: never returns
static void
s_become (const server_t *self)
{
    //  It must not outlive us, however we end
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
    int log = open (self->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0) {
        dup2 (log, STDOUT_FILENO);
        dup2 (log, STDERR_FILENO);
    }
    execv (self->arguments [0], (char *const *) self->arguments);
    dprintf (STDERR_FILENO, "ordeal: cannot run %s: %s; build it\n",
             self->arguments [0], strerror (errno));
    _exit (127);
}

int
server_start (server_t *self)
{
    self->pid = fork ();
    if (self->pid == 0)
        s_become (self);
    if (self->pid > 0)
        return 0;
    self->pid = 0;
    return -1;
}

void
server_kill (server_t *self)
{
    if (self->pid == 0)
        return;
    kill (self->pid, SIGKILL);
    while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR);
    self->pid = 0;
    self->kills++;
}

bool
server_has_ended (server_t *self, int *status)
{
    if (self->pid == 0 || waitpid (self->pid, status, WNOHANG) != self->pid)
        return false;
    self->pid = 0;
    return true;
}
