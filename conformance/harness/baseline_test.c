/*  =========================================================================
    baseline_test - deviations that are known

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "baseline.h"
#include "outfile.h"

Suite *
baseline_suite (void);

typedef struct {
    fixtures_t *fixtures;
    catalogue_t *catalogue;
    script_t *script;
    char path [64];             //  Of the baseline
} world_t;

static void
s_write (const char *path, const char *text)
{
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
}

static char *
s_read (const char *path)
{
    zfile_t *file = zfile_new (NULL, path);
    ck_assert_int_eq (zfile_input (file), 0);
    zchunk_t *chunk = zfile_read (file, 100000, 0);
    char *text = strndup ((const char *) zchunk_data (chunk),
                          zchunk_size (chunk));
    zchunk_destroy (&chunk);
    zfile_destroy (&file);
    return text;
}

//  Scenarios x/one, x/two, x/three and x/four
static void
s_create (world_t *self)
{
    char directory [] = "/tmp/baseline-test-XXXXXX";
    ck_assert_ptr_nonnull (mkdtemp (directory));
    char *fixtures = zsys_sprintf ("%s/x.msg", directory);
    char *catalogue = zsys_sprintf ("%s/x.req", directory);
    char *script = zsys_sprintf ("%s/x.sea", directory);
    s_write (fixtures, "protocol mdp/0.1\nmessage PING to client\n    \"ping\"\n"
             "example\n    \"ping\"\n");
    s_write (catalogue, "MDP1-A-01\n    section  7/MDP, A\n    level    MUST\n"
             "    role     broker\n    proof    scenario\n    One.\n");
    FILE *file = fopen (script, "w");
    const char *names [] = { "one", "two", "three", "four" };
    for (int index = 0; index < 4; index++)
        fprintf (file, "scenario %s \"t\"\n    covers MDP1-A-01\n"
                 "    client c\n    c <- PING\n", names [index]);
    fclose (file);
    self->fixtures = fixtures_new ();
    self->catalogue = catalogue_new ();
    ck_assert_int_eq (fixtures_read (self->fixtures, fixtures, stderr), 0);
    ck_assert_int_eq (catalogue_read (self->catalogue, catalogue, stderr), 0);
    self->script = script_new (self->fixtures, self->catalogue);
    ck_assert_int_eq (script_read (self->script, script, stderr), 0);
    unlink (fixtures);
    unlink (catalogue);
    unlink (script);
    rmdir (directory);
    free (fixtures);
    free (catalogue);
    free (script);
    strcpy (self->path, "/tmp/baseline-test-XXXXXX");
    close (mkstemp (self->path));
}

static void
s_clear (world_t *self)
{
    unlink (self->path);
    script_destroy (&self->script);
    catalogue_destroy (&self->catalogue);
    fixtures_destroy (&self->fixtures);
}

static baseline_t *
s_known (world_t *self, const char *text)
{
    s_write (self->path, text);
    baseline_t *baseline = baseline_read (self->path, self->script, stderr);
    ck_assert_ptr_nonnull (baseline);
    return baseline;
}

typedef enum { NEW, KNOWN, STALE } judgement_t;

static judgement_t
s_judge (baseline_t *baseline, const char *scenario, verdict_t verdict)
{
    result_t *result = result_new (scenario, "t");
    result->verdict = verdict;
    result_set (&result->reason, "it \"came\"\nso");
    baseline_judge (baseline, result, verdict);
    judgement_t judgement = result->known? KNOWN: result->stale? STALE: NEW;
    ck_assert (!(result->known && result->stale));
    ck_assert (!result->known || result->known_reason != NULL);
    ck_assert (!result->stale || result->remark_count == 1);
    result_destroy (&result);
    return judgement;
}

START_TEST (what_is_known_is_known)
{
    world_t world;
    s_create (&world);
    baseline_t *baseline = s_known (&world,
        "# a comment\n\n"
        "x/one FAIL \"it is so\"   # more\n"
        "x/two\tCRASH flaky \"issue \\\"12\\\" \\\\ # 13\"\n");
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_FAIL), KNOWN);
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_CRASH), NEW);
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_PASS), STALE);
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_WARN), STALE);
    //  Nobody knows what they would have come to
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_SKIP), NEW);
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_BROKEN), NEW);
    ck_assert_int_eq (s_judge (baseline, "x/two", VERDICT_PASS), NEW);
    ck_assert_int_eq (s_judge (baseline, "x/two", VERDICT_CRASH), KNOWN);
    ck_assert_int_eq (s_judge (baseline, "x/two", VERDICT_FAIL), NEW);
    ck_assert_int_eq (s_judge (baseline, "x/three", VERDICT_FAIL), NEW);
    baseline_destroy (&baseline);
    s_clear (&world);
}
END_TEST

START_TEST (a_should_is_known_in_both_modes)
{
    world_t world;
    s_create (&world);
    baseline_t *baseline = s_known (&world, "x/one WARN \"a\"\n"
                                            "x/two FAIL \"b\"\n");
    result_t *result = result_new ("x/one", "t");
    result->verdict = VERDICT_WARN;
    baseline_judge (baseline, result, VERDICT_FAIL);
    ck_assert (result->known);
    result_destroy (&result);
    result = result_new ("x/two", "t");
    result->verdict = VERDICT_WARN;
    baseline_judge (baseline, result, VERDICT_FAIL);
    ck_assert (result->known);
    result_destroy (&result);
    baseline_destroy (&baseline);
    s_clear (&world);
}
END_TEST

START_TEST (mistakes_are_told_with_their_line)
{
    static const struct {
        const char *line;
        const char *said;
    } mistakes [] = {
        { "x/none FAIL \"a\"", "there is no such scenario; see seatrial list" },
        { "x/one", "the verdict that is known is due here: WARN, FAIL, HANG or "
                   "CRASH" },
        { "x/one PASS \"a\"", "the verdict that is known is due here: WARN, FAIL, "
                              "HANG or CRASH" },
        { "x/one FAIL", "a reason in quotes is due behind the verdict" },
        { "x/one FAIL # a", "a reason in quotes is due behind the verdict" },
        { "x/one FAIL a", "flaky, or a reason in quotes, is due behind the "
                          "verdict" },
        { "x/one FAIL \"a", "the quotes of the reason are not closed" },
        { "x/one FAIL \" \"", "the reason says nothing" },
        { "x/one FAIL \"a\" b", "this is too much behind the reason" },
        { "\"a\"", "the name of a scenario is due before the reason" },
        { "x/four FAIL \"a\"", "this scenario has a line already" }
    };
    world_t world;
    s_create (&world);
    for (size_t index = 0; index < sizeof mistakes / sizeof *mistakes; index++) {
        char *text = zsys_sprintf ("x/four FAIL \"a\"\n%s\n",
                                   mistakes [index].line);
        s_write (world.path, text);
        free (text);
        char *said = NULL;
        size_t size = 0;
        FILE *errors = open_memstream (&said, &size);
        ck_assert_ptr_null (baseline_read (world.path, world.script, errors));
        fclose (errors);
        char *expected = zsys_sprintf ("%s:2: %s\n", world.path,
                                       mistakes [index].said);
        ck_assert_str_eq (said, expected);
        free (expected);
        free (said);
    }
    s_clear (&world);
}
END_TEST

START_TEST (what_is_written_is_what_came)
{
    world_t world;
    s_create (&world);
    baseline_t *baseline = s_known (&world,
        "x/one FAIL \"old \\\"one\\\"\"\n"
        "x/two CRASH \"it heals\"\n"
        "x/three HANG flaky \"it is not run\"\n");
    s_judge (baseline, "x/one", VERDICT_FAIL);
    s_judge (baseline, "x/two", VERDICT_PASS);
    s_judge (baseline, "x/four", VERDICT_PASS);
    s_judge (baseline, "x/four", VERDICT_FAIL);
    ck_assert_int_eq (baseline_write (baseline, world.path, stderr), 0);
    baseline_destroy (&baseline);
    char *text = s_read (world.path);
    ck_assert_str_eq (text,
        "#   Known deviations, for seatrial run --baseline:\n"
        "#   SCENARIO VERDICT [flaky] \"REASON\"\n"
        "x/four FAIL flaky \"not looked at yet: it \\\"came\\\" so\"\n"
        "x/one FAIL \"old \\\"one\\\"\"\n"
        "x/three HANG flaky \"it is not run\"\n");
    free (text);
    //  And it can be read again
    baseline = baseline_read (world.path, world.script, stderr);
    ck_assert_ptr_nonnull (baseline);
    ck_assert_int_eq (s_judge (baseline, "x/one", VERDICT_FAIL), KNOWN);
    baseline_destroy (&baseline);
    s_clear (&world);
}
END_TEST

START_TEST (a_file_is_whole_or_as_it_was)
{
    char path [] = "/tmp/outfile-test-XXXXXX";
    close (mkstemp (path));
    s_write (path, "former\n");
    outfile_t *file = outfile_open (path, stderr);
    ck_assert_ptr_nonnull (file);
    fputs ("latter\n", outfile_stream (file));
    outfile_abandon (&file);
    ck_assert_ptr_null (file);
    char *text = s_read (path);
    ck_assert_str_eq (text, "former\n");
    free (text);
    file = outfile_open (path, stderr);
    fputs ("latter\n", outfile_stream (file));
    ck_assert_int_eq (outfile_close (&file, stderr), 0);
    text = s_read (path);
    ck_assert_str_eq (text, "latter\n");
    free (text);
    unlink (path);

    //  A device is written to as it is, and this one is full
    char *said = NULL;
    size_t size = 0;
    FILE *errors = open_memstream (&said, &size);
    file = outfile_open ("/dev/full", errors);
    ck_assert_ptr_nonnull (file);
    fputs ("lost\n", outfile_stream (file));
    ck_assert_int_eq (outfile_close (&file, errors), -1);
    ck_assert_ptr_null (outfile_open ("/nowhere/file", errors));
    fclose (errors);
    ck_assert_str_eq (said,
        "seatrial: cannot write /dev/full: No space left on device\n"
        "seatrial: cannot write /nowhere/file: No such file or directory\n");
    free (said);
}
END_TEST

Suite *
baseline_suite (void)
{
    Suite *suite = suite_create ("baseline");
    TCase *tcase = tcase_create ("baseline");
    tcase_add_test (tcase, what_is_known_is_known);
    tcase_add_test (tcase, a_should_is_known_in_both_modes);
    tcase_add_test (tcase, mistakes_are_told_with_their_line);
    tcase_add_test (tcase, what_is_written_is_what_came);
    tcase_add_test (tcase, a_file_is_whole_or_as_it_was);
    suite_add_tcase (suite, tcase);
    return suite;
}
