/*  =========================================================================
    ledger - every stored request, and what was said about it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "peer.h"

void
ledger_clear (ledger_t *self)
{
    entry_t *entry, *next;
    HASH_ITER (hh, self->entries, entry, next) {
        HASH_DEL (self->entries, entry);
        frame_destroy (&entry->service);
        message_destroy (&entry->body);
        message_destroy (&entry->reply);
        free (entry);
    }
}

bool
ledger_put (ledger_t *self, const store_query_t *query)
{
    if (ledger_find (self, &query->id))
        return false;
    entry_t *entry = memory_need (calloc (1, sizeof (entry_t)));
    entry->id = query->id;
    entry->service = frame_ref (query->service);
    entry->body = memory_need (message_slice (query->body, 0));
    HASH_ADD (hh, self->entries, id, sizeof entry->id, entry);
    return true;
}

entry_t *
ledger_find (ledger_t *self, const request_id_t *id)
{
    entry_t *entry;
    HASH_FIND (hh, self->entries, id, sizeof *id, entry);
    return entry;
}

entry_t *
ledger_next_body (ledger_t *self, entry_t *after, const frame_t *service,
                  const message_t *message, size_t body)
{
    entry_t *entry = after? after->hh.next: self->entries;
    for (; entry; entry = entry->hh.next)
        if (peer_same_body (entry->body, 0, message, body)
        &&  frame_equal (entry->service, service))
            break;
    return entry;
}

void
ledger_answered (ledger_t *self, const store_query_t *query)
{
    entry_t *entry = ledger_find (self, &query->id);
    if (entry && !entry->reply)
        entry->reply = memory_need (message_slice (query->body, 0));
}

void
ledger_unsure (ledger_t *self, const request_id_t *id)
{
    entry_t *entry = ledger_find (self, id);
    if (entry)
        entry->unsure = true;
}

void
ledger_closing (ledger_t *self, const request_id_t *id)
{
    entry_t *entry = ledger_find (self, id);
    if (entry)
        entry->closing = true;
}

bool
ledger_has_unsure (const ledger_t *self)
{
    for (const entry_t *entry = self->entries; entry; entry = entry->hh.next)
        if (entry->unsure)
            return true;
    return false;
}
