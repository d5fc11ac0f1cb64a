/*  =========================================================================
    dispatch_inside - what the files of dispatch share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DISPATCH_INSIDE_H_INCLUDED
#define DISPATCH_INSIDE_H_INCLUDED

#include "../protocol/mdp.h"
#include "dispatch.h"
#include "lease.h"

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
    unsigned attempts;          //  Executions that timed out
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
    size_t asked;               //  For so many, with the last read
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
    EXECUTION_FULL,             //  The store did not take it: try again
    EXECUTION_OVER              //  To be closed, for which memory was out
} execution_state_t;

//  A client's connection: one request at a time, so that a reply is never taken
//  for that to another
typedef struct {
    execution_state_t state;
    channel_t channel;          //  0 while closed
    unsigned serial;            //  Of the channel
    target_t *target;           //  Unless IDLE, OVER
    job_t *job;                 //  REQUEST, STORING, FULL; NULL once forgotten
    request_id_t id;            //  Of the job
    message_t *reply;           //  STORING, FULL; its PARTIALs in REQUEST
    uint64_t ticket;            //  STORING
    int64_t due_ms;             //  PROBE, REQUEST: timeout; FULL, OVER: try again
} execution_t;

//  A read under way
typedef struct {
    uint64_t ticket;            //  Key
    target_t *target;           //  NULL for the scan of services
    size_t limit;               //  Jobs that it may bring
    request_id_t server;        //  For whom it claims
    UT_hash_handle hh;
} read_t;

struct _dispatch_t {
    dispatch_config_t config;
    channel_t first_slot;
    dispatch_ticket_fn *ticket;
    void *argument;             //  Of ticket
    lease_t lease;              //  On what we have claimed
    bool keeps;                 //  A claim, though it has been given back: memory
                                //  was out, so the lease must run out
    frame_t *mmi_service;       //  The name mmi.service
    job_t *jobs;                //  By id
    target_t *targets;          //  By name
    target_t *active;           //  In turn
    target_t *absent;           //  In the order of look_ms
    execution_t *executions;
    size_t busy;                //  Executions that are not IDLE
    size_t loaded;              //  Jobs in the queues of all targets
    size_t asked;               //  Jobs that reads under way may bring
    read_t *reads;              //  By ticket
    frame_t *scan_after;        //  The scan got to this name; NULL: at the start
    bool scan_due;              //  Go on with the scan
    bool scanning;              //  A page of it is being read
    bool scan_again;            //  Begin once more after it: something was left
    bool scan_partial;          //  It did not begin at the start
    bool broker_lost;           //  Send nothing until it is heard of
    bool mmi_silent;            //  It did not answer what it answers at once
    int64_t scan_ms;            //  Go on with the scan not before this time
    int64_t rescan_ms;          //  Shared store: when to look what others stored
    int64_t retry_ms;           //  A read failed: no other before this time
    int64_t now_ms;             //  Of the last tick
};

//  --------------------------------------------------------------------------
//  dispatch.c

job_t *
    dispatch_find_job (dispatch_t *self, const request_id_t *id);
void
    dispatch_job_destroy (dispatch_t *self, job_t *job);

//  How many requests may be read for a target now, as far as the target goes.
size_t
    dispatch_room (const dispatch_t *self, const target_t *target);

//  How many may be read for all of them together. On a shared store what is read
//  is claimed: no more than can be sent at once. Others get the rest, and what is
//  closed through another server does not wait here to be sent all the same,
//  TSP-CLOSE-02.
size_t
    dispatch_idle (const dispatch_t *self);

//  Put the target where it belongs, or away when nothing is left of it.
void
    dispatch_settle (dispatch_t *self, target_t *target);

//  Requests for a service are in the store, which of them: NULL when that is not
//  known. false when there is no room to look after it.
bool
    dispatch_awaken (dispatch_t *self, const frame_t *name,
                     const request_id_t *id);

//  The execution owes nothing any more.
void
    dispatch_rest (dispatch_t *self, execution_t *execution);

//  --------------------------------------------------------------------------
//  dispatch_store.c

//  Read from the store again what waits for the target. What is loaded already
//  is known by its id, so reading it twice does no harm.
void
    dispatch_rewind (target_t *target);

//  Read some of what waits for a target; names of services.
void
    dispatch_load (dispatch_t *self, target_t *target, int64_t now_ms,
                   update_t *update);
void
    dispatch_scan (dispatch_t *self, int64_t now_ms, update_t *update);

//  Give the store the reply that the execution holds.
void
    dispatch_store_reply (dispatch_t *self, execution_t *execution,
                          int64_t now_ms, update_t *update);

//  The execution has had no reply in time: note that, and set its request aside
//  once that was so too often.
void
    dispatch_count_attempt (dispatch_t *self, execution_t *execution,
                            update_t *update);

//  Others may execute this job; those that were not sent yet, where the store is
//  shared; of all targets.
void
    dispatch_give_back (dispatch_t *self, job_t *job, update_t *update);
void
    dispatch_give_back_queue (dispatch_t *self, target_t *target,
                              update_t *update);
void
    dispatch_give_back_all (dispatch_t *self, update_t *update);

//  Begin a lease anew where claims could not be given back: others would wait for
//  them as long as this one is renewed.
void
    dispatch_let_go (dispatch_t *self, int64_t now_ms);

//  When to look at a shared store again: INT64_MAX for never. It takes a step a
//  service, however much is stored.
int64_t
    dispatch_rescan_ms (const dispatch_t *self);

#endif
