/*  =========================================================================
    keep - what is kept of each scenario: transcript and what processes printed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef KEEP_H_INCLUDED
#define KEEP_H_INCLUDED

#include <stddef.h>

#include "result.h"

//  In DIRECTORY/dialogue/echo: transcript.txt, with times, and broker.log,
//  titanic.log.. of its processes. A run of several, number run from 1, is in a
//  directory 1, 2.. there; run is 0 when there is one only. -1 after one line on
//  stderr.

//  Make the directory itself. 0, or -1 after one line.
int
    keep_open (const char *directory);

//  Copy all that the processes of a scenario printed, files in logs.
int
    keep_logs (const char *directory, const char *scenario, size_t run,
               const char *logs);

int
    keep_result (const char *directory, const result_t *result, size_t run);

#endif
