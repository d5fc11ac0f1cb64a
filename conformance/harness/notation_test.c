/*  =========================================================================
    notation_test - what is written is what is matched and printed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "notation.h"

Suite *
notation_suite (void);

//  The pattern that a line makes; errors go to the stream
static pattern_t
s_read (const char *line, FILE *errors)
{
    source_t *source = source_from ("test", line, errors);
    tokens_t tokens = { 0 };
    pattern_t pattern = { 0 };
    tokens_read (&tokens, source, 1);
    for (size_t index = 0; index < tokens.count; index++)
        pattern_push (&pattern, term_dup (&tokens.tokens [index].term));
    tokens_clear (&tokens);
    source_destroy (&source);
    return pattern;
}

static pattern_t
s_pattern (const char *line)
{
    return s_read (line, stderr);
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

static bool
s_matches (const char *line, const char *frames, captures_t *captures)
{
    pattern_t pattern = s_pattern (line);
    zmsg_t *message = s_message (frames);
    bool same = pattern_match (&pattern, message, captures);
    zmsg_destroy (&message);
    pattern_clear (&pattern);
    return same;
}

START_TEST (printing_gives_what_was_read)
{
    static const char *lines [] = {
        "\"\"  \"MDPC01\"  \"echo\"  \"Hello world\"",
        "0x00",
        "0x00ff80",
        "\"a\\\"b\\\\c\"",
        "\"x\"*300",
        "0x00*1048576"
    };
    for (size_t nbr = 0; nbr < sizeof lines / sizeof *lines; nbr++) {
        zmsg_t *message = s_message (lines [nbr]);
        char *text = notation_frames (message);
        ck_assert_str_eq (text, lines [nbr]);
        free (text);
        zmsg_destroy (&message);
    }
}
END_TEST

START_TEST (escapes_make_bytes)
{
    zmsg_t *message = s_message ("\"\\x00\\x7f\\\\\"");
    zframe_t *frame = zmsg_first (message);
    ck_assert_uint_eq (zframe_size (frame), 3);
    ck_assert_mem_eq (zframe_data (frame), "\0\x7f\\", 3);
    zmsg_destroy (&message);
}
END_TEST

START_TEST (patterns_print_as_they_are_written)
{
    static const char *line = "$a:status(200)  $:len(5)  $b  $c:re((a|b)+)...  "
                              "...  $d*  $:uuid  $e:text  $f+\"x\"";
    pattern_t pattern = s_pattern (line);
    char *text = notation_pattern (&pattern);
    ck_assert_str_eq (text, line);
    free (text);
    pattern_clear (&pattern);
}
END_TEST

START_TEST (classes_match_what_they_should)
{
    static const struct {
        const char *pattern, *frames;
        bool same;
    } cases [] = {
        { "$:any", "\"\"", true },
        { "$:any", "\"a\" \"b\"", false },
        { "$:uuid", "\"0123456789abcdefABCDEF0123456789\"", true },
        { "$:uuid", "\"0123456789abcdefABCDEF012345678\"", false },
        { "$:uuid", "\"0123456789abcdefABCDEF012345678g\"", false },
        { "$:status", "\"200\"", true },
        { "$:status", "\"200 OK\"", true },
        { "$:status", "\"200OK\"", false },
        { "$:status", "\"20\"", false },
        { "$:status", "\"2000\"", false },
        { "$:status(300)", "\"300 PENDING\"", true },
        { "$:status(300)", "\"200\"", false },
        { "$:text", "\"abc\"", true },
        { "$:text", "\"\"", false },
        { "$:text", "\"a\\x00\"", false },
        { "$:len(3)", "0x000000", true },
        { "$:len(3)", "\"ab\"", false },
        { "$:re(a+b)", "\"aaab\"", true },
        { "$:re(a+b)", "\"aaabc\"", false },
        { "$:re(a|ab)", "\"ab\"", true },
        { "\"a\" ...", "\"a\"", true },
        { "\"a\" ...", "\"a\" \"b\" \"c\"", true },
        { "$x:any...", "\"a\" \"b\"", true },
        { "\"a\" $x:any...", "\"a\"", false },
        { "\"a\" $x:any*", "\"a\"", true },
        { "...", " ", true },
        { "...", " ", true },
        { "$x...", " ", false },
        { "... \"z\"", "\"a\" \"b\" \"z\"", true },
        { "... \"z\"", "\"a\" \"b\"", false }
    };
    for (size_t nbr = 0; nbr < sizeof cases / sizeof *cases; nbr++)
        ck_assert_msg (s_matches (cases [nbr].pattern, cases [nbr].frames, NULL)
                       == cases [nbr].same, "%s against %s",
                       cases [nbr].pattern, cases [nbr].frames);
}
END_TEST

START_TEST (captures_hold_later_frames_to_account)
{
    captures_t *captures = captures_new ();
    ck_assert (s_matches ("$id:any $rest:any...", "\"one\" \"two\" \"three\"",
                          captures));
    ck_assert (s_matches ("\"x\" $id", "\"x\" \"one\"", captures));
    ck_assert (!s_matches ("\"x\" $id", "\"x\" \"two\"", captures));
    ck_assert (s_matches ("$rest \"end\"", "\"two\" \"three\" \"end\"",
                          captures));
    //  A message that does not match captures nothing
    ck_assert (!s_matches ("$id:any \"no\"", "\"other\" \"yes\"", captures));
    ck_assert (s_matches ("$id", "\"one\"", captures));
    pattern_t pattern = s_pattern ("$id \"and\" $rest $id+\"more\"");
    zmsg_t *message = pattern_compose (&pattern, captures);
    char *text = notation_frames (message);
    ck_assert_str_eq (text, "\"one\"  \"and\"  \"two\"  \"three\"  "
                            "\"onemore\"");
    free (text);
    zmsg_destroy (&message);
    pattern_clear (&pattern);
    captures_destroy (&captures);
}
END_TEST

START_TEST (mistakes_are_pointed_at)
{
    static const struct {
        const char *line;
        int column;
    } cases [] = {
        { "\"abc", 1 }, { "\"a\" 0x123", 5 }, { "\"\\q\"", 2 },
        { "$:nosuch", 3 }, { "$x:len", 4 }, { "$x:status(20)", 4 },
        { "$x:re(()", 4 }, { "$x:any+\"a\"", 7 }, { "$x+a", 4 }, { "$", 1 }, { "\"a\"*", 5 }, { "\"a\"\"b\"", 4 },
        { "\"a\"*99999999999", 5 }, { "{", 1 }, { "[ID", 1 }
    };
    for (size_t nbr = 0; nbr < sizeof cases / sizeof *cases; nbr++) {
        char *text = NULL;
        size_t size = 0;
        FILE *errors = open_memstream (&text, &size);
        pattern_t pattern = s_read (cases [nbr].line, errors);
        pattern_clear (&pattern);
        fclose (errors);
        char start [32];
        snprintf (start, sizeof start, "test:1:%d: ", cases [nbr].column);
        ck_assert_msg (strncmp (text, start, strlen (start)) == 0,
                       "%s gives %s", cases [nbr].line, text);
        free (text);
    }
}
END_TEST

Suite *
notation_suite (void)
{
    Suite *suite = suite_create ("notation");
    TCase *tcase = tcase_create ("notation");
    tcase_add_test (tcase, printing_gives_what_was_read);
    tcase_add_test (tcase, escapes_make_bytes);
    tcase_add_test (tcase, patterns_print_as_they_are_written);
    tcase_add_test (tcase, classes_match_what_they_should);
    tcase_add_test (tcase, captures_hold_later_frames_to_account);
    tcase_add_test (tcase, mistakes_are_pointed_at);
    suite_add_tcase (suite, tcase);
    return suite;
}
