/*  =========================================================================
    script_test - scenarios are read as they are meant, and mistakes are told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script.h"

Suite *
script_suite (void);

static const char s_requirements [] =
    "T-ONE-01\n"
    "    section  7/MDP, Somewhere\n"
    "    level    MUST\n"
    "    role     broker\n"
    "    proof    scenario\n"
    "    One thing.\n"
    "\n"
    "T-TWO-01\n"
    "    section  7/MDP, Somewhere\n"
    "    level    MAY\n"
    "    role     broker\n"
    "    proof    none: a permission\n"
    "    Another thing.\n";

static const char s_messages [] =
    "protocol mdp/0.1\n"
    "message REQUEST from client\n"
    "    \"\"  \"MDPC01\"  $service  $body...\n"
    "example\n"
    "    \"\"  \"MDPC01\"  \"echo\"  \"x\"\n"
    "message REPLY to client\n"
    "    \"\"  \"MDPC01\"  $service  $body...\n"
    "example\n"
    "    \"\"  \"MDPC01\"  \"echo\"  \"x\"\n"
    "message READY from worker\n"
    "    \"\"  \"MDPW01\"  0x01  $service\n"
    "example\n"
    "    \"\"  \"MDPW01\"  0x01  \"echo\"\n"
    "protocol tsp/1.0\n"
    "message titanic.reply from client\n"
    "    REQUEST \"titanic.reply\" $id:uuid\n"
    "example\n"
    "    \"\"  \"MDPC01\"  \"titanic.reply\"  \"00000000000000000000000000000000\"\n"
    "message titanic.reply to client\n"
    "    REPLY \"titanic.reply\" $status:status $body*\n"
    "example\n"
    "    \"\"  \"MDPC01\"  \"titanic.reply\"  \"300\"\n";

//  A catalogue, fixtures and one script, read from files as they are in life
typedef struct {
    char directory [32];
    catalogue_t *catalogue;
    fixtures_t *fixtures;
    script_t *script;
    char *errors;               //  What was complained of
    int mistakes;
} kit_t;

static char *
s_write (kit_t *kit, const char *name, const char *text)
{
    char *path = zsys_sprintf ("%s/%s", kit->directory, name);
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
    return path;
}

static kit_t
s_open (const char *text, const char *included)
{
    kit_t kit = { .directory = "/tmp/script-test-XXXXXX" };
    ck_assert_ptr_nonnull (mkdtemp (kit.directory));
    char *requirements = s_write (&kit, "t.req", s_requirements);
    char *messages = s_write (&kit, "t.msg", s_messages);
    char *script = s_write (&kit, "t.sea", text);
    char *other = s_write (&kit, "t.inc", included);
    kit.catalogue = catalogue_new ();
    ck_assert_int_eq (catalogue_read (kit.catalogue, requirements, stderr), 0);
    kit.fixtures = fixtures_new ();
    ck_assert_int_eq (fixtures_read (kit.fixtures, messages, stderr), 0);
    kit.script = script_new (kit.fixtures, kit.catalogue);
    size_t size = 0;
    FILE *errors = open_memstream (&kit.errors, &size);
    kit.mistakes = script_read (kit.script, script, errors);
    fclose (errors);
    unlink (requirements);
    unlink (messages);
    unlink (script);
    unlink (other);
    rmdir (kit.directory);
    free (requirements);
    free (messages);
    free (script);
    free (other);
    return kit;
}

static void
s_close (kit_t *kit)
{
    script_destroy (&kit->script);
    fixtures_destroy (&kit->fixtures);
    catalogue_destroy (&kit->catalogue);
    free (kit->errors);
}

START_TEST (a_scenario_becomes_steps)
{
    kit_t kit = s_open (
        "scenario first \"a title\"\n"
        "    covers T-ONE-01\n"
        "    client c over req\n"
        "    worker w as \"me\" serves \"echo\" after 2 hb\n"
        "    c -> REQUEST \"echo\" \"x\" \"y\"\n"
        "    c <- REPLY \"echo\" $x:any ... | silence\n"
        "        within 3 hb   [T-ONE-01]\n"
        "    repeat 3\n"
        "        c silent for 1.5 hb\n"
        "    end\n", "");
    ck_assert_msg (kit.mistakes == 0, "%s", kit.errors);
    const scenario_t *scenario = script_find (kit.script, "t/first");
    ck_assert_ptr_nonnull (scenario);
    ck_assert_str_eq (scenario->title, "a title");
    ck_assert_uint_eq (scenario->cover_count, 1);
    ck_assert_uint_eq (scenario->actor_count, 2);
    ck_assert_int_eq (scenario->actors [0].over, OVER_REQ);
    ck_assert (scenario->actors [1].addressed);
    ck_assert_uint_eq (scenario->block.count, 6);
    const step_t *steps = scenario->block.steps;
    ck_assert_int_eq (steps [2].type, STEP_SERVE);
    ck_assert_int_eq (steps [3].type, STEP_SEND);
    char *sent = notation_pattern (&steps [3].pattern);
    ck_assert_str_eq (sent, "\"\"  \"MDPC01\"  \"echo\"  \"x\"  \"y\"");
    free (sent);
    ck_assert_int_eq (steps [4].type, STEP_EXPECT);
    ck_assert_uint_eq (steps [4].choice_count, 2);
    ck_assert (steps [4].choices [1].silence);
    ck_assert (steps [4].hb == 3);
    ck_assert_uint_eq (steps [4].tag_count, 1);
    ck_assert_int_eq (steps [4].line, 6);
    ck_assert_int_eq (steps [5].type, STEP_REPEAT);
    ck_assert_uint_eq (steps [5].times, 3);
    ck_assert_uint_eq (steps [5].block.count, 1);
    ck_assert (!scenario->needs.titanic);
    ck_assert_uint_eq (scenario->protocol_count, 1);
    s_close (&kit);
}
END_TEST

START_TEST (procedures_are_put_in_with_their_arguments)
{
    kit_t kit = s_open (
        "include \"t.inc\"\n"
        "scenario first \"a title\"\n"
        "    covers T-ONE-01\n"
        "    client d\n"
        "    do asked d \"echo\" \"1\" \"2\"\n"
        "    titanic killed\n"
        "    titanic started\n"
        "    poll d titanic.reply \"x\" until $:status(200) $got while $:status(300)\n",
        "procedure asked c $service $body...\n"
        "    c -> REQUEST $service $body\n"
        "    c <- REPLY $service $got:any ...\n"
        "end\n");
    ck_assert_msg (kit.mistakes == 0, "%s", kit.errors);
    const scenario_t *scenario = script_at (kit.script, 0);
    ck_assert_uint_eq (scenario->block.count, 6);
    char *sent = notation_pattern (&scenario->block.steps [1].pattern);
    ck_assert_str_eq (sent, "\"\"  \"MDPC01\"  \"echo\"  \"1\"  \"2\"");
    free (sent);
    ck_assert (scenario->needs.titanic);
    ck_assert (scenario->needs.control [PROCESS_TITANIC]);
    ck_assert (!scenario->needs.control [PROCESS_BROKER]);
    const step_t *poll = &scenario->block.steps [5];
    char *until = notation_pattern (&poll->choices [0].pattern);
    ck_assert_str_eq (until,
        "\"\"  \"MDPC01\"  \"titanic.reply\"  $:status(200)  $got");
    free (until);
    s_close (&kit);
}
END_TEST

//  What stands between the head of a scenario and its end, where the complaint
//  points, and a word of it
static const struct {
    const char *body;
    const char *place;
    const char *word;
} s_mistakes [] = {
    { "covers NO-SUCH-01", "5:8", "no requirement" },
    { "covers T-TWO-01", "5:8", "can prove" },
    { "x -> REQUEST \"a\" \"b\"", "5:1", "no actor" },
    { "c -> NOSUCH", "5:6", "no message" },
    { "c -> REQUEST \"a\"", "5:17", "nothing open" },
    { "c -> REQUEST \"a\" $b", "5:18", "captured" },
    { "c <- REPLY \"a\" $b", "5:16", "captured" },
    { "w -> READY \"a\" \"b\"", "5:16", "no place" },
    { "c <- REPLY within soon", "5:19", "number" },
    { "c <- REPLY within 3 s", "5:21", "hb or expiry" },
    { "c <- REPLY [T-TWO-01]", "5:12", "covers" },
    { "c silent", "5:9", "how long" },
    { "c mute", "5:3", "closes" },
    { "client c", "5:8", "already" },
    { "peer p", "5:7", "over" },
    { "titanic eaten", "5:9", "killed" },
    { "state eaten", "5:7", "filled" },
    { "repeat 0", "5:8", "how often" },
    { "repeat 2", "6:11", "end is missing" },
    { "end", "5:1", "nothing ends" },
    { "do nothing", "5:4", "no procedure" },
    { "poll c titanic.reply \"x\" while $:status", "5:26", "until" },
    { "poll c titanic.reply \"x\" until $:status ends", "5:41", "" },
    { "file \"a/b\" stays", "5:6", "name" },
    { "c <- REPLY \"unfinished", "5:12", "does not end" },
    { "c sings", "5:3", "silent" },
    { "worker c2 as 0x0001", "5:14", "address" }
};

START_TEST (mistakes_are_pointed_at)
{
    bool covers = strncmp (s_mistakes [_i].body, "covers", 6) == 0;
    char *text = zsys_sprintf (
        "scenario first \"a title\"\n"
        "covers T-ONE-01\n"
        "%s\n"
        "%s\n"
        "%s\n"
        "c <- REPLY\n",
        covers? "": "client c", covers? "": "worker w",
        s_mistakes [_i].body);
    kit_t kit = s_open (text, "");
    free (text);
    ck_assert_int_ge (kit.mistakes, 1);
    const char *colon = strchr (kit.errors, ':');
    ck_assert_ptr_nonnull (colon);
    ck_assert_msg (strncmp (colon + 1, s_mistakes [_i].place,
                            strlen (s_mistakes [_i].place)) == 0,
                   "%s: not at %s", kit.errors, s_mistakes [_i].place);
    ck_assert_msg (strstr (kit.errors, s_mistakes [_i].word) != NULL,
                   "%s: does not say '%s'", kit.errors, s_mistakes [_i].word);
    s_close (&kit);
}
END_TEST

Suite *
script_suite (void)
{
    Suite *suite = suite_create ("script");
    TCase *tcase = tcase_create ("script");
    tcase_add_test (tcase, a_scenario_becomes_steps);
    tcase_add_test (tcase, procedures_are_put_in_with_their_arguments);
    tcase_add_loop_test (tcase, mistakes_are_pointed_at, 0,
        (int) (sizeof s_mistakes / sizeof *s_mistakes));
    suite_add_tcase (suite, tcase);
    return suite;
}
