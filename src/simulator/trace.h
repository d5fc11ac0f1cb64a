/*  =========================================================================
    trace - what happens in a run, a line each, for people

    The words are those of src/engine/broker_trace.h, so that a run that fails
    turns into a unit test: what went in, and what the engine GETS sent. A peer
    is its process and the number of its connection, worker2#17.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TRACE_H_INCLUDED
#define TRACE_H_INCLUDED

#include "sim.h"

//  Each does nothing unless the run is traced. who is the server's name.
void
    trace_broker_event (sim_t *sim, const char *who, const event_t *event);
void
    trace_broker_effect (sim_t *sim, const char *who, const effect_t *effect);
void
    trace_titanic_event (sim_t *sim, const char *who, const event_t *event);
void
    trace_titanic_effect (sim_t *sim, const char *who, const effect_t *effect);

#endif
