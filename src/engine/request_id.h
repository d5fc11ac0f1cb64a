/*  =========================================================================
    request_id - ids that grow, in UUID version 7 layout

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef REQUEST_ID_H_INCLUDED
#define REQUEST_ID_H_INCLUDED

#include <stdint.h>

#include "../store/store.h"

//  What the last id was made of. All zero at first.
typedef struct {
    int64_t ms;                 //  Time in it, since the Unix epoch
    unsigned count;             //  Within that millisecond, 12 bits
} request_id_clock_t;

//  A new id: 48 bits of time, 12 bits that count up, 62 random bits. Later ones
//  sort later, also when the wall clock stands still or goes back.
request_id_t
    request_id_new (request_id_clock_t *clock, int64_t wall_ms,
                    const uint64_t random [2]);

#endif
