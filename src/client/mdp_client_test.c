/*  =========================================================================
    mdp_client_test - requests, one after the other and many at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "exchange.h"
#include "mdp_client.h"
#include "stand_in.h"

#define NO_SCRIPT ((const char *const []) { NULL })
#define SCRIPT(...) ((const char *const []) { __VA_ARGS__, NULL })

//  Long enough for a reply that comes, short enough for one that does not; and
//  attempts that are enough on a busy machine
#define SHORT_MS 100
#define LONG_MS 10000
#define MANY 50

Suite *mdp_client_suite (void);

//  A client that asks so long for a reply, and so often again
static mdp_client_t *
s_client (const stand_in_t *broker, int64_t timeout_ms, int64_t retries)
{
    mdp_client_t *client = mdp_client_new (stand_in_endpoint (broker));
    ck_assert_ptr_nonnull (client);
    mdp_client_set_timeout (client, timeout_ms);
    mdp_client_set_retries (client, retries);
    return client;
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

//  The reply to a call; NULL expected: there is none
static void
s_assert_call (mdp_client_t *client, const char *service, const char *request,
               mdp_client_result_t result, const char *expected)
{
    zmsg_t *body = stand_in_message (request);
    zmsg_t *reply = mdp_client_call (client, service, &body);
    ck_assert_ptr_null (body);
    ck_assert_int_eq (mdp_client_result (client), result);
    if (expected)
        s_assert_body (&reply, expected);
    else
        ck_assert_ptr_null (reply);
}

static void
s_assert_heard (stand_in_t *broker, const char *expected)
{
    char *text = stand_in_heard (broker);
    ck_assert_ptr_nonnull (text);
    ck_assert_str_eq (text, expected);
    zstr_free (&text);
}

static uint64_t
s_send (mdp_client_t *client, const char *service, const char *request)
{
    zmsg_t *body = stand_in_message (request);
    uint64_t number = mdp_client_send (client, service, &body);
    ck_assert_ptr_null (body);
    return number;
}

//  What comes next
static void
s_assert_next (mdp_client_t *client, mdp_client_result_t result,
               uint64_t number, const char *expected)
{
    uint64_t got;
    zmsg_t *reply = mdp_client_recv (client, &got);
    ck_assert_int_eq (mdp_client_result (client), result);
    ck_assert_uint_eq (got, number);
    if (expected)
        s_assert_body (&reply, expected);
    else
        ck_assert_ptr_null (reply);
}

START_TEST (each_result_has_a_text)
{
    for (int result = 0; result < MDP_CLIENT_RESULT_COUNT; result++)
        ck_assert_ptr_nonnull (
            mdp_client_result_text ((mdp_client_result_t) result));
}
END_TEST

START_TEST (a_call_brings_the_reply)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("one", "two||three"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    s_assert_call (client, "coffee", "a||b", MDP_CLIENT_OK, "one");
    s_assert_call (client, "coffee", "c", MDP_CLIENT_OK, "two||three");
    s_assert_heard (broker, "coffee|a||b");
    s_assert_heard (broker, "coffee|c");
    mdp_client_destroy (&client);
    ck_assert_ptr_null (client);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (a_call_in_0_2_brings_all_parts)
{
    stand_in_t *broker = stand_in_new (SCRIPT (">a|b", ">c", "d"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    ck_assert_int_eq (mdp_client_set_version (client, "0.2"), 0);
    //  It is a whole reply for a call, whatever this says
    mdp_client_set_partials (client, true);
    s_assert_call (client, "coffee", "x", MDP_CLIENT_OK, "a|b|c|d");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (a_call_is_made_again)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("-"), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, MANY);
    mdp_client_set_verbose (client, true);
    s_assert_call (client, "coffee", "a", MDP_CLIENT_OK, "a");
    s_assert_heard (broker, "coffee|a");
    s_assert_heard (broker, "coffee|a");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (a_call_is_given_up)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("."), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, 1);
    s_assert_call (client, "coffee", "a", MDP_CLIENT_NO_REPLY, NULL);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

//  ZeroMQ does not connect again after a broker has refused the keys
START_TEST (what_has_no_connection_has_no_reply)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("one"), NULL);
    exchange_settings_t settings = { .endpoint = stand_in_endpoint (broker),
        .version = MDP_0_1 };
    for (settings.retries = 0; settings.retries < 2; settings.retries++) {
        settings.timeout_ms = settings.retries? 20 * SHORT_MS: SHORT_MS;
        message_t *body = message_new ();
        ck_assert_int_eq (message_add_bytes (body, "a", 1), 0);
        exchange_t *exchange = exchange_new (&settings, 1, "coffee", body);
        exchange_start (exchange, zsock_new (ZMQ_DEALER), NULL);
        while (exchange_step (exchange) == MDP_CLIENT_PENDING)
            zclock_sleep (1);
        ck_assert_int_eq (exchange_step (exchange), settings.retries
                          ? MDP_CLIENT_OK: MDP_CLIENT_NO_REPLY);
        exchange_destroy (&exchange);
        message_destroy (&body);
    }
    stand_in_destroy (&broker);
}
END_TEST

//  The reply to the first attempt comes when the client waits for another
START_TEST (a_late_reply_is_nobody_s)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("~", "second"), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, 0);
    uint64_t first = s_send (client, "coffee", "first");
    s_assert_heard (broker, "coffee|first");
    s_assert_next (client, MDP_CLIENT_NO_REPLY, first, NULL);
    mdp_client_set_timeout (client, LONG_MS);
    s_assert_call (client, "coffee", "x", MDP_CLIENT_OK, "second");
    s_assert_call (client, "coffee", "third", MDP_CLIENT_OK, "third");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_is_no_reply_is_dropped)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("!", "good", "!", "better"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    s_assert_call (client, "coffee", "x", MDP_CLIENT_OK, "good");
    mdp_client_set_version (client, "0.2");
    s_assert_call (client, "coffee", "x", MDP_CLIENT_OK, "better");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_cannot_be_sent_is_told)
{
    mdp_client_t *client = mdp_client_new ("nonsense");
    ck_assert_ptr_nonnull (client);
    s_assert_call (client, "coffee", "x", MDP_CLIENT_NO_CONNECTION, NULL);
    ck_assert_int_eq (errno, EINVAL);
    s_assert_call (client, "", "x", MDP_CLIENT_BAD_SERVICE, NULL);
    s_assert_call (client, "cof\nfee", "x", MDP_CLIENT_BAD_SERVICE, NULL);
    zmsg_t *body = zmsg_new ();
    ck_assert_ptr_null (mdp_client_call (client, "coffee", &body));
    ck_assert_ptr_null (body);
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_BAD_BODY);
    ck_assert_uint_eq (s_send (client, "coffee", "x"), 0);
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_NO_CONNECTION);
    ck_assert_uint_eq (s_send (client, "", "x"), 0);
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_BAD_SERVICE);
    ck_assert_uint_eq (mdp_client_in_flight (client), 0);
    ck_assert_int_eq (mdp_client_set_version (client, "0.3"), -1);
    ck_assert_int_eq (errno, EINVAL);
    mdp_client_destroy (&client);
}
END_TEST

START_TEST (replies_find_their_requests)
{
    //  The first is answered after the second
    stand_in_t *broker = stand_in_new (SCRIPT ("~"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    uint64_t first = s_send (client, "coffee", "a");
    s_assert_heard (broker, "coffee|a");
    uint64_t second = s_send (client, "coffee", "b");
    ck_assert_uint_eq (mdp_client_in_flight (client), 2);
    s_assert_next (client, MDP_CLIENT_OK, second, "b");
    s_assert_next (client, MDP_CLIENT_OK, first, "a");
    s_assert_next (client, MDP_CLIENT_IDLE, 0, NULL);
    //  Once more, over the same sockets, with a call in between
    first = s_send (client, "coffee", "c");
    s_assert_call (client, "coffee", "d", MDP_CLIENT_OK, "d");
    second = s_send (client, "tea", "e");
    ck_assert_uint_gt (second, first);
    uint64_t number;
    zmsg_t *reply = mdp_client_recv (client, &number);
    ck_assert (number == first || number == second);
    s_assert_body (&reply, number == first? "c": "e");
    s_assert_next (client, MDP_CLIENT_OK, first + second - number,
                   number == first? "e": "c");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (many_are_in_flight)
{
    stand_in_t *broker = stand_in_new (NO_SCRIPT, NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    mdp_client_set_max_in_flight (client, 40);
    char *sent [41];
    for (int nbr = 1; nbr <= 40; nbr++) {
        sent [nbr] = zsys_sprintf ("body %d", nbr);
        ck_assert_uint_eq (s_send (client, "echo", sent [nbr]), (uint64_t) nbr);
    }
    ck_assert_uint_eq (s_send (client, "echo", "x"), 0);
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_FULL);
    for (int nbr = 1; nbr <= 40; nbr++) {
        uint64_t number;
        zmsg_t *reply = mdp_client_recv (client, &number);
        ck_assert_uint_ge (number, 1);
        ck_assert_uint_le (number, 40);
        s_assert_body (&reply, sent [number]);
        zstr_free (&sent [number]);
    }
    ck_assert_uint_eq (mdp_client_in_flight (client), 0);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_is_in_flight_is_sent_again)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("-"), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, MANY);
    uint64_t number = s_send (client, "coffee", "a");
    s_assert_next (client, MDP_CLIENT_OK, number, "a");
    s_assert_heard (broker, "coffee|a");
    s_assert_heard (broker, "coffee|a");
    //  And what is never asked for does not stay
    s_send (client, "coffee", "b");
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (what_is_in_flight_is_given_up)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("."), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, 1);
    uint64_t first = s_send (client, "coffee", "a");
    uint64_t second = s_send (client, "coffee", "b");
    s_assert_next (client, MDP_CLIENT_NO_REPLY, first, NULL);
    s_assert_next (client, MDP_CLIENT_NO_REPLY, second, NULL);
    s_assert_next (client, MDP_CLIENT_IDLE, 0, NULL);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (parts_come_one_by_one)
{
    stand_in_t *broker = stand_in_new (
        SCRIPT (">a|b", ">c", "d", ">e", "-"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 3);
    mdp_client_set_version (client, "0.2");
    mdp_client_set_partials (client, true);
    uint64_t number = s_send (client, "coffee", "x");
    s_assert_next (client, MDP_CLIENT_MORE, number, "a|b");
    s_assert_next (client, MDP_CLIENT_MORE, number, "c");
    s_assert_next (client, MDP_CLIENT_OK, number, "d");
    //  Who has seen a part sees no retry
    mdp_client_set_timeout (client, 10 * SHORT_MS);
    number = s_send (client, "coffee", "y");
    s_assert_heard (broker, "coffee|x");
    s_assert_heard (broker, "coffee|y");
    s_assert_next (client, MDP_CLIENT_MORE, number, "e");
    s_assert_next (client, MDP_CLIENT_NO_REPLY, number, NULL);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (too_much_is_not_taken)
{
    const char *script [6];
    char *part = malloc (16000 * 2 + 2);
    memset (part, '|', 16000 * 2);
    *part = '>';
    part [16000 * 2] = 0;
    for (int nbr = 0; nbr < 4; nbr++)
        script [nbr] = part;
    script [4] = "end";
    script [5] = NULL;
    stand_in_t *broker = stand_in_new (script, NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    mdp_client_set_version (client, "0.2");
    s_assert_call (client, "coffee", "x", MDP_CLIENT_TOO_LARGE, NULL);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
    free (part);
}
END_TEST

//  With poll, and with what czmq has
START_TEST (a_descriptor_tells_of_replies)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("-"), NULL);
    mdp_client_t *client = s_client (broker, SHORT_MS, MANY);
    int fd = mdp_client_fd (client);
    struct pollfd item = { .fd = fd, .events = POLLIN };
    ck_assert_int_eq (poll (&item, 1, 0), 0);
    ck_assert_ptr_null (mdp_client_recv_nowait (client, NULL));
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_IDLE);
    s_send (client, "coffee", "x");
    zmsg_t *reply;
    while (!(reply = mdp_client_recv_nowait (client, NULL))) {
        ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_PENDING);
        ck_assert_int_eq (poll (&item, 1, LONG_MS), 1);
    }
    s_assert_body (&reply, "x");
    mdp_client_set_timeout (client, LONG_MS);
    s_send (client, "coffee", "y");
    zpoller_t *poller = zpoller_new (&fd, NULL);
    while (!(reply = mdp_client_recv_nowait (client, NULL)))
        ck_assert_ptr_eq (zpoller_wait (poller, LONG_MS), &fd);
    s_assert_body (&reply, "y");
    //  Who has been told that nothing is in flight is not woken: not even for the
    //  first request, which would be due now
    ck_assert_ptr_null (mdp_client_recv_nowait (client, NULL));
    ck_assert_int_eq (mdp_client_result (client), MDP_CLIENT_IDLE);
    ck_assert_int_eq (poll (&item, 1, 2 * SHORT_MS), 0);
    zpoller_destroy (&poller);
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

START_TEST (a_signal_ends_waiting)
{
    stand_in_t *broker = stand_in_new (SCRIPT ("-"), NULL);
    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    s_send (client, "coffee", "x");
    zsys_interrupted = 1;
    s_assert_next (client, MDP_CLIENT_INTERRUPTED, 0, NULL);
    s_assert_call (client, "coffee", "x", MDP_CLIENT_INTERRUPTED, NULL);
    zsys_interrupted = 0;
    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
}
END_TEST

//  --------------------------------------------------------------------------
//  CURVE

START_TEST (keys_let_the_right_ones_in)
{
    char directory [] = "/tmp/seatrial-curve-XXXXXX";
    ck_assert_ptr_nonnull (mkdtemp (directory));
    char *file = zsys_sprintf ("%s/client.cert", directory);
    zcert_t *server = zcert_new (), *own = zcert_new (), *other = zcert_new ();
    ck_assert_int_eq (zcert_save_public (own, file), 0);
    zactor_t *guard = zactor_new (zauth, NULL);
    zstr_sendx (guard, "CURVE", directory, NULL);
    zsock_wait (guard);
    stand_in_t *broker = stand_in_new (NO_SCRIPT, server);

    mdp_client_t *client = s_client (broker, LONG_MS, 0);
    const char *key = zcert_public_txt (server);
    ck_assert_int_eq (mdp_client_set_curve (client, own, key), 0);
    s_assert_call (client, "echo", "secret", MDP_CLIENT_OK, "secret");
    uint64_t number = s_send (client, "echo", "more");
    ck_assert_int_eq (mdp_client_set_curve (client, own, key), -1);
    ck_assert_int_eq (errno, EBUSY);
    s_assert_next (client, MDP_CLIENT_OK, number, "more");

    //  Someone whom the broker does not know, and one who does not know the broker
    mdp_client_set_timeout (client, SHORT_MS);
    ck_assert_int_eq (mdp_client_set_curve (client, other, key), 0);
    s_assert_call (client, "echo", "x", MDP_CLIENT_NO_REPLY, NULL);
    ck_assert_int_eq (mdp_client_set_curve (client, own,
                                            zcert_public_txt (other)), 0);
    s_assert_call (client, "echo", "x", MDP_CLIENT_NO_REPLY, NULL);

    mdp_client_destroy (&client);
    stand_in_destroy (&broker);
    zactor_destroy (&guard);
    zsys_file_delete (file);
    zsys_dir_delete ("%s", directory);
    zstr_free (&file);
    zcert_destroy (&server);
    zcert_destroy (&own);
    zcert_destroy (&other);
}
END_TEST

START_TEST (what_is_no_key_is_refused)
{
    mdp_client_t *client = mdp_client_new ("tcp://127.0.0.1:1");
    zcert_t *own = zcert_new ();
    uint8_t none [32] = { 0 };
    zcert_t *public = zcert_new_from (zcert_public_key (own), none);
    const char *key = zcert_public_txt (own);
    ck_assert_int_eq (mdp_client_set_curve (client, NULL, key), -1);
    ck_assert_int_eq (errno, EINVAL);
    ck_assert_int_eq (mdp_client_set_curve (client, public, key), -1);
    ck_assert_int_eq (mdp_client_set_curve (client, own, NULL), -1);
    ck_assert_int_eq (mdp_client_set_curve (client, own, "short"), -1);
    ck_assert_int_eq (mdp_client_set_curve (client, own,
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"), -1);
    ck_assert_int_eq (mdp_client_set_curve (client, own, key), 0);
    zcert_destroy (&public);
    zcert_destroy (&own);
    mdp_client_destroy (&client);
}
END_TEST

Suite *
mdp_client_suite (void)
{
    Suite *suite = suite_create ("mdp_client");
    TCase *tcase = tcase_create ("mdp_client");
    tcase_set_timeout (tcase, 30);
    tcase_add_test (tcase, each_result_has_a_text);
    tcase_add_test (tcase, a_call_brings_the_reply);
    tcase_add_test (tcase, a_call_in_0_2_brings_all_parts);
    tcase_add_test (tcase, a_call_is_made_again);
    tcase_add_test (tcase, a_call_is_given_up);
    tcase_add_test (tcase, what_has_no_connection_has_no_reply);
    tcase_add_test (tcase, a_late_reply_is_nobody_s);
    tcase_add_test (tcase, what_is_no_reply_is_dropped);
    tcase_add_test (tcase, what_cannot_be_sent_is_told);
    tcase_add_test (tcase, replies_find_their_requests);
    tcase_add_test (tcase, many_are_in_flight);
    tcase_add_test (tcase, what_is_in_flight_is_sent_again);
    tcase_add_test (tcase, what_is_in_flight_is_given_up);
    tcase_add_test (tcase, parts_come_one_by_one);
    tcase_add_test (tcase, too_much_is_not_taken);
    tcase_add_test (tcase, a_descriptor_tells_of_replies);
    tcase_add_test (tcase, a_signal_ends_waiting);
    if (zsys_has_curve ()) {
        tcase_add_test (tcase, keys_let_the_right_ones_in);
        tcase_add_test (tcase, what_is_no_key_is_refused);
    }
    suite_add_tcase (suite, tcase);
    return suite;
}
