/*  =========================================================================
    baseline - deviations that are known, and why they are put up with

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BASELINE_H_INCLUDED
#define BASELINE_H_INCLUDED

#include <stdio.h>

#include "result.h"
#include "script.h"

//  A file of lines
//
//      SCENARIO VERDICT [flaky] "REASON"
//
//  where SCENARIO is a name as reports have it, so that dialogue/echo@0.2 is
//  another one than dialogue/echo, and VERDICT is WARN, FAIL, HANG or CRASH. What
//  is flaky may also pass. # begins a comment; " and \ in a reason have a \ before
//  them.
typedef struct _baseline_t baseline_t;

//  Nothing is known.
baseline_t *
    baseline_new (void);

//  What is known of scenarios of the script. NULL after one line for each
//  mistake, FILE:LINE: what is wrong.
baseline_t *
    baseline_read (const char *path, const script_t *script, FILE *errors);

void
    baseline_destroy (baseline_t **self_p);

//  Set known, stale and known_reason of a result, add a remark when it is not
//  what is known, and remember it. strict is the verdict that counts, if a broken
//  SHOULD does: who knows of the WARN knows of the FAIL, too.
void
    baseline_judge (baseline_t *self, result_t *result, verdict_t strict);

//  Write what is known now: what came in the run, with the reasons of what was
//  known before, and what was known of scenarios that gave no verdict. The file
//  is there whole, or as it was. 0, or -1 after one line on errors.
int
    baseline_write (const baseline_t *self, const char *path, FILE *errors);

#endif
