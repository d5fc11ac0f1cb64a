/*  =========================================================================
    mdp_worker_test - a worker and a broker that is played by hand

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "mdp_worker.h"
#include "stand_in.h"

//  Nothing takes so long
#define LONG_MS 10000

Suite *mdp_worker_suite (void);

//  Both sides, in one thread
typedef struct {
    zsock_t *router;            //  The broker
    char *endpoint;
    mdp_worker_t *worker;
    zframe_t *peer;             //  Whose command came last
    zmsg_t *request;            //  What the worker has received
} stage_t;

static stage_t
s_stage (int64_t heartbeat_ms, int64_t liveness)
{
    stage_t self = { .router = zsock_new (ZMQ_ROUTER) };
    zsock_set_linger (self.router, 0);
    int port = zsock_bind (self.router, "tcp://127.0.0.1:*");
    self.endpoint = zsys_sprintf ("tcp://127.0.0.1:%d", port);
    self.worker = mdp_worker_new (self.endpoint, "coffee");
    ck_assert_ptr_nonnull (self.worker);
    mdp_worker_set_heartbeat (self.worker, heartbeat_ms, liveness);
    return self;
}

static void
s_strike (stage_t *self)
{
    mdp_worker_destroy (&self->worker);
    ck_assert_ptr_null (self->worker);
    mdp_worker_destroy (&self->worker);
    zsock_destroy (&self->router);
    zstr_free (&self->endpoint);
    zframe_destroy (&self->peer);
    zmsg_destroy (&self->request);
}

//  The broker sends a command, its frames with bars between them, to the peer
//  whose command came last
static void
s_send (stage_t *self, const char *command)
{
    zmsg_t *message = stand_in_message (command);
    zframe_t *address = zframe_dup (self->peer);
    zmsg_prepend (message, &address);
    ck_assert_int_eq (zmsg_send (&message, self->router), 0);
}

//  Let the worker do what it has to, whenever its descriptor says so, until a
//  command comes to the broker; then it must be this. True if it came from
//  another peer than the last.
static bool
s_expect (stage_t *self, const char *command, bool busy)
{
    for (;;) {
        zmq_pollitem_t items [] = {
            { zsock_resolve (self->router), 0, ZMQ_POLLIN, 0 },
            { NULL, mdp_worker_fd (self->worker), ZMQ_POLLIN, 0 }
        };
        ck_assert_int_gt (zmq_poll (items, 2, LONG_MS), 0);
        if (items [0].revents)
            break;
        if (busy)
            mdp_worker_tick (self->worker);
        else
            ck_assert_ptr_null (mdp_worker_recv_nowait (self->worker));
    }
    zmsg_t *message = zmsg_recv (self->router);
    zframe_t *peer = zmsg_pop (message);
    char *text = stand_in_text (message);
    ck_assert_str_eq (text, command);
    zstr_free (&text);
    zmsg_destroy (&message);
    bool other = !self->peer || !zframe_eq (peer, self->peer);
    zframe_destroy (&self->peer);
    self->peer = peer;
    return other;
}

//  Until the worker has a request, which must be this
static void
s_until_request (stage_t *self, const char *expected)
{
    struct pollfd item = { mdp_worker_fd (self->worker), POLLIN, 0 };
    zmsg_t *body;
    while (!(body = mdp_worker_recv_nowait (self->worker))) {
        ck_assert_int_eq (mdp_worker_result (self->worker), MDP_WORKER_PENDING);
        ck_assert_int_eq (poll (&item, 1, LONG_MS), 1);
    }
    ck_assert_int_eq (mdp_worker_result (self->worker), MDP_WORKER_OK);
    char *text = stand_in_text (body);
    ck_assert_str_eq (text, expected);
    zstr_free (&text);
    zmsg_destroy (&body);
}

static int
s_reply (stage_t *self, const char *text)
{
    zmsg_t *body = stand_in_message (text);
    int rc = mdp_worker_send_reply (self->worker, &body);
    ck_assert_ptr_null (body);
    return rc;
}

START_TEST (each_result_has_a_text)
{
    for (int result = 0; result < MDP_WORKER_RESULT_COUNT; result++)
        ck_assert_ptr_nonnull (
            mdp_worker_result_text ((mdp_worker_result_t) result));
}
END_TEST

START_TEST (requests_are_answered_in_turn)
{
    stage_t self = s_stage (LONG_MS, 3);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    //  The second is sent too early, and waits
    s_send (&self, "|MDPW01|\2|client||a|b");
    s_send (&self, "|MDPW01|\2|other||c");
    s_until_request (&self, "a|b");
    mdp_worker_tick (self.worker);
    ck_assert_int_eq (s_reply (&self, "x|y"), 0);
    s_expect (&self, "|MDPW01|\3|client||x|y", true);
    s_until_request (&self, "c");
    ck_assert_int_eq (s_reply (&self, "z"), 0);
    s_expect (&self, "|MDPW01|\3|other||z", false);
    mdp_worker_destroy (&self.worker);
    zmsg_t *message = zmsg_recv (self.router);
    zframe_t *peer = zmsg_pop (message);
    char *text = stand_in_text (message);
    ck_assert_str_eq (text, "|MDPW01|\5");
    zstr_free (&text);
    zframe_destroy (&peer);
    zmsg_destroy (&message);
    s_strike (&self);
}
END_TEST

START_TEST (a_request_can_be_waited_for)
{
    stage_t self = s_stage (LONG_MS, 3);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_send (&self, "|MDPW01|\4");
    s_send (&self, "|MDPW01|\2|client||a");
    s_send (&self, "|MDPW01|\2|client||b");
    zmsg_t *body = mdp_worker_recv (self.worker);
    ck_assert_ptr_nonnull (body);
    zmsg_destroy (&body);
    //  With the early one read already
    ck_assert_int_eq (mdp_worker_stay (self.worker, 1), MDP_WORKER_OK);
    ck_assert_int_eq (s_reply (&self, "x"), 0);
    body = mdp_worker_recv (self.worker);
    ck_assert (zframe_streq (zmsg_first (body), "b"));
    zmsg_destroy (&body);
    s_strike (&self);
}
END_TEST

START_TEST (parts_in_0_2)
{
    stage_t self = s_stage (LONG_MS, 3);
    ck_assert_int_eq (mdp_worker_set_version (self.worker, "0.3"), -1);
    ck_assert_int_eq (errno, EINVAL);
    ck_assert_int_eq (mdp_worker_set_version (self.worker, "0.2"), 0);
    s_expect (&self, "MDPW02|\1|coffee", false);
    s_send (&self, "MDPW02|\2|client||a");
    s_until_request (&self, "a");
    zmsg_t *part = stand_in_message ("one");
    ck_assert_int_eq (mdp_worker_send_partial (self.worker, &part), 0);
    ck_assert_ptr_null (part);
    s_expect (&self, "MDPW02|\3|client||one", true);
    s_reply (&self, "two");
    s_expect (&self, "MDPW02|\4|client||two", false);
    s_strike (&self);
}
END_TEST

START_TEST (heartbeats_go_out_idle_and_busy)
{
    stage_t self = s_stage (20, 1000);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_expect (&self, "|MDPW01|\4", false);
    s_send (&self, "|MDPW01|\2|client||a");
    s_until_request (&self, "a");
    //  One may be on its way yet
    s_expect (&self, "|MDPW01|\4", true);
    s_expect (&self, "|MDPW01|\4", true);
    s_expect (&self, "|MDPW01|\4", true);
    //  Without polling, too: at least one in three intervals
    mdp_worker_stay (self.worker, 60);
    s_reply (&self, "x");
    s_expect (&self, "|MDPW01|\4", false);
    s_strike (&self);
}
END_TEST

//  The next command from another peer, with heartbeats of the last in between
static void
s_expect_again (stage_t *self, const char *command, bool busy)
{
    for (;;) {
        zmq_pollitem_t items [] = {
            { zsock_resolve (self->router), 0, ZMQ_POLLIN, 0 },
            { NULL, mdp_worker_fd (self->worker), ZMQ_POLLIN, 0 }
        };
        ck_assert_int_gt (zmq_poll (items, 2, LONG_MS), 0);
        if (items [1].revents) {
            if (busy)
                mdp_worker_tick (self->worker);
            else
                ck_assert_ptr_null (mdp_worker_recv_nowait (self->worker));
        }
        if (!items [0].revents)
            continue;
        zmsg_t *message = zmsg_recv (self->router);
        zframe_t *peer = zmsg_pop (message);
        char *text = stand_in_text (message);
        bool same = zframe_eq (peer, self->peer);
        bool right = streq (text, command);
        if (!same) {
            zframe_destroy (&self->peer);
            self->peer = zframe_dup (peer);
        }
        zstr_free (&text);
        zframe_destroy (&peer);
        zmsg_destroy (&message);
        if (!same) {
            ck_assert (right);
            return;
        }
    }
}

START_TEST (a_silent_broker_is_left_for_longer_each_time)
{
    stage_t self = s_stage (20, 10);
    mdp_worker_set_max_pause (self.worker, 320);
    int64_t start_ms = zclock_mono ();
    s_expect (&self, "|MDPW01|\1|coffee", false);
    for (int times = 0; times < 6; times++)
        s_expect_again (&self, "|MDPW01|\1|coffee", false);
    //  It listens for 200 ms each time. The pauses that are longer are 320 and
    //  320: no less can have passed.
    ck_assert_int_ge (zclock_mono () - start_ms, 4 * 200 + 2 * 320);
    s_strike (&self);
}
END_TEST

START_TEST (a_worker_that_is_disconnected_comes_back)
{
    stage_t self = s_stage (50, 1000);
    mdp_worker_set_verbose (self.worker, true);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_send (&self, "|MDPW01|\5");
    s_expect_again (&self, "|MDPW01|\1|coffee", false);
    //  With a request in hand it comes back when that is done with
    s_send (&self, "|MDPW01|\2|client||a");
    s_until_request (&self, "a");
    s_send (&self, "|MDPW01|\5");
    zmsg_t *part;
    do {
        struct pollfd item = { mdp_worker_fd (self.worker), POLLIN, 0 };
        poll (&item, 1, 50);
        mdp_worker_tick (self.worker);
        part = stand_in_message ("late");
        mdp_worker_set_version (self.worker, "0.2");
    } while (mdp_worker_send_partial (self.worker, &part) == 0);
    mdp_worker_set_version (self.worker, "0.1");
    ck_assert_int_eq (mdp_worker_stay (self.worker, 1), MDP_WORKER_OK);
    ck_assert_int_eq (s_reply (&self, "too late"), -1);
    s_expect_again (&self, "|MDPW01|\1|coffee", false);
    s_strike (&self);
}
END_TEST

START_TEST (a_signal_ends_waiting)
{
    stage_t self = s_stage (20, 2);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_send (&self, "|MDPW01|\5");
    zsys_interrupted = 1;
    ck_assert_ptr_null (mdp_worker_recv (self.worker));
    ck_assert_int_eq (mdp_worker_result (self.worker), MDP_WORKER_INTERRUPTED);
    ck_assert_int_eq (mdp_worker_stay (self.worker, LONG_MS),
                      MDP_WORKER_INTERRUPTED);
    zsys_interrupted = 0;
    s_expect_again (&self, "|MDPW01|\1|coffee", false);
    s_strike (&self);
}
END_TEST

START_TEST (what_is_no_command_is_dropped)
{
    stage_t self = s_stage (LONG_MS, 3);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_send (&self, "");
    s_send (&self, "MDPW02|\2|client||a");
    s_send (&self, "|MDPW01|\3|client||a");
    s_send (&self, "|MDPW01|\2|client");
    s_send (&self, "|MDPW01|\2|client||good");
    s_until_request (&self, "good");
    s_strike (&self);
}
END_TEST

START_TEST (what_is_no_endpoint_is_told)
{
    ck_assert_ptr_null (mdp_worker_new ("tcp://127.0.0.1:1", ""));
    ck_assert_int_eq (errno, EINVAL);
    mdp_worker_t *worker = mdp_worker_new ("nonsense", "coffee");
    ck_assert_ptr_nonnull (worker);
    ck_assert_ptr_null (mdp_worker_recv (worker));
    ck_assert_int_eq (mdp_worker_result (worker), MDP_WORKER_NO_CONNECTION);
    ck_assert_ptr_null (mdp_worker_recv_nowait (worker));
    ck_assert_int_eq (mdp_worker_result (worker), MDP_WORKER_NO_CONNECTION);
    mdp_worker_destroy (&worker);
}
END_TEST

START_TEST (keys_are_used)
{
    stage_t self = s_stage (LONG_MS, 3);
    zcert_t *server = zcert_new (), *own = zcert_new ();
    zactor_t *guard = zactor_new (zauth, NULL);
    zstr_sendx (guard, "CURVE", CURVE_ALLOW_ANY, NULL);
    zsock_wait (guard);
    zsock_t *router = zsock_new (ZMQ_ROUTER);
    zcert_apply (server, router);
    zsock_set_curve_server (router, 1);
    int port = zsock_bind (router, "tcp://127.0.0.1:*");
    zsock_destroy (&self.router);
    mdp_worker_destroy (&self.worker);
    self.router = router;
    zstr_free (&self.endpoint);
    self.endpoint = zsys_sprintf ("tcp://127.0.0.1:%d", port);
    self.worker = mdp_worker_new (self.endpoint, "coffee");
    ck_assert_int_eq (mdp_worker_set_curve (self.worker, own, "short"), -1);
    ck_assert_int_eq (mdp_worker_set_curve (self.worker, own,
                                            zcert_public_txt (server)), 0);
    s_expect (&self, "|MDPW01|\1|coffee", false);
    s_strike (&self);
    zactor_destroy (&guard);
    zcert_destroy (&server);
    zcert_destroy (&own);
}
END_TEST

Suite *
mdp_worker_suite (void)
{
    Suite *suite = suite_create ("mdp_worker");
    TCase *tcase = tcase_create ("mdp_worker");
    tcase_set_timeout (tcase, 30);
    tcase_add_test (tcase, each_result_has_a_text);
    tcase_add_test (tcase, requests_are_answered_in_turn);
    tcase_add_test (tcase, a_request_can_be_waited_for);
    tcase_add_test (tcase, parts_in_0_2);
    tcase_add_test (tcase, heartbeats_go_out_idle_and_busy);
    tcase_add_test (tcase, a_silent_broker_is_left_for_longer_each_time);
    tcase_add_test (tcase, a_worker_that_is_disconnected_comes_back);
    tcase_add_test (tcase, a_signal_ends_waiting);
    tcase_add_test (tcase, what_is_no_command_is_dropped);
    tcase_add_test (tcase, what_is_no_endpoint_is_told);
    if (zsys_has_curve ())
        tcase_add_test (tcase, keys_are_used);
    suite_add_tcase (suite, tcase);
    return suite;
}
