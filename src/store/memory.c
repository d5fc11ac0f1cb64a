/*  =========================================================================
    memory - requests in memory, for tests: gone when the process ends

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

//  One request
typedef struct {
    request_id_t id;            //  Key
    frame_t *service;
    message_t *body;
    message_t *reply;           //  NULL while there is none
    time_t since;               //  When it came to be as it is
    unsigned attempts;          //  Executions that ended without a reply
    bool aside;                 //  It does not wait any more
    UT_hash_handle hh;
} entry_t;

typedef struct {
    entry_t *entries;           //  By id
} memory_t;

static void *
s_open (const char *path, store_result_t *result, char *error, size_t size)
{
    (void) path;
    memory_t *self = (memory_t *) calloc (1, sizeof (memory_t));
    *result = self? STORE_OK: STORE_FAILED;
    if (!self)
        snprintf (error, size, "out of memory");
    return self;
}

static void
s_entry_destroy (entry_t *entry)
{
    frame_destroy (&entry->service);
    message_destroy (&entry->body);
    message_destroy (&entry->reply);
    free (entry);
}

static void
s_close (void *state)
{
    memory_t *self = (memory_t *) state;
    entry_t *entry, *next;
    HASH_ITER (hh, self->entries, entry, next) {
        HASH_DEL (self->entries, entry);
        s_entry_destroy (entry);
    }
    free (self);
}

static entry_t *
s_find (memory_t *self, const request_id_t *id)
{
    entry_t *entry;
    HASH_FIND (hh, self->entries, id, sizeof *id, entry);
    return entry;
}

//  All frames, in the order of names and ids
static int
s_compare_frames (const frame_t *a, const frame_t *b)
{
    size_t size_a = a? frame_size (a): 0;
    size_t size_b = b? frame_size (b): 0;
    size_t size = size_a < size_b? size_a: size_b;
    int order = size? memcmp (frame_data (a), frame_data (b), size): 0;
    return order? order: (size_a > size_b) - (size_a < size_b);
}

static bool
s_is_same (const entry_t *entry, const store_query_t *query)
{
    size_t size = message_size (entry->body);
    bool same = frame_equal (entry->service, query->service)
        && size == message_size (query->body);
    for (size_t index = 0; same && index < size; index++)
        same = frame_equal (message_frame (entry->body, index),
                            message_frame (query->body, index));
    return same;
}

static store_result_t
s_put (memory_t *self, const store_query_t *query)
{
    entry_t *entry = s_find (self, &query->id);
    if (entry)
        return s_is_same (entry, query)? STORE_OK: STORE_FAILED;
    entry = (entry_t *) calloc (1, sizeof (entry_t));
    if (!entry)
        return STORE_FULL;
    entry->id = query->id;
    entry->since = time (NULL);
    entry->service = frame_new (frame_data (query->service),
                                frame_size (query->service));
    entry->body = message_slice (query->body, 0);
    if (entry->service && entry->body)
        HASH_ADD (hh, self->entries, id, sizeof entry->id, entry);
    if (entry->hh.tbl)
        return STORE_OK;
    s_entry_destroy (entry);
    return STORE_FULL;
}

static store_result_t
s_revive (memory_t *self)
{
    entry_t *entry, *next;
    HASH_ITER (hh, self->entries, entry, next)
        if (entry->aside) {
            entry->aside = false;
            entry->attempts = 0;
        }
    return STORE_OK;
}

static store_result_t
s_attempt (entry_t *entry, const store_query_t *query)
{
    if (entry->reply)
        return STORE_UNKNOWN;
    entry->attempts = query->attempts;
    entry->aside = query->aside;
    return STORE_OK;
}

static store_result_t
s_apply (void *state, const store_query_t *query)
{
    memory_t *self = (memory_t *) state;
    if (query->type == STORE_PUT)
        return s_put (self, query);
    if (query->type == STORE_REVIVE)
        return s_revive (self);
    entry_t *entry = s_find (self, &query->id);
    if (!entry)
        return STORE_UNKNOWN;
    if (query->type == STORE_ATTEMPT)
        return s_attempt (entry, query);
    if (query->type == STORE_DROP) {
        HASH_DEL (self->entries, entry);
        s_entry_destroy (entry);
        return STORE_OK;
    }
    if (!entry->reply) {
        entry->reply = message_slice (query->body, 0);
        entry->since = time (NULL);
    }
    if (entry->reply)
        entry->aside = false;
    return entry->reply? STORE_OK: STORE_FULL;
}

static store_result_t
s_fetch (memory_t *self, const store_query_t *query, store_answer_t *answer)
{
    entry_t *entry = s_find (self, &query->id);
    if (!entry)
        return STORE_UNKNOWN;
    frame_t *service = NULL;
    message_t *body = entry->reply? message_slice (entry->reply, 0): NULL;
    if (entry->reply && !body)
        return STORE_FAILED;
    store_result_t result = answer_append (answer, &entry->id, &service, &body);
    if (result == STORE_OK)
        answer->records->aside = entry->aside;
    return result;
}

//  The first entry without a reply behind a place in the order of services, or
//  of ids within one service: a search through all, which is good for tests
static entry_t *
s_next (memory_t *self, const frame_t *service, const request_id_t *id)
{
    entry_t *best = NULL;
    entry_t *entry, *next;
    HASH_ITER (hh, self->entries, entry, next) {
        if (entry->reply || entry->aside)
            continue;
        int order = s_compare_frames (entry->service, service);
        if (id) {
            if (order == 0 && memcmp (&entry->id, id, sizeof *id) > 0
            && (!best || memcmp (&entry->id, &best->id, sizeof *id) < 0))
                best = entry;
        }
        else
        if (order > 0
        && (!best || s_compare_frames (entry->service, best->service) < 0))
            best = entry;
    }
    return best;
}

static store_result_t
s_list (memory_t *self, const store_query_t *query, store_answer_t *answer)
{
    static const request_id_t none;
    const frame_t *after = query->service;
    const request_id_t *id = query->type == STORE_WAITING? &query->id: NULL;
    for (size_t nbr = 0; nbr < query->limit; nbr++) {
        entry_t *entry = s_next (self, after, id);
        if (!entry)
            break;
        message_t *body = id? message_slice (entry->body, 0): NULL;
        if (id && !body)
            return STORE_FAILED;
        frame_t *service = frame_ref (entry->service);
        if (answer_append (answer, id? &entry->id: &none, &service, &body))
            return STORE_FAILED;
        answer->records [answer->record_count - 1].attempts = entry->attempts;
        if (id)
            id = &entry->id;
        else
            after = entry->service;
    }
    return STORE_OK;
}

static store_result_t
s_old (memory_t *self, const store_query_t *query, store_answer_t *answer)
{
    time_t latest = time (NULL) - (time_t) (query->age_ms / 1000);
    entry_t *entry, *next;
    HASH_ITER (hh, self->entries, entry, next) {
        frame_t *service = NULL;
        message_t *body = NULL;
        if (answer->record_count < query->limit && entry->since <= latest
        && !entry->reply == !query->answered
        &&  answer_append (answer, &entry->id, &service, &body))
            return STORE_FAILED;
    }
    return STORE_OK;
}

static store_result_t
s_read (void *state, const store_query_t *query, store_answer_t *answer)
{
    memory_t *self = (memory_t *) state;
    return query->type == STORE_FETCH? s_fetch (self, query, answer)
         : query->type == STORE_OLD? s_old (self, query, answer)
                                   : s_list (self, query, answer);
}

static const char *
s_error (const void *state)
{
    (void) state;
    return "out of memory";
}

const backend_t backend_memory = {
    .open = s_open, .close = s_close, .apply = s_apply, .read = s_read,
    .error = s_error
};
