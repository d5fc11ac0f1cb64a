/*  =========================================================================
    trial - scenarios run on a target, judged by what is known, and told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TRIAL_H_INCLUDED
#define TRIAL_H_INCLUDED

#include "command.h"
#include "kit.h"
#include "profile.h"
#include "run_options.h"

//  Run scenarios on a target as the options say, and tell as they say.
exit_t
    trial_run (const run_options_t *options, const kit_t *kit,
               const profile_t *profile, const scenario_t **scenarios,
               size_t count);

//  Say what would be run, and what would be skipped and why.
exit_t
    trial_preview (const run_options_t *options, const profile_t *profile,
                   const scenario_t **scenarios, size_t count);

#endif
