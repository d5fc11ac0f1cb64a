/*  =========================================================================
    schedule - how long scenarios take, and how many may run at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "schedule.h"

//  What is awaited comes after about this share of the time that it may take
#define COMES_AFTER 0.05
//  Start and end of processes, and the probe, whatever the heartbeat
#define BASE_MS 200
#define RESTART_MS 200
//  Until its peers have found each other again, in heartbeat intervals
#define RESTART_HB 0.3
//  What a core does side by side at an interval of 100 ms without being late, as
//  measured with the reference pair
#define JOBS_A_CORE 18
#define JOBS_INTERVAL_MS 100

static double
s_unit_ms (const step_t *step, const profile_t *profile)
{
    return (double) (step->expiry? profile->expiry_ms: profile->heartbeat_ms);
}

//  The time that a step names
static double
s_span_ms (const step_t *step, const profile_t *profile)
{
    double ms = step->hb * s_unit_ms (step, profile);
    return ms > step->seconds * 1000? ms: step->seconds * 1000;
}

static double
s_step_ms (const step_t *step, const profile_t *profile);

static double
s_block_ms (const block_t *block, const profile_t *profile)
{
    double ms = 0;
    for (size_t index = 0; index < block->count; index++)
        ms += s_step_ms (&block->steps [index], profile);
    return ms;
}

static bool
s_hopes_for_silence (const step_t *step)
{
    for (size_t index = 0; index < step->choice_count; index++)
        if (step->choices [index].silence)
            return true;
    return false;
}

static double
s_step_ms (const step_t *step, const profile_t *profile)
{
    switch (step->type) {
        case STEP_REPEAT:
            return (double) step->times * s_block_ms (&step->block, profile);
        case STEP_PROCESS:
            return step->action == ACTION_PAUSED? 0
                : RESTART_MS + RESTART_HB * (double) profile->heartbeat_ms;
        case STEP_SILENT:
        case STEP_IDLE:
            return s_span_ms (step, profile);
        case STEP_EXPECT:
            return s_hopes_for_silence (step)
                ? s_span_ms (step, profile)
                : s_span_ms (step, profile) * COMES_AFTER;
        default:
            return s_span_ms (step, profile) * COMES_AFTER;
    }
}

int64_t
schedule_estimate_ms (const scenario_t *scenario, const profile_t *profile,
                      double scale)
{
    return BASE_MS + (int64_t) (scale * s_block_ms (&scenario->block, profile));
}

size_t
schedule_jobs (int64_t heartbeat_ms, double scale, long cores)
{
    double jobs = (double) (cores > 0? cores: 1) * JOBS_A_CORE
                * (double) heartbeat_ms * scale / JOBS_INTERVAL_MS;
    //  Targets that beat faster are rare, and have to be fast themselves
    if (jobs < (double) (cores > 0? cores: 1))
        jobs = (double) (cores > 0? cores: 1);
    return jobs > SCHEDULE_JOBS_MAX? SCHEDULE_JOBS_MAX: (size_t) jobs;
}
