/*  =========================================================================
    report_tap - verdicts for automake, as TAP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "report.h"

typedef struct {
    report_config_t config;
} tap_t;

void *
report_tap_new (const report_config_t *config)
{
    tap_t *self = (tap_t *) zmalloc (sizeof (tap_t));
    self->config = *config;
    return self;
}

static void
s_destroy (void **self_p)
{
    free (*self_p);
    *self_p = NULL;
}

//  Each line as a diagnostic
static void
s_diagnose (tap_t *self, const char *name, const char *text)
{
    while (text && *text) {
        size_t size = strcspn (text, "\n");
        fprintf (self->config.out, "# %s%.*s\n", name, (int) size, text);
        text += size + (text [size] == '\n');
    }
}

static void
s_started (void *argument, const char *target, const summary_t *summary)
{
    tap_t *self = (tap_t *) argument;
    fprintf (self->config.out, "1..%zu\n", summary->total);
    s_diagnose (self, "target: ", target);
}

static void
s_details (tap_t *self, const result_t *result)
{
    s_diagnose (self, "", verdict_text (result->verdict));
    s_diagnose (self, "why: ", result->reason);
    s_diagnose (self, "step: ", result->step);
    s_diagnose (self, "at: ", result->place);
    s_diagnose (self, "expected: ", result->expected);
    s_diagnose (self, "received: ", result->received);
    for (size_t index = 0; index < result->requirement_count; index++) {
        const requirement_t *requirement = self->config.catalogue
            ? catalogue_find (self->config.catalogue,
                              result->requirements [index]): NULL;
        s_diagnose (self, "breaks: ", result->requirements [index]);
        if (requirement)
            s_diagnose (self, "    ", requirement->text);
    }
    s_diagnose (self, "  ", result->transcript);
    s_diagnose (self, "printed: ", result->output);
}

static void
s_result (void *argument, const result_t *result, const summary_t *summary)
{
    tap_t *self = (tap_t *) argument;
    bool fine = result->verdict <= VERDICT_WARN;
    fprintf (self->config.out, "%sok %zu - %s", fine? "": "not ",
             summary->done, result->scenario);
    if (result->verdict == VERDICT_SKIP)
        fprintf (self->config.out, " # SKIP %s",
                 result->reason? result->reason: "");
    fputc ('\n', self->config.out);
    for (size_t index = 0; index < result->remark_count; index++)
        s_diagnose (self, "note: ", result->remarks [index]);
    if (result->verdict > VERDICT_SKIP)
        s_details (self, result);
    fflush (self->config.out);
}

const reporter_t report_tap = {
    .started = s_started, .result = s_result, .destroy = s_destroy
};
