/*  =========================================================================
    command_prove - run scenarios on wrecks, where they must fail

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <fnmatch.h>
#include <getopt.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"
#include "runner.h"
#include "sandbox.h"
#include "source.h"
#include "vector.h"

//  Most wrecks are waited for, and take no processor
#define SIDE_BY_SIDE 96

static const char s_help [] =
"usage: seatrial prove [OPTION].. [WRECK]..\n"
"A check that cannot fail is a bug: run each wreck of conformance/wrecks, or those\n"
"whose names match, through the scenarios that are meant to catch it, as wrecks.list\n"
"there says, and see that they do, for the reason and at the step meant. Output is\n"
"TAP.\n"
"\n"
"  -m, --matrix              tell of each scenario which wrecks it catches, with what\n"
"                            verdict, requirement and step\n"
"  -v, --verbose             show what was wrong with those that are caught, too\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0 all are caught, 1 some are not or some scenario has no wreck, 2 wrong\n"
"use, 3 broken environment, 130 interrupted.\n";

//  One line of wrecks.list: a wreck, and scenarios that must not pass on it
typedef struct {
    char *wreck;
    char *scenarios;            //  A pattern
    char *requirement;          //  That must be cited, MDP-.. in any version;
                                //  NULL for any
    char *step;                 //  How the step that fails begins; NULL for any
    int line;
    size_t matched;
} meant_t;

typedef struct {
    job_t job;
    size_t meant;               //  Index of the line that asks for it
    char *kill;                 //  For the matrix: how it was caught
} pair_t;

typedef struct {
    kit_t *kit;
    bool verbose;
    bool matrix;
    bool whole;                 //  All wrecks, not some named ones
    bool isolated;              //  Each run in namespaces of its own
    meant_t *meant;
    size_t meant_count;
    pair_t *pairs;
    size_t pair_count;
    profile_t **profiles;
    size_t profile_count;
    size_t done;
    size_t escaped;             //  Wrecks that were not caught
    size_t broken;
} proof_t;

//  Whether an id is the one that is meant: MDP- stands for MDP1- and MDP2-
static bool
s_is_meant (const char *meant, const char *id)
{
    if (strncmp (meant, "MDP-", 4) || strncmp (id, "MDP", 3) || !id [3])
        return streq (meant, id);
    return streq (meant + 3, id + 4);
}

static bool
s_cites (const result_t *result, const char *requirement)
{
    for (size_t index = 0; requirement && index < result->requirement_count;
                index++)
        if (s_is_meant (requirement, result->requirements [index]))
            return true;
    return requirement == NULL;
}

//  Whether it failed where it should; "end" is the probe after the last step
static bool
s_fails_at (const result_t *result, const char *step)
{
    if (!step)
        return true;
    if (!result->step)
        return streq (step, "end");
    return strncmp (result->step, step, strlen (step)) == 0;
}

static char *
s_kill (const result_t *result, const char *wreck)
{
    char *ids = strdup ("");
    for (size_t index = 0; index < result->requirement_count; index++) {
        char *more = zsys_sprintf ("%s%s%s", ids, *ids? ",": "",
                                   result->requirements [index]);
        free (ids);
        ids = more;
    }
    char *kill = zsys_sprintf ("%-5s  %-30s  %s  %s",
        verdict_text (result->verdict), wreck, *ids? ids: "-",
        result->step? result->step: "(at the end)");
    free (ids);
    return kill;
}

//  What happened, for who wants to know why it was not caught
static void
s_print_transcript (const char *transcript)
{
    while (transcript && *transcript) {
        int length = (int) strcspn (transcript, "\n");
        printf ("#   %.*s\n", length, transcript);
        transcript += length + (transcript [length] == '\n');
    }
}

static bool
s_is_judged (const result_t *result)
{
    return result->verdict == VERDICT_WARN
        || result->verdict == VERDICT_FAIL
        || result->verdict == VERDICT_HANG
        || result->verdict == VERDICT_CRASH;
}

//  Caught, for the reason and at the step meant; or not to be tried here: without
//  namespaces a disk cannot be filled up, for one
static bool
s_is_caught (void *argument, size_t index, const result_t *result)
{
    proof_t *self = (proof_t *) argument;
    const meant_t *meant = &self->meant [self->pairs [index].meant];
    return result->verdict == VERDICT_SKIP
        || (s_is_judged (result) && s_cites (result, meant->requirement)
        &&  s_fails_at (result, meant->step));
}

static bool
s_done (void *argument, size_t index, result_t *result)
{
    proof_t *self = (proof_t *) argument;
    const meant_t *meant = &self->meant [self->pairs [index].meant];
    bool judged = s_is_judged (result);
    bool skipped = result->verdict == VERDICT_SKIP;
    bool caught = s_is_caught (argument, index, result);
    self->done++;
    if (!caught)
        self->escaped++;
    if (result->verdict == VERDICT_BROKEN)
        self->broken++;
    printf ("%sok %zu - %s is caught by %s%s%s\n", caught? "": "not ",
            self->done, meant->wreck, result->scenario,
            skipped? " # SKIP ": "", skipped? result->reason: "");
    if (!caught || self->verbose) {
        printf ("# %s: %s\n", verdict_text (result->verdict),
                result->reason? result->reason: "nothing was wrong");
        if (judged && !s_cites (result, meant->requirement))
            printf ("# but %s is not cited\n", meant->requirement);
        if (judged && !s_fails_at (result, meant->step))
            printf ("# but it should fail at: %s\n", meant->step);
        if (result->place)
            printf ("# %s: %s\n", result->place, result->step);
        if (!caught)
            s_print_transcript (result->transcript);
    }
    fflush (stdout);
    self->pairs [index].kill = s_kill (result, meant->wreck);
    return true;
}

//  The catalogue has it, in one version at least
static bool
s_is_known (proof_t *self, const char *requirement)
{
    if (strncmp (requirement, "MDP-", 4))
        return catalogue_find (self->kit->catalogue, requirement) != NULL;
    bool known = false;
    for (int version = 1; version <= 2; version++) {
        char *id = zsys_sprintf ("MDP%d%s", version, requirement + 3);
        known |= catalogue_find (self->kit->catalogue, id) != NULL;
        free (id);
    }
    return known;
}

//  WRECK SCENARIOS [REQUIREMENT [STEP]]; patterns have stars, which are no words of
//  the notation, so lines are cut at blanks
static int
s_read_list (proof_t *self)
{
    char *path = zsys_sprintf ("%s/conformance/wrecks/wrecks.list",
                               self->kit->directory);
    source_t *source = source_open (path, stderr);
    free (path);
    if (!source)
        return -1;
    for (int line = 1; line <= source_lines (source); line++) {
        char *copy = strdup (source_line (source, line));
        copy [strcspn (copy, "#")] = 0;
        char *rest = copy;
        const char *wreck = strtok_r (rest, " \t", &rest);
        const char *scenarios = strtok_r (rest, " \t", &rest);
        const char *requirement = strtok_r (rest, " \t", &rest);
        if (wreck && !scenarios)
            source_error (source, line, 1, "which scenarios must catch it?");
        const char *step = rest + strspn (rest, " \t");
        for (size_t size = strlen (rest); size && isspace (rest [size - 1]); size--)
            rest [size - 1] = 0;
        if (requirement && streq (requirement, "-"))
            requirement = NULL;
        if (requirement && !s_is_known (self, requirement))
            source_error (source, line, 1, "the catalogue has no requirement "
                          "%s", requirement);
        if (wreck && scenarios) {
            meant_t meant = { strdup (wreck), strdup (scenarios),
                requirement? strdup (requirement): NULL,
                *step? strdup (step): NULL, line, 0 };
            vector_push (self->meant, self->meant_count, meant);
        }
        free (copy);
    }
    int errors = source_errors (source);
    source_destroy (&source);
    return errors? -1: 0;
}

static bool
s_is_wanted (const char *wreck, char *names [], int count)
{
    for (int index = 0; index < count; index++)
        if (fnmatch (names [index], wreck, 0) == 0)
            return true;
    return count == 0;
}

static profile_t *
s_read_profile (proof_t *self, const char *wreck)
{
    variable_t variables [] = {
        { "bin", self->kit->bin }, { "wreck", wreck }, { NULL, NULL }
    };
    char *path = kit_target_path (self->kit, "wreck");
    profile_t *profile = profile_read (path, variables, stderr);
    free (path);
    return profile;
}

//  A name without version is that of the scenario in all versions; @0.1 and @0.2
//  tell them apart
static bool
s_names (const char *pattern, const char *name)
{
    size_t size = strcspn (name, "@");
    char *base = strndup (name, size);
    char *full = zsys_sprintf ("%s%s", base, name [size]? name + size: "@0.1");
    bool named = fnmatch (pattern, full, 0) == 0
              || fnmatch (pattern, base, 0) == 0;
    free (base);
    free (full);
    return named;
}

//  One after another, a pattern's scenarios take too long: every so many then
#define SAMPLE 10

static int
s_pair (proof_t *self, char *names [], int count)
{
    kit_t *kit = self->kit;
    size_t seen = 0;
    for (size_t index = 0; index < self->meant_count; index++) {
        meant_t *meant = &self->meant [index];
        if (!s_is_wanted (meant->wreck, names, count))
            continue;
        profile_t *profile = s_read_profile (self, meant->wreck);
        if (!profile)
            return -1;
        vector_push (self->profiles, self->profile_count, profile);
        for (size_t nbr = 0; nbr < script_size (kit->script); nbr++) {
            const scenario_t *scenario = script_at (kit->script, nbr);
            if (!s_names (meant->scenarios, scenario->name))
                continue;
            meant->matched++;
            bool pattern = strchr (meant->scenarios, '*') != NULL;
            if (pattern && !self->isolated && seen++ % SAMPLE)
                continue;
            pair_t pair = { { scenario, profile }, index, NULL };
            vector_push (self->pairs, self->pair_count, pair);
        }
        if (meant->matched == 0) {
            fprintf (stderr, "wrecks.list:%d: no scenario is called %s\n",
                     meant->line, meant->scenarios);
            return -1;
        }
    }
    if (self->pair_count)
        return 0;
    fprintf (stderr, "seatrial prove: no wreck is called so; they stand in "
                     "conformance/wrecks/wrecks.list\n");
    return -1;
}

//  Each scenario must have a wreck of its own: a pattern does not count
static size_t
s_check_scenarios (proof_t *self)
{
    size_t missing = 0;
    for (size_t nbr = 0; nbr < script_size (self->kit->script); nbr++) {
        const char *name = script_at (self->kit->script, nbr)->name;
        bool found = false;
        for (size_t index = 0; index < self->meant_count; index++)
            if (!strchr (self->meant [index].scenarios, '*')
            &&  s_names (self->meant [index].scenarios, name))
                found = true;
        if (found)
            continue;
        printf ("not ok %zu - %s has a wreck that it catches\n",
                ++self->done, name);
        missing++;
    }
    return missing;
}

static void
s_print_matrix (proof_t *self)
{
    for (size_t nbr = 0; nbr < script_size (self->kit->script); nbr++) {
        const scenario_t *scenario = script_at (self->kit->script, nbr);
        printf ("# %s\n", scenario->name);
        for (size_t index = 0; index < self->pair_count; index++)
            if (self->pairs [index].job.scenario == scenario
            &&  self->pairs [index].kill)
                printf ("#     %s\n", self->pairs [index].kill);
    }
}

static int
s_run (proof_t *self)
{
    runner_config_t config = { .fixtures = self->kit->fixtures, .scale = 1,
        .side_by_side = self->isolated? SIDE_BY_SIDE: 1,
        .isolated = self->isolated, .confirm = true,
        .done = s_done, .expected = s_is_caught, .argument = self };
    job_t *jobs = NULL;
    size_t count = 0;
    for (size_t index = 0; index < self->pair_count; index++)
        vector_push (jobs, count, self->pairs [index].job);
    runner_end_t end = runner_run (&config, jobs, count);
    free (jobs);
    size_t missing = self->whole? s_check_scenarios (self): 0;
    printf ("1..%zu\n", self->done);
    if (self->matrix)
        s_print_matrix (self);
    if (end == RUNNER_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (end != RUNNER_DONE || self->broken)
        return EXIT_BROKEN;
    return self->escaped + missing? EXIT_UNSEAWORTHY: EXIT_SEAWORTHY;
}

static void
s_clear (proof_t *self)
{
    for (size_t index = 0; index < self->meant_count; index++) {
        free (self->meant [index].wreck);
        free (self->meant [index].scenarios);
        free (self->meant [index].requirement);
        free (self->meant [index].step);
    }
    free (self->meant);
    for (size_t index = 0; index < self->profile_count; index++)
        profile_destroy (&self->profiles [index]);
    free (self->profiles);
    for (size_t index = 0; index < self->pair_count; index++)
        free (self->pairs [index].kill);
    free (self->pairs);
    kit_destroy (&self->kit);
}

int
command_prove (int argc, char *argv [])
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "matrix", no_argument, NULL, 'm' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    proof_t self = { 0 };
    const char *data = NULL;
    int option;
    while ((option = getopt_long (argc, argv, "mvh", options, NULL)) != -1) {
        if (option == 'd')
            data = optarg;
        else
        if (option == 'm')
            self.matrix = true;
        else
        if (option == 'v')
            self.verbose = true;
        else {
            fputs (option == 'h'? s_help: "see seatrial prove --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    self.whole = optind == argc;
    const char *reason = NULL;
    self.isolated = sandbox_allowed (&reason);
    if (!self.isolated)
        fprintf (stderr, "seatrial: no namespaces, one scenario after another, "
                 "and only some where a pattern names them: %s\n", reason);
    self.kit = kit_new (data, stderr);
    int status = EXIT_USAGE;
    if (self.kit && self.kit->mistakes == 0 && s_read_list (&self) == 0
    &&  s_pair (&self, argv + optind, argc - optind) == 0)
        status = s_run (&self);
    s_clear (&self);
    return status;
}
