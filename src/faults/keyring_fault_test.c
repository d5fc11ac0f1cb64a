/*  =========================================================================
    keyring_fault_test - certificates, and who may come in, while memory is out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

#include "../daemon/door.h"
#include "../daemon/keyring.h"
#include "faults.h"

Suite *keyring_fault_suite (void);

//  Until who is let in, or not, has been seen
#define PATIENCE_MS 10000
#define ENDPOINT "tcp://127.0.0.1:*"

static char s_folder [32];
static char s_own [64];
static char s_clients [64];
static zcert_t *s_cert;         //  Of the server
static zcert_t *s_friend;       //  Whom the server knows

static void
s_set_up (void)
{
    char name [80];
    strcpy (s_folder, "/tmp/keyring-fault-XXXXXX");
    MUST (mkdtemp (s_folder));
    snprintf (s_own, sizeof s_own, "%s/own", s_folder);
    snprintf (s_clients, sizeof s_clients, "%s/clients", s_folder);
    snprintf (name, sizeof name, "%s/friend", s_clients);
    MUST (mkdir (s_clients, 0700) == 0);
    s_cert = zcert_new ();
    s_friend = zcert_new ();
    MUST (zcert_save (s_cert, s_own) == 0);
    MUST (zcert_save_public (s_friend, name) == 0);
    //  What the door says
    MUST (freopen ("/dev/null", "w", stderr));
}

static void
s_tear_down (void)
{
    zcert_destroy (&s_cert);
    zcert_destroy (&s_friend);
    zdir_t *folder = zdir_new (s_folder, NULL);
    zdir_remove (folder, true);
    zdir_destroy (&folder);
}

static bool
s_is_one_line (const char *error)
{
    return *error && !strchr (error, '\n');
}

static keyring_t *
s_open (char *error, size_t size)
{
    *error = 0;
    faults_begin ();
    keyring_t *keyring = keyring_server_new (s_own, s_clients, error, size);
    faults_end ();
    MUST (keyring || s_is_one_line (error));
    return keyring;
}

//  Known is known and unknown is not, with memory or without
static void
s_check_keys (keyring_t *keyring)
{
    unsigned char stranger [KEY_SIZE] = { 1 };
    faults_begin ();
    //  Much later: the directory is read again
    MUST (keyring_admits (keyring, zcert_public_key (s_friend),
                          zclock_mono () + PATIENCE_MS));
    MUST (!keyring_admits (keyring, stranger, zclock_mono ()));
    faults_end ();
}

//  Another server key for a client: all of it, or nothing has changed
static void
s_check_client (void)
{
    char error [256] = "";
    faults_begin ();
    keyring_t *client = keyring_client_new (s_own, s_own, error, sizeof error);
    MUST (client || s_is_one_line (error));
    if (client && keyring_reload (client, s_own, s_own, error, sizeof error))
        MUST (s_is_one_line (error));
    void *socket = zsock_new (ZMQ_DEALER);
    MUST (!client || keyring_apply (client, zsock_resolve (socket)) == 0);
    faults_end ();
    zsock_destroy ((zsock_t **) &socket);
    keyring_destroy (&client);
}

START_TEST (a_keyring_says_that_memory_is_out)
{
    s_set_up ();
    bool failed = true;
    size_t nth = 0;
    while (failed) {
        size_t blocks = faults_blocks ();
        char error [256];
        faults_arm (++nth, (faults_mode_t) _i);
        keyring_t *keyring = s_open (error, sizeof error);
        if (keyring)
            s_check_keys (keyring);
        s_check_client ();
        failed = faults_disarm ();
        MUST (keyring || failed);
        keyring_destroy (&keyring);
        MUST_TELL (faults_blocks () == blocks, "allocation %zu: a leak", nth);
    }
    //  Two of the server, one of the client, and one more as it is read again
    ck_assert_uint_gt (nth, 4);
    s_tear_down ();
}
END_TEST

//  Whether somebody with this certificate gets an echo through the door
static bool
s_is_let_in (const char *endpoint, zcert_t *cert)
{
    //  One that was just closed may be in use still
    static int watches;
    char watch [32];
    snprintf (watch, sizeof watch, "inproc://watch-%d", ++watches);
    zsock_t *dealer = zsock_new (ZMQ_DEALER);
    zcert_apply (cert, dealer);
    zsock_set_curve_serverkey (dealer, zcert_public_txt (s_cert));
    MUST (zsock_connect (dealer, "%s", endpoint) == 0);
    void *monitor = zsock_new (ZMQ_PAIR);
    MUST (zmq_socket_monitor (zsock_resolve (dealer), watch,
              ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
          == 0);
    MUST (zsock_connect (monitor, "%s", watch) == 0);
    zsock_set_rcvtimeo (monitor, PATIENCE_MS);
    zframe_t *event = zframe_recv (monitor);
    MUST_TELL (event, "nobody answers at the door");
    uint16_t number;
    memcpy (&number, zframe_data (event), sizeof number);
    zframe_destroy (&event);
    zmq_socket_monitor (zsock_resolve (dealer), NULL, 0);
    zsock_destroy ((zsock_t **) &monitor);
    zsock_destroy (&dealer);
    return number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

//  false when no allocation failed
static bool
s_stand_at_the_door (size_t nth, faults_mode_t mode)
{
    char error [256];
    char endpoint [64];
    size_t size = sizeof endpoint;
    zcert_t *stranger = zcert_new ();
    keyring_t *keyring = s_open (error, sizeof error);
    void *context = zmq_ctx_new ();
    void *router = zmq_socket (context, ZMQ_ROUTER);
    int none_ms = 0;
    zmq_setsockopt (router, ZMQ_LINGER, &none_ms, sizeof none_ms);
    MUST (keyring_apply (keyring, router) == 0);
    door_config_t config = { .keyring = keyring, .max_connections = 100,
                             .max_unfinished_bytes = 1048576 };
    faults_arm (nth, mode);
    faults_begin ();
    door_t *door = door_open (context, router, &config, true);
    MUST (door || errno == ENOMEM);
    if (door) {
        MUST (zmq_bind (router, ENDPOINT) == 0);
        zmq_getsockopt (router, ZMQ_LAST_ENDPOINT, endpoint, &size);
        MUST (!s_is_let_in (endpoint, stranger));
        MUST (s_is_let_in (endpoint, s_friend));
    }
    faults_end ();
    bool failed = faults_disarm ();
    MUST (door || failed);
    zmq_close (router);
    zmq_ctx_shutdown (context);
    door_close (&door);
    zmq_ctx_term (context);
    zcert_destroy (&stranger);
    keyring_destroy (&keyring);
    return failed;
}

//  The door asks its keyring in a thread of its own
START_TEST (a_door_lets_in_whom_it_should)
{
    s_set_up ();
    size_t nth = 0;
    bool failed = true;
    while (failed) {
        size_t blocks = faults_blocks ();
        failed = s_stand_at_the_door (++nth, (faults_mode_t) _i);
        MUST_TELL (faults_blocks () == blocks, "allocation %zu: a leak", nth);
    }
    ck_assert_uint_gt (nth, 1);
    s_tear_down ();
}
END_TEST

Suite *
keyring_fault_suite (void)
{
    Suite *suite = suite_create ("keyring_fault");
    TCase *tcase = tcase_create ("keyring_fault");
    tcase_set_timeout (tcase, 120);
    tcase_add_loop_test (tcase, a_keyring_says_that_memory_is_out, 0,
                         FAULTS_MODE_COUNT);
    tcase_add_loop_test (tcase, a_door_lets_in_whom_it_should, 0,
                         FAULTS_MODE_COUNT);
    suite_add_tcase (suite, tcase);
    return suite;
}
