/*  =========================================================================
    page - what HTML reports have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "document.h"
#include "page.h"

//  Colours follow the reader's system; below 640 px all is one column.
static const char s_style [] =
":root {\n"
"    color-scheme: light dark;\n"
"    --paper: #ffffff; --panel: #f4f6f8; --ink: #1c2227; --soft: #5a656f;\n"
"    --line: #d3dae0; --on: #ffffff;\n"
"    --pass: #1a7f4b; --skip: #6b7680; --warn: #946200; --fail: #c62f38;\n"
"    --hang: #a8361f; --crash: #8f1d4d; --broken: #7446b8; --known: #2a6fa8;\n"
"    --tint: #fdeced;\n"
"}\n"
"@media (prefers-color-scheme: dark) { :root {\n"
"    --paper: #14181c; --panel: #1d2328; --ink: #e4e9ed; --soft: #9aa6b0;\n"
"    --line: #353e46; --on: #10151a;\n"
"    --pass: #4fc587; --skip: #8d99a4; --warn: #d9a441; --fail: #f4777d;\n"
"    --hang: #f08a66; --crash: #ee7fae; --broken: #b795ee; --known: #6fb3ea;\n"
"    --tint: #3a2225;\n"
"} }\n"
"* { box-sizing: border-box; }\n"
"body { margin: 0; background: var(--paper); color: var(--ink);\n"
"    font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }\n"
"main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 60px; }\n"
"h1 { font-size: 24px; line-height: 1.25; margin: 4px 0; }\n"
"h2 { font-size: 18px; margin: 34px 0 10px; }\n"
"h3 { font-size: 14px; margin: 16px 0 6px; color: var(--soft); }\n"
"p { margin: 6px 0; }\n"
"a { color: inherit; }\n"
"code, pre, .frames, .words, .time, .id { font-family: ui-monospace, monospace; }\n"
"code, .id { font-size: 13px; }\n"
"pre { overflow-x: auto; font-size: 12px; line-height: 1.45; margin: 8px 0;\n"
"    overflow-wrap: normal; }\n"
".soft { color: var(--soft); }\n"
".judgement { display: inline-block; padding: 6px 16px; border-radius: 8px;\n"
"    font-size: 20px; font-weight: 700; color: var(--on); margin: 8px 0;\n"
"    background: var(--broken); }\n"
".judgement.yes { background: var(--pass); }\n"
".judgement.no { background: var(--fail); }\n"
".bar { display: flex; height: 14px; border-radius: 7px; overflow: hidden;\n"
"    background: var(--line); margin: 10px 0 8px; gap: 1px; }\n"
".bar div { min-width: 4px; }\n"
".legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 0;\n"
"    list-style: none; }\n"
".legend b { font-size: 17px; }\n"
".chip { display: inline-block; min-width: 58px; text-align: center;\n"
"    border: 1px solid currentColor; border-radius: 5px; padding: 0 6px;\n"
"    font-size: 12px; line-height: 19px; font-weight: 700; white-space: nowrap; }\n"
".PASS, .kept { color: var(--pass); } .SKIP, .unproved { color: var(--skip); }\n"
".WARN, .untested { color: var(--warn); } .FAIL, .broken { color: var(--fail); }\n"
".HANG { color: var(--hang); } .CRASH { color: var(--crash); }\n"
".BROKEN { color: var(--broken); } .known { color: var(--known); }\n"
".fill { background: currentColor; }\n"
"details { border: 1px solid var(--line); border-radius: 8px; margin: 6px 0;\n"
"    background: var(--paper); }\n"
"summary { cursor: pointer; padding: 7px 12px; display: flex; gap: 8px;\n"
"    align-items: baseline; }\n"
"summary::-webkit-details-marker { display: none; }\n"
"summary::before { content: '\\25b8'; color: var(--soft); width: 10px; }\n"
"details[open] > summary::before { content: '\\25be'; }\n"
"summary .top { flex: 1; }\n"
"summary:hover { background: var(--panel); }\n"
"details[open] > summary { border-bottom: 1px solid var(--line); }\n"
".inside { padding: 8px 12px 12px; }\n"
".top { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }\n"
".top .grow { flex: 1 1 200px; }\n"
".facts { display: grid; grid-template-columns: 80px 1fr; gap: 3px 10px;\n"
"    margin: 0; }\n"
".facts dt { color: var(--soft); } .facts dd { margin: 0; }\n"
"table { border-collapse: collapse; width: 100%; }\n"
"th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0;\n"
"    border-bottom: 1px solid var(--line); }\n"
"th { color: var(--soft); font-weight: 600; font-size: 13px; }\n"
"td code { white-space: pre-wrap; }\n"
"tr.misfit { background: var(--tint); }\n"
"tr.misfit td:first-child { box-shadow: inset 3px 0 var(--fail); }\n"
"td:first-child, th:first-child { padding-left: 10px; }\n"
".sides { display: grid; gap: 0 28px;\n"
"    grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); }\n"
".many td:first-child { min-width: 190px; }\n"
".side h3 { color: inherit; font-size: 16px; margin-bottom: 0; }\n"
".scroll { overflow-x: auto; }\n"
".breaks { border-left: 3px solid var(--fail); padding: 2px 0 2px 12px;\n"
"    margin: 8px 0; }\n"
".filters { display: none; flex-wrap: wrap; gap: 8px; align-items: center;\n"
"    margin: 8px 0; }\n"
".js .filters { display: flex; }\n"
".filters select, .filters input { font: inherit; color: inherit; padding: 3px 6px;\n"
"    background: var(--panel); border: 1px solid var(--line); border-radius: 6px;\n"
"    max-width: 100%; }\n"
".requirement { border: 0; border-top: 1px solid var(--line); border-radius: 0;\n"
"    margin: 0; }\n"
".specification { overflow: hidden; }\n"
"@media (min-width: 900px) { .requirement .id { min-width: 165px; }\n"
"    .requirement .role { min-width: 52px; } }\n"
".level { min-width: 92px; font-size: 12px; font-weight: 600; }\n"
".chart { display: block; font-size: 11px; }\n"
".chart text { fill: var(--ink); }\n"
".chart .lane { stroke: var(--line); stroke-width: 1.5; }\n"
".chart .hub { stroke: var(--soft); stroke-width: 4; stroke-opacity: .45; }\n"
".chart .actor { text-anchor: middle; font-size: 13px; font-weight: 700; }\n"
".chart .time { text-anchor: end; fill: var(--soft); font-size: 10px; }\n"
".chart .name { text-anchor: middle; font-weight: 600; }\n"
".chart .frames { white-space: pre; }\n"
".chart .arrow { stroke: var(--ink); stroke-width: 1.3; }\n"
".chart .head { fill: var(--ink); }\n"
".chart .rule { stroke: var(--line); stroke-dasharray: 2 4; }\n"
".chart .words { stroke: var(--paper); stroke-width: 5; paint-order: stroke; }\n"
".chart .note .words { fill: var(--soft); font-style: italic; }\n"
".chart .quiet text { fill: var(--soft); opacity: .75; }\n"
".chart .bad text { fill: var(--fail); font-weight: 700; }\n"
".chart .bad .arrow, .chart .bad .rule { stroke: var(--fail); stroke-width: 2; }\n"
".chart .bad .head { fill: var(--fail); }\n"
"[hidden] { display: none; }\n"
"@media (max-width: 640px) {\n"
"    main { padding: 12px 10px 40px; }\n"
"    .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: 6px; }\n"
"    .top .grow { flex-basis: 100%; }\n"
"    summary { padding: 7px 9px; } .inside { padding: 6px 9px 10px; }\n"
"}\n"
"@media print { .filters { display: none; } }\n";

//  Filters of requirements, and links into what is folded. Without it both are
//  missed, and nothing else.
static const char s_script [] =
"(function () {\n"
"    var root = document.documentElement;\n"
"    var form = document.querySelector ('.filters');\n"
"    function reveal () {\n"
"        var id = decodeURIComponent (location.hash.slice (1));\n"
"        var found = id && document.getElementById (id);\n"
"        for (var at = found; at; at = at.parentElement)\n"
"            if (at.tagName === 'DETAILS')\n"
"                at.open = true;\n"
"        if (found)\n"
"            found.scrollIntoView ();\n"
"    }\n"
"    function filter () {\n"
"        var selects = form.querySelectorAll ('select');\n"
"        var words = form.elements.words.value.toLowerCase ();\n"
"        var rows = document.querySelectorAll ('.requirement');\n"
"        var shown = 0;\n"
"        rows.forEach (function (row) {\n"
"            var fits = row.textContent.toLowerCase ().indexOf (words) >= 0;\n"
"            selects.forEach (function (select) {\n"
"                if (select.value && row.dataset [select.name] !== select.value)\n"
"                    fits = false;\n"
"            });\n"
"            row.hidden = !fits;\n"
"            shown += fits;\n"
"        });\n"
"        document.querySelectorAll ('.specification').forEach (function (group) {\n"
"            group.hidden = !group.querySelector ('.requirement:not([hidden])');\n"
"            if (shown < rows.length)\n"
"                group.open = true;\n"
"        });\n"
"        form.querySelector ('output').textContent =\n"
"            shown + ' of ' + rows.length;\n"
"    }\n"
"    if (form) {\n"
"        root.classList.add ('js');\n"
"        form.addEventListener ('input', filter);\n"
"        form.addEventListener ('submit', function (event) {\n"
"            event.preventDefault ();\n"
"        });\n"
"        filter ();\n"
"    }\n"
"    window.addEventListener ('hashchange', reveal);\n"
"    reveal ();\n"
"} ());\n";

markup_t *
page_begin (FILE *out, const char *title)
{
    markup_t *markup = markup_new (out);
    markup_raw (markup, "<!DOCTYPE html>");
    markup_open (markup, "html", "lang", "en", NULL);
    markup_open (markup, "head", NULL);
    markup_void (markup, "meta", "charset", "utf-8", NULL);
    markup_void (markup, "meta", "name", "viewport", "content",
                 "width=device-width, initial-scale=1", NULL);
    //  Whatever a target printed, nothing is fetched from anywhere
    markup_void (markup, "meta", "http-equiv", "Content-Security-Policy",
                 "content", "default-src 'none'; style-src 'unsafe-inline'; "
                 "script-src 'unsafe-inline'", NULL);
    markup_element (markup, "title", NULL, title);
    markup_open (markup, "style", NULL);
    markup_raw (markup, "\n");
    markup_raw (markup, s_style);
    markup_close (markup);
    markup_close (markup);
    markup_open (markup, "body", NULL);
    markup_open (markup, "main", NULL);
    return markup;
}

void
page_end (markup_t **markup_p)
{
    while (markup_depth (*markup_p) > 2)
        markup_close (*markup_p);
    markup_open (*markup_p, "script", NULL);
    markup_raw (*markup_p, "\n");
    markup_raw (*markup_p, s_script);
    markup_destroy (markup_p);
}

void
page_verdict (markup_t *markup, const char *verdict)
{
    char *class = zsys_sprintf ("chip %s", verdict);
    markup_element (markup, "span", class, verdict);
    free (class);
}

//  --------------------------------------------------------------------------
//  Totals

static const char *const s_totals [] = {
    "PASS", "known", "SKIP", "WARN", "FAIL", "HANG", "CRASH", "BROKEN"
};
#define TOTAL_COUNT (sizeof s_totals / sizeof *s_totals)

//  How many there are that are not known; or of known, how many there are
static int64_t
s_count (const json_t *totals, const char *name)
{
    const json_t *known = json_object_get (totals, "known");
    int64_t count = 0;
    if (!streq (name, "known"))
        return document_number (totals, name) - document_number (known, name);
    for (size_t index = 0; index < TOTAL_COUNT; index++)
        count += document_number (known, s_totals [index]);
    return count;
}

static void
s_piece (markup_t *markup, const char *name, int64_t count)
{
    char *class = zsys_sprintf ("fill %s", name);
    char *style = zsys_sprintf ("flex:%lld", (long long) count);
    markup_open (markup, "div", "class", class, "style", style, NULL);
    markup_close (markup);
    free (style);
    free (class);
}

void
page_totals (markup_t *markup, const json_t *totals)
{
    markup_open (markup, "div", "class", "bar", NULL);
    for (size_t index = 0; index < TOTAL_COUNT; index++) {
        int64_t count = s_count (totals, s_totals [index]);
        if (count > 0)
            s_piece (markup, s_totals [index], count);
    }
    markup_close (markup);
    markup_open (markup, "ul", "class", "legend", NULL);
    for (size_t index = 0; index < TOTAL_COUNT; index++) {
        int64_t count = s_count (totals, s_totals [index]);
        if (count <= 0)
            continue;
        markup_open (markup, "li", "class", s_totals [index], NULL);
        markup_open (markup, "b", NULL);
        markup_format (markup, "%lld", (long long) count);
        markup_close (markup);
        markup_format (markup, " %s", s_totals [index]);
        markup_close (markup);
    }
    markup_close (markup);
}

void
page_judgement (markup_t *markup, const json_t *document)
{
    const char *verdict = document_text (document, "verdict");
    markup_element (markup, "div",
        strncmp (verdict, "seaworthy", 9) == 0? "judgement yes":
        streq (verdict, judgement_text (JUDGEMENT_UNSEAWORTHY))? "judgement no":
        "judgement", verdict);
}
