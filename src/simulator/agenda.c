/*  =========================================================================
    agenda - what happens when, on the virtual clock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "agenda.h"

#include <stdlib.h>

#include "memory.h"

static bool
s_before (const agenda_item_t *one, const agenda_item_t *other)
{
    return one->at_ms < other->at_ms
        || (one->at_ms == other->at_ms && one->serial < other->serial);
}

void
agenda_add (agenda_t *self, int64_t at_ms, agenda_fn *fn, void *object,
            uint64_t number)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity? self->capacity * 2: 256;
        self->items = memory_need (realloc (
            self->items, self->capacity * sizeof (agenda_item_t)));
    }
    agenda_item_t item = { at_ms, ++self->serial, fn, object, number };
    size_t place = self->count++;
    while (place > 0 && s_before (&item, &self->items [(place - 1) / 2])) {
        self->items [place] = self->items [(place - 1) / 2];
        place = (place - 1) / 2;
    }
    self->items [place] = item;
}

bool
agenda_next (agenda_t *self, agenda_item_t *item)
{
    if (self->count == 0)
        return false;
    *item = self->items [0];
    agenda_item_t last = self->items [--self->count];
    size_t place = 0;
    for (;;) {
        size_t child = place * 2 + 1;
        if (child >= self->count)
            break;
        if (child + 1 < self->count
        &&  s_before (&self->items [child + 1], &self->items [child]))
            child++;
        if (!s_before (&self->items [child], &last))
            break;
        self->items [place] = self->items [child];
        place = child;
    }
    self->items [place] = last;
    return true;
}

void
agenda_clear (agenda_t *self)
{
    free (self->items);
    *self = (agenda_t) { 0 };
}
