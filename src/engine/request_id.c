/*  =========================================================================
    request_id - ids that grow, in UUID version 7 layout

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>

#include "request_id.h"

#define COUNT_MAX 0xfff

request_id_t
request_id_new (request_id_clock_t *clock, int64_t wall_ms,
                const uint64_t random [2])
{
    if (wall_ms > clock->ms) {
        clock->ms = wall_ms;
        //  Half of the room is left to count up in
        clock->count = (unsigned) (random [1] & (COUNT_MAX / 2));
    }
    else
    if (++clock->count > COUNT_MAX) {
        clock->ms++;
        clock->count = 0;
    }
    request_id_t id;
    for (int index = 0; index < 6; index++)
        id.bytes [index] = (unsigned char) (clock->ms >> (40 - index * 8));
    id.bytes [6] = (unsigned char) (0x70 | clock->count >> 8);
    id.bytes [7] = (unsigned char) clock->count;
    memcpy (id.bytes + 8, random, 8);
    id.bytes [8] = (unsigned char) ((id.bytes [8] & 0x3f) | 0x80);
    return id;
}
