/*  =========================================================================
    summary - how a trial went, so far or as a whole

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "summary.h"
#include "vector.h"

static void
s_add_skip (summary_t *self, const char *reason)
{
    for (size_t index = 0; index < self->skip_count; index++)
        if (streq (self->skips [index].reason, reason)) {
            self->skips [index].count++;
            return;
        }
    tally_t tally = { strdup (reason), 1 };
    vector_push (self->skips, self->skip_count, tally);
}

void
summary_add (summary_t *self, const result_t *result)
{
    self->done++;
    self->counts [result->verdict]++;
    self->known [result->verdict] += result->known;
    self->stale += result->stale;
    if (result->verdict == VERDICT_SKIP)
        s_add_skip (self, result->reason? result->reason: "");
}

size_t
summary_failures (const summary_t *self)
{
    size_t failures = self->stale;
    for (int verdict = VERDICT_FAIL; verdict <= VERDICT_CRASH; verdict++)
        failures += self->counts [verdict] - self->known [verdict];
    return failures;
}

judgement_t
summary_judge (const summary_t *self)
{
    if (summary_failures (self) > 0)
        return JUDGEMENT_UNSEAWORTHY;
    if (self->done == self->counts [VERDICT_SKIP] || self->done < self->total
    ||  self->counts [VERDICT_BROKEN])
        return JUDGEMENT_NONE;
    return self->known [VERDICT_FAIL] + self->known [VERDICT_HANG]
         + self->known [VERDICT_CRASH]? JUDGEMENT_KNOWN: JUDGEMENT_SEAWORTHY;
}

const char *
judgement_text (judgement_t judgement)
{
    static const char *texts [] = {
        "seaworthy", "seaworthy but for what is known", "not seaworthy",
        "not judged"
    };
    return texts [judgement];
}

void
summary_clear (summary_t *self)
{
    for (size_t index = 0; index < self->skip_count; index++)
        free (self->skips [index].reason);
    free (self->skips);
    for (size_t index = 0; index < self->flaky_count; index++)
        free (self->flaky [index]);
    free (self->flaky);
    *self = (summary_t) { 0 };
}
