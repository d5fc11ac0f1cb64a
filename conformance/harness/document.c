/*  =========================================================================
    document - a whole trial as JSON, which JSON and HTML reports are made of

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "document.h"
#include "vector.h"

struct _document_t {
    report_config_t config;
    char *target;
    json_t **scenarios;
    size_t count;
};

document_t *
document_new (const report_config_t *config)
{
    document_t *self = (document_t *) zmalloc (sizeof (document_t));
    self->config = *config;
    return self;
}

void
document_destroy (void **self_p)
{
    document_t *self = (document_t *) *self_p;
    if (self) {
        for (size_t index = 0; index < self->count; index++)
            json_decref (self->scenarios [index]);
        free (self->scenarios);
        free (self->target);
        free (self);
        *self_p = NULL;
    }
}

FILE *
document_out (const document_t *self)
{
    return self->config.out;
}

const char *
document_text (const json_t *json, const char *name)
{
    const char *text = json_string_value (json_object_get (json, name));
    return text? text: "";
}

int64_t
document_number (const json_t *json, const char *name)
{
    return json_integer_value (json_object_get (json, name));
}

//  --------------------------------------------------------------------------
//  Scenarios

//  "7/MDP, Opening and Closing a Connection" cut in two
static void
s_set_section (json_t *json, const char *section)
{
    const char *comma = strstr (section, ", ");
    size_t size = comma? (size_t) (comma - section): strlen (section);
    json_object_set_new (json, "specification", json_stringn (section, size));
    json_object_set_new (json, "section", json_text (comma? comma + 2: ""));
}

//  What a result breaks, in words. Of one that passed, and of one that is the
//  harness's own fault, the ids say what it would have proved.
static json_t *
s_breaks (const document_t *self, const result_t *result)
{
    json_t *breaks = json_array ();
    if (result->verdict <= VERDICT_SKIP || result->verdict == VERDICT_BROKEN)
        return breaks;
    for (size_t index = 0; index < result->requirement_count; index++) {
        const char *id = result->requirements [index];
        const requirement_t *requirement = self->config.catalogue
            ? catalogue_find (self->config.catalogue, id): NULL;
        json_t *broken = json_pack ("{s:s}", "id", id);
        json_object_set_new (broken, "level", json_text (
            requirement? level_text (requirement->level): NULL));
        s_set_section (broken, requirement? requirement->section: "");
        json_object_set_new (broken, "text", json_text (
            requirement? requirement->text: NULL));
        json_array_append_new (breaks, broken);
    }
    return breaks;
}

//  The message that the failing step got is the last like that which came in
static void
s_mark_offending (json_t *events, const result_t *result)
{
    size_t at = result->received? result->events.count: 0;
    while (at-- > 0) {
        const entry_t *entry = &result->events.entries [at];
        if (entry->type != ENTRY_MESSAGE
        ||  entry->sent != streq (entry->kind, "guest"))
            continue;
        char *frames = strdup ("");
        for (size_t index = 0; index < entry->frame_count; index++) {
            char *more = zsys_sprintf ("%s%s%s", frames, index? "  ": "",
                                       entry->frames [index]);
            free (frames);
            frames = more;
        }
        bool same = streq (frames, result->received);
        free (frames);
        if (same) {
            json_object_set_new (json_array_get (events, at), "offending",
                                 json_true ());
            return;
        }
    }
}

static json_t *
s_scenario (const document_t *self, const result_t *result)
{
    json_t *json = result_json (result);
    json_t *events = json_incref (json_object_get (json, "events"));
    s_mark_offending (events, result);
    json_object_set (json, "name", json_object_get (json, "scenario"));
    json_object_del (json, "scenario");
    json_object_del (json, "requirements");
    json_object_set_new (json, "breaks", s_breaks (self, result));
    json_object_del (json, "events");
    json_object_set_new (json, "transcript", events);
    return json;
}

void
document_started (void *argument, const char *target, const summary_t *summary)
{
    document_t *self = (document_t *) argument;
    (void) summary;
    self->target = strdup (target);
}

void
document_result (void *argument, const result_t *result,
                 const summary_t *summary)
{
    document_t *self = (document_t *) argument;
    (void) summary;
    json_t *scenario = s_scenario (self, result);
    vector_push (self->scenarios, self->count, scenario);
}

static int
s_compare_names (const void *first, const void *second)
{
    return strcmp (document_text (*(json_t *const *) first, "name"),
                   document_text (*(json_t *const *) second, "name"));
}

//  --------------------------------------------------------------------------
//  Requirements

static bool
s_covers (const json_t *scenario, const char *id)
{
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get (scenario, "covers"), index, item)
        if (streq (json_string_value (item), id))
            return true;
    return false;
}

static bool
s_is_broken_by (const json_t *scenario, const char *id)
{
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get (scenario, "breaks"), index, item)
        if (streq (document_text (item, "id"), id))
            return true;
    return false;
}

//  Its scenarios, and what they come to: one that breaks it is enough
static void
s_set_proofs (const document_t *self, json_t *json,
              const requirement_t *requirement)
{
    json_t *proofs = json_array ();
    bool broken = false, known = false, kept = false;
    for (size_t index = 0; index < self->count; index++) {
        const json_t *scenario = self->scenarios [index];
        bool breaks = s_is_broken_by (scenario, requirement->id);
        if (!breaks && !s_covers (scenario, requirement->id))
            continue;
        const char *verdict = document_text (scenario, "verdict");
        json_array_append_new (proofs, json_pack ("{s:s, s:s, s:b}",
            "name", document_text (scenario, "name"), "verdict", verdict,
            "breaks", (int) breaks));
        if (breaks && json_is_true (json_object_get (scenario, "known")))
            known = true;
        else
        if (breaks)
            broken = true;
        else
        if (streq (verdict, "PASS"))
            kept = true;
    }
    json_object_set_new (json, "verdict", json_string (
        broken? "broken": known? "known": kept? "kept":
        requirement->proved? "untested": "unproved"));
    json_object_set_new (json, "scenarios", proofs);
}

static json_t *
s_requirements (const document_t *self)
{
    json_t *array = json_array ();
    size_t count = self->config.catalogue
        ? catalogue_size (self->config.catalogue): 0;
    for (size_t index = 0; index < count; index++) {
        const requirement_t *requirement = catalogue_at (self->config.catalogue,
                                                         index);
        json_t *json = json_pack ("{s:s}", "id", requirement->id);
        s_set_section (json, requirement->section);
        json_object_set_new (json, "level",
                             json_text (level_text (requirement->level)));
        json_object_set_new (json, "role", json_text (requirement->role));
        json_object_set_new (json, "text", json_text (requirement->text));
        json_object_set_new (json, "no_proof", json_text (
            requirement->proved? NULL: requirement->excuse));
        s_set_proofs (self, json, requirement);
        json_array_append_new (array, json);
    }
    return array;
}

//  --------------------------------------------------------------------------
//  The whole

static json_t *
s_target (const document_t *self)
{
    const profile_t *profile = self->config.profile;
    json_t *speaks = json_array ();
    for (size_t index = 0; profile && index < profile->speak_count; index++)
        json_array_append_new (speaks, json_text (profile->speaks [index]));
    json_t *json = json_object ();
    json_object_set_new (json, "name", json_text (self->target));
    json_object_set_new (json, "endpoint",
                         json_text (profile? profile->endpoint: ""));
    json_object_set_new (json, "speaks", speaks);
    json_object_set_new (json, "heartbeat_ms",
                         json_integer (profile? profile->heartbeat_ms: 0));
    return json;
}

static json_t *
s_options (const document_t *self)
{
    const conditions_t *conditions = &self->config.conditions;
    json_t *arguments = json_array ();
    for (size_t index = 0; index < conditions->argument_count; index++)
        json_array_append_new (arguments,
                               json_text (conditions->arguments [index]));
    return json_pack ("{s:b, s:f, s:I, s:b, s:o}",
        "strict", (int) conditions->strict, "time_scale", conditions->scale,
        "jobs", (json_int_t) conditions->side_by_side,
        "isolated", (int) conditions->isolated, "arguments", arguments);
}

static json_t *
s_counts (const size_t *counts)
{
    json_t *json = json_object ();
    for (int verdict = 0; verdict <= VERDICT_BROKEN; verdict++)
        json_object_set_new (json, verdict_text ((verdict_t) verdict),
                             json_integer ((json_int_t) counts [verdict]));
    return json;
}

static json_t *
s_totals (const summary_t *summary)
{
    json_t *totals = s_counts (summary->counts);
    json_object_set_new (totals, "known", s_counts (summary->known));
    json_object_set_new (totals, "stale",
                         json_integer ((json_int_t) summary->stale));
    json_object_set_new (totals, "selected",
                         json_integer ((json_int_t) summary->total));
    json_object_set_new (totals, "not_run", json_integer (
        (json_int_t) (summary->total - summary->done)));
    return totals;
}

static json_t *
s_flaky (const summary_t *summary)
{
    json_t *flaky = json_array ();
    for (size_t index = 0; index < summary->flaky_count; index++)
        json_array_append_new (flaky, json_text (summary->flaky [index]));
    return flaky;
}

json_t *
document_finish (document_t *self, const summary_t *summary)
{
    const conditions_t *conditions = &self->config.conditions;
    json_t *scenarios = json_array ();
    if (self->count)
        qsort (self->scenarios, self->count, sizeof *self->scenarios,
               s_compare_names);
    for (size_t index = 0; index < self->count; index++)
        json_array_append (scenarios, self->scenarios [index]);
    json_t *json = json_pack ("{s:s, s:i}", "format", DOCUMENT_FORMAT,
                              "version", DOCUMENT_VERSION);
    json_object_set_new (json, "seatrial", json_text (
        conditions->version? conditions->version: ""));
    json_object_set_new (json, "started", json_text (
        conditions->started? conditions->started: ""));
    json_object_set_new (json, "target", s_target (self));
    json_object_set_new (json, "options", s_options (self));
    json_object_set_new (json, "verdict",
                         json_text (judgement_text (summary_judge (summary))));
    json_object_set_new (json, "duration_ms",
                         json_integer (summary->duration_ms));
    json_object_set_new (json, "totals", s_totals (summary));
    json_object_set_new (json, "flaky", s_flaky (summary));
    json_object_set_new (json, "scenarios", scenarios);
    json_object_set_new (json, "requirements", s_requirements (self));
    return json;
}

//  --------------------------------------------------------------------------
//  Reading

//  Whether what readers go through has its form, down to the verdicts
static bool
s_is_sound (json_t *json)
{
    const json_t *scenarios, *requirements, *totals;
    const char *text;
    if (json_unpack (json, "{s:{s:s}, s:s, s:o, s:o, s:o}", "target", "name",
                     &text, "verdict", &text, "totals", &totals, "scenarios",
                     &scenarios, "requirements", &requirements)
    ||  !json_is_array (scenarios) || !json_is_array (requirements))
        return false;
    size_t index;
    json_t *item;
    json_array_foreach (scenarios, index, item)
        if (json_unpack (item, "{s:s, s:s}", "name", &text, "verdict", &text))
            return false;
    json_array_foreach (requirements, index, item)
        if (json_unpack (item, "{s:s, s:s}", "id", &text, "verdict", &text))
            return false;
    return true;
}

json_t *
document_load (const char *path, const char *command, FILE *errors)
{
    json_error_t error;
    json_t *json = json_load_file (path, 0, &error);
    if (!json) {
        if (error.line < 0)
            fprintf (errors, "%s: %s\n", command, error.text);
        else
            fprintf (errors, "%s: %s:%d:%d: not JSON: %s; write one with "
                     "seatrial run --json\n", command, path, error.line,
                     error.column, error.text);
        return NULL;
    }
    if (!streq (document_text (json, "format"), DOCUMENT_FORMAT)
    ||  !s_is_sound (json))
        fprintf (errors, "%s: %s is not a report of seatrial; write one with "
                 "seatrial run --json\n", command, path);
    else
    if (document_number (json, "version") != DOCUMENT_VERSION)
        fprintf (errors, "%s: %s has version %lld of the format, and only %d is "
                 "known here; write it anew with seatrial run --json\n", command,
                 path, (long long) document_number (json, "version"),
                 DOCUMENT_VERSION);
    else
        return json;
    json_decref (json);
    return NULL;
}
