/*  =========================================================================
    dice - chance from a seed: the same seed, the same throws

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "dice.h"

#include <assert.h>

//  splitmix64, which any seed will do for
uint64_t
dice_bits (dice_t *self)
{
    self->state += 0x9e3779b97f4a7c15u;
    uint64_t bits = self->state;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

int64_t
dice_between (dice_t *self, int64_t low, int64_t high)
{
    assert (low <= high);
    return low + (int64_t) (dice_bits (self) % (uint64_t) (high - low + 1));
}

size_t
dice_below (dice_t *self, size_t count)
{
    assert (count > 0);
    return (size_t) (dice_bits (self) % count);
}

bool
dice_chance (dice_t *self, unsigned per_mille)
{
    return dice_bits (self) % 1000 < per_mille;
}
