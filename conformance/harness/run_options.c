/*  =========================================================================
    run_options - what the command line of seatrial run says

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "run_options.h"
#include "schedule.h"
#include "vector.h"

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
"  -j, --jobs N              scenarios side by side (as many as the target's\n"
"                            heartbeat and this machine's cores allow)\n"
"  -s, --time-scale X        multiply all times by X (1)\n"
"      --repeat N            each scenario N times; several verdicts are told as\n"
"                            flaky (1)\n"
"      --shuffle SEED        in another order, the same for the same number\n"
"      --fail-fast           stop at the first failure that is not known\n"
"      --strict              a broken SHOULD counts like a MUST\n"
"      --no-isolation        no namespaces; one scenario after another\n"
"      --dry-run             say what would be run, what would be SKIP, and why\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"What is known:\n"
"      --baseline FILE       deviations that are put up with, lines such as\n"
"                            dialogue/echo FAIL \"a reason\" or, if it may pass\n"
"                            too, dialogue/echo FAIL flaky \"a reason\"; the run\n"
"                            fails on others, and on those that are healed\n"
"      --write-baseline FILE write what deviates in this run; reasons of --baseline\n"
"                            are kept\n"
"What is told:\n"
"  -f, --format FORMAT       console or tap (console)\n"
"      --junit FILE          write JUnit XML too\n"
"      --json FILE           write all that is known as JSON too\n"
"      --html FILE           write a page with sequence charts too\n"
"      --keep DIRECTORY      keep there the transcript of each scenario, and all\n"
"                            that each process printed\n"
"  -v, --verbose             show transcripts of what passes or is known too\n"
"  -h, --help\n"
"\n"
"Exit status: 0 seaworthy, 1 not, 2 wrong use, or a mistake in a profile, script\n"
"or baseline, 3 broken environment, or a report that cannot be written, 130\n"
"interrupted.\n";

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
    if (profile_owns (argument))
        return s_usage ("--define %s: this variable has a value already, see "
                        "PROFILES in seatrial(1); choose another name", argument);
    variable_t variable = { argument, equals + 1 };
    vector_push (self->variables, self->variable_count, variable);
    return 0;
}

//  A whole number within limits; what it is for is said when it is not one
static int
s_read_number (const char *text, unsigned long least, unsigned long most,
               const char *complaint, unsigned long *number)
{
    if (!text)
        return 0;
    char *end;
    *number = strtoul (text, &end, 10);
    if (!isdigit ((unsigned char) *text) || *end || *number < least
    ||  *number > most)
        return s_usage (complaint, text);
    return 0;
}

//  Options that are numbers, as they are written
typedef struct {
    const char *jobs, *scale, *heartbeat, *repeat, *shuffle;
} numbers_t;

static int
s_read_numbers (run_options_t *self, const numbers_t *numbers)
{
    unsigned long jobs = 0, repeat = 1, seed = 0, heartbeat = 2500;
    if (s_read_number (numbers->jobs, 1, SCHEDULE_JOBS_MAX,
                       "--jobs is a number from 1 to 64, not %s", &jobs)
    ||  s_read_number (numbers->repeat, 1, 10000,
                       "--repeat is a number from 1 to 10000, not %s", &repeat)
    ||  s_read_number (numbers->shuffle, 0, UINT_MAX,
                       "--shuffle is a number, not %s", &seed)
    ||  s_read_number (numbers->heartbeat, 1, 3600000,
                       "--heartbeat is a number of milliseconds, not %s",
                       &heartbeat))
        return EXIT_USAGE;
    self->jobs = jobs;
    self->repeat = repeat;
    self->seed = (unsigned) seed;
    self->shuffle = numbers->shuffle != NULL;
    self->heartbeat_ms = (int64_t) heartbeat;
    self->scale = 1;
    if (numbers->scale) {
        char *end;
        self->scale = strtod (numbers->scale, &end);
        if (*end || !(self->scale > 0.01 && self->scale < 1000))
            return s_usage ("--time-scale is a number such as 2.5, not %s",
                            numbers->scale);
    }
    return 0;
}

enum { OPTION_STRICT = 256, OPTION_NO_ISOLATION, OPTION_DATA, OPTION_JUNIT,
       OPTION_JSON, OPTION_HTML,
       OPTION_KEEP, OPTION_REPEAT, OPTION_SHUFFLE, OPTION_FAIL_FAST,
       OPTION_DRY_RUN, OPTION_BASELINE, OPTION_WRITE_BASELINE };

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
    { "json", required_argument, NULL, OPTION_JSON },
    { "html", required_argument, NULL, OPTION_HTML },
    { "keep", required_argument, NULL, OPTION_KEEP },
    { "repeat", required_argument, NULL, OPTION_REPEAT },
    { "shuffle", required_argument, NULL, OPTION_SHUFFLE },
    { "fail-fast", no_argument, NULL, OPTION_FAIL_FAST },
    { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
    { "baseline", required_argument, NULL, OPTION_BASELINE },
    { "write-baseline", required_argument, NULL, OPTION_WRITE_BASELINE },
    { "verbose", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 }
};

int
run_options_read (run_options_t *self, int argc, char *argv [])
{
    numbers_t numbers = { 0 };
    int option;
    self->selection = selection_new ();
    self->arguments = argv + 1;
    self->argument_count = (size_t) argc - 1;
    while ((option = getopt_long (argc, argv, "t:e:b:D:j:s:f:vh", s_options,
                                  NULL)) != -1) {
        if (selection_option (self->selection, option, optarg))
            continue;
        switch (option) {
            case 't': self->target = optarg; break;
            case 'e': self->endpoint = optarg; break;
            case 'b': numbers.heartbeat = optarg; break;
            case 'j': numbers.jobs = optarg; break;
            case 's': numbers.scale = optarg; break;
            case 'f': self->format = optarg; break;
            case 'v': self->verbose = true; break;
            case OPTION_STRICT: self->strict = true; break;
            case OPTION_NO_ISOLATION: self->no_isolation = true; break;
            case OPTION_DATA: self->data = optarg; break;
            case OPTION_JUNIT: self->junit = optarg; break;
            case OPTION_JSON: self->json = optarg; break;
            case OPTION_HTML: self->html = optarg; break;
            case OPTION_KEEP: self->keep = optarg; break;
            case OPTION_REPEAT: numbers.repeat = optarg; break;
            case OPTION_SHUFFLE: numbers.shuffle = optarg; break;
            case OPTION_FAIL_FAST: self->fail_fast = true; break;
            case OPTION_DRY_RUN: self->dry_run = true; break;
            case OPTION_BASELINE: self->baseline = optarg; break;
            case OPTION_WRITE_BASELINE: self->write_baseline = optarg; break;
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
    return s_read_numbers (self, &numbers)? EXIT_USAGE: -1;
}

void
run_options_clear (run_options_t *self)
{
    free (self->variables);
    selection_destroy (&self->selection);
    *self = (run_options_t) { 0 };
}
