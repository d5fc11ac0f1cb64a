/*  =========================================================================
    curve - keys of an encrypted connection, CurveZMQ

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "curve.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 32
#define KEY_CHARACTERS 40       //  As Z85

struct _curve_t {
    zcert_t *own;               //  Who we are, with the secret key
    char server_key [KEY_CHARACTERS + 1];   //  Whom we trust
};

//  A certificate that was read from its public file has zeros there
static bool
s_has_secret (zcert_t *cert)
{
    const uint8_t *key = zcert_secret_key (cert);
    for (size_t index = 0; index < KEY_BYTES; index++)
        if (key [index])
            return true;
    return false;
}

int
curve_set (curve_t **self_p, zcert_t *own, const char *server_key)
{
    assert (self_p);
    if (!zsys_has_curve ()) {
        errno = ENOTSUP;
        return -1;
    }
    uint8_t key [KEY_BYTES];
    if (!own || !s_has_secret (own)
    ||  !server_key || strlen (server_key) != KEY_CHARACTERS
    ||  !zmq_z85_decode (key, server_key)) {
        errno = EINVAL;
        return -1;
    }
    curve_t *self = calloc (1, sizeof (curve_t));
    if (self)
        self->own = zcert_dup (own);
    if (!self || !self->own) {
        free (self);
        errno = ENOMEM;
        return -1;
    }
    memcpy (self->server_key, server_key, KEY_CHARACTERS);
    curve_destroy (self_p);
    *self_p = self;
    return 0;
}

void
curve_destroy (curve_t **self_p)
{
    assert (self_p);
    curve_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zcert_destroy (&self->own);
    free (self);
}

void
curve_apply (const curve_t *self, zsock_t *socket)
{
    zcert_apply (self->own, socket);
    zsock_set_curve_serverkey (socket, self->server_key);
}
