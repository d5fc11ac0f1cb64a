/*  =========================================================================
    unit_tests - all unit tests, of the reference pair and of the kit

    Prints TAP. CK_FORK=no keeps everything in one process, for valgrind.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>

//  Every suite: a line here, its file in Makefile.am
#define SUITES(SUITE)                                                       \
    SUITE (message)                                                         \
    SUITE (mdp)                                                             \
    SUITE (codec)                                                           \
    SUITE (variant)                                                         \
    SUITE (tsp)                                                             \
    SUITE (update)                                                          \
    SUITE (broker)                                                          \
    SUITE (broker_version)                                                  \
    SUITE (broker_room)                                                     \
    SUITE (titanic)                                                         \
    SUITE (sharing)                                                         \
    SUITE (fleet)                                                           \
    SUITE (request_id)                                                      \
    SUITE (store)                                                           \
    SUITE (postgresql)                                                      \
    SUITE (keyring)                                                         \
    SUITE (network)                                                         \
    SUITE (options)                                                         \
    SUITE (notices)                                                         \
    SUITE (mask)                                                            \
    SUITE (addresses)                                                       \
    SUITE (meter)                                                           \
    SUITE (channels)                                                        \
    SUITE (tool)                                                            \
    SUITE (mdp_client)                                                      \
    SUITE (mdp_worker)                                                      \
    SUITE (titanic_client)                                                  \
    SUITE (job)                                                             \
    SUITE (catalogue)                                                       \
    SUITE (comparison)                                                      \
    SUITE (golden)                                                          \
    SUITE (report)                                                          \
    SUITE (notation)                                                        \
    SUITE (profile)                                                         \
    SUITE (script)                                                          \
    SUITE (selection)                                                       \
    SUITE (baseline)                                                        \
    SUITE (schedule)                                                        \
    SUITE (machine)

#define DECLARE(name) Suite *name##_suite (void);
#define ADD(name) srunner_add_suite (runner, name##_suite ());

SUITES (DECLARE)

int
main (void)
{
    SRunner *runner = srunner_create (NULL);
    SUITES (ADD)
    srunner_set_tap (runner, "-");
    srunner_run_all (runner, CK_SILENT);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed? EXIT_FAILURE: EXIT_SUCCESS;
}
