/*  =========================================================================
    keys - certificates of a trial over CURVE

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <czmq.h>

#include "keys.h"

//  What is in the directory. Names end as czmq and pyzmq both like it.
#define BROKER "broker.key"
#define SERVER "server.key"
#define TARGET "target.key"
#define CLIENTS "clients"

struct _keys_t {
    char *path;                 //  The directory
    zcert_t *broker;            //  Without its secret key if it runs already
    zcert_t *harness;
};

//  Save a certificate as path/name; 0, or -1
static int
s_save (const keys_t *self, int (*save) (zcert_t *, const char *), zcert_t *cert,
        const char *name)
{
    char *file = zsys_sprintf ("%s/%s", self->path, name);
    int rc = save (cert, file);
    free (file);
    return rc;
}

static int
s_save_all (keys_t *self)
{
    zcert_t *target = zcert_new ();
    char *clients = zsys_sprintf ("%s/" CLIENTS, self->path);
    int rc = !target || mkdir (self->path, 0755) || mkdir (clients, 0755)
        || s_save (self, zcert_save, self->broker, BROKER)
        //  The others are not to find the secret key beside it
        || s_save (self, zcert_save_public, self->broker, SERVER)
        || s_save (self, zcert_save, target, TARGET)
        || s_save (self, zcert_save_public, target, CLIENTS "/" TARGET)
        || s_save (self, zcert_save_public, self->harness,
                   CLIENTS "/harness.key")? -1: 0;
    free (clients);
    zcert_destroy (&target);
    return rc;
}

static zcert_t *
s_load (const char *file, char **reason)
{
    zcert_t *cert = zcert_load (file);
    if (!cert)
        *reason = zsys_sprintf ("cannot read the certificate %s", file);
    return cert;
}

keys_t *
keys_new (const char *path, const char *server, const char *client,
          char **reason)
{
    if (!zsys_has_curve ()) {
        *reason = strdup ("this libzmq was built without CURVE");
        return NULL;
    }
    keys_t *self = (keys_t *) zmalloc (sizeof (keys_t));
    self->path = strdup (path);
    self->broker = server? s_load (server, reason): zcert_new ();
    if (self->broker)
        self->harness = client? s_load (client, reason): zcert_new ();
    if (!self->harness) {
        keys_destroy (&self);
        return NULL;
    }
    if (!server && s_save_all (self)) {
        *reason = zsys_sprintf ("cannot make certificates in %s: %s", path,
                                strerror (errno));
        keys_destroy (&self);
    }
    return self;
}

void
keys_destroy (keys_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        keys_t *self = *self_p;
        zcert_destroy (&self->broker);
        zcert_destroy (&self->harness);
        free (self->path);
        free (self);
        *self_p = NULL;
    }
}

void
keys_connect (keys_t *self, zsock_t *socket)
{
    zcert_apply (self->harness, socket);
    zsock_set_curve_serverkey (socket, zcert_public_txt (self->broker));
}

//  Whoever knows the broker's public key may come in: what is tried is told no
//  other
void
keys_bind (keys_t *self, zsock_t *socket)
{
    zcert_apply (self->broker, socket);
    zsock_set_curve_server (socket, 1);
}

bool
keys_is_name (const char *name)
{
    return streq (name, "curve-cert") || streq (name, "curve-server")
        || streq (name, "curve-clients");
}

void
keys_put (const keys_t *self, FILE *out, const char *name, bool broker)
{
    fprintf (out, "%s/%s", self->path,
             streq (name, "curve-server")? SERVER
             : streq (name, "curve-clients")? CLIENTS
             : broker? BROKER: TARGET);
}
