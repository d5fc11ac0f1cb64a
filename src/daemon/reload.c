/*  =========================================================================
    reload - settings that are read again while a server runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include "reload.h"

#include <errno.h>
#include <stdio.h>

//  A line is to stay below PIPE_BUF
#define TEXT_SIZE 1024

options_t *
reload_options (const options_t *self, int argc, char *argv [],
                const option_t *table, const char *const *live,
                const char *also)
{
    options_result_t result;
    options_t *later = options_new (argc, argv, table, "", "", &result);
    if (!later) {
        fprintf (stderr, "%s: settings stay as they were%s\n",
                 program_invocation_short_name, also);
        return NULL;
    }
    const char *file = options_string (self, "config");
    char now [TEXT_SIZE];
    char then [TEXT_SIZE];
    size_t changed = options_differences (self, later, live, 1, now,
                                          sizeof (now));
    size_t kept = options_differences (self, later, live, 0, then,
                                       sizeof (then));
    fprintf (stderr, "%s: read %s again: %s%s%s%s\n",
             program_invocation_short_name, file? file: "the command line",
             changed? now: "nothing to change",
             kept? "; a restart is needed for ": "", kept? then: "", also);
    return later;
}
