/*  =========================================================================
    dispatch_store - what dispatch asks the store, and what it makes of the answers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "../protocol/tsp.h"
#include "dispatch_inside.h"

void
dispatch_rewind (target_t *target)
{
    target->more = true;
    target->cursor = (request_id_t) { { 0 } };
    target->fresh = target->rewind = target->loading;
}

//  false when memory is out
static bool
s_read (dispatch_t *self, target_t *target, store_query_t *query,
        update_t *update)
{
    read_t *read = (read_t *) calloc (1, sizeof (read_t));
    if (!read) {
        store_query_clear (query);
        return false;
    }
    read->ticket = query->ticket = self->ticket (self->argument);
    read->target = target;
    read->limit = target? query->limit: 0;
    read->server = query->server;
    HASH_ADD (hh, self->reads, ticket, sizeof read->ticket, read);
    if (read->hh.tbl) {
        if (update_read (update, query) == 0) {
            self->asked += read->limit;
            return true;
        }
        HASH_DEL (self->reads, read);
    }
    free (read);
    store_query_clear (query);
    return false;
}

void
dispatch_load (dispatch_t *self, target_t *target, int64_t now_ms,
               update_t *update)
{
    store_query_t query = { .type = STORE_WAITING, .id = target->cursor,
        .service = frame_ref (target->name),
        .limit = dispatch_room (self, target),
        .server = self->lease.server };
    if (query.limit > dispatch_idle (self))
        query.limit = dispatch_idle (self);
    target->asked = query.limit;
    target->loading = s_read (self, target, &query, update);
    if (!target->loading)
        self->retry_ms = now_ms + self->config.retry_ms;
}

void
dispatch_scan (dispatch_t *self, int64_t now_ms, update_t *update)
{
    store_query_t query = { .type = STORE_SERVICES, .limit = SCAN_PAGE,
        .service = self->scan_after? frame_ref (self->scan_after): NULL };
    self->scanning = s_read (self, NULL, &query, update);
    self->scan_due = !self->scanning;
    if (self->scan_due)
        self->scan_ms = now_ms + self->config.retry_ms;
}

//  false when memory is out: the record is read again later
static bool
s_take_job (dispatch_t *self, target_t *target, const store_record_t *record)
{
    if (!dispatch_find_job (self, &record->id)) {
        job_t *job = (job_t *) calloc (1, sizeof (job_t));
        if (!job || !(job->body = message_slice (record->body, 0))) {
            free (job);
            return false;
        }
        job->id = record->id;
        job->attempts = record->attempts;
        job->target = target;
        HASH_ADD (hh, self->jobs, id, sizeof job->id, job);
        if (!job->hh.tbl) {
            message_destroy (&job->body);
            free (job);
            return false;
        }
        DL_APPEND (target->queue, job);
        target->loaded++;
        self->loaded++;
    }
    target->cursor = record->id;
    return true;
}

//  What is claimed is ours no more. What runs goes on: its reply is as good as
//  that of whoever executes it next.
static void
s_claims_lost (dispatch_t *self)
{
    target_t *target, *next_target;
    HASH_ITER (hh, self->targets, target, next_target) {
        job_t *job, *next_job;
        DL_FOREACH_SAFE (target->queue, job, next_job)
            dispatch_job_destroy (self, job);
        if (target->place != PLACE_ABSENT)
            dispatch_rewind (target);
        dispatch_settle (self, target);
    }
}

//  What was to be set aside, and was not, is in nobody's memory: read all again
static void
s_attempt_lost (dispatch_t *self, int64_t now_ms)
{
    if (lease_is_shared (&self->lease))
        lease_begin_anew (&self->lease, now_ms);
    s_claims_lost (self);
    self->scan_again = true;
}

//  The store did not answer: what is claimed cannot be known
static void
s_begin_anew (dispatch_t *self, int64_t now_ms)
{
    if (lease_is_shared (&self->lease)) {
        lease_begin_anew (&self->lease, now_ms);
        s_claims_lost (self);
    }
}

static void
s_renewed (dispatch_t *self, int64_t now_ms, const store_answer_t *answer,
           update_t *update)
{
    if (answer->ticket != self->lease.ticket
    ||  lease_renewed (&self->lease, now_ms, answer->result))
        return;
    update_notice (update, NOTICE_WARNING, "away from the store for too long: "
                   "others may execute what this server had begun", NULL);
    s_claims_lost (self);
}

//  false when what was read is not, or not all, in memory
static bool
s_loaded (dispatch_t *self, int64_t now_ms, target_t *target,
          const store_answer_t *answer)
{
    target->loading = false;
    bool taken = answer->result == STORE_OK;
    for (size_t nbr = 0; taken && nbr < answer->record_count; nbr++)
        taken = s_take_job (self, target, &answer->records [nbr]);
    if (taken)
        target->more = target->fresh
            || answer->record_count == target->asked;
    else
        self->retry_ms = now_ms + self->config.retry_ms;
    if (target->rewind)
        target->cursor = (request_id_t) { { 0 } };
    target->fresh = target->rewind = false;
    dispatch_settle (self, target);
    return taken;
}

static void
s_scanned (dispatch_t *self, int64_t now_ms, const store_answer_t *answer)
{
    self->scanning = false;
    if (answer->result != STORE_OK) {
        self->scan_ms = now_ms + self->config.retry_ms;
        self->scan_due = true;
        return;
    }
    self->rescan_ms = now_ms + self->config.retry_ms;
    self->scan_due = answer->record_count == SCAN_PAGE;
    for (size_t nbr = 0; nbr < answer->record_count; nbr++) {
        if (!dispatch_awaken (self, answer->records [nbr].service, NULL)) {
            //  It goes on from here when there is room, not from the start: the
            //  first names would fill it every time
            self->scan_partial = true;
            self->scan_due = false;
            return;
        }
        frame_destroy (&self->scan_after);
        self->scan_after = frame_ref (answer->records [nbr].service);
    }
    if (self->scan_due)
        return;
    frame_destroy (&self->scan_after);
    if (self->scan_partial)
        self->scan_again = true;
    self->scan_partial = false;
}

void
dispatch_store_reply (dispatch_t *self, execution_t *execution, int64_t now_ms,
                      update_t *update)
{
    store_query_t query = { .type = STORE_ANSWER, .id = execution->id,
        .ticket = self->ticket (self->argument),
        .body = message_slice (execution->reply, 0) };
    execution->state = EXECUTION_STORING;
    execution->ticket = query.ticket;
    if (!query.body || update_write (update, &query)) {
        execution->state = EXECUTION_FULL;
        execution->due_ms = now_ms + self->config.retry_ms;
    }
}

//  Many make a service's workers die, one after the other, for one request that
//  they cannot bear
static void
s_set_aside (dispatch_t *self, execution_t *execution, update_t *update)
{
    char text [TSP_ID_DIGITS + 1];
    tsp_id_print (&execution->id, text);
    frame_t *subject = frame_new (text, TSP_ID_DIGITS);
    update_notice (update, NOTICE_WARNING, "request set aside: no reply to any "
                   "attempt, see --max-attempts", subject);
    frame_destroy (&subject);
    dispatch_job_destroy (self, execution->job);
    execution->job = NULL;
}

void
dispatch_count_attempt (dispatch_t *self, execution_t *execution,
                        update_t *update)
{
    if (!execution->job || !self->config.max_attempts)
        return;
    store_query_t query = { .type = STORE_ATTEMPT, .id = execution->id,
        .ticket = self->ticket (self->argument),
        .attempts = execution->job->attempts + 1 };
    query.aside = query.attempts >= self->config.max_attempts;
    bool aside = query.aside;
    //  What is not noted has not been
    if (update_write (update, &query))
        return;
    execution->job->attempts++;
    if (aside)
        s_set_aside (self, execution, update);
}

static void
s_reply_stored (dispatch_t *self, int64_t now_ms, execution_t *execution,
                store_result_t result, update_t *update)
{
    if (result == STORE_OK || result == STORE_UNKNOWN) {
        if (execution->job)
            dispatch_job_destroy (self, execution->job);
        dispatch_rest (self, execution);
        return;
    }
    update_notice (update, NOTICE_WARNING, "a reply cannot be stored; trying "
                   "again", execution->target->name);
    execution->state = EXECUTION_FULL;
    execution->due_ms = now_ms + self->config.retry_ms;
}

static void
s_read_done (dispatch_t *self, int64_t now_ms, read_t *read,
             const store_answer_t *answer)
{
    target_t *target = read->target;
    bool ours = memcmp (&read->server, &self->lease.server,
                        sizeof read->server) == 0;
    self->asked -= read->limit;
    HASH_DEL (self->reads, read);
    free (read);
    if (!target) {
        s_scanned (self, now_ms, answer);
        return;
    }
    if (ours) {
        if (!s_loaded (self, now_ms, target, answer))
            s_begin_anew (self, now_ms);
        return;
    }
    //  It was claimed under a lease that we have let go
    target->loading = false;
    dispatch_rewind (target);
    dispatch_settle (self, target);
}

void
dispatch_answer (dispatch_t *self, int64_t now_ms,
                 const store_answer_t *answer, update_t *update)
{
    read_t *read;
    HASH_FIND (hh, self->reads, &answer->ticket, sizeof answer->ticket, read);
    if (read) {
        s_read_done (self, now_ms, read, answer);
        return;
    }
    if (answer->type == STORE_RENEW)
        s_renewed (self, now_ms, answer, update);
    if (answer->type == STORE_RELEASE && answer->result != STORE_OK
    &&  answer->result != STORE_UNKNOWN)
        s_begin_anew (self, now_ms);
    if (answer->type == STORE_ATTEMPT && answer->result != STORE_OK
    &&  answer->result != STORE_UNKNOWN)
        s_attempt_lost (self, now_ms);
    for (size_t nbr = 0; nbr < self->config.executions; nbr++) {
        execution_t *execution = &self->executions [nbr];
        if (execution->state == EXECUTION_STORING
        &&  execution->ticket == answer->ticket) {
            s_reply_stored (self, now_ms, execution, answer->result, update);
            return;
        }
    }
}

//  --------------------------------------------------------------------------
//  Claims that are given back

void
dispatch_give_back (dispatch_t *self, job_t *job, update_t *update)
{
    if (lease_release (&self->lease, &job->id, self->ticket (self->argument),
                       update))
        self->keeps = true;
    dispatch_rewind (job->target);
    dispatch_job_destroy (self, job);
}

void
dispatch_give_back_queue (dispatch_t *self, target_t *target, update_t *update)
{
    job_t *job, *next;
    if (lease_is_shared (&self->lease))
        DL_FOREACH_SAFE (target->queue, job, next)
            dispatch_give_back (self, job, update);
}

void
dispatch_give_back_all (dispatch_t *self, update_t *update)
{
    target_t *target, *next;
    HASH_ITER (hh, self->targets, target, next) {
        dispatch_give_back_queue (self, target, update);
        dispatch_settle (self, target);
    }
}

void
dispatch_let_go (dispatch_t *self, int64_t now_ms)
{
    if (self->keeps)
        s_begin_anew (self, now_ms);
    self->keeps = false;
}

int64_t
dispatch_rescan_ms (const dispatch_t *self)
{
    return lease_is_shared (&self->lease) && !self->scan_due && !self->scanning
        ? self->rescan_ms: INT64_MAX;
}
