/*  =========================================================================
    tool_test - what the command-line clients read and print

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <locale.h>
#include <stddef.h>
#include <stdlib.h>

#include "tool.h"

Suite *tool_suite (void);

static const option_t s_table [] = {
    TOOL_CLIENT_OPTIONS,
    TOOL_LAST_OPTION
};

static void
s_assert_text (const void *data, size_t size, const char *expected)
{
    zframe_t *frame = zframe_new (data, size);
    char *text = tool_frame_text (frame);
    ck_assert_str_eq (text, expected);
    free (text);
    zframe_destroy (&frame);
}

START_TEST (text_is_printed_as_it_is)
{
    s_assert_text ("hello world", 11, "hello world");
    s_assert_text ("0x41", 4, "0x41");
    s_assert_text ("~", 1, "~");
    s_assert_text ("", 0, "");
}
END_TEST

START_TEST (anything_else_is_printed_in_hexadecimal)
{
    s_assert_text ("a\nb", 3, "0x610a62");
    s_assert_text ("\0", 1, "0x00");
    s_assert_text ("ab\0", 3, "0x616200");
    s_assert_text ("\x1b[2J", 4, "0x1b5b324a");
    s_assert_text ("\x7f", 1, "0x7f");
    s_assert_text ("\xff\x0f", 2, "0xff0f");
}
END_TEST

START_TEST (locale_tells_what_is_text)
{
    s_assert_text ("caf\xc3\xa9", 5, "0x636166c3a9");
    if (!setlocale (LC_CTYPE, "C.UTF-8"))
        return;                 //  Not every system has it
    s_assert_text ("caf\xc3\xa9", 5, "caf\xc3\xa9");
    //  Cut short, overlong, and a control character
    s_assert_text ("caf\xc3", 4, "0x636166c3");
    s_assert_text ("\xc0\x80", 2, "0xc080");
    s_assert_text ("\xc2\x9b", 2, "0xc29b");
    setlocale (LC_CTYPE, "C");
}
END_TEST

START_TEST (arguments_become_frames)
{
    char *argv [] = {
        "mdpclient", "-t", "10", "echo", "one", "", "--", "-v", NULL
    };
    options_result_t result;
    options_t *options = options_new (8, argv, s_table, "", "A test.",
                                      &result);
    ck_assert_ptr_nonnull (options);
    ck_assert_str_eq (tool_service (options, 0), "echo");
    zmsg_t *body = tool_body (options, 1);
    ck_assert_ptr_nonnull (body);
    ck_assert_uint_eq (zmsg_size (body), 3);
    ck_assert (zframe_streq (zmsg_first (body), "one"));
    ck_assert (zframe_streq (zmsg_next (body), ""));
    ck_assert (zframe_streq (zmsg_next (body), "-v"));
    zmsg_destroy (&body);
    options_destroy (&options);
}
END_TEST

Suite *
tool_suite (void)
{
    Suite *suite = suite_create ("tool");
    TCase *tcase = tcase_create ("tool");
    tcase_add_test (tcase, text_is_printed_as_it_is);
    tcase_add_test (tcase, anything_else_is_printed_in_hexadecimal);
    tcase_add_test (tcase, locale_tells_what_is_text);
    tcase_add_test (tcase, arguments_become_frames);
    suite_add_tcase (suite, tcase);
    return suite;
}
