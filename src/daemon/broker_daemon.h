/*  =========================================================================
    broker_daemon - the broker as a process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BROKER_DAEMON_H_INCLUDED
#define BROKER_DAEMON_H_INCLUDED

#include "daemon.h"

//  Run a broker until SIGTERM or SIGINT. Returns the exit status.
int
    broker_daemon (int argc, char *argv [], daemon_wrap_fn *wrap);

#endif
