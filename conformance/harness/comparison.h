/*  =========================================================================
    comparison - a message, frame by frame, beside what was expected

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef COMPARISON_H_INCLUDED
#define COMPARISON_H_INCLUDED

#include "result.h"
#include "script.h"

//  Compare a message with the choice that it comes nearest to, and put the pairs
//  of frames into the result. Without choices, or with silence alone, every frame
//  is too much. Captures are those at this time; they stay as they are.
void
    comparison_make (result_t *result, const choice_t *choices, size_t count,
                     zmsg_t *message, captures_t *captures);

//  The forms that will do, as text that the caller frees.
char *
    comparison_expected (const choice_t *choices, size_t count);

#endif
