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

#include "conversation.h"
#include "dispatch_inside.h"

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
    lease_init (&self->lease, &config->server, config->lease_ms,
                config->retry_ms);
    self->mmi_service = frame_new ("mmi.service", 11);
    self->executions = (execution_t *) calloc (config->executions,
                                               sizeof (execution_t));
    if (!self->mmi_service || !self->executions)
        dispatch_destroy (&self);
    return self;
}

void
dispatch_job_destroy (dispatch_t *self, job_t *job)
{
    if (job->state != JOB_RUNNING) {
        DL_DELETE (job->target->queue, job);
        job->target->loaded--;
        self->loaded--;
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
        dispatch_job_destroy (self, job);
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
        dispatch_job_destroy (self, job);
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

void
dispatch_set_attempts (dispatch_t *self, size_t max_attempts)
{
    self->config.max_attempts = max_attempts;
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

size_t
dispatch_room (const dispatch_t *self, const target_t *target)
{
    size_t most = self->config.service_executions;
    if (!lease_is_shared (&self->lease))
        return target->loaded < most? most: 0;
    size_t taken = target->running + target->loaded;
    return taken < target->window? target->window - taken: 0;
}

size_t
dispatch_idle (const dispatch_t *self)
{
    if (!lease_is_shared (&self->lease))
        return SIZE_MAX;
    size_t taken = self->busy + self->loaded + self->asked;
    return taken < self->config.executions
        ? self->config.executions - taken: 0;
}

static bool
s_wants_read (const dispatch_t *self, const target_t *target)
{
    return target->more && !target->loading && dispatch_room (self, target) > 0;
}

void
dispatch_settle (dispatch_t *self, target_t *target)
{
    bool shared = lease_is_shared (&self->lease);
    //  On a shared store the next scan tells whether anything is left for it
    if (target->place == PLACE_ABSENT
    && (target->queue || target->more || shared))
        return;
    bool reads = s_wants_read (self, target) && !(shared && target->probing);
    s_move (self, target, reads || s_can_send (target)
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
bool
dispatch_awaken (dispatch_t *self, const frame_t *name, const request_id_t *id)
{
    target_t *target = s_require_target (self, name);
    if (!target) {
        self->scan_again = true;
        return false;
    }
    target->more = true;
    target->fresh = target->loading;
    //  The wall clock went back over a restart; or others have stored it, with
    //  clocks of their own
    bool before = id? memcmp (id, &target->cursor, sizeof *id) <= 0
                    : lease_is_shared (&self->lease);
    if (before)
        dispatch_rewind (target);
    dispatch_settle (self, target);
    return true;
}

void
dispatch_stored (dispatch_t *self, const request_id_t *id,
                 const frame_t *service)
{
    dispatch_awaken (self, service, id);
}

//  --------------------------------------------------------------------------
//  Closed requests

job_t *
dispatch_find_job (dispatch_t *self, const request_id_t *id)
{
    job_t *job;
    HASH_FIND (hh, self->jobs, id, sizeof *id, job);
    return job;
}

void
dispatch_hold (dispatch_t *self, const request_id_t *id)
{
    job_t *job = dispatch_find_job (self, id);
    if (job && job->state == JOB_WAITING) {
        //  TSP-CLOSE-02
        job->state = JOB_HELD;
        dispatch_settle (self, job->target);
    }
}

void
dispatch_release (dispatch_t *self, const request_id_t *id)
{
    job_t *job = dispatch_find_job (self, id);
    if (job && job->state == JOB_HELD) {
        job->state = JOB_WAITING;
        dispatch_settle (self, job->target);
    }
}

//  0, or -1 when memory is out
static int
s_close_channel (execution_t *execution, update_t *update)
{
    if (execution->channel && update_close (update, execution->channel))
        return -1;
    execution->channel = 0;
    return 0;
}

//  The execution owes nothing any more
void
dispatch_rest (dispatch_t *self, execution_t *execution)
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
    dispatch_settle (self, target);
}

//  The job goes back to where it was: to the store, or before all that came
//  later
static void
s_return_job (dispatch_t *self, job_t *job, update_t *update)
{
    target_t *target = job->target;
    if (lease_is_shared (&self->lease)) {
        dispatch_give_back (self, job, update);
        return;
    }
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
    self->loaded++;
}

//  Close the socket of an execution that owes nothing, now or later
static void
s_end (dispatch_t *self, execution_t *execution, update_t *update)
{
    if (execution->state == EXECUTION_IDLE)
        self->busy++;
    execution->state = EXECUTION_OVER;
    execution->due_ms = self->now_ms + self->config.retry_ms;
    if (s_close_channel (execution, update) == 0) {
        execution->state = EXECUTION_IDLE;
        self->busy--;
    }
}

//  Nothing will come any more, or what comes cannot be told from late replies
static void
s_give_up (dispatch_t *self, execution_t *execution, update_t *update)
{
    if (execution->state == EXECUTION_REQUEST && execution->job)
        //  TSP-EXEC-04
        s_return_job (self, execution->job, update);
    dispatch_rest (self, execution);
    s_end (self, execution, update);
}

void
dispatch_forget (dispatch_t *self, const request_id_t *id, update_t *update)
{
    job_t *job = dispatch_find_job (self, id);
    if (!job)
        return;
    target_t *target = job->target;
    if (job->state != JOB_RUNNING) {
        dispatch_job_destroy (self, job);
        dispatch_settle (self, target);
        return;
    }
    for (size_t nbr = 0; nbr < self->config.executions; nbr++) {
        execution_t *execution = &self->executions [nbr];
        if (execution->job != job)
            continue;
        dispatch_job_destroy (self, job);
        execution->job = NULL;
        //  The store lets no reply to a dropped request in; one that is still
        //  out is not waited for
        if (execution->state == EXECUTION_REQUEST)
            s_give_up (self, execution, update);
        else
        if (execution->state == EXECUTION_FULL)
            dispatch_rest (self, execution);
        return;
    }
}

//  --------------------------------------------------------------------------
//  The broker

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
    dispatch_give_back_all (self, update);
    self->broker_lost = true;
    self->mmi_silent = false;
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
        channel_t channel = channel_new (self->first_slot + (channel_t) nbr,
                                         &execution->serial);
        if (update_open (update, channel))
            return NULL;
        execution->channel = channel;
    }
    return execution;
}

//  0, or -1 when memory is out
static int
s_send (dispatch_t *self, execution_t *execution, target_t *target,
        const frame_t *service, const message_t *body, int64_t now_ms,
        update_t *update)
{
    //  TSP-PEER-07, TSP-OVERVIEW-03, TSP-OVERVIEW-04, TSP-REQUEST-06,
    //  TSP-REQUEST-07: the stored frames, to the service that they were for
    message_t *message = mdp_client_request (self->config.version,
                                             service, body, 0);
    if (update_send (update, execution->channel, &message))
        return -1;
    execution->target = target;
    execution->due_ms = now_ms + self->config.timeout_ms;
    self->busy++;
    return 0;
}

static void
s_probe (dispatch_t *self, target_t *target, int64_t now_ms, update_t *update)
{
    execution_t *execution = s_idle_execution (self, update);
    message_t *body = message_new ();
    bool sent = execution && body && message_add (body, target->name) == 0
        && s_send (self, execution, target, self->mmi_service, body, now_ms,
                   update) == 0;
    message_destroy (&body);
    if (!sent)
        return;
    execution->state = EXECUTION_PROBE;
    //  The broker answers this by itself, and at once unless it has much to do
    int64_t soon = now_ms + (self->mmi_silent? self->config.retry_ms
                                             : self->config.patience_ms);
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
    if (s_send (self, execution, target, target->name, job->body, now_ms,
                update))
        return;
    DL_DELETE (target->queue, job);
    target->loaded--;
    self->loaded--;
    job->state = JOB_RUNNING;
    target->running++;
    execution->state = EXECUTION_REQUEST;
    execution->job = job;
    execution->id = job->id;
}

//  mmi.service has answered, 8/MMI. A broker that has no such thing says 501,
//  and then requests are simply sent.
static void
s_probed (dispatch_t *self, int64_t now_ms, execution_t *execution,
          const frame_t *status, update_t *update)
{
    target_t *target = execution->target;
    bool absent = frame_is (status, "404", 3);
    self->mmi_silent = false;
    if (absent) {
        dispatch_give_back_queue (self, target, update);
        if (lease_is_shared (&self->lease))
            target->more = false;
        target->look_ms = now_ms + self->config.retry_ms;
        s_move (self, target, PLACE_ABSENT);
    }
    else
        target->known_ms = now_ms + self->config.heartbeat_ms;
    //  This may be the end of the target, when its work was closed meanwhile
    frame_t *name = frame_ref (target->name);
    dispatch_rest (self, execution);
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
                  message_frame (message, command.body), update);
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
        dispatch_store_reply (self, execution, now_ms, update);
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
            dispatch_store_reply (self, execution, now_ms, update);
            continue;
        }
        if (execution->state == EXECUTION_OVER) {
            s_end (self, execution, update);
            continue;
        }
        update_notice (update, NOTICE_INFO, "no reply in time; asking again",
                       execution->target->name);
        if (execution->state == EXECUTION_REQUEST) {
            s_shrink_window (execution->target);
            dispatch_count_attempt (self, execution, update);
        }
        else {
            //  TSP-EXEC-04: there may be no mmi.service at all, and whether the
            //  service is there shows only when it is asked
            execution->target->known_ms = now_ms + self->config.timeout_ms;
            self->mmi_silent = true;
        }
        s_give_up (self, execution, update);
    }
}

