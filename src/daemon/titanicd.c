/*  =========================================================================
    titanicd - the Titanic server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stddef.h>

#include "titanic_daemon.h"

int
main (int argc, char *argv [])
{
    return titanic_daemon (argc, argv, NULL);
}
