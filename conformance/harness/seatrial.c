/*  =========================================================================
    seatrial - the sea trial of Majordomo brokers and Titanic servers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <czmq.h>

#include "command.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const struct {
    const char *name;
    int (*run) (int argc, char *argv []);
    const char *help;
} s_commands [] = {
    { "run", command_run, "try a target with scenarios" },
    { "compare", command_compare, "put the reports of trials side by side" },
    { "list", command_list, "name the scenarios and what they are about" },
    { "explain", command_explain,
      "say what a requirement, scenario or interpretation is about" },
    { "coverage", command_coverage, "which requirements are proved, and how" },
    { "export", command_export, "golden messages for other test suites" },
    { "language", command_language, "all that a scenario can say" },
    { "lint", command_lint, "check catalogue, fixtures and scripts" },
    { "prove", command_prove, "run scenarios on wrecks, where they must fail" }
};

#define COMMAND_COUNT (sizeof s_commands / sizeof *s_commands)

static int
s_help (FILE *out, int status)
{
    fputs ("usage: seatrial COMMAND [OPTION].. [ARGUMENT]..\n"
           "The sea trial of Majordomo brokers and Titanic servers.\n\n", out);
    for (size_t index = 0; index < COMMAND_COUNT; index++)
        fprintf (out, "  %-8s  %s\n", s_commands [index].name,
                 s_commands [index].help);
    fputs ("\nseatrial COMMAND --help tells more. Exit status: 0 seaworthy, "
           "1 not,\n2 wrong use, 3 broken environment, 130 interrupted.\n", out);
    return status;
}

//  What was told must have got through, or the status would be a lie
static int
s_written (int status)
{
    if (fflush (stdout) == 0 && !ferror (stdout))
        return status;
    fprintf (stderr, "seatrial: cannot write to standard output: %s\n",
             strerror (errno));
    return EXIT_BROKEN;
}

int
main (int argc, char *argv [])
{
    //  Interrupts end the program; czmq need not know of them
    zsys_handler_set (NULL);
    if (argc < 2)
        return s_help (stderr, EXIT_USAGE);
    if (streq (argv [1], "--help") || streq (argv [1], "-h"))
        return s_help (stdout, EXIT_SEAWORTHY);
    if (streq (argv [1], "--version") || streq (argv [1], "-V")) {
        puts ("seatrial " PACKAGE_VERSION);
        return EXIT_SEAWORTHY;
    }
    for (size_t index = 0; index < COMMAND_COUNT; index++)
        if (streq (argv [1], s_commands [index].name))
            return s_written (s_commands [index].run (argc - 1, argv + 1));
    fprintf (stderr, "seatrial: there is no command %s; see seatrial --help\n",
             argv [1]);
    return EXIT_USAGE;
}
