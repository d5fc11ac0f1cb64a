/*  =========================================================================
    meter_test - what has come on each connection and is no message yet

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "meter.h"

//  More than any descriptor here
#define HIGHEST 2000

//  The most that may come without a message, and a part of it that is worth a look
#define MOST 16000
#define MUCH 2000

//  Looks after which a connection that has ended is dead, and more
#define LOOKS 30

//  More than one sweep looks at
#define MANY 700

Suite *
meter_suite (void);

//  A connection of TCP: the server's end is [0]
typedef struct {
    int ends [2];
} pair_t;

static int s_listener;

static void
s_listen (void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    s_listener = socket (AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq (bind (s_listener, (struct sockaddr *) &address,
                            sizeof address), 0);
    ck_assert_int_eq (listen (s_listener, 16), 0);
}

static void
s_deafen (void)
{
    close (s_listener);
}

static pair_t
s_connection (meter_t *meter)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    pair_t pair;
    getsockname (s_listener, (struct sockaddr *) &address, &size);
    pair.ends [1] = socket (AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq (connect (pair.ends [1], (struct sockaddr *) &address,
                               sizeof address), 0);
    pair.ends [0] = accept (s_listener, NULL, NULL);
    ck_assert_int_ge (pair.ends [0], 0);
    ck_assert_int_le (pair.ends [0], HIGHEST);
    meter_open (meter, pair.ends [0]);
    return pair;
}

static void
s_close (pair_t *pair)
{
    close (pair->ends [0]);
    close (pair->ends [1]);
}

//  So many bytes come, and the server's end takes them
static void
s_pour (pair_t *pair, size_t size)
{
    static char bytes [MOST + MUCH];
    ck_assert_uint_le (size, sizeof bytes);
    ck_assert_int_eq (send (pair->ends [1], bytes, size, 0), (ssize_t) size);
    ck_assert_int_eq (recv (pair->ends [0], bytes, size, MSG_WAITALL),
                      (ssize_t) size);
}

//  All that a sweep has to say must be this
static void
s_assert_sweep (meter_t *meter, int handle)
{
    ck_assert_int_eq (meter_sweep (meter, MOST), handle);
    if (handle >= 0)
        ck_assert_int_eq (meter_sweep (meter, MOST), -1);
}

//  More comes than a message takes, which is found with the second look
static void
s_overfill (meter_t *meter, pair_t *pair)
{
    s_pour (pair, MUCH);
    s_assert_sweep (meter, -1);
    s_pour (pair, MOST + 1);
    s_assert_sweep (meter, -1);
}

START_TEST (a_message_without_end_is_found)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t quiet = s_connection (meter);
    pair_t pair = s_connection (meter);
    s_assert_sweep (meter, -1);
    ck_assert (!meter_watches (meter));
    s_pour (&pair, MUCH);
    s_assert_sweep (meter, -1);
    ck_assert (meter_watches (meter));
    ck_assert (!meter_waits (meter));
    s_pour (&pair, MOST + 1);
    s_assert_sweep (meter, -1);
    ck_assert (meter_waits (meter));
    //  The reader had everything that had come only with the second turn
    meter_drained (meter);
    s_assert_sweep (meter, -1);
    meter_drained (meter);
    s_assert_sweep (meter, pair.ends [0]);
    ck_assert (!meter_watches (meter));
    ck_assert (!meter_waits (meter));
    s_close (&pair);
    s_close (&quiet);
    meter_destroy (&meter);
    ck_assert_ptr_null (meter);
}
END_TEST

START_TEST (messages_make_room_again)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t pair = s_connection (meter);
    for (int count = 0; count < 50; count++) {
        s_pour (&pair, MUCH);
        s_assert_sweep (meter, -1);
        s_pour (&pair, MOST);
        if (meter_watches (meter))
            meter_read (meter, pair.ends [0]);
        s_assert_sweep (meter, -1);
        meter_drained (meter);
    }
    ck_assert (!meter_waits (meter));
    s_close (&pair);
    meter_destroy (&meter);
}
END_TEST

//  The one that is read is not the one that is full
START_TEST (another_one_s_messages_do_not_count)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t pair = s_connection (meter);
    pair_t other = s_connection (meter);
    s_overfill (meter, &pair);
    //  As many as there are connections, twice: there is always another one to read
    for (int count = 0; count < 4; count++) {
        s_assert_sweep (meter, -1);
        meter_read (meter, other.ends [0]);
    }
    s_assert_sweep (meter, pair.ends [0]);
    s_close (&pair);
    s_close (&other);
    meter_destroy (&meter);
}
END_TEST

START_TEST (what_nobody_has_taken_does_not_count)
{
    static char bytes [MOST + 1];
    meter_t *meter = meter_new (HIGHEST);
    pair_t pair = s_connection (meter);
    s_pour (&pair, MUCH);
    s_assert_sweep (meter, -1);
    ck_assert_int_eq (send (pair.ends [1], bytes, sizeof bytes, 0),
                      (ssize_t) sizeof bytes);
    s_assert_sweep (meter, -1);
    ck_assert (!meter_waits (meter));
    ck_assert_int_eq (recv (pair.ends [0], bytes, sizeof bytes, MSG_WAITALL),
                      (ssize_t) sizeof bytes);
    s_assert_sweep (meter, -1);
    ck_assert (meter_waits (meter));
    s_close (&pair);
    meter_destroy (&meter);
}
END_TEST

START_TEST (one_that_has_the_descriptor_now_is_not_blamed)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t pair = s_connection (meter);
    s_overfill (meter, &pair);
    int handle = pair.ends [0];
    s_close (&pair);
    pair = s_connection (meter);
    ck_assert_int_eq (pair.ends [0], handle);
    meter_drained (meter);
    meter_drained (meter);
    s_assert_sweep (meter, -1);
    ck_assert (!meter_waits (meter));
    s_close (&pair);
    s_assert_sweep (meter, -1);
    ck_assert (!meter_watches (meter));
    meter_destroy (&meter);
}
END_TEST

START_TEST (what_has_ended_and_is_not_closed_is_dead)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t pair = s_connection (meter);
    pair_t open = s_connection (meter);
    ck_assert_int_eq (send (pair.ends [1], "unread", 6, 0), 6);
    shutdown (pair.ends [1], SHUT_RDWR);
    for (int count = 0; count < LOOKS; count++)
        s_assert_sweep (meter, -1);
    ck_assert_uint_eq (meter_dead (meter), 1);
    //  It is still being read
    char byte;
    ck_assert_int_eq (recv (pair.ends [0], &byte, 1, 0), 1);
    s_assert_sweep (meter, -1);
    ck_assert_uint_eq (meter_dead (meter), 0);
    for (int count = 0; count < LOOKS; count++)
        s_assert_sweep (meter, -1);
    ck_assert_uint_eq (meter_dead (meter), 1);
    s_close (&pair);
    s_assert_sweep (meter, -1);
    ck_assert_uint_eq (meter_dead (meter), 0);
    s_close (&open);
    meter_destroy (&meter);
}
END_TEST

START_TEST (of_many_some_are_looked_at_in_each_sweep)
{
    meter_t *meter = meter_new (HIGHEST);
    pair_t *pairs = calloc (MANY, sizeof (pair_t));
    for (int nbr = 0; nbr < MANY; nbr++)
        pairs [nbr] = s_connection (meter);
    s_pour (&pairs [MANY - 1], MUCH);
    s_assert_sweep (meter, -1);
    ck_assert (!meter_watches (meter));
    s_assert_sweep (meter, -1);
    ck_assert (meter_watches (meter));
    for (int nbr = 0; nbr < MANY; nbr++)
        s_close (&pairs [nbr]);
    free (pairs);
    meter_destroy (&meter);
}
END_TEST

Suite *
meter_suite (void)
{
    Suite *suite = suite_create ("meter");
    TCase *tcase = tcase_create ("meter");
    tcase_add_checked_fixture (tcase, s_listen, s_deafen);
    tcase_set_timeout (tcase, 60);
    tcase_add_test (tcase, a_message_without_end_is_found);
    tcase_add_test (tcase, messages_make_room_again);
    tcase_add_test (tcase, another_one_s_messages_do_not_count);
    tcase_add_test (tcase, what_nobody_has_taken_does_not_count);
    tcase_add_test (tcase, one_that_has_the_descriptor_now_is_not_blamed);
    tcase_add_test (tcase, what_has_ended_and_is_not_closed_is_dead);
    tcase_add_test (tcase, of_many_some_are_looked_at_in_each_sweep);
    suite_add_tcase (suite, tcase);
    return suite;
}
