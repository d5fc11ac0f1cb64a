/*  =========================================================================
    trial - scenarios run on a target, judged by what is known, and told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <czmq.h>

#include "baseline.h"
#include "keep.h"
#include "outfile.h"
#include "play.h"
#include "port.h"
#include "report.h"
#include "runner.h"
#include "sandbox.h"
#include "schedule.h"
#include "stage.h"
#include "trial.h"
#include "vector.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define REPORTERS_MAX 8
//  So often in a row, from the first scenario on, is no chance
#define DEATHS_MAX 3

typedef struct {
    const reporter_t *table;
    void *state;
    outfile_t *file;            //  NULL for standard output
} told_t;

//  One trial while it runs
typedef struct {
    const run_options_t *options;
    const kit_t *kit;
    const profile_t *profile;
    const scenario_t **scenarios;
    size_t scenario_count;
    bool isolated;
    size_t side_by_side;        //  Scenarios at once
    job_t *jobs;                //  All scenarios, then all again..
    size_t job_count;
    baseline_t *baseline;
    size_t (*verdicts) [VERDICT_BROKEN + 1];    //  How often, by scenario
    summary_t summary;
    int64_t began_ms;
    char started [32];          //  When, in UTC
    told_t reporters [REPORTERS_MAX];
    size_t reporter_count;
    bool broken;                //  Something could not be written
    bool starts;                //  The target has started once
    size_t deaths;              //  How often it died while it started, before that
    size_t deaf;                //  In how many scenarios it served nobody, ever
    char *hopeless;             //  Why it never will; NULL if that is not so
} trial_t;

//  --------------------------------------------------------------------------
//  Telling

//  Which of several runs a job is, from 1; 0 when there is one
static size_t
s_run_number (const trial_t *self, size_t index)
{
    return self->options->repeat > 1? index / self->scenario_count + 1: 0;
}

//  What processes printed, while it is still there
static void
s_ended (void *argument, size_t index, const char *logs)
{
    trial_t *self = (trial_t *) argument;
    if (self->options->keep
    &&  keep_logs (self->options->keep, self->jobs [index].scenario->name,
                   s_run_number (self, index), logs))
        self->broken = true;
}

//  Whether there is any sense in going on: a target that never starts says the same
//  of each scenario
static bool
s_may_start (trial_t *self, const result_t *result)
{
    if (self->starts || result->verdict == VERDICT_SKIP)
        return true;
    if (result->verdict != VERDICT_CRASH || !result->reason
    ||  strncmp (result->reason, PLAY_AT_START, strlen (PLAY_AT_START)))
        self->starts = true;
    else
    if (++self->deaths == DEATHS_MAX)
        result_set (&self->hopeless, result->reason + strlen (PLAY_AT_START));
    return self->deaths < DEATHS_MAX;
}

static bool
s_done (void *argument, size_t index, result_t *result)
{
    trial_t *self = (trial_t *) argument;
    verdict_t strict = self->options->strict && result->verdict == VERDICT_WARN
        ? VERDICT_FAIL: result->verdict;
    size_t run = s_run_number (self, index);
    if (run) {
        char *remark = zsys_sprintf ("run %zu of %zu", run,
                                     self->options->repeat);
        result_add_remark (result, remark);
        free (remark);
    }
    if (result->verdict == VERDICT_HANG && result->reason
    &&  strstr (result->reason, STAGE_NOR_AFRESH))
        self->deaf++;
    baseline_judge (self->baseline, result, strict);
    result->verdict = strict;
    self->verdicts [index % self->scenario_count] [strict]++;
    summary_add (&self->summary, result);
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    if (self->options->keep && result->verdict != VERDICT_SKIP
    &&  keep_result (self->options->keep, result, run))
        self->broken = true;
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++) {
        told_t *told = &self->reporters [nbr];
        if (told->table->result)
            told->table->result (told->state, result, &self->summary);
    }
    return s_may_start (self, result)
        && (!self->options->fail_fast
            || summary_failures (&self->summary) == 0);
}

static void
s_progress (void *argument, const char *running)
{
    trial_t *self = (trial_t *) argument;
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++) {
        told_t *told = &self->reporters [nbr];
        if (told->table->progress)
            told->table->progress (told->state, &self->summary, running);
    }
}

static int
s_columns (void)
{
    struct winsize size;
    if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 80;
}

static void
s_add_reporter (trial_t *self, const reporter_t *table, void *state,
                outfile_t *file)
{
    assert (self->reporter_count < REPORTERS_MAX);
    self->reporters [self->reporter_count++] = (told_t) { table, state, file };
}

//  A report into a file, if one is wanted
static int
s_add_report (trial_t *self, const char *path, const reporter_t *table,
              void *(*open) (const report_config_t *), report_config_t config)
{
    if (!path)
        return 0;
    outfile_t *file = outfile_open (path, stderr);
    if (!file)
        return -1;
    config.out = outfile_stream (file);
    s_add_reporter (self, table, open (&config), file);
    return 0;
}

static int
s_add_reporters (trial_t *self)
{
    const run_options_t *options = self->options;
    time_t now = time (NULL);
    strftime (self->started, sizeof self->started, "%Y-%m-%dT%H:%M:%SZ",
              gmtime (&now));
    bool terminal = isatty (STDOUT_FILENO);
    report_config_t config = { .out = stdout, .terminal = terminal,
        .color = terminal && !getenv ("NO_COLOR"),
        .verbose = options->verbose, .width = s_columns (),
        .catalogue = self->kit->catalogue, .profile = self->profile,
        .conditions = { PACKAGE_VERSION, self->started, options->strict,
                        self->isolated, options->scale, self->side_by_side,
                        options->arguments, options->argument_count } };
    if (options->format && streq (options->format, "tap"))
        s_add_reporter (self, &report_tap, report_tap_new (&config), NULL);
    else
        s_add_reporter (self, &report_console, report_console_new (&config),
                        NULL);
    return s_add_report (self, options->junit, &report_junit, report_junit_new,
                         config)
        || s_add_report (self, options->json, &report_json, report_json_new,
                         config)
        || s_add_report (self, options->html, &report_html, report_html_new,
                         config)? -1: 0;
}

//  The end of all reports; a trial that was not begun leaves no files
static void
s_end_reports (trial_t *self, bool begun)
{
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++) {
        told_t *told = &self->reporters [nbr];
        if (begun && told->table->finished)
            told->table->finished (told->state, &self->summary);
        told->table->destroy (&told->state);
        if (!begun)
            outfile_abandon (&told->file);
        else
        if (told->file && outfile_close (&told->file, stderr))
            self->broken = true;
    }
}

//  A line for each scenario that gave several verdicts
static void
s_find_flaky (trial_t *self)
{
    for (size_t index = 0; index < self->scenario_count; index++) {
        char *line = strdup (self->scenarios [index]->name);
        size_t kinds = 0;
        for (int verdict = 0; verdict <= VERDICT_BROKEN; verdict++) {
            size_t count = self->verdicts [index] [verdict];
            if (count == 0)
                continue;
            char *longer = zsys_sprintf ("%s%s %zu %s", line, kinds? ",": ":",
                count, verdict_text ((verdict_t) verdict));
            free (line);
            line = longer;
            kinds++;
        }
        if (kinds > 1)
            vector_push (self->summary.flaky, self->summary.flaky_count, line);
        else
            free (line);
    }
}

//  --------------------------------------------------------------------------
//  The whole

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

static void
s_make_jobs (trial_t *self)
{
    for (size_t run = 0; run < self->options->repeat; run++)
        for (size_t index = 0; index < self->scenario_count; index++) {
            job_t job = { self->scenarios [index], self->profile };
            vector_push (self->jobs, self->job_count, job);
        }
}

//  Whether all is there that the trial needs; one line when it is not
static bool
s_is_ready (trial_t *self)
{
    char *obstacle = self->isolated? NULL: port_obstacle (self->profile);
    if (obstacle)
        fprintf (stderr, "seatrial: %s\n", obstacle);
    bool ready = !obstacle
        && (!self->options->keep || keep_open (self->options->keep) == 0)
        && s_add_reporters (self) == 0;
    free (obstacle);
    return ready;
}

static size_t
s_side_by_side (const trial_t *self)
{
    if (!self->isolated)
        return 1;
    return self->options->jobs? self->options->jobs
        : schedule_jobs (self->profile->heartbeat_ms, self->options->scale,
                         sysconf (_SC_NPROCESSORS_ONLN));
}

static runner_end_t
s_perform (trial_t *self)
{
    const run_options_t *options = self->options;
    runner_config_t config = { .fixtures = self->kit->fixtures,
        .scale = options->scale, .side_by_side = self->side_by_side,
        .isolated = self->isolated, .confirm = options->repeat == 1,
        .in_order = options->shuffle,
        .ended = s_ended, .done = s_done, .progress = s_progress,
        .argument = self };
    self->summary.total = self->job_count;
    self->began_ms = zclock_mono ();
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++) {
        told_t *told = &self->reporters [nbr];
        if (told->table->started)
            told->table->started (told->state, self->profile->name,
                                  &self->summary);
    }
    runner_end_t end = runner_run (&config, self->jobs, self->job_count);
    self->summary.duration_ms = zclock_mono () - self->began_ms;
    return end;
}

static void
s_write_baseline (trial_t *self, runner_end_t end)
{
    const char *path = self->options->write_baseline;
    if (end == RUNNER_DONE) {
        if (baseline_write (self->baseline, path, stderr))
            self->broken = true;
    }
    else
        fprintf (stderr, "seatrial: %s was not written: not all scenarios were "
                 "run\n", path);
}

static exit_t
s_conclude (const trial_t *self, runner_end_t end)
{
    if (end == RUNNER_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (end == RUNNER_TROUBLE || self->broken)
        return EXIT_BROKEN;
    if (summary_failures (&self->summary))
        return EXIT_UNSEAWORTHY;
    return self->summary.counts [VERDICT_BROKEN]? EXIT_BROKEN: EXIT_SEAWORTHY;
}

exit_t
trial_run (const run_options_t *options, const kit_t *kit,
           const profile_t *profile, const scenario_t **scenarios,
           size_t count)
{
    trial_t self = { .options = options, .kit = kit, .profile = profile,
        .scenarios = scenarios, .scenario_count = count };
    self.baseline = options->baseline
        ? baseline_read (options->baseline, kit->script, stderr)
        : baseline_new ();
    if (!self.baseline)
        return EXIT_USAGE;
    self.isolated = s_is_isolated (options, profile);
    self.side_by_side = s_side_by_side (&self);
    self.verdicts = zmalloc (count * sizeof *self.verdicts);
    s_make_jobs (&self);
    exit_t status = EXIT_BROKEN;
    if (s_is_ready (&self)) {
        runner_end_t end = s_perform (&self);
        s_find_flaky (&self);
        s_end_reports (&self, true);
        if (options->write_baseline)
            s_write_baseline (&self, end);
        if (self.hopeless)
            fprintf (stderr, "seatrial: the target does not start: %s; see what it "
                     "printed, and correct its command in the profile; the rest was "
                     "not run\n", self.hopeless);
        if (self.deaf)
            fprintf (stderr, "seatrial: the broker passes no reply on, not even when it "
                     "has just started, as %zu scenarios found: begin with "
                     "dialogue/echo, for much else follows from that\n", self.deaf);
        status = s_conclude (&self, end);
    }
    else
        s_end_reports (&self, false);
    baseline_destroy (&self.baseline);
    summary_clear (&self.summary);
    free (self.hopeless);
    free (self.verdicts);
    free (self.jobs);
    return status;
}

exit_t
trial_preview (const run_options_t *options, const profile_t *profile,
               const scenario_t **scenarios, size_t count)
{
    bool isolated = s_is_isolated (options, profile);
    int64_t sum_ms = 0;
    summary_t summary = { 0 };
    for (size_t index = 0; index < count; index++) {
        char *obstacle = profile_obstacle (profile, scenarios [index], isolated);
        int64_t estimate_ms = schedule_estimate_ms (scenarios [index], profile,
                                                    options->scale);
        printf ("%-6s %-36s ", obstacle? "SKIP": "run", scenarios [index]->name);
        if (obstacle)
            printf ("%s\n", obstacle);
        else
            printf ("about %.1f s\n", (double) estimate_ms / 1000);
        sum_ms += obstacle? 0: estimate_ms;
        result_t *result = result_new (scenarios [index]->name, NULL);
        result->verdict = obstacle? VERDICT_SKIP: VERDICT_PASS;
        result_set (&result->reason, obstacle);
        summary_add (&summary, result);
        result_destroy (&result);
        free (obstacle);
    }
    printf ("\n%zu would be run on %s, %zu times each, %.0f s one after another; "
            "%zu SKIP\n", summary.counts [VERDICT_PASS], profile->name,
            options->repeat, (double) sum_ms * (double) options->repeat / 1000,
            summary.counts [VERDICT_SKIP]);
    for (size_t index = 0; index < summary.skip_count; index++)
        printf ("skipped %zu: %s\n", summary.skips [index].count,
                summary.skips [index].reason);
    summary_clear (&summary);
    return EXIT_SEAWORTHY;
}
