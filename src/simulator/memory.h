/*  =========================================================================
    memory - counts what is allocated, and lets it run out

    The linker puts this between the engines and malloc (--wrap), so that
    neither knows of the other.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MEMORY_H_INCLUDED
#define MEMORY_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

//  Pieces that are allocated now, in the whole program.
size_t
    memory_pieces (void);

//  From now on, while it is armed, let the count-th allocation fail, and only
//  that one; 0 for none.
void
    memory_fail_after (size_t count);

//  Failures happen only between memory_arm (true) and memory_arm (false): in
//  an engine's step.
void
    memory_arm (bool armed);

//  Whether an allocation has failed since this was last asked.
bool
    memory_ran_out (void);

//  What the simulator itself cannot do without: the argument, or the end of
//  the program where it is NULL.
void *
    memory_need (void *piece);

#endif
