/*  =========================================================================
    addresses_test - which connection has an address that its peer has chosen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addresses.h"

//  More than any descriptor here
#define HIGHEST 1000

Suite *
addresses_suite (void);

static int
s_connection (void)
{
    int ends [2];
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_le (ends [1], HIGHEST);
    close (ends [1]);
    return ends [0];
}

START_TEST (the_later_connection_has_it)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int other = s_connection ();
    int third = s_connection ();
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    ck_assert_int_eq (addresses_heard (addresses, "ab", 2, other), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, third), one);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, third), -1);
    ck_assert_int_eq (addresses_heard (addresses, "ab", 2, other), -1);
    close (one);
    close (other);
    close (third);
    addresses_destroy (&addresses);
    ck_assert_ptr_null (addresses);
}
END_TEST

//  As that of a peer that comes back after its first connection has ended
START_TEST (the_same_descriptor_may_be_another_connection)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int other = s_connection ();
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    int late = s_connection ();
    ck_assert_int_eq (dup2 (late, one), one);
    close (late);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, other), one);
    close (one);
    close (other);
    addresses_destroy (&addresses);
}
END_TEST

START_TEST (a_descriptor_that_is_used_again_is_spared)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int other = s_connection ();
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    //  Another connection has the number now, and has said nothing yet
    int late = s_connection ();
    ck_assert_int_eq (dup2 (late, one), one);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, other), -1);
    //  It is gone, and none has it
    close (other);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    close (one);
    close (late);
    addresses_destroy (&addresses);
}
END_TEST

//  Its first message was from a connection that had the number before, and was read
//  too late
START_TEST (who_has_not_chosen_has_none)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int other = s_connection ();
    ck_assert (!addresses_any (addresses));
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    ck_assert (addresses_any (addresses));
    ck_assert_int_eq (addresses_heard (addresses, NULL, 0, one), -1);
    ck_assert (!addresses_any (addresses));
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, other), -1);
    close (one);
    close (other);
    addresses_destroy (&addresses);
}
END_TEST

START_TEST (who_has_chosen_another_has_that)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int other = s_connection ();
    int third = s_connection ();
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    ck_assert_int_eq (addresses_heard (addresses, "b", 1, one), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, other), -1);
    ck_assert_int_eq (addresses_heard (addresses, "b", 1, third), one);
    close (one);
    close (other);
    close (third);
    addresses_destroy (&addresses);
}
END_TEST

START_TEST (what_is_no_connection_has_none)
{
    addresses_t *addresses = addresses_new (HIGHEST);
    int one = s_connection ();
    int file = dup (STDIN_FILENO);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, -1), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, HIGHEST + 1), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, file), -1);
    ck_assert_int_eq (addresses_heard (addresses, "a", 1, one), -1);
    close (one);
    close (file);
    addresses_destroy (&addresses);
}
END_TEST

Suite *
addresses_suite (void)
{
    Suite *suite = suite_create ("addresses");
    TCase *tcase = tcase_create ("addresses");
    tcase_add_test (tcase, the_later_connection_has_it);
    tcase_add_test (tcase, the_same_descriptor_may_be_another_connection);
    tcase_add_test (tcase, a_descriptor_that_is_used_again_is_spared);
    tcase_add_test (tcase, who_has_not_chosen_has_none);
    tcase_add_test (tcase, who_has_chosen_another_has_that);
    tcase_add_test (tcase, what_is_no_connection_has_none);
    suite_add_tcase (suite, tcase);
    return suite;
}
