/*  =========================================================================
    ladder - who has most, about

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "ladder.h"

#include <utlist.h>

//  How many bits the amount has.
static unsigned
s_rung (size_t amount)
{
    unsigned rung = 0;
    for (; amount; amount >>= 1)
        rung++;
    return rung;
}

void
ladder_place (ladder_t *self, standing_t *standing, size_t amount)
{
    unsigned rung = s_rung (amount);
    if (rung == standing->rung)
        return;
    if (standing->rung)
        DL_DELETE (self->rungs [standing->rung - 1], standing);
    standing->rung = rung;
    if (rung)
        DL_APPEND (self->rungs [rung - 1], standing);
}

void *
ladder_top (const ladder_t *self)
{
    for (size_t rung = LADDER_RUNGS; rung > 0; rung--)
        if (self->rungs [rung - 1])
            return self->rungs [rung - 1]->owner;
    return NULL;
}
