/*  =========================================================================
    store - where Titanic keeps its requests and replies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

struct _store_t {
    const backend_t *backend;
    void *state;                //  Of the backend
};

static const char *s_result_texts [] = {
    [STORE_OK] = "ok",
    [STORE_UNKNOWN] = "no such request",
    [STORE_FULL] = "no space left",
    [STORE_LOCKED] = "another server has it open",
    [STORE_FAILED] = "failed"
};

const char *
store_result_text (store_result_t result)
{
    return s_result_texts [result];
}

void
store_query_clear (store_query_t *self)
{
    frame_destroy (&self->service);
    message_destroy (&self->body);
}

void
store_answer_clear (store_answer_t *self)
{
    for (size_t index = 0; index < self->record_count; index++) {
        frame_destroy (&self->records [index].service);
        message_destroy (&self->records [index].body);
    }
    free (self->records);
    self->records = NULL;
    self->record_count = 0;
}

store_result_t
answer_append (store_answer_t *self, const request_id_t *id,
               frame_t **service_p, message_t **body_p)
{
    store_record_t *records = (store_record_t *) realloc (self->records,
        (self->record_count + 1) * sizeof (store_record_t));
    if (!records) {
        frame_destroy (service_p);
        message_destroy (body_p);
        return STORE_FAILED;
    }
    self->records = records;
    records [self->record_count++] =
        (store_record_t) { *id, *service_p, *body_p };
    *service_p = NULL;
    *body_p = NULL;
    return STORE_OK;
}

store_t *
store_open (const char *address, store_result_t *result,
            char *error, size_t size)
{
    store_t *self = (store_t *) calloc (1, sizeof (store_t));
    if (!self) {
        *result = STORE_FAILED;
        snprintf (error, size, "out of memory");
        return NULL;
    }
    const char *path = address;
    self->backend = &backend_sqlite;
    if (strcmp (address, "memory:") == 0)
        self->backend = &backend_memory;
    else
    if (strncmp (address, "sqlite:", 7) == 0)
        path = address + 7;
    else
    if (strstr (address, "://")) {
        *result = STORE_FAILED;
        snprintf (error, size, "cannot open store %s: there are sqlite:PATH "
                  "and memory: only", address);
        free (self);
        return NULL;
    }
    self->state = self->backend->open (path, result, error, size);
    if (!self->state) {
        free (self);
        return NULL;
    }
    *result = STORE_OK;
    return self;
}

void
store_set_limit (store_t *self, int64_t max_bytes)
{
    if (self->backend->limit)
        self->backend->limit (self->state, max_bytes);
}

void
store_close (store_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        (*self_p)->backend->close ((*self_p)->state);
        free (*self_p);
        *self_p = NULL;
    }
}

const char *
store_error (const store_t *self)
{
    return self->backend->error (self->state);
}

static bool
s_is_failure (store_result_t result)
{
    return result != STORE_OK && result != STORE_UNKNOWN;
}

//  All in one commit, or none
static store_result_t
s_write_together (store_t *self, const store_query_t *const *queries,
                  size_t count, store_answer_t *answers)
{
    const backend_t *backend = self->backend;
    store_result_t result = backend->begin (self->state);
    for (size_t index = 0; index < count && !s_is_failure (result); index++)
        result = answers [index].result = backend->apply (self->state,
                                                          queries [index]);
    if (!s_is_failure (result))
        result = backend->commit (self->state);
    if (s_is_failure (result))
        backend->rollback (self->state);
    return result;
}

void
store_write (store_t *self, const store_query_t *const *queries,
             size_t count, store_answer_t *answers)
{
    for (size_t index = 0; index < count; index++)
        answers [index] = (store_answer_t) { .ticket = queries [index]->ticket,
                                             .type = queries [index]->type };
    //  One that stands alone gets a second try too: rollback may have made room
    if (self->backend->begin && count > 0
    &&  !s_is_failure (s_write_together (self, queries, count, answers)))
        return;
    for (size_t index = 0; index < count; index++) {
        if (!self->backend->begin) {
            answers [index].result = self->backend->apply (self->state,
                                                           queries [index]);
            continue;
        }
        store_result_t result = s_write_together (self, queries + index, 1,
                                                  answers + index);
        if (s_is_failure (result))
            answers [index].result = result;
    }
}

void
store_read (store_t *self, const store_query_t *query, store_answer_t *answer)
{
    *answer = (store_answer_t) { .ticket = query->ticket,
                                 .type = query->type };
    answer->result = self->backend->read (self->state, query, answer);
    if (answer->result != STORE_OK)
        store_answer_clear (answer);
}
