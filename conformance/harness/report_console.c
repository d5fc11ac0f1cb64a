/*  =========================================================================
    report_console - verdicts as they come, for people

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "report.h"
#include "vector.h"

//  Lines of a transcript that are shown; the last ones tell most
#define TRANSCRIPT_LINES 40

typedef struct {
    report_config_t config;
    bool progress;              //  A progress line stands on the terminal
} console_t;

void *
report_console_new (const report_config_t *config)
{
    console_t *self = (console_t *) zmalloc (sizeof (console_t));
    self->config = *config;
    return self;
}

static void
s_destroy (void **self_p)
{
    console_t *self = (console_t *) *self_p;
    if (self) {
        free (self);
        *self_p = NULL;
    }
}

//  --------------------------------------------------------------------------
//  Pieces

static const char *
s_paint (const console_t *self, verdict_t verdict)
{
    static const char *colors [] = {
        [VERDICT_PASS] = "\033[32m", [VERDICT_SKIP] = "\033[36m",
        [VERDICT_WARN] = "\033[33m", [VERDICT_FAIL] = "\033[31m",
        [VERDICT_HANG] = "\033[31m", [VERDICT_CRASH] = "\033[1;31m",
        [VERDICT_BROKEN] = "\033[35m"
    };
    return self->config.color? colors [verdict]: "";
}

static const char *
s_plain (const console_t *self)
{
    return self->config.color? "\033[0m": "";
}

static void
s_erase_progress (console_t *self)
{
    if (self->progress)
        fputs ("\r\033[K", self->config.out);
    self->progress = false;
}

//  Words, broken between them so that no line is longer than the console
static void
s_wrap (console_t *self, int indent, const char *text)
{
    FILE *out = self->config.out;
    int width = self->config.width > indent + 20
              ? self->config.width - indent: 60;
    while (*text) {
        int size = (int) strlen (text);
        if (size > width) {
            size = width;
            while (size > 0 && text [size] != ' ')
                size--;
            if (size == 0)
                size = (int) strcspn (text, " ");
        }
        fprintf (out, "%*s%.*s\n", indent, "", size, text);
        text += size;
        text += strspn (text, " ");
    }
}

static void
s_field (console_t *self, const char *name, const char *value)
{
    if (value)
        fprintf (self->config.out, "    %-9s %s\n", name, value);
}

//  The last lines of a text, each indented
//  What a target printed may be meant for a terminal, or for nobody
static void
s_put_plain (FILE *out, const char *text, size_t size)
{
    for (size_t index = 0; index < size; index++) {
        unsigned char byte = (unsigned char) text [index];
        fputc ((byte < 0x20 && byte != '\t') || byte == 0x7f? '?': byte, out);
    }
}

static void
s_lines (console_t *self, const char *title, const char *text)
{
    if (!text || !*text)
        return;
    FILE *out = self->config.out;
    fprintf (out, "    %s\n", title);
    size_t lines = 0;
    for (const char *at = text; (at = strchr (at, '\n')); at++)
        lines++;
    size_t left_out = lines > TRANSCRIPT_LINES? lines - TRANSCRIPT_LINES: 0;
    if (left_out)
        fprintf (out, "        (%zu lines before)\n", left_out);
    for (size_t line = 0; *text; line++) {
        size_t size = strcspn (text, "\n");
        if (line >= left_out) {
            fputs ("        ", out);
            s_put_plain (out, text, size);
            fputc ('\n', out);
        }
        text += size + (text [size] == '\n');
    }
}

static void
s_requirements (console_t *self, const result_t *result)
{
    for (size_t index = 0; index < result->requirement_count; index++) {
        const requirement_t *requirement = self->config.catalogue
            ? catalogue_find (self->config.catalogue,
                              result->requirements [index]): NULL;
        if (!requirement) {
            s_field (self, index? "": "breaks", result->requirements [index]);
            continue;
        }
        fprintf (self->config.out, "    %-9s %s  %s  %s\n",
                 index? "": "breaks", requirement->id,
                 level_text (requirement->level), requirement->section);
        s_wrap (self, 14, requirement->text);
    }
}

static void
s_details (console_t *self, const result_t *result)
{
    s_field (self, "", result->title);
    s_field (self, "why", result->reason);
    if (result->place)
        s_field (self, "step", result->step);
    s_field (self, "at", result->place);
    s_field (self, "expected", result->expected);
    s_field (self, "received", result->received);
    if (result->verdict == VERDICT_BROKEN)
        s_field (self, "blame", "the harness or its surroundings, not the "
                                "target");
    else
        s_requirements (self, result);
    s_lines (self, "what went over the wire:", result->transcript);
    s_lines (self, "what the target printed:", result->output);
    fputc ('\n', self->config.out);
}

//  --------------------------------------------------------------------------
//  Events

static void
s_started (void *argument, const char *target, const summary_t *summary)
{
    console_t *self = (console_t *) argument;
    fprintf (self->config.out, "%s: %zu scenarios\n\n", target,
             summary->total);
}

static void
s_progress (void *argument, const summary_t *summary, const char *running)
{
    console_t *self = (console_t *) argument;
    if (!self->config.terminal)
        return;
    char line [512];
    snprintf (line, sizeof line, "%zu/%zu running: %s", summary->done,
              summary->total, running);
    fprintf (self->config.out, "\r\033[K%.*s", self->config.width - 1, line);
    self->progress = true;
    fflush (self->config.out);
}

static void
s_result (void *argument, const result_t *result, const summary_t *summary)
{
    console_t *self = (console_t *) argument;
    (void) summary;
    s_erase_progress (self);
    fprintf (self->config.out, "%s%-6s%s %-36s %6.2f s\n",
             s_paint (self, result->verdict), verdict_text (result->verdict),
             s_plain (self), result->scenario,
             (double) result->duration_ms / 1000);
    for (size_t index = 0; index < result->remark_count; index++)
        s_field (self, "note", result->remarks [index]);
    //  What is known has been read before
    if (result->known)
        s_field (self, "known", result->known_reason);
    if (result->verdict > VERDICT_SKIP
    && (!result->known || self->config.verbose))
        s_details (self, result);
    else
    if (self->config.verbose)
        s_lines (self, "what went over the wire:", result->transcript);
    fflush (self->config.out);
}

static void
s_count (console_t *self, const summary_t *summary, verdict_t verdict)
{
    FILE *out = self->config.out;
    fprintf (out, "%s%zu %s%s", s_paint (self, verdict),
             summary->counts [verdict], verdict_text (verdict), s_plain (self));
    if (summary->known [verdict])
        fprintf (out, " (%zu known)", summary->known [verdict]);
    fputs ("   ", out);
}

static void
s_finished (void *argument, const summary_t *summary)
{
    console_t *self = (console_t *) argument;
    FILE *out = self->config.out;
    s_erase_progress (self);
    fputc ('\n', out);
    for (int verdict = 0; verdict <= VERDICT_BROKEN; verdict++)
        if (summary->counts [verdict])
            s_count (self, summary, (verdict_t) verdict);
    fprintf (out, "in %.1f s\n", (double) summary->duration_ms / 1000);
    for (size_t index = 0; index < summary->skip_count; index++)
        fprintf (out, "skipped %zu: %s\n", summary->skips [index].count,
                 summary->skips [index].reason);
    for (size_t index = 0; index < summary->flaky_count; index++)
        fprintf (out, "flaky: %s\n", summary->flaky [index]);
    if (summary->stale)
        fprintf (out, "%zu stale in the baseline: see the notes above\n",
                 summary->stale);
    if (summary->done < summary->total)
        fprintf (out, "%zu scenarios were not run\n",
                 summary->total - summary->done);
    judgement_t judgement = summary_judge (summary);
    fprintf (out, "%s%s%s%s\n", s_paint (self,
             judgement == JUDGEMENT_UNSEAWORTHY? VERDICT_FAIL:
             judgement == JUDGEMENT_NONE? VERDICT_BROKEN: VERDICT_PASS),
             judgement_text (judgement), judgement == JUDGEMENT_NONE
             ? ": see above": "", s_plain (self));
}

const reporter_t report_console = {
    .started = s_started, .progress = s_progress, .result = s_result,
    .finished = s_finished, .destroy = s_destroy
};
