/*  =========================================================================
    runner - runs scenarios side by side, each in a process of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef RUNNER_H_INCLUDED
#define RUNNER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "fixture.h"
#include "profile.h"
#include "result.h"
#include "script.h"

//  One scenario on one target. Both are borrowed.
typedef struct {
    const scenario_t *scenario;
    const profile_t *profile;
} job_t;

typedef struct {
    const fixtures_t *fixtures;
    double scale;               //  All times are multiplied by this
    size_t side_by_side;        //  How many scenarios may run at once
    bool isolated;              //  Each in namespaces of its own
    bool strict;                //  A broken SHOULD is a FAIL
    //  A verdict: job number index has this result. Called in this process.
    void (*done) (void *argument, size_t index, const result_t *result);
    //  Now and then: names of some scenarios that run
    void (*progress) (void *argument, const char *running);
    void *argument;
} runner_config_t;

//  Run all jobs. 0, or -1 after one line on stderr: nothing can be run here, or
//  SIGINT or SIGTERM came; what had a verdict before that was told.
int
    runner_run (const runner_config_t *config, const job_t *jobs, size_t count);

#endif
