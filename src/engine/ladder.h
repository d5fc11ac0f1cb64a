/*  =========================================================================
    ladder - who has most, about

    Part of the broker engine. Things stand on rungs by how much they have: each rung
    is for twice as much as the one below. So a step is seldom, and finding one of
    those that have most takes the same time however many there are.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef LADDER_H_INCLUDED
#define LADDER_H_INCLUDED

#include <stddef.h>

//  As many as a size_t has bits.
#define LADDER_RUNGS 64

//  Where something stands. It is part of the thing, which sets owner and leaves the
//  rest to the ladder; all zeros at first.
typedef struct _standing_t {
    struct _standing_t *prev;   //  On the same rung
    struct _standing_t *next;
    unsigned rung;              //  1 and more; 0: on none
    void *owner;                //  The thing
} standing_t;

typedef struct {
    standing_t *rungs [LADDER_RUNGS];   //  On each, who came first
} ladder_t;

//  Put something where it belongs now that it has so much; away, when that is 0.
void
    ladder_place (ladder_t *self, standing_t *standing, size_t amount);

//  The owner of what stands on the highest rung and has been there longest; what has
//  most has less than twice as much. NULL when there is none.
void *
    ladder_top (const ladder_t *self);

#endif
