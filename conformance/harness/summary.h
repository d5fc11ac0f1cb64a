/*  =========================================================================
    summary - how a trial went, so far or as a whole

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SUMMARY_H_INCLUDED
#define SUMMARY_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result.h"

typedef struct {
    char *reason;
    size_t count;
} tally_t;

typedef struct {
    size_t total;               //  Scenarios selected
    size_t done;                //  Scenarios that have a verdict
    size_t counts [VERDICT_BROKEN + 1];     //  By verdict
    size_t known [VERDICT_BROKEN + 1];      //  How many of these are known
    size_t stale;               //  What is known, and not so any more
    tally_t *skips;             //  SKIPs by reason
    size_t skip_count;
    char **flaky;               //  Of scenarios with several verdicts, a line each
    size_t flaky_count;
    int64_t duration_ms;        //  Wall clock since the start
} summary_t;

//  Count a result.
void
    summary_add (summary_t *self, const result_t *result);

//  How many FAIL, HANG and CRASH there are that are not known, and how many stale
//  lines in the baseline: what makes the target unseaworthy.
size_t
    summary_failures (const summary_t *self);

typedef enum {
    JUDGEMENT_SEAWORTHY,
    JUDGEMENT_KNOWN,            //  Seaworthy but for what is known
    JUDGEMENT_UNSEAWORTHY,
    JUDGEMENT_NONE              //  Nothing was asked, or not all, or the harness
} judgement_t;                  //  failed

judgement_t
    summary_judge (const summary_t *self);
const char *
    judgement_text (judgement_t judgement);

//  Free what it points to.
void
    summary_clear (summary_t *self);

#endif
