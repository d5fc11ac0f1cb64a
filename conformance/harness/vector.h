/*  =========================================================================
    vector - arrays that grow

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef VECTOR_H_INCLUDED
#define VECTOR_H_INCLUDED

#include <assert.h>
#include <stdlib.h>

//  Append an item to an array of count items that was empty at first. Room
//  doubles whenever count is a power of two, so no capacity is kept. Aborts
//  when memory is out, as czmq does.
#define vector_push(items, count, item)                                     \
    do {                                                                    \
        if (((count) & ((count) - 1)) == 0) {                               \
            (items) = realloc ((items),                                     \
                ((count) ? (count) * 2 : 1) * sizeof *(items));             \
            assert (items);                                                 \
        }                                                                   \
        (items) [(count)++] = (item);                                       \
    } while (0)

#endif
