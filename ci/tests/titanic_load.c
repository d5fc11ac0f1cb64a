/*  =========================================================================
    titanic_load - a load on a Titanic server whose every acknowledgement is kept

    titanic_load store ENDPOINT CONNECTIONS SECONDS FILE
        Store requests for echo over so many connections for so long. Each one
        that gets 200 becomes a line in FILE: its id and its body.
    titanic_load check ENDPOINT CONNECTIONS SECONDS FILE
        Ask for the reply to each of them, and close it, until that is done or
        the time is up. Exit status 1 when a reply is not there, or not the body.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <czmq.h>

//  Without an answer for so long a connection is made anew
#define PATIENCE_MS 2000
//  Until something that is not there yet, or was refused, is asked again
#define PAUSE_MS 20

typedef enum {
    ASK_STORE, ASK_REPLY, ASK_CLOSE
} ask_t;

typedef struct {
    char id [33];
    char body [32];
} line_t;

typedef struct {
    zsock_t *socket;
    ask_t ask;
    line_t line;                //  What it is about
    bool waits;                 //  For an answer
    int64_t since_ms;           //  Since when; or when it may go on
} connection_t;

static const char *s_endpoint;
static FILE *s_file;
static bool s_storing;
static size_t s_sent;           //  Requests, which numbers them
static size_t s_done;           //  Stored and acknowledged, or fetched and closed
static size_t s_refused;        //  Answered 500
static size_t s_unanswered;
static size_t s_wrong;          //  Lost, or with another's reply
static int64_t s_last_ms;       //  Of the last that was done
static int64_t s_gap_ms;        //  The longest time between two

static void
s_connect (connection_t *self)
{
    zsock_destroy (&self->socket);
    self->socket = zsock_new_dealer (NULL);
    zsock_set_linger (self->socket, 0);
    if (zsock_attach (self->socket, s_endpoint, false)) {
        fprintf (stderr, "titanic_load: cannot connect to %s\n", s_endpoint);
        exit (2);
    }
}

static void
s_ask (connection_t *self)
{
    static const char *services [] = { "titanic.request", "titanic.reply",
                                       "titanic.close" };
    zmsg_t *message = zmsg_new ();
    zmsg_addstr (message, "");
    zmsg_addstr (message, "MDPC01");
    zmsg_addstr (message, services [self->ask]);
    if (self->ask == ASK_STORE) {
        snprintf (self->line.body, sizeof self->line.body, "request %zu",
                  ++s_sent);
        zmsg_addstr (message, "echo");
        zmsg_addstr (message, self->line.body);
    }
    else
        zmsg_addstr (message, self->line.id);
    zmsg_send (&message, self->socket);
    self->waits = true;
    self->since_ms = zclock_mono ();
}

//  The next thing to do for a connection that is free; false if there is none
static bool
s_next (connection_t *self)
{
    self->ask = s_storing? ASK_STORE: ASK_REPLY;
    return s_storing
        || fscanf (s_file, "%32s %31[^\n]", self->line.id, self->line.body)
           == 2;
}

static void
s_count (void)
{
    int64_t now_ms = zclock_mono ();
    if (now_ms - s_last_ms > s_gap_ms)
        s_gap_ms = now_ms - s_last_ms;
    s_last_ms = now_ms;
    s_done++;
}

//  What an answer means; true when this request is done with
static bool
s_answered (connection_t *self, const char *status, const char *text)
{
    if (self->ask == ASK_STORE) {
        if (streq (status, "200")) {
            fprintf (s_file, "%s %s\n", text, self->line.body);
            s_count ();
        }
        else
            s_refused++;
        return true;
    }
    if (self->ask == ASK_CLOSE && streq (status, "200")) {
        s_count ();
        return true;
    }
    if (streq (status, "200") && streq (text, self->line.body)) {
        self->ask = ASK_CLOSE;
        return false;
    }
    if (streq (status, "200") || streq (status, "400")) {
        fprintf (stderr, "titanic_load: %s (%s) gets %s %s\n", self->line.id,
                 self->line.body, status, text);
        s_wrong++;
        return true;
    }
    if (streq (status, "500"))
        s_refused++;
    return false;
}

//  Read an answer; whether the connection goes on with something else
static bool
s_receive (connection_t *self)
{
    zmsg_t *message = zmsg_recv (self->socket);
    for (int nbr = 0; nbr < 3; nbr++) {
        zframe_t *envelope = zmsg_pop (message);
        zframe_destroy (&envelope);
    }
    char *status = zmsg_popstr (message);
    char *text = zmsg_popstr (message);
    self->waits = false;
    bool closing = self->ask == ASK_REPLY;
    bool done = s_answered (self, status? status: "", text? text: "");
    closing = closing && self->ask == ASK_CLOSE;
    //  What was refused, or is not there yet, is not asked again at once
    self->since_ms = zclock_mono ()
        + (closing || (done && streq (status, "200"))? 0: PAUSE_MS);
    zstr_free (&status);
    zstr_free (&text);
    zmsg_destroy (&message);
    return done;
}

//  One round over all connections; how many have something to do
static size_t
s_round (connection_t *connections, zmq_pollitem_t *items, size_t count,
         bool *free_ones, bool ending)
{
    size_t busy = 0;
    int64_t now_ms = zclock_mono ();
    for (size_t nbr = 0; nbr < count; nbr++) {
        connection_t *connection = &connections [nbr];
        if (connection->waits && now_ms - connection->since_ms > PATIENCE_MS) {
            s_unanswered++;
            s_connect (connection);
            connection->waits = false;
            free_ones [nbr] = free_ones [nbr] || s_storing;
        }
        if (!connection->waits && now_ms >= connection->since_ms) {
            if (free_ones [nbr] && (ending || !s_next (connection)))
                continue;
            free_ones [nbr] = false;
            s_ask (connection);
        }
        busy++;
    }
    for (size_t nbr = 0; nbr < count; nbr++)
        items [nbr] = (zmq_pollitem_t) {
            zsock_resolve (connections [nbr].socket), 0, ZMQ_POLLIN, 0 };
    zmq_poll (items, (int) count, PAUSE_MS);
    for (size_t nbr = 0; nbr < count; nbr++)
        if (items [nbr].revents & ZMQ_POLLIN)
            free_ones [nbr] = s_receive (&connections [nbr]);
    return busy;
}

int
main (int argc, char *argv [])
{
    if (argc != 6 || (strneq (argv [1], "store") && strneq (argv [1], "check"))) {
        fprintf (stderr, "usage: titanic_load store|check ENDPOINT CONNECTIONS "
                         "SECONDS FILE\n");
        return 2;
    }
    s_storing = streq (argv [1], "store");
    s_endpoint = argv [2];
    size_t count = (size_t) atoi (argv [3]);
    s_file = fopen (argv [5], s_storing? "a": "r");
    connection_t *connections = calloc (count, sizeof (connection_t));
    zmq_pollitem_t *items = calloc (count, sizeof (zmq_pollitem_t));
    bool *free_ones = calloc (count, sizeof (bool));
    if (!s_file || !connections || !items || !free_ones) {
        fprintf (stderr, "titanic_load: cannot open %s\n", argv [5]);
        return 2;
    }
    if (s_storing)
        setlinebuf (s_file);
    for (size_t nbr = 0; nbr < count; nbr++) {
        s_connect (&connections [nbr]);
        free_ones [nbr] = true;
    }
    int64_t begun_ms = s_last_ms = zclock_mono ();
    int64_t end_ms = begun_ms + atoi (argv [4]) * 1000;
    size_t busy = count;
    while (busy && zclock_mono () < end_ms + (s_storing? PATIENCE_MS: 0)
       && !zsys_interrupted)
        busy = s_round (connections, items, count, free_ones,
                        s_storing && zclock_mono () >= end_ms);
    int64_t taken_ms = zclock_mono () - begun_ms;
    printf ("%s: %zu in %" PRId64 " ms, %zu refused, %zu unanswered, %zu wrong, "
            "longest gap %" PRId64 " ms\n", argv [1], s_done, taken_ms,
            s_refused, s_unanswered, s_wrong, s_gap_ms);
    if (!s_storing && busy)
        fprintf (stderr, "titanic_load: replies are missing\n");
    for (size_t nbr = 0; nbr < count; nbr++)
        zsock_destroy (&connections [nbr].socket);
    free (connections);
    free (items);
    free (free_ones);
    fclose (s_file);
    return s_wrong || (!s_storing && (busy || s_done == 0));
}
