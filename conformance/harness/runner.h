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
    bool isolated;              //  Each in namespaces of its own; without, one
                                //  scenario after another
    bool confirm;               //  What is not as expected on a busy machine is
                                //  run again
    bool in_order;              //  As the jobs stand; otherwise longest first
    //  Job number index has ended, and its processes have printed the files in
    //  this directory, which will be removed. Called in this process; or NULL.
    void (*ended) (void *argument, size_t index, const char *logs);
    //  A verdict: job number index has this result. False to stop here. Called in
    //  this process.
    bool (*done) (void *argument, size_t index, result_t *result);
    //  Whether job number index came to what was to be expected; NULL: to PASS or
    //  SKIP. Called in this process.
    bool (*expected) (void *argument, size_t index, const result_t *result);
    //  Now and then: names of some scenarios that run
    void (*progress) (void *argument, const char *running);
    void *argument;
} runner_config_t;

typedef enum {
    RUNNER_DONE,                //  All jobs have a verdict
    RUNNER_STOPPED,             //  As done () wanted
    RUNNER_INTERRUPTED,         //  SIGINT or SIGTERM came
    RUNNER_TROUBLE              //  Nothing can be run here
} runner_end_t;

//  Run all jobs. One line on stderr when it is interrupted or in trouble. What has
//  a verdict was told; nothing of what else was started is left.
runner_end_t
    runner_run (const runner_config_t *config, const job_t *jobs, size_t count);

#endif
