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
#include <time.h>

#include "backend.h"
#include "claims.h"

struct _store_t {
    const backend_t *backend;
    void *state;                //  Of the backend
    claims_t *claims;           //  NULL where the backend keeps them
    store_clock_fn *clock;      //  Leases run out by it
    void *clock_argument;
};

static const request_id_t s_none;

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
    records [self->record_count++] = (store_record_t) {
        .id = *id, .service = *service_p, .body = *body_p };
    *service_p = NULL;
    *body_p = NULL;
    return STORE_OK;
}

static int64_t
s_clock_ms (void *argument)
{
    (void) argument;
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
store_is_shared (const store_t *self)
{
    return self->backend->shared;
}

void
store_set_clock (store_t *self, store_clock_fn *clock, void *argument)
{
    self->clock = clock;
    self->clock_argument = argument;
}

store_t *
store_new (const backend_t *backend, const char *path, store_result_t *result,
           char *error, size_t size)
{
    store_t *self = (store_t *) calloc (1, sizeof (store_t));
    if (!self || (!backend->shared && !(self->claims = claims_new ()))) {
        *result = STORE_FAILED;
        snprintf (error, size, "out of memory");
        free (self);
        return NULL;
    }
    self->backend = backend;
    store_set_clock (self, s_clock_ms, NULL);
    *error = 0;
    *result = STORE_OK;
    self->state = backend->open (path, result, error, size);
    if (!self->state) {
        claims_destroy (&self->claims);
        free (self);
        return NULL;
    }
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
        claims_destroy (&(*self_p)->claims);
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

static bool
s_is_set (const request_id_t *id)
{
    return memcmp (id, &s_none, sizeof *id) != 0;
}

//  What is about leases and claims, the others are for the backend
static store_result_t
s_apply (store_t *self, const store_query_t *query)
{
    if (query->type == STORE_RENEW)
        return claims_renew (self->claims, &query->server, query->lease_ms,
                             self->clock (self->clock_argument));
    if (query->type != STORE_RELEASE)
        return self->backend->apply (self->state, query);
    if (s_is_set (&query->id))
        claims_release (self->claims, &query->id, &query->server);
    else
        claims_resign (self->claims, &query->server);
    return STORE_OK;
}

//  All in one commit, or none
static store_result_t
s_write_together (store_t *self, const store_query_t *const *queries,
                  size_t count, store_answer_t *answers)
{
    const backend_t *backend = self->backend;
    if (backend->write)
        return backend->write (self->state, queries, count, answers);
    store_result_t result = backend->begin (self->state);
    for (size_t index = 0; index < count && !s_is_failure (result); index++)
        result = answers [index].result = s_apply (self, queries [index]);
    if (!s_is_failure (result))
        result = backend->commit (self->state);
    if (s_is_failure (result))
        backend->rollback (self->state);
    return result;
}

//  Each by itself
static void
s_write_alone (store_t *self, const store_query_t *const *queries,
               size_t count, store_answer_t *answers)
{
    const backend_t *backend = self->backend;
    for (size_t index = 0; index < count; index++) {
        if (!backend->begin && !backend->write) {
            answers [index].result = s_apply (self, queries [index]);
            continue;
        }
        store_result_t result = s_write_together (self, queries + index, 1,
                                                  answers + index);
        if (s_is_failure (result))
            answers [index].result = result;
    }
}

void
store_write (store_t *self, const store_query_t *const *queries,
             size_t count, store_answer_t *answers)
{
    for (size_t index = 0; index < count; index++)
        answers [index] = (store_answer_t) { .ticket = queries [index]->ticket,
                                             .type = queries [index]->type };
    bool together = self->backend->begin || self->backend->write;
    //  One that stands alone gets a second try too: rollback may have made room
    if (count > 0 && (!together || s_is_failure (s_write_together (self,
            queries, count, answers))))
        s_write_alone (self, queries, count, answers);
    for (size_t index = 0; self->claims && index < count; index++)
        if (answers [index].result == STORE_OK
        && (queries [index]->type == STORE_ANSWER
         || queries [index]->type == STORE_DROP
         || queries [index]->aside))
            claims_forget (self->claims, &queries [index]->id);
}

//  Claim what nobody has claimed yet, and leave it in the answer
static void
s_claim (store_t *self, const request_id_t *server, store_answer_t *answer)
{
    int64_t now_ms = self->clock (self->clock_argument);
    size_t kept = 0;
    for (size_t index = 0; index < answer->record_count; index++) {
        store_record_t *record = &answer->records [index];
        if (claims_take (self->claims, &record->id, server, now_ms)) {
            answer->records [kept++] = *record;
            continue;
        }
        frame_destroy (&record->service);
        message_destroy (&record->body);
    }
    answer->record_count = kept;
}

//  What others have claimed takes no place in the answer: read on behind it
static store_result_t
s_read_unclaimed (store_t *self, const store_query_t *query,
                  store_answer_t *answer)
{
    store_query_t rest = *query;
    for (;;) {
        rest.limit = query->limit - answer->record_count;
        store_answer_t page = { 0 };
        store_result_t result = self->backend->read (self->state, &rest, &page);
        if (result != STORE_OK || page.record_count == 0) {
            store_answer_clear (&page);
            return result;
        }
        bool last = page.record_count < rest.limit;
        rest.id = page.records [page.record_count - 1].id;
        s_claim (self, &query->server, &page);
        for (size_t index = 0; index < page.record_count; index++) {
            store_record_t *record = &page.records [index];
            unsigned attempts = record->attempts;
            if (answer_append (answer, &record->id, &record->service,
                               &record->body))
                result = STORE_FAILED;
            else
                answer->records [answer->record_count - 1].attempts = attempts;
        }
        page.record_count = 0;
        store_answer_clear (&page);
        if (result != STORE_OK || last || answer->record_count == query->limit)
            return result;
    }
}

void
store_read (store_t *self, const store_query_t *query, store_answer_t *answer)
{
    *answer = (store_answer_t) { .ticket = query->ticket,
                                 .type = query->type };
    if (self->claims && query->type == STORE_WAITING
    &&  s_is_set (&query->server))
        answer->result = s_read_unclaimed (self, query, answer);
    else
        answer->result = self->backend->read (self->state, query, answer);
    if (answer->result != STORE_OK)
        store_answer_clear (answer);
}
