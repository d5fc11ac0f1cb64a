/*  =========================================================================
    update_test - what an engine wants done

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>

#include "engine.h"

Suite *
update_suite (void);

START_TEST (effects_keep_their_order)
{
    update_t *update = update_new ();
    ck_assert_int_eq (update_deadline (update), INT64_MAX);
    frame_t *subject = frame_new ("echo", 4);
    message_t *message = message_new ();
    ck_assert_int_eq (message_add_string (message, "hello"), 0);
    store_query_t query = { .type = STORE_PUT, .ticket = 7 };
    query.service = frame_ref (subject);

    update_open (update, 3);
    update_send (update, 3, &message);
    update_write (update, &query);
    ck_assert_ptr_null (message);
    ck_assert_ptr_null (query.service);
    query = (store_query_t) { .type = STORE_FETCH, .ticket = 8 };
    update_read (update, &query);
    update_notice (update, NOTICE_INFO, "told", subject);
    update_notice (update, NOTICE_TRACE, "told", NULL);
    update_close (update, 3);
    frame_destroy (&subject);
    update_set_deadline (update, 1234);

    ck_assert (!update_failed (update));
    ck_assert_uint_eq (update_size (update), 7);
    static const effect_type_t types [] = {
        EFFECT_OPEN, EFFECT_SEND, EFFECT_WRITE, EFFECT_READ, EFFECT_NOTICE,
        EFFECT_NOTICE, EFFECT_CLOSE
    };
    for (size_t index = 0; index < 7; index++)
        ck_assert_int_eq (update_effect (update, index)->type,
                          types [index]);
    ck_assert_uint_eq (update_effect (update, 1)->channel, 3);
    ck_assert_uint_eq (update_effect (update, 2)->query.ticket, 7);
    ck_assert_uint_eq (update_effect (update, 3)->query.ticket, 8);
    ck_assert (frame_is (update_effect (update, 4)->subject, "echo", 4));
    ck_assert_ptr_null (update_effect (update, 5)->subject);
    ck_assert_int_eq (update_deadline (update), 1234);

    update_remove (update, 1);
    ck_assert_uint_eq (update_size (update), 6);
    ck_assert_int_eq (update_effect (update, 1)->type, EFFECT_WRITE);
    update_remove (update, 5);
    ck_assert_uint_eq (update_size (update), 5);
    update_clear (update);
    ck_assert_uint_eq (update_size (update), 0);
    update_destroy (&update);
    ck_assert_ptr_null (update);
}
END_TEST

START_TEST (there_is_room_for_many)
{
    update_t *update = update_new ();
    for (int round = 0; round < 2; round++) {
        for (channel_t channel = 0; channel < 1000; channel++)
            update_open (update, channel);
        ck_assert_uint_eq (update_size (update), 1000);
        for (channel_t channel = 0; channel < 1000; channel++)
            ck_assert_uint_eq (update_effect (update, channel)->channel,
                               channel);
        update_clear (update);
    }
    update_destroy (&update);
}
END_TEST

START_TEST (a_message_that_was_not_made_is_remembered)
{
    update_t *update = update_new ();
    message_t *message = NULL;
    update_send (update, 0, &message);
    ck_assert (update_failed (update));
    ck_assert_uint_eq (update_size (update), 0);
    update_clear (update);
    ck_assert (!update_failed (update));
    update_destroy (&update);
}
END_TEST

Suite *
update_suite (void)
{
    Suite *suite = suite_create ("update");
    TCase *tcase = tcase_create ("update");
    tcase_add_test (tcase, effects_keep_their_order);
    tcase_add_test (tcase, there_is_room_for_many);
    tcase_add_test (tcase, a_message_that_was_not_made_is_remembered);
    suite_add_tcase (suite, tcase);
    return suite;
}
