/*  =========================================================================
    variant - golden messages, spoilt one thing at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef VARIANT_H_INCLUDED
#define VARIANT_H_INCLUDED

#include <czmq.h>

#include "fixture.h"

//  What a message deserves of its receiver: a broker, or a client or worker that
//  gets what the broker has sent.
typedef enum {
    DESERVES_ACCEPT,            //  A well-formed command that may stand there
    DESERVES_DROP,              //  No well-formed command
    DESERVES_DISCONNECT         //  One that this peer has no reason to send
} deserves_t;

const char *
    deserves_text (deserves_t deserves);

typedef struct {
    char *name;                 //  What was done: "frame 2 missing"
    zmsg_t *frames;
    deserves_t deserves;        //  As Majordomo sees it: what MMI and TSP say of a
                                //  well-formed request is not looked at
    char *requirement;          //  Id of the requirement that says so
} variant_t;

typedef struct {
    variant_t *variants;
    size_t count;
} variants_t;

//  All variants of the first example of a message. What each deserves follows from
//  the other messages of MDP, of all versions: one of them, or none.
variants_t
    variants_make (const fixtures_t *fixtures, const golden_t *golden);
void
    variants_clear (variants_t *self);

//  The frames of an example; fresh.
zmsg_t *
    variant_frames (const pattern_t *example);

#endif
