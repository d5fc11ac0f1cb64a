/*  =========================================================================
    selection_test - which scenarios are meant

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <czmq.h>

#include "selection.h"

Suite *
selection_suite (void);

//  A kit of a few requirements and scenarios
static const char s_requirements [] =
    "MDP1-A-01\n    section  7/MDP, A\n    level    MUST\n"
    "    role     broker\n    proof    scenario\n    One.\n\n"
    "MDP2-A-01\n    section  18/MDP, A\n    level    MUST\n"
    "    role     broker\n    proof    scenario\n    One.\n\n"
    "MDP1-B-01\n    section  7/MDP, B\n    level    SHOULD NOT\n"
    "    role     worker\n    proof    scenario\n    Two.\n\n"
    "MMI-C-01\n    section  8/MMI, C\n    level    SHOULD\n"
    "    role     broker\n    proof    scenario\n    Three.\n\n";

static const char s_fixtures [] =
    "protocol mdp/0.1\nmessage PING to client\n    \"ping\"\n"
    "example\n    \"ping\"\n";

static const char s_fixtures_2 [] =
    "protocol mdp/0.2\nmessage PING to client\n    \"pong\"\n"
    "example\n    \"pong\"\n";

static const char s_script [] =
    "scenario one \"one\"\n    covers MDP-A-01\n    client c\n    c <- PING\n"
    "scenario two \"two\"\n    speaks mdp/0.1\n    covers MDP1-B-01 MMI-C-01\n"
    "    client c\n    c <- PING\n";

static void
s_write (const char *directory, const char *name, const char *text)
{
    char *path = zsys_sprintf ("%s/%s", directory, name);
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
    free (path);
}

static kit_t *
s_kit (void)
{
    char directory [] = "/tmp/selection-test-XXXXXX";
    ck_assert_ptr_nonnull (mkdtemp (directory));
    char *command = zsys_sprintf ("mkdir -p %s/spec %s/fixtures "
        "%s/conformance/scenarios", directory, directory, directory);
    ck_assert_int_eq (system (command), 0);
    free (command);
    s_write (directory, "spec/a.req", s_requirements);
    s_write (directory, "fixtures/a.msg", s_fixtures);
    s_write (directory, "fixtures/b.msg", s_fixtures_2);
    s_write (directory, "conformance/scenarios/theme.sea", s_script);
    kit_t *kit = kit_new (directory, stderr);
    ck_assert_ptr_nonnull (kit);
    ck_assert_int_eq (kit->mistakes, 0);
    command = zsys_sprintf ("rm -r %s", directory);
    ck_assert_int_eq (system (command), 0);
    free (command);
    return kit;
}

typedef struct {
    int option;                 //  0 for a name
    const char *value;
} wish_t;

//  Names of what is meant, with a blank behind each; or what is complained of
static char *
s_select (const wish_t *wishes)
{
    kit_t *kit = s_kit ();
    selection_t *selection = selection_new ();
    for (; wishes->value; wishes++)
        if (wishes->option)
            ck_assert (selection_option (selection, wishes->option,
                                         wishes->value));
        else
            selection_name (selection, wishes->value);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    size_t count;
    const scenario_t **scenarios = selection_make (selection, kit, "run",
                                                   &count, out);
    for (size_t index = 0; index < count; index++)
        fprintf (out, "%s ", scenarios [index]->name);
    fclose (out);
    free (scenarios);
    selection_destroy (&selection);
    kit_destroy (&kit);
    return text;
}

#define CHECK(expected, ...)                                                \
    do {                                                                    \
        wish_t wishes [] = { __VA_ARGS__, { 0, NULL } };                    \
        char *text = s_select (wishes);                                     \
        ck_assert_str_eq (text, expected);                                  \
        free (text);                                                        \
    } while (0)

START_TEST (names_mean_all_versions_unless_one_is_named)
{
    CHECK ("theme/one theme/one@0.2 theme/two ", { 0, NULL });
    CHECK ("theme/one theme/one@0.2 ", { 0, "theme/one" });
    CHECK ("theme/one@0.2 ", { 0, "theme/one@0.2" });
    CHECK ("theme/one ", { 0, "theme/one@0.1" });
    CHECK ("theme/one@0.2 ", { 0, "*@0.2" });
    CHECK ("theme/one theme/one@0.2 ", { 0, "*/o?e" });
    CHECK ("theme/one theme/one@0.2 theme/two ", { 0, "theme/one" },
           { 0, "theme/two" });
}
END_TEST

