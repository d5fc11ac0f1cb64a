/*  =========================================================================
    report_html - the whole trial on a page, with sequence charts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "chart.h"
#include "document.h"
#include "page.h"
#include "report.h"
#include "vector.h"

void *
report_html_new (const report_config_t *config)
{
    return document_new (config);
}

static bool
s_is (const json_t *json, const char *name, const char *value)
{
    return streq (document_text (json, name), value);
}

static bool
s_is_known (const json_t *scenario)
{
    return json_is_true (json_object_get (scenario, "known"))
        && !json_is_true (json_object_get (scenario, "stale"));
}

//  Something that is to be looked at
static bool
s_is_trouble (const json_t *scenario)
{
    return json_is_true (json_object_get (scenario, "stale"))
        || (!s_is_known (scenario) && !s_is (scenario, "verdict", "PASS")
            && !s_is (scenario, "verdict", "SKIP"));
}

//  --------------------------------------------------------------------------
//  Links: "s:" for scenarios, "r:" for requirements

static void
s_open_link (markup_t *markup, const char *kind, const char *name)
{
    char *target = zsys_sprintf ("#%s:%s", kind, name);
    markup_open (markup, "a", "href", target, NULL);
    free (target);
}

static void
s_link (markup_t *markup, const char *kind, const char *name)
{
    s_open_link (markup, kind, name);
    markup_element (markup, "code", NULL, name);
    markup_close (markup);
}

//  --------------------------------------------------------------------------
//  One scenario

static void
s_fact (markup_t *markup, const char *name, const char *value, const char *as)
{
    if (!*value)
        return;
    markup_element (markup, "dt", NULL, name);
    markup_open (markup, "dd", NULL);
    if (as)
        markup_element (markup, as, NULL, value);
    else
        markup_text (markup, value);
    markup_close (markup);
}

static void
s_facts (markup_t *markup, const json_t *scenario)
{
    markup_open (markup, "dl", "class", "facts", NULL);
    s_fact (markup, "why", document_text (scenario, "reason"), "b");
    if (json_is_true (json_object_get (scenario, "stale")))
        s_fact (markup, "stale", "the baseline knows of what is not so any more",
                "b");
    s_fact (markup, "known", document_text (scenario, "known_reason"), NULL);
    s_fact (markup, "step", document_text (scenario, "step"), "code");
    s_fact (markup, "at", document_text (scenario, "place"), "code");
    if (!json_array_size (json_object_get (scenario, "pairs"))) {
        s_fact (markup, "expected", document_text (scenario, "expected"), "code");
        s_fact (markup, "received", document_text (scenario, "received"), "code");
    }
    size_t index;
    json_t *remark;
    json_array_foreach (json_object_get (scenario, "remarks"), index, remark)
        s_fact (markup, "note", json_string_value (remark), NULL);
    markup_close (markup);
}

static void
s_frame (markup_t *markup, const json_t *pair, const char *side,
         const char *none)
{
    const char *text = json_string_value (json_object_get (pair, side));
    markup_open (markup, "td", NULL);
    markup_element (markup, text? "code": "span", text? NULL: "soft",
                    text? text: none);
    markup_close (markup);
}

//  The message that came beside the one that should have, frame by frame
static void
s_comparison (markup_t *markup, const json_t *scenario)
{
    const json_t *pairs = json_object_get (scenario, "pairs");
    if (!json_array_size (pairs))
        return;
    markup_element (markup, "h3", NULL, "What came, frame by frame");
    markup_open (markup, "div", "class", "scroll", NULL);
    markup_open (markup, "table", NULL);
    markup_open (markup, "tr", NULL);
    markup_element (markup, "th", NULL, "frame");
    markup_element (markup, "th", NULL, "expected");
    markup_element (markup, "th", NULL, "received");
    markup_close (markup);
    size_t index;
    json_t *pair;
    json_array_foreach (pairs, index, pair) {
        bool fits = json_is_true (json_object_get (pair, "fits"));
        markup_open (markup, "tr", "class", fits? NULL: "misfit", NULL);
        markup_open (markup, "td", NULL);
        markup_format (markup, "%zu %s", index + 1,
                       fits? "=": "\xe2\x89\xa0");
        markup_close (markup);
        s_frame (markup, pair, "expected", "no frame");
        s_frame (markup, pair, "received", fits? "none": "missing");
        markup_close (markup);
    }
    markup_close (markup);
    markup_close (markup);
    const char *expected = document_text (scenario, "expected");
    if (strstr (expected, "  |  ")) {
        markup_open (markup, "p", "class", "soft", NULL);
        markup_text (markup, "The nearest of what may come: ");
        markup_element (markup, "code", NULL, expected);
        markup_close (markup);
    }
}

static void
s_breaks (markup_t *markup, const json_t *scenario)
{
    size_t index;
    json_t *broken;
    json_array_foreach (json_object_get (scenario, "breaks"), index, broken) {
        markup_open (markup, "div", "class", "breaks", NULL);
        s_link (markup, "r", document_text (broken, "id"));
        markup_format (markup, " %s ", document_text (broken, "level"));
        markup_open (markup, "span", "class", "soft", NULL);
        markup_format (markup, "%s, %s", document_text (broken, "specification"),
                       document_text (broken, "section"));
        markup_close (markup);
        markup_element (markup, "p", NULL, document_text (broken, "text"));
        markup_close (markup);
    }
}

static void
s_chart (markup_t *markup, const json_t *scenario)
{
    if (!json_array_size (json_object_get (scenario, "transcript")))
        return;
    markup_element (markup, "h3", NULL, "What went over the wire");
    markup_open (markup, "div", "class", "scroll", NULL);
    chart_draw (markup, scenario);
    markup_close (markup);
    if (s_is (scenario, "verdict", "PASS"))
        return;
    markup_open (markup, "details", NULL);
    markup_element (markup, "summary", "soft", "the same as text, in full");
    markup_open (markup, "pre", "class", "inside", NULL);
    chart_write (markup, scenario);
    markup_close (markup);
    markup_close (markup);
}

static void
s_covers (markup_t *markup, const json_t *scenario)
{
    size_t index;
    json_t *id;
    const json_t *covers = json_object_get (scenario, "covers");
    if (!json_array_size (covers))
        return;
    markup_element (markup, "h3", NULL, "What it covers");
    markup_open (markup, "p", NULL);
    json_array_foreach (covers, index, id) {
        s_link (markup, "r", json_string_value (id));
        markup_text (markup, " ");
    }
    markup_close (markup);
}

//  The same scenario stands before this one: links go to that
static bool
s_is_repeated (const json_t *scenario)
{
    return json_is_true (json_object_get (scenario, "repeated"));
}

static void
s_scenario (markup_t *markup, const json_t *scenario, bool open)
{
    char *id = zsys_sprintf ("s:%s", document_text (scenario, "name"));
    markup_open (markup, "details", "id", s_is_repeated (scenario)? NULL: id,
                 "open", open? "": NULL, NULL);
    free (id);
    markup_open (markup, "summary", NULL);
    markup_open (markup, "span", "class", "top", NULL);
    page_verdict (markup, document_text (scenario, "verdict"));
    markup_element (markup, "b", "id", document_text (scenario, "name"));
    markup_element (markup, "span", "grow soft",
                    document_text (scenario, "title"));
    markup_open (markup, "span", "class", "soft", NULL);
    markup_format (markup, "%.2f s",
        (double) document_number (scenario, "duration_ms") / 1000);
    markup_close (markup);
    markup_close (markup);
    markup_close (markup);
    markup_open (markup, "div", "class", "inside", NULL);
    s_facts (markup, scenario);
    s_breaks (markup, scenario);
    s_comparison (markup, scenario);
    s_chart (markup, scenario);
    const char *output = document_text (scenario, "output");
    if (*output && !s_is (scenario, "verdict", "PASS")) {
        markup_element (markup, "h3", NULL, "What the target printed");
        markup_element (markup, "pre", NULL, output);
    }
    s_covers (markup, scenario);
    markup_close (markup);
    markup_close (markup);
}

//  --------------------------------------------------------------------------
//  All scenarios

static size_t
s_count (const json_t *scenarios, bool (*belongs) (const json_t *scenario))
{
    size_t index, count = 0;
    json_t *scenario;
    json_array_foreach (scenarios, index, scenario)
        count += belongs (scenario);
    return count;
}

static void
s_group (markup_t *markup, const json_t *scenarios, const char *title,
         bool (*belongs) (const json_t *scenario), bool open)
{
    size_t index;
    json_t *scenario;
    if (s_count (scenarios, belongs) == 0)
        return;
    markup_element (markup, "h2", NULL, title);
    //  One or two stand open; more would bury the list of them
    bool few = s_count (scenarios, belongs) <= 2;
    json_array_foreach (scenarios, index, scenario)
        if (belongs (scenario))
            s_scenario (markup, scenario, open && few);
}

static bool
s_has_passed (const json_t *scenario)
{
    return s_is (scenario, "verdict", "PASS") && !s_is_trouble (scenario);
}

//  The part of its name before the slash
static size_t
s_theme_size (const json_t *scenario)
{
    return strcspn (document_text (scenario, "name"), "/");
}

//  What passed, a fold for each theme
static void
s_passed (markup_t *markup, const json_t *scenarios)
{
    size_t index;
    json_t *scenario;
    const json_t *last = NULL;
    if (s_count (scenarios, s_has_passed) == 0)
        return;
    markup_element (markup, "h2", NULL, "What passed");
    json_array_foreach (scenarios, index, scenario) {
        const char *name = document_text (scenario, "name");
        size_t size = s_theme_size (scenario);
        if (!s_has_passed (scenario))
            continue;
        if (!last || size != s_theme_size (last)
        ||  strncmp (document_text (last, "name"), name, size) != 0) {
            if (last) {
                markup_close (markup);
                markup_close (markup);
            }
            markup_open (markup, "details", NULL);
            char *theme = strndup (name, size);
            markup_element (markup, "summary", NULL, theme);
            free (theme);
            markup_open (markup, "div", "class", "inside", NULL);
        }
        s_scenario (markup, scenario, false);
        last = scenario;
    }
    markup_close (markup);
    markup_close (markup);
}

static bool
s_is_skipped (const json_t *scenario)
{
    return s_is (scenario, "verdict", "SKIP");
}

//  Whether the reason of this one stands at one before it too
static bool
s_was_told (const json_t *scenarios, size_t number)
{
    const json_t *scenario = json_array_get (scenarios, number);
    for (size_t index = 0; index < number; index++) {
        const json_t *other = json_array_get (scenarios, index);
        if (s_is_skipped (other)
        &&  s_is (other, "reason", document_text (scenario, "reason")))
            return true;
    }
    return false;
}

static void
s_skipped (markup_t *markup, const json_t *scenarios)
{
    size_t number, index;
    json_t *scenario, *other;
    if (s_count (scenarios, s_is_skipped) == 0)
        return;
    markup_element (markup, "h2", NULL, "What was skipped, and why");
    json_array_foreach (scenarios, number, scenario) {
        const char *reason = document_text (scenario, "reason");
        size_t count = 0;
        if (!s_is_skipped (scenario) || s_was_told (scenarios, number))
            continue;
        json_array_foreach (scenarios, index, other)
            count += s_is_skipped (other) && s_is (other, "reason", reason);
        markup_open (markup, "details", NULL);
        markup_open (markup, "summary", NULL);
        markup_format (markup, "%zu: %s", count, reason);
        markup_close (markup);
        markup_open (markup, "div", "class", "inside", NULL);
        json_array_foreach (scenarios, index, other)
            if (s_is_skipped (other) && s_is (other, "reason", reason)) {
                char *id = zsys_sprintf ("s:%s", document_text (other, "name"));
                markup_open (markup, "p", "id", s_is_repeated (other)? NULL: id,
                             NULL);
                markup_element (markup, "code", NULL,
                                document_text (other, "name"));
                markup_format (markup, " %s", document_text (other, "title"));
                markup_close (markup);
                free (id);
            }
        markup_close (markup);
        markup_close (markup);
    }
}

//  --------------------------------------------------------------------------
//  Requirements

static void
s_filter (markup_t *markup, const json_t *requirements, const char *name)
{
    const char **seen = NULL;
    size_t seen_count = 0, index;
    json_t *requirement;
    markup_open (markup, "select", "name", name, "aria-label", name, NULL);
    markup_open (markup, "option", "value", "", NULL);
    markup_format (markup, "any %s", name);
    markup_close (markup);
    json_array_foreach (requirements, index, requirement) {
        const char *value = document_text (requirement, name);
        bool known = false;
        for (size_t nbr = 0; nbr < seen_count; nbr++)
            known = known || streq (seen [nbr], value);
        if (known)
            continue;
        vector_push (seen, seen_count, value);
        markup_element (markup, "option", NULL, value);
    }
    markup_close (markup);
    free (seen);
}

static void
s_proofs (markup_t *markup, const json_t *requirement)
{
    size_t index;
    json_t *proof;
    const char *none = document_text (requirement, "no_proof");
    if (*none) {
        markup_open (markup, "p", "class", "soft", NULL);
        markup_format (markup, "No scenario can prove it: %s", none);
        markup_close (markup);
    }
    json_array_foreach (json_object_get (requirement, "scenarios"), index,
                        proof) {
        markup_open (markup, "p", NULL);
        page_verdict (markup, document_text (proof, "verdict"));
        markup_text (markup, " ");
        s_link (markup, "s", document_text (proof, "name"));
        if (json_is_true (json_object_get (proof, "breaks")))
            markup_text (markup, " breaks it");
        markup_close (markup);
    }
}

static void
s_requirement (markup_t *markup, const json_t *requirement)
{
    const char *verdict = document_text (requirement, "verdict");
    char *id = zsys_sprintf ("r:%s", document_text (requirement, "id"));
    markup_open (markup, "details", "class", "requirement", "id", id,
        "data-level", document_text (requirement, "level"),
        "data-role", document_text (requirement, "role"),
        "data-specification", document_text (requirement, "specification"),
        "data-verdict", verdict, NULL);
    free (id);
    markup_open (markup, "summary", NULL);
    markup_open (markup, "span", "class", "top", NULL);
    page_verdict (markup, verdict);
    markup_element (markup, "span", "level",
                    document_text (requirement, "level"));
    markup_element (markup, "span", "id", document_text (requirement, "id"));
    markup_element (markup, "span", "role soft",
                    document_text (requirement, "role"));
    markup_element (markup, "span", "grow",
                    document_text (requirement, "text"));
    markup_close (markup);
    markup_close (markup);
    markup_open (markup, "div", "class", "inside", NULL);
    markup_open (markup, "p", "class", "soft", NULL);
    markup_format (markup, "%s, %s", document_text (requirement, "specification"),
                   document_text (requirement, "section"));
    markup_close (markup);
    s_proofs (markup, requirement);
    markup_close (markup);
    markup_close (markup);
}

//  "7/MDP: 90 kept, 1 broken, ..", as one summary
static void
s_specification (markup_t *markup, const json_t *requirements,
                 const char *specification)
{
    static const char *const verdicts [] = {
        "kept", "broken", "known", "untested", "unproved", NULL
    };
    size_t index;
    json_t *requirement;
    const char *gap = ": ";
    markup_open (markup, "details", "class", "specification", NULL);
    markup_open (markup, "summary", NULL);
    markup_open (markup, "span", NULL);
    markup_element (markup, "b", NULL, specification);
    for (size_t nbr = 0; verdicts [nbr]; nbr++) {
        size_t count = 0;
        json_array_foreach (requirements, index, requirement)
            count += s_is (requirement, "specification", specification)
                  && s_is (requirement, "verdict", verdicts [nbr]);
        if (!count)
            continue;
        markup_text (markup, gap);
        gap = ", ";
        markup_open (markup, "span", "class", verdicts [nbr], NULL);
        markup_format (markup, "%zu %s", count, verdicts [nbr]);
        markup_close (markup);
    }
    markup_close (markup);
    markup_close (markup);
    json_array_foreach (requirements, index, requirement)
        if (s_is (requirement, "specification", specification))
            s_requirement (markup, requirement);
    markup_close (markup);
}

static void
s_matrix (markup_t *markup, const json_t *requirements)
{
    static const char *const filters [] = {
        "specification", "level", "role", "verdict", NULL
    };
    const char **seen = NULL;
    size_t seen_count = 0, index;
    json_t *requirement;
    if (!json_array_size (requirements))
        return;
    markup_element (markup, "h2", NULL, "Requirements");
    markup_open (markup, "form", "class", "filters", NULL);
    for (size_t nbr = 0; filters [nbr]; nbr++)
        s_filter (markup, requirements, filters [nbr]);
    markup_void (markup, "input", "name", "words", "type", "search",
                 "placeholder", "words or id", "aria-label", "words or id", NULL);
    markup_element (markup, "output", "soft", "");
    markup_close (markup);
    json_array_foreach (requirements, index, requirement) {
        const char *specification = document_text (requirement, "specification");
        bool known = false;
        for (size_t nbr = 0; nbr < seen_count; nbr++)
            known = known || streq (seen [nbr], specification);
        if (known)
            continue;
        vector_push (seen, seen_count, specification);
        s_specification (markup, requirements, specification);
    }
    free (seen);
}

//  --------------------------------------------------------------------------
//  The page

static void
s_heading (markup_t *markup, const json_t *document)
{
    const json_t *target = json_object_get (document, "target");
    const json_t *totals = json_object_get (document, "totals");
    size_t index;
    json_t *protocol;
    markup_element (markup, "p", "soft", "sea trial of");
    markup_element (markup, "h1", NULL, document_text (target, "name"));
    page_judgement (markup, document);
    page_totals (markup, totals);
    int64_t not_run = document_number (totals, "not_run");
    if (not_run) {
        markup_open (markup, "p", "class", "BROKEN", NULL);
        markup_format (markup, "%lld scenarios were not run",
                       (long long) not_run);
        markup_close (markup);
    }
    json_t *line;
    json_array_foreach (json_object_get (document, "flaky"), index, line) {
        markup_open (markup, "p", "class", "WARN", NULL);
        markup_format (markup, "flaky: %s", json_string_value (line));
        markup_close (markup);
    }
    markup_open (markup, "p", "class", "soft", NULL);
    markup_format (markup, "%s, %.1f s, seatrial %s, ",
        document_text (document, "started"),
        (double) document_number (document, "duration_ms") / 1000,
        document_text (document, "seatrial"));
    markup_element (markup, "code", NULL, document_text (target, "endpoint"));
    json_array_foreach (json_object_get (target, "speaks"), index, protocol)
        markup_format (markup, "%s%s", index? ", ": ", speaks ",
                       json_string_value (protocol));
    markup_format (markup, ", heartbeat %lld ms",
        (long long) document_number (target, "heartbeat_ms"));
    markup_close (markup);
}

//  Scenarios are in the order of their names
static void
s_mark_repeated (json_t *scenarios)
{
    for (size_t index = 1; index < json_array_size (scenarios); index++) {
        json_t *scenario = json_array_get (scenarios, index);
        if (s_is (json_array_get (scenarios, index - 1), "name",
                  document_text (scenario, "name")))
            json_object_set_new (scenario, "repeated", json_true ());
    }
}

static void
s_finished (void *argument, const summary_t *summary)
{
    document_t *self = (document_t *) argument;
    json_t *document = document_finish (self, summary);
    json_t *scenarios = json_object_get (document, "scenarios");
    s_mark_repeated (scenarios);
    char *title = zsys_sprintf ("%s: %s",
        document_text (json_object_get (document, "target"), "name"),
        document_text (document, "verdict"));
    markup_t *markup = page_begin (document_out (self), title);
    free (title);
    s_heading (markup, document);
    s_group (markup, scenarios, "What is wrong", s_is_trouble, true);
    s_group (markup, scenarios, "What is known", s_is_known, false);
    s_matrix (markup, json_object_get (document, "requirements"));
    s_skipped (markup, scenarios);
    s_passed (markup, scenarios);
    page_end (&markup);
    json_decref (document);
}

const reporter_t report_html = {
    .started = document_started, .result = document_result,
    .finished = s_finished, .destroy = document_destroy
};
