/*  =========================================================================
    mdpcert - makes a certificate for CURVE

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

#include "daemon.h"
#include "options.h"

static const option_t s_table [] = {
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

//  A key that is in use must not be written over.
static int
s_check_free (const char *path)
{
    if (access (path, F_OK)) {
        if (errno == ENOENT)
            return 0;
        fprintf (stderr, "%s: cannot write %s: %s; choose another name\n",
                 program_invocation_short_name, path, strerror (errno));
        return -1;
    }
    fprintf (stderr, "%s: cannot write %s: it is there already; remove it or "
             "choose another name\n", program_invocation_short_name, path);
    return -1;
}

static int
s_make (const char *path)
{
    char secret [PATH_MAX];
    if (snprintf (secret, sizeof (secret), "%s_secret", path)
            >= (int) sizeof (secret)) {
        fprintf (stderr, "%s: cannot write %s: %s; choose a shorter name\n",
                 program_invocation_short_name, path, strerror (ENAMETOOLONG));
        return DAEMON_USAGE;
    }
    if (s_check_free (path) || s_check_free (secret))
        return DAEMON_FAILED;
    zcert_t *cert = zcert_new ();
    if (!cert) {
        fprintf (stderr, "%s: cannot make keys: this libzmq was built without "
                 "CURVE; use one with libsodium\n",
                 program_invocation_short_name);
        return DAEMON_FAILED;
    }
    //  The mode of a file that is made does not depend on zcert alone
    mode_t mask = umask (077);
    errno = 0;
    int rc = zcert_save_secret (cert, secret);
    umask (mask);
    if (rc == 0)
        rc = zcert_save_public (cert, path);
    zcert_destroy (&cert);
    if (rc) {
        fprintf (stderr, "%s: cannot write %s: %s; choose another name\n",
                 program_invocation_short_name, path, strerror (errno));
        return DAEMON_FAILED;
    }
    printf ("%s is for those who are to know it, %s for its owner alone\n",
            path, secret);
    return DAEMON_OK;
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "FILE",
        "Makes a certificate for CURVE: the public FILE, and FILE_secret.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? DAEMON_OK: DAEMON_USAGE;
    int status = DAEMON_USAGE;
    if (options_rest (options) == 1)
        status = s_make (options_argument (options, 0));
    else
        fprintf (stderr, "%s: name one FILE; try --help\n",
                 program_invocation_short_name);
    options_destroy (&options);
    return status;
}
