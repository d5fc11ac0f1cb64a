/*  =========================================================================
    claims - who executes what, where one process has the store to itself

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

typedef struct {
    request_id_t server;        //  Key
    int64_t until_ms;           //  When it runs out
    UT_hash_handle hh;
} lease_entry_t;

typedef struct {
    request_id_t id;            //  Key: of the request
    request_id_t server;        //  Whose it is while that one's lease holds
    UT_hash_handle hh;
} claim_t;

//  Nobody asks for a lease any more that has run out so long ago
#define FORGOTTEN_MS 86400000

struct _claims_t {
    lease_entry_t *leases;      //  By server. One that ran out stays, so that
                                //  its server hears of it
    claim_t *claims;            //  By request
};

claims_t *
claims_new (void)
{
    return (claims_t *) calloc (1, sizeof (claims_t));
}

void
claims_destroy (claims_t **self_p)
{
    assert (self_p);
    if (!*self_p)
        return;
    claims_t *self = *self_p;
    lease_entry_t *lease, *next_lease;
    HASH_ITER (hh, self->leases, lease, next_lease) {
        HASH_DEL (self->leases, lease);
        free (lease);
    }
    claim_t *claim, *next_claim;
    HASH_ITER (hh, self->claims, claim, next_claim) {
        HASH_DEL (self->claims, claim);
        free (claim);
    }
    free (self);
    *self_p = NULL;
}

static lease_entry_t *
s_lease (claims_t *self, const request_id_t *server)
{
    lease_entry_t *lease;
    HASH_FIND (hh, self->leases, server, sizeof *server, lease);
    return lease;
}

static claim_t *
s_claim (claims_t *self, const request_id_t *id)
{
    claim_t *claim;
    HASH_FIND (hh, self->claims, id, sizeof *id, claim);
    return claim;
}

static void
s_forget_leases (claims_t *self, int64_t now_ms)
{
    lease_entry_t *lease, *next;
    HASH_ITER (hh, self->leases, lease, next)
        if (lease->until_ms < now_ms - FORGOTTEN_MS) {
            HASH_DEL (self->leases, lease);
            free (lease);
        }
}

store_result_t
claims_renew (claims_t *self, const request_id_t *server, int64_t lease_ms,
              int64_t now_ms)
{
    lease_entry_t *lease = s_lease (self, server);
    if (lease && lease->until_ms <= now_ms)
        return STORE_UNKNOWN;
    if (!lease) {
        s_forget_leases (self, now_ms);
        lease = (lease_entry_t *) calloc (1, sizeof (lease_entry_t));
        if (!lease)
            return STORE_FAILED;
        lease->server = *server;
        HASH_ADD (hh, self->leases, server, sizeof lease->server, lease);
        if (!lease->hh.tbl) {
            free (lease);
            return STORE_FAILED;
        }
    }
    lease->until_ms = now_ms + lease_ms;
    return STORE_OK;
}

void
claims_release (claims_t *self, const request_id_t *id,
                const request_id_t *server)
{
    claim_t *claim = s_claim (self, id);
    if (claim && memcmp (&claim->server, server, sizeof *server) == 0)
        claims_forget (self, id);
}

void
claims_resign (claims_t *self, const request_id_t *server)
{
    lease_entry_t *lease = s_lease (self, server);
    if (lease) {
        HASH_DEL (self->leases, lease);
        free (lease);
    }
}

bool
claims_take (claims_t *self, const request_id_t *id,
             const request_id_t *server, int64_t now_ms)
{
    claim_t *claim = s_claim (self, id);
    if (claim) {
        const lease_entry_t *lease = s_lease (self, &claim->server);
        if (lease && lease->until_ms > now_ms)
            return false;
        claim->server = *server;
        return true;
    }
    claim = (claim_t *) calloc (1, sizeof (claim_t));
    if (!claim)
        return false;
    claim->id = *id;
    claim->server = *server;
    HASH_ADD (hh, self->claims, id, sizeof claim->id, claim);
    if (claim->hh.tbl)
        return true;
    free (claim);
    return false;
}

void
claims_forget (claims_t *self, const request_id_t *id)
{
    claim_t *claim = s_claim (self, id);
    if (claim) {
        HASH_DEL (self->claims, claim);
        free (claim);
    }
}
