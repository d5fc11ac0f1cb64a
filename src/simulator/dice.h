/*  =========================================================================
    dice - chance from a seed: the same seed, the same throws

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DICE_H_INCLUDED
#define DICE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state;             //  The seed at first
} dice_t;

//  64 random bits.
uint64_t
    dice_bits (dice_t *self);

//  A number from low to high, both included.
int64_t
    dice_between (dice_t *self, int64_t low, int64_t high);

//  A number from 0 to count - 1.
size_t
    dice_below (dice_t *self, size_t count);

//  True so many times in a thousand.
bool
    dice_chance (dice_t *self, unsigned per_mille);

#endif
