/*  =========================================================================
    report_tap - verdicts for automake and other harnesses, as TAP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>
#include <jansson.h>

#include "report.h"
#include "transcript.h"

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
    fprintf (self->config.out, "TAP version 14\n1..%zu\n", summary->total);
    s_diagnose (self, "target: ", target);
}

//  --------------------------------------------------------------------------
//  The YAML block behind a test point. All text is quoted as in JSON, which is
//  YAML too, whatever bytes a target has printed.

static void
s_quote (tap_t *self, const char *text)
{
    json_t *json = json_text (text);
    char *quoted = json_dumps (json, JSON_ENCODE_ANY);
    fputs (quoted, self->config.out);
    free (quoted);
    json_decref (json);
}

static void
s_entry (tap_t *self, const char *name, const char *text)
{
    if (!text)
        return;
    fprintf (self->config.out, "  %s: ", name);
    s_quote (self, text);
    fputc ('\n', self->config.out);
}

//  A list, an item for each line
static void
s_lines (tap_t *self, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    fprintf (self->config.out, "  %s:\n", name);
    while (*text) {
        size_t size = strcspn (text, "\n");
        char *line = strndup (text, size);
        fputs ("    - ", self->config.out);
        s_quote (self, line);
        fputc ('\n', self->config.out);
        free (line);
        text += size + (text [size] == '\n');
    }
}

static void
s_breaks (tap_t *self, const result_t *result)
{
    if (result->verdict == VERDICT_BROKEN || !result->requirement_count)
        return;
    fputs ("  breaks:\n", self->config.out);
    for (size_t index = 0; index < result->requirement_count; index++) {
        const char *id = result->requirements [index];
        const requirement_t *requirement = self->config.catalogue
            ? catalogue_find (self->config.catalogue, id): NULL;
        fputs ("    - id: ", self->config.out);
        s_quote (self, id);
        fputc ('\n', self->config.out);
        if (!requirement)
            continue;
        s_entry (self, "    level", level_text (requirement->level));
        s_entry (self, "    section", requirement->section);
        s_entry (self, "    text", requirement->text);
    }
}

static void
s_details (tap_t *self, const result_t *result)
{
    fputs ("  ---\n", self->config.out);
    s_entry (self, "verdict", verdict_text (result->verdict));
    s_entry (self, "message", result->reason);
    s_entry (self, "step", result->step);
    s_entry (self, "at", result->place);
    s_entry (self, "expected", result->expected);
    s_entry (self, "received", result->received);
    fprintf (self->config.out, "  duration_ms: %lld\n",
             (long long) result->duration_ms);
    s_breaks (self, result);
    s_lines (self, "transcript", result->transcript);
    s_lines (self, "printed", result->output);
    fputs ("  ...\n", self->config.out);
}

static void
s_result (void *argument, const result_t *result, const summary_t *summary)
{
    tap_t *self = (tap_t *) argument;
    bool fine = result->verdict <= VERDICT_WARN && !result->stale;
    fprintf (self->config.out, "%sok %zu - %s", fine? "": "not ",
             summary->done, result->scenario);
    if (result->verdict == VERDICT_SKIP)
        fprintf (self->config.out, " # SKIP %s",
                 result->reason? result->reason: "");
    //  What fails and is known is what TAP calls something to do
    if (result->known && !fine)
        fprintf (self->config.out, " # TODO known: %s", result->known_reason);
    fputc ('\n', self->config.out);
    if (result->verdict > VERDICT_SKIP)
        s_details (self, result);
    if (result->known && fine)
        s_diagnose (self, "known: ", result->known_reason);
    for (size_t index = 0; index < result->remark_count; index++)
        s_diagnose (self, "note: ", result->remarks [index]);
    fflush (self->config.out);
}

static void
s_finished (void *argument, const summary_t *summary)
{
    tap_t *self = (tap_t *) argument;
    FILE *out = self->config.out;
    fputc ('#', out);
    for (int verdict = 0; verdict <= VERDICT_BROKEN; verdict++) {
        if (summary->counts [verdict])
            fprintf (out, " %zu %s", summary->counts [verdict],
                     verdict_text ((verdict_t) verdict));
        if (summary->known [verdict])
            fprintf (out, " (%zu known)", summary->known [verdict]);
    }
    fputc ('\n', out);
    for (size_t index = 0; index < summary->skip_count; index++)
        fprintf (out, "# skipped %zu: %s\n", summary->skips [index].count,
                 summary->skips [index].reason);
    for (size_t index = 0; index < summary->flaky_count; index++)
        s_diagnose (self, "flaky: ", summary->flaky [index]);
    if (summary->done < summary->total)
        fprintf (out, "Bail out! %zu scenarios were not run\n",
                 summary->total - summary->done);
    fflush (out);
}

const reporter_t report_tap = {
    .started = s_started, .result = s_result, .finished = s_finished,
    .destroy = s_destroy
};
