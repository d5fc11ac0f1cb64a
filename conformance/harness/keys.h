/*  =========================================================================
    keys - certificates of a trial over CURVE

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef KEYS_H_INCLUDED
#define KEYS_H_INCLUDED

#include <stdbool.h>
#include <stdio.h>
#include <czmq.h>

typedef struct _keys_t keys_t;

//  Fresh certificates, in a new directory with this path: one of the broker, one
//  that the target's other processes share, and one that is the harness's own. Or
//  read the public one of a broker that runs already from a file, and ours from
//  another: server and client, NULL for fresh ones. NULL, with one line in *reason,
//  fresh.
keys_t *
    keys_new (const char *path, const char *server, const char *client,
              char **reason);
void
    keys_destroy (keys_t **self_p);

//  Make a socket of the harness's speak CURVE, before it connects or binds.
void
    keys_connect (keys_t *self, zsock_t *socket);
void
    keys_bind (keys_t *self, zsock_t *socket);

//  Whether a profile may name ${name} for a path of these; write it. broker: the
//  command is that of the broker.
bool
    keys_is_name (const char *name);
void
    keys_put (const keys_t *self, FILE *out, const char *name, bool broker);

#endif