//  TSP-EXEC-02, TSP-EXEC-03: each service by itself, and in turn.
//  One thing for the target whose turn it is; false when nothing can be done for
//  any now
static bool
s_serve (dispatch_t *self, target_t *target, int64_t now_ms, update_t *update)
{
    bool shared = lease_is_shared (&self->lease);
    bool ready = !self->broker_lost && self->busy < self->config.executions
        && lease_holds (&self->lease, now_ms);
    bool known = target->known_ms > now_ms;
    bool wants = s_wants_read (self, target) && dispatch_idle (self) > 0;
    if (wants && now_ms >= self->retry_ms && (!shared || (ready && known)))
        dispatch_load (self, target, now_ms, update);
    //  What is for a service that is not here is left to others
    if (s_can_send (target) || (shared && !known && wants)) {
        if (!ready)
            return false;
        if (known)
            s_execute (self, target, now_ms, update);
        else
            s_probe (self, target, now_ms, update);
    }
    if (shared && !ready)
        return false;
    //  To the end of the list: each in turn
    s_move (self, target, PLACE_NONE);
    dispatch_settle (self, target);
    return true;
}

void
dispatch_stop (dispatch_t *self, update_t *update)
{
    if (lease_is_shared (&self->lease))
        lease_resign (&self->lease, self->ticket (self->argument), update);
    self->broker_lost = true;
}

