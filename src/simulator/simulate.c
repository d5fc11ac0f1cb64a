/*  =========================================================================
    simulate - runs the engines in a simulated world, and says what is wrong

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../daemon/options.h"
#include "mutant.h"
#include "sim.h"

static const option_t s_table [] = {
    { "seed", 's', OPTION_NUMBER, "N", "seed of the first run", "1", 0,
      INT64_MAX },
    { "steps", 'n', OPTION_NUMBER, "N",
      "events into the engines in a run, before all is healed", "20000", 1,
      INT64_MAX },
    { "runs", 'r', OPTION_NUMBER, "N", "runs, each with the next seed", "50",
      1, INT64_MAX },
    { "trace", 't', OPTION_FLAG, NULL, "say all that happens", NULL, 0, 0 },
    { "mutant", 'm', OPTION_STRING, "NAME",
      "put a fault into an engine's way; a run must then fail", NULL, 0, 0 },
    { "list-mutants", 0, OPTION_FLAG, NULL, "name all such faults", NULL, 0,
      0 },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

static int
s_list_mutants (void)
{
    for (const mutant_t *mutant = mutants; mutant->name; mutant++)
        printf ("%-22s %s\n", mutant->name, mutant->summary);
    return EXIT_SUCCESS;
}

//  How to see the present run again, also when it ends in a crash
static char s_replay [200];

static void
s_set_replay (const sim_options_t *run)
{
    snprintf (s_replay, sizeof s_replay,
              "replay  simulate --seed %llu --steps %llu --runs 1%s%s --trace\n",
              (unsigned long long) run->seed, (unsigned long long) run->steps,
              run->mutant? " --mutant ": "",
              run->mutant? run->mutant->name: "");
}

static void
s_crashed (int number)
{
    static const char what [] = "FAILED  an engine crashed\n";
    if (write (STDOUT_FILENO, what, sizeof what - 1) > 0
    &&  write (STDOUT_FILENO, s_replay, strlen (s_replay)) > 0)
        _exit (EXIT_FAILURE);
    _exit (128 + number);
}

static int
s_simulate (sim_options_t run, int64_t runs)
{
    counts_t counts = { 0 };
    uint64_t digest = 0;
    for (int64_t nbr = 0; nbr < runs; nbr++, run.seed++) {
        char failure [512];
        uint64_t run_digest;
        s_set_replay (&run);
        if (!sim_run (&run, &counts, &run_digest, failure, sizeof failure)) {
            printf ("FAILED  seed %llu: %s\n%safter   %llu steps\n",
                    (unsigned long long) run.seed, failure, s_replay,
                    (unsigned long long) counts.steps);
            return EXIT_FAILURE;
        }
        digest = digest * 31 + run_digest;
    }
    printf ("%lld runs, %llu steps, %llu faults: %llu requests stored, "
            "%llu replies fetched, %llu closed, %llu taken over, %llu calls; "
            "all well; digest %016llx\n", (long long) runs,
            (unsigned long long) counts.steps,
            (unsigned long long) counts.faults,
            (unsigned long long) counts.stored,
            (unsigned long long) counts.answered,
            (unsigned long long) counts.closed,
            (unsigned long long) counts.taken_over,
            (unsigned long long) counts.called, (unsigned long long) digest);
    return EXIT_SUCCESS;
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "",
        "Run the broker's and Titanic's engines in a simulated world full of "
        "faults.", &result);
    if (!options)
        return result == OPTIONS_DONE? EXIT_SUCCESS: 2;
    const char *name = options_string (options, "mutant");
    sim_options_t run = {
        .seed = (uint64_t) options_number (options, "seed"),
        .steps = (uint64_t) options_number (options, "steps"),
        .trace = options_flag (options, "trace") != 0,
        .mutant = name? mutant_find (name): NULL
    };
    signal (SIGABRT, s_crashed);
    signal (SIGSEGV, s_crashed);
    int status;
    if (options_rest (options)) {
        fprintf (stderr, "simulate: unexpected argument %s; try --help\n",
                 options_argument (options, 0));
        status = 2;
    }
    else
    if (options_flag (options, "list-mutants"))
        status = s_list_mutants ();
    else
    if (name && !run.mutant) {
        fprintf (stderr, "simulate: no mutant is called %s; see "
                 "--list-mutants\n", name);
        status = 2;
    }
    else
        status = s_simulate (run, options_number (options, "runs"));
    options_destroy (&options);
    return status;
}
