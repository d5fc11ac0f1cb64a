/*  =========================================================================
    claims - who executes what, where one process has the store to itself

    Several engines in one process may work on one store. Their leases and
    claims need not outlive the process, so they are kept in memory.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CLAIMS_H_INCLUDED
#define CLAIMS_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

typedef struct _claims_t claims_t;

//  NULL when memory is out.
claims_t *
    claims_new (void);
void
    claims_destroy (claims_t **self_p);

//  STORE_RENEW: the lease is new, or holds still, or STORE_UNKNOWN.
store_result_t
    claims_renew (claims_t *self, const request_id_t *server, int64_t lease_ms,
                  int64_t now_ms);

//  STORE_RELEASE of one claim, and of the lease.
void
    claims_release (claims_t *self, const request_id_t *id,
                    const request_id_t *server);
void
    claims_resign (claims_t *self, const request_id_t *server);

//  Claim a request; false when that is done already, or memory is out.
bool
    claims_take (claims_t *self, const request_id_t *id,
                 const request_id_t *server, int64_t now_ms);

//  Nobody waits for the request any more.
void
    claims_forget (claims_t *self, const request_id_t *id);

#endif
