/*  =========================================================================
    titanic_watch - whether the Titanic server does what it should, step by step

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_WATCH_H_INCLUDED
#define TITANIC_WATCH_H_INCLUDED

#include "machine.h"

typedef struct _titanic_watch_t titanic_watch_t;

titanic_watch_t *
    titanic_watch_new (sim_t *sim, const machine_t *machine);
void
    titanic_watch_destroy (titanic_watch_t **self_p);

//  The server has started: it has no socket.
void
    titanic_watch_start (titanic_watch_t *self);

//  An event is about to go in.
void
    titanic_watch_event (titanic_watch_t *self, const event_t *event);

//  Effects from number first on came of it.
void
    titanic_watch_effects (titanic_watch_t *self, const event_t *event,
                           update_t *update, size_t first);

#endif