START_TEST (what_is_covered_selects)
{
    CHECK ("theme/one ", { SELECTION_REQUIREMENT, "MDP1-A-01" });
    CHECK ("theme/one theme/two ", { SELECTION_REQUIREMENT, "MDP1-*" });
    CHECK ("theme/two ", { SELECTION_LEVEL, "should-not" });
    CHECK ("theme/two ", { SELECTION_LEVEL, "SHOULD NOT" });
    CHECK ("theme/one theme/one@0.2 theme/two ", { SELECTION_LEVEL, "MUST" },
           { SELECTION_LEVEL, "SHOULD" });
    CHECK ("theme/two ", { SELECTION_ROLE, "worker" });
    CHECK ("theme/one@0.2 ", { SELECTION_SPECIFICATION, "mdp/0.2" });
}
END_TEST

START_TEST (one_requirement_is_all_that_is_asked_for)
{
    CHECK ("theme/two ", { SELECTION_ROLE, "broker" },
           { SELECTION_LEVEL, "SHOULD" });
    //  It covers a SHOULD NOT, and something of a broker's, but not in one
    CHECK ("seatrial run: no scenario is all that was asked for; ask for less, "
           "or see seatrial coverage\n", { SELECTION_ROLE, "broker" },
           { SELECTION_LEVEL, "SHOULD-NOT" });
}
END_TEST

START_TEST (what_is_excluded_is_not_meant)
{
    CHECK ("theme/one theme/two ", { SELECTION_EXCLUDE, "*@0.2" });
    CHECK ("theme/two ", { SELECTION_EXCLUDE, "theme/one" });
    CHECK ("theme/one ", { 0, "theme/one" }, { SELECTION_EXCLUDE, "*@0.2" });
}
END_TEST

START_TEST (what_is_unknown_is_told)
{
    CHECK ("seatrial run: no scenario is called theme/three; see seatrial list\n",
           { 0, "theme/one" }, { 0, "theme/three" });
    CHECK ("seatrial run: --requirement: the catalogue has no MDP1-Z-01; see "
           "seatrial coverage\n", { SELECTION_REQUIREMENT, "MDP1-Z-01" });
    CHECK ("seatrial run: --level: there is no MUSTARD; there are MUST, MUST-NOT, "
           "RULE, SHOULD, SHOULD-NOT and MAY\n",
           { SELECTION_LEVEL, "MUSTARD" });
    CHECK ("seatrial run: --role: there is no queen; there are client, worker, "
           "broker and titanic\n", { SELECTION_ROLE, "queen" });
    CHECK ("seatrial run: --specification: there is no mdp/0.3; there are "
           "mdp/0.1, mdp/0.2, mmi/0.1 and tsp/1.0\n",
           { SELECTION_SPECIFICATION, "mdp/0.3" });
    CHECK ("seatrial run: --exclude: no scenario is called nosuch; see seatrial "
           "list\n", { SELECTION_EXCLUDE, "nosuch" });
}
END_TEST

Suite *
selection_suite (void)
{
    Suite *suite = suite_create ("selection");
    TCase *tcase = tcase_create ("selection");
    tcase_add_test (tcase, names_mean_all_versions_unless_one_is_named);
    tcase_add_test (tcase, what_is_covered_selects);
    tcase_add_test (tcase, one_requirement_is_all_that_is_asked_for);
    tcase_add_test (tcase, what_is_excluded_is_not_meant);
    tcase_add_test (tcase, what_is_unknown_is_told);
    suite_add_tcase (suite, tcase);
    return suite;
}
