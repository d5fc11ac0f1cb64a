/*  =========================================================================
    command_list, command_lint - look at the kit without a target

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"
#include "selection.h"

static const char s_list_help [] =
"usage: seatrial list [OPTION].. [SCENARIO]..\n"
"Name the scenarios, or those that are meant, and what each is about.\n"
"\n"
SELECTION_HELP
"What is told:\n"
"      --requirements        also what each covers\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0 some were named, 2 wrong use, or none is meant.\n";

static const char s_lint_help [] =
"usage: seatrial lint [OPTION]..\n"
"Check the catalogue, the fixtures and all scripts, and that each requirement\n"
"that a scenario can prove has one. Mistakes are told with file, line and column.\n"
"\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0 none, 2 some.\n";

static void
s_print (const scenario_t *scenario, bool requirements)
{
    printf ("%-34s %s\n", scenario->name, scenario->title);
    if (!requirements)
        return;
    for (size_t index = 0; index < scenario->cover_count; index++)
        printf ("    %s  %s  %s\n", scenario->covers [index]->id,
                level_text (scenario->covers [index]->level),
                scenario->covers [index]->section);
}

//  -1 to go on, else an exit status
static int
s_read_list_options (int argc, char *argv [], const char **data,
                     bool *requirements, selection_t *selection)
{
    static const struct option options [] = {
        SELECTION_OPTIONS,
        { "data", required_argument, NULL, 'd' },
        { "requirements", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (selection_option (selection, option, optarg))
            continue;
        if (option == 'd')
            *data = optarg;
        else
        if (option == 'r')
            *requirements = true;
        else
        if (option == 'h') {
            fputs (s_list_help, stdout);
            return EXIT_SEAWORTHY;
        }
        else {
            fputs ("see seatrial list --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    for (int nbr = optind; nbr < argc; nbr++)
        selection_name (selection, argv [nbr]);
    return -1;
}

int
command_list (int argc, char *argv [])
{
    const char *data = NULL;
    bool requirements = false;
    selection_t *selection = selection_new ();
    int status = s_read_list_options (argc, argv, &data, &requirements,
                                      selection);
    kit_t *kit = NULL;
    if (status < 0) {
        status = EXIT_USAGE;
        kit = kit_new (data, stderr);
    }
    size_t count = 0;
    const scenario_t **scenarios = kit && kit->mistakes == 0
        ? selection_make (selection, kit, "list", &count, stderr): NULL;
    for (size_t index = 0; index < count; index++)
        s_print (scenarios [index], requirements);
    if (scenarios)
        status = EXIT_SEAWORTHY;
    free (scenarios);
    selection_destroy (&selection);
    kit_destroy (&kit);
    return status;
}

//  -1 to go on, else an exit status
static int
s_read_lint_options (int argc, char *argv [], const char **data)
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (option == 'd')
            *data = optarg;
        else {
            fputs (option == 'h'? s_lint_help: "see seatrial lint --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    return -1;
}

int
command_lint (int argc, char *argv [])
{
    const char *data = NULL;
    int status = s_read_lint_options (argc, argv, &data);
    if (status >= 0)
        return status;
    kit_t *kit = kit_new (data, stderr);
    if (!kit)
        return EXIT_USAGE;
    int mistakes = kit->mistakes;
    if (mistakes == 0)
        mistakes = kit_check_coverage (kit, stderr);
    printf ("%zu requirements, %zu messages, %zu scenarios, %d mistakes\n",
            catalogue_size (kit->catalogue), fixtures_size (kit->fixtures),
            script_size (kit->script), mistakes);
    kit_destroy (&kit);
    return mistakes? EXIT_USAGE: EXIT_SEAWORTHY;
}
