/*  =========================================================================
    command_run - try a target

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"
#include "report.h"
#include "run_options.h"
#include "runner.h"
#include "sandbox.h"
#include "vector.h"

#define REPORTERS_MAX 2

//  One trial while it runs
typedef struct {
    const run_options_t *options;
    job_t *jobs;
    size_t job_count;
    summary_t summary;
    int64_t began_ms;
    struct {
        const reporter_t *table;
        void *state;
    } reporters [REPORTERS_MAX];
    size_t reporter_count;
} trial_t;

//  --------------------------------------------------------------------------
//  Telling

static void
s_write_transcript (trial_t *self, const result_t *result)
{
    char *path = zsys_sprintf ("%s/%s.txt", self->options->transcripts,
                               result->scenario);
    char *slash = strrchr (path, '/');
    *slash = 0;
    mkdir (path, 0777);
    *slash = '/';
    FILE *file = fopen (path, "w");
    if (file) {
        fprintf (file, "%s  %s\n%s\n", verdict_text (result->verdict),
                 result->scenario, result->transcript? result->transcript: "");
        if (result->output)
            fprintf (file, "%s", result->output);
        fclose (file);
    }
    else
        fprintf (stderr, "seatrial: cannot write %s: %s\n", path,
                 strerror (errno));
    free (path);
}

static void
s_done (void *argument, size_t index, const result_t *result)
{
    trial_t *self = (trial_t *) argument;
    (void) index;
    self->summary.done++;
    self->summary.counts [result->verdict]++;
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    if (self->options->transcripts && result->transcript)
        s_write_transcript (self, result);
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++)
        if (self->reporters [nbr].table->result)
            self->reporters [nbr].table->result (self->reporters [nbr].state,
                                                 result, &self->summary);
}

static void
s_progress (void *argument, const char *running)
{
    trial_t *self = (trial_t *) argument;
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++)
        if (self->reporters [nbr].table->progress)
            self->reporters [nbr].table->progress (self->reporters [nbr].state,
                                                   &self->summary, running);
}

static void
s_add_reporter (trial_t *self, const reporter_t *table, void *state)
{
    self->reporters [self->reporter_count].table = table;
    self->reporters [self->reporter_count++].state = state;
}

static int
s_columns (void)
{
    struct winsize size;
    if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 80;
}

static FILE *
s_add_reporters (trial_t *self, const kit_t *kit)
{
    bool terminal = isatty (STDOUT_FILENO);
    report_config_t config = { .out = stdout, .terminal = terminal,
        .color = terminal && !getenv ("NO_COLOR"),
        .verbose = self->options->verbose, .width = s_columns (),
        .catalogue = kit->catalogue };
    if (self->options->format && streq (self->options->format, "tap"))
        s_add_reporter (self, &report_tap, report_tap_new (&config));
    else
        s_add_reporter (self, &report_console, report_console_new (&config));
    FILE *junit = NULL;
    if (self->options->junit) {
        junit = fopen (self->options->junit, "w");
        if (junit) {
            config.out = junit;
            s_add_reporter (self, &report_junit, report_junit_new (&config));
        }
    }
    return junit;
}

//  --------------------------------------------------------------------------
//  The target

static profile_t *
s_read_profile (run_options_t *options, const kit_t *kit)
{
    if (options->endpoint) {
        const char *heartbeat = options->heartbeat;
        return profile_attach (options->endpoint,
                               heartbeat && atoi (heartbeat) > 0
                               ? atoi (heartbeat): 2500);
    }
    char *path = kit_target_path (kit, options->target? options->target
                                                       : "reference");
    variable_t bin = { "bin", kit->bin };
    variable_t last = { NULL, NULL };
    vector_push (options->variables, options->variable_count, bin);
    vector_push (options->variables, options->variable_count, last);
    profile_t *profile = profile_read (path, options->variables, stderr);
    free (path);
    return profile;
}

//  --------------------------------------------------------------------------
//  The trial

static bool
s_is_isolated (const run_options_t *options, const profile_t *profile)
{
    const char *reason = "it was asked for";
    //  A server that runs already is outside any namespace of ours
    if (profile->attached)
        return false;
    if (!options->no_isolation && sandbox_allowed (&reason))
        return true;
    fprintf (stderr, "seatrial: no namespaces, one scenario after another: "
             "%s\n", reason);
    return false;
}

static int
s_perform (trial_t *self, const kit_t *kit, const profile_t *profile)
{
    const run_options_t *options = self->options;
    FILE *junit = s_add_reporters (self, kit);
    if (options->junit && !junit) {
        fprintf (stderr, "seatrial: cannot write %s: %s\n", options->junit,
                 strerror (errno));
        return EXIT_BROKEN;
    }
    if (options->transcripts && mkdir (options->transcripts, 0777)
    &&  errno != EEXIST) {
        fprintf (stderr, "seatrial: cannot make %s: %s\n",
                 options->transcripts, strerror (errno));
        return EXIT_BROKEN;
    }
    bool isolated = s_is_isolated (options, profile);
    runner_config_t config = { .fixtures = kit->fixtures,
        .scale = options->scale, .strict = options->strict,
        .side_by_side = isolated? options->jobs: 1, .isolated = isolated,
        .done = s_done, .progress = s_progress, .argument = self };
    self->summary.total = self->job_count;
    self->began_ms = zclock_mono ();
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++)
        if (self->reporters [nbr].table->started)
            self->reporters [nbr].table->started (self->reporters [nbr].state,
                profile->name, &self->summary);
    int rc = runner_run (&config, self->jobs, self->job_count);
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++) {
        if (self->reporters [nbr].table->finished)
            self->reporters [nbr].table->finished (self->reporters [nbr].state,
                                                   &self->summary);
        self->reporters [nbr].table->destroy (&self->reporters [nbr].state);
    }
    if (junit && fclose (junit))
        rc = -1;
    const size_t *counts = self->summary.counts;
    if (counts [VERDICT_FAIL] + counts [VERDICT_CRASH] + counts [VERDICT_HANG])
        return EXIT_UNSEAWORTHY;
    return rc || counts [VERDICT_BROKEN]? EXIT_BROKEN: EXIT_SEAWORTHY;
}

int
command_run (int argc, char *argv [])
{
    run_options_t options = { 0 };
    int status = run_options_read (&options, argc, argv);
    if (status >= 0) {
        run_options_clear (&options);
        return status;
    }
    kit_t *kit = kit_new (options.data, stderr);
    profile_t *profile = NULL;
    const scenario_t **scenarios = NULL;
    size_t count = 0;
    status = EXIT_USAGE;
    if (kit && kit->mistakes == 0
    && (profile = s_read_profile (&options, kit))
    && (scenarios = selection_make (options.selection, kit, "run", &count,
                                    stderr))) {
        trial_t trial = { .options = &options };
        for (size_t index = 0; index < count; index++) {
            job_t job = { scenarios [index], profile };
            vector_push (trial.jobs, trial.job_count, job);
        }
        status = s_perform (&trial, kit, profile);
        free (trial.jobs);
    }
    free (scenarios);
    run_options_clear (&options);
    profile_destroy (&profile);
    kit_destroy (&kit);
    return status;
}