void
dispatch_tick (dispatch_t *self, int64_t now_ms, update_t *update)
{
    self->now_ms = now_ms;
    dispatch_let_go (self, now_ms);
    s_check_executions (self, now_ms, update);
    dispatch_serve (self, now_ms, update);
}

void
dispatch_serve (dispatch_t *self, int64_t now_ms, update_t *update)
{
    self->now_ms = now_ms;
    if (lease_is_due (&self->lease, now_ms))
        lease_renew (&self->lease, now_ms, self->ticket (self->argument),
                     update);
    while (self->absent && self->absent->look_ms <= now_ms) {
        target_t *target = self->absent;
        s_move (self, target, PLACE_NONE);
        dispatch_settle (self, target);
    }
    if (self->scan_again && !self->scan_due && !self->scanning) {
        self->scan_again = false;
        self->scan_due = true;
        self->scan_ms = now_ms + self->config.retry_ms;
    }
    if (now_ms >= dispatch_rescan_ms (self))
        self->scan_due = true;
    if (self->scan_due && !self->scanning && now_ms >= self->scan_ms)
        dispatch_scan (self, now_ms, update);
    //  A bound, so that a target that can do nothing ends the round
    size_t rounds = HASH_COUNT (self->targets) + self->config.executions;
    while (self->active && rounds-- > 0)
        if (!s_serve (self, self->active, now_ms, update))
            break;
    //  The service has gone, or the lease, while it was being claimed
    if (self->loaded && lease_is_shared (&self->lease))
        dispatch_give_back_all (self, update);
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
    if (dispatch_rescan_ms (self) < deadline)
        deadline = dispatch_rescan_ms (self);
    if (lease_deadline (&self->lease) < deadline)
        deadline = lease_deadline (&self->lease);
    if (self->active && self->retry_ms > self->now_ms
    &&  self->retry_ms < deadline)
        deadline = self->retry_ms;
    return deadline;
}
