/*  =========================================================================
    dispatch - carries out stored requests, 9/TSP Request Execution

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../protocol/mdp.h"
#include "conversation.h"
#include "dispatch.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

//  Services that are looked after at a time. What waits for others stays in the
//  store until one of these has no work or is not there.
#define TARGETS_MAX 1000
//  Services read from the store at a time
#define SCAN_PAGE 100
//  In the PARTIALs and the FINAL of one reply, which are kept in memory until
//  the reply is whole
#define PARTS_BYTES_MAX (64 * 1024 * 1024)

typedef struct _target_t target_t;

typedef enum {
    JOB_WAITING,                //  To be sent
    JOB_HELD,                   //  Being dropped from the store
    JOB_RUNNING                 //  With the broker, or its reply on its way to
                                //  the store
} job_state_t;

//  A stored request that has been loaded
typedef struct _job_t {
    request_id_t id;            //  Key
    job_state_t state;
    message_t *body;
    target_t *target;
    struct _job_t *prev, *next; //  In its target's queue, unless RUNNING
    UT_hash_handle hh;
} job_t;

typedef enum {
    PLACE_NONE,                 //  Nothing can be done for it now
    PLACE_ACTIVE,               //  Something can be sent
    PLACE_ABSENT                //  Has no worker: look again later
} place_t;

//  A service that stored requests ask for
struct _target_t {
    frame_t *name;              //  Key: its bytes
    job_t *queue;               //  Loaded, in the order of ids
    size_t loaded;              //  Jobs in the queue
    request_id_t cursor;        //  The store was read up to here
    bool more;                  //  There may be more behind the cursor
    bool loading;               //  A read is under way
    bool fresh;                 //  Something was stored since it began
    bool rewind;                //  It was an id before the cursor
    size_t running;             //  Jobs at the broker
    size_t window;              //  Most of them, as far as it keeps up
    size_t in_time;             //  Replies since the window last changed
    bool probing;               //  mmi.service has been asked
    int64_t known_ms;           //  Up to when it counts as there
    int64_t look_ms;            //  ABSENT: when to look again
    place_t place;
    target_t *prev, *next;      //  In the list of its place
    UT_hash_handle hh;
};

typedef enum {
    EXECUTION_IDLE,             //  Its socket, if open, owes nothing
    EXECUTION_PROBE,            //  Asks mmi.service
    EXECUTION_REQUEST,          //  Waits for a reply
    EXECUTION_STORING,          //  The reply is on its way to the store
    EXECUTION_FULL              //  The store did not take it: try again
} execution_state_t;

//  A client's connection: one request at a time, so that a reply is never taken
//  for that to another
typedef struct {
    execution_state_t state;
    channel_t channel;          //  0 while closed
    unsigned serial;            //  Of the channel
    target_t *target;           //  Unless IDLE
    job_t *job;                 //  REQUEST, STORING, FULL; NULL once forgotten
    request_id_t id;            //  Of the job
    message_t *reply;           //  STORING, FULL; its PARTIALs in REQUEST
    uint64_t ticket;            //  STORING
    int64_t due_ms;             //  PROBE, REQUEST: timeout; FULL: try again
} execution_t;

//  A read under way
typedef struct {
    uint64_t ticket;            //  Key
    target_t *target;           //  NULL for the scan of services
    UT_hash_handle hh;
} read_t;

struct _dispatch_t {
    dispatch_config_t config;
    channel_t first_slot;
    dispatch_ticket_fn *ticket;
    void *argument;             //  Of ticket
    frame_t *mmi_service;       //  The name mmi.service
    job_t *jobs;                //  By id
    target_t *targets;          //  By name
    target_t *active;           //  In turn
    target_t *absent;           //  In the order of look_ms
    execution_t *executions;
    size_t busy;                //  Executions that are not IDLE
    read_t *reads;              //  By ticket
    frame_t *scan_after;        //  The scan got to this name; NULL: at the start
    bool scan_due;              //  Go on with the scan
    bool scanning;              //  A page of it is being read
    bool scan_again;            //  Begin once more after it: something was left
    bool scan_partial;          //  It did not begin at the start
    bool broker_lost;           //  Send nothing until it is heard of
    int64_t scan_ms;            //  Go on with the scan not before this time
    int64_t retry_ms;           //  A read failed: no other before this time
    int64_t now_ms;             //  Of the last tick
};

//  --------------------------------------------------------------------------
//  Life

dispatch_t *
dispatch_new (const dispatch_config_t *config, channel_t first_slot,
              dispatch_ticket_fn *ticket, void *argument)
{
    dispatch_t *self = (dispatch_t *) calloc (1, sizeof (dispatch_t));
    if (!self)
        return NULL;
    self->config = *config;
    self->first_slot = first_slot;
    self->ticket = ticket;
    self->argument = argument;
    self->scan_due = true;
    self->mmi_service = frame_new ("mmi.service", 11);
    self->executions = (execution_t *) calloc (config->executions,
                                               sizeof (execution_t));
    if (!self->mmi_service || !self->executions)
        dispatch_destroy (&self);
    return self;
}

static void
s_job_destroy (dispatch_t *self, job_t *job)
{
    if (job->state != JOB_RUNNING) {
        DL_DELETE (job->target->queue, job);
        job->target->loaded--;
    }
    HASH_DEL (self->jobs, job);
    message_destroy (&job->body);
    free (job);
}

static void
s_target_destroy (dispatch_t *self, target_t *target)
{
    job_t *job, *next;
    DL_FOREACH_SAFE (target->queue, job, next)
        s_job_destroy (self, job);
    if (target->place == PLACE_ACTIVE)
        DL_DELETE (self->active, target);
    if (target->place == PLACE_ABSENT)
        DL_DELETE (self->absent, target);
    HASH_DEL (self->targets, target);
    frame_destroy (&target->name);
    free (target);
}

void
dispatch_destroy (dispatch_t **self_p)
{
    assert (self_p);
    dispatch_t *self = *self_p;
    if (!self)
        return;
    job_t *job, *next_job;
    HASH_ITER (hh, self->jobs, job, next_job)
        s_job_destroy (self, job);
    target_t *target, *next_target;
    HASH_ITER (hh, self->targets, target, next_target)
        s_target_destroy (self, target);
    read_t *read, *next_read;
    HASH_ITER (hh, self->reads, read, next_read) {
        HASH_DEL (self->reads, read);
        free (read);
    }
    for (size_t nbr = 0; self->executions && nbr < self->config.executions;
                nbr++)
        message_destroy (&self->executions [nbr].reply);
    free (self->executions);
    frame_destroy (&self->scan_after);
    frame_destroy (&self->mmi_service);
    free (self);
    *self_p = NULL;
}

//  --------------------------------------------------------------------------
//  Targets

static void
s_move (dispatch_t *self, target_t *target, place_t place)
{
    if (target->place == place)
        return;
    if (target->place == PLACE_ACTIVE)
        DL_DELETE (self->active, target);
    if (target->place == PLACE_ABSENT)
        DL_DELETE (self->absent, target);
    if (place == PLACE_ACTIVE)
        DL_APPEND (self->active, target);
    if (place == PLACE_ABSENT)
        DL_APPEND (self->absent, target);
    target->place = place;
}

//  The first job that may be sent
static job_t *
s_next_job (const target_t *target)
{
    job_t *job;
    DL_FOREACH (target->queue, job)
        if (job->state == JOB_WAITING)
            return job;
    return NULL;
}

static bool
s_can_send (const target_t *target)
{
    return s_next_job (target) && !target->probing
        && target->running < target->window;
}

//  Put the target where it belongs, or away when nothing is left of it
static void
s_settle (dispatch_t *self, target_t *target)
{
    if (target->place == PLACE_ABSENT && (target->queue || target->more))
        return;
    bool wants_read = target->more && !target->loading
        && target->loaded < self->config.service_executions;
    s_move (self, target, wants_read || s_can_send (target)
                              ? PLACE_ACTIVE: PLACE_NONE);
    if (!target->queue && !target->more && !target->loading
    &&  !target->running && !target->probing)
        s_target_destroy (self, target);
}

static target_t *
s_find_target (dispatch_t *self, const frame_t *name)
{
    target_t *target;
    HASH_FIND (hh, self->targets, frame_data (name), frame_size (name),
               target);
    return target;
}

//  The target of this name; NULL when there is no room for one more
static target_t *
s_require_target (dispatch_t *self, const frame_t *name)
{
    target_t *target = s_find_target (self, name);
    if (target)
        return target;
    if (HASH_COUNT (self->targets) >= TARGETS_MAX
    || !(target = (target_t *) calloc (1, sizeof (target_t))))
        return NULL;
    //  It may outlive by far the message that the name came with
    target->name = frame_new (frame_data (name), frame_size (name));
    target->window = self->config.service_executions;
    if (target->name)
        HASH_ADD_KEYPTR (hh, self->targets, frame_data (target->name),
                         frame_size (target->name), target);
    if (target->hh.tbl)
        return target;
    frame_destroy (&target->name);
    free (target);
    return NULL;
}

//  Requests for a service are in the store; false when there is no room to look
//  after it
static bool
s_awaken (dispatch_t *self, const frame_t *name, const request_id_t *id)
{
    target_t *target = s_require_target (self, name);
    if (!target) {
        self->scan_again = true;
        return false;
    }
    target->more = true;
    target->fresh = target->loading;
    //  The wall clock went back over a restart: what was loaded is known by its
    //  id, so reading it twice does no harm
    if (id && memcmp (id, &target->cursor, sizeof *id) <= 0) {
        target->cursor = (request_id_t) { { 0 } };
        target->rewind = target->loading;
    }
    s_settle (self, target);
    return true;
}

void
dispatch_stored (dispatch_t *self, const request_id_t *id,
                 const frame_t *service)
{
    s_awaken (self, service, id);
}

//  --------------------------------------------------------------------------
//  Closed requests

static job_t *
s_find_job (dispatch_t *self, const request_id_t *id)
{
    job_t *job;
    HASH_FIND (hh, self->jobs, id, sizeof *id, job);
    return job;
}

void
dispatch_hold (dispatch_t *self, const request_id_t *id)
{
    job_t *job = s_find_job (self, id);
    if (job && job->state == JOB_WAITING) {
        //  TSP-CLOSE-02
        job->state = JOB_HELD;
        s_settle (self, job->target);
    }
}

void
dispatch_release (dispatch_t *self, const request_id_t *id)
{
    job_t *job = s_find_job (self, id);
    if (job && job->state == JOB_HELD) {
        job->state = JOB_WAITING;
        s_settle (self, job->target);
    }
}

static void
s_close_channel (execution_t *execution, update_t *update)
{
    if (execution->channel)
        update_close (update, execution->channel);
    execution->channel = 0;
}

//  The execution owes nothing any more
static void
s_rest (dispatch_t *self, execution_t *execution)
{
    target_t *target = execution->target;
    if (execution->state == EXECUTION_PROBE)
        target->probing = false;
    else
        target->running--;
    message_destroy (&execution->reply);
    execution->state = EXECUTION_IDLE;
    execution->target = NULL;
    execution->job = NULL;
    self->busy--;
    s_settle (self, target);
}

void
dispatch_forget (dispatch_t *self, const request_id_t *id, update_t *update)
{
    job_t *job = s_find_job (self, id);
    if (!job)
        return;
    target_t *target = job->target;
    if (job->state != JOB_RUNNING) {
        s_job_destroy (self, job);
        s_settle (self, target);
        return;
    }
    for (size_t nbr = 0; nbr < self->config.executions; nbr++) {
        execution_t *execution = &self->executions [nbr];
        if (execution->job != job)
            continue;
        s_job_destroy (self, job);
        execution->job = NULL;
        //  The store lets no reply to a dropped request in; one that is still
        //  out is not waited for
        if (execution->state != EXECUTION_STORING) {
            if (execution->state == EXECUTION_REQUEST)
                s_close_channel (execution, update);
            s_rest (self, execution);
        }
        return;
    }
}

//  --------------------------------------------------------------------------
//  The store

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
    HASH_ADD (hh, self->reads, ticket, sizeof read->ticket, read);
    if (!read->hh.tbl) {
        free (read);
        store_query_clear (query);
        return false;
    }
    update_read (update, query);
    return true;
}

static void
s_load (dispatch_t *self, target_t *target, update_t *update)
{
    store_query_t query = { .type = STORE_WAITING, .id = target->cursor,
        .service = frame_ref (target->name),
        .limit = self->config.service_executions };
    target->loading = s_read (self, target, &query, update);
}

static void
s_scan (dispatch_t *self, update_t *update)
{
    store_query_t query = { .type = STORE_SERVICES, .limit = SCAN_PAGE,
        .service = self->scan_after? frame_ref (self->scan_after): NULL };
    self->scanning = s_read (self, NULL, &query, update);
    self->scan_due = !self->scanning;
}

//  false when memory is out: the record is read again later
static bool
s_take_job (dispatch_t *self, target_t *target, const store_record_t *record)
{
    if (!s_find_job (self, &record->id)) {
        job_t *job = (job_t *) calloc (1, sizeof (job_t));
        if (!job || !(job->body = message_slice (record->body, 0))) {
            free (job);
            return false;
        }
        job->id = record->id;
        job->target = target;
        HASH_ADD (hh, self->jobs, id, sizeof job->id, job);
        if (!job->hh.tbl) {
            message_destroy (&job->body);
            free (job);
            return false;
        }
        DL_APPEND (target->queue, job);
        target->loaded++;
    }
    target->cursor = record->id;
    return true;
}

static void
s_loaded (dispatch_t *self, int64_t now_ms, target_t *target,
          const store_answer_t *answer)
{
    target->loading = false;
    bool taken = answer->result == STORE_OK;
    for (size_t nbr = 0; taken && nbr < answer->record_count; nbr++)
        taken = s_take_job (self, target, &answer->records [nbr]);
    if (taken)
        target->more = target->fresh
            || answer->record_count == self->config.service_executions;
    else
        self->retry_ms = now_ms + self->config.retry_ms;
    if (target->rewind)
        target->cursor = (request_id_t) { { 0 } };
    target->fresh = target->rewind = false;
    s_settle (self, target);
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
    self->scan_due = answer->record_count == SCAN_PAGE;
    for (size_t nbr = 0; nbr < answer->record_count; nbr++) {
        if (!s_awaken (self, answer->records [nbr].service, NULL)) {
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

static void
s_store_reply (dispatch_t *self, execution_t *execution, update_t *update)
{
    store_query_t query = { .type = STORE_ANSWER, .id = execution->id,
        .ticket = self->ticket (self->argument),
        .body = message_slice (execution->reply, 0) };
    execution->state = EXECUTION_STORING;
    execution->ticket = query.ticket;
    update_write (update, &query);
}

static void
s_reply_stored (dispatch_t *self, int64_t now_ms, execution_t *execution,
                store_result_t result, update_t *update)
{
    if (result == STORE_OK || result == STORE_UNKNOWN) {
        if (execution->job)
            s_job_destroy (self, execution->job);
        s_rest (self, execution);
        return;
    }
    update_notice (update, NOTICE_WARNING, "a reply cannot be stored; trying "
                   "again", execution->target->name);
    execution->state = EXECUTION_FULL;
    execution->due_ms = now_ms + self->config.retry_ms;
}

void
dispatch_answer (dispatch_t *self, int64_t now_ms,
                 const store_answer_t *answer, update_t *update)
{
    read_t *read;
    HASH_FIND (hh, self->reads, &answer->ticket, sizeof answer->ticket, read);
    if (read) {
        target_t *target = read->target;
        HASH_DEL (self->reads, read);
        free (read);
        if (target)
            s_loaded (self, now_ms, target, answer);
        else
            s_scanned (self, now_ms, answer);
        return;
    }
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
//  The broker

//  The job goes back to where it was: before all that came later
static void
s_return_job (job_t *job)
{
    target_t *target = job->target;
    job->state = JOB_WAITING;
    job_t *later;
    DL_FOREACH (target->queue, later)
        if (memcmp (&later->id, &job->id, sizeof job->id) > 0)
            break;
    if (later)
        DL_PREPEND_ELEM (target->queue, later, job);
    else
        DL_APPEND (target->queue, job);
    target->loaded++;
}

//  Nothing will come any more, or what comes cannot be told from late replies
static void
s_give_up (dispatch_t *self, execution_t *execution, update_t *update)
{
    s_close_channel (execution, update);
    if (execution->state == EXECUTION_REQUEST && execution->job)
        //  TSP-EXEC-04
        s_return_job (execution->job);
    s_rest (self, execution);
}

void
dispatch_broker_lost (dispatch_t *self, update_t *update)
{
    for (size_t nbr = 0; nbr < self->config.executions; nbr++) {
        execution_t *execution = &self->executions [nbr];
        if (execution->state == EXECUTION_PROBE
        ||  execution->state == EXECUTION_REQUEST)
            s_give_up (self, execution, update);
        else
            s_close_channel (execution, update);
    }
    self->broker_lost = true;
}

void
dispatch_broker_found (dispatch_t *self)
{
    self->broker_lost = false;
}

static execution_t *
s_idle_execution (dispatch_t *self, update_t *update)
{
    if (self->busy == self->config.executions)
        return NULL;
    size_t nbr = 0;
    while (self->executions [nbr].state != EXECUTION_IDLE)
        nbr++;
    execution_t *execution = &self->executions [nbr];
    if (!execution->channel) {
        execution->channel = channel_new (self->first_slot + (channel_t) nbr,
                                          &execution->serial);
        update_open (update, execution->channel);
    }
    return execution;
}

static void
s_send (dispatch_t *self, execution_t *execution, target_t *target,
        const frame_t *service, const message_t *body, int64_t now_ms,
        update_t *update)
{
    //  TSP-PEER-07, TSP-OVERVIEW-03, TSP-OVERVIEW-04, TSP-REQUEST-06,
    //  TSP-REQUEST-07: the stored frames, to the service that they were for
    message_t *message = mdp_client_request (self->config.version,
                                             service, body, 0);
    update_send (update, execution->channel, &message);
    execution->target = target;
    execution->due_ms = now_ms + self->config.timeout_ms;
    self->busy++;
}

static void
s_probe (dispatch_t *self, target_t *target, int64_t now_ms, update_t *update)
{
    execution_t *execution = s_idle_execution (self, update);
    message_t *body = message_new ();
    if (!execution || !body || message_add (body, target->name)) {
        message_destroy (&body);
        return;
    }
    s_send (self, execution, target, self->mmi_service, body, now_ms, update);
    message_destroy (&body);
    execution->state = EXECUTION_PROBE;
    //  The broker answers this by itself, and at once
    int64_t soon = now_ms + self->config.retry_ms;
    if (soon < execution->due_ms)
        execution->due_ms = soon;
    target->probing = true;
}

static void
s_execute (dispatch_t *self, target_t *target, int64_t now_ms,
           update_t *update)
{
    execution_t *execution = s_idle_execution (self, update);
    if (!execution)
        return;
    job_t *job = s_next_job (target);
    DL_DELETE (target->queue, job);
    target->loaded--;
    job->state = JOB_RUNNING;
    target->running++;
    s_send (self, execution, target, target->name, job->body, now_ms, update);
    execution->state = EXECUTION_REQUEST;
    execution->job = job;
    execution->id = job->id;
}

//  mmi.service has answered, 8/MMI. A broker that has no such thing says 501,
//  and then requests are simply sent.
static void
s_probed (dispatch_t *self, int64_t now_ms, execution_t *execution,
          const frame_t *status)
{
    target_t *target = execution->target;
    bool absent = frame_is (status, "404", 3);
    if (absent) {
        target->look_ms = now_ms + self->config.retry_ms;
        s_move (self, target, PLACE_ABSENT);
    }
    else
        target->known_ms = now_ms + self->config.heartbeat_ms;
    //  This may be the end of the target, when its work was closed meanwhile
    frame_t *name = frame_ref (target->name);
    s_rest (self, execution);
    target = s_find_target (self, name);
    if (absent && target && (self->scan_due || self->scan_again)
    && !target->loading && !target->running) {
        //  Others wait for its place; what it has stays in the store
        self->scan_again = true;
        s_target_destroy (self, target);
    }
    frame_destroy (&name);
}

//  A service that was late gets less at a time, and more again as its replies
//  come in time. Otherwise one that is slow would never be done: what it works on
//  would always be something that nobody waits for any more.
static void
s_shrink_window (target_t *target)
{
    target->window = target->window > 1? target->window / 2: 1;
    target->in_time = 0;
}

static void
s_grow_window (dispatch_t *self, target_t *target)
{
    if (++target->in_time < self->config.service_executions)
        return;
    target->in_time = 0;
    if (target->window < self->config.service_executions)
        target->window++;
}

static execution_t *
s_find_execution (dispatch_t *self, channel_t channel)
{
    channel_t slot = CHANNEL_SLOT (channel);
    if (slot < self->first_slot
    ||  slot - self->first_slot >= self->config.executions)
        return NULL;
    execution_t *execution = &self->executions [slot - self->first_slot];
    return execution->channel == channel? execution: NULL;
}

//  The reply is what all PARTIALs and the FINAL hold; -1 when there is no room
static int
s_gather (execution_t *execution, const message_t *message, size_t body)
{
    if (!execution->reply) {
        execution->reply = message_slice (message, body);
        return execution->reply? 0: -1;
    }
    if (message_bytes (execution->reply) + message_bytes (message)
        > PARTS_BYTES_MAX)
        return -1;
    return message_add_from (execution->reply, message, body);
}

void
dispatch_receive (dispatch_t *self, int64_t now_ms, channel_t channel,
                  const message_t *message, update_t *update)
{
    execution_t *execution = s_find_execution (self, channel);
    if (!execution)
        return;
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, 0, MDP_AT_CLIENT, &command);
    const frame_t *service = execution->state == EXECUTION_PROBE
        ? self->mmi_service: execution->state == EXECUTION_REQUEST
        ? execution->target->name: NULL;
    if (result == MDP_OK && command.version != self->config.version)
        result = MDP_UNKNOWN_HEADER;
    if (result != MDP_OK || !service
    || !frame_equal (command.service, service)) {
        update_notice (update, NOTICE_WARNING, result != MDP_OK
            ? mdp_result_text (result)
            : "the broker sent a reply that no one waits for; dropped", NULL);
        return;
    }
    if (execution->state == EXECUTION_PROBE) {
        s_probed (self, now_ms, execution,
                  message_frame (message, command.body));
        return;
    }
    execution->target->known_ms = now_ms + self->config.heartbeat_ms;
    bool final = command.type == MDP_CLIENT_REPLY;
    if (s_gather (execution, message, command.body)) {
        update_notice (update, NOTICE_WARNING, "no room for a reply; asking "
                       "again", execution->target->name);
        s_give_up (self, execution, update);
    }
    else
    if (final) {
        s_grow_window (self, execution->target);
        s_store_reply (self, execution, update);
    }
    else
        execution->due_ms = now_ms + self->config.timeout_ms;
}

//  --------------------------------------------------------------------------
//  Time

static void
s_check_executions (dispatch_t *self, int64_t now_ms, update_t *update)
{
    for (size_t nbr = 0; nbr < self->config.executions; nbr++) {
        execution_t *execution = &self->executions [nbr];
        if (execution->state == EXECUTION_IDLE
        ||  execution->state == EXECUTION_STORING
        ||  execution->due_ms > now_ms)
            continue;
        if (execution->state == EXECUTION_FULL) {
            s_store_reply (self, execution, update);
            continue;
        }
        update_notice (update, NOTICE_INFO, "no reply in time; asking again",
                       execution->target->name);
        if (execution->state == EXECUTION_REQUEST)
            s_shrink_window (execution->target);
        else
            //  TSP-EXEC-04: there may be no mmi.service at all, and whether the
            //  service is there shows only when it is asked
            execution->target->known_ms = now_ms + self->config.timeout_ms;
        s_give_up (self, execution, update);
    }
}

//  TSP-EXEC-02, TSP-EXEC-03: each service by itself, and in turn.
//  One thing for the target whose turn it is; false when nothing can be done for
//  any now
static bool
s_serve (dispatch_t *self, target_t *target, int64_t now_ms, update_t *update)
{
    if (target->more && !target->loading && now_ms >= self->retry_ms
    &&  target->loaded < self->config.service_executions)
        s_load (self, target, update);
    if (s_can_send (target)) {
        if (self->broker_lost || self->busy == self->config.executions)
            return false;
        if (target->known_ms > now_ms)
            s_execute (self, target, now_ms, update);
        else
            s_probe (self, target, now_ms, update);
    }
    //  To the end of the list: each in turn
    s_move (self, target, PLACE_NONE);
    s_settle (self, target);
    return true;
}

void
dispatch_tick (dispatch_t *self, int64_t now_ms, update_t *update)
{
    self->now_ms = now_ms;
    s_check_executions (self, now_ms, update);
    while (self->absent && self->absent->look_ms <= now_ms) {
        target_t *target = self->absent;
        s_move (self, target, PLACE_NONE);
        s_settle (self, target);
    }
    if (self->scan_again && !self->scan_due && !self->scanning) {
        self->scan_again = false;
        self->scan_due = true;
        self->scan_ms = now_ms + self->config.retry_ms;
    }
    if (self->scan_due && !self->scanning && now_ms >= self->scan_ms)
        s_scan (self, update);
    //  A bound, so that a target that can do nothing ends the round
    size_t rounds = HASH_COUNT (self->targets) + self->config.executions;
    while (self->active && rounds-- > 0)
        if (!s_serve (self, self->active, now_ms, update))
            break;
}

int64_t
dispatch_deadline (const dispatch_t *self)
{
    int64_t deadline = INT64_MAX;
    for (size_t nbr = 0; self->busy && nbr < self->config.executions; nbr++) {
        const execution_t *execution = &self->executions [nbr];
        if (execution->state != EXECUTION_IDLE
        &&  execution->state != EXECUTION_STORING
        &&  execution->due_ms < deadline)
            deadline = execution->due_ms;
    }
    if (self->absent && self->absent->look_ms < deadline)
        deadline = self->absent->look_ms;
    if (self->scan_due && !self->scanning && self->scan_ms < deadline)
        deadline = self->scan_ms;
    if (self->active && self->retry_ms > self->now_ms
    &&  self->retry_ms < deadline)
        deadline = self->retry_ms;
    return deadline;
}
