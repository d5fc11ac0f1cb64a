/*  =========================================================================
    broker_watch - whether the broker does what it should, step by step

    A second, simple-minded account of workers and requests, which knows what
    must follow from an event, and compares it with what the engine wants done.
    It is slow where the engine is quick, so that they do not err together.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BROKER_WATCH_H_INCLUDED
#define BROKER_WATCH_H_INCLUDED

#include "machine.h"

typedef struct _broker_watch_t broker_watch_t;

broker_watch_t *
    broker_watch_new (sim_t *sim, const machine_t *machine);
void
    broker_watch_destroy (broker_watch_t **self_p);

//  The broker has started: it knows nobody.
void
    broker_watch_start (broker_watch_t *self);

//  An event is about to go in.
void
    broker_watch_event (broker_watch_t *self, const event_t *event);

//  Effects from number first on came of it.
void
    broker_watch_effects (broker_watch_t *self, const event_t *event,
                          update_t *update, size_t first);

#endif
