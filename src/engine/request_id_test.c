/*  =========================================================================
    request_id_test - ids grow, whatever the clock does

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <string.h>

#include "request_id.h"

Suite *request_id_suite (void);

#define NOW_MS 1700000000000

//  Every random bit set, which leaves the least room to count up in
static const uint64_t s_random [2] = { UINT64_MAX, UINT64_MAX };

static request_id_t
s_later (request_id_clock_t *clock, const request_id_t *last, int64_t wall_ms)
{
    request_id_t id = request_id_new (clock, wall_ms, s_random);
    ck_assert_int_gt (memcmp (id.bytes, last->bytes, sizeof id.bytes), 0);
    //  RFC 9562: version 7, variant 10
    ck_assert_uint_eq (id.bytes [6] >> 4, 7);
    ck_assert_uint_eq (id.bytes [8] >> 6, 2);
    return id;
}

static int64_t
s_time (const request_id_t *id)
{
    int64_t ms = 0;
    for (int nbr = 0; nbr < 6; nbr++)
        ms = ms << 8 | id->bytes [nbr];
    return ms;
}

START_TEST (the_time_stands_in_front)
{
    request_id_clock_t clock = { 0, 0 };
    request_id_t id = request_id_new (&clock, NOW_MS, s_random);
    ck_assert_int_eq (s_time (&id), NOW_MS);
    id = s_later (&clock, &id, NOW_MS + 1);
    ck_assert_int_eq (s_time (&id), NOW_MS + 1);
}
END_TEST

START_TEST (a_clock_that_stands_still_or_goes_back_does_no_harm)
{
    request_id_clock_t clock = { 0, 0 };
    request_id_t id = request_id_new (&clock, NOW_MS, s_random);
    id = s_later (&clock, &id, NOW_MS);
    id = s_later (&clock, &id, NOW_MS - 3600000);
    ck_assert_int_eq (s_time (&id), NOW_MS);
}
END_TEST

START_TEST (more_than_one_millisecond_holds_borrow_from_the_next)
{
    request_id_clock_t clock = { 0, 0 };
    request_id_t id = request_id_new (&clock, NOW_MS, s_random);
    for (int nbr = 0; nbr < 10000; nbr++)
        id = s_later (&clock, &id, NOW_MS);
    ck_assert_int_gt (s_time (&id), NOW_MS);
    ck_assert_int_lt (s_time (&id), NOW_MS + 5);
    //  The clock catches up, and ids still grow
    for (int64_t ms = 1; ms < 10; ms++)
        id = s_later (&clock, &id, NOW_MS + ms);
    ck_assert_int_eq (s_time (&id), NOW_MS + 9);
}
END_TEST

Suite *
request_id_suite (void)
{
    Suite *suite = suite_create ("request_id");
    TCase *tcase = tcase_create ("request_id");
    tcase_add_test (tcase, the_time_stands_in_front);
    tcase_add_test (tcase, a_clock_that_stands_still_or_goes_back_does_no_harm);
    tcase_add_test (tcase, more_than_one_millisecond_holds_borrow_from_the_next);
    suite_add_tcase (suite, tcase);
    return suite;
}
