/*  =========================================================================
    backend - what a store must be able to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef BACKEND_H_INCLUDED
#define BACKEND_H_INCLUDED

#include <stddef.h>

#include "store.h"

//  One way to keep requests. Each function works on the state that open made.
typedef struct {
    //  Open what the rest of the address names. NULL on failure, with the
    //  reason in *result and one line in error.
    void *(*open) (const char *path, store_result_t *result,
                   char *error, size_t size);
    void (*close) (void *self);

    //  Writes stand between begin and commit; commit says whether they are
    //  on disk. After a failure rollback undoes all since begin. begin is NULL
    //  where each write that succeeds is kept at once.
    store_result_t (*begin) (void *self);
    store_result_t (*apply) (void *self, const store_query_t *query);
    store_result_t (*commit) (void *self);
    void (*rollback) (void *self);

    //  Instead of these three: all writes as one commit, or none of them. Fills
    //  in each result, and says whether they are on disk.
    store_result_t (*write) (void *self, const store_query_t *const *queries,
                             size_t count, store_answer_t *answers);

    //  Servers in other processes may use it too, and it keeps their leases and
    //  claims. For other backends store.c does, in memory.
    bool shared;

    //  Fill in records; the answer is cleared by the caller when this fails.
    store_result_t (*read) (void *self, const store_query_t *query,
                            store_answer_t *answer);

    //  Keep to so many bytes; NULL where that is not for us to say.
    void (*limit) (void *self, int64_t max_bytes);

    //  One line about the last failure.
    const char *(*error) (const void *self);
} backend_t;

extern const backend_t backend_memory;
extern const backend_t backend_sqlite;
extern const backend_t backend_postgresql;

//  Append a record to an answer and give it what *_p points to. STORE_FAILED
//  when memory is out.
store_result_t
    answer_append (store_answer_t *self, const request_id_t *id,
                   frame_t **service_p, message_t **body_p);

//  A store that this backend opens at path; for the rest see store_open.
store_t *
    store_new (const backend_t *backend, const char *path,
               store_result_t *result, char *error, size_t size);

#endif
