/*  =========================================================================
    report_junit - verdicts for CI servers, as JUnit XML

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>
#include <libxml/xmlwriter.h>

#include "report.h"
#include "vector.h"

typedef struct {
    report_config_t config;
    char *target;               //  Name of the suite
    result_t **results;         //  Copies; counts stand in front of them in XML
    size_t count;
} junit_t;

void *
report_junit_new (const report_config_t *config)
{
    junit_t *self = (junit_t *) zmalloc (sizeof (junit_t));
    self->config = *config;
    return self;
}

static void
s_destroy (void **self_p)
{
    junit_t *self = (junit_t *) *self_p;
    if (self) {
        for (size_t index = 0; index < self->count; index++)
            result_destroy (&self->results [index]);
        free (self->results);
        free (self->target);
        free (self);
        *self_p = NULL;
    }
}

static void
s_started (void *argument, const char *target, const summary_t *summary)
{
    junit_t *self = (junit_t *) argument;
    (void) summary;
    self->target = strdup (target);
}

static void
s_result (void *argument, const result_t *result, const summary_t *summary)
{
    junit_t *self = (junit_t *) argument;
    (void) summary;
    char *text = result_encode (result);
    vector_push (self->results, self->count, result_decode (text));
    free (text);
}

//  --------------------------------------------------------------------------
//  Writing

//  Text without the control characters that XML cannot hold
static char *
s_clean (const char *text)
{
    char *copy = strdup (text);
    for (char *at = copy; *at; at++)
        if ((unsigned char) *at < 0x20 && *at != '\n' && *at != '\t')
            *at = '?';
    return copy;
}

static void
s_attribute (xmlTextWriterPtr writer, const char *name, const char *value)
{
    char *clean = s_clean (value? value: "");
    xmlTextWriterWriteAttribute (writer, BAD_CAST name, BAD_CAST clean);
    free (clean);
}

static void
s_attribute_number (xmlTextWriterPtr writer, const char *name, size_t number)
{
    xmlTextWriterWriteFormatAttribute (writer, BAD_CAST name, "%zu", number);
}

static void
s_attribute_time (xmlTextWriterPtr writer, int64_t duration_ms)
{
    xmlTextWriterWriteFormatAttribute (writer, BAD_CAST "time", "%.3f",
                                       (double) duration_ms / 1000);
}

static void
s_element (xmlTextWriterPtr writer, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    char *clean = s_clean (text);
    xmlTextWriterWriteElement (writer, BAD_CAST name, BAD_CAST clean);
    free (clean);
}

static char *
s_story (junit_t *self, const result_t *result)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    if (result->place)
        fprintf (out, "step: %s\nat: %s\n", result->step, result->place);
    if (result->expected)
        fprintf (out, "expected: %s\n", result->expected);
    if (result->received)
        fprintf (out, "received: %s\n", result->received);
    for (size_t index = 0; index < result->requirement_count; index++) {
        const requirement_t *requirement = self->config.catalogue
            ? catalogue_find (self->config.catalogue,
                              result->requirements [index]): NULL;
        fprintf (out, "breaks: %s", result->requirements [index]);
        if (requirement)
            fprintf (out, " (%s, %s): %s", level_text (requirement->level),
                     requirement->section, requirement->text);
        fputc ('\n', out);
    }
    fclose (out);
    return text;
}

//  It is told, and the case is green
static bool
s_is_warning (const result_t *result)
{
    return result->verdict == VERDICT_WARN && !result->stale;
}

static void
s_outcome (junit_t *self, xmlTextWriterPtr writer, const result_t *result)
{
    char *story = s_story (self, result);
    if (s_is_warning (result)) {
        char *text = zsys_sprintf ("WARN: %s%s%s\n%s%s",
            result->reason? result->reason: "",
            result->known? "\nknown: ": "",
            result->known? result->known_reason: "", story,
            result->output? result->output: "");
        s_element (writer, "system-err", text);
        free (text);
    }
    else
    if (result->stale) {
        xmlTextWriterStartElement (writer, BAD_CAST "failure");
        s_attribute (writer, "message", result->remarks [
                                            result->remark_count - 1]);
        s_attribute (writer, "type", "STALE");
        xmlTextWriterEndElement (writer);
    }
    else
    if (result->known) {
        xmlTextWriterStartElement (writer, BAD_CAST "skipped");
        char *text = zsys_sprintf ("known %s: %s",
            verdict_text (result->verdict), result->known_reason);
        s_attribute (writer, "message", text);
        free (text);
        xmlTextWriterEndElement (writer);
    }
    else
    if (result->verdict != VERDICT_PASS) {
        xmlTextWriterStartElement (writer, BAD_CAST
            (result->verdict == VERDICT_SKIP? "skipped"
             : result->verdict == VERDICT_BROKEN? "error": "failure"));
        s_attribute (writer, "message", result->reason);
        if (result->verdict != VERDICT_SKIP) {
            s_attribute (writer, "type", verdict_text (result->verdict));
            char *clean = s_clean (story);
            xmlTextWriterWriteString (writer, BAD_CAST clean);
            free (clean);
        }
        xmlTextWriterEndElement (writer);
    }
    free (story);
}

static void
s_case (junit_t *self, xmlTextWriterPtr writer, const result_t *result)
{
    const char *slash = strchr (result->scenario, '/');
    char *theme = strndup (result->scenario, slash
        ? (size_t) (slash - result->scenario): strlen (result->scenario));
    xmlTextWriterStartElement (writer, BAD_CAST "testcase");
    s_attribute (writer, "classname", theme);
    s_attribute (writer, "name", slash? slash + 1: result->scenario);
    s_attribute_time (writer, result->duration_ms);
    //  The schema wants failure, system-out, system-err in this order
    if (!s_is_warning (result))
        s_outcome (self, writer, result);
    s_element (writer, "system-out", result->transcript);
    if (s_is_warning (result))
        s_outcome (self, writer, result);
    else
    if (result->verdict > VERDICT_SKIP)
        s_element (writer, "system-err", result->output);
    xmlTextWriterEndElement (writer);
    free (theme);
}

//  Jenkins' schema has no skipped for all suites
static void
s_counts (xmlTextWriterPtr writer, const summary_t *summary, bool suite)
{
    const size_t *counts = summary->counts;
    s_attribute_number (writer, "tests", summary->done);
    s_attribute_number (writer, "failures", summary_failures (summary));
    s_attribute_number (writer, "errors", counts [VERDICT_BROKEN]);
    if (suite)
        s_attribute_number (writer, "skipped", counts [VERDICT_SKIP]
            + summary->known [VERDICT_FAIL] + summary->known [VERDICT_HANG]
            + summary->known [VERDICT_CRASH]);
    s_attribute_time (writer, summary->duration_ms);
}

static void
s_property (xmlTextWriterPtr writer, const char *name, const char *value)
{
    xmlTextWriterStartElement (writer, BAD_CAST "property");
    s_attribute (writer, "name", name);
    s_attribute (writer, "value", value);
    xmlTextWriterEndElement (writer);
}

//  What was tried, and what has no place in the schema
static void
s_properties (junit_t *self, xmlTextWriterPtr writer, const summary_t *summary)
{
    size_t not_run = summary->total - summary->done;
    const profile_t *profile = self->config.profile;
    if (!profile && summary->skip_count + summary->flaky_count + not_run == 0)
        return;
    xmlTextWriterStartElement (writer, BAD_CAST "properties");
    if (profile) {
        s_property (writer, "seatrial", self->config.conditions.version);
        s_property (writer, "endpoint", profile->endpoint);
    }
    for (size_t index = 0; profile && index < profile->speak_count; index++)
        s_property (writer, "speaks", profile->speaks [index]);
    for (size_t index = 0; index < summary->skip_count; index++) {
        char *text = zsys_sprintf ("%zu: %s", summary->skips [index].count,
                                   summary->skips [index].reason);
        s_property (writer, "skipped", text);
        free (text);
    }
    for (size_t index = 0; index < summary->flaky_count; index++)
        s_property (writer, "flaky", summary->flaky [index]);
    if (not_run) {
        char *text = zsys_sprintf ("%zu", not_run);
        s_property (writer, "not-run", text);
        free (text);
    }
    xmlTextWriterEndElement (writer);
}

static void
s_finished (void *argument, const summary_t *summary)
{
    junit_t *self = (junit_t *) argument;
    xmlBufferPtr buffer = xmlBufferCreate ();
    xmlTextWriterPtr writer = xmlNewTextWriterMemory (buffer, 0);
    assert (writer);
    xmlTextWriterSetIndent (writer, 1);
    xmlTextWriterStartDocument (writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement (writer, BAD_CAST "testsuites");
    s_attribute (writer, "name", "seatrial");
    s_counts (writer, summary, false);
    xmlTextWriterStartElement (writer, BAD_CAST "testsuite");
    s_attribute (writer, "name", self->target);
    s_counts (writer, summary, true);
    if (self->config.conditions.started)
        //  The schema wants no zone
        xmlTextWriterWriteFormatAttribute (writer, BAD_CAST "timestamp", "%.19s",
            self->config.conditions.started);
    s_properties (self, writer, summary);
    for (size_t index = 0; index < self->count; index++)
        s_case (self, writer, self->results [index]);
    xmlTextWriterEndDocument (writer);
    xmlFreeTextWriter (writer);
    fputs ((const char *) xmlBufferContent (buffer), self->config.out);
    fflush (self->config.out);
    xmlBufferFree (buffer);
}

const reporter_t report_junit = {
    .started = s_started, .result = s_result, .finished = s_finished,
    .destroy = s_destroy
};
