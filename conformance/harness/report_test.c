/*  =========================================================================
    report_test - golden output of every reporter

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

#include "report.h"
#include "vector.h"

Suite *
report_suite (void);

static catalogue_t *
s_catalogue (void)
{
    char path [] = "/tmp/report-test-XXXXXX";
    int handle = mkstemp (path);
    FILE *file = fdopen (handle, "w");
    fputs ("T-ONE-01\n"
           "    section  7/MDP, Somewhere\n"
           "    level    MUST\n"
           "    role     broker\n"
           "    proof    scenario\n"
           "    A broker does one thing, and it does that thing well whatever "
           "anybody else may say of it.\n", file);
    fclose (file);
    catalogue_t *catalogue = catalogue_new ();
    ck_assert_int_eq (catalogue_read (catalogue, path, stderr), 0);
    unlink (path);
    return catalogue;
}

static result_t *
s_passed (void)
{
    result_t *result = result_new ("theme/good", "what is good");
    result->duration_ms = 310;
    result_set (&result->transcript, "   0.000  c -> \"\"\n");
    return result;
}

static result_t *
s_failed (void)
{
    result_t *result = result_new ("theme/bad", "what is bad");
    result->verdict = VERDICT_FAIL;
    result->duration_ms = 1500;
    result_set (&result->reason, "nothing came");
    result_set (&result->place, "theme.sea:7");
    result_set (&result->step, "w <- REQUEST");
    result_set (&result->expected, "\"\"  \"<&>\"");
    result_add_requirement (result, "T-ONE-01");
    result_set (&result->transcript, "   0.000  w opens\n   0.100  w mute\n");
    result_set (&result->output, "broker:\nit said\x1b something\n");
    return result;
}

static result_t *
s_skipped (void)
{
    result_t *result = result_new ("theme/far", "what is far");
    result->verdict = VERDICT_SKIP;
    result_set (&result->reason, "the target does not speak tsp/1.0");
    return result;
}

static void
s_tell (const reporter_t *reporter, void *state, result_t *result,
        summary_t *summary)
{
    summary_add (summary, result);
    reporter->result (state, result, summary);
    result_destroy (&result);
}

//  All that a reporter says of one that passes, one that fails, one skipped
static char *
s_report (const reporter_t *reporter, void *(*open) (const report_config_t *),
          report_config_t config)
{
    char *text = NULL;
    size_t size = 0;
    catalogue_t *catalogue = s_catalogue ();
    config.out = open_memstream (&text, &size);
    config.width = 60;
    config.catalogue = catalogue;
    void *state = open (&config);
    summary_t summary = { .total = 3 };
    if (reporter->started)
        reporter->started (state, "a target", &summary);
    if (reporter->progress)
        reporter->progress (state, &summary, "theme/good");
    s_tell (reporter, state, s_passed (), &summary);
    s_tell (reporter, state, s_failed (), &summary);
    s_tell (reporter, state, s_skipped (), &summary);
    summary.duration_ms = 2000;
    if (reporter->finished)
        reporter->finished (state, &summary);
    reporter->destroy (&state);
    summary_clear (&summary);
    ck_assert_ptr_null (state);
    fclose (config.out);
    catalogue_destroy (&catalogue);
    return text;
}

START_TEST (console_tells_people)
{
    char *text = s_report (&report_console, report_console_new,
                           (report_config_t) { 0 });
    ck_assert_str_eq (text,
        "a target: 3 scenarios\n"
        "\n"
        "PASS   theme/good                             0.31 s\n"
        "FAIL   theme/bad                              1.50 s\n"
        "              what is bad\n"
        "    why       nothing came\n"
        "    step      w <- REQUEST\n"
        "    at        theme.sea:7\n"
        "    expected  \"\"  \"<&>\"\n"
        "    breaks    T-ONE-01  MUST  7/MDP, Somewhere\n"
        "              A broker does one thing, and it does that\n"
        "              thing well whatever anybody else may say of\n"
        "              it.\n"
        "    what went over the wire:\n"
        "           0.000  w opens\n"
        "           0.100  w mute\n"
        "    what the target printed:\n"
        "        broker:\n"
        "        it said? something\n"
        "\n"
        "SKIP   theme/far                              0.00 s\n"
        "\n"
        "1 PASS   1 SKIP   1 FAIL   in 2.0 s\n"
        "skipped 1: the target does not speak tsp/1.0\n"
        "not seaworthy\n");
    free (text);
}
END_TEST

START_TEST (console_on_a_terminal_erases_its_progress)
{
    char *text = s_report (&report_console, report_console_new,
        (report_config_t) { .terminal = true, .color = true,
                            .verbose = true });
    ck_assert (strstr (text, "\r\033[K0/3 running: theme/good\r\033[K"
                             "\033[32mPASS  \033[0m theme/good") != NULL);
    //  Verbose: the transcript of what passes too
    ck_assert (strstr (text, "0.000  c -> \"\"") != NULL);
    ck_assert (strstr (text, "\033[31mnot seaworthy\033[0m") != NULL);
    free (text);
}
END_TEST

START_TEST (junit_tells_ci_servers)
{
    char *text = s_report (&report_junit, report_junit_new,
                           (report_config_t) { 0 });
    ck_assert_str_eq (text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"seatrial\" tests=\"3\" failures=\"1\" "
            "errors=\"0\" time=\"2.000\">\n"
        " <testsuite name=\"a target\" tests=\"3\" failures=\"1\" "
            "errors=\"0\" skipped=\"1\" time=\"2.000\">\n"
        "  <properties>\n"
        "   <property name=\"skipped\" value=\"1: the target does not speak "
            "tsp/1.0\"/>\n"
        "  </properties>\n"
        "  <testcase classname=\"theme\" name=\"good\" time=\"0.310\">\n"
        "   <system-out>   0.000  c -&gt; &quot;&quot;\n</system-out>\n"
        "  </testcase>\n"
        "  <testcase classname=\"theme\" name=\"bad\" time=\"1.500\">\n"
        "   <failure message=\"nothing came\" type=\"FAIL\">"
            "step: w &lt;- REQUEST\n"
        "at: theme.sea:7\n"
        "expected: &quot;&quot;  &quot;&lt;&amp;&gt;&quot;\n"
        "breaks: T-ONE-01 (MUST, 7/MDP, Somewhere): A broker does one thing, "
            "and it does that thing well whatever anybody else may say of it.\n"
        "</failure>\n"
        "   <system-out>   0.000  w opens\n   0.100  w mute\n</system-out>\n"
        "   <system-err>broker:\nit said? something\n</system-err>\n"
        "  </testcase>\n"
        "  <testcase classname=\"theme\" name=\"far\" time=\"0.000\">\n"
        "   <skipped message=\"the target does not speak tsp/1.0\"/>\n"
        "  </testcase>\n"
        " </testsuite>\n"
        "</testsuites>\n");
    xmlDocPtr document = xmlReadMemory (text, (int) strlen (text), NULL, NULL,
                                        0);
    ck_assert_ptr_nonnull (document);
    xmlFreeDoc (document);
    xmlCleanupParser ();
    free (text);
}
END_TEST

//  What a reporter says of one deviation that is known and one that is healed
static char *
s_report_known (const reporter_t *reporter,
                void *(*open) (const report_config_t *))
{
    char *text = NULL;
    size_t size = 0;
    report_config_t config = { .out = open_memstream (&text, &size),
                               .width = 60 };
    void *state = open (&config);
    summary_t summary = { .total = 3 };
    vector_push (summary.flaky, summary.flaky_count,
                 strdup ("theme/good: 1 PASS, 1 FAIL"));
    if (reporter->started)
        reporter->started (state, "a target", &summary);
    result_t *result = s_failed ();
    result->known = true;
    result_set (&result->known_reason, "issue 12");
    s_tell (reporter, state, result, &summary);
    result = s_passed ();
    result->stale = true;
    result_add_remark (result, "known.txt:3 is stale");
    s_tell (reporter, state, result, &summary);
    ck_assert_uint_eq (summary_failures (&summary), 1);
    reporter->finished (state, &summary);
    reporter->destroy (&state);
    summary_clear (&summary);
    fclose (config.out);
    return text;
}

START_TEST (what_is_known_is_told_as_known)
{
    char *text = s_report_known (&report_console, report_console_new);
    ck_assert_str_eq (text,
        "a target: 3 scenarios\n"
        "\n"
        "FAIL   theme/bad                              1.50 s\n"
        "    known     issue 12\n"
        "PASS   theme/good                             0.31 s\n"
        "    note      known.txt:3 is stale\n"
        "\n"
        "1 PASS   1 FAIL (1 known)   in 0.0 s\n"
        "flaky: theme/good: 1 PASS, 1 FAIL\n"
        "1 stale in the baseline: see the notes above\n"
        "1 scenarios were not run\n"
        "not seaworthy\n");
    free (text);
    text = s_report_known (&report_tap, report_tap_new);
    ck_assert (strstr (text, "not ok 1 - theme/bad # TODO known: issue 12\n"
                             "  ---\n  verdict: \"FAIL\"\n") != NULL);
    ck_assert (strstr (text, "not ok 2 - theme/good\n"
                             "# note: known.txt:3 is stale\n"
                             "# 1 PASS 1 FAIL (1 known)\n"
                             "# flaky: theme/good: 1 PASS, 1 FAIL\n"
                             "Bail out! 1 scenarios were not run\n") != NULL);
    free (text);
    text = s_report_known (&report_junit, report_junit_new);
    ck_assert (strstr (text, "tests=\"2\" failures=\"1\" errors=\"0\" "
                             "skipped=\"1\"") != NULL);
    ck_assert (strstr (text, "<skipped message=\"known FAIL: issue 12\"/>")
               != NULL);
    ck_assert (strstr (text, "<failure message=\"known.txt:3 is stale\" "
                             "type=\"STALE\"/>") != NULL);
    ck_assert (strstr (text, "<property name=\"flaky\" "
                             "value=\"theme/good: 1 PASS, 1 FAIL\"/>") != NULL);
    ck_assert (strstr (text, "<property name=\"not-run\" value=\"1\"/>")
               != NULL);
    free (text);
}
END_TEST

START_TEST (a_result_survives_the_pipe)
{
    result_t *result = s_failed ();
    result_add_remark (result, "a remark");
    result_set (&result->protocol, "mdp/0.2");
    result_add_cover (result, "T-ONE-02");
    result->known = true;
    result_set (&result->known_reason, "issue 7");
    result_set (&result->file, "theme.sea");
    result->line = 7;
    result_add_pair (result, "0x01", NULL, false);
    result_add_pair (result, NULL, "0x02", true);
    transcript_note (&result->events, 12, "w opens");
    result_set (&result->output, "no UTF-8: \xff\xfe\n");
    char *text = result_encode (result);
    ck_assert_ptr_null (strchr (text, '\n'));
    result_t *again = result_decode (text);
    ck_assert_ptr_nonnull (again);
    ck_assert_str_eq (again->scenario, "theme/bad");
    ck_assert_int_eq (again->verdict, VERDICT_FAIL);
    ck_assert_int_eq (again->duration_ms, 1500);
    ck_assert_str_eq (again->expected, "\"\"  \"<&>\"");
    ck_assert_ptr_null (again->received);
    ck_assert_str_eq (again->transcript, result->transcript);
    ck_assert_uint_eq (again->requirement_count, 1);
    ck_assert_uint_eq (again->remark_count, 1);
    ck_assert_str_eq (again->protocol, "mdp/0.2");
    ck_assert_uint_eq (again->cover_count, 1);
    ck_assert_str_eq (again->covers [0], "T-ONE-02");
    ck_assert (again->known);
    ck_assert_str_eq (again->known_reason, "issue 7");
    ck_assert_str_eq (again->file, "theme.sea");
    ck_assert_int_eq (again->line, 7);
    ck_assert_uint_eq (again->pair_count, 2);
    ck_assert_str_eq (again->pairs [0].expected, "0x01");
    ck_assert_ptr_null (again->pairs [0].received);
    ck_assert (!again->pairs [0].fits);
    ck_assert (again->pairs [1].fits);
    ck_assert_uint_eq (again->events.count, 1);
    ck_assert_int_eq (again->events.entries [0].time_ms, 12);
    ck_assert_str_eq (again->output, "no UTF-8: \?\?\n");
    free (text);
    result_destroy (&again);
    result_destroy (&result);
    ck_assert_ptr_null (result_decode ("nonsense"));
    ck_assert_ptr_null (result_decode ("{\"scenario\": \"x\"}"));
}
END_TEST

Suite *
report_suite (void)
{
    Suite *suite = suite_create ("report");
    TCase *tcase = tcase_create ("report");
    tcase_add_test (tcase, console_tells_people);
    tcase_add_test (tcase, console_on_a_terminal_erases_its_progress);
    tcase_add_test (tcase, junit_tells_ci_servers);
    tcase_add_test (tcase, what_is_known_is_told_as_known);
    tcase_add_test (tcase, a_result_survives_the_pipe);
    suite_add_tcase (suite, tcase);
    return suite;
}
