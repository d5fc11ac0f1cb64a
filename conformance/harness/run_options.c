/*  =========================================================================
    run_options - what the command line of seatrial run says

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "command.h"
#include "run_options.h"
#include "vector.h"

//  Scenarios mostly wait, so many may wait side by side
#define JOBS_A_CORE 6
#define JOBS_MAX 64

static const char s_help [] =
"usage: seatrial run [OPTION].. [SCENARIO]..\n"
"Try a target with all scenarios, or with those that are meant.\n"
"\n"
"What is tried:\n"
"  -t, --target TARGET       profile: a path, or a name in conformance/targets\n"
"                            (reference)\n"
"  -e, --endpoint ENDPOINT   instead: a broker that runs already\n"
"  -b, --heartbeat MS        with --endpoint: its heartbeat interval (2500)\n"
"  -D, --define NAME=VALUE   value for ${NAME} in the profile\n"
SELECTION_HELP
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
s_define (run_options_t *self, char *argument)
{
    char *equals = strchr (argument, '=');
    if (!equals)
        return s_usage ("--define needs NAME=VALUE, not %s", argument);
    *equals = 0;
    variable_t variable = { argument, equals + 1 };
    vector_push (self->variables, self->variable_count, variable);
    return 0;
}

static int
s_read_numbers (run_options_t *self, const char *jobs, const char *scale)
{
    char *end;
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    self->jobs = (size_t) (cores > 0? cores: 1) * JOBS_A_CORE;
    if (jobs) {
        self->jobs = strtoul (jobs, &end, 10);
        if (*end || self->jobs < 1 || self->jobs > JOBS_MAX)
            return s_usage ("--jobs is a number from 1 to 64, not %s", jobs);
    }
    self->scale = 1;
    if (scale) {
        self->scale = strtod (scale, &end);
        if (*end || !(self->scale > 0.01 && self->scale < 1000))
            return s_usage ("--time-scale is a number such as 2.5, not %s",
                            scale);
    }
    return 0;
}

enum { OPTION_STRICT = 256, OPTION_NO_ISOLATION, OPTION_DATA, OPTION_JUNIT,
       OPTION_TRANSCRIPTS };

static const struct option s_options [] = {
    SELECTION_OPTIONS,
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

int
run_options_read (run_options_t *self, int argc, char *argv [])
{
    const char *jobs = NULL;
    const char *scale = NULL;
    int option;
    self->selection = selection_new ();
    while ((option = getopt_long (argc, argv, "t:e:b:D:j:s:f:vh", s_options,
                                  NULL)) != -1) {
        if (selection_option (self->selection, option, optarg))
            continue;
        switch (option) {
            case 't': self->target = optarg; break;
            case 'e': self->endpoint = optarg; break;
            case 'b': self->heartbeat = optarg; break;
            case 'j': jobs = optarg; break;
            case 's': scale = optarg; break;
            case 'f': self->format = optarg; break;
            case 'v': self->verbose = true; break;
            case OPTION_STRICT: self->strict = true; break;
            case OPTION_NO_ISOLATION: self->no_isolation = true; break;
            case OPTION_DATA: self->data = optarg; break;
            case OPTION_JUNIT: self->junit = optarg; break;
            case OPTION_TRANSCRIPTS: self->transcripts = optarg; break;
            case 'D':
                if (s_define (self, optarg))
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
    if (self->format && !streq (self->format, "console")
    &&  !streq (self->format, "tap"))
        return s_usage ("--format is console or tap, not %s",
                        self->format);
    for (int nbr = optind; nbr < argc; nbr++)
        selection_name (self->selection, argv [nbr]);
    return s_read_numbers (self, jobs, scale)? EXIT_USAGE: -1;
}

void
run_options_clear (run_options_t *self)
{
    free (self->variables);
    selection_destroy (&self->selection);
    *self = (run_options_t) { 0 };
}
