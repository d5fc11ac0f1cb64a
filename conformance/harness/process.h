/*  =========================================================================
    process - the target's processes: start, stop, kill, pause, resume

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PROCESS_H_INCLUDED
#define PROCESS_H_INCLUDED

#include <stdbool.h>
#include <sys/types.h>

//  A process of the target, in a process group of its own.
typedef struct _child_t child_t;

//  command is for /bin/sh; it runs in directory, and what it prints is appended
//  to the file log. It is not started yet. All is copied.
child_t *
    child_new (const char *command, const char *directory, const char *log);

//  Kills it if it runs.
void
    child_destroy (child_t **self_p);

//  0, or -1 with errno.
int
    child_start (child_t *self);

//  Send a signal to its whole group.
void
    child_signal (child_t *self, int signal);

//  Let all of it stand still, at once and for sure; and let it go on, if it was.
void
    child_pause (child_t *self);
void
    child_resume (child_t *self);

//  Look whether it has ended; does not wait. It stays so until it is started
//  again.
bool
    child_ended (child_t *self);

//  Wait for the end for at most so long. Whether it has ended.
bool
    child_wait (child_t *self, int timeout_ms);

//  Whether it has been started and nobody has seen it end.
bool
    child_runs (const child_t *self);

//  With which status it ended; the negative number of the signal that ended it.
int
    child_status (const child_t *self);

//  How it ended: "killed by signal 6 (Aborted)", "exited with status 1"; fresh.
char *
    child_fate (const child_t *self);

//  The last lines that it printed, at most so many bytes; fresh, "" if none.
char *
    child_output (const child_t *self, size_t size);

#endif
