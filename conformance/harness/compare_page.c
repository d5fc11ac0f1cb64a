/*  =========================================================================
    compare_page - several trials side by side, as a page of HTML

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "compare.h"
#include "document.h"
#include "page.h"

static void
s_sides (markup_t *markup, const compare_t *self)
{
    for (size_t index = 0; index < self->side_count; index++) {
        const side_t *side = &self->sides [index];
        const json_t *target = json_object_get (side->document, "target");
        markup_open (markup, "div", "class", "side", NULL);
        markup_open (markup, "h3", NULL);
        markup_format (markup, "%s: %s", side->letter,
                       document_text (target, "name"));
        markup_close (markup);
        page_judgement (markup, side->document);
        page_totals (markup, json_object_get (side->document, "totals"));
        markup_open (markup, "p", "class", "soft", NULL);
        markup_format (markup, "%s, %s, seatrial %s", side->path,
                       document_text (side->document, "started"),
                       document_text (side->document, "seatrial"));
        markup_close (markup);
        markup_close (markup);
    }
}

static void
s_head_row (markup_t *markup, const compare_t *self, const char *name)
{
    markup_open (markup, "tr", NULL);
    markup_element (markup, "th", NULL, name);
    for (size_t side = 0; side < self->side_count; side++)
        markup_element (markup, "th", NULL, self->sides [side].letter);
    markup_close (markup);
}

static void
s_verdicts (markup_t *markup, const compare_t *self, const row_t *row)
{
    for (size_t side = 0; side < self->side_count; side++) {
        markup_open (markup, "td", NULL);
        if (row->verdicts [side])
            page_verdict (markup, row->verdicts [side]);
        else
            markup_text (markup, "-");
        markup_close (markup);
    }
}

//  Why a scenario is not PASS, on each side where it says so
static void
s_reasons (markup_t *markup, const compare_t *self, const row_t *row)
{
    for (size_t side = 0; side < self->side_count; side++) {
        size_t index;
        json_t *scenario;
        json_array_foreach (json_object_get (self->sides [side].document,
                                             "scenarios"), index, scenario) {
            const char *reason = document_text (scenario, "reason");
            if (!streq (document_text (scenario, "name"), row->name) || !*reason)
                continue;
            markup_open (markup, "p", NULL);
            markup_format (markup, "%s: %s", self->sides [side].letter, reason);
            markup_close (markup);
        }
    }
}

static void
s_scenario_rows (markup_t *markup, const compare_t *self, bool all)
{
    markup_open (markup, "div", "class", "scroll", NULL);
    markup_open (markup, "table", "class", "many", NULL);
    s_head_row (markup, self, "scenario");
    for (size_t index = 0; index < self->scenarios.count; index++) {
        const row_t *row = &self->scenarios.rows [index];
        if (!all && !row->differs)
            continue;
        markup_open (markup, "tr", NULL);
        markup_open (markup, "td", NULL);
        markup_element (markup, "code", NULL, row->name);
        markup_element (markup, "p", "soft", document_text (row->about, "title"));
        if (!all)
            s_reasons (markup, self, row);
        markup_close (markup);
        s_verdicts (markup, self, row);
        markup_close (markup);
    }
    markup_close (markup);
    markup_close (markup);
}

static void
s_requirement_rows (markup_t *markup, const compare_t *self)
{
    size_t broken = 0;
    markup_element (markup, "h2", NULL, "Requirements that are broken");
    markup_open (markup, "div", "class", "scroll", NULL);
    markup_open (markup, "table", "class", "many", NULL);
    s_head_row (markup, self, "requirement");
    for (size_t index = 0; index < self->requirements.count; index++) {
        const row_t *row = &self->requirements.rows [index];
        if (!row->broken)
            continue;
        broken++;
        markup_open (markup, "tr", NULL);
        markup_open (markup, "td", NULL);
        markup_element (markup, "code", NULL, row->name);
        markup_format (markup, " %s ", document_text (row->about, "level"));
        markup_open (markup, "span", "class", "soft", NULL);
        markup_format (markup, "%s, %s",
                       document_text (row->about, "specification"),
                       document_text (row->about, "section"));
        markup_close (markup);
        markup_element (markup, "p", NULL, document_text (row->about, "text"));
        markup_close (markup);
        s_verdicts (markup, self, row);
        markup_close (markup);
    }
    markup_close (markup);
    markup_close (markup);
    if (!broken)
        markup_element (markup, "p", NULL, "None, by nobody.");
}

void
compare_write_page (const compare_t *self, FILE *out)
{
    markup_t *markup = page_begin (out, "sea trials side by side");
    markup_element (markup, "h1", NULL, "Sea trials side by side");
    markup_open (markup, "div", "class", "sides", NULL);
    s_sides (markup, self);
    markup_close (markup);
    markup_element (markup, "h2", NULL, "Scenarios that differ");
    markup_open (markup, "p", NULL);
    markup_format (markup, "%zu of %zu", compare_differing (self),
                   self->scenarios.count);
    if (compare_partial (self))
        markup_format (markup, "; %zu are not in all reports",
                       compare_partial (self));
    markup_close (markup);
    if (compare_differing (self))
        s_scenario_rows (markup, self, false);
    s_requirement_rows (markup, self);
    markup_element (markup, "h2", NULL, "All scenarios");
    markup_open (markup, "details", NULL);
    markup_open (markup, "summary", NULL);
    markup_format (markup, "%zu scenarios", self->scenarios.count);
    markup_close (markup);
    markup_open (markup, "div", "class", "inside", NULL);
    s_scenario_rows (markup, self, true);
    page_end (&markup);
}
