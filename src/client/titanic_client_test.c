/*  =========================================================================
    titanic_client_test - requests that Titanic keeps

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "stand_in.h"
#include "titanic_client.h"

#define SCRIPT(...) ((const char *const []) { __VA_ARGS__, NULL })
#define ID "0190A5b17c2e7f3a9d4e5b6c7d8e9f01"

//  Short enough for a reply that does not come
#define SHORT_MS 100

Suite *titanic_client_suite (void);

static titanic_client_t *
s_client (const stand_in_t *broker)
{
    titanic_client_t *client = titanic_client_new (stand_in_endpoint (broker));
    ck_assert_ptr_nonnull (client);
    titanic_client_set_timeout (client, 10000);
    titanic_client_set_retries (client, 1);
    titanic_client_set_pause (client, 1, 4);
    return client;
}

static void
s_assert_heard (stand_in_t *broker, const char *expected)
{
    char *text = stand_in_heard (broker);
    ck_assert_ptr_nonnull (text);
    ck_assert_str_eq (text, expected);
    zstr_free (&text);
}

static void
s_assert_body (zmsg_t **body_p, const char *expected)
{
    ck_assert_ptr_nonnull (*body_p);
    char *text = stand_in_text (*body_p);
    ck_assert_str_eq (text, expected);
    zstr_free (&text);
    zmsg_destroy (body_p);
}

//  The id of a request for coffee; NULL and the result
static char *
s_store (titanic_client_t *client, titanic_client_result_t result)
{
    zmsg_t *body = stand_in_message ("black|hot");
    char *id = titanic_client_store (client, "coffee", &body);
    ck_assert_ptr_null (body);
    ck_assert_int_eq (titanic_client_result (client), result);
    return id;
}

START_TEST (each_result_has_a_text)
{
    for (int result = 0; result < TITANIC_CLIENT_RESULT_COUNT; result++)
        ck_assert_ptr_nonnull (
            titanic_client_result_text ((titanic_client_result_t) result));
}
END_TEST

START_TEST (store_fetch_close)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT ("200|" ID, "300 later", "200 OK|x|y", "200"), NULL);
    titanic_client_t *client = s_client (broker);
    titanic_client_set_verbose (client, true);
    char *id = s_store (client, TITANIC_CLIENT_OK);
    ck_assert_str_eq (id, ID);
    ck_assert_ptr_null (titanic_client_fetch (client, id));
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_PENDING);
    zmsg_t *reply = titanic_client_fetch (client, id);
    s_assert_body (&reply, "x|y");
    ck_assert_int_eq (titanic_client_close (client, id), 0);
    s_assert_heard (broker, "titanic.request|coffee|black|hot");
    s_assert_heard (broker, "titanic.reply|" ID);
    s_assert_heard (broker, "titanic.reply|" ID);
    s_assert_heard (broker, "titanic.close|" ID);
    zstr_free (&id);
    titanic_client_destroy (&client);
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (trouble_is_tried_again)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT ("500", "200|" ID, "300", "500", "300", "300", "300", "200|x",
                "500", "200", "500", "500"), NULL);
    titanic_client_t *client = s_client (broker);
    ck_assert_int_eq (titanic_client_set_version (client, "0.2"), 0);
    char *id;
    zmsg_t *body = stand_in_message ("a");
    zmsg_t *reply = titanic_client_call (client, "coffee", &body, -1, &id);
    s_assert_body (&reply, "x");
    ck_assert_ptr_null (id);
    //  Not for ever
    ck_assert_int_eq (titanic_client_close (client, ID), -1);
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_ERROR);
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_is_unknown_is_not_tried_again)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT ("400", "200|" ID, "400", "400"), NULL);
    titanic_client_t *client = s_client (broker);
    ck_assert_ptr_null (s_store (client, TITANIC_CLIENT_UNKNOWN));
    char *id;
    zmsg_t *body = stand_in_message ("a");
    ck_assert_ptr_null (titanic_client_call (client, "coffee", &body, -1, &id));
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_UNKNOWN);
    ck_assert_ptr_null (id);
    ck_assert_int_eq (titanic_client_close (client, "no id"), -1);
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_UNKNOWN);
    s_assert_heard (broker, "titanic.request|coffee|black|hot");
    s_assert_heard (broker, "titanic.request|coffee|a");
    s_assert_heard (broker, "titanic.reply|" ID);
    s_assert_heard (broker, "titanic.close|no id");
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_is_left_behind_is_told)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT ("200|" ID, "300", "200|" ID, "200|x", "400"), NULL);
    titanic_client_t *client = s_client (broker);
    char *id;
    zmsg_t *body = stand_in_message ("a");
    ck_assert_ptr_null (titanic_client_call (client, "coffee", &body, 0, &id));
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_PENDING);
    ck_assert_str_eq (id, ID);
    zstr_free (&id);
    //  There is a reply, but it was not closed
    body = stand_in_message ("a");
    zmsg_t *reply = titanic_client_call (client, "coffee", &body, 0, &id);
    s_assert_body (&reply, "x");
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_UNKNOWN);
    ck_assert_str_eq (id, ID);
    zstr_free (&id);
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (answers_that_are_none_are_told)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT ("", "200", "200|short", "200|" "x190A5b17c2e7f3a9d4e5b6c7d8e9f01",
                "2000", "100", "-", "-"), NULL);
    titanic_client_t *client = s_client (broker);
    for (int times = 0; times < 6; times++)
        ck_assert_ptr_null (s_store (client, TITANIC_CLIENT_MALFORMED));
    titanic_client_set_timeout (client, SHORT_MS);
    ck_assert_ptr_null (s_store (client, TITANIC_CLIENT_NO_REPLY));
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_cannot_be_asked_is_told)
{
    titanic_client_t *client = titanic_client_new ("nonsense");
    ck_assert_ptr_null (s_store (client, TITANIC_CLIENT_NO_CONNECTION));
    zmsg_t *body = stand_in_message ("a");
    ck_assert_ptr_null (titanic_client_store (client, "", &body));
    ck_assert_ptr_null (body);
    ck_assert_int_eq (titanic_client_result (client),
                      TITANIC_CLIENT_BAD_SERVICE);
    body = zmsg_new ();
    ck_assert_ptr_null (titanic_client_store (client, "coffee", &body));
    ck_assert_int_eq (titanic_client_result (client), TITANIC_CLIENT_BAD_BODY);
    ck_assert_int_eq (titanic_client_set_version (client, "1"), -1);
    zcert_t *own = zcert_new ();
    ck_assert_int_eq (titanic_client_set_curve (client, own, "short"), -1);
    zcert_destroy (&own);
    titanic_client_destroy (&client);
}
END_TEST

START_TEST (a_signal_ends_waiting)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("200|" ID), NULL);
    titanic_client_t *client = s_client (broker);
    char *id = s_store (client, TITANIC_CLIENT_OK);
    zsys_interrupted = 1;
    ck_assert_ptr_null (titanic_client_wait (client, id, -1));
    ck_assert_int_eq (titanic_client_result (client),
                      TITANIC_CLIENT_INTERRUPTED);
    zsys_interrupted = 0;
    zstr_free (&id);
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (keys_are_used)
{
    zcert_t *server = zcert_new (), *own = zcert_new ();
    zactor_t *guard = zactor_new (zauth, NULL);
    zstr_sendx (guard, "CURVE", CURVE_ALLOW_ANY, NULL);
    zsock_wait (guard);
    stand_in_t *broker = stand_in_new (SCRIPT ("200|" ID), server);
    titanic_client_t *client = s_client (broker);
    ck_assert_int_eq (titanic_client_set_curve (client, own,
                                                zcert_public_txt (server)), 0);
    char *id = s_store (client, TITANIC_CLIENT_OK);
    ck_assert_str_eq (id, ID);
    zstr_free (&id);
    titanic_client_destroy (&client);
    stand_in_destroy (&broker);
    zactor_destroy (&guard);
    zcert_destroy (&server);
    zcert_destroy (&own);
}
END_TEST

Suite *
titanic_client_suite (void)
{
    Suite *suite = suite_create ("titanic_client");
    TCase *tcase = tcase_create ("titanic_client");
    tcase_set_timeout (tcase, 30);
    tcase_add_test (tcase, each_result_has_a_text);
    tcase_add_test (tcase, store_fetch_close);
    tcase_add_test (tcase, trouble_is_tried_again);
    tcase_add_test (tcase, what_is_unknown_is_not_tried_again);
    tcase_add_test (tcase, what_is_left_behind_is_told);
    tcase_add_test (tcase, answers_that_are_none_are_told);
    tcase_add_test (tcase, what_cannot_be_asked_is_told);
    tcase_add_test (tcase, a_signal_ends_waiting);
    if (zsys_has_curve ())
        tcase_add_test (tcase, keys_are_used);
    suite_add_tcase (suite, tcase);
    return suite;
}
