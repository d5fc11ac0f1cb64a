/*  =========================================================================
    golden_test - what every reporter makes of one trial, byte for byte

    The trial is made here; what is expected stands in golden/. After a change
    that is meant, `make golden` writes these anew, and git diff shows it.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "compare.h"
#include "report.h"
#include "vector.h"

Suite *
golden_suite (void);

//  --------------------------------------------------------------------------
//  Golden files

static char *
s_path (const char *name)
{
    const char *root = getenv ("SEATRIAL_DATA");
    return zsys_sprintf ("%s/conformance/harness/golden/%s", root? root: ".",
                         name);
}

static char *
s_read (const char *path)
{
    FILE *file = fopen (path, "r");
    ck_assert_msg (file != NULL, "cannot read %s: %s; make golden writes it",
                   path, strerror (errno));
    char *text = NULL;
    size_t size = 0;
    if (getdelim (&text, &size, 0, file) < 0)
        *text = 0;
    fclose (file);
    return text;
}

//  Takes the text. With SEATRIAL_GOLDEN in the environment, write it instead
static void
s_check (const char *name, char *text)
{
    char *path = s_path (name);
    if (getenv ("SEATRIAL_GOLDEN")) {
        FILE *file = fopen (path, "w");
        ck_assert_ptr_nonnull (file);
        fputs (text, file);
        ck_assert_int_eq (fclose (file), 0);
    }
    char *golden = s_read (path);
    size_t at = 0, line = 1;
    for (; text [at] && text [at] == golden [at]; at++)
        line += text [at] == '\n';
    ck_assert_msg (text [at] == golden [at], "%s:%zu is otherwise now; if that is "
                   "meant, make golden: %.60s", path, line, text + at);
    free (golden);
    free (text);
    free (path);
}

//  --------------------------------------------------------------------------
//  The trial

static catalogue_t *
s_catalogue (void)
{
    char path [] = "/tmp/golden-test-XXXXXX";
    FILE *file = fdopen (mkstemp (path), "w");
    static const char *const heads [] = {
        "T-ONE-01\n    section  7/MDP, Somewhere\n    level    MUST\n"
        "    role     broker\n    proof    scenario\n",
        "T-ONE-02\n    section  7/MDP, Somewhere\n    level    SHOULD NOT\n"
        "    role     worker\n    proof    scenario\n",
        "T-TWO-01\n    section  9/TSP, Elsewhere\n    level    MAY\n"
        "    role     titanic\n    proof    none: a permission & no more\n",
        "T-TWO-02\n    section  9/TSP, Elsewhere\n    level    RULE\n"
        "    role     titanic\n    proof    scenario\n",
        "T-TWO-03\n    section  9/TSP, Elsewhere\n    level    MUST\n"
        "    role     titanic\n    proof    scenario\n"
    };
    for (size_t index = 0; index < sizeof heads / sizeof *heads; index++)
        fprintf (file, "%s    A server does thing %zu, and says \"<so>\".\n\n",
                 heads [index], index + 1);
    fclose (file);
    catalogue_t *catalogue = catalogue_new ();
    ck_assert_int_eq (catalogue_read (catalogue, path, stderr), 0);
    unlink (path);
    return catalogue;
}

//  A message of at most three frames; the others are NULL
static void
s_message (result_t *result, int64_t time_ms, const char *actor,
           const char *kind, bool sent, const char *name,
           const char *const frames [3])
{
    entry_t *entry = transcript_message (&result->events, time_ms, actor, kind,
                                         "broker", sent);
    entry->name = name? strdup (name): NULL;
    for (size_t index = 0; index < 3 && frames [index]; index++)
        entry_add_frame (entry, frames [index]);
}

#define FRAMES(...) (const char *const [3]) { __VA_ARGS__ }

static result_t *
s_result (const char *name, verdict_t verdict, const char *reason,
          const char *cover)
{
    result_t *result = result_new (name, "what is <asked> & why");
    result->verdict = verdict;
    result_set (&result->reason, reason);
    result_set (&result->protocol, "mdp/0.1");
    result_add_cover (result, cover);
    if (verdict == VERDICT_FAIL || verdict == VERDICT_WARN) {
        result_add_requirement (result, cover);
        result_set (&result->place, "theme.sea:7");
        result_set (&result->file, "theme.sea");
        result->line = 7;
    }
    return result;
}

static result_t *
s_passed (void)
{
    result_t *result = s_result ("theme/good", VERDICT_PASS, NULL, "T-TWO-02");
    result->duration_ms = 310;
    result_add_remark (result, "run 2 times");
    transcript_note (&result->events, 0, "broker started");
    s_message (result, 4, "w", "worker", true, "READY",
               FRAMES ("\"MDPW01\"", "0x01", "\"<echo>\""));
    s_message (result, 5, "w", "worker", false, "HEARTBEAT",
               FRAMES ("\"MDPW01\"", "0x04"));
    transcript_heartbeats (&result->events, 300, 5);
    result_set (&result->transcript, "   0.000  broker started\n");
    return result;
}

//  A wrong message came
static result_t *
s_failed (void)
{
    result_t *result = s_result ("theme/bad", VERDICT_FAIL, "what came does not "
        "have the form that was expected", "T-ONE-01");
    result->duration_ms = 1500;
    result_set (&result->step, "c <- REPLY \"<a>\" [T-ONE-01]");
    result_set (&result->expected, "\"MDPC01\"  \"<a>\"");
    result_set (&result->received, "\"MDPC01\"  \"<b>\"  \"\\xff\"");
    result_add_pair (result, "\"MDPC01\"", "\"MDPC01\"", true);
    result_add_pair (result, "\"<a>\"", "\"<b>\"", false);
    result_add_pair (result, NULL, "\"\\xff\"", false);
    transcript_note (&result->events, 0, "c opens");
    s_message (result, 1, "c", "client", true, NULL, FRAMES ("\"MDPC01\""));
    s_message (result, 1234, "c", "client", false, "REPLY",
               FRAMES ("\"MDPC01\"", "\"<b>\"", "\"\\xff\""));
    transcript_note (&result->events, 1234, "here: what came does not have the "
                     "form that was expected");
    result_set (&result->transcript, "   0.000  c opens\n"
                "   1.234  c <- \"MDPC01\"  \"<b>\"  \"\\xff\"\n");
    result_set (&result->output, "broker:\nit said\x1b <something> \xff\n");
    return result;
}

static result_t *
s_known (void)
{
    result_t *result = s_result ("other/known", VERDICT_FAIL, "nothing came "
                                 "within 3000 ms", "T-TWO-03");
    result->known = true;
    result_set (&result->known_reason, "issue 12 & 13");
    result_set (&result->expected, "silence  |  \"x\"");
    return result;
}

#define ALL 7
#define HALF 4

//  All results, in the order in which they come
static result_t *
s_result_at (size_t index)
{
    switch (index) {
        case 0: return s_passed ();
        case 1: return s_failed ();
        case 2: return s_result ("theme/far", VERDICT_SKIP,
                                 "the target does not speak tsp/1.0", "T-TWO-02");
        case 3: return s_result ("theme/soft", VERDICT_WARN,
                                 "something came where nothing may come",
                                 "T-ONE-02");
        case 4: return s_known ();
        case 5: return s_result ("other/dead", VERDICT_CRASH,
                                 "the broker died of signal 11", "T-ONE-01");
        case 6: return s_result ("other/harness", VERDICT_BROKEN,
                                 "cannot fork a process", "T-TWO-02");
        default: return NULL;
    }
}

//  The whole trial; or the first half of it, after what failed was healed
static void
s_run (const reporter_t *reporter, void *state, bool healed)
{
    size_t count = healed? HALF: ALL;
    summary_t summary = { .total = count };
    if (reporter->started)
        reporter->started (state, "a <target>", &summary);
    for (size_t index = 0; index < count; index++) {
        result_t *result = s_result_at (index);
        if (healed && result->verdict == VERDICT_FAIL)
            result->verdict = VERDICT_PASS;
        summary_add (&summary, result);
        reporter->result (state, result, &summary);
        result_destroy (&result);
    }
    if (!healed)
        vector_push (summary.flaky, summary.flaky_count,
                     strdup ("theme/soft: 1 PASS, 1 WARN"));
    summary.duration_ms = 2000;
    reporter->finished (state, &summary);
    summary_clear (&summary);
}

//  What a reporter says of it
static char *
s_report (const reporter_t *reporter, void *(*open) (const report_config_t *),
          bool healed)
{
    static char *speaks [] = { "mdp/0.1", "mmi/0.1" };
    static char *arguments [] = { "--target", "a.zpl" };
    profile_t profile = { .endpoint = "tcp://127.0.0.1:5555", .speaks = speaks,
                          .speak_count = 2, .heartbeat_ms = 100 };
    char *text = NULL;
    size_t size = 0;
    catalogue_t *catalogue = s_catalogue ();
    report_config_t config = { .out = open_memstream (&text, &size),
        .width = 72, .catalogue = catalogue, .profile = &profile,
        .conditions = { "1.2.3", "2026-11-25T12:00:00Z", false, true, 1, 12,
                        arguments, 2 } };
    void *state = open (&config);
    s_run (reporter, state, healed);
    reporter->destroy (&state);
    fclose (config.out);
    catalogue_destroy (&catalogue);
    return text;
}

//  --------------------------------------------------------------------------
//  Tests

START_TEST (console)
{
    s_check ("console.txt", s_report (&report_console, report_console_new, false));
}
END_TEST

START_TEST (tap)
{
    s_check ("report.tap", s_report (&report_tap, report_tap_new, false));
}
END_TEST

START_TEST (junit)
{
    char *text = s_report (&report_junit, report_junit_new, false);
    xmlDocPtr document = xmlReadMemory (text, (int) strlen (text), NULL, NULL,
                                        0);
    ck_assert_ptr_nonnull (document);
    xmlFreeDoc (document);
    xmlCleanupParser ();
    s_check ("junit.xml", text);
}
END_TEST

START_TEST (json)
{
    s_check ("report.json", s_report (&report_json, report_json_new, false));
}
END_TEST

START_TEST (html)
{
    char *text = s_report (&report_html, report_html_new, false);
    //  What came from elsewhere is escaped, and nothing is fetched
    ck_assert_ptr_null (strstr (text, "<so>"));
    ck_assert_ptr_null (strstr (text, "<b>\""));
    ck_assert_ptr_null (strstr (text, "http://"));
    ck_assert_ptr_null (strstr (text, "https://"));
    ck_assert_ptr_null (strstr (text, " src="));
    s_check ("report.html", text);
}
END_TEST

//  Both trials, read from files
static compare_t *
s_compare (void)
{
    char paths [2][32] = { "/tmp/golden-a-XXXXXX", "/tmp/golden-b-XXXXXX" };
    char *const list [] = { paths [0], paths [1] };
    for (size_t index = 0; index < 2; index++) {
        FILE *file = fdopen (mkstemp (paths [index]), "w");
        char *text = s_report (&report_json, report_json_new, index == 1);
        fputs (text, file);
        fclose (file);
        free (text);
    }
    compare_t *compare = compare_new (list, 2, stderr);
    ck_assert_ptr_nonnull (compare);
    unlink (paths [0]);
    unlink (paths [1]);
    compare->sides [0].path = "a.json";
    compare->sides [1].path = "b.json";
    return compare;
}

START_TEST (compare_text)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    compare_t *compare = s_compare ();
    compare_write (compare, out);
    compare_destroy (&compare);
    fclose (out);
    s_check ("compare.txt", text);
}
END_TEST

START_TEST (compare_page)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    compare_t *compare = s_compare ();
    compare_write_page (compare, out);
    compare_destroy (&compare);
    fclose (out);
    ck_assert_ptr_null (strstr (text, "<so>"));
    ck_assert_ptr_null (strstr (text, "http://"));
    s_check ("compare.html", text);
}
END_TEST

//  What compare says of a file with this text
static char *
s_refusal (const char *content)
{
    char path [] = "/tmp/golden-test-XXXXXX";
    FILE *file = fdopen (mkstemp (path), "w");
    fputs (content, file);
    fclose (file);
    char *text = NULL;
    size_t size = 0;
    FILE *errors = open_memstream (&text, &size);
    char *const list [] = { path };
    ck_assert_ptr_null (compare_new (list, 1, errors));
    fclose (errors);
    unlink (path);
    //  One line
    ck_assert_ptr_eq (strchr (text, '\n'), text + strlen (text) - 1);
    return text;
}

START_TEST (no_report)
{
    static const struct {
        const char *content, *words;
    } cases [] = {
        { "", "not JSON" },
        { "<html>", ":1:1: not JSON" },
        { "[]", "is not a report of seatrial" },
        { "{\"format\": \"seatrial-report\", \"version\": 1}",
          "is not a report of seatrial" },
        { "{\"format\": \"seatrial-report\", \"version\": 1, \"target\": "
          "{\"name\": \"x\"}, \"verdict\": \"seaworthy\", \"totals\": {}, "
          "\"scenarios\": [{\"name\": 5}], \"requirements\": []}",
          "is not a report of seatrial" },
        { "{\"format\": \"seatrial-report\", \"version\": 2, \"target\": "
          "{\"name\": \"x\"}, \"verdict\": \"seaworthy\", \"totals\": {}, "
          "\"scenarios\": [], \"requirements\": []}",
          "has version 2 of the format" }
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        char *text = s_refusal (cases [index].content);
        ck_assert_msg (strstr (text, cases [index].words) != NULL, "%s", text);
        free (text);
    }
}
END_TEST

Suite *
golden_suite (void)
{
    Suite *suite = suite_create ("golden");
    TCase *tcase = tcase_create ("golden");
    tcase_add_test (tcase, console);
    tcase_add_test (tcase, tap);
    tcase_add_test (tcase, junit);
    tcase_add_test (tcase, json);
    tcase_add_test (tcase, html);
    tcase_add_test (tcase, compare_text);
    tcase_add_test (tcase, compare_page);
    tcase_add_test (tcase, no_report);
    suite_add_tcase (suite, tcase);
    return suite;
}
