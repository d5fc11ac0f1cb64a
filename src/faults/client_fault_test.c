/*  =========================================================================
    client_fault_test - the client library while memory is out

    What czmq and libzmq do then is not tried: they end the process.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <czmq.h>

#include "../client/mdp_client.h"
#include "../client/mdp_worker.h"
#include "../client/stand_in.h"
#include "../client/titanic_client.h"
#include "faults.h"

Suite *client_fault_suite (void);

//  Short, for a reply that was lost; and often enough for a busy machine
#define TIMEOUT_MS 200
#define MANY 100
//  A worker is tried for so many rounds; one takes a moment
#define ROUNDS 5000
#define HEARTBEAT_MS 20
#define LIVENESS 100

#define ID "0123456789abcdef0123456789abcdef"

static char s_what [64];
static const char *const s_echo [] = { NULL };

//  Plays a life in which allocation number nth fails; whether there was one
typedef bool (life_fn) (void *argument, size_t nth, faults_mode_t mode);

static void
s_fail_each (life_fn *life, void *argument, faults_mode_t mode, size_t least)
{
    size_t nth = 0;
    bool failed = true;
    while (failed) {
        snprintf (s_what, sizeof s_what, "allocation %zu", ++nth);
        size_t blocks = faults_blocks ();
        failed = life (argument, nth, mode);
        MUST_TELL (faults_blocks () == blocks, "%s: a leak", s_what);
    }
    ck_assert_uint_gt (nth, least);
}

static bool
s_is (zmsg_t *message, const char *expected)
{
    char *text = stand_in_text (message);
    bool same = streq (text, expected);
    zstr_free (&text);
    return same;
}

//  --------------------------------------------------------------------------
//  mdp_client

static bool
s_is_trouble (mdp_client_result_t result)
{
    return result == MDP_CLIENT_NO_MEMORY || result == MDP_CLIENT_NO_REPLY
        || result == MDP_CLIENT_NO_CONNECTION;
}

static mdp_client_result_t
s_call (mdp_client_t *client)
{
    zmsg_t *body = stand_in_message ("one|two");
    zmsg_t *reply = mdp_client_call (client, "echo", &body);
    mdp_client_result_t result = mdp_client_result (client);
    MUST (!body);
    MUST_TELL (reply? result == MDP_CLIENT_OK && s_is (reply, "one|two")
                    : s_is_trouble (result), "%s: a call ends as: %s", s_what,
               mdp_client_result_text (result));
    zmsg_destroy (&reply);
    return result;
}

static uint64_t
s_send (mdp_client_t *client, const char *text)
{
    zmsg_t *body = stand_in_message (text);
    uint64_t number = mdp_client_send (client, "echo", &body);
    MUST (!body);
    MUST (number? mdp_client_result (client) == MDP_CLIENT_OK
                : s_is_trouble (mdp_client_result (client)));
    return number;
}

//  Each request that was sent has one end
static void
s_send_some (mdp_client_t *client)
{
    uint64_t a = s_send (client, "a");
    uint64_t b = s_send (client, "b");
    uint64_t number;
    int ends = 0;
    do {
        zmsg_t *reply = mdp_client_recv (client, &number);
        mdp_client_result_t result = mdp_client_result (client);
        MUST (reply? number && s_is (reply, number == a? "a": "b")
                   : result == MDP_CLIENT_IDLE || s_is_trouble (result));
        MUST (number == 0 || number == a || number == b);
        ends += number != 0;
        zmsg_destroy (&reply);
    } while (number);
    MUST_TELL (ends == (a != 0) + (b != 0), "%s: %d requests end", s_what,
               ends);
}

static bool
s_client_life (void *argument, size_t nth, faults_mode_t mode)
{
    faults_arm (nth, mode);
    faults_begin ();
    mdp_client_t *client = mdp_client_new (argument);
    if (client) {
        mdp_client_set_timeout (client, TIMEOUT_MS);
        mdp_client_set_retries (client, mode == FAULTS_ONCE? MANY: 0);
        s_call (client);
        s_send_some (client);
    }
    faults_end ();
    bool failed = faults_disarm ();
    MUST (client || failed);
    if (client) {
        mdp_client_set_retries (client, MANY);
        MUST_TELL (s_call (client) == MDP_CLIENT_OK,
                   "%s: no call goes well any more", s_what);
    }
    mdp_client_destroy (&client);
    return failed;
}

START_TEST (a_client_says_that_memory_is_out)
{
    stand_in_t *broker = stand_in_new (s_echo, NULL);
    s_fail_each (s_client_life, (void *) stand_in_endpoint (broker),
                 (faults_mode_t) _i, 20);
    stand_in_destroy (&broker);
}
END_TEST

//  --------------------------------------------------------------------------
//  titanic_client

//  The stand-in gives back what it gets: a service "200" and an id as the body are
//  an answer of titanic.request
static titanic_client_result_t
s_store (titanic_client_t *client)
{
    zmsg_t *body = stand_in_message (ID);
    char *id = titanic_client_store (client, "200", &body);
    titanic_client_result_t result = titanic_client_result (client);
    MUST (!body);
    MUST_TELL (id? streq (id, ID): result == TITANIC_CLIENT_NO_MEMORY
        || result == TITANIC_CLIENT_NO_REPLY
        || result == TITANIC_CLIENT_NO_CONNECTION, "%s: a store ends as: %s",
        s_what, titanic_client_result_text (result));
    zstr_free (&id);
    return result;
}

static bool
s_titanic_life (void *argument, size_t nth, faults_mode_t mode)
{
    faults_arm (nth, mode);
    faults_begin ();
    titanic_client_t *client = titanic_client_new (argument);
    if (client) {
        titanic_client_set_timeout (client, TIMEOUT_MS);
        titanic_client_set_retries (client, mode == FAULTS_ONCE? MANY: 0);
        s_store (client);
    }
    faults_end ();
    bool failed = faults_disarm ();
    MUST (client || failed);
    if (client) {
        titanic_client_set_retries (client, MANY);
        MUST (s_store (client) == TITANIC_CLIENT_OK);
    }
    titanic_client_destroy (&client);
    return failed;
}

START_TEST (a_titanic_client_says_that_memory_is_out)
{
    stand_in_t *broker = stand_in_new (s_echo, NULL);
    s_fail_each (s_titanic_life, (void *) stand_in_endpoint (broker),
                 (faults_mode_t) _i, 10);
    stand_in_destroy (&broker);
}
END_TEST

//  --------------------------------------------------------------------------
//  mdp_worker

//  A broker that gives each worker that registers its request, once a
//  conversation, and waits for the reply as long as that one lives
typedef struct {
    zsock_t *router;
    char *endpoint;
} broker_t;

//  Answer what has come; whether the reply was among it
static bool
s_serve (broker_t *self)
{
    bool replied = false;
    while (zsock_events (self->router) & ZMQ_POLLIN) {
        zmsg_t *message = zmsg_recv (self->router);
        zframe_t *address = zmsg_pop (message);
        char *text = stand_in_text (message);
        bool ready = streq (text, "|MDPW01|\1|echo");
        if (ready || streq (text, "|MDPW01|\4")) {
            zmsg_t *request = stand_in_message (ready
                ? "|MDPW01|\2|client||x|y": "|MDPW01|\4");
            zmsg_prepend (request, &address);
            zmsg_send (&request, self->router);
        }
        else
        if (strneq (text, "|MDPW01|\5")) {
            MUST_TELL (streq (text, "|MDPW01|\3|client||x|y"),
                       "%s: a worker sends %s", s_what, text);
            replied = true;
        }
        zframe_destroy (&address);
        zstr_free (&text);
        zmsg_destroy (&message);
    }
    return replied;
}

//  Until a reply has come, or so many rounds have gone by
static bool
s_work (broker_t *broker, mdp_worker_t *worker, int rounds)
{
    bool replied = false;
    while (!replied && rounds-- > 0) {
        zmsg_t *body = mdp_worker_recv_nowait (worker);
        if (body)
            mdp_worker_send_reply (worker, &body);
        replied = s_serve (broker);
        if (!body && !replied)
            zclock_sleep (1);
    }
    return replied;
}

static bool
s_worker_life (void *argument, size_t nth, faults_mode_t mode)
{
    broker_t *broker = argument;
    faults_arm (nth, mode);
    faults_begin ();
    mdp_worker_t *worker = mdp_worker_new (broker->endpoint, "echo");
    bool replied = false;
    if (worker) {
        mdp_worker_set_heartbeat (worker, HEARTBEAT_MS, LIVENESS);
        mdp_worker_set_max_pause (worker, HEARTBEAT_MS);
        replied = s_work (broker, worker, mode == FAULTS_ONCE? ROUNDS: 50);
    }
    faults_end ();
    bool failed = faults_disarm ();
    MUST (worker || failed);
    if (worker && !replied)
        MUST_TELL (mode == FAULTS_LASTING && s_work (broker, worker, ROUNDS),
                   "%s: the worker keeps a request to itself", s_what);
    mdp_worker_destroy (&worker);
    s_serve (broker);
    return failed;
}

//  Its broker waits for the reply as long as the worker lives
START_TEST (a_worker_keeps_no_request_to_itself)
{
    broker_t broker = { .router = zsock_new (ZMQ_ROUTER) };
    int port = zsock_bind (broker.router, "tcp://127.0.0.1:*");
    broker.endpoint = zsys_sprintf ("tcp://127.0.0.1:%d", port);
    s_fail_each (s_worker_life, &broker, (faults_mode_t) _i, 10);
    zstr_free (&broker.endpoint);
    zsock_destroy (&broker.router);
}
END_TEST

Suite *
client_fault_suite (void)
{
    Suite *suite = suite_create ("client_fault");
    TCase *tcase = tcase_create ("client_fault");
    tcase_set_timeout (tcase, 120);
    tcase_add_loop_test (tcase, a_client_says_that_memory_is_out, 0,
                         FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase, a_titanic_client_says_that_memory_is_out, 0,
                         FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase, a_worker_keeps_no_request_to_itself, 0,
                         FAULTS_MODE_COUNT);
    suite_add_tcase (suite, tcase);
    return suite;
}
