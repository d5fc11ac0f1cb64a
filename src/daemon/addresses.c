/*  =========================================================================
    addresses - which connection has an address that its peer has chosen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "addresses.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

//  A table that cannot grow must not end the process
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

//  One that was chosen, and the connection that has it
typedef struct {
    int handle;                 //  Its file descriptor
    uint64_t cookie;            //  The system's: file descriptors are used again
    UT_hash_handle hh;          //  In addresses_t table, by address
    size_t size;                //  Bytes of address
    unsigned char address [];
} owner_t;

struct _addresses_t {
    owner_t *table;             //  By address
    owner_t **owners;           //  By file descriptor
    int highest;                //  The last one's
};

addresses_t *
addresses_new (int highest)
{
    assert (highest >= 0);
    addresses_t *self = calloc (1, sizeof (addresses_t));
    if (self)
        self->owners = calloc ((size_t) highest + 1, sizeof (owner_t *));
    if (!self || !self->owners) {
        free (self);
        return NULL;
    }
    self->highest = highest;
    return self;
}

static void
s_forget (addresses_t *self, owner_t *owner)
{
    self->owners [owner->handle] = NULL;
    HASH_DEL (self->table, owner);
    free (owner);
}

void
addresses_destroy (addresses_t **self_p)
{
    assert (self_p);
    addresses_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    while (self->table)
        s_forget (self, self->table);
    free (self->owners);
    free (self);
}

//  What no other connection has, and none will have. false where there is no such
//  thing, or no connection.
static bool
s_cookie (int handle, uint64_t *cookie)
{
    socklen_t size = sizeof (*cookie);
    return getsockopt (handle, SOL_SOCKET, SO_COOKIE, cookie, &size) == 0;
}

static void
s_note (addresses_t *self, const void *address, size_t size, int handle,
        uint64_t cookie)
{
    owner_t *owner = calloc (1, sizeof (owner_t) + size);
    if (!owner)
        return;
    owner->handle = handle;
    owner->cookie = cookie;
    owner->size = size;
    memcpy (owner->address, address, size);
    HASH_ADD_KEYPTR (hh, self->table, owner->address, size, owner);
    if (owner->hh.tbl)
        self->owners [handle] = owner;
    else
        free (owner);
}

bool
addresses_any (const addresses_t *self)
{
    return self->table != NULL;
}

int
addresses_heard (addresses_t *self, const void *address, size_t size,
                 int handle)
{
    uint64_t cookie;
    if (handle < 0 || handle > self->highest
    || (!address && !self->owners [handle]) || !s_cookie (handle, &cookie))
        return -1;
    owner_t *owner = self->owners [handle];
    if (owner && owner->cookie == cookie && address && owner->size == size
    &&  memcmp (owner->address, address, size) == 0)
        return -1;
    //  The connection has ended, or had before its last message was read
    if (owner)
        s_forget (self, owner);
    if (!address)
        return -1;
    int loser = -1;
    HASH_FIND (hh, self->table, address, size, owner);
    if (owner) {
        uint64_t theirs;
        if (s_cookie (owner->handle, &theirs) && theirs == owner->cookie)
            loser = owner->handle;
        s_forget (self, owner);
    }
    s_note (self, address, size, handle, cookie);
    return loser;
}
