/*  =========================================================================
    lease - a server's right to what it has claimed in a shared store

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "lease.h"

//  Renewals in the time that a lease holds: two may fail
#define RENEWALS 3

void
lease_init (lease_t *self, const request_id_t *server, int64_t lease_ms,
            int64_t retry_ms)
{
    *self = (lease_t) { .server = *server, .lease_ms = lease_ms,
                        .retry_ms = retry_ms };
}

bool
lease_is_shared (const lease_t *self)
{
    return self->lease_ms > 0;
}

bool
lease_holds (const lease_t *self, int64_t now_ms)
{
    return !lease_is_shared (self) || now_ms < self->until_ms;
}

bool
lease_is_due (const lease_t *self, int64_t now_ms)
{
    return now_ms >= lease_deadline (self);
}

void
lease_renew (lease_t *self, int64_t now_ms, uint64_t ticket, update_t *update)
{
    store_query_t query = { .type = STORE_RENEW, .ticket = ticket,
        .server = self->server, .lease_ms = self->lease_ms };
    self->ticket = ticket;
    self->asked_ms = now_ms;
    update_write (update, &query);
}

bool
lease_renewed (lease_t *self, int64_t now_ms, store_result_t result)
{
    self->ticket = 0;
    if (result == STORE_UNKNOWN) {
        lease_begin_anew (self, now_ms);
        self->renew_ms = now_ms;
        return false;
    }
    int64_t pause_ms = self->lease_ms / RENEWALS;
    if (result == STORE_OK)
        self->until_ms = self->asked_ms + self->lease_ms;
    else
    if (pause_ms > self->retry_ms)
        pause_ms = self->retry_ms;
    self->renew_ms = now_ms + pause_ms;
    return true;
}

void
lease_begin_anew (lease_t *self, int64_t now_ms)
{
    size_t place = sizeof self->server.bytes;
    while (place > 0 && ++self->server.bytes [place - 1] == 0)
        place--;
    self->ticket = 0;
    self->until_ms = 0;
    //  Most often the store cannot be asked now
    self->renew_ms = now_ms + self->retry_ms;
}

int
lease_release (const lease_t *self, const request_id_t *id, uint64_t ticket,
               update_t *update)
{
    store_query_t query = { .type = STORE_RELEASE, .ticket = ticket,
                            .id = *id, .server = self->server };
    return update_write (update, &query);
}

void
lease_resign (lease_t *self, uint64_t ticket, update_t *update)
{
    static const request_id_t all;
    lease_release (self, &all, ticket, update);
    self->ticket = 0;
    self->until_ms = 0;
    self->renew_ms = INT64_MAX;
}

int64_t
lease_deadline (const lease_t *self)
{
    if (!lease_is_shared (self))
        return INT64_MAX;
    //  A query that memory ran out for gets no answer
    return self->ticket? self->asked_ms + self->lease_ms: self->renew_ms;
}
