/*  =========================================================================
    daemon - what the servers of this project have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DAEMON_H_INCLUDED
#define DAEMON_H_INCLUDED

#include "../engine/engine.h"

//  An engine ready to run.
typedef struct {
    engine_step_fn *step;
    void *engine;               //  First argument of step
} engine_t;

//  Puts another engine in the place of this one: a wreck keeps the one that it
//  gets and passes events and effects on, with one fault between them. Called
//  once, before the reactor runs. NULL stands for no change.
typedef void (daemon_wrap_fn) (engine_t *engine);

//  Exit statuses of the servers.
enum {
    DAEMON_OK = 0,              //  Stopped by SIGTERM or SIGINT
    DAEMON_FAILED = 1,          //  Cannot run
    DAEMON_USAGE = 2            //  Wrong options
};

#endif
