/*  =========================================================================
    command_run - try a target

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <fnmatch.h>
#include <getopt.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"
#include "report.h"
#include "runner.h"
#include "sandbox.h"
#include "vector.h"

#define REPORTERS_MAX 2
//  Scenarios mostly wait, so many may wait side by side
#define JOBS_A_CORE 6
#define JOBS_MAX 64

static const char s_help [] =
"usage: seatrial run [OPTION].. [SCENARIO]..\n"
"Try a target with all scenarios, or with those whose names match: a name such\n"
"as presence/mute-worker, or a pattern such as 'presence/*'.\n"
"\n"
"What is tried:\n"
"  -t, --target TARGET       profile: a path, or a name in conformance/targets\n"
"                            (reference)\n"
"  -e, --endpoint ENDPOINT   instead: a broker that runs already\n"
"  -b, --heartbeat MS        with --endpoint: its heartbeat interval (2500)\n"
"  -D, --define NAME=VALUE   value for ${NAME} in the profile\n"
"How:\n"
"  -j, --jobs N              scenarios side by side (6 a core)\n"
"  -s, --time-scale X        multiply all times by X (1)\n"
"      --strict              a broken SHOULD counts like a MUST\n"
"      --no-isolation        no namespaces; one scenario after another\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"What is told:\n"
"  -f, --format FORMAT       console or tap (console)\n"
"      --junit FILE          write JUnit XML too\n"
"      --transcripts DIR     write the transcript of each scenario there\n"
"  -v, --verbose             show transcripts of what passes too\n"
"  -h, --help\n"
"\n"
"Exit status: 0 seaworthy, 1 not, 2 wrong use, 3 broken environment.\n";

//  What the command line says
typedef struct {
    const char *target;
    const char *endpoint;
    const char *heartbeat;
    const char *data;
    const char *format;
    const char *junit;
    const char *transcripts;
    size_t jobs;
    double scale;
    bool strict, no_isolation, verbose;
    variable_t *variables;
    size_t variable_count;
} settings_t;

//  One trial while it runs
typedef struct {
    const settings_t *settings;
    const job_t *jobs;
    summary_t summary;
    int64_t began_ms;
    struct {
        const reporter_t *table;
        void *state;
    } reporters [REPORTERS_MAX];
    size_t reporter_count;
} trial_t;

static int
s_usage (const char *format, const char *detail)
{
    fprintf (stderr, "seatrial run: ");
    fprintf (stderr, format, detail);
    fprintf (stderr, "; see seatrial run --help\n");
    return EXIT_USAGE;
}

//  NAME=VALUE; cuts the argument in two
static int
s_define (settings_t *settings, char *argument)
{
    char *equals = strchr (argument, '=');
    if (!equals)
        return s_usage ("--define needs NAME=VALUE, not %s", argument);
    *equals = 0;
    variable_t variable = { argument, equals + 1 };
    vector_push (settings->variables, settings->variable_count, variable);
    return 0;
}

static int
s_read_numbers (settings_t *settings, const char *jobs, const char *scale)
{
    char *end;
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    settings->jobs = (size_t) (cores > 0? cores: 1) * JOBS_A_CORE;
    if (jobs) {
        settings->jobs = strtoul (jobs, &end, 10);
        if (*end || settings->jobs < 1 || settings->jobs > JOBS_MAX)
            return s_usage ("--jobs is a number from 1 to 64, not %s", jobs);
    }
    settings->scale = 1;
    if (scale) {
        settings->scale = strtod (scale, &end);
        if (*end || !(settings->scale > 0.01 && settings->scale < 1000))
            return s_usage ("--time-scale is a number such as 2.5, not %s",
                            scale);
    }
    return 0;
}

enum { OPTION_STRICT = 256, OPTION_NO_ISOLATION, OPTION_DATA, OPTION_JUNIT,
       OPTION_TRANSCRIPTS };

static const struct option s_options [] = {
    { "target", required_argument, NULL, 't' },
    { "endpoint", required_argument, NULL, 'e' },
    { "heartbeat", required_argument, NULL, 'b' },
    { "define", required_argument, NULL, 'D' },
    { "jobs", required_argument, NULL, 'j' },
    { "time-scale", required_argument, NULL, 's' },
    { "strict", no_argument, NULL, OPTION_STRICT },
    { "no-isolation", no_argument, NULL, OPTION_NO_ISOLATION },
    { "data", required_argument, NULL, OPTION_DATA },
    { "format", required_argument, NULL, 'f' },
    { "junit", required_argument, NULL, OPTION_JUNIT },
    { "transcripts", required_argument, NULL, OPTION_TRANSCRIPTS },
    { "verbose", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 }
};

//  -1 to go on, else an exit status
static int
s_read_settings (settings_t *settings, int argc, char *argv [])
{
    const char *jobs = NULL;
    const char *scale = NULL;
    int option;
    while ((option = getopt_long (argc, argv, "t:e:b:D:j:s:f:vh", s_options,
                                  NULL)) != -1) {
        switch (option) {
            case 't': settings->target = optarg; break;
            case 'e': settings->endpoint = optarg; break;
            case 'b': settings->heartbeat = optarg; break;
            case 'j': jobs = optarg; break;
            case 's': scale = optarg; break;
            case 'f': settings->format = optarg; break;
            case 'v': settings->verbose = true; break;
            case OPTION_STRICT: settings->strict = true; break;
            case OPTION_NO_ISOLATION: settings->no_isolation = true; break;
            case OPTION_DATA: settings->data = optarg; break;
            case OPTION_JUNIT: settings->junit = optarg; break;
            case OPTION_TRANSCRIPTS: settings->transcripts = optarg; break;
            case 'D':
                if (s_define (settings, optarg))
                    return EXIT_USAGE;
                break;
            case 'h':
                fputs (s_help, stdout);
                return EXIT_SEAWORTHY;
            default:
                fprintf (stderr, "see seatrial run --help\n");
                return EXIT_USAGE;
        }
    }
    if (settings->format && !streq (settings->format, "console")
    &&  !streq (settings->format, "tap"))
        return s_usage ("--format is console or tap, not %s",
                        settings->format);
    return s_read_numbers (settings, jobs, scale)? EXIT_USAGE: -1;
}

//  --------------------------------------------------------------------------
//  Telling

static void
s_write_transcript (trial_t *self, const result_t *result)
{
    char *path = zsys_sprintf ("%s/%s.txt", self->settings->transcripts,
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
    if (self->settings->transcripts && result->transcript)
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
        .verbose = self->settings->verbose, .width = s_columns (),
        .catalogue = kit->catalogue };
    if (self->settings->format && streq (self->settings->format, "tap"))
        s_add_reporter (self, &report_tap, report_tap_new (&config));
    else
        s_add_reporter (self, &report_console, report_console_new (&config));
    FILE *junit = NULL;
    if (self->settings->junit) {
        junit = fopen (self->settings->junit, "w");
        if (junit) {
            config.out = junit;
            s_add_reporter (self, &report_junit, report_junit_new (&config));
        }
    }
    return junit;
}

//  --------------------------------------------------------------------------
//  Selecting

static bool
s_is_selected (const scenario_t *scenario, char *names [], int count)
{
    for (int index = 0; index < count; index++)
        if (fnmatch (names [index], scenario->name, 0) == 0)
            return true;
    return count == 0;
}

static int
s_select (const kit_t *kit, const profile_t *profile, char *names [],
          int count, job_t **jobs, size_t *job_count)
{
    for (size_t index = 0; index < script_size (kit->script); index++) {
        job_t job = { script_at (kit->script, index), profile };
        if (s_is_selected (job.scenario, names, count))
            vector_push (*jobs, *job_count, job);
    }
    for (int nbr = 0; nbr < count; nbr++) {
        bool found = false;
        for (size_t index = 0; index < *job_count; index++)
            if (fnmatch (names [nbr], (*jobs) [index].scenario->name, 0) == 0)
                found = true;
        if (!found) {
            fprintf (stderr, "seatrial run: no scenario is called %s; see "
                     "seatrial list\n", names [nbr]);
            return -1;
        }
    }
    return 0;
}

static profile_t *
s_read_profile (settings_t *settings, const kit_t *kit)
{
    if (settings->endpoint) {
        const char *heartbeat = settings->heartbeat;
        return profile_attach (settings->endpoint,
                               heartbeat && atoi (heartbeat) > 0
                               ? atoi (heartbeat): 2500);
    }
    char *path = kit_target_path (kit, settings->target? settings->target
                                                       : "reference");
    variable_t bin = { "bin", kit->bin };
    variable_t last = { NULL, NULL };
    vector_push (settings->variables, settings->variable_count, bin);
    vector_push (settings->variables, settings->variable_count, last);
    profile_t *profile = profile_read (path, settings->variables, stderr);
    free (path);
    return profile;
}

//  --------------------------------------------------------------------------
//  The trial

static bool
s_is_isolated (const settings_t *settings, const profile_t *profile)
{
    const char *reason = "it was asked for";
    //  A server that runs already is outside any namespace of ours
    if (profile->attached)
        return false;
    if (!settings->no_isolation && sandbox_allowed (&reason))
        return true;
    fprintf (stderr, "seatrial: no namespaces, one scenario after another: "
             "%s\n", reason);
    return false;
}

static int
s_perform (trial_t *self, const kit_t *kit, const profile_t *profile,
           size_t count)
{
    const settings_t *settings = self->settings;
    FILE *junit = s_add_reporters (self, kit);
    if (settings->junit && !junit) {
        fprintf (stderr, "seatrial: cannot write %s: %s\n", settings->junit,
                 strerror (errno));
        return EXIT_BROKEN;
    }
    if (settings->transcripts && mkdir (settings->transcripts, 0777)
    &&  errno != EEXIST) {
        fprintf (stderr, "seatrial: cannot make %s: %s\n",
                 settings->transcripts, strerror (errno));
        return EXIT_BROKEN;
    }
    bool isolated = s_is_isolated (settings, profile);
    runner_config_t config = { .fixtures = kit->fixtures,
        .scale = settings->scale, .strict = settings->strict,
        .side_by_side = isolated? settings->jobs: 1, .isolated = isolated,
        .done = s_done, .progress = s_progress, .argument = self };
    self->summary.total = count;
    self->began_ms = zclock_mono ();
    for (size_t nbr = 0; nbr < self->reporter_count; nbr++)
        if (self->reporters [nbr].table->started)
            self->reporters [nbr].table->started (self->reporters [nbr].state,
                profile->name, &self->summary);
    int rc = runner_run (&config, self->jobs, count);
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
    settings_t settings = { 0 };
    int status = s_read_settings (&settings, argc, argv);
    if (status >= 0) {
        free (settings.variables);
        return status;
    }
    kit_t *kit = kit_new (settings.data, stderr);
    profile_t *profile = NULL;
    job_t *jobs = NULL;
    size_t count = 0;
    status = EXIT_USAGE;
    if (kit && kit->mistakes == 0
    && (profile = s_read_profile (&settings, kit))
    &&  s_select (kit, profile, argv + optind, argc - optind, &jobs,
                  &count) == 0) {
        trial_t trial = { .settings = &settings, .jobs = jobs };
        status = s_perform (&trial, kit, profile, count);
    }
    free (jobs);
    free (settings.variables);
    profile_destroy (&profile);
    kit_destroy (&kit);
    return status;
}
