/*  =========================================================================
    profile_test - profiles, their mistakes, and the commands they make

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile.h"

Suite *
profile_suite (void);

//  What is said about the last profile
static char *s_said;
static char s_path [] = "/tmp/profile-test-XXXXXX";

static void
s_set_up (void)
{
    strcpy (s_path + strlen (s_path) - 6, "XXXXXX");
    int handle = mkstemp (s_path);
    ck_assert_int_ge (handle, 0);
    close (handle);
    s_said = NULL;
}

static void
s_tear_down (void)
{
    free (s_said);
    unlink (s_path);
}

static profile_t *
s_read (const char *text, size_t size)
{
    static const variable_t variables [] = {
        { "bin", "/opt/bin" }, { NULL, NULL }
    };
    FILE *file = fopen (s_path, "w");
    ck_assert_ptr_nonnull (file);
    ck_assert_uint_eq (fwrite (text, 1, size, file), size);
    fclose (file);
    free (s_said);
    size_t length;
    FILE *errors = open_memstream (&s_said, &length);
    profile_t *profile = profile_read (s_path, variables, errors);
    fclose (errors);
    return profile;
}

#define START                                                               \
    "target\n"                                                              \
    "    endpoint = \"tcp://127.0.0.1:5555\"\n"                             \
    "    speaks = \"mdp/0.1, tsp/1.0\"\n"

#define READ(text) s_read (text, sizeof (text) - 1)

//  The command of a process must become this
static void
s_assert_command (const char *text, process_t process, const char *expected)
{
    profile_t *profile = s_read (text, strlen (text));
    ck_assert_msg (profile, "%s", s_said);
    zmsg_t *request = zmsg_new ();
    zmsg_addstr (request, "echo");
    zmsg_addstr (request, "it's");
    zmsg_addstr (request, "two words");
    char *command = profile_command (profile, process, false, "mdp/0.2",
                                     request, NULL);
    ck_assert_str_eq (command, expected);
    free (command);
    zmsg_destroy (&request);
    profile_destroy (&profile);
}

START_TEST (settings_have_their_usual_values)
{
    profile_t *profile = READ (START);
    ck_assert_msg (profile, "%s", s_said);
    ck_assert_str_eq (profile->name, s_path);
    ck_assert_str_eq (profile->endpoint, "tcp://127.0.0.1:5555");
    ck_assert_int_eq (profile->heartbeat_ms, 2500);
    ck_assert_int_eq (profile->start_ms, 10000);
    ck_assert (profile->attached);
    ck_assert (profile_speaks (profile, "mdp/0.1"));
    ck_assert (profile_speaks (profile, "tsp/1.0"));
    ck_assert (!profile_speaks (profile, "mdp/0.2"));
    profile_destroy (&profile);
}
END_TEST

START_TEST (variables_are_put_in)
{
    s_assert_command (START "    heartbeat = 300\nbroker\n"
        "    command = \"${bin}/broker -e ${endpoint} -b ${heartbeat}\"\n",
        PROCESS_BROKER, "/opt/bin/broker -e tcp://127.0.0.1:5555 -b 300");
    s_assert_command (START "client\n"
        "    command = \"call --mdp ${mdp} ${service} ${body}\"\n",
        PROCESS_CLIENT, "call --mdp 0.2 'echo' 'it'\\''s' 'two words'");
}
END_TEST

START_TEST (a_brace_that_does_not_end_stands_for_itself)
{
    s_assert_command (START "client\n    command = \"call ${mdp\"\n",
                      PROCESS_CLIENT, "call ${mdp");
    s_assert_command (START "client\n    command = \"${\"\n",
                      PROCESS_CLIENT, "${");
}
END_TEST

static void
s_assert_mistake (const char *text, const char *about)
{
    ck_assert (s_read (text, strlen (text)) == NULL);
    ck_assert_msg (strstr (s_said, about), "it is said: %s", s_said);
}

START_TEST (mistakes_are_told)
{
    s_assert_mistake ("", "endpoint is missing");
    s_assert_mistake ("target\n    speaks = \"\n", "not ZPL");
    s_assert_mistake (START "    heartbeat = 0\n", "target/heartbeat must");
    s_assert_mistake (START "    heartbeat = 5x\n", "target/heartbeat must");
    s_assert_mistake (START "    hartbeat = 5\n", "target/hartbeat");
    s_assert_mistake (START "broker\n    command = \"${nothing}\"\n",
                      "no value for ${nothing}");
    //  Once, however often it is wanted
    s_assert_mistake (START "broker\n    command = \"${a} ${a} ${b} ${a}\"\n",
                      "no value for ${a}");
    char *first = strstr (s_said, "${a}");
    ck_assert_ptr_nonnull (strstr (first, "${b}"));
    ck_assert_ptr_null (strstr (first + 1, "${a}"));
    s_assert_mistake (START "state\n    directory = \"here\"\n",
                      "not an absolute path");
    s_assert_mistake (START "broker\n", "a section with settings");
    s_assert_mistake ("target\n    endpoint = \"x\"\n", "speaks is missing");
    ck_assert (READ (START "\0") == NULL);
    ck_assert_msg (strstr (s_said, "not ZPL"), "it is said: %s", s_said);
}
END_TEST

Suite *
profile_suite (void)
{
    Suite *suite = suite_create ("profile");
    TCase *tcase = tcase_create ("profile");
    tcase_add_checked_fixture (tcase, s_set_up, s_tear_down);
    tcase_add_test (tcase, settings_have_their_usual_values);
    tcase_add_test (tcase, variables_are_put_in);
    tcase_add_test (tcase, a_brace_that_does_not_end_stands_for_itself);
    tcase_add_test (tcase, mistakes_are_told);
    suite_add_tcase (suite, tcase);
    return suite;
}
