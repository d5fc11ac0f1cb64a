/*  =========================================================================
    reload - settings that are read again while a server runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef RELOAD_H_INCLUDED
#define RELOAD_H_INCLUDED

#include "options.h"

//  Read the settings file again that the command line names. The new settings;
//  those that are not in live, which ends with NULL, take a restart. NULL when the
//  file is wrong: all stays as it is. Says in one line on stderr what was done, and
//  also, which may be "" and begins with a space if not.
options_t *
    reload_options (const options_t *self, int argc, char *argv [],
                    const option_t *table, const char *const *live,
                    const char *also);

#endif
