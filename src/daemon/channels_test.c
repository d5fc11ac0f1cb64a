/*  =========================================================================
    channels_test - the sockets of a reactor, against raw ZeroMQ sockets

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "channels.h"

Suite *channels_suite (void);

//  Nothing here waits for that long
#define WAIT_MS 5000

static channels_t *s_channels;
static int s_wake;
static void *s_context;         //  Of the other side

static void
s_set_up (void)
{
    s_wake = eventfd (0, EFD_NONBLOCK);
    s_channels = channels_new (1024 * 1024, s_wake);
    ck_assert_ptr_nonnull (s_channels);
    s_context = zmq_ctx_new ();
}

static void
s_tear_down (void)
{
    channels_destroy (&s_channels);
    zmq_ctx_term (s_context);
    close (s_wake);
}

//  The other side: a DEALER that calls itself so, or a ROUTER
static void *
s_dealer (const char *address)
{
    void *socket = zmq_socket (s_context, ZMQ_DEALER);
    int linger = 0;
    int timeout = WAIT_MS;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt (socket, ZMQ_ROUTING_ID, address, strlen (address));
    //  A connection that is lost stays lost
    int never = -1;
    zmq_setsockopt (socket, ZMQ_RECONNECT_IVL, &never, sizeof never);
    ck_assert_int_eq (zmq_connect (socket, channels_endpoint (s_channels)), 0);
    return socket;
}

static void *
s_router (char *endpoint, size_t size)
{
    void *socket = zmq_socket (s_context, ZMQ_ROUTER);
    int linger = 0;
    int timeout = WAIT_MS;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    ck_assert_int_eq (zmq_bind (socket, "tcp://127.0.0.1:*"), 0);
    ck_assert_int_eq (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint,
                                      &size), 0);
    return socket;
}

static void
s_bind (void)
{
    ck_assert_int_eq (channels_bind (s_channels, 0, "tcp://127.0.0.1:*", 100,
                                     false), 0);
}

//  The next message, and on which channel it came
static message_t *
s_next (channel_t *number, channels_result_t expected)
{
    message_t *message = NULL;
    channels_result_t result = channels_receive (s_channels, number, &message);
    //  One that is muted ends each wait
    time_t end = time (NULL) + 2 * WAIT_MS / 1000;
    while (result == CHANNELS_EMPTY && time (NULL) < end) {
        ck_assert (!channels_wait (s_channels, WAIT_MS));
        result = channels_receive (s_channels, number, &message);
    }
    ck_assert_int_eq (result, expected);
    return message;
}

static message_t *
s_message (const char *first, size_t frames, size_t size)
{
    message_t *message = message_new ();
    char *bytes = (char *) calloc (1, size + 1);
    memset (bytes, 'x', size);
    if (first)
        ck_assert_int_eq (message_add_string (message, first), 0);
    while (frames--)
        ck_assert_int_eq (message_add_bytes (message, bytes, size), 0);
    free (bytes);
    return message;
}

static channels_result_t
s_send (channel_t number, message_t *message)
{
    channels_result_t result = channels_send (s_channels, number, message);
    message_destroy (&message);
    return result;
}

//  Small and large frames, few and many: they are kept in different ways
static const struct {
    size_t frames, size;
} s_shapes [] = {
    { 1, 0 }, { 1, 1 }, { 1, 1024 }, { 1, 1025 }, { 1, 900000 }, { 15, 10 },
    { 16, 10 }, { 200, 2000 }
};

#define SHAPES ((int) (sizeof s_shapes / sizeof *s_shapes))

START_TEST (messages_go_both_ways)
{
    size_t frames = s_shapes [_i].frames;
    size_t size = s_shapes [_i].size;
    s_bind ();
    void *dealer = s_dealer ("a");
    char *bytes = (char *) malloc (size + 1);
    memset (bytes, 'x', size);
    for (size_t nbr = 0; nbr < frames; nbr++)
        ck_assert_int_ge (zmq_send (dealer, bytes, size,
                                    nbr + 1 < frames? ZMQ_SNDMORE: 0), 0);
    channel_t number = 7;
    message_t *message = s_next (&number, CHANNELS_OK);
    ck_assert_uint_eq (number, 0);
    ck_assert_uint_eq (message_size (message), frames + 1);
    ck_assert (frame_is (message_frame (message, 0), "a", 1));
    for (size_t nbr = 1; nbr <= frames; nbr++)
        ck_assert (frame_is (message_frame (message, nbr), bytes, size));
    //  And back
    ck_assert_int_eq (s_send (0, message), CHANNELS_OK);
    char *back = (char *) malloc (size + 1);
    for (size_t nbr = 0; nbr < frames; nbr++) {
        ck_assert_int_eq (zmq_recv (dealer, back, size + 1, 0), (int) size);
        ck_assert (size == 0 || memcmp (back, bytes, size) == 0);
    }
    free (back);
    free (bytes);
    zmq_close (dealer);
}
END_TEST

START_TEST (who_is_not_there_cannot_be_reached)
{
    s_bind ();
    ck_assert_int_eq (s_send (0, s_message ("nobody", 2, 10)),
                      CHANNELS_UNREACHABLE);
    ck_assert_int_eq (s_send (5, s_message ("nobody", 2, 10)),
                      CHANNELS_UNKNOWN);
}
END_TEST

START_TEST (who_does_not_read_is_full)
{
    s_bind ();
    void *dealer = s_dealer ("a");
    ck_assert_int_eq (zmq_send (dealer, "", 0, 0), 0);
    channel_t number;
    message_t *message = s_next (&number, CHANNELS_OK);
    message_destroy (&message);
    channels_result_t result = CHANNELS_OK;
    for (int nbr = 0; nbr < 100000 && result == CHANNELS_OK; nbr++)
        result = s_send (0, s_message ("a", 1, 4000));
    ck_assert_int_eq (result, CHANNELS_FULL);
    zmq_close (dealer);
}
END_TEST

START_TEST (too_many_frames_are_dropped_and_the_rest_comes)
{
    s_bind ();
    void *dealer = s_dealer ("a");
    for (int nbr = 0; nbr < 65536; nbr++)
        ck_assert_int_eq (zmq_send (dealer, "", 0, ZMQ_SNDMORE), 0);
    ck_assert_int_eq (zmq_send (dealer, "", 0, 0), 0);
    ck_assert_int_eq (zmq_send (dealer, "next", 4, 0), 4);
    channel_t number;
    message_t *message = s_next (&number, CHANNELS_DROPPED);
    ck_assert_ptr_null (message);
    message = s_next (&number, CHANNELS_OK);
    ck_assert (frame_is (message_frame (message, 1), "next", 4));
    message_destroy (&message);
    zmq_close (dealer);
}
END_TEST

//  The other side says something to each DEALER that has spoken
static void
s_greet (void *router, int count)
{
    for (int nbr = 0; nbr < count; nbr++) {
        char address [16], body [16];
        int size = zmq_recv (router, address, sizeof address, 0);
        ck_assert_int_gt (size, 0);
        int length = zmq_recv (router, body, sizeof body, 0);
        ck_assert_int_gt (length, 0);
        zmq_send (router, address, (size_t) size, ZMQ_SNDMORE);
        zmq_send (router, body, (size_t) length, 0);
    }
}

START_TEST (channels_are_told_apart)
{
    char endpoint [64];
    void *router = s_router (endpoint, sizeof endpoint);
    for (channel_t nbr = 1; nbr <= 3; nbr++) {
        ck_assert_int_eq (channels_connect (s_channels, nbr, endpoint), 0);
        char text [2] = { (char) ('0' + nbr), 0 };
        ck_assert_int_eq (s_send (nbr, s_message (text, 0, 0)), CHANNELS_OK);
    }
    //  The first goes, and the last takes its place; the second is not listened to
    channels_set_linger (s_channels, WAIT_MS);
    channels_close (s_channels, 1);
    channels_close (s_channels, 1);
    channels_mute (s_channels, 2);
    channels_mute (s_channels, 9);
    ck_assert_int_eq (s_send (1, s_message ("late", 0, 0)), CHANNELS_UNKNOWN);
    s_greet (router, 3);
    channel_t number;
    message_t *message = s_next (&number, CHANNELS_OK);
    ck_assert_uint_eq (number, 3);
    ck_assert (frame_is (message_frame (message, 0), "3", 1));
    message_destroy (&message);
    ck_assert_int_eq (channels_receive (s_channels, &number, &message),
                      CHANNELS_EMPTY);
    channels_set_linger (s_channels, 0);
    zmq_close (router);
}
END_TEST

//  Others that try to bind fail for this reason
static void
s_assert_refused (const char *endpoint, int reason)
{
    channels_t *others = channels_new (1024, s_wake);
    ck_assert_int_eq (channels_bind (others, 1, endpoint, 100, false), -1);
    ck_assert_int_eq (errno, reason);
    channels_destroy (&others);
}

START_TEST (an_endpoint_that_cannot_be_had_says_why)
{
    s_bind ();
    s_assert_refused ("nonsense", EINVAL);
    s_assert_refused (channels_endpoint (s_channels), EADDRINUSE);
    ck_assert_int_eq (channels_connect (s_channels, 1, "udp"), -1);
    //  The first is as it was
    void *dealer = s_dealer ("a");
    ck_assert_int_eq (zmq_send (dealer, "x", 1, 0), 1);
    channel_t number = 7;
    message_t *message = s_next (&number, CHANNELS_OK);
    ck_assert_uint_eq (number, 0);
    message_destroy (&message);
    zmq_close (dealer);
}
END_TEST

static void
s_ring (void)
{
    uint64_t one = 1;
    ck_assert_int_eq (write (s_wake, &one, sizeof one), sizeof one);
}

//  As the owner of the descriptor does when it is told
static void
s_answer_the_ring (void)
{
    uint64_t rings;
    ck_assert_int_eq (read (s_wake, &rings, sizeof rings), sizeof rings);
}

//  With nothing bound, bound alone, and bound beside another
START_TEST (a_wait_can_be_ended)
{
    if (_i > 0)
        s_bind ();
    if (_i == 2)
        ck_assert_int_eq (channels_connect (s_channels, 1, "tcp://127.0.0.1:9"), 0);
    ck_assert (!channels_wait (s_channels, 0));
    for (int nbr = 0; nbr < 3; nbr++) {
        s_ring ();
        ck_assert (channels_wait (s_channels, WAIT_MS));
        s_answer_the_ring ();
        //  It is no message
        channel_t number;
        message_t *message = NULL;
        ck_assert_int_eq (channels_receive (s_channels, &number, &message),
                          CHANNELS_EMPTY);
    }
}
END_TEST

//  Who is always busy reading hears it, too
START_TEST (reading_without_waits_can_be_ended)
{
    s_bind ();
    s_ring ();
    time_t end = time (NULL) + 2 * WAIT_MS / 1000;
    bool woken = false;
    while (!woken && time (NULL) < end) {
        woken = channels_wait (s_channels, 0);
        channel_t number;
        message_t *message = NULL;
        ck_assert_int_eq (channels_receive (s_channels, &number, &message),
                          CHANNELS_EMPTY);
    }
    ck_assert (woken);
}
END_TEST

//  A peer that lost its connection, and comes back before that is known
START_TEST (who_comes_again_takes_its_address_over)
{
    s_bind ();
    void *before = s_dealer ("a");
    ck_assert_int_eq (zmq_send (before, "x", 1, 0), 1);
    channel_t number;
    message_t *message = s_next (&number, CHANNELS_OK);
    message_destroy (&message);
    void *after = s_dealer ("a");
    ck_assert_int_eq (zmq_send (after, "y", 1, 0), 1);
    message = s_next (&number, CHANNELS_OK);
    ck_assert (frame_is (message_frame (message, 0), "a", 1));
    ck_assert (frame_is (message_frame (message, 1), "y", 1));
    ck_assert_int_eq (channels_send (s_channels, 0, message), CHANNELS_OK);
    message_destroy (&message);
    char said [8];
    ck_assert_int_eq (zmq_recv (after, said, sizeof said, 0), 1);
    ck_assert_int_eq (said [0], 'y');
    zmq_close (before);
    zmq_close (after);
}
END_TEST

Suite *
channels_suite (void)
{
    Suite *suite = suite_create ("channels");
    TCase *tcase = tcase_create ("channels");
    tcase_set_timeout (tcase, 60);
    tcase_add_checked_fixture (tcase, s_set_up, s_tear_down);
    tcase_add_loop_test (tcase, messages_go_both_ways, 0, SHAPES);
    tcase_add_test (tcase, who_is_not_there_cannot_be_reached);
    tcase_add_test (tcase, who_does_not_read_is_full);
    tcase_add_test (tcase, too_many_frames_are_dropped_and_the_rest_comes);
    tcase_add_test (tcase, channels_are_told_apart);
    tcase_add_test (tcase, an_endpoint_that_cannot_be_had_says_why);
    tcase_add_loop_test (tcase, a_wait_can_be_ended, 0, 3);
    tcase_add_test (tcase, reading_without_waits_can_be_ended);
    tcase_add_test (tcase, who_comes_again_takes_its_address_over);
    suite_add_tcase (suite, tcase);
    return suite;
}
