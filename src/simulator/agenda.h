/*  =========================================================================
    agenda - what happens when, on the virtual clock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef AGENDA_H_INCLUDED
#define AGENDA_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  What is to be done. Nothing is ever taken back: number tells a function
//  whether its time has passed.
typedef void (agenda_fn) (void *object, uint64_t number);

typedef struct {
    int64_t at_ms;              //  When
    uint64_t serial;            //  Those for the same time: as they were added
    agenda_fn *fn;
    void *object;               //  First argument, must outlive the agenda
    uint64_t number;            //  Second argument
} agenda_item_t;

//  All zero at first; agenda_clear frees what it has.
typedef struct {
    agenda_item_t *items;       //  A heap
    size_t count;
    size_t capacity;
    uint64_t serial;            //  Items added so far
} agenda_t;

void
    agenda_add (agenda_t *self, int64_t at_ms, agenda_fn *fn, void *object,
                uint64_t number);

//  Take the next item out; false when there is none.
bool
    agenda_next (agenda_t *self, agenda_item_t *item);

void
    agenda_clear (agenda_t *self);

#endif
