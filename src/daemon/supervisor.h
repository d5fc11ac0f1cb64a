/*  =========================================================================
    supervisor - tells systemd, or whoever has started us, how we are

    The protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.
    Without one all of this does nothing.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SUPERVISOR_H_INCLUDED
#define SUPERVISOR_H_INCLUDED

#include <stdint.h>

//  We serve, from now on or again; we read our settings again, and supervisor_ready
//  follows; we are about to end.
void
    supervisor_ready (void);
void
    supervisor_reloading (void);
void
    supervisor_stopping (void);

//  A sign of life, which is due at least every supervisor_watchdog_ms; that is
//  half of what the supervisor has patience for, INT64_MAX when it has not asked
//  for any.
void
    supervisor_alive (void);
int64_t
    supervisor_watchdog_ms (void);

#endif
