/*  =========================================================================
    result - what became of one scenario

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>
#include <jansson.h>

#include "result.h"
#include "vector.h"

static const char *s_verdicts [] = {
    "PASS", "SKIP", "WARN", "FAIL", "HANG", "CRASH", "BROKEN"
};

const char *
verdict_text (verdict_t verdict)
{
    return s_verdicts [verdict];
}

result_t *
result_new (const char *scenario, const char *title)
{
    result_t *self = (result_t *) zmalloc (sizeof (result_t));
    result_set (&self->scenario, scenario);
    result_set (&self->title, title);
    return self;
}

static void
s_free_strings (char **strings, size_t count)
{
    for (size_t index = 0; index < count; index++)
        free (strings [index]);
    free (strings);
}

void
result_destroy (result_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        result_t *self = *self_p;
        free (self->scenario);
        free (self->title);
        free (self->protocol);
        s_free_strings (self->covers, self->cover_count);
        free (self->known_reason);
        free (self->reason);
        free (self->place);
        free (self->file);
        free (self->step);
        free (self->expected);
        free (self->received);
        for (size_t index = 0; index < self->pair_count; index++) {
            free (self->pairs [index].expected);
            free (self->pairs [index].received);
        }
        free (self->pairs);
        s_free_strings (self->requirements, self->requirement_count);
        s_free_strings (self->remarks, self->remark_count);
        free (self->transcript);
        transcript_clear (&self->events);
        free (self->output);
        free (self);
        *self_p = NULL;
    }
}

void
result_set (char **property_p, const char *value)
{
    char *copy = value? strdup (value): NULL;
    assert (copy || !value);
    free (*property_p);
    *property_p = copy;
}

void
result_add_requirement (result_t *self, const char *id)
{
    for (size_t index = 0; index < self->requirement_count; index++)
        if (streq (self->requirements [index], id))
            return;
    vector_push (self->requirements, self->requirement_count, strdup (id));
}

void
result_add_cover (result_t *self, const char *id)
{
    vector_push (self->covers, self->cover_count, strdup (id));
}

void
result_add_pair (result_t *self, const char *expected, const char *received,
                 bool fits)
{
    frame_pair_t pair = { .fits = fits };
    result_set (&pair.expected, expected);
    result_set (&pair.received, received);
    vector_push (self->pairs, self->pair_count, pair);
}

void
result_add_remark (result_t *self, const char *remark)
{
    vector_push (self->remarks, self->remark_count, strdup (remark));
}

//  --------------------------------------------------------------------------
//  JSON

static json_t *
s_strings (char **strings, size_t count)
{
    json_t *array = json_array ();
    for (size_t index = 0; index < count; index++)
        json_array_append_new (array, json_text (strings [index]));
    return array;
}

static json_t *
s_pairs (const result_t *self)
{
    json_t *array = json_array ();
    for (size_t index = 0; index < self->pair_count; index++)
        json_array_append_new (array, json_pack ("{s:o, s:o, s:b}",
            "expected", json_text (self->pairs [index].expected),
            "received", json_text (self->pairs [index].received),
            "fits", (int) self->pairs [index].fits));
    return array;
}

json_t *
result_json (const result_t *self)
{
    json_t *json = json_object ();
    json_object_set_new (json, "scenario", json_text (self->scenario));
    json_object_set_new (json, "title", json_text (self->title));
    json_object_set_new (json, "protocol", json_text (self->protocol));
    json_object_set_new (json, "covers", s_strings (self->covers,
                                                    self->cover_count));
    json_object_set_new (json, "known", json_boolean (self->known));
    json_object_set_new (json, "stale", json_boolean (self->stale));
    json_object_set_new (json, "known_reason", json_text (self->known_reason));
    json_object_set_new (json, "verdict",
                         json_string (verdict_text (self->verdict)));
    json_object_set_new (json, "duration_ms",
                         json_integer (self->duration_ms));
    json_object_set_new (json, "reason", json_text (self->reason));
    json_object_set_new (json, "place", json_text (self->place));
    json_object_set_new (json, "file", json_text (self->file));
    json_object_set_new (json, "line", json_integer (self->line));
    json_object_set_new (json, "step", json_text (self->step));
    json_object_set_new (json, "expected", json_text (self->expected));
    json_object_set_new (json, "received", json_text (self->received));
    json_object_set_new (json, "pairs", s_pairs (self));
    json_object_set_new (json, "requirements",
        s_strings (self->requirements, self->requirement_count));
    json_object_set_new (json, "remarks",
        s_strings (self->remarks, self->remark_count));
    json_object_set_new (json, "transcript", json_text (self->transcript));
    json_object_set_new (json, "events", transcript_json (&self->events));
    json_object_set_new (json, "output", json_text (self->output));
    return json;
}

char *
result_encode (const result_t *self)
{
    json_t *json = result_json (self);
    char *text = json_dumps (json, JSON_COMPACT);
    json_decref (json);
    assert (text);
    return text;
}

static void
s_get_string (json_t *json, const char *name, char **property_p)
{
    result_set (property_p, json_string_value (json_object_get (json, name)));
}

static void
s_get_strings (json_t *json, const char *name, char ***strings, size_t *count)
{
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get (json, name), index, item)
        if (json_is_string (item))
            vector_push (*strings, *count, strdup (json_string_value (item)));
}

static void
s_get_pairs (json_t *json, result_t *self)
{
    size_t index;
    json_t *pair;
    json_array_foreach (json_object_get (json, "pairs"), index, pair)
        result_add_pair (self,
            json_string_value (json_object_get (pair, "expected")),
            json_string_value (json_object_get (pair, "received")),
            json_is_true (json_object_get (pair, "fits")));
}

static bool
s_get_verdict (json_t *json, verdict_t *verdict)
{
    const char *text = json_string_value (json_object_get (json, "verdict"));
    for (size_t index = 0; text && index <= VERDICT_BROKEN; index++)
        if (streq (text, s_verdicts [index])) {
            *verdict = (verdict_t) index;
            return true;
        }
    return false;
}

result_t *
result_decode (const char *text)
{
    json_t *json = json_loads (text, 0, NULL);
    verdict_t verdict;
    const char *scenario = json_string_value (json_object_get (json,
                                                               "scenario"));
    if (!scenario || !s_get_verdict (json, &verdict)) {
        json_decref (json);
        return NULL;
    }
    result_t *self = result_new (scenario, NULL);
    self->verdict = verdict;
    self->duration_ms = json_integer_value (json_object_get (json,
                                                             "duration_ms"));
    s_get_string (json, "title", &self->title);
    s_get_string (json, "protocol", &self->protocol);
    s_get_strings (json, "covers", &self->covers, &self->cover_count);
    self->known = json_is_true (json_object_get (json, "known"));
    self->stale = json_is_true (json_object_get (json, "stale"));
    s_get_string (json, "known_reason", &self->known_reason);
    s_get_string (json, "reason", &self->reason);
    s_get_string (json, "place", &self->place);
    s_get_string (json, "file", &self->file);
    self->line = (int) json_integer_value (json_object_get (json, "line"));
    s_get_string (json, "step", &self->step);
    s_get_string (json, "expected", &self->expected);
    s_get_string (json, "received", &self->received);
    s_get_pairs (json, self);
    s_get_strings (json, "requirements", &self->requirements,
                   &self->requirement_count);
    s_get_strings (json, "remarks", &self->remarks, &self->remark_count);
    s_get_string (json, "transcript", &self->transcript);
    transcript_from_json (&self->events, json_object_get (json, "events"));
    s_get_string (json, "output", &self->output);
    json_decref (json);
    return self;
}
