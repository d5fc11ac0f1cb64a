/*  =========================================================================
    ledger - every stored request, and what was said about it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef LEDGER_H_INCLUDED
#define LEDGER_H_INCLUDED

#include <uthash.h>

#include "sim.h"

//  A request that Titanic has given to the store.
typedef struct {
    request_id_t id;            //  Key
    frame_t *service;
    message_t *body;
    bool acknowledged;          //  200 and the id have left
    bool closing;               //  The store was asked to drop it
    bool closed;                //  200 to a close has left
    bool unsure;                //  A write that failed may have been done
    message_t *reply;           //  That was stored first; NULL while there is none
    request_id_t holder;        //  Who has claimed it last; all zero: nobody
    bool orphan;                //  The store has lost a claim on it
    struct _line_t *out;        //  Executions of it at brokers now: see
                                //  titanic_watch.c
    UT_hash_handle hh;          //  By id
} entry_t;

struct _ledger_t {
    entry_t *entries;           //  In the order in which they came
};

void
    ledger_clear (ledger_t *self);

//  A request goes to the store. False when the id was there before.
bool
    ledger_put (ledger_t *self, const store_query_t *query);

//  NULL when there is none.
entry_t *
    ledger_find (ledger_t *self, const request_id_t *id);

//  The next after one, NULL for the first, that asks just this of this service;
//  NULL when there is none. A REQUEST to titanic.request that was given to a
//  second worker is stored twice.
entry_t *
    ledger_next_body (ledger_t *self, entry_t *after, const frame_t *service,
                      const message_t *message, size_t body);

//  The store has a reply. It stays the reply, whatever comes later.
void
    ledger_answered (ledger_t *self, const store_query_t *query);

//  The store is asked to drop this id.
void
    ledger_closing (ledger_t *self, const request_id_t *id);

//  A write for this id failed, and was carried out all the same.
void
    ledger_unsure (ledger_t *self, const request_id_t *id);

bool
    ledger_has_unsure (const ledger_t *self);

#endif
