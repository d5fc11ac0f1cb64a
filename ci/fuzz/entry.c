/*  =========================================================================
    entry - the door that libFuzzer comes in by

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const fuzz_target_t *s_target;

//  One program for all targets; FUZZ_TARGET names the one
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    const char *name = getenv ("FUZZ_TARGET");
    s_target = fuzz_find (name? name: "");
    if (!s_target) {
        fprintf (stderr, "fuzzer: set FUZZ_TARGET to one of the targets\n");
        exit (2);
    }
    return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    s_target->run (data, size);
    return 0;
}
