/*  =========================================================================
    nemesis - what goes wrong, and when

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef NEMESIS_H_INCLUDED
#define NEMESIS_H_INCLUDED

#include "sim.h"

//  Throw what the run is like.
void
    nemesis_swarm (sim_t *sim);

//  Faults begin; everything is mended, and there are no more.
void
    nemesis_start (sim_t *sim);
void
    nemesis_heal (sim_t *sim);

#endif
