/*  =========================================================================
    port - whether a target can have the port that its profile names

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PORT_H_INCLUDED
#define PORT_H_INCLUDED

#include "profile.h"

//  Without namespaces, somebody else may listen where the target should. NULL when
//  nobody does, or when the target runs already; else one line that names the port;
//  fresh.
char *
    port_obstacle (const profile_t *profile);

#endif
