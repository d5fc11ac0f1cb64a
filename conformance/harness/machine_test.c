/*  =========================================================================
    machine_test - how much the machine has to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

//  More threads than that run at no time for long, but for ours
#define COMPUTING 12

Suite *
machine_suite (void);

//  A process that computes until it is killed
static pid_t
s_compute (void)
{
    pid_t pid = fork ();
    if (pid == 0)
        for (;;)
            ;
    ck_assert_int_gt (pid, 0);
    return pid;
}

START_TEST (who_computes_is_seen)
{
    pid_t pids [COMPUTING];
    for (size_t nbr = 0; nbr < COMPUTING; nbr++)
        pids [nbr] = s_compute ();
    machine_load_t load = machine_load ();
    ck_assert_uint_gt (load.total, load.idle);
    size_t most = 0;
    //  Those that were just forked may wait for their first turn somewhere
    for (int look = 0; look < 20; look++) {
        size_t seen = machine_runnable ();
        most = seen > most? seen: most;
        usleep (10000);
    }
    double idle = machine_idle (load);
    for (size_t nbr = 0; nbr < COMPUTING; nbr++) {
        kill (pids [nbr], SIGKILL);
        waitpid (pids [nbr], NULL, 0);
    }
    ck_assert_uint_ge (most, COMPUTING);
    ck_assert_uint_ge (machine_cores (), 1);
    //  On a machine with more cores than these the others may be idle
    if (machine_cores () <= COMPUTING)
        ck_assert_double_lt (idle, 0.5);
    ck_assert_double_ge (idle, 0);
}
END_TEST

Suite *
machine_suite (void)
{
    Suite *suite = suite_create ("machine");
    TCase *tcase = tcase_create ("load");
    tcase_add_test (tcase, who_computes_is_seen);
    suite_add_tcase (suite, tcase);
    return suite;
}
