/*  =========================================================================
    catalogue_test - requirements are read, and mistakes are pointed at

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

#include "catalogue.h"
#include "fixture.h"

Suite *
catalogue_suite (void);

//  Read a text as a file of the kind; the complaints, and how many
typedef int (read_fn) (void *self, const char *path, FILE *errors);

static int
s_read (read_fn *read_file, void *self, const char *text, char **errors)
{
    char path [] = "/tmp/catalogue-test-XXXXXX";
    FILE *file = fdopen (mkstemp (path), "w");
    fputs (text, file);
    fclose (file);
    size_t size = 0;
    FILE *out = open_memstream (errors, &size);
    int mistakes = read_file (self, path, out);
    fclose (out);
    unlink (path);
    return mistakes;
}

static int
s_read_catalogue (void *self, const char *path, FILE *errors)
{
    return catalogue_read ((catalogue_t *) self, path, errors);
}

static int
s_read_fixtures (void *self, const char *path, FILE *errors)
{
    return fixtures_read ((fixtures_t *) self, path, errors);
}

//  Complains at this place, with this word
static void
s_expect_mistake (const char *errors, const char *place, const char *word)
{
    const char *colon = strchr (errors, ':');
    ck_assert_msg (colon && strncmp (colon + 1, place, strlen (place)) == 0,
                   "not at %s: %s", place, errors);
    ck_assert_msg (strstr (errors, word) != NULL, "does not say %s: %s", word,
                   errors);
}

#define GOOD                                                                \
    "T-ONE-01\n"                                                            \
    "    section  7/MDP, Somewhere\n"                                       \
    "    level    SHOULD NOT\n"                                             \
    "    role     worker\n"                                                 \
    "    proof    scenario\n"                                               \
    "    One thing,\n"                                                      \
    "    in two lines.\n"

START_TEST (a_requirement_is_read)
{
    catalogue_t *catalogue = catalogue_new ();
    char *errors;
    ck_assert_int_eq (s_read (s_read_catalogue, catalogue,
        "#   A comment\n" GOOD "\nT-TWO-02\n"
        "    section  s\n    level    MAY\n    role     client\n"
        "    proof    none: a permission\n    Two.\n", &errors), 0);
    ck_assert_uint_eq (catalogue_size (catalogue), 2);
    const requirement_t *requirement = catalogue_find (catalogue, "T-ONE-01");
    ck_assert_str_eq (requirement->section, "7/MDP, Somewhere");
    ck_assert_int_eq (requirement->level, LEVEL_SHOULD_NOT);
    ck_assert_str_eq (level_text (requirement->level), "SHOULD NOT");
    ck_assert_str_eq (requirement->role, "worker");
    ck_assert (requirement->proved);
    ck_assert_str_eq (requirement->text, "One thing, in two lines.");
    ck_assert_int_eq (requirement->line, 2);
    requirement = catalogue_at (catalogue, 1);
    ck_assert (!requirement->proved);
    ck_assert_str_eq (requirement->excuse, "a permission");
    ck_assert_ptr_null (catalogue_find (catalogue, "T-TWO-01"));
    free (errors);
    catalogue_destroy (&catalogue);
}
END_TEST

static const struct {
    const char *text, *place, *word;
} s_catalogue_mistakes [] = {
    { "lower-01\n", "1:1", "id" },
    { GOOD "\n" GOOD, "9:1", "already" },
    { "    text\n", "1:5", "no requirement" },
    { "T-A-01\n    section  s\n", "1:1", "no level" },
    { "T-A-01\n    level    OUGHT\n", "2:14", "SHOULD" },
    { "T-A-01\n    role     captain\n", "2:14", "titanic" },
    { "T-A-01\n    proof    none\n", "2:14", "none: and why" },
    { "T-A-01\n    leval    MUST\n", "2:5", "no field" },
    { "T-A-01\n    level    MUST\n    level    MUST\n", "3:5", "twice" },
    { "T-A-01\n  level    MUST\n", "2:1", "four" }
};

START_TEST (mistakes_in_a_catalogue)
{
    catalogue_t *catalogue = catalogue_new ();
    char *errors;
    ck_assert_int_ge (s_read (s_read_catalogue, catalogue,
                              s_catalogue_mistakes [_i].text, &errors), 1);
    s_expect_mistake (errors, s_catalogue_mistakes [_i].place,
                      s_catalogue_mistakes [_i].word);
    free (errors);
    catalogue_destroy (&catalogue);
}
END_TEST

#define MESSAGE                                                             \
    "protocol mdp/0.1\n"                                                    \
    "message REQUEST from client\n"                                         \
    "    \"\"  \"MDPC01\"  $service  $body...\n"                            \
    "shows T-ONE-01\n"                                                      \
    "example\n"                                                             \
    "    \"\"  \"MDPC01\"  \"echo\"  \"x\"\n"

START_TEST (a_message_is_read)
{
    fixtures_t *fixtures = fixtures_new ();
    char *errors;
    ck_assert_int_eq (s_read (s_read_fixtures, fixtures, MESSAGE
        "message mmi.service from client\n"
        "    REQUEST \"mmi.service\" $name\n"
        "example\n"
        "    \"\"  \"MDPC01\"  \"mmi.service\"  \"echo\"\n", &errors), 0);
    const golden_t *golden = fixtures_find (fixtures, "mdp/0.1", "REQUEST", WAY_FROM,
                                            ROLE_CLIENT);
    ck_assert_uint_eq (golden->shows_count, 1);
    //  What goes one way only is found for the other way too
    ck_assert_ptr_eq (fixtures_find (fixtures, "mdp/0.1", "REQUEST", WAY_TO,
                                     ROLE_CLIENT), golden);
    ck_assert_ptr_null (fixtures_find (fixtures, "mdp/0.1", "REQUEST", WAY_FROM,
                                       ROLE_WORKER));
    golden = fixtures_find (fixtures, "mdp/0.1", "mmi.service", WAY_FROM, ROLE_CLIENT);
    char *text = notation_pattern (&golden->pattern);
    ck_assert_str_eq (text, "\"\"  \"MDPC01\"  \"mmi.service\"  $name");
    free (text);
    term_t terms [] = { { .type = TERM_BYTES, .bytes = "a", .size = 1 },
                        { .type = TERM_BYTES, .bytes = "b", .size = 1 } };
    size_t excess;
    pattern_t pattern = golden_fill (golden, terms, 2, &excess);
    ck_assert_uint_eq (excess, 1);
    pattern_clear (&pattern);
    free (errors);
    fixtures_destroy (&fixtures);
}
END_TEST

static const struct {
    const char *text, *place, *word;
} s_fixture_mistakes [] = {
    { "message A from client\n    \"x\"\n", "1:1", "protocol" },
    { MESSAGE MESSAGE, "8:9", "already" },
    { "protocol p\nmessage A from server\n", "2:1", "should read" },
    { "protocol p\nmessage A from client\n    \"x\"\n", "2:1", "no example" },
    { "protocol p\nmessage A from client\nexample\n    \"x\"\n", "2:1",
      "no frames" },
    { "protocol p\nmessage A from client\n    \"x\"\nexample\n    \"y\"\n",
      "2:1", "form" },
    { "protocol p\nmessage A from client\n    \"x\"\nexample\n    $y\n",
      "5:5", "exact" },
    { "protocol p\nmessage A from client\n    NOSUCH \"x\"\n", "3:5",
      "no message" },
    { "protocol p\nmassage A from client\n", "2:1", "should start" }
};

START_TEST (mistakes_in_a_fixture)
{
    fixtures_t *fixtures = fixtures_new ();
    char *errors;
    ck_assert_int_ge (s_read (s_read_fixtures, fixtures,
                              s_fixture_mistakes [_i].text, &errors), 1);
    s_expect_mistake (errors, s_fixture_mistakes [_i].place,
                      s_fixture_mistakes [_i].word);
    free (errors);
    fixtures_destroy (&fixtures);
}
END_TEST

#define COUNT(array) ((int) (sizeof (array) / sizeof *(array)))

Suite *
catalogue_suite (void)
{
    Suite *suite = suite_create ("catalogue");
    TCase *tcase = tcase_create ("catalogue and fixtures");
    tcase_add_test (tcase, a_requirement_is_read);
    tcase_add_loop_test (tcase, mistakes_in_a_catalogue, 0,
                         COUNT (s_catalogue_mistakes));
    tcase_add_test (tcase, a_message_is_read);
    tcase_add_loop_test (tcase, mistakes_in_a_fixture, 0,
                         COUNT (s_fixture_mistakes));
    suite_add_tcase (suite, tcase);
    return suite;
}
