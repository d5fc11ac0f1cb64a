/*  =========================================================================
    machine - how much the machine has to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MACHINE_H_INCLUDED
#define MACHINE_H_INCLUDED

#include <stddef.h>

//  What all cores together have done since they were started, in clock ticks.
typedef struct {
    unsigned long long idle;
    unsigned long long total;
} machine_load_t;

//  Zeros where it cannot be known.
machine_load_t
    machine_load (void);

//  The share of the time since then in which cores had nothing to do, 0 to 1; 1 where
//  it cannot be known.
double
    machine_idle (machine_load_t since);

//  How many threads run or wait for a core at this moment, the caller among them; 0
//  where it cannot be known.
size_t
    machine_runnable (void);

//  At least 1.
size_t
    machine_cores (void);

#endif
