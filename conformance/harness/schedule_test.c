/*  =========================================================================
    schedule_test - how long scenarios take, and how many may run at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>

#include "schedule.h"

Suite *
schedule_suite (void);

static int64_t
s_estimate (step_t *steps, size_t count, double scale)
{
    profile_t profile = { .heartbeat_ms = 1000, .expiry_ms = 7000 };
    scenario_t scenario = { .block = { steps, count } };
    return schedule_estimate_ms (&scenario, &profile, scale);
}

START_TEST (times_in_steps_add_up)
{
    step_t nothing [] = { { .type = STEP_SEND } };
    int64_t base = s_estimate (nothing, 1, 1);
    step_t quiet [] = { { .type = STEP_SILENT, .hb = 3 },
                        { .type = STEP_IDLE, .hb = 1, .expiry = true } };
    ck_assert_int_eq (s_estimate (quiet, 2, 1) - base, 10000);
    ck_assert_int_eq (s_estimate (quiet, 2, 0.5) - base, 5000);
    step_t repeat [] = { { .type = STEP_REPEAT, .times = 4,
                           .block = { quiet, 1 } } };
    ck_assert_int_eq (s_estimate (repeat, 1, 1) - base, 12000);
    step_t restart [] = { { .type = STEP_PROCESS, .action = ACTION_KILLED },
                          { .type = STEP_PROCESS, .action = ACTION_STARTED } };
    ck_assert_int_gt (s_estimate (restart, 2, 1), base + 600);
}
END_TEST

START_TEST (what_must_not_come_takes_all_its_time)
{
    choice_t silence = { .silence = true };
    choice_t message = { .silence = false };
    step_t in_vain [] = { { .type = STEP_EXPECT, .hb = 10, .choices = &silence,
                            .choice_count = 1 } };
    step_t answered [] = { { .type = STEP_EXPECT, .hb = 10, .choices = &message,
                             .choice_count = 1 } };
    ck_assert_int_gt (s_estimate (in_vain, 1, 1), 10000);
    ck_assert_int_lt (s_estimate (answered, 1, 1),
                      s_estimate (in_vain, 1, 1) / 2);
}
END_TEST

START_TEST (long_heartbeats_leave_room_for_more)
{
    ck_assert_uint_eq (schedule_jobs (100, 1, 2), 36);
    ck_assert_uint_eq (schedule_jobs (2500, 1, 2), SCHEDULE_JOBS_MAX);
    ck_assert_uint_eq (schedule_jobs (50, 3, 2), 54);
    ck_assert_uint_eq (schedule_jobs (1, 1, 2), 2);
    //  When the system does not know how many cores there are
    ck_assert_uint_ge (schedule_jobs (1, 1, -1), 1);
}
END_TEST

Suite *
schedule_suite (void)
{
    Suite *suite = suite_create ("schedule");
    TCase *tcase = tcase_create ("schedule");
    tcase_add_test (tcase, times_in_steps_add_up);
    tcase_add_test (tcase, what_must_not_come_takes_all_its_time);
    tcase_add_test (tcase, long_heartbeats_leave_room_for_more);
    suite_add_tcase (suite, tcase);
    return suite;
}
