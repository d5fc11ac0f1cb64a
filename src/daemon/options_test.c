/*  =========================================================================
    options_test - command lines and ZPL files

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

Suite *
options_suite (void);

#define ARGUMENTS_MAX 8

static const option_t s_table [] = {
    { "endpoint", 'e', OPTION_STRING, "ENDPOINT", "where", "tcp://a", 0, 0 },
    { "heartbeat", 0, OPTION_NUMBER, "MS", "when", "2500", 1, 10000 },
    { "max-workers", 'w', OPTION_NUMBER, "N", "how many", "7", -5, 100 },
    { "store", 0, OPTION_STRING, "ADDRESS", "what in", NULL, 0, 0 },
    { "quick", 'q', OPTION_FLAG, NULL, "fast", NULL, 0, 0 },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

static int s_stdout, s_stderr;  //  Where they went before
static char s_path [32];
static char *s_argv [ARGUMENTS_MAX + 1];

//  Read a command line, up to the first NULL.
static options_t *
s_parse (const char *const *arguments, options_result_t expected)
{
    int argc = 0;
    s_argv [argc++] = "/usr/bin/program";
    while (*arguments)
        s_argv [argc++] = (char *) *arguments++;
    s_argv [argc] = NULL;
    options_result_t result;
    options_t *options = options_new (argc, s_argv, s_table, "[FILE]",
                                      "Does something.", &result);
    ck_assert_int_eq (result, expected);
    ck_assert ((options != NULL) == (expected == OPTIONS_RUN));
    return options;
}

#define PARSE(expected, ...) \
    s_parse ((const char *const []) { __VA_ARGS__, NULL }, expected)

static void
s_write_file (const char *text)
{
    FILE *file = fopen (s_path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
}

//  What a user would see does not belong in the test log.
static void
s_hide_output (void)
{
    fflush (stdout);
    s_stdout = dup (STDOUT_FILENO);
    s_stderr = dup (STDERR_FILENO);
    int null = open ("/dev/null", O_WRONLY);
    ck_assert (s_stdout >= 0 && s_stderr >= 0 && null >= 0);
    dup2 (null, STDOUT_FILENO);
    dup2 (null, STDERR_FILENO);
    close (null);
}

static void
s_show_output (void)
{
    fflush (stdout);
    dup2 (s_stdout, STDOUT_FILENO);
    dup2 (s_stderr, STDERR_FILENO);
    close (s_stdout);
    close (s_stderr);
}

static void
s_setup (void)
{
    strcpy (s_path, "/tmp/options_test.XXXXXX");
    int file = mkstemp (s_path);
    ck_assert_int_ge (file, 0);
    close (file);
    s_hide_output ();
}

static void
s_teardown (void)
{
    s_show_output ();
    unlink (s_path);
}

START_TEST (fallbacks)
{
    options_t *options = PARSE (OPTIONS_RUN, NULL);
    ck_assert_str_eq (options_string (options, "endpoint"), "tcp://a");
    ck_assert_int_eq (options_number (options, "heartbeat"), 2500);
    ck_assert_int_eq (options_number (options, "max-workers"), 7);
    ck_assert_ptr_null (options_string (options, "store"));
    ck_assert (!options_flag (options, "quick"));
    ck_assert (!options_flag (options, "verbose"));
    ck_assert_uint_eq (options_rest (options), 0);
    ck_assert_ptr_null (options_argument (options, 0));
    options_destroy (&options);
    ck_assert_ptr_null (options);
}
END_TEST

START_TEST (command_line)
{
    options_t *options = PARSE (OPTIONS_RUN, "-vq", "one", "-etcp://b",
                                "--heartbeat=100", "--max-workers", "-5",
                                "two");
    ck_assert_str_eq (options_string (options, "endpoint"), "tcp://b");
    ck_assert_int_eq (options_number (options, "heartbeat"), 100);
    ck_assert_int_eq (options_number (options, "max-workers"), -5);
    ck_assert (options_flag (options, "quick"));
    ck_assert (options_flag (options, "verbose"));
    ck_assert_uint_eq (options_rest (options), 2);
    ck_assert_str_eq (options_argument (options, 0), "one");
    ck_assert_str_eq (options_argument (options, 1), "two");
    options_destroy (&options);
}
END_TEST

START_TEST (the_last_one_counts)
{
    options_t *options = PARSE (OPTIONS_RUN, "-w", "1", "-w", "2", "--",
                                "-v");
    ck_assert_int_eq (options_number (options, "max-workers"), 2);
    ck_assert_uint_eq (options_rest (options), 1);
    ck_assert (!options_flag (options, "verbose"));
    options_destroy (&options);
}
END_TEST

START_TEST (wrong_command_lines)
{
    PARSE (OPTIONS_WRONG, "--nonsense");
    PARSE (OPTIONS_WRONG, "-x");
    PARSE (OPTIONS_WRONG, "--heartbeat");
    PARSE (OPTIONS_WRONG, "-e");
    PARSE (OPTIONS_WRONG, "--quick=yes");
    static const char *const numbers [] = {
        "", "x", "1x", " 1", "+1", "1.5", "0", "10001",
        "99999999999999999999", "-99999999999999999999"
    };
    for (size_t index = 0; index < sizeof (numbers) / sizeof (*numbers);
         index++)
        PARSE (OPTIONS_WRONG, "--heartbeat", numbers [index]);
}
END_TEST

START_TEST (help_and_version)
{
    PARSE (OPTIONS_DONE, "--help");
    PARSE (OPTIONS_DONE, "-h");
    PARSE (OPTIONS_DONE, "--version");
    PARSE (OPTIONS_DONE, "-V", "-c", "/nowhere");
    PARSE (OPTIONS_WRONG, "--help", "--nonsense");
}
END_TEST

START_TEST (file)
{
    s_write_file ("#   Settings\n"
                  "endpoint = \"tcp://file\"\n"
                  "heartbeat = 300\n"
                  "max\n"
                  "    workers = 9\n"
                  "quick = yes\n"
                  "verbose = no\n");
    options_t *options = PARSE (OPTIONS_RUN, "--config", s_path);
    ck_assert_str_eq (options_string (options, "endpoint"), "tcp://file");
    ck_assert_int_eq (options_number (options, "heartbeat"), 300);
    ck_assert_int_eq (options_number (options, "max-workers"), 9);
    ck_assert (options_flag (options, "quick"));
    ck_assert (!options_flag (options, "verbose"));
    options_destroy (&options);

    //  The command line beats the file, wherever it names it
    options = PARSE (OPTIONS_RUN, "--heartbeat", "400", "-c", s_path, "-w3",
                     "-v");
    ck_assert_int_eq (options_number (options, "heartbeat"), 400);
    ck_assert_int_eq (options_number (options, "max-workers"), 3);
    ck_assert_str_eq (options_string (options, "endpoint"), "tcp://file");
    ck_assert (options_flag (options, "verbose"));
    options_destroy (&options);
}
END_TEST

START_TEST (wrong_files)
{
    static const char *const texts [] = {
        "nonsense = 1\n",
        "max\n    nonsense = 1\n",
        "heartbeat = soon\n",
        "heartbeat = 0\n",
        "quick = maybe\n",
        "config = other\n",
        "help = yes\n",
        "heartbeat = 300\n  skewed = 1\n"
    };
    for (size_t index = 0; index < sizeof (texts) / sizeof (*texts);
         index++) {
        s_write_file (texts [index]);
        PARSE (OPTIONS_WRONG, "-c", s_path);
    }
    PARSE (OPTIONS_WRONG, "-c", "/nowhere/at.all");
    PARSE (OPTIONS_WRONG, "-c", "/");
}
END_TEST

Suite *
options_suite (void)
{
    Suite *suite = suite_create ("options");
    TCase *tcase = tcase_create ("options");
    tcase_add_checked_fixture (tcase, s_setup, s_teardown);
    tcase_add_test (tcase, fallbacks);
    tcase_add_test (tcase, command_line);
    tcase_add_test (tcase, the_last_one_counts);
    tcase_add_test (tcase, wrong_command_lines);
    tcase_add_test (tcase, help_and_version);
    tcase_add_test (tcase, file);
    tcase_add_test (tcase, wrong_files);
    suite_add_tcase (suite, tcase);
    return suite;
}
