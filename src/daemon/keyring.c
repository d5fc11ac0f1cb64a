/*  =========================================================================
    keyring - certificates: our own, and those of the peers that we know

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "keyring.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

//  What zcert appends to the name of a file that holds the secret key
//  No certificate is as large as this
#define FILE_MAX_SIZE 65536
#define SECRET_SUFFIX "_secret"

//  The directory is read again after this time, or when reading it takes less
//  than this part of what has gone by: who knocks often must not keep us busy
//  with reading.
#define LOOK_MS 50
#define LOOK_SHARE 20

//  What --curve-clients says for CURVE_ALLOW_ANY
#define ANY "any"

struct _keyring_t {
    zcert_t *own;               //  Our certificate, with the secret key
    bool server;                //  Peers connect to us
    char server_key [KEY_TEXT_SIZE];  //  A client's: that of the server
    char *clients;              //  A server's directory; NULL: anybody
    zhashx_t *keys;             //  Public keys in it, as text
    int64_t looked_ms;          //  When it was last read
    int64_t took_ms;            //  How long that took
};

//  Whether all of the file is for its owner, or its group may read it, and
//  nobody else may do anything.
static bool
s_is_private (const struct stat *status)
{
    return (status->st_mode & (S_IWGRP | S_IRWXO)) == 0;
}

//  Whether the file that has the secret key of a certificate can be used. The
//  secret is in a file beside it, or in the file itself.
static bool
s_check_secret_file (const char *path, char *error, size_t size)
{
    char name [PATH_MAX];
    int length = snprintf (name, sizeof (name), "%s" SECRET_SUFFIX, path);
    bool beside = length > 0 && (size_t) length < sizeof (name)
        && access (name, F_OK) == 0;
    const char *file = beside? name: path;
    struct stat status;
    if (access (file, R_OK) || stat (file, &status)) {
        snprintf (error, size, "cannot read certificate %s: %s; mdpcert makes "
                  "one", file, strerror (errno));
        return false;
    }
    if (!s_is_private (&status)) {
        snprintf (error, size, "cannot use certificate %s: others can read or "
                  "change its secret key; chmod 600 %s", file, file);
        return false;
    }
    return true;
}

//  Whether the secret key is there, and the public one belongs to it.
static bool
s_check_pair (zcert_t *cert, const char *path, char *error, size_t size)
{
    static const unsigned char none [KEY_SIZE];
    if (memcmp (zcert_secret_key (cert), none, sizeof (none)) == 0) {
        snprintf (error, size, "cannot use certificate %s: it has no secret "
                  "key; name the one of this process", path);
        return false;
    }
    char text [KEY_TEXT_SIZE];
    if (zmq_curve_public (text, zcert_secret_txt (cert))
    ||  strcmp (text, zcert_public_txt (cert))) {
        snprintf (error, size, "cannot use certificate %s: its two keys do not "
                  "belong together; make another one with mdpcert", path);
        return false;
    }
    return true;
}

//  Whether czmq can read the file, if it is there. One that it cannot read costs
//  it some memory each time, and we look at the directory again and again.
static bool
s_parses (const char *path, const char *suffix)
{
    char name [PATH_MAX];
    if (snprintf (name, sizeof (name), "%s%s", path, suffix)
        >= (int) sizeof (name))
        return false;
    zchunk_t *text = zchunk_slurp (name, FILE_MAX_SIZE);
    if (!text)
        return true;
    zconfig_t *root = zconfig_chunk_load (text);
    bool parses = root != NULL;
    zchunk_destroy (&text);
    zconfig_destroy (&root);
    return parses;
}

//  The certificate in a file. NULL if there is none in it.
static zcert_t *
s_read (const char *path)
{
    static const unsigned char none [KEY_SIZE];
    zcert_t *cert = s_parses (path, SECRET_SUFFIX) && s_parses (path, "")
        ? zcert_load (path): NULL;
    if (cert && memcmp (zcert_public_key (cert), none, sizeof (none)) == 0)
        zcert_destroy (&cert);
    return cert;
}

//  The certificate in a file. NULL with a line in error.
static zcert_t *
s_load (const char *path, bool secret, char *error, size_t size)
{
    if (secret && !s_check_secret_file (path, error, size))
        return NULL;
    if (!secret && access (path, R_OK)) {
        snprintf (error, size, "cannot read certificate %s: %s; name the "
                  "public one of the broker", path, strerror (errno));
        return NULL;
    }
    zcert_t *cert = s_read (path);
    if (!cert)
        snprintf (error, size, "cannot use certificate %s: there is none in "
                  "it; mdpcert makes one", path);
    else
    if (secret && !s_check_pair (cert, path, error, size))
        zcert_destroy (&cert);
    return cert;
}

//  Something with our own certificate. NULL with a line in error.
static keyring_t *
s_new (const char *certificate, char *error, size_t size)
{
    if (!zmq_has ("curve")) {
        snprintf (error, size, "cannot speak CURVE: this libzmq was built "
                  "without it; use one with libsodium");
        return NULL;
    }
    keyring_t *self = (keyring_t *) calloc (1, sizeof (keyring_t));
    if (!self) {
        snprintf (error, size, "cannot read certificate %s: out of memory; "
                  "free some", certificate);
        return NULL;
    }
    self->own = s_load (certificate, true, error, size);
    if (!self->own)
        keyring_destroy (&self);
    return self;
}

//  All public keys in the directory. NULL, with errno, when it cannot be read.
static zhashx_t *
s_read_clients (const char *directory)
{
    DIR *handle = opendir (directory);
    if (!handle)
        return NULL;
    zhashx_t *keys = zhashx_new ();
    const struct dirent *entry;
    while (keys && (entry = readdir (handle))) {
        char path [PATH_MAX];
        const size_t suffix = strlen (SECRET_SUFFIX);
        size_t length = strlen (entry->d_name);
        if (entry->d_name [0] == '.'
        || (length >= suffix && strcmp (entry->d_name + length - suffix,
                                        SECRET_SUFFIX) == 0)
        ||  snprintf (path, sizeof (path), "%s/%s", directory, entry->d_name)
                >= (int) sizeof (path))
            continue;
        zcert_t *cert = s_read (path);
        if (cert)
            zhashx_insert (keys, zcert_public_txt (cert), keys);
        zcert_destroy (&cert);
    }
    closedir (handle);
    return keys;
}

keyring_t *
keyring_server_new (const char *certificate, const char *clients,
                  char *error, size_t size)
{
    assert (certificate && clients);
    keyring_t *self = s_new (certificate, error, size);
    if (!self)
        return NULL;
    self->server = true;
    if (strcmp (clients, ANY) == 0)
        return self;
    self->clients = strdup (clients);
    errno = ENOMEM;
    if (self->clients)
        self->keys = s_read_clients (clients);
    if (!self->keys) {
        snprintf (error, size, "cannot read certificates in %s: %s; name a "
                  "directory of public certificates, or any", clients,
                  strerror (errno));
        keyring_destroy (&self);
    }
    return self;
}

keyring_t *
keyring_client_new (const char *certificate, const char *server,
                  char *error, size_t size)
{
    assert (certificate && server);
    keyring_t *self = s_new (certificate, error, size);
    if (!self)
        return NULL;
    zcert_t *cert = s_load (server, false, error, size);
    if (cert)
        memcpy (self->server_key, zcert_public_txt (cert), KEY_TEXT_SIZE);
    else
        keyring_destroy (&self);
    zcert_destroy (&cert);
    return self;
}

int
keyring_reload (keyring_t *self, const char *certificate, const char *server,
                char *error, size_t size)
{
    assert (!self->server);
    keyring_t *later = keyring_client_new (certificate, server, error, size);
    if (!later)
        return -1;
    keyring_t before = *self;
    *self = *later;
    *later = before;
    keyring_destroy (&later);
    return 0;
}

void
keyring_destroy (keyring_t **self_p)
{
    assert (self_p);
    keyring_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zcert_destroy (&self->own);
    zhashx_destroy (&self->keys);
    free (self->clients);
    free (self);
}

int
keyring_apply (keyring_t *self, void *socket)
{
    if (zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY,
                        zcert_public_key (self->own), KEY_SIZE)
    ||  zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY,
                        zcert_secret_key (self->own), KEY_SIZE))
        return -1;
    if (!self->server)
        return zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, self->server_key,
                               KEY_TEXT_SIZE - 1);
    int yes = 1;
    return zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &yes, sizeof (yes));
}

//  Read the directory again, if it is time. What cannot be read for want of
//  memory or file descriptors leaves all as it was; a directory that is gone
//  lets nobody in.
static void
s_look (keyring_t *self, int64_t now_ms)
{
    if (now_ms - self->looked_ms < LOOK_MS + self->took_ms * LOOK_SHARE)
        return;
    int64_t begun_ms = zclock_mono ();
    zhashx_t *keys = s_read_clients (self->clients);
    if (!keys && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        keys = zhashx_new ();
    if (keys) {
        zhashx_destroy (&self->keys);
        self->keys = keys;
    }
    self->looked_ms = now_ms;
    self->took_ms = zclock_mono () - begun_ms;
}

bool
keyring_admits (keyring_t *self, const unsigned char *key, int64_t now_ms)
{
    assert (self->server);
    if (!self->clients)
        return true;
    s_look (self, now_ms);
    char text [KEY_TEXT_SIZE];
    zmq_z85_encode (text, key, KEY_SIZE);
    return zhashx_lookup (self->keys, text) != NULL;
}

size_t
keyring_known (const keyring_t *self)
{
    return self->keys? zhashx_size (self->keys): 0;
}

const char *
keyring_clients (const keyring_t *self)
{
    return self->clients;
}
