/*  =========================================================================
    lease - a server's right to what it has claimed in a shared store

    A server that cannot know what it has claimed, since the store did not
    answer, or that was away for too long, does not find out: it lets the lease
    run out, with all claims, and begins a new one under another id.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef LEASE_H_INCLUDED
#define LEASE_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

typedef struct {
    request_id_t server;        //  Whose it is; another one with each lease
    int64_t lease_ms;           //  How long it holds unless it is renewed; 0: the
                                //  store is ours alone, and there is none
    int64_t retry_ms;           //  After a renewal that failed
    int64_t until_ms;           //  It holds up to then, by our clock
    int64_t renew_ms;           //  When to renew it
    int64_t asked_ms;           //  When the renewal under way began
    uint64_t ticket;            //  Of that; 0 for none
} lease_t;

//  All zero stands for a store that is ours alone.
void
    lease_init (lease_t *self, const request_id_t *server, int64_t lease_ms,
                int64_t retry_ms);

//  Whether there are others at the store.
bool
    lease_is_shared (const lease_t *self);

//  Whether something may be claimed, and what was claimed be sent.
bool
    lease_holds (const lease_t *self, int64_t now_ms);

//  Renew it when that is due, under this ticket.
bool
    lease_is_due (const lease_t *self, int64_t now_ms);
void
    lease_renew (lease_t *self, int64_t now_ms, uint64_t ticket,
                 update_t *update);

//  The store has answered a renewal; false when all claims are lost.
bool
    lease_renewed (lease_t *self, int64_t now_ms, store_result_t result);

//  Let it run out, with all claims, and begin another.
void
    lease_begin_anew (lease_t *self, int64_t now_ms);

//  Give one claim back, which fails with -1 when memory is out; all, for good.
int
    lease_release (const lease_t *self, const request_id_t *id,
                   uint64_t ticket, update_t *update);
void
    lease_resign (lease_t *self, uint64_t ticket, update_t *update);

//  When the next renewal is due.
int64_t
    lease_deadline (const lease_t *self);

#endif
