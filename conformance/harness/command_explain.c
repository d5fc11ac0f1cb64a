/*  =========================================================================
    command_explain - what a requirement, a scenario or an interpretation is about

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"
#include "selection.h"
#include "source.h"

#define COLUMNS 80

static const char s_help [] =
"usage: seatrial explain [OPTION].. ID..\n"
"Say what is behind the names in reports. ID is one of these:\n"
"\n"
"  a requirement, such as MDP1-CONNECTION-19: its text, level, role and section,\n"
"  and the scenarios that prove it;\n"
"  a scenario, such as dialogue/second-ready: its title, what it covers, its steps,\n"
"  and the versions in which it is played;\n"
"  an interpretation, such as I-01: how an open question is read, and why.\n"
"\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0 all are explained, 2 some are not known, or wrong use.\n";

//  Words, broken between them
static void
s_wrap (const char *title, size_t indent, const char *text)
{
    size_t column = (size_t) printf ("%-*s", (int) indent, title);
    bool first = true;
    while (*text) {
        size_t size = strcspn (text, " ");
        if (!first && column + 1 + size > COLUMNS) {
            printf ("\n%*s", (int) indent, "");
            column = indent;
            first = true;
        }
        printf ("%s%.*s", first? "": " ", (int) size, text);
        column += size + !first;
        first = false;
        text += size;
        text += strspn (text, " ");
    }
    putchar ('\n');
}

//  Paths as they are below the kit's directory
static const char *
s_below (const kit_t *kit, const char *file)
{
    size_t size = strlen (kit->directory);
    return strncmp (file, kit->directory, size) == 0 && file [size] == '/'
        ? file + size + 1: file;
}

//  --------------------------------------------------------------------------
//  Interpretations

static source_t *
s_open_interpretations (const kit_t *kit)
{
    char *path = zsys_sprintf ("%s/spec/interpretations.md", kit->directory);
    source_t *source = source_open (path, stderr);
    free (path);
    return source;
}

//  Whether a text has these words, not as a part of longer ones
static bool
s_mentions (const char *text, const char *words)
{
    size_t size = strlen (words);
    for (; (text = strstr (text, words)); text += size)
        if (!isalnum ((unsigned char) text [size]) && text [size] != '-')
            return true;
    return false;
}

//  "### I-01 Must a request..": whether a line is the heading of an id; of any,
//  when it is NULL
static bool
s_is_heading (const char *line, const char *id)
{
    return strncmp (line, "### I-", 6) == 0
        && (!id || (strncmp (line + 4, id, strlen (id)) == 0
                &&  line [4 + strlen (id)] == ' '));
}

static bool
s_explain_interpretation (const kit_t *kit, const char *id)
{
    source_t *source = s_open_interpretations (kit);
    bool found = false;
    bool within = false;
    for (int line = 1; source && line <= source_lines (source); line++) {
        const char *text = source_line (source, line);
        if (strncmp (text, "## ", 3) == 0 || s_is_heading (text, NULL))
            within = s_is_heading (text, id);
        if (within)
            puts (s_is_heading (text, id)? text + 4: text);
        found |= within;
    }
    source_destroy (&source);
    return found;
}

//  Headings of all interpretations that name a requirement
static void
s_list_interpretations (const kit_t *kit, const char *id)
{
    source_t *source = s_open_interpretations (kit);
    const char *heading = NULL;
    for (int line = 1; source && line <= source_lines (source); line++) {
        const char *text = source_line (source, line);
        if (s_is_heading (text, NULL))
            heading = text + 4;
        else
        if (strncmp (text, "## ", 3) == 0)
            heading = NULL;
        if (!heading || !s_mentions (text, id))
            continue;
        s_wrap ("  read as", 12, heading);
        heading = NULL;
    }
    source_destroy (&source);
}

//  --------------------------------------------------------------------------
//  Requirements

static bool
s_covers (const scenario_t *scenario, const requirement_t *requirement)
{
    for (size_t index = 0; index < scenario->cover_count; index++)
        if (scenario->covers [index] == requirement)
            return true;
    return false;
}

static bool
s_explain_requirement (const kit_t *kit, const char *id)
{
    const requirement_t *requirement = catalogue_find (kit->catalogue, id);
    if (!requirement)
        return false;
    puts (requirement->id);
    s_wrap ("  text", 12, requirement->text);
    printf ("  level     %s\n", level_text (requirement->level));
    printf ("  role      %s\n", requirement->role);
    printf ("  section   %s\n", requirement->section);
    s_list_interpretations (kit, id);
    if (requirement->excuse)
        s_wrap ("  proof", 12, requirement->excuse);
    size_t proofs = 0;
    for (size_t index = 0; index < script_size (kit->script); index++) {
        const scenario_t *scenario = script_at (kit->script, index);
        if (s_covers (scenario, requirement))
            printf ("  %-9s %s: %s\n", proofs++? "": "proof", scenario->name,
                    scenario->title);
    }
    if (!proofs && !requirement->excuse)
        puts ("  proof     none yet");
    printf ("  file      %s:%d\n", s_below (kit, requirement->file),
            requirement->line);
    return true;
}

//  --------------------------------------------------------------------------
//  Scenarios

static void
s_print_steps (const block_t *block, int indent)
{
    for (size_t index = 0; index < block->count; index++) {
        const step_t *step = &block->steps [index];
        //  A worker that serves is two steps of one line
        if (step->type == STEP_SERVE && index
        &&  streq (step->text, block->steps [index - 1].text))
            continue;
        printf ("%*s%s\n", indent, "", step->text);
        if (step->type == STEP_REPEAT) {
            s_print_steps (&step->block, indent + 4);
            printf ("%*send\n", indent, "");
        }
    }
}

static void
s_print_scenario (const kit_t *kit, const scenario_t *scenario)
{
    printf ("%s\n", scenario->name);
    s_wrap ("  title", 12, scenario->title);
    for (size_t index = 0; index < scenario->cover_count; index++) {
        const requirement_t *requirement = scenario->covers [index];
        printf ("  %-9s %s  %s  %s\n", index? "": "covers", requirement->id,
                level_text (requirement->level), requirement->section);
        s_wrap ("", 16, requirement->text);
    }
    printf ("  %-9s %s:%d\n  steps\n", "file", s_below (kit, scenario->file),
            scenario->line);
    s_print_steps (&scenario->block, 12);
}

//  A name without a version means the first, and the others are named
static bool
s_explain_scenario (const kit_t *kit, const char *name)
{
    const scenario_t *first = NULL;
    for (size_t index = 0; !first && index < script_size (kit->script); index++)
        if (selection_means (name, script_at (kit->script, index)))
            first = script_at (kit->script, index);
    if (!first)
        return false;
    s_print_scenario (kit, first);
    char *base = strndup (first->name, strcspn (first->name, "@"));
    const char *title = "played in";
    for (size_t index = 0; index < script_size (kit->script); index++) {
        const scenario_t *scenario = script_at (kit->script, index);
        if (!selection_means (base, scenario))
            continue;
        printf ("  %-9s %s, as %s\n", title, scenario->version, scenario->name);
        title = "";
    }
    free (base);
    return true;
}

//  --------------------------------------------------------------------------
//  The command

int
command_explain (int argc, char *argv [])
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    const char *data = NULL;
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (option == 'd')
            data = optarg;
        else {
            fputs (option == 'h'? s_help: "see seatrial explain --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs ("seatrial explain: what? name a requirement, a scenario or an "
               "interpretation; see seatrial explain --help\n", stderr);
        return EXIT_USAGE;
    }
    kit_t *kit = kit_new (data, stderr);
    int status = kit && kit->mistakes == 0? EXIT_SEAWORTHY: EXIT_USAGE;
    for (int nbr = optind; status != EXIT_USAGE && nbr < argc; nbr++) {
        if (nbr > optind)
            putchar ('\n');
        if (s_explain_requirement (kit, argv [nbr])
        ||  s_explain_scenario (kit, argv [nbr])
        ||  s_explain_interpretation (kit, argv [nbr]))
            continue;
        fprintf (stderr, "seatrial explain: %s is no requirement, scenario or "
                 "interpretation; see seatrial coverage, seatrial list and "
                 "spec/interpretations.md\n", argv [nbr]);
        status = EXIT_USAGE;
    }
    kit_destroy (&kit);
    return status;
}
