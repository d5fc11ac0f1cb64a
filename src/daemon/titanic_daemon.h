/*  =========================================================================
    titanic_daemon - the Titanic server as a process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TITANIC_DAEMON_H_INCLUDED
#define TITANIC_DAEMON_H_INCLUDED

#include "daemon.h"

//  Run a Titanic server with these command-line arguments until SIGTERM or
//  SIGINT; wrap may be NULL. Returns an exit status of daemon.h.
int
    titanic_daemon (int argc, char *argv [], daemon_wrap_fn *wrap);

#endif
