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
        free (self->reason);
        free (self->place);
        free (self->step);
        free (self->expected);
        free (self->received);
        s_free_strings (self->requirements, self->requirement_count);
        s_free_strings (self->remarks, self->remark_count);
        free (self->transcript);
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
result_add_remark (result_t *self, const char *remark)
{
    vector_push (self->remarks, self->remark_count, strdup (remark));
}

//  --------------------------------------------------------------------------
//  JSON

//  What a program printed need not be UTF-8, which JSON must be: other bytes
//  come out as ?
static json_t *
s_string (const char *text)
{
    if (!text)
        return json_null ();
    json_t *json = json_string (text);
    if (json)
        return json;
    char *copy = strdup (text);
    for (char *at = copy; *at; at++)
        if ((unsigned char) *at >= 0x80)
            *at = '?';
    json = json_string (copy);
    free (copy);
    return json;
}

static json_t *
s_strings (char **strings, size_t count)
{
    json_t *array = json_array ();
    for (size_t index = 0; index < count; index++)
        json_array_append_new (array, s_string (strings [index]));
    return array;
}

char *
result_encode (const result_t *self)
{
    json_t *json = json_object ();
    json_object_set_new (json, "scenario", s_string (self->scenario));
    json_object_set_new (json, "title", s_string (self->title));
    json_object_set_new (json, "verdict",
                         json_string (verdict_text (self->verdict)));
    json_object_set_new (json, "duration_ms",
                         json_integer (self->duration_ms));
    json_object_set_new (json, "reason", s_string (self->reason));
    json_object_set_new (json, "place", s_string (self->place));
    json_object_set_new (json, "step", s_string (self->step));
    json_object_set_new (json, "expected", s_string (self->expected));
    json_object_set_new (json, "received", s_string (self->received));
    json_object_set_new (json, "requirements",
        s_strings (self->requirements, self->requirement_count));
    json_object_set_new (json, "remarks",
        s_strings (self->remarks, self->remark_count));
    json_object_set_new (json, "transcript", s_string (self->transcript));
    json_object_set_new (json, "output", s_string (self->output));
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
    s_get_string (json, "reason", &self->reason);
    s_get_string (json, "place", &self->place);
    s_get_string (json, "step", &self->step);
    s_get_string (json, "expected", &self->expected);
    s_get_string (json, "received", &self->received);
    s_get_strings (json, "requirements", &self->requirements,
                   &self->requirement_count);
    s_get_strings (json, "remarks", &self->remarks, &self->remark_count);
    s_get_string (json, "transcript", &self->transcript);
    s_get_string (json, "output", &self->output);
    json_decref (json);
    return self;
}
