/*  =========================================================================
    selection - which scenarios are meant: by name, by what they cover

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SELECTION_H_INCLUDED
#define SELECTION_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kit.h"

typedef struct _selection_t selection_t;

//  Everything, unless more is said. Strings that it is given are borrowed.
selection_t *
    selection_new (void);
void
    selection_destroy (selection_t **self_p);

//  For a command's getopt_long, and for its help.
enum { SELECTION_REQUIREMENT = 512, SELECTION_LEVEL, SELECTION_ROLE,
       SELECTION_SPECIFICATION, SELECTION_EXCLUDE };

#define SELECTION_OPTIONS                                                   \
    { "requirement", required_argument, NULL, SELECTION_REQUIREMENT },      \
    { "level", required_argument, NULL, SELECTION_LEVEL },                  \
    { "role", required_argument, NULL, SELECTION_ROLE },                    \
    { "specification", required_argument, NULL, SELECTION_SPECIFICATION },  \
    { "exclude", required_argument, NULL, SELECTION_EXCLUDE }

#define SELECTION_HELP \
"Which scenarios; all that is asked for must hold, of several of one kind any:\n" \
"  SCENARIO                  a name, or a pattern such as 'presence/*'; without an @\n" \
"                            it means all versions, as dialogue/echo@0.2 means one\n" \
"      --requirement ID      that cover this requirement; patterns as 'TSP-CLOSE-*'\n" \
"      --level LEVEL         that cover a MUST, MUST-NOT, RULE, SHOULD, SHOULD-NOT\n" \
"                            or MAY\n" \
"      --role ROLE           that cover what binds a client, worker, broker or\n" \
"                            titanic\n" \
"      --specification NAME  that cover mdp/0.1, mdp/0.2, mmi/0.1 or tsp/1.0\n" \
"      --exclude SCENARIO    not these\n"

//  Take an option of getopt_long's; false if it is none of these.
bool
    selection_option (selection_t *self, int option, const char *value);

//  Take the name or pattern of a scenario.
void
    selection_name (selection_t *self, const char *pattern);

//  Whether a pattern means a scenario: "dialogue/echo" means all versions of it,
//  "dialogue/echo@0.2" one.
bool
    selection_means (const char *pattern, const scenario_t *scenario);

//  All scenarios that are meant, in the order of the kit; the caller frees the
//  array. NULL, after one line on errors that begins with the command, when
//  something is not known or nothing is left.
const scenario_t **
    selection_make (const selection_t *self, const kit_t *kit,
                    const char *command, size_t *count, FILE *errors);

#endif
