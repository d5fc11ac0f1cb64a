/*  =========================================================================
    command_list, command_lint - look at the kit without a target

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <fnmatch.h>
#include <getopt.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "kit.h"

static const char s_list_help [] =
"usage: seatrial list [--data DIRECTORY] [--requirements] [SCENARIO]..\n"
"Name the scenarios, or those that match a pattern such as 'presence/*', and what\n"
"each is about; with --requirements, also what each covers.\n";

static const char s_lint_help [] =
"usage: seatrial lint [--data DIRECTORY]\n"
"Check the catalogue, the fixtures and all scripts, and that each requirement\n"
"that a scenario can prove has one. Mistakes are told with file, line and column.\n"
"Exit status: 0 none, 2 some.\n";

//  --data, --requirements and --help; -1 to go on, else an exit status
static int
s_read_options (int argc, char *argv [], const char *help, const char **data,
                bool *requirements)
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "requirements", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (option == 'd')
            *data = optarg;
        else
        if (option == 'r')
            *requirements = true;
        else
        if (option == 'h') {
            fputs (help, stdout);
            return EXIT_SEAWORTHY;
        }
        else {
            fputs (help, stderr);
            return EXIT_USAGE;
        }
    }
    return -1;
}

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

int
command_list (int argc, char *argv [])
{
    const char *data = NULL;
    bool requirements = false;
    int status = s_read_options (argc, argv, s_list_help, &data,
                                 &requirements);
    if (status >= 0)
        return status;
    kit_t *kit = kit_new (data, stderr);
    status = kit && kit->mistakes == 0? EXIT_SEAWORTHY: EXIT_USAGE;
    size_t found = 0;
    for (size_t index = 0; status == 0 && index < script_size (kit->script);
                index++) {
        const scenario_t *scenario = script_at (kit->script, index);
        bool wanted = optind == argc;
        for (int nbr = optind; nbr < argc; nbr++)
            if (fnmatch (argv [nbr], scenario->name, 0) == 0)
                wanted = true;
        if (wanted)
            s_print (scenario, requirements);
        found += wanted;
    }
    if (status == 0 && found == 0) {
        fprintf (stderr, "seatrial list: no scenario is called so\n");
        status = EXIT_USAGE;
    }
    kit_destroy (&kit);
    return status;
}

int
command_lint (int argc, char *argv [])
{
    const char *data = NULL;
    bool requirements = false;
    int status = s_read_options (argc, argv, s_lint_help, &data,
                                 &requirements);
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
