/*  =========================================================================
    fleet - several Titanic servers as one engine, each at a broker of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef FLEET_H_INCLUDED
#define FLEET_H_INCLUDED

#include <stddef.h>

#include "titanic.h"

//  They share the store as servers on several machines do: what is stored through
//  one is executed where the service is.
typedef struct _fleet_t fleet_t;

//  Most brokers.
#define FLEET_MAX 64

//  So many servers, set up alike, on one store. More than one need a lease, and
//  the first bytes of config's server for their own ids. NULL when memory is out.
fleet_t *
    fleet_new (const titanic_config_t *config, size_t count);
void
    fleet_destroy (fleet_t **self_p);

//  From now on the limits of config hold, titanic_set_limits.
void
    fleet_set_limits (fleet_t *self, const titanic_config_t *config);

//  An engine_step_fn. CHANNEL_BROKER of a channel is the number of its server.
void
    fleet_step (void *engine, const event_t *event, update_t *update);

#endif
