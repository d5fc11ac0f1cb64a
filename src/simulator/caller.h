/*  =========================================================================
    caller - what simulated clients have in common: one question at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CALLER_H_INCLUDED
#define CALLER_H_INCLUDED

#include "peer.h"

typedef struct _caller_t caller_t;

//  Ask the next question, if there is one: ends in caller_ask, or not.
typedef void (caller_next_fn) (caller_t *self);

//  The answer has come; NULL when it was not waited for any longer.
typedef void (caller_answered_fn) (caller_t *self, const message_t *answer);

struct _caller_t {
    peer_t peer;
    caller_next_fn *next;
    caller_answered_fn *answered;
    mdp_version_t version;
    dealer_t *dealer;           //  NULL while none is open
    frame_t *service;           //  Asked; NULL when no question is open
    message_t *answer;          //  PARTIALs so far
    uint64_t serial;            //  Questions so far: old timers mean nothing
};

void
    caller_init (caller_t *self, sim_t *sim, const peer_type_t *type,
                 size_t number);
void
    caller_clear (caller_t *self);

//  Send a request, and wait for its reply a while. Takes both.
void
    caller_ask (caller_t *self, frame_t *service, message_t *body);

//  For tables of functions: see peer.h.
void
    caller_start (peer_t *peer);
void
    caller_stop (peer_t *peer);
void
    caller_leave (peer_t *peer);
void
    caller_receive (void *object, dealer_t *dealer, message_t **message_p);

#endif
