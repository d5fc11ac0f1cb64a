/*  =========================================================================
    comparison_test - messages beside what was expected, and what they are

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <czmq.h>

#include "comparison.h"
#include "vector.h"

Suite *
comparison_suite (void);

static pattern_t
s_pattern (const char *line)
{
    source_t *source = source_from ("test", line, stderr);
    tokens_t tokens = { 0 };
    pattern_t pattern = { 0 };
    ck_assert (tokens_read (&tokens, source, 1));
    for (size_t index = 0; index < tokens.count; index++)
        pattern_push (&pattern, term_dup (&tokens.tokens [index].term));
    tokens_clear (&tokens);
    source_destroy (&source);
    return pattern;
}

static zmsg_t *
s_message (const char *line)
{
    pattern_t pattern = s_pattern (line);
    zmsg_t *message = pattern_compose (&pattern, NULL);
    ck_assert_ptr_nonnull (message);
    pattern_clear (&pattern);
    return message;
}

//  Pairs as text: "expected=received", "#" in place of "=" where they do not fit,
//  "-" for no frame. $known is captured and holds "k". Choices end with NULL;
//  "silence" is one
static char *
s_compare (const char *const *lines, const char *frames)
{
    choice_t *choices = NULL;
    size_t count = 0;
    for (; *lines; lines++) {
        choice_t choice = { .silence = streq (*lines, "silence") };
        if (!choice.silence)
            choice.pattern = s_pattern (*lines);
        vector_push (choices, count, choice);
    }
    captures_t *captures = captures_new ();
    zmsg_t *known = s_message ("\"k\"");
    captures_set (captures, "known", &known);
    zmsg_t *message = s_message (frames);
    result_t *result = result_new ("a/b", NULL);
    comparison_make (result, choices, count, message, captures);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    for (size_t index = 0; index < result->pair_count; index++) {
        const frame_pair_t *pair = &result->pairs [index];
        fprintf (out, "%s%s%c%s", index? " ": "",
                 pair->expected? pair->expected: "-", pair->fits? '=': '#',
                 pair->received? pair->received: "-");
    }
    fclose (out);
    for (size_t index = 0; index < count; index++)
        pattern_clear (&choices [index].pattern);
    free (choices);
    result_destroy (&result);
    zmsg_destroy (&message);
    captures_destroy (&captures);
    return text;
}

START_TEST (frames_stand_beside_what_was_expected)
{
    static const struct {
        const char *choices [3], *frames, *pairs;
    } cases [] = {
        { { "0x01 0x02" }, "0x01 0x03", "0x01=0x01 0x02#0x03" },
        { { "0x01 0x02" }, "0x01", "0x01=0x01 0x02#-" },
        { { "0x01" }, "0x01 0x02", "0x01=0x01 -#0x02" },
        //  What is open takes what is between
        { { "0x01 ... 0x02" }, "0x01 0x05 0x06 0x03",
          "0x01=0x01 ...=0x05 ...=0x06 0x02#0x03" },
        { { "0x01 ... 0x02" }, "0x01 0x03", "0x01=0x01 ...=- 0x02#0x03" },
        { { "0x01 $body..." }, "0x02", "0x01#0x02 $body...#-" },
        { { "0x01 $body*" }, "0x02", "0x01#0x02 $body*=-" },
        //  A name that holds something must match that
        { { "$known" }, "\"x\"", "$known = \"k\"#\"x\"" },
        { { "$known 0x01" }, "\"k\" 0x02", "$known = \"k\"=\"k\" 0x01#0x02" },
        { { "$new 0x01" }, "\"k\" 0x02", "$new=\"k\" 0x01#0x02" },
        //  The nearest of several
        { { "0x01 0x01 0x01", "0x02 0x02 0x01" }, "0x02 0x02 0x02",
          "0x02=0x02 0x02=0x02 0x01#0x02" },
        { { "silence", "0x01" }, "0x02", "0x01#0x02" },
        //  Nothing was expected
        { { "silence" }, "0x01 0x02", "-#0x01 -#0x02" },
        { { NULL }, "0x01", "-#0x01" }
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        char *pairs = s_compare (cases [index].choices, cases [index].frames);
        ck_assert_str_eq (pairs, cases [index].pairs);
        free (pairs);
    }
}
END_TEST

static fixtures_t *
s_fixtures (void)
{
    static const char *const names [] = { "mdp-0.1", "mmi", "tsp" };
    const char *data = getenv ("SEATRIAL_DATA");
    fixtures_t *fixtures = fixtures_new ();
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        char *path = zsys_sprintf ("%s/fixtures/%s.msg", data? data: ".",
                                   names [index]);
        ck_assert_int_eq (fixtures_read (fixtures, path, stderr), 0);
        free (path);
    }
    return fixtures;
}

START_TEST (messages_have_the_name_of_the_closest_golden_one)
{
    static const struct {
        const char *frames;
        way_t way;
        role_t role;
        const char *name;
    } cases [] = {
        { "\"\" \"MDPW01\" 0x01 \"echo\"", WAY_FROM, ROLE_WORKER, "READY" },
        { "\"\" \"MDPW01\" 0x04", WAY_TO, ROLE_WORKER, "HEARTBEAT" },
        { "\"\" \"MDPC01\" \"echo\" \"x\"", WAY_FROM, ROLE_CLIENT, "REQUEST" },
        //  This is a REQUEST too
        { "\"\" \"MDPC01\" \"mmi.service\" \"echo\"", WAY_FROM, ROLE_CLIENT,
          "mmi.service" },
        { "\"\" \"MDPC02\" \"echo\"", WAY_FROM, ROLE_CLIENT, NULL }
    };
    fixtures_t *fixtures = s_fixtures ();
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        zmsg_t *message = s_message (cases [index].frames);
        const golden_t *golden = fixtures_recognise (fixtures, "mdp/0.1",
            cases [index].way, cases [index].role, message);
        if (cases [index].name) {
            ck_assert_ptr_nonnull (golden);
            ck_assert_str_eq (golden->name, cases [index].name);
        }
        else
            ck_assert_ptr_null (golden);
        zmsg_destroy (&message);
    }
    fixtures_destroy (&fixtures);
}
END_TEST

START_TEST (a_transcript_survives_json)
{
    transcript_t transcript = { 0 };
    transcript_note (&transcript, 1, "it began \xff");
    entry_t *entry = transcript_message (&transcript, 2, "guest-1", "guest",
                                         "b", true);
    entry->name = strdup ("READY");
    entry_add_frame (entry, "0x01");
    transcript_message (&transcript, 3, "c", "client", "b", false);
    transcript_heartbeats (&transcript, 4, 7);
    transcript_rename (&transcript, "guest-1", "w");
    json_t *json = transcript_json (&transcript);
    json_array_append_new (json, json_string ("no event"));
    transcript_t again = { 0 };
    transcript_from_json (&again, json);
    ck_assert_uint_eq (again.count, 4);
    ck_assert_str_eq (again.entries [0].text, "it began ?");
    ck_assert_str_eq (again.entries [1].actor, "w");
    ck_assert_str_eq (again.entries [1].kind, "guest");
    ck_assert_str_eq (again.entries [1].peer, "b");
    ck_assert (again.entries [1].sent);
    ck_assert_str_eq (again.entries [1].name, "READY");
    ck_assert_uint_eq (again.entries [1].frame_count, 1);
    ck_assert_str_eq (again.entries [1].frames [0], "0x01");
    ck_assert (!again.entries [2].sent);
    ck_assert_ptr_null (again.entries [2].name);
    ck_assert_int_eq (again.entries [2].time_ms, 3);
    ck_assert_uint_eq (again.entries [3].count, 7);
    json_decref (json);
    transcript_clear (&transcript);
    transcript_clear (&again);
    ck_assert_uint_eq (again.count, 0);
}
END_TEST

Suite *
comparison_suite (void)
{
    Suite *suite = suite_create ("comparison");
    TCase *tcase = tcase_create ("comparison");
    tcase_add_test (tcase, frames_stand_beside_what_was_expected);
    tcase_add_test (tcase, messages_have_the_name_of_the_closest_golden_one);
    tcase_add_test (tcase, a_transcript_survives_json);
    suite_add_tcase (suite, tcase);
    return suite;
}
