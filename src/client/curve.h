/*  =========================================================================
    curve - keys of an encrypted connection, CurveZMQ

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CURVE_H_INCLUDED
#define CURVE_H_INCLUDED

#include <czmq.h>

typedef struct _curve_t curve_t;

//  Exchange *self_p, which may be NULL, for new keys: our own certificate with
//  its secret key, of which a copy is made, and the server's public key as 40
//  characters of Z85. 0, or -1 and nothing is changed: errno EINVAL when these
//  are no keys, ENOTSUP when libzmq was built without CURVE, ENOMEM.
int
    curve_set (curve_t **self_p, zcert_t *own, const char *server_key);

void
    curve_destroy (curve_t **self_p);

//  Have a socket use the keys; before it connects.
void
    curve_apply (const curve_t *self, zsock_t *socket);

#endif
