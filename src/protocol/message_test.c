/*  =========================================================================
    message_test - frames and messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

Suite *
message_suite (void);

static void
s_count_free (void *owner)
{
    ++*(int *) owner;
}

START_TEST (frame_copies_its_bytes)
{
    char bytes [] = "Hello";
    frame_t *frame = frame_new (bytes, 5);
    bytes [0] = 'J';
    ck_assert_uint_eq (frame_size (frame), 5);
    ck_assert (memcmp (frame_data (frame), "Hello", 5) == 0);
    ck_assert (frame_is (frame, "Hello", 5));
    ck_assert (!frame_is (frame, "Hello", 4));
    ck_assert (!frame_is (frame, "Jello", 5));
    frame_destroy (&frame);
    ck_assert_ptr_null (frame);
    frame_destroy (&frame);     //  Nothing there is nothing to do
}
END_TEST

START_TEST (empty_frame_has_data)
{
    frame_t *frame = frame_new (NULL, 0);
    ck_assert_ptr_nonnull (frame_data (frame));
    ck_assert_uint_eq (frame_size (frame), 0);
    ck_assert (frame_is (frame, NULL, 0));
    frame_t *other = frame_new ("", 0);
    ck_assert (frame_equal (frame, other));
    frame_destroy (&other);
    frame_destroy (&frame);

    int freed = 0;
    frame = frame_wrap (NULL, 0, s_count_free, &freed);
    ck_assert_ptr_nonnull (frame_data (frame));
    frame_destroy (&frame);
    ck_assert_int_eq (freed, 1);
}
END_TEST

START_TEST (huge_frame_is_refused)
{
    ck_assert_ptr_null (frame_new ("", SIZE_MAX));
}
END_TEST

START_TEST (wrapped_owner_is_freed_once)
{
    int freed = 0;
    static const char bytes [] = "borrowed";
    frame_t *frame = frame_wrap (bytes, 8, s_count_free, &freed);
    ck_assert_ptr_eq (frame_data (frame), bytes);
    frame_t *other = frame_ref (frame);
    ck_assert_ptr_eq (other, frame);
    ck_assert (frame_equal (frame, other));
    frame_destroy (&frame);
    ck_assert_int_eq (freed, 0);
    ck_assert (frame_is (other, "borrowed", 8));
    frame_destroy (&other);
    ck_assert_int_eq (freed, 1);
}
END_TEST

START_TEST (message_keeps_order_beyond_the_first_few)
{
    enum { COUNT = 1000 };
    message_t *message = message_new ();
    for (int index = 0; index < COUNT; index++)
        ck_assert_int_eq (message_add_bytes (message, &index, sizeof (index)),
                          0);
    ck_assert_uint_eq (message_size (message), COUNT);
    ck_assert_uint_eq (message_bytes (message), COUNT * sizeof (int));
    for (int index = 0; index < COUNT; index++)
        ck_assert (frame_is (message_frame (message, (size_t) index), &index,
                             sizeof (index)));
    ck_assert_ptr_null (message_frame (message, COUNT));
    message_destroy (&message);
    ck_assert_ptr_null (message);
    message_destroy (&message);
}
END_TEST

START_TEST (take_owns_the_frame)
{
    message_t *message = message_new ();
    frame_t *frame = frame_new ("x", 1);
    ck_assert_int_eq (message_take (message, &frame), 0);
    ck_assert_ptr_null (frame);
    ck_assert_int_eq (message_take (message, &frame), -1);
    ck_assert_uint_eq (message_size (message), 1);
    message_destroy (&message);
}
END_TEST

START_TEST (slice_shares_frames)
{
    message_t *message = message_new ();
    ck_assert_int_eq (message_add_string (message, "one"), 0);
    ck_assert_int_eq (message_add_string (message, "two"), 0);
    ck_assert_int_eq (message_add_string (message, "three"), 0);

    message_t *slice = message_slice (message, 1);
    ck_assert_uint_eq (message_size (slice), 2);
    ck_assert_ptr_eq (message_frame (slice, 0), message_frame (message, 1));
    ck_assert_ptr_eq (message_frame (slice, 1), message_frame (message, 2));
    message_t *none = message_slice (message, 3);
    ck_assert_uint_eq (message_size (none), 0);
    message_destroy (&message);
    ck_assert (frame_is (message_frame (slice, 0), "two", 3));
    message_destroy (&none);
    message_destroy (&slice);
}
END_TEST

START_TEST (message_can_be_added_to_itself)
{
    message_t *message = message_new ();
    for (int index = 0; index < 5; index++)
        ck_assert_int_eq (message_add_string (message, "x"), 0);
    ck_assert_int_eq (message_add_from (message, message, 1), 0);
    ck_assert_uint_eq (message_size (message), 9);
    ck_assert_int_eq (message_add (message, message_frame (message, 0)), 0);
    ck_assert_uint_eq (message_size (message), 10);
    message_destroy (&message);
}
END_TEST

//  The small frame and the message are one block; the large one is freed with it
START_TEST (a_part_keeps_its_message)
{
    int freed = 0;
    message_t *message = message_new ();
    ck_assert_int_eq (message_add_string (message, "small"), 0);
    frame_t *large = frame_wrap ("large", 5, s_count_free, &freed);
    ck_assert_int_eq (message_take (message, &large), 0);
    frame_t *part = frame_ref (message_frame (message, 0));
    message_destroy (&message);
    ck_assert_int_eq (freed, 0);
    ck_assert (frame_is (part, "small", 5));
    frame_destroy (&part);
    ck_assert_int_eq (freed, 1);
}
END_TEST

START_TEST (a_message_is_shared)
{
    int freed = 0;
    message_t *message = message_new ();
    frame_t *frame = frame_wrap ("bytes", 5, s_count_free, &freed);
    ck_assert_int_eq (message_take (message, &frame), 0);
    message_t *reader = message_ref (message);
    message_destroy (&message);
    ck_assert_int_eq (freed, 0);
    ck_assert_uint_eq (message_bytes_from (reader, 0), 5);
    ck_assert_uint_eq (message_bytes_from (reader, 1), 0);
    message_destroy (&reader);
    ck_assert_int_eq (freed, 1);
}
END_TEST

START_TEST (a_message_takes_a_reference_to_its_own_part)
{
    int freed = 0;
    message_t *message = message_new ();
    frame_t *large = frame_wrap ("large", 5, s_count_free, &freed);
    ck_assert_int_eq (message_take (message, &large), 0);
    ck_assert_int_eq (message_add_string (message, "part"), 0);
    frame_t *part = frame_ref (message_frame (message, 1));
    ck_assert_int_eq (message_take (message, &part), 0);
    ck_assert_ptr_eq (message_frame (message, 1), message_frame (message, 2));
    message_destroy (&message);
    //  A message that held itself would still be there
    ck_assert_int_eq (freed, 1);
}
END_TEST

Suite *
message_suite (void)
{
    Suite *suite = suite_create ("message");
    TCase *tcase = tcase_create ("message");
    tcase_add_test (tcase, frame_copies_its_bytes);
    tcase_add_test (tcase, empty_frame_has_data);
    tcase_add_test (tcase, huge_frame_is_refused);
    tcase_add_test (tcase, wrapped_owner_is_freed_once);
    tcase_add_test (tcase, message_keeps_order_beyond_the_first_few);
    tcase_add_test (tcase, take_owns_the_frame);
    tcase_add_test (tcase, slice_shares_frames);
    tcase_add_test (tcase, message_can_be_added_to_itself);
    tcase_add_test (tcase, a_part_keeps_its_message);
    tcase_add_test (tcase, a_message_is_shared);
    tcase_add_test (tcase, a_message_takes_a_reference_to_its_own_part);
    suite_add_tcase (suite, tcase);
    return suite;
}
