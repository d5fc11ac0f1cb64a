/*  =========================================================================
    play - carries out a scenario on a stage and gives its verdict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PLAY_H_INCLUDED
#define PLAY_H_INCLUDED

#include "result.h"
#include "script.h"
#include "stage.h"

//  The reason begins so when the target did not come that far as to take a step.
#define PLAY_AT_START "at the start: "

//  Start the target, carry out all steps, probe the target's services, and put
//  verdict, reason, step, frames, requirements, transcript and output into the
//  result. Processes that run at the end are ended by stage_destroy.
void
    play_scenario (const scenario_t *scenario, stage_t *stage,
                   const profile_t *profile, result_t *result);

#endif
