/*  =========================================================================
    command_run - try a target

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <czmq.h>

#include "trial.h"
#include "vector.h"

static profile_t *
s_read_profile (run_options_t *options, const kit_t *kit)
{
    if (options->endpoint)
        return profile_attach (options->endpoint, options->heartbeat_ms);
    char *path = kit_target_path (kit, options->target? options->target
                                                       : "reference");
    variable_t bin = { "bin", kit->bin };
    variable_t last = { NULL, NULL };
    vector_push (options->variables, options->variable_count, bin);
    vector_push (options->variables, options->variable_count, last);
    profile_t *profile = profile_read (path, options->variables, stderr);
    free (path);
    return profile;
}

//  Another order each seed; the same for the same one on any machine
static void
s_shuffle (const scenario_t **scenarios, size_t count, unsigned seed)
{
    uint64_t state = seed;
    for (size_t left = count; left > 1; left--) {
        //  Knuth's MMIX; the high bits are the random ones
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t other = (size_t) (state >> 33) % left;
        const scenario_t *kept = scenarios [left - 1];
        scenarios [left - 1] = scenarios [other];
        scenarios [other] = kept;
    }
    fprintf (stderr, "seatrial: shuffled; --shuffle %u gives this order again\n",
             seed);
}

int
command_run (int argc, char *argv [])
{
    run_options_t options = { 0 };
    int status = run_options_read (&options, argc, argv);
    if (status >= 0) {
        run_options_clear (&options);
        return status;
    }
    kit_t *kit = kit_new (options.data, stderr);
    profile_t *profile = NULL;
    const scenario_t **scenarios = NULL;
    size_t count = 0;
    status = EXIT_USAGE;
    if (kit && kit->mistakes == 0
    && (profile = s_read_profile (&options, kit))
    && (scenarios = selection_make (options.selection, kit, "run", &count,
                                    stderr))) {
        if (options.shuffle)
            s_shuffle (scenarios, count, options.seed);
        status = options.dry_run
            ? trial_preview (&options, profile, scenarios, count)
            : trial_run (&options, kit, profile, scenarios, count);
    }
    free (scenarios);
    run_options_clear (&options);
    profile_destroy (&profile);
    kit_destroy (&kit);
    return status;
}
