/*  =========================================================================
    kit - catalogue, fixtures and scenarios, all loaded and checked

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef KIT_H_INCLUDED
#define KIT_H_INCLUDED

#include <stdio.h>

#include "catalogue.h"
#include "fixture.h"
#include "script.h"

typedef struct {
    char *directory;            //  Where spec/, fixtures/, conformance/ are
    char *bin;                  //  Where this program is
    catalogue_t *catalogue;
    fixtures_t *fixtures;
    script_t *script;
    int mistakes;               //  Found while loading, all told on errors
} kit_t;

//  Load everything. The data are in the given directory; without one, where
//  $SEATRIAL_DATA says, beside this program (a build tree), or where they were
//  installed. NULL, after one line on errors, when there are none.
kit_t *
    kit_new (const char *directory, FILE *errors);
void
    kit_destroy (kit_t **self_p);

//  The file of a target: a path, or the NAME of conformance/targets/NAME.zpl;
//  fresh.
char *
    kit_target_path (const kit_t *self, const char *target);

//  Complain of what is wrong with the whole: requirements that no scenario
//  proves although the catalogue says that one can. Returns how many.
int
    kit_check_coverage (const kit_t *self, FILE *errors);

#endif
