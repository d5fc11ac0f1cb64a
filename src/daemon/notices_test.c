/*  =========================================================================
    notices_test - what stands in the log, and what is left out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "notices.h"

Suite *notices_suite (void);

static int s_stderr;            //  The real one
static int s_pipe [2];          //  What stands in its place
static notices_t s_notices;

static void
s_set_up (void)
{
    s_notices = (notices_t) { .verbose = false };
    s_stderr = dup (STDERR_FILENO);
    ck_assert_int_eq (pipe2 (s_pipe, O_NONBLOCK), 0);
    ck_assert_int_ge (dup2 (s_pipe [1], STDERR_FILENO), 0);
}

static void
s_tear_down (void)
{
    dup2 (s_stderr, STDERR_FILENO);
    close (s_stderr);
    close (s_pipe [0]);
    close (s_pipe [1]);
}

//  All that was written since the last time
static const char *
s_written (void)
{
    static char text [65536];
    ssize_t size = read (s_pipe [0], text, sizeof text - 1);
    text [size > 0? size: 0] = 0;
    return text;
}

static size_t
s_lines (const char *text)
{
    size_t lines = 0;
    while ((text = strchr (text, '\n'))) {
        lines++;
        text++;
    }
    return lines;
}

static void
s_write (int64_t now_ms, notice_level_t level, const void *subject, size_t size)
{
    frame_t *frame = subject? frame_new (subject, size): NULL;
    notices_write (&s_notices, now_ms, level, "it happened", frame);
    frame_destroy (&frame);
}

static void
s_assert_line (const void *subject, size_t size, const char *ending)
{
    s_write (1000, NOTICE_INFO, subject, size);
    char line [2048];
    snprintf (line, sizeof line, "%s: info: it happened%s\n",
              program_invocation_short_name, ending);
    ck_assert_str_eq (s_written (), line);
}

START_TEST (a_subject_is_text_or_hexadecimal)
{
    s_assert_line (NULL, 0, "");
    s_assert_line ("echo", 4, ": echo");
    s_assert_line ("", 0, ": 0x");
    s_assert_line ("\0\x80", 2, ": 0x0080");
    //  Nothing that a terminal would obey
    s_assert_line ("a\x1b[2Jb", 6, ": 0x611b5b324a62");
    s_assert_line ("a\n", 2, ": 0x610a");
}
END_TEST

START_TEST (a_long_subject_is_cut)
{
    char name [300], expected [700] = ": ";
    memset (name, 'n', sizeof name);
    memset (expected + 2, 'n', 255);
    strcpy (expected + 257, "...");
    s_assert_line (name, sizeof name, expected);
    memset (name, 1, sizeof name);
    strcpy (expected, ": 0x");
    for (int nbr = 0; nbr < 255; nbr++)
        strcat (expected, "01");
    strcat (expected, "...");
    s_assert_line (name, sizeof name, expected);
    s_assert_line (name, 0, ": 0x");
}
END_TEST

START_TEST (trace_is_for_those_who_asked)
{
    s_write (1000, NOTICE_TRACE, NULL, 0);
    ck_assert_str_eq (s_written (), "");
    s_notices.verbose = true;
    s_write (1000, NOTICE_TRACE, NULL, 0);
    ck_assert_ptr_nonnull (strstr (s_written (), ": trace: it happened\n"));
}
END_TEST

START_TEST (a_second_has_a_hundred_lines)
{
    for (int nbr = 0; nbr < 130; nbr++)
        s_write (5000 + nbr, NOTICE_WARNING, NULL, 0);
    ck_assert_uint_eq (s_lines (s_written ()), 100);
    s_write (5999, NOTICE_WARNING, NULL, 0);
    ck_assert_str_eq (s_written (), "");
    //  The next one tells how many there were
    s_write (6000, NOTICE_WARNING, NULL, 0);
    ck_assert_ptr_nonnull (strstr (s_written (),
                                   "(31 notices before this one left out)"));
    s_write (6000, NOTICE_WARNING, NULL, 0);
    ck_assert_ptr_null (strstr (s_written (), "left out"));
}
END_TEST

START_TEST (a_reader_who_does_not_read_holds_nothing_up)
{
    s_notices.verbose = true;
    char name [200];
    memset (name, 'n', sizeof name);
    size_t written = 0;
    while (!s_notices.dropped && written++ < 100000)
        s_write (1000, NOTICE_INFO, name, sizeof name);
    ck_assert_uint_lt (written, 100000);
    while (*s_written ())
        ;
    s_write (1000, NOTICE_INFO, NULL, 0);
    ck_assert_ptr_nonnull (strstr (s_written (),
                                   "(1 notices before this one left out)"));
}
END_TEST

Suite *
notices_suite (void)
{
    Suite *suite = suite_create ("notices");
    TCase *tcase = tcase_create ("notices");
    tcase_add_checked_fixture (tcase, s_set_up, s_tear_down);
    tcase_add_test (tcase, a_subject_is_text_or_hexadecimal);
    tcase_add_test (tcase, a_long_subject_is_cut);
    tcase_add_test (tcase, trace_is_for_those_who_asked);
    tcase_add_test (tcase, a_second_has_a_hundred_lines);
    tcase_add_test (tcase, a_reader_who_does_not_read_holds_nothing_up);
    suite_add_tcase (suite, tcase);
    return suite;
}
