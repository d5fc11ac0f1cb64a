/*  =========================================================================
    fault_tests - what happens when memory is out or the store fails

    Prints TAP.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <malloc.h>
#include <stdlib.h>

//  Every suite: a line here, its file in Makefile.am
#define SUITES(SUITE)                                                       \
    SUITE (codec_fault)                                                     \
    SUITE (broker_fault)                                                    \
    SUITE (titanic_fault)                                                   \
    SUITE (store_fault)                                                     \
    SUITE (reactor_fault)                                                   \
    SUITE (keyring_fault)                                                   \
    SUITE (client_fault)                                                    \
    SUITE (postgresql_fault)

#define DECLARE(name) Suite *name##_suite (void);
#define ADD(name) srunner_add_suite (runner, name##_suite ());

SUITES (DECLARE)

int
main (void)
{
    //  Memory goes back and forth all the time: keep it
    mallopt (M_TRIM_THRESHOLD, 64 * 1024 * 1024);
    SRunner *runner = srunner_create (NULL);
    SUITES (ADD)
    srunner_set_tap (runner, "-");
    srunner_run_all (runner, CK_SILENT);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed? EXIT_FAILURE: EXIT_SUCCESS;
}
