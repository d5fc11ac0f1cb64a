/*  =========================================================================
    mask_test - addresses that do not tell what libzmq counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mask.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES 10000

Suite *
mask_suite (void);

static mask_t *s_mask;

static void
s_set_up (void)
{
    s_mask = mask_new ();
    ck_assert_ptr_nonnull (s_mask);
}

static void
s_tear_down (void)
{
    mask_destroy (&s_mask);
}

static int
s_compare (const void *one, const void *other)
{
    return memcmp (one, other, 5);
}

//  Those that follow each other do not when they are masked, none is there twice,
//  and each comes back.
START_TEST (numbers_are_hidden_and_come_back)
{
    static unsigned char masked [ADDRESSES][5];
    size_t neighbours = 0;
    for (uint32_t nbr = 0; nbr < ADDRESSES; nbr++) {
        unsigned char address [5] = { 0, 0x6b, 0x8b, (unsigned char) (nbr >> 8),
                                      (unsigned char) nbr };
        memcpy (masked [nbr], address, 5);
        mask_put_on (s_mask, masked [nbr], 5);
        ck_assert_uint_eq (masked [nbr][0], 0);
        neighbours += nbr > 0
                   && memcmp (masked [nbr], masked [nbr - 1], 4) == 0;
        unsigned char again [5];
        memcpy (again, masked [nbr], 5);
        mask_take_off (s_mask, again, 5);
        ck_assert_mem_eq (again, address, 5);
    }
    ck_assert_uint_lt (neighbours, 10);
    qsort (masked, ADDRESSES, 5, s_compare);
    for (size_t nbr = 1; nbr < ADDRESSES; nbr++)
        ck_assert_int_ne (memcmp (masked [nbr], masked [nbr - 1], 5), 0);
}
END_TEST

START_TEST (what_a_peer_has_chosen_stays)
{
    static const char *const chosen [] = { "abcde", "\1bcde", "\0bcd", "\0bcdef" };
    static const size_t sizes [] = { 5, 5, 4, 6 };
    for (size_t nbr = 0; nbr < 4; nbr++) {
        char address [8];
        memcpy (address, chosen [nbr], sizes [nbr]);
        mask_put_on (s_mask, address, sizes [nbr]);
        ck_assert_mem_eq (address, chosen [nbr], sizes [nbr]);
        mask_take_off (s_mask, address, sizes [nbr]);
        ck_assert_mem_eq (address, chosen [nbr], sizes [nbr]);
    }
    mask_put_on (s_mask, NULL, 0);
}
END_TEST

Suite *
mask_suite (void)
{
    Suite *suite = suite_create ("mask");
    TCase *tcase = tcase_create ("mask");
    tcase_add_checked_fixture (tcase, s_set_up, s_tear_down);
    tcase_add_test (tcase, numbers_are_hidden_and_come_back);
    tcase_add_test (tcase, what_a_peer_has_chosen_stays);
    suite_add_tcase (suite, tcase);
    return suite;
}
