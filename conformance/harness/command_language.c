/*  =========================================================================
    command_language - the language of scenarios, as a page of the manual

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <czmq.h>

#include "command.h"
#include "script.h"

static const char s_help [] =
"usage: seatrial language [OPTION]..\n"
"Print all that a scenario can say, a line each and what it means.\n"
"\n"
"      --man                 as the page seatrial-script(5) of the manual, for man -l\n"
"  -h, --help\n"
"\n"
"Exit status: 0, or 2 for wrong use.\n";

static const char s_head [] =
".\\\"   This Source Code Form is subject to the terms of the Mozilla Public\n"
".\\\"   License, v. 2.0. If a copy of the MPL was not distributed with this\n"
".\\\"   file, You can obtain one at http://mozilla.org/MPL/2.0/.\n"
".\\\"\n"
".\\\"   Written by: seatrial language --man\n"
".Dd November 25, 2026\n"
".Dt SEATRIAL-SCRIPT 5\n"
".Os\n"
".Sh NAME\n"
".Nm seatrial-script\n"
".Nd the language of scenarios\n"
".Sh DESCRIPTION\n"
"A scenario is a sequence chart that runs: who sends what, and what must come.\n"
"Files end in\n"
".Pa .sea ,\n"
"those that are only included in\n"
".Pa .inc ;\n"
".Li #\n"
"begins a comment; there is one step a line.\n"
"A line that begins with\n"
".Li | ,\n"
".Li until ,\n"
".Li while\n"
"or\n"
".Li within\n"
"goes on with the line before.\n"
"Scripts are read and checked completely before anything is started.\n"
".Bl -tag -width Ds\n";

static const char s_tail [] =
".El\n"
".Pp\n"
"A MESSAGE is one of the golden messages in\n"
".Pa fixtures ,\n"
"a FRAME is\n"
".Li \\(dqtext\\(dq ,\n"
".Li 0x00ff ,\n"
".Li $name ,\n"
".Li $name:class\n"
"or\n"
".Li ... ,\n"
"as\n"
".Pa fixtures/README.md\n"
"describes.\n"
".Li hb\n"
"is the heartbeat interval of the target,\n"
".Li expiry\n"
"the time after which it drops a request for a service without workers.\n"
".Sh EXAMPLES\n"
".Bd -literal\n"
"scenario second-ready \"a second READY is answered by DISCONNECT and silence\"\n"
"    covers MDP1-CONNECTION-19 MDP1-CONNECTION-20\n"
"    worker w\n"
"    w -> READY \"echo\"\n"
"    w -> READY \"echo\"\n"
"    w <- DISCONNECT             [MDP1-CONNECTION-19]\n"
"    w silent for 3 hb           [MDP1-CONNECTION-20]\n"
".Ed\n"
".Sh SEE ALSO\n"
".Xr seatrial 1 ,\n"
".Pa doc/seatrial-script.md\n"
"tells more of tags, blocks, times and verdicts.\n";

//  Text for mdoc, in quotes when it is an argument
static void
s_print_text (const char *text, size_t size, bool argument)
{
    for (size_t index = 0; index < size; index++)
        if (text [index] == '\\')
            fputs ("\\e", stdout);
        else
        if (text [index] == '-' && argument)
            fputs ("\\-", stdout);
        else
        if (text [index] == '"' && argument)
            fputs ("\\(dq", stdout);
        else
            putchar (text [index]);
}

static void
s_print_page (void)
{
    fputs (s_head, stdout);
    for (size_t index = 0; script_commands [index]; index++) {
        const char *form = script_commands [index];
        size_t size = strcspn (form, "\t");
        fputs (".It Li \"", stdout);
        s_print_text (form, size, true);
        fputs ("\"\n", stdout);
        s_print_text (form + size + 1, strlen (form + size + 1), false);
        fputs (".\n", stdout);
    }
    fputs (s_tail, stdout);
}

int
command_language (int argc, char *argv [])
{
    static const struct option options [] = {
        { "man", no_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    bool man = false;
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
        if (option == 'm')
            man = true;
        else {
            fputs (option == 'h'? s_help: "see seatrial language --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf (stderr, "seatrial language: %s is too much; it shows all\n",
                 argv [optind]);
        return EXIT_USAGE;
    }
    if (man)
        s_print_page ();
    else
        for (size_t index = 0; script_commands [index]; index++) {
            const char *form = script_commands [index];
            size_t size = strcspn (form, "\t");
            printf ("%.*s\n        %s\n", (int) size, form, form + size + 1);
        }
    return EXIT_SEAWORTHY;
}
