/*  =========================================================================
    compare - what several trials came to, side by side

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "compare.h"
#include "document.h"
#include "vector.h"

//  Width of a side's verdicts in the text
#define COLUMN 9

//  --------------------------------------------------------------------------
//  Rows

static row_t *
s_row (rows_t *self, const char *name, const json_t *about)
{
    for (size_t index = 0; index < self->count; index++)
        if (streq (self->rows [index].name, name))
            return &self->rows [index];
    row_t row = { .name = name, .about = about };
    vector_push (self->rows, self->count, row);
    return &self->rows [self->count - 1];
}

//  Whatever is known is told as such, as in other reports
static const char *
s_verdict (const json_t *item)
{
    return json_is_true (json_object_get (item, "known"))
         ? "known": document_text (item, "verdict");
}

//  Take in the items of one side, whose names stand under key
static void
s_add (rows_t *self, size_t side, const json_t *items, const char *key)
{
    size_t index;
    json_t *item;
    json_array_foreach (items, index, item) {
        row_t *row = s_row (self, document_text (item, key), item);
        const char *verdict = s_verdict (item);
        for (size_t other = 0; other < side; other++)
            if (row->verdicts [other]
            &&  !streq (row->verdicts [other], verdict))
                row->differs = true;
        row->verdicts [side] = verdict;
        if (streq (verdict, "broken") || streq (verdict, "known"))
            row->broken = true;
    }
}

compare_t *
compare_new (char *const *paths, size_t count, FILE *errors)
{
    compare_t *self = (compare_t *) zmalloc (sizeof (compare_t));
    assert (count <= SIDES_MAX);
    for (size_t index = 0; index < count; index++) {
        side_t *side = &self->sides [index];
        side->letter [0] = (char) ('A' + index);
        side->path = paths [index];
        side->document = document_load (paths [index], "seatrial compare",
                                        errors);
        self->side_count++;
        if (!side->document) {
            compare_destroy (&self);
            return NULL;
        }
        s_add (&self->scenarios, index,
               json_object_get (side->document, "scenarios"), "name");
        s_add (&self->requirements, index,
               json_object_get (side->document, "requirements"), "id");
    }
    return self;
}

void
compare_destroy (compare_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        compare_t *self = *self_p;
        for (size_t index = 0; index < self->side_count; index++)
            json_decref (self->sides [index].document);
        free (self->scenarios.rows);
        free (self->requirements.rows);
        free (self);
        *self_p = NULL;
    }
}

size_t
compare_differing (const compare_t *self)
{
    size_t count = 0;
    for (size_t index = 0; index < self->scenarios.count; index++)
        count += self->scenarios.rows [index].differs;
    return count;
}

size_t
compare_partial (const compare_t *self)
{
    size_t count = 0;
    for (size_t index = 0; index < self->scenarios.count; index++)
        for (size_t side = 0; side < self->side_count; side++)
            if (!self->scenarios.rows [index].verdicts [side]) {
                count++;
                break;
            }
    return count;
}

char *
compare_totals (const side_t *side)
{
    const json_t *totals = json_object_get (side->document, "totals");
    char *text = strdup (document_text (side->document, "verdict"));
    for (int verdict = 0; verdict <= VERDICT_BROKEN; verdict++) {
        const char *name = verdict_text ((verdict_t) verdict);
        int64_t count = document_number (totals, name);
        int64_t known = document_number (json_object_get (totals, "known"), name);
        if (count <= 0)
            continue;
        char *more = zsys_sprintf (known? "%s, %lld %s (%lld known)"
                                        : "%s, %lld %s", text,
                                   (long long) count, name, (long long) known);
        free (text);
        text = more;
    }
    return text;
}

//  --------------------------------------------------------------------------
//  Text

static void
s_write_letters (const compare_t *self, FILE *out)
{
    fprintf (out, "    %-46s ", "");
    for (size_t side = 0; side < self->side_count; side++)
        fprintf (out, "%*s%s", side? COLUMN - 1: 0, "",
                 self->sides [side].letter);
    fputc ('\n', out);
}

static void
s_write_row (const compare_t *self, const row_t *row, const char *note,
             FILE *out)
{
    char *name = zsys_sprintf ("%s%s%s", row->name, *note? "  ": "", note);
    fprintf (out, "    %-46s ", name);
    free (name);
    for (size_t side = 0; side < self->side_count; side++) {
        const char *verdict = row->verdicts [side]? row->verdicts [side]: "-";
        fprintf (out, "%-*s", side + 1 < self->side_count? COLUMN: 0, verdict);
    }
    fputc ('\n', out);
}

void
compare_write (const compare_t *self, FILE *out)
{
    for (size_t index = 0; index < self->side_count; index++) {
        const side_t *side = &self->sides [index];
        char *totals = compare_totals (side);
        fprintf (out, "%s  %s (%s): %s\n", side->letter, document_text (
            json_object_get (side->document, "target"), "name"), side->path,
            totals);
        free (totals);
    }
    fprintf (out, "\n%zu of %zu scenarios differ\n", compare_differing (self),
             self->scenarios.count);
    if (compare_differing (self))
        s_write_letters (self, out);
    for (size_t index = 0; index < self->scenarios.count; index++)
        if (self->scenarios.rows [index].differs)
            s_write_row (self, &self->scenarios.rows [index], "", out);
    if (compare_partial (self))
        fprintf (out, "%zu scenarios are not in all reports\n",
                 compare_partial (self));
    size_t broken = 0;
    for (size_t index = 0; index < self->requirements.count; index++)
        broken += self->requirements.rows [index].broken;
    fprintf (out, "\n%zu of %zu requirements are broken by someone\n", broken,
             self->requirements.count);
    if (broken)
        s_write_letters (self, out);
    for (size_t index = 0; index < self->requirements.count; index++) {
        const row_t *row = &self->requirements.rows [index];
        if (row->broken)
            s_write_row (self, row, document_text (row->about, "level"), out);
    }
}
