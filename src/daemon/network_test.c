/*  =========================================================================
    network_test - the broker as a process, and peers that it cannot trust

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <czmq.h>

Suite *
network_suite (void);

#define PATH_SIZE 128
#define ARGUMENTS_MAX 24

//  Nothing takes so long unless it never comes
#define PATIENCE_MS 20000

static char s_folder [32];      //  Where certificates are
static char s_broker_cert [PATH_SIZE];
static char s_clients [PATH_SIZE];
static zcert_t *s_server;       //  The broker's
static zcert_t *s_known;        //  Of a client that may come in
static pid_t s_pid;             //  The broker
static FILE *s_log;             //  What it says
static char s_endpoint [64];    //  Where it listens

static void
s_setup (void)
{
    strcpy (s_folder, "/tmp/network_test.XXXXXX");
    ck_assert_ptr_nonnull (mkdtemp (s_folder));
    snprintf (s_broker_cert, PATH_SIZE, "%s/broker", s_folder);
    snprintf (s_clients, PATH_SIZE, "%s/clients", s_folder);
    ck_assert_int_eq (mkdir (s_clients, 0700), 0);
    s_server = zcert_new ();
    ck_assert_int_eq (zcert_save (s_server, s_broker_cert), 0);
    s_known = zcert_new ();
    char path [PATH_SIZE + 8];
    snprintf (path, sizeof (path), "%s/known", s_clients);
    ck_assert_int_eq (zcert_save_public (s_known, path), 0);
}

static void
s_teardown (void)
{
    if (s_pid) {
        kill (s_pid, SIGTERM);
        int status;
        ck_assert_int_eq (waitpid (s_pid, &status, 0), s_pid);
        s_pid = 0;
        fclose (s_log);
        ck_assert (WIFEXITED (status));
        ck_assert_int_eq (WEXITSTATUS (status), 0);
    }
    zcert_destroy (&s_server);
    zcert_destroy (&s_known);
    zdir_t *folder = zdir_new (s_folder, NULL);
    zdir_remove (folder, true);
    zdir_destroy (&folder);
}

//  The line of the broker's log that has these words, up to the next call.
static const char *
s_await_line (const char *words)
{
    static char line [1024];
    alarm (PATIENCE_MS / 1000);
    do
        ck_assert_msg (fgets (line, sizeof (line), s_log) != NULL,
                       "the broker ended before it said: %s", words);
    while (!strstr (line, words));
    alarm (0);
    return line;
}

//  Start the broker that stands beside this program; 0 files for no limit.
static void
s_start (int files, const char *const *options)
{
    char program [4096];
    ssize_t size = readlink ("/proc/self/exe", program, sizeof (program) - 16);
    ck_assert_int_gt (size, 0);
    program [size] = 0;
    strcpy (strrchr (program, '/'), "/mdpbroker");
    //  The shell sets the limit: under valgrind this process cannot
    char limit [64] = "exec \"$0\" \"$@\"";
    if (files)
        snprintf (limit, sizeof (limit), "ulimit -n %d && exec \"$0\" \"$@\"",
                  files);
    const char *argv [ARGUMENTS_MAX] = { "sh", "-c", limit, program,
                                         "--endpoint", "tcp://127.0.0.1:*" };
    for (int index = 6; *options; index++)
        argv [index] = *options++;
    int pipe_ends [2];
    ck_assert_int_eq (pipe (pipe_ends), 0);
    s_pid = fork ();
    if (s_pid == 0) {
        dup2 (pipe_ends [1], STDERR_FILENO);
        for (int handle = 3; handle < 256; handle++)
            close (handle);
        execv ("/bin/sh", (char **) argv);
        _exit (127);
    }
    ck_assert_int_gt (s_pid, 0);
    close (pipe_ends [1]);
    s_log = fdopen (pipe_ends [0], "r");
    const char *line = s_await_line ("listening on ");
    ck_assert_int_eq (sscanf (strstr (line, "tcp://"), "%63[^, \n]",
                              s_endpoint), 1);
}

#define START(files, ...) \
    s_start (files, (const char *const []) { __VA_ARGS__, NULL })
#define START_CURVE() \
    START (0, "--curve-cert", s_broker_cert, "--curve-clients", s_clients)

//  A client; cert is its own, NULL for plain.
static zsock_t *
s_client (zcert_t *cert)
{
    zsock_t *client = zsock_new (ZMQ_DEALER);
    zsock_set_linger (client, 0);
    zsock_set_rcvtimeo (client, PATIENCE_MS);
    if (cert) {
        zcert_apply (cert, client);
        zsock_set_curve_serverkey (client, zcert_public_txt (s_server));
    }
    ck_assert_int_eq (zsock_connect (client, "%s", s_endpoint), 0);
    return client;
}

static void
s_ask (zsock_t *client)
{
    ck_assert_int_eq (zstr_sendx (client, "", "MDPC01", "mmi.service", "echo",
                                  NULL), 0);
}

//  The broker serves this client.
static void
s_is_served (zsock_t *client)
{
    s_ask (client);
    zmsg_t *reply = zmsg_recv (client);
    ck_assert_ptr_nonnull (reply);
    ck_assert (zframe_streq (zmsg_last (reply), "404"));
    zmsg_destroy (&reply);
}

static bool
s_has_nothing (zsock_t *client)
{
    return (zsock_events (client) & ZMQ_POLLIN) == 0;
}

START_TEST (who_is_known_is_served)
{
    START_CURVE ();
    zsock_t *client = s_client (s_known);
    s_is_served (client);
    zsock_destroy (&client);
}
END_TEST

START_TEST (an_unknown_key_gets_nothing)
{
    START_CURVE ();
    zcert_t *cert = zcert_new ();
    zsock_t *stranger = s_client (cert);
    s_ask (stranger);
    const char *line = s_await_line ("connection refused");
    ck_assert_ptr_nonnull (strstr (line, zcert_public_txt (cert)));
    ck_assert_ptr_nonnull (strstr (line, "from 127.0.0.1"));
    zsock_t *client = s_client (s_known);
    s_is_served (client);
    ck_assert (s_has_nothing (stranger));
    zsock_destroy (&client);
    zsock_destroy (&stranger);
    zcert_destroy (&cert);
}
END_TEST

START_TEST (a_plain_peer_gets_nothing)
{
    START_CURVE ();
    zsock_t *stranger = s_client (NULL);
    s_ask (stranger);
    s_await_line ("connection refused: it does not speak CURVE");
    zsock_t *client = s_client (s_known);
    s_is_served (client);
    ck_assert (s_has_nothing (stranger));
    zsock_destroy (&client);
    zsock_destroy (&stranger);
}
END_TEST

START_TEST (everybody_is_let_in_if_that_was_said)
{
    START (0, "--curve-cert", s_broker_cert, "--curve-clients", "any");
    zcert_t *cert = zcert_new ();
    zsock_t *client = s_client (cert);
    s_is_served (client);
    zsock_destroy (&client);
    zcert_destroy (&cert);
}
END_TEST

//  New connections until one is let in or refused, as is expected
static void
s_becomes (zcert_t *cert, bool welcome)
{
    for (int tries = 0; tries < 200; tries++) {
        zsock_t *client = s_client (cert);
        zsock_set_rcvtimeo (client, 100);
        s_ask (client);
        zmsg_t *reply = zmsg_recv (client);
        bool served = reply != NULL;
        zmsg_destroy (&reply);
        zsock_destroy (&client);
        if (served == welcome)
            return;
    }
    ck_abort_msg ("a certificate that has %s does not count",
                  welcome? "come": "gone");
}

START_TEST (certificates_come_and_go_while_it_runs)
{
    START_CURVE ();
    char path [PATH_SIZE + 8];
    snprintf (path, sizeof (path), "%s/late", s_clients);
    zcert_t *cert = zcert_new ();
    ck_assert_int_eq (zcert_save_public (cert, path), 0);
    s_becomes (cert, true);
    zsock_t *client = s_client (cert);
    s_is_served (client);
    ck_assert_int_eq (unlink (path), 0);
    s_becomes (cert, false);
    //  Who was in stays in
    s_is_served (client);
    zsock_destroy (&client);
    zcert_destroy (&cert);
}
END_TEST

//  A TCP connection that says nothing.
static int
s_connect_raw (void)
{
    int port;
    ck_assert_int_eq (sscanf (s_endpoint, "tcp://127.0.0.1:%d", &port), 1);
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_port = htons ((uint16_t) port),
        .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int handle = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge (handle, 0);
    ck_assert_int_eq (connect (handle, (struct sockaddr *) &address,
                               sizeof (address)), 0);
    return handle;
}

//  Wait until the broker has hung up; what it sent before does not matter.
static void
s_await_end (int handle)
{
    char bytes [256];
    struct pollfd item = { .fd = handle, .events = POLLIN };
    do
        ck_assert_int_eq (poll (&item, 1, PATIENCE_MS), 1);
    while (recv (handle, bytes, sizeof (bytes), 0) > 0);
}

#define CROWD 150

//  All that come above the limit are closed, and nobody else.
static void
s_crowd (size_t places)
{
    int handles [CROWD];
    zsock_t *client = s_client (NULL);
    s_is_served (client);
    for (size_t index = 0; index < CROWD; index++)
        handles [index] = s_connect_raw ();
    s_await_line ("connection closed: too many");
    //  One place is the client's, and it is not known who of them had the luck
    size_t ended = 0;
    while (ended < CROWD - (places - 1))
        for (size_t index = 0; index < CROWD; index++) {
            struct pollfd item = { .fd = handles [index], .events = POLLRDHUP };
            if (handles [index] >= 0 && poll (&item, 1, 1) == 1) {
                s_await_end (handles [index]);
                close (handles [index]);
                handles [index] = -1;
                ended++;
            }
        }
    s_is_served (client);
    for (size_t index = 0; index < CROWD; index++)
        if (handles [index] >= 0)
            close (handles [index]);
    //  There is room again
    zsock_t *late = s_client (NULL);
    s_is_served (late);
    s_is_served (client);
    zsock_destroy (&late);
    zsock_destroy (&client);
}

//  --------------------------------------------------------------------------
//  The supervisor

//  Where the broker's next life tells how it is.
static int
s_supervise (void)
{
    static char path [PATH_SIZE];
    snprintf (path, sizeof (path), "%s/notify", s_folder);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy (address.sun_path, path);
    int handle = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge (handle, 0);
    ck_assert_int_eq (bind (handle, (struct sockaddr *) &address,
                            sizeof (address)), 0);
    setenv ("NOTIFY_SOCKET", path, 1);
    return handle;
}

//  The next thing that the broker tells is this, from the start.
static void
s_is_told (int handle, const char *text)
{
    char told [128] = "";
    struct pollfd item = { .fd = handle, .events = POLLIN };
    ck_assert_int_eq (poll (&item, 1, PATIENCE_MS), 1);
    ck_assert_int_gt (recv (handle, told, sizeof (told) - 1, 0), 0);
    ck_assert_msg (strncmp (told, text, strlen (text)) == 0, "%s, not %s", told,
                   text);
}

static void
s_write_settings (const char *path, const char *text)
{
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
}

START_TEST (the_supervisor_is_told)
{
    char path [PATH_SIZE];
    snprintf (path, sizeof (path), "%s/settings.zpl", s_folder);
    s_write_settings (path, "heartbeat = 500\nmax\n    workers = 7\n");
    int handle = s_supervise ();
    START (0, "--config", path);
    s_is_told (handle, "READY=1");
    zsock_t *client = s_client (NULL);
    s_is_served (client);

    s_write_settings (path, "heartbeat = 600\nmax\n    workers = 8\n");
    kill (s_pid, SIGHUP);
    s_is_told (handle, "RELOADING=1\nMONOTONIC_USEC=");
    s_is_told (handle, "READY=1");
    const char *line = s_await_line (" again: ");
    ck_assert_ptr_nonnull (strstr (line, "max-workers 8; a restart is needed "
                                         "for heartbeat 600"));
    //  A bad file changes nothing
    s_write_settings (path, "max\n    workers = many\n");
    kill (s_pid, SIGHUP);
    s_is_told (handle, "RELOADING=1\n");
    s_is_told (handle, "READY=1");
    s_await_line ("max-workers must be a whole number");
    s_await_line ("settings stay as they were");
    s_is_served (client);
    zsock_destroy (&client);

    kill (s_pid, SIGTERM);
    s_is_told (handle, "STOPPING=1");
    close (handle);
    unsetenv ("NOTIFY_SOCKET");
}
END_TEST

START_TEST (the_watchdog_hears_of_us)
{
    int handle = s_supervise ();
    setenv ("WATCHDOG_USEC", "20000", 1);
    START (0, "-v");
    unsetenv ("WATCHDOG_USEC");
    unsetenv ("NOTIFY_SOCKET");
    s_is_told (handle, "READY=1");
    for (int count = 0; count < 3; count++)
        s_is_told (handle, "WATCHDOG=1");
    close (handle);
}
END_TEST

START_TEST (too_many_connections)
{
    START (0, "--max-connections", "20");
    s_crowd (20);
}
END_TEST

START_TEST (too_few_file_descriptors)
{
    START (90, "-v");
    const char *line = s_await_line ("ulimit -n");
    size_t places;
    ck_assert_int_eq (sscanf (strstr (line, "at most"), "at most %zu",
                              &places), 1);
    ck_assert_uint_gt (places, 20);
    ck_assert_uint_lt (places, 60);
    s_crowd (places);
}
END_TEST

//  --------------------------------------------------------------------------
//  Limits

//  A number that libzmq gives to peers without an address, as it counts them
static uint32_t
s_number (zframe_t *address)
{
    ck_assert_uint_eq (zframe_size (address), 5);
    const unsigned char *bytes = zframe_data (address);
    ck_assert_uint_eq (bytes [0], 0);
    return (uint32_t) bytes [1] << 24 | (uint32_t) bytes [2] << 16
         | (uint32_t) bytes [3] << 8 | bytes [4];
}

//  A worker of a service of its own answers one request of a client's. What it is
//  told of the client's address.
static uint32_t
s_round_trip (zsock_t *client, zsock_t *worker)
{
    ck_assert_int_eq (zstr_sendx (client, "", "MDPC01", "good", "question",
                                  NULL), 0);
    zmsg_t *request = zmsg_recv (worker);
    while (request && zmsg_size (request) < 5) {    //  A HEARTBEAT
        zmsg_destroy (&request);
        request = zmsg_recv (worker);
    }
    ck_assert_ptr_nonnull (request);
    ck_assert (zframe_streq (zmsg_last (request), "question"));
    //  REPLY has the same frames as REQUEST
    zmsg_first (request);
    zmsg_next (request);
    zframe_reset (zmsg_next (request), "\3", 1);
    uint32_t number = s_number (zmsg_next (request));
    ck_assert_int_eq (zmsg_send (&request, worker), 0);
    zmsg_t *reply = zmsg_recv (client);
    ck_assert_ptr_nonnull (reply);
    ck_assert (zframe_streq (zmsg_last (reply), "question"));
    zmsg_destroy (&reply);
    return number;
}

//  So many messages that all want too much of the same thing.
#define OFTEN 50

static void
s_send_often (zsock_t *rude, const char *service, const char *body, int bodies)
{
    for (int count = 0; count < OFTEN; count++) {
        zmsg_t *message = zmsg_new ();
        zmsg_addstr (message, "");
        zmsg_addstr (message, "MDPC01");
        //  A name of its own for each where the services are what is filled up
        zmsg_addstrf (message, service, count);
        for (int nbr = 0; nbr < bodies; nbr++)
            zmsg_addstr (message, body);
        ck_assert_int_eq (zmsg_send (&message, rude), 0);
    }
}

START_TEST (who_runs_into_limits_disturbs_nobody)
{
    START (0, "--max-services", "40", "--max-workers", "2", "--max-requests",
           "60", "--max-service-requests", "10", "--max-client-requests", "20",
           "--max-bytes", "200000", "--max-frames", "8", "--max-message",
           "2000");
    zsock_t *client = s_client (NULL);
    zsock_t *worker = s_client (NULL);
    zsock_t *rude [4];
    ck_assert_int_eq (zstr_sendx (worker, "", "MDPW01", "\1", "good", NULL), 0);
    s_round_trip (client, worker);
    char large [1901] = "";
    memset (large, 'a', sizeof (large) - 1);
    for (int nbr = 0; nbr < 4; nbr++)
        rude [nbr] = s_client (NULL);
    s_send_often (rude [0], "bad", "x", 1);
    s_round_trip (client, worker);
    s_await_line ("too many requests for service");
    s_send_often (rude [1], "bad %d", "", 1);
    s_round_trip (client, worker);
    s_await_line ("one client has too many");
    s_send_often (rude [2], "bytes", large, 1);
    s_round_trip (client, worker);
    s_send_often (rude [2], "bytes", large, 2);
    s_round_trip (client, worker);
    s_await_line ("body is too large");
    s_send_often (rude [3], "frames", "", 20);
    s_round_trip (client, worker);
    for (int nbr = 1; nbr < 4; nbr++)
        ck_assert_int_eq (zstr_sendx (rude [nbr], "", "MDPW01", "\1", "bad",
                                      NULL), 0);
    s_await_line ("too many workers");
    s_round_trip (client, worker);
    for (int nbr = 0; nbr < 4; nbr++)
        zsock_destroy (&rude [nbr]);
    zsock_destroy (&worker);
    zsock_destroy (&client);
}
END_TEST

//  Send it all, unless the broker hangs up. Whether it did.
static bool
s_pour (int handle, const void *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        struct pollfd item = { .fd = handle, .events = POLLOUT | POLLRDHUP };
        ck_assert_int_eq (poll (&item, 1, PATIENCE_MS), 1);
        //  What is on its way can stay there for a minute after the end
        if (item.revents & (POLLRDHUP | POLLHUP | POLLERR))
            return true;
        ssize_t count = send (handle, (const char *) data + sent, size - sent,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0)
            return true;
        sent += (size_t) count;
    }
    return false;
}

//  Say who we are, 23/ZMTP: a DEALER with an address that it has chosen.
static void
s_introduce (int handle, const void *address, unsigned char size)
{
    static const unsigned char greeting [64] = {
        0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L' };
    static const char begin [] = "\5READY\13Socket-Type\0\0\0\6DEALER"
                                 "\10Identity\0\0";
    unsigned char ready [255] = { 4, (unsigned char) (sizeof (begin) - 1 + 2
                                                      + size) };
    memcpy (ready + 2, begin, sizeof (begin) - 1);
    ready [2 + sizeof (begin)] = size;
    memcpy (ready + 2 + sizeof (begin) + 1, address, size);
    ck_assert (!s_pour (handle, greeting, sizeof (greeting)));
    ck_assert (!s_pour (handle, ready, 2u + ready [1]));
}

//  libzmq wants nothing more before it has said its part.
static void
s_await_introduction (int handle)
{
    unsigned char theirs [64 + 43];
    ck_assert_int_eq (recv (handle, theirs, sizeof (theirs), MSG_WAITALL),
                      sizeof (theirs));
}

//  A connection on which both have done so.
static int
s_shake_hands (const void *address, unsigned char size)
{
    int handle = s_connect_raw ();
    s_introduce (handle, address, size);
    s_await_introduction (handle);
    return handle;
}

//  The same, and it has begun a message.
static int
s_begin_message (void)
{
    static const char begin [] = "\1\0\1\6MDPC01\1\4good";
    int handle = s_shake_hands ("", 0);
    ck_assert (!s_pour (handle, begin, sizeof (begin) - 1));
    return handle;
}

//  libzmq would keep all its frames until the last one has come.
START_TEST (a_message_without_end)
{
    START (0, "--max-message", "100000");
    zsock_t *client = s_client (NULL);
    zsock_t *worker = s_client (NULL);
    ck_assert_int_eq (zstr_sendx (worker, "", "MDPW01", "\1", "good", NULL), 0);
    s_round_trip (client, worker);
    int handle = s_begin_message ();
    static unsigned char frames [65536];        //  Empty ones, more to come
    for (size_t index = 0; index < sizeof (frames); index += 2)
        frames [index] = 1;
    size_t count = 0;
    while (!s_pour (handle, frames, sizeof (frames))) {
        if (count++ % 100 == 0)
            s_round_trip (client, worker);
        ck_assert_uint_lt (count, 1000);
    }
    close (handle);
    s_await_line ("a message does not end");
    s_round_trip (client, worker);
    zsock_destroy (&worker);
    zsock_destroy (&client);
}
END_TEST

//  The same, but nobody else says anything that makes the broker look. Without looking
//  it would have to be woken as often as there are others, twice.
#define QUIET 300

START_TEST (a_message_without_end_and_nobody_who_speaks)
{
    START (0, "--max-message", "100000");
    int quiet [QUIET];
    for (int nbr = 0; nbr < QUIET; nbr++)
        quiet [nbr] = s_shake_hands ("", 0);
    int handle = s_begin_message ();
    static unsigned char frames [65536];
    for (size_t index = 0; index < sizeof (frames); index += 2)
        frames [index] = 1;
    size_t count = 0;
    while (!s_pour (handle, frames, sizeof (frames)))
        ck_assert_uint_lt (count++, 1000);
    close (handle);
    s_await_line ("a message does not end");
    for (int nbr = 0; nbr < QUIET; nbr++)
        close (quiet [nbr]);
}
END_TEST

//  Who sends much, and whole messages, is not closed, however little of it is of
//  any use.
START_TEST (many_messages_that_do_end)
{
    START (0, "--max-message", "100000");
    zsock_t *worker = s_client (NULL);
    ck_assert_int_eq (zstr_sendx (worker, "", "MDPW01", "\1", "good", NULL), 0);
    int handle = s_begin_message ();
    static unsigned char end [100009] = { 2, 0, 0, 0, 0, 0, 1, 0x86, 0xa0 };
    static const char begin [] = "\1\0\1\6MDPC01\1\4good";
    for (size_t count = 0; count < 500; count++) {
        ck_assert (!s_pour (handle, end, sizeof (end)));
        ck_assert (!s_pour (handle, begin, sizeof (begin) - 1));
        if (count % 100 == 0)
            poll (NULL, 0, 500);
    }
    ck_assert (!s_pour (handle, end, sizeof (end)));
    zsock_destroy (&worker);
    struct pollfd item = { .fd = handle, .events = POLLRDHUP };
    ck_assert_int_eq (poll (&item, 1, 1000), 0);
    close (handle);
}
END_TEST

//  A connection whose address is such a number, which a peer must not choose:
//  23/ZMTP.
static int
s_open_as (uint32_t number)
{
    unsigned char address [5] = {
        0, (unsigned char) (number >> 24), (unsigned char) (number >> 16),
        (unsigned char) (number >> 8), (unsigned char) number };
    return s_shake_hands (address, sizeof (address));
}

//  A connection with an address that others have had, and it is heard.
static int
s_open_double (void)
{
    static const char ask [] = "\1\0\1\6MDPC01\1\13mmi.service\0\4good";
    int handle = s_shake_hands ("double", 6);
    ck_assert (!s_pour (handle, ask, sizeof (ask) - 1));
    struct pollfd item = { .fd = handle, .events = POLLIN };
    ck_assert_int_eq (poll (&item, 1, PATIENCE_MS), 1);
    char answer [64];
    ck_assert_int_gt (recv (handle, answer, sizeof (answer), 0), 0);
    return handle;
}

static size_t
s_open_files (void)
{
    char path [32];
    snprintf (path, sizeof (path), "/proc/%d/fd", (int) s_pid);
    zdir_t *files = zdir_new (path, "-");
    ck_assert_ptr_nonnull (files);
    size_t count = zdir_count (files);
    zdir_destroy (&files);
    return count;
}

//  libzmq gives the address to the later one, and would keep the other one for ever
//  once something more came on it.
START_TEST (who_takes_an_address_over_leaves_nothing)
{
    START (0, "-v");
    close (s_open_double ());
    size_t files = s_open_files ();
    int handle = s_open_double ();
    for (int turn = 0; turn < 50; turn++) {
        int next = s_open_double ();
        s_await_end (handle);
        close (handle);
        handle = next;
    }
    close (handle);
    for (int waited_ms = 0; s_open_files () > files; waited_ms += 10) {
        ck_assert_int_lt (waited_ms, PATIENCE_MS);
        poll (NULL, 0, 10);
    }
}
END_TEST

//  Pairs of peers with the same address. What the first one has sent is more than
//  libzmq reads ahead, and still there when the second one comes, as the broker stands
//  still: libzmq never closes the first one's connection.
#define PAIRS 12

static void
s_leave_dead (void)
{
    static const char ask [] = "\1\0\1\6MDPC01\1\13mmi.service\0\4good";
    int handles [2 * PAIRS];
    for (int nbr = 0; nbr < PAIRS; nbr++) {
        char address [16];
        int size = snprintf (address, sizeof (address), "pair%d", nbr);
        handles [nbr] = s_shake_hands (address, (unsigned char) size);
        handles [PAIRS + nbr] = s_connect_raw ();
    }
    kill (s_pid, SIGSTOP);
    for (int nbr = 0; nbr < PAIRS; nbr++) {
        for (int count = 0; count < 500; count++)
            ck_assert (!s_pour (handles [nbr], ask, sizeof (ask) - 1));
        char address [16];
        int size = snprintf (address, sizeof (address), "pair%d", nbr);
        s_introduce (handles [PAIRS + nbr], address, (unsigned char) size);
    }
    kill (s_pid, SIGCONT);
    for (int nbr = 0; nbr < PAIRS; nbr++)
        s_await_introduction (handles [PAIRS + nbr]);
    poll (NULL, 0, 500);
    for (int nbr = 0; nbr < 2 * PAIRS; nbr++)
        close (handles [nbr]);
}

START_TEST (the_dead_do_not_take_all_places)
{
    START (0, "--max-connections", "100");
    int witness = s_shake_hands ("", 0);
    for (int turn = 0; turn < 5; turn++)
        s_leave_dead ();
    s_await_line ("all connections are closed");
    s_await_end (witness);
    close (witness);
    zsock_t *client = s_client (NULL);
    s_is_served (client);
    zsock_destroy (&client);
}
END_TEST

//  Peers guess the numbers that others are going to have.
#define GUESSES 20

static void
s_guess (uint32_t number, zsock_t *client, zsock_t *worker)
{
    int handles [GUESSES];
    zsock_t *others [GUESSES];
    for (uint32_t nbr = 0; nbr < GUESSES; nbr++)
        handles [nbr] = s_open_as (number + nbr);
    for (int nbr = 0; nbr < GUESSES; nbr++) {
        others [nbr] = s_client (NULL);
        s_is_served (others [nbr]);
    }
    s_round_trip (client, worker);
    for (int nbr = 0; nbr < GUESSES; nbr++) {
        zsock_destroy (&others [nbr]);
        close (handles [nbr]);
    }
}

//  libzmq's first number of an unseeded rand, and what a worker is told
START_TEST (nobody_can_foresee_the_address_of_another)
{
    START (0, "-v");
    zsock_t *client = s_client (NULL);
    zsock_t *worker = s_client (NULL);
    ck_assert_int_eq (zstr_sendx (worker, "", "MDPW01", "\1", "good", NULL), 0);
    s_round_trip (client, worker);
    s_guess (0x6b8b4567, client, worker);
    uint32_t number = s_round_trip (client, worker);
    s_guess (number + 1, client, worker);
    zsock_destroy (&worker);
    zsock_destroy (&client);
}
END_TEST

Suite *
network_suite (void)
{
    Suite *suite = suite_create ("network");
    TCase *tcase = tcase_create ("network");
    tcase_set_timeout (tcase, 60);
    tcase_add_checked_fixture (tcase, s_setup, s_teardown);
    tcase_add_test (tcase, who_is_known_is_served);
    tcase_add_test (tcase, an_unknown_key_gets_nothing);
    tcase_add_test (tcase, a_plain_peer_gets_nothing);
    tcase_add_test (tcase, everybody_is_let_in_if_that_was_said);
    tcase_add_test (tcase, certificates_come_and_go_while_it_runs);
    tcase_add_test (tcase, the_supervisor_is_told);
    tcase_add_test (tcase, the_watchdog_hears_of_us);
    tcase_add_test (tcase, who_runs_into_limits_disturbs_nobody);
    tcase_add_test (tcase, a_message_without_end);
    tcase_add_test (tcase, a_message_without_end_and_nobody_who_speaks);
    tcase_add_test (tcase, many_messages_that_do_end);
    tcase_add_test (tcase, who_takes_an_address_over_leaves_nothing);
    tcase_add_test (tcase, the_dead_do_not_take_all_places);
    tcase_add_test (tcase, nobody_can_foresee_the_address_of_another);
    tcase_add_test (tcase, too_many_connections);
    tcase_add_test (tcase, too_few_file_descriptors);
    suite_add_tcase (suite, tcase);
    return suite;
}
