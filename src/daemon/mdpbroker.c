/*  =========================================================================
    mdpbroker - a Majordomo broker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stddef.h>

#include "broker_daemon.h"

int
main (int argc, char *argv [])
{
    return broker_daemon (argc, argv, NULL);
}
