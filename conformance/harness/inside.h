/*  =========================================================================
    inside - what the parts of the stage share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef INSIDE_H_INCLUDED
#define INSIDE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <netinet/in.h>
#include <czmq.h>

#include "process.h"
#include "stage.h"
#include "transcript.h"

//  The messages of a version of MDP that the harness itself needs
typedef struct {
    const char *version;
    const golden_t *ready, *request, *reply, *partial, *heartbeat_out, *heartbeat_in,
                   *disconnect_in, *disconnect_out, *client_request,
                   *client_reply;
    //  partial is NULL in versions that have none
    const golden_t *mmi_question, *mmi_answer;  //  NULL without fixtures of MMI
} words_t;

//  Versions of MDP at the most
#define WORDS_MAX 8

//  A reply that a serving worker owes
typedef struct {
    int64_t due_ms;
    zmsg_t *message;
} owed_t;

struct _player_t {
    char *name;                 //  In the transcript
    kind_t kind;
    role_t role;
    const words_t *words;       //  Of the version that it speaks
    over_t over;
    zsock_t *socket;            //  NULL once it is closed, over TCP, of a guest
    int handle;                 //  Over TCP, else -1
    zlist_t *inbox;             //  zmsg_t, not yet looked at
    bool quiet;                 //  Not in the transcript
    bool beating;               //  It is sent, or sends, heartbeats
    int64_t beat_ms;            //  When the next one is due
    bool serving;               //  Echoes requests
    int64_t delay_ms;           //  So long after they came
    owed_t *owed;               //  In order of due time
    size_t owed_count;
    size_t owed_first;          //  Those before are paid
    //  Of a broker
    player_t **guests;
    size_t guest_count;
    bool mute;                  //  No heartbeats to anyone
    zlist_t *offered;           //  char *, services that its mmi.service knows
    bool unmanaged;             //  Its mmi.service answers 501
    bool unanswering;           //  Or nothing
    zlist_t *echoed;            //  Those of them that it serves itself
    zsock_t *monitor;           //  Tells of connections that end
    size_t hangups;             //  Of them those that no guest was found for yet
    size_t arrivals;            //  Messages that were worth telling a script
    char *latest;               //  The last of them
    unsigned long long refused; //  Connections that nobody took, when it closed
    //  Of a guest
    player_t *host;             //  NULL for all others
    zframe_t *address;
    char *socket_type;          //  As ZMTP told it: "DEALER"
    bool heard;                 //  The script has had something from it
    bool gone;                  //  Its connection is no more
    bool left;                  //  Nothing can be sent to it
    bool busy;                  //  It has a request in hand
    char *service;              //  That it registered for; NULL for none
    int64_t heard_ms;           //  When something came from it
};

struct _stage_t {
    stage_config_t config;
    child_t *children [PROCESS_COUNT];  //  NULL if it was never started
    bool wanted [PROCESS_COUNT];        //  Should run
    player_t **players;
    size_t player_count;
    int signals;                //  Tells of children that end
    zmq_pollitem_t *items;      //  As many as players, and one
    int64_t began_us;
    int64_t lag_ms;             //  How late the harness was, at most
    bool slow;                  //  The worker that was started works long
    unsigned probes;            //  Services of probes so far
    unsigned names;             //  Addresses that were made up so far
    unsigned monitors;          //  Sockets that were watched so far
    bool refused;               //  A connection has not come about in time
    size_t beats;               //  Heartbeats in a row in the transcript
    FILE *transcript;
    char *transcript_text;
    size_t transcript_size;
    transcript_t events;        //  The same, for machines
    words_t words [WORDS_MAX];  //  The first are those that there are
    const words_t *spoken;      //  Of the scenario's version
};

//  How long one question of a probe may take at the least
#define PROBE_MS 1000

//  Whether a message has the form of a golden one
bool
    inside_is (const golden_t *golden, zmsg_t *message);

//  A golden message with these arguments.
zmsg_t *
    inside_compose (const golden_t *golden, const term_t *terms, size_t count,
                    captures_t *captures);
term_t
    inside_literal (const char *text);

//  Write what a player sent or got into the transcript; heartbeats in a row are
//  counted.
void
    inside_note_message (stage_t *self, player_t *player, const char *arrow,
                         zmsg_t *message);

//  Write into the transcript that a guest has another name from here on. Entries
//  for machines have it from the start.
void
    inside_note_name (stage_t *self, const char *old, const char *name);

//  "tcp://host:port" to an address; the host is a number or localhost. -1 when
//  it is something else.
int
    inside_parse (const char *endpoint, struct sockaddr_in *address);
//  A connection to it, or -1 with errno.
int
    inside_connect_tcp (const char *endpoint);

//  The words of a version; NULL if there are none.
const words_t *
    inside_words (const stage_t *self, const char *version);

//  Tells of such events of a socket, a message each; NULL if it cannot.
zsock_t *
    inside_monitor (stage_t *self, zsock_t *socket, int events);

//  A player that is not in the transcript, and take one off for good.
player_t *
    inside_enter (stage_t *self, const actor_t *actor, bool quiet);
void
    inside_dismiss (stage_t *self, player_t *player);
void
    inside_player_destroy (player_t **player_p);

//  Wait for something to happen, for at most so long, and take it in.
void
    inside_turn (stage_t *self, int64_t until_ms);

//  How long a process may take to start, and to answer for the first time.
int64_t
    inside_patience_ms (const stage_t *self);

//  Send READY and keep up heartbeats.
void
    inside_ready (stage_t *self, player_t *player, zframe_t *service);

//  ---- The harness as the broker: host.c ------------------------------------

//  Bind the socket of a broker that opens. 0, or -1 with errno.
int
    host_open (stage_t *self, player_t *host);
//  What came to its socket.
void
    host_read (stage_t *self, player_t *host);
//  Heartbeats to its guests; when the next one is due.
int64_t
    host_tend (stage_t *self, player_t *host, int64_t now_ms);
//  Send to a guest; takes the message.
int
    host_send (stage_t *self, player_t *guest, zmsg_t **message_p);
//  Nobody listens any more when it returns.
void
    host_close (stage_t *self, player_t *host);
//  All guests are gone.
void
    host_clear (player_t *host);
//  What a broker has besides other players.
void
    host_destroy (player_t *host);

#endif
