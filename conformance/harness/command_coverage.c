/*  =========================================================================
    command_coverage - which requirements are proved, by which scenarios

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <czmq.h>
#include <jansson.h>

#include "command.h"
#include "kit.h"

#define LEVELS (LEVEL_MAY + 1)
#define ROLES_MAX 8

static const char s_help [] =
"usage: seatrial coverage [OPTION]..\n"
"Which requirements are proved, and by which scenarios; how many of each level and\n"
"role; and those that are not, with the reason.\n"
"\n"
"      --json                the same as JSON\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0, or 2 for wrong use.\n";

//  Of the requirements of one level and role
typedef struct {
    size_t covered;
    size_t excused;             //  The catalogue says why no scenario can
    size_t open;                //  Nothing says why not
} count_t;

typedef struct {
    const kit_t *kit;
    count_t counts [LEVELS] [ROLES_MAX];
    count_t total;
} coverage_t;

static size_t
s_role_number (const char *role)
{
    size_t number = 0;
    while (requirement_roles [number]
    &&     !streq (requirement_roles [number], role))
        number++;
    assert (number < ROLES_MAX);
    return number;
}

//  The scenario that covers a requirement, from number *at on; NULL if no more
static const scenario_t *
s_next_proof (const kit_t *kit, const requirement_t *requirement, size_t *at)
{
    while (*at < script_size (kit->script)) {
        const scenario_t *scenario = script_at (kit->script, (*at)++);
        for (size_t nbr = 0; nbr < scenario->cover_count; nbr++)
            if (scenario->covers [nbr] == requirement)
                return scenario;
    }
    return NULL;
}

static bool
s_is_covered (const kit_t *kit, const requirement_t *requirement)
{
    size_t at = 0;
    return s_next_proof (kit, requirement, &at) != NULL;
}

static const char *
s_reason (const requirement_t *requirement)
{
    return requirement->excuse? requirement->excuse: "no scenario yet";
}

static void
s_add (count_t *count, bool covered, bool excused)
{
    count->covered += covered;
    count->excused += !covered && excused;
    count->open += !covered && !excused;
}

static void
s_count (coverage_t *self)
{
    const catalogue_t *catalogue = self->kit->catalogue;
    for (size_t index = 0; index < catalogue_size (catalogue); index++) {
        const requirement_t *requirement = catalogue_at (catalogue, index);
        bool covered = s_is_covered (self->kit, requirement);
        bool excused = requirement->excuse != NULL;
        s_add (&self->counts [requirement->level] [
               s_role_number (requirement->role)], covered, excused);
        s_add (&self->total, covered, excused);
    }
}

//  --------------------------------------------------------------------------
//  For people

static void
s_print_matrix (const coverage_t *self)
{
    const catalogue_t *catalogue = self->kit->catalogue;
    for (size_t index = 0; index < catalogue_size (catalogue); index++) {
        const requirement_t *requirement = catalogue_at (catalogue, index);
        if (!s_is_covered (self->kit, requirement))
            continue;
        printf ("%-20s %-10s %-7s", requirement->id,
                level_text (requirement->level), requirement->role);
        size_t at = 0;
        const scenario_t *scenario;
        while ((scenario = s_next_proof (self->kit, requirement, &at)))
            printf (" %s", scenario->name);
        putchar ('\n');
    }
}

static void
s_print_counts (const coverage_t *self)
{
    printf ("\ncovered of all that a scenario could prove, and how many it could "
            "not\n\n%-10s", "");
    for (size_t role = 0; requirement_roles [role]; role++)
        printf (" %16s", requirement_roles [role]);
    putchar ('\n');
    for (int level = 0; level < LEVELS; level++) {
        printf ("%-10s", level_text ((level_t) level));
        for (size_t role = 0; requirement_roles [role]; role++) {
            const count_t *count = &self->counts [level] [role];
            char text [64];
            snprintf (text, sizeof text, "%zu/%zu and %zu", count->covered,
                      count->covered + count->open, count->excused);
            printf (" %16s", text);
        }
        putchar ('\n');
    }
}

static void
s_print_rest (const coverage_t *self)
{
    const catalogue_t *catalogue = self->kit->catalogue;
    printf ("\nnot covered\n\n");
    for (size_t index = 0; index < catalogue_size (catalogue); index++) {
        const requirement_t *requirement = catalogue_at (catalogue, index);
        if (!s_is_covered (self->kit, requirement))
            printf ("%-20s %-10s %-7s %s\n", requirement->id,
                    level_text (requirement->level), requirement->role,
                    s_reason (requirement));
    }
    printf ("\n%zu requirements: %zu covered, %zu not, for a reason, %zu not yet; "
            "%zu scenarios\n", catalogue_size (catalogue), self->total.covered,
            self->total.excused, self->total.open,
            script_size (self->kit->script));
}

//  --------------------------------------------------------------------------
//  For programs

static json_t *
s_json_count (const count_t *count)
{
    return json_pack ("{s:I, s:I, s:I}", "covered", (json_int_t) count->covered,
                      "excused", (json_int_t) count->excused,
                      "open", (json_int_t) count->open);
}

static json_t *
s_json_requirement (const kit_t *kit, const requirement_t *requirement)
{
    json_t *scenarios = json_array ();
    size_t at = 0;
    const scenario_t *scenario;
    while ((scenario = s_next_proof (kit, requirement, &at)))
        json_array_append_new (scenarios, json_string (scenario->name));
    bool covered = json_array_size (scenarios) > 0;
    return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
        "id", requirement->id,
        "specification", requirement_specification (requirement),
        "section", requirement->section,
        "level", level_text (requirement->level),
        "role", requirement->role, "text", requirement->text,
        "scenarios", scenarios,
        "reason", covered? json_null (): json_string (s_reason (requirement)));
}

static void
s_print_json (const coverage_t *self)
{
    const catalogue_t *catalogue = self->kit->catalogue;
    json_t *requirements = json_array ();
    for (size_t index = 0; index < catalogue_size (catalogue); index++)
        json_array_append_new (requirements, s_json_requirement (self->kit,
                               catalogue_at (catalogue, index)));
    json_t *levels = json_object ();
    for (int level = 0; level < LEVELS; level++) {
        json_t *roles = json_object ();
        for (size_t role = 0; requirement_roles [role]; role++)
            json_object_set_new (roles, requirement_roles [role],
                                 s_json_count (&self->counts [level] [role]));
        json_object_set_new (levels, level_text ((level_t) level), roles);
    }
    json_t *json = json_pack ("{s:o, s:o, s:o, s:I}",
        "requirements", requirements, "levels", levels,
        "total", s_json_count (&self->total),
        "scenarios", (json_int_t) script_size (self->kit->script));
    assert (json);
    json_dumpf (json, stdout, JSON_INDENT (2));
    putchar ('\n');
    json_decref (json);
}

int
command_coverage (int argc, char *argv [])
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    const char *data = NULL;
    bool json = false;
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (option == 'd')
            data = optarg;
        else
        if (option == 'j')
            json = true;
        else {
            fputs (option == 'h'? s_help: "see seatrial coverage --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf (stderr, "seatrial coverage: %s is too much; it shows all\n",
                 argv [optind]);
        return EXIT_USAGE;
    }
    kit_t *kit = kit_new (data, stderr);
    int status = EXIT_USAGE;
    if (kit && kit->mistakes == 0) {
        coverage_t coverage = { .kit = kit };
        s_count (&coverage);
        if (json)
            s_print_json (&coverage);
        else {
            s_print_matrix (&coverage);
            s_print_counts (&coverage);
            s_print_rest (&coverage);
        }
        status = EXIT_SEAWORTHY;
    }
    kit_destroy (&kit);
    return status;
}
