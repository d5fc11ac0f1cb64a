/*  =========================================================================
    schedule - how long scenarios take, and how many may run at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SCHEDULE_H_INCLUDED
#define SCHEDULE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "profile.h"
#include "script.h"

//  The most that may run at once.
#define SCHEDULE_JOBS_MAX 64

//  About how long a scenario takes on a target, from the times in its steps and
//  the processes that it starts again.
int64_t
    schedule_estimate_ms (const scenario_t *scenario, const profile_t *profile,
                          double scale);

//  How many scenarios a machine with so many cores runs side by side without being
//  late. Scenarios mostly wait, and the longer the heartbeat interval, the more of
//  their time.
size_t
    schedule_jobs (int64_t heartbeat_ms, double scale, long cores);

#endif
