/*  =========================================================================
    ordeal - the real programs, killed under load: what its parts share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef ORDEAL_H_INCLUDED
#define ORDEAL_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../daemon/channels.h"
#include "../protocol/mdp.h"

//  Services that are asked and served: service0, service1, ...
#define SERVICES 4

typedef struct {
    channels_t *channels;       //  All sockets
    const char *endpoint;       //  Of the broker
    int64_t heartbeat_ms;       //  Its interval
    int64_t patience_ms;        //  A question that has no answer after so long
                                //  is given up, and its socket with it
    unsigned tries;             //  So often in a row, then that is a failure; 0:
                                //  never
    bool tidy;                  //  Clients of Titanic leave nothing in the store
    channel_t leaving [1024];   //  To be closed when no message is in hand
    size_t leaving_count;
    uint64_t chance;            //  State of the random numbers
    int64_t now_ms;             //  Monotonic
    bool finishing;             //  No new requests: hold all to their promises
    bool failed;                //  A promise was broken
    uint64_t stored;            //  Requests answered 200 with an id
    uint64_t answered;          //  Of them, those whose reply came
    uint64_t closed;            //  Of them, those that were closed
    uint64_t gone;              //  Questions that were given up
    uint64_t refused;           //  Questions that were answered 500
} ordeal_t;

//  Milliseconds on the monotonic clock.
int64_t
    ordeal_clock_ms (void);

//  Make a directory from the template, and find a port of the loopback that nobody
//  has now; 0 after telling, in the program's name, that there is none.
unsigned
    ordeal_ground (const char *name, char *directory);

//  From now on an interrupt is read from this file descriptor.
int
    ordeal_interrupts (void);

//  Tell how it ended. The directory goes, with what servers and their store have
//  put there, unless that may show why it failed. The exit status.
int
    ordeal_verdict (const char *directory, unsigned long long seed, bool failed,
                    bool interrupted);

//  A number from 0 to count - 1.
uint64_t
    ordeal_chance (ordeal_t *self, uint64_t count);

//  A promise was broken: say so.
void
    ordeal_fail (ordeal_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  Nothing more comes from this socket, or goes to it.
void
    ordeal_close (ordeal_t *self, channel_t *channel);

//  A fresh socket in the place of the one before: a peer is a slot.
void
    ordeal_reopen (ordeal_t *self, channel_t slot, channel_t *channel);

//  Send, and take the message. What cannot be sent is lost.
void
    ordeal_send (ordeal_t *self, channel_t channel, message_t *message);

//  --------------------------------------------------------------------------
//  A server as a child process

typedef struct {
    const char *const *arguments;   //  Program first, a NULL last
    const char *log;            //  File that gets what it says
    pid_t pid;                  //  0 while it is not there
    unsigned kills;             //  So far
} server_t;

//  0, or -1 with errno.
int
    server_start (server_t *self);

//  kill -9, and wait for its end.
void
    server_kill (server_t *self);

//  Whether it has ended by itself, with its wait status.
bool
    server_has_ended (server_t *self, int *status);

//  --------------------------------------------------------------------------
//  A worker

typedef struct {
    channel_t slot, channel;
    frame_t *service;
    int64_t heard_ms, sent_ms;
} serving_t;

void
    serving_start (serving_t *self, ordeal_t *ordeal, channel_t slot);
void
    serving_receive (serving_t *self, ordeal_t *ordeal,
                     const message_t *message);
//  Heartbeats, and a fresh socket when the broker is silent.
void
    serving_tick (serving_t *self, ordeal_t *ordeal);
void
    serving_clear (serving_t *self);

//  --------------------------------------------------------------------------
//  A client of Titanic

//  A request that was answered 200 with an id.
typedef struct {
    char id [33];
    uint64_t serial;            //  Of its body, which no other has
    bool answered;              //  Its reply came
    bool closing;               //  A close was asked for
    bool closed;                //  And was answered 200
} errand_t;

//  Errands that are under way at a time.
#define ERRANDS_MAX 8

//  Finished ones, which are looked at again in the end: at most so many; of more
//  every one has the same chance to be among them.
#define KEPT_MAX 2000

typedef struct {
    channel_t slot, channel;
    errand_t errands [ERRANDS_MAX];
    size_t count;
    errand_t *kept;             //  KEPT_MAX: closed, or answered and left
    size_t kept_count;
    uint64_t finished;          //  Errands so far
    uint64_t serial;            //  Bodies so far
    int action;                 //  What it asks for: see caller.c
    errand_t *subject;          //  About this one
    size_t checked;             //  Of kept, in the end
    unsigned vain;              //  Questions in a row that were given up
    int64_t due_ms;             //  When it gives up, or asks again
} caller_t;

//  0, or -1 when memory is out.
int
    caller_start (caller_t *self, channel_t slot);
void
    caller_receive (caller_t *self, ordeal_t *ordeal,
                    const message_t *message);
//  Ask, or give up.
void
    caller_tick (caller_t *self, ordeal_t *ordeal);

//  Finishing: nothing is left to ask.
bool
    caller_is_done (const caller_t *self);
void
    caller_clear (caller_t *self);

#endif
