/*  =========================================================================
    siege - peers that send whatever comes to their mind: what its parts share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SIEGE_H_INCLUDED
#define SIEGE_H_INCLUDED

#include <signal.h>

#include "ordeal.h"

//  --------------------------------------------------------------------------
//  Hostile peers. Each is a process of its own, all that it does follows from its
//  seed and from what comes back, and it does not end by itself.

//  Services that hostile workers register for: raid0, raid1, ... Those of honest
//  ones they only ask: without keys a worker for them would be as good as any.
#define RAIDS 50

typedef struct {
    const char *endpoint;       //  Of the broker
    unsigned port;              //  The same
    const char *fixtures;       //  Directory of golden messages
    uint64_t seed;
    volatile sig_atomic_t *over;    //  It is to end
    size_t max_message;         //  That the broker takes; sometimes more is sent
    uint64_t dice;              //  State of the random numbers
} foe_t;

//  Over ZeroMQ: messages that forge makes, over many sockets, some of which never
//  read what comes.
void
    raider_run (foe_t *self);

//  Over TCP: garbage, half handshakes, frames longer than anything.
void
    vandal_run (foe_t *self);

//  A number from 0 to count - 1.
uint64_t
    foe_chance (foe_t *self, uint64_t count);

//  --------------------------------------------------------------------------
//  What hostile peers say

//  A message to be sent: frames in exact bytes, which belong to it.
typedef struct {
    struct {
        unsigned char *data;
        size_t size;
    } *frames;
    size_t count;
} words_t;

void
    words_add (words_t *self, const void *data, size_t size);
void
    words_clear (words_t *self);

typedef struct _forge_t forge_t;

//  NULL when there are no golden messages in foe's directory of fixtures.
forge_t *
    forge_new (foe_t *foe);

//  Whatever a hostile peer comes up with, but never a READY for an honest service.
words_t
    forge_words (forge_t *self);

//  Something came: remember addresses and ids that stand in it.
void
    forge_learn (forge_t *self, const words_t *words);

//  --------------------------------------------------------------------------
//  An ordinary client, which must get the right reply to each request

typedef struct {
    uint64_t count;             //  Answers
    int64_t longest_ms;
    uint64_t slots [32];        //  Of less than 2^slot ms
} latency_t;

typedef struct {
    channel_t slot, channel;
    mdp_version_t version;
    bool waiting;               //  For the reply to request number serial
    uint64_t serial;
    unsigned vain;              //  Times that it was asked for already
    int64_t first_ms, sent_ms;  //  When it was asked for, at first and at last
    frame_t *name;              //  Of the service
    char body [64];
} asker_t;

void
    asker_start (asker_t *self, channel_t slot);
void
    asker_receive (asker_t *self, ordeal_t *ordeal, const message_t *message,
                   latency_t *latency);
//  Ask, or ask again.
void
    asker_tick (asker_t *self, ordeal_t *ordeal);
bool
    asker_is_done (const asker_t *self);
void
    asker_clear (asker_t *self);

//  --------------------------------------------------------------------------
//  Whether the broker has got over it: what hostile peers left is gone, and all of
//  its room is there again

typedef struct {
    size_t workers;             //  That must find room
    size_t requests;            //  The same, for one service without workers,
    size_t clients;             //  from so many clients
} room_t;

typedef struct _calm_t calm_t;

calm_t *
    calm_new (channel_t slot, const room_t *room);
void
    calm_destroy (calm_t **self_p);
void
    calm_receive (calm_t *self, ordeal_t *ordeal, channel_t channel,
                  const message_t *message);
void
    calm_tick (calm_t *self, ordeal_t *ordeal);
bool
    calm_is_done (const calm_t *self);

//  What it waits for, for people.
const char *
    calm_text (const calm_t *self);

//  --------------------------------------------------------------------------
//  What a process takes

typedef struct {
    size_t memory_kb;           //  Resident
    size_t files;               //  Open descriptors
} gauge_t;

//  Zeros when there is no such process.
gauge_t
    gauge_process (pid_t pid);

//  Bytes of a file, 0 when it is not there.
size_t
    gauge_file (const char *path);

#endif
