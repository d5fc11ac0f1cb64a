/*  =========================================================================
    job - a shell command that carries out one request

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef JOB_H_INCLUDED
#define JOB_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <czmq.h>

//  How frames and the command come together.
typedef struct {
    const char *command;        //  For sh -c
    bool arguments;             //  Frames are $1 and on; otherwise all of them
                                //  are the standard input, one after the other
    bool lines;                 //  A frame of the reply is a line of the output;
                                //  otherwise there is one, which is all of it
} job_settings_t;

typedef struct _job_t job_t;

//  Start the command for a request; settings must outlive it. NULL when memory
//  is out. A command that cannot be started is a job that has failed.
job_t *
    job_new (const job_settings_t *settings, zmsg_t *request);

//  If the command still runs, end it and all that it started: SIGTERM, and after a
//  second SIGKILL.
void
    job_destroy (job_t **self_p);

//  Put what is to be polled into items, of which there are at least two free.
//  How many were used.
size_t
    job_poll (const job_t *self, zmq_pollitem_t *items);

//  Whether job_step must be called soon though nothing can be polled.
bool
    job_is_ending (const job_t *self);

//  Write and read what can be. True when the command has ended.
bool
    job_step (job_t *self);

//  The reply of a command that has ended, for the caller to destroy: its output
//  if its exit status was 0; otherwise two frames, "500" and a line that says
//  why. Whether it is the one or the other is in *good.
zmsg_t *
    job_reply (job_t *self, bool *good);

#endif
