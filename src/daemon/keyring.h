/*  =========================================================================
    keyring - certificates: our own, and those of the peers that we know

    ZeroMQ's CURVE (RFC 26/CurveZMQ) encrypts what goes over a connection and
    proves to each side who the other is. Certificates are files as czmq's zcert
    keeps them: FILE is public, FILE_secret beside it holds the secret key, too.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef KEYRING_H_INCLUDED
#define KEYRING_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  Bytes of a key; characters of it as text (Z85) with the NUL.
#define KEY_SIZE 32
#define KEY_TEXT_SIZE 41

typedef struct _keyring_t keyring_t;

//  A server's side: its certificate with the secret key, and the directory with
//  the public certificates of those that may come in, or "any" for whoever knows
//  the server's public key. NULL with one line for people in error, an array of
//  size bytes.
keyring_t *
    keyring_server_new (const char *certificate, const char *clients,
                      char *error, size_t size);

//  A client's side: its certificate with the secret key, and the server's public
//  one. NULL with one line in error.
keyring_t *
    keyring_client_new (const char *certificate, const char *server,
                      char *error, size_t size);

//  Read a client's certificates again, for sockets that connect from now on. 0, or
//  -1 with one line in error, and then nothing has changed.
int
    keyring_reload (keyring_t *self, const char *certificate,
                    const char *server, char *error, size_t size);

void
    keyring_destroy (keyring_t **self_p);

//  Make a ZeroMQ socket speak CURVE, from its next bind or connect on. 0, or -1
//  with errno.
int
    keyring_apply (keyring_t *self, void *socket);

//  On a server: whether who has this public key may come in. The directory is
//  read again when that was some time ago, so that certificates come and go
//  while the server runs. Not for several threads at a time.
bool
    keyring_admits (keyring_t *self, const unsigned char *key, int64_t now_ms);

//  On a server: how many certificates the directory held when it was last read;
//  where it is, NULL for "any".
size_t
    keyring_known (const keyring_t *self);
const char *
    keyring_clients (const keyring_t *self);

#endif
