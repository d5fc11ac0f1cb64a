/*  =========================================================================
    run_options - what the command line of seatrial run says

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef RUN_OPTIONS_H_INCLUDED
#define RUN_OPTIONS_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile.h"
#include "selection.h"

//  Strings are borrowed from the command line; NULL for what was not said.
typedef struct {
    const char *target;
    const char *endpoint;
    int64_t heartbeat_ms;       //  With endpoint
    variable_t *variables;      //  Given with --define
    size_t variable_count;
    selection_t *selection;     //  Which scenarios
    size_t jobs;                //  0: as many as the target's heartbeat allows
    double scale;               //  All times are multiplied by this
    size_t repeat;              //  How often each scenario is run
    bool shuffle;               //  In another order, of this seed
    unsigned seed;
    bool strict, no_isolation, dry_run, fail_fast, verbose;
    const char *baseline;
    const char *write_baseline;
    const char *data;
    const char *format;
    const char *junit;
    const char *json;
    const char *html;
    const char *keep;
    char *const *arguments;     //  The command line itself, for the record
    size_t argument_count;
} run_options_t;

//  Read the command line into options that are all zero. -1 to go on; else an
//  exit status, and all has been said.
int
    run_options_read (run_options_t *self, int argc, char *argv []);

void
    run_options_clear (run_options_t *self);

#endif
