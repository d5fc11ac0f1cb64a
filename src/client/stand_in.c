/*  =========================================================================
    stand_in - a broker with a script, for tests of clients

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "stand_in.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

//  Nothing takes so long
#define PATIENCE_MS 10000

struct _stand_in_t {
    zactor_t *actor;            //  Its pipe brings what was heard
    char *endpoint;
};

//  What the thread knows
typedef struct {
    const char *const *script;  //  From the next line on
    zcert_t *cert;              //  NULL for none
    zsock_t *pipe;
    zsock_t *router;
    zmsg_t *held;               //  A whole request that "~" keeps
} thread_t;

char *
stand_in_text (zmsg_t *message)
{
    zchunk_t *chunk = zchunk_new (NULL, 64);
    bool first = true;
    for (zframe_t *frame = zmsg_first (message); frame;
         frame = zmsg_next (message)) {
        if (!first)
            zchunk_extend (chunk, "|", 1);
        first = false;
        zchunk_extend (chunk, zframe_data (frame), zframe_size (frame));
    }
    char *text = zchunk_strdup (chunk);
    zchunk_destroy (&chunk);
    return text;
}

zmsg_t *
stand_in_message (const char *text)
{
    zmsg_t *message = zmsg_new ();
    for (;;) {
        size_t size = strcspn (text, "|");
        zmsg_addmem (message, text, size);
        if (text [size] == 0)
            return message;
        text += size + 1;
    }
}

//  Answer a request with frames. In both versions the service is frame 3, after
//  address, empty and header in 0.1, or address, header and command in 0.2.
static void
s_send (thread_t *self, zmsg_t *request, unsigned char command, zmsg_t *body)
{
    zmsg_t *message = zmsg_dup (body);
    zframe_t *address = zframe_dup (zmsg_first (request));
    bool old = zframe_size (zmsg_next (request)) == 0;
    zmsg_next (request);        //  Header, or command
    zframe_t *service = zmsg_next (request);
    zmsg_pushmem (message, zframe_data (service), zframe_size (service));
    if (!old)
        zmsg_pushmem (message, &command, 1);
    zmsg_pushstr (message, old? "MDPC01": "MDPC02");
    if (old)
        zmsg_pushmem (message, NULL, 0);
    zmsg_prepend (message, &address);
    zmsg_send (&message, self->router);
}

//  The body of a request
static zmsg_t *
s_body (zmsg_t *request)
{
    zmsg_t *body = zmsg_dup (request);
    for (int frames = 0; frames < 4; frames++) {
        zframe_t *frame = zmsg_pop (body);
        zframe_destroy (&frame);
    }
    return body;
}

static void
s_echo (thread_t *self, zmsg_t *request)
{
    zmsg_t *body = s_body (request);
    s_send (self, request, 3, body);
    zmsg_destroy (&body);
}

static void
s_send_strange (thread_t *self, zmsg_t *request)
{
    static const char *const strange [] = {
        "", "junk|junk", "|MDPC01", "|MDPC01|other|x", "MDPC02|\3|other|x",
        "MDPC02|\3", "|MDPC99|echo|x", "MDPC02|\7|echo|x"
    };
    for (size_t nbr = 0; nbr < sizeof strange / sizeof strange [0]; nbr++) {
        zmsg_t *message = stand_in_message (strange [nbr]);
        zframe_t *address = zframe_dup (zmsg_first (request));
        zmsg_prepend (message, &address);
        zmsg_send (&message, self->router);
    }
}

//  Play the next line; true when the one after it is to be played too
static bool
s_play (thread_t *self, zmsg_t **request_p)
{
    const char *line = *self->script;
    if (line && strneq (line, "."))
        self->script++;
    if (!line)
        s_echo (self, *request_p);
    else
    if (streq (line, "!")) {
        s_send_strange (self, *request_p);
        return true;
    }
    else
    if (streq (line, "~")) {
        self->held = *request_p;
        *request_p = NULL;
        return false;
    }
    else
    if (strneq (line, "-") && strneq (line, ".")) {
        zmsg_t *body = stand_in_message (line + (*line == '>'));
        s_send (self, *request_p, *line == '>'? 2: 3, body);
        zmsg_destroy (&body);
    }
    return line && *line == '>';
}

static void
s_handle (thread_t *self)
{
    zmsg_t *request = zmsg_recv (self->router);
    if (!request)
        return;
    zmsg_t *heard = s_body (request);
    zframe_t *service = zmsg_first (request);
    for (int frames = 0; frames < 3; frames++)
        service = zmsg_next (request);
    zmsg_pushmem (heard, zframe_data (service), zframe_size (service));
    char *text = stand_in_text (heard);
    zstr_send (self->pipe, text);
    zstr_free (&text);
    zmsg_destroy (&heard);
    zmsg_t *held = self->held;
    self->held = NULL;
    while (s_play (self, &request));
    if (held)
        s_echo (self, held);
    zmsg_destroy (&held);
    zmsg_destroy (&request);
}

static void
s_run (zsock_t *pipe, void *arguments)
{
    thread_t self = *(thread_t *) arguments;
    self.pipe = pipe;
    self.router = zsock_new (ZMQ_ROUTER);
    //  libzmq 4.3.4 aborts when a client goes away in the middle of a message of
    //  thousands of frames while the socket drops the rest of it
    zsock_set_linger (self.router, PATIENCE_MS);
    if (self.cert) {
        zcert_apply (self.cert, self.router);
        zsock_set_curve_server (self.router, 1);
    }
    int port = zsock_bind (self.router, "tcp://127.0.0.1:*");
    assert (port > 0);
    zsock_signal (pipe, 0);
    zstr_sendf (pipe, "tcp://127.0.0.1:%d", port);
    zpoller_t *poller = zpoller_new (pipe, self.router, NULL);
    while (zpoller_wait (poller, -1) == self.router)
        s_handle (&self);
    zpoller_destroy (&poller);
    zmsg_destroy (&self.held);
    zsock_destroy (&self.router);
}

stand_in_t *
stand_in_new (const char *const *script, zcert_t *cert)
{
    thread_t arguments = { .script = script, .cert = cert };
    stand_in_t *self = calloc (1, sizeof (stand_in_t));
    assert (self);
    self->actor = zactor_new (s_run, &arguments);
    assert (self->actor);
    self->endpoint = zstr_recv (self->actor);
    zsock_set_rcvtimeo (self->actor, PATIENCE_MS);
    return self;
}

void
stand_in_destroy (stand_in_t **self_p)
{
    stand_in_t *self = *self_p;
    *self_p = NULL;
    zactor_destroy (&self->actor);
    zstr_free (&self->endpoint);
    free (self);
}

const char *
stand_in_endpoint (const stand_in_t *self)
{
    return self->endpoint;
}

char *
stand_in_heard (stand_in_t *self)
{
    return zstr_recv (self->actor);
}
