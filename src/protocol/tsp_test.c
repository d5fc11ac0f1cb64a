/*  =========================================================================
    tsp_test - statuses and ids of 9/TSP

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tsp.h"

Suite *
tsp_suite (void);

#define DIGITS "0123456789abcdef0123456789ABCDEF"

START_TEST (a_status_goes_both_ways)
{
    static const tsp_status_t statuses [] = { TSP_OK, TSP_PENDING,
                                              TSP_UNKNOWN, TSP_ERROR };
    message_t *body = tsp_status_new (statuses [_i]);
    ck_assert_uint_eq (message_size (body), 1);
    const frame_t *frame = message_frame (body, 0);
    char text [8];
    int size = snprintf (text, sizeof text, "%d", (int) statuses [_i]);
    ck_assert (frame_is (frame, text, (size_t) size));
    ck_assert_int_eq (tsp_status_read (frame), statuses [_i]);
    message_destroy (&body);
}
END_TEST

//  Three digits, then nothing or a space and a text
static const struct {
    const char *text;
    int status;
} s_statuses [] = {
    { "200 OK", 200 }, { "200 ", 200 }, { "400 \xff\xfe", 400 },
    { "", 0 }, { "2", 0 }, { "20", 0 }, { "2000", 0 }, { "200OK", 0 },
    { " 200", 0 }, { "abc", 0 }, { "20x", 0 }, { "-20", 0 },
    { "404", 0 }, { "501 not one of this protocol", 0 }, { "000", 0 }
};

START_TEST (a_status_is_read_strictly)
{
    frame_t *frame = frame_new (s_statuses [_i].text,
                                strlen (s_statuses [_i].text));
    ck_assert_int_eq (tsp_status_read (frame), s_statuses [_i].status);
    frame_destroy (&frame);
}
END_TEST

START_TEST (an_id_goes_both_ways)
{
    frame_t *frame = frame_new (DIGITS, TSP_ID_DIGITS);
    request_id_t id;
    ck_assert_int_eq (tsp_id_read (frame, &id), 0);
    static const unsigned char bytes [16] = {
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
    ck_assert_mem_eq (id.bytes, bytes, sizeof bytes);
    char text [TSP_ID_DIGITS + 1];
    tsp_id_print (&id, text);
    ck_assert_str_eq (text, "0123456789abcdef0123456789abcdef");
    frame_destroy (&frame);
}
END_TEST

//  Whatever a client sends as an id
static const struct {
    const char *bytes;
    size_t size;
} s_no_ids [] = {
    { "", 0 },
    { "0123456789abcdef0123456789abcde", 31 },
    { "0123456789abcdef0123456789abcdef0", 33 },
    { "0123456789abcdef0123456789abcdeg", 32 },
    { "0123456789abcdef0123456789abcdeZ", 32 },
    { "0123456789abcdef\0" "123456789abcdef", 32 },
    { "0123456789abcdef0123456789abcdef\0", 33 },
    { " 123456789abcdef0123456789abcdef", 32 },
    { "01234567-89ab-cdef-0123-456789ab", 32 },
    { "01234567-89ab-cdef-0123-456789abcdef", 36 },
    { "0x0123456789abcdef0123456789abcd", 32 },
    { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 32 },
    { "../name", 7 },
    { "../../../../../../../etc/passwd.", 32 }
};

START_TEST (what_is_no_id_is_refused)
{
    frame_t *frame = frame_new (s_no_ids [_i].bytes, s_no_ids [_i].size);
    request_id_t id;
    ck_assert_int_eq (tsp_id_read (frame, &id), -1);
    frame_destroy (&frame);
}
END_TEST

#define COUNT(table) ((int) (sizeof table / sizeof *table))

Suite *
tsp_suite (void)
{
    Suite *suite = suite_create ("tsp");
    TCase *tcase = tcase_create ("tsp");
    tcase_add_loop_test (tcase, a_status_goes_both_ways, 0, 4);
    tcase_add_loop_test (tcase, a_status_is_read_strictly, 0,
                         COUNT (s_statuses));
    tcase_add_test (tcase, an_id_goes_both_ways);
    tcase_add_loop_test (tcase, what_is_no_id_is_refused, 0,
                         COUNT (s_no_ids));
    suite_add_tcase (suite, tcase);
    return suite;
}
