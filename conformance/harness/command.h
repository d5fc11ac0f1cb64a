/*  =========================================================================
    command - what the seatrial program can be asked to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef COMMAND_H_INCLUDED
#define COMMAND_H_INCLUDED

//  Exit status of every command.
typedef enum {
    EXIT_SEAWORTHY = 0,         //  All is well
    EXIT_UNSEAWORTHY = 1,       //  The target, or what was checked, is not
    EXIT_USAGE = 2,             //  The command line, a script or a profile
    EXIT_BROKEN = 3,            //  The harness or its surroundings
    EXIT_INTERRUPTED = 130      //  By SIGINT or SIGTERM, as shells say it
} exit_t;

//  Each reads its own command line, whose argv [0] is the command's name.

//  Try a target.
int
    command_run (int argc, char *argv []);

//  Name the scenarios, or those that match.
int
    command_list (int argc, char *argv []);

//  Check catalogue, fixtures and scripts.
int
    command_lint (int argc, char *argv []);

//  Say what a requirement, a scenario or an interpretation is about.
int
    command_explain (int argc, char *argv []);

//  Which requirements are proved, by which scenarios.
int
    command_coverage (int argc, char *argv []);

//  Write golden messages and malformed variants for other test suites.
int
    command_export (int argc, char *argv []);

//  Print the language of scenarios.
int
    command_language (int argc, char *argv []);

//  Several trials side by side.
int
    command_compare (int argc, char *argv []);

//  Run scenarios on wrecks, where they must fail.
int
    command_prove (int argc, char *argv []);

#endif
