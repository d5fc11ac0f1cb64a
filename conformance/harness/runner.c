/*  =========================================================================
    runner - runs scenarios side by side, each in a process of its own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <czmq.h>

#include "machine.h"
#include "play.h"
#include "port.h"
#include "runner.h"
#include "sandbox.h"
#include "schedule.h"
#include "stage.h"
#include "vector.h"

//  A scenario that takes longer than this is stuck: the harness has a bug
#define SCENARIO_MAX_MS (15 * 60 * 1000)
//  How often a scenario is run again when the machine was too busy to judge
#define RERUNS_MAX 6
#define PROGRESS_MS 200
//  How often it is run again when the machine was busy, and the harness in time: a
//  target that is at fault fails every time
#define CONFIRMS_MAX 3
//  Less idle time than this share is busy
#define IDLE_LEAST 0.2
//  No more is started while a core has more to do than this at once: each would be
//  late for the others. So many a core are started in any case.
#define QUEUE_MOST 4
#define STARTED_LEAST 2
#define QUEUE_CHECK_MS 10
//  Targets that beat no faster than this have time to spare on any machine, once they
//  have started
#define SLOW_MS 1000

//  One scenario that runs
typedef struct {
    size_t index;               //  Number of its job
    int runs;                   //  How often it has been run before
    pid_t pid;                  //  Its process, 0 when the slot is free
    int pipe;                   //  What it tells
    char *text;                 //  What it has told so far
    size_t size;
    char *directory;            //  Its own, removed afterwards
    int64_t began_ms;
    machine_load_t load;        //  Of the machine when it began
    char *seen;                 //  What a run before came to; NULL if none
} slot_t;

//  One that waits for its turn
typedef struct {
    size_t index;
    int runs;
    char *seen;
    int64_t estimate_ms;
} waiting_t;

typedef struct {
    const runner_config_t *config;
    const job_t *jobs;
    size_t count;
    waiting_t *waiting;         //  In the order of their turns
    size_t waiting_count;
    size_t next;                //  First of them that has not been started
    size_t running;
    size_t limit;               //  How many may run at once, as it turned out
    bool held;                  //  Until the machine has less to do
    bool stopped;
    slot_t *slots;
    char *directory;            //  Of all scenarios
    unsigned serial;            //  For names of directories
} runner_t;

static volatile sig_atomic_t s_interrupted;

static void
s_interrupt (int signal)
{
    s_interrupted = signal;
}

//  Nothing is known of it yet but what the script says
static result_t *
s_blank_result (const scenario_t *scenario)
{
    result_t *result = result_new (scenario->name, scenario->title);
    result_set (&result->protocol, scenario->version);
    for (size_t index = 0; index < scenario->cover_count; index++)
        result_add_cover (result, scenario->covers [index]->id);
    return result;
}

//  --------------------------------------------------------------------------
//  In the scenario's own process

typedef struct {
    const runner_config_t *config;
    const job_t *job;
    const char *directory;
    int pipe;
} task_t;

//  Put private file systems where the target keeps its state
static int
s_mount_state (const task_t *task, const char *work)
{
    const profile_t *profile = task->job->profile;
    if (!task->config->isolated)
        return 0;
    if (sandbox_mount (work, profile->state_mib))
        return -1;
    if (!profile->state)
        return 0;
    if (mkdir (profile->state, 0755) && errno != EEXIST)
        return -1;
    return sandbox_mount (profile->state, profile->state_mib);
}

static void
s_tell (int pipe, const result_t *result, int64_t lag_ms)
{
    char *text = result_encode (result);
    FILE *out = fdopen (pipe, "w");
    if (out) {
        fprintf (out, "%lld\n%s\n", (long long) lag_ms, text);
        fclose (out);
    }
    free (text);
}

//  Beside the working directory, which may be one that is filled up
static keys_t *
s_keys_new (const task_t *task, char **reason)
{
    const profile_t *profile = task->job->profile;
    char *path = zsys_sprintf ("%s/keys", task->directory);
    keys_t *keys = keys_new (path, profile->curve_server, profile->curve_client,
                             reason);
    free (path);
    return keys;
}

static void *
s_play (void *argument)
{
    task_t *task = (task_t *) argument;
    const scenario_t *scenario = task->job->scenario;
    result_t *result = s_blank_result (scenario);
    char *work = zsys_sprintf ("%s/work", task->directory);
    char *logs = zsys_sprintf ("%s/logs", task->directory);
    int64_t lag_ms = 0;
    char *reason = NULL;
    keys_t *keys = NULL;
    if (mkdir (work, 0755) || mkdir (logs, 0755)
    ||  s_mount_state (task, work))
        reason = zsys_sprintf ("cannot set up the state directory: %s",
                               strerror (errno));
    else
    if (task->job->profile->curve)
        keys = s_keys_new (task, &reason);
    if (reason) {
        result->verdict = VERDICT_BROKEN;
        result_set (&result->reason, reason);
        free (reason);
    }
    else {
        stage_config_t config = { task->job->profile, task->config->fixtures,
            scenario->version, work, logs, keys, task->config->scale };
        stage_t *stage = stage_new (&config);
        play_scenario (scenario, stage, task->job->profile, result);
        lag_ms = stage_lag_ms (stage);
        stage_destroy (&stage);
    }
    s_tell (task->pipe, result, lag_ms);
    keys_destroy (&keys);
    result_destroy (&result);
    free (work);
    free (logs);
    return NULL;
}

//  What a process does once for all its sockets, such as to find the libraries'
//  functions by name, is done here: all scenarios' processes inherit it.
static void
s_warm_up (void)
{
    zsock_t *router = zsock_new (ZMQ_ROUTER);
    zsock_t *dealer = zsock_new (ZMQ_DEALER);
    int port = router? zsock_bind (router, "tcp://127.0.0.1:*"): -1;
    if (dealer && port > 0) {
        zsock_set_rcvtimeo (router, 1000);
        zmq_pollitem_t item = { zsock_resolve (router), 0, ZMQ_POLLIN, 0 };
        zsock_connect (dealer, "tcp://127.0.0.1:%d", port);
        zstr_sendx (dealer, "", "warm", NULL);
        zmq_poll (&item, 1, 1000);
        zmsg_t *message = zmsg_recv (router);
        zmsg_destroy (&message);
    }
    zsock_destroy (&dealer);
    zsock_destroy (&router);
    zsys_shutdown ();
}

//  A thread takes its memory from a place of its own. What this process inherited
//  has holes everywhere, and each page with a hole that is used would be copied.
static int
s_perform (void *argument)
{
    signal (SIGINT, SIG_IGN);
    zsys_handler_set (NULL);
    //  As the stage wants it
    sigset_t ended;
    sigemptyset (&ended);
    sigaddset (&ended, SIGCHLD);
    pthread_sigmask (SIG_BLOCK, &ended, NULL);
    pthread_t thread;
    if (pthread_create (&thread, NULL, s_play, argument))
        return 1;
    pthread_join (thread, NULL);
    return 0;
}

//  --------------------------------------------------------------------------
//  In the runner

static int
s_remove_entry (const char *path, const struct stat *status, int type,
                struct FTW *walk)
{
    (void) status;
    (void) type;
    (void) walk;
    remove (path);
    return 0;
}

static void
s_remove_tree (const char *path)
{
    nftw (path, s_remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void
s_done (runner_t *self, size_t index, result_t **result_p)
{
    if (!self->config->done (self->config->argument, index, *result_p))
        self->stopped = true;
    result_destroy (result_p);
}

//  A verdict that the runner itself gives
static void
s_decide (runner_t *self, size_t index, verdict_t verdict, const char *reason)
{
    result_t *result = s_blank_result (self->jobs [index].scenario);
    result->verdict = verdict;
    result_set (&result->reason, reason);
    s_done (self, index, &result);
}

static void
s_start (runner_t *self, slot_t *slot, const waiting_t *turn)
{
    size_t index = turn->index;
    *slot = (slot_t) { .index = index, .runs = turn->runs, .pipe = -1,
        .began_ms = zclock_mono (), .load = machine_load (), .seen = turn->seen };
    slot->directory = zsys_sprintf ("%s/%u", self->directory, self->serial++);
    //  Somebody may have taken it since the scenario before
    char *obstacle = self->config->isolated? NULL
        : port_obstacle (self->jobs [index].profile);
    if (obstacle) {
        s_decide (self, index, VERDICT_BROKEN, obstacle);
        free (obstacle);
        zstr_free (&slot->directory);
        zstr_free (&slot->seen);
        return;
    }
    int ends [2];
    if (mkdir (slot->directory, 0755) || pipe2 (ends, O_CLOEXEC)) {
        char *reason = zsys_sprintf ("cannot prepare the scenario: %s",
                                     strerror (errno));
        s_decide (self, index, VERDICT_BROKEN, reason);
        free (reason);
        zstr_free (&slot->directory);
        zstr_free (&slot->seen);
        return;
    }
    task_t task = { self->config, &self->jobs [index], slot->directory,
                    ends [1] };
    fflush (NULL);
    slot->pid = sandbox_fork (self->config->isolated, s_perform, &task);
    close (ends [1]);
    slot->pipe = ends [0];
    if (slot->pid < 0) {
        slot->pid = 0;
        close (slot->pipe);
        s_remove_tree (slot->directory);
        zstr_free (&slot->directory);
        zstr_free (&slot->seen);
        s_decide (self, index, VERDICT_BROKEN, "cannot fork a process");
        return;
    }
    self->running++;
}

//  The machine was too busy: the harness itself was late by more than the
//  target may be, so that nobody can say who is to blame
static bool
s_was_starved (runner_t *self, const slot_t *slot, int64_t lag_ms)
{
    const profile_t *profile = self->jobs [slot->index].profile;
    return (double) lag_ms > (double) profile->heartbeat_ms
                           * self->config->scale;
}

//  The machine had hardly time to spare while the scenario ran: the target may
//  have been slow for that alone, even though the harness was not
static bool
s_was_busy (runner_t *self, const slot_t *slot, const result_t *result)
{
    const profile_t *profile = self->jobs [slot->index].profile;
    bool started = !result->reason
        || strncmp (result->reason, PLAY_AT_START, strlen (PLAY_AT_START));
    if ((double) profile->heartbeat_ms * self->config->scale >= SLOW_MS
    &&  started)
        return false;
    return machine_idle (slot->load) < IDLE_LEAST;
}

static bool
s_is_expected (runner_t *self, size_t index, const result_t *result)
{
    if (self->config->expected)
        return self->config->expected (self->config->argument, index, result);
    return result->verdict <= VERDICT_SKIP;
}

//  A machine that is too busy has too much to do: less of it side by side, and
//  this one again, before the others
static void
s_put_off (runner_t *self, slot_t *slot, result_t **result_p)
{
    const result_t *result = *result_p;
    //  Once more: it is run alone, as far as that is ours to say
    self->limit = slot->runs || self->limit <= 2? 1: self->limit * 2 / 3;
    self->waiting [--self->next] = (waiting_t) {
        .index = slot->index, .runs = slot->runs + 1,
        .seen = slot->seen? slot->seen: zsys_sprintf ("%s: %s",
            verdict_text (result->verdict), result->reason? result->reason: "")
    };
    slot->seen = NULL;
    result_destroy (result_p);
}

//  End what the scenario's process started and did not end, which without a process
//  namespace has become ours
static void
s_end_orphans (runner_t *self)
{
    while (!self->config->isolated) {
        char *path = zsys_sprintf ("/proc/self/task/%d/children", getpid ());
        FILE *file = fopen (path, "r");
        free (path);
        int pid = 0;
        bool found = file && fscanf (file, "%d", &pid) == 1;
        if (file)
            fclose (file);
        if (!found)
            return;
        //  Who is in a group of its own may have more there
        if (getpgid (pid) == pid)
            kill (-pid, SIGKILL);
        kill (pid, SIGKILL);
        waitpid (pid, NULL, 0);
    }
}

//  The scenario's process has ended
static void
s_finish (runner_t *self, slot_t *slot)
{
    close (slot->pipe);
    kill (slot->pid, SIGKILL);
    waitpid (slot->pid, NULL, 0);
    s_end_orphans (self);
    if (self->config->ended) {
        char *logs = zsys_sprintf ("%s/logs", slot->directory);
        self->config->ended (self->config->argument, slot->index, logs);
        free (logs);
    }
    s_remove_tree (slot->directory);
    zstr_free (&slot->directory);
    slot->pid = 0;
    self->running--;
    size_t index = slot->index;
    char *json = NULL;
    int64_t lag_ms = slot->text? strtoll (slot->text, &json, 10): 0;
    result_t *result = json && *json == '\n'? result_decode (json + 1): NULL;
    free (slot->text);
    slot->text = NULL;
    if (!result) {
        zstr_free (&slot->seen);
        s_decide (self, index, VERDICT_BROKEN, "the scenario's own process "
                  "ended without a verdict");
        return;
    }
    bool starved = s_was_starved (self, slot, lag_ms);
    //  A process that dies does not do so for want of time
    bool doubtful = !s_is_expected (self, index, result) && (starved
        || (self->config->confirm && slot->runs < CONFIRMS_MAX
        &&  result->verdict < VERDICT_CRASH && s_was_busy (self, slot, result)));
    if (doubtful && slot->runs < RERUNS_MAX) {
        s_put_off (self, slot, &result);
        return;
    }
    if (self->limit < self->config->side_by_side)
        self->limit++;
    if (doubtful) {
        char *reason = zsys_sprintf ("the machine was too busy: the harness was "
            "late by %lld ms, %d times over; it saw: %s: %s",
            (long long) lag_ms, RERUNS_MAX + 1,
            verdict_text (result->verdict),
            result->reason? result->reason: "");
        result->verdict = VERDICT_BROKEN;
        result_set (&result->reason, reason);
        free (reason);
    }
    if (slot->runs) {
        char *remark = zsys_sprintf ("run %d times: the machine was too busy "
            "to judge before, when it saw: %s", slot->runs + 1, slot->seen);
        result_add_remark (result, remark);
        free (remark);
    }
    zstr_free (&slot->seen);
    s_done (self, index, &result);
}

static void
s_read (runner_t *self, slot_t *slot)
{
    char buffer [65536];
    ssize_t size = read (slot->pipe, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR)
        return;
    if (size <= 0) {
        s_finish (self, slot);
        return;
    }
    slot->text = (char *) realloc (slot->text,
                                   slot->size + (size_t) size + 1);
    assert (slot->text);
    memcpy (slot->text + slot->size, buffer, (size_t) size);
    slot->size += (size_t) size;
    slot->text [slot->size] = 0;
}

//  Whether one more may be started now
static bool
s_has_room (runner_t *self)
{
    if (self->running >= self->limit || self->stopped)
        return false;
    size_t cores = machine_cores ();
    self->held = self->running >= STARTED_LEAST * cores
              && machine_runnable () > QUEUE_MOST * cores;
    return !self->held;
}

//  Start what can be started
static void
s_fill_slots (runner_t *self)
{
    self->held = false;
    for (size_t nbr = 0; nbr < self->config->side_by_side; nbr++) {
        slot_t *slot = &self->slots [nbr];
        while (!slot->pid && self->next < self->waiting_count) {
            if (!s_has_room (self))
                return;
            waiting_t turn = self->waiting [self->next++];
            s_start (self, slot, &turn);
        }
    }
}

static int
s_compare (const void *a, const void *b)
{
    const waiting_t *one = (const waiting_t *) a;
    const waiting_t *other = (const waiting_t *) b;
    if (one->estimate_ms != other->estimate_ms)
        return one->estimate_ms > other->estimate_ms? -1: 1;
    return one->index < other->index? -1: one->index > other->index;
}

//  Say at once what cannot be asked; the rest waits for its turn, longest first, so
//  that no long one is left to run alone at the end
static void
s_line_up (runner_t *self)
{
    for (size_t index = 0; index < self->count && !self->stopped; index++) {
        const job_t *job = &self->jobs [index];
        char *obstacle = profile_obstacle (job->profile, job->scenario,
                                           self->config->isolated);
        if (obstacle)
            s_decide (self, index, VERDICT_SKIP, obstacle);
        else {
            waiting_t waiting = { .index = index,
                .estimate_ms = schedule_estimate_ms (job->scenario, job->profile,
                                                     self->config->scale) };
            vector_push (self->waiting, self->waiting_count, waiting);
        }
        free (obstacle);
    }
    if (self->waiting && !self->config->in_order)
        qsort (self->waiting, self->waiting_count, sizeof *self->waiting,
               s_compare);
}

static void
s_show_progress (runner_t *self)
{
    if (!self->config->progress)
        return;
    char names [256] = "";
    for (size_t nbr = 0; nbr < self->config->side_by_side; nbr++) {
        slot_t *slot = &self->slots [nbr];
        size_t length = strlen (names);
        if (slot->pid)
            snprintf (names + length, sizeof names - length, "%s%s",
                      length? ", ": "",
                      self->jobs [slot->index].scenario->name);
    }
    self->config->progress (self->config->argument, names);
}

static void
s_check_time (runner_t *self, slot_t *slot)
{
    if (zclock_mono () - slot->began_ms < SCENARIO_MAX_MS)
        return;
    free (slot->text);
    slot->text = NULL;
    slot->size = 0;
    s_finish (self, slot);
}

static void
s_turn (runner_t *self)
{
    struct pollfd *polled = (struct pollfd *) zmalloc (
        self->config->side_by_side * sizeof (struct pollfd));
    for (size_t nbr = 0; nbr < self->config->side_by_side; nbr++)
        polled [nbr] = (struct pollfd) {
            self->slots [nbr].pid? self->slots [nbr].pipe: -1, POLLIN, 0 };
    int ready = poll (polled, self->config->side_by_side,
                      self->held? QUEUE_CHECK_MS: PROGRESS_MS);
    for (size_t nbr = 0; nbr < self->config->side_by_side; nbr++) {
        slot_t *slot = &self->slots [nbr];
        if (ready > 0 && polled [nbr].revents)
            s_read (self, slot);
        else
        if (slot->pid)
            s_check_time (self, slot);
    }
    free (polled);
    s_show_progress (self);
}

//  All that still runs ends, with all that it started
static void
s_abort (runner_t *self)
{
    for (size_t nbr = 0; nbr < self->config->side_by_side; nbr++) {
        slot_t *slot = &self->slots [nbr];
        if (!slot->pid)
            continue;
        kill (slot->pid, SIGKILL);
        waitpid (slot->pid, NULL, 0);
        close (slot->pipe);
        free (slot->text);
        free (slot->seen);
        zstr_free (&slot->directory);
    }
    s_end_orphans (self);
    //  The first processes of namespaces, with which all in them ends
    while (self->config->isolated && wait (NULL) > 0)
        ;
}

runner_end_t
runner_run (const runner_config_t *config, const job_t *jobs, size_t count)
{
    const char *place = getenv ("TMPDIR");
    place = place && *place == '/'? place: "/tmp";
    char *directory = zsys_sprintf ("%s/seatrial-XXXXXX", place);
    if (!mkdtemp (directory)) {
        fprintf (stderr, "seatrial: cannot make a directory in %s: %s\n", place,
                 strerror (errno));
        free (directory);
        return RUNNER_TROUBLE;
    }
    runner_t self = { .config = config, .jobs = jobs, .count = count,
        .limit = config->side_by_side, .directory = directory };
    //  Whatever a scenario's process leaves behind comes to us
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    self.slots = (slot_t *) zmalloc (config->side_by_side * sizeof (slot_t));
    //  It has signals its own way while it lasts
    s_warm_up ();
    struct sigaction action = { .sa_handler = s_interrupt };
    struct sigaction old_int, old_term;
    s_interrupted = 0;
    sigaction (SIGINT, &action, &old_int);
    sigaction (SIGTERM, &action, &old_term);
    s_line_up (&self);
    s_fill_slots (&self);
    while (self.running && !s_interrupted && !self.stopped) {
        s_turn (&self);
        s_fill_slots (&self);
    }
    s_abort (&self);
    sigaction (SIGINT, &old_int, NULL);
    sigaction (SIGTERM, &old_term, NULL);
    s_remove_tree (directory);
    free (directory);
    free (self.slots);
    while (self.next < self.waiting_count)
        free (self.waiting [self.next++].seen);
    free (self.waiting);
    if (!s_interrupted)
        return self.stopped? RUNNER_STOPPED: RUNNER_DONE;
    fprintf (stderr, "seatrial: interrupted; the rest was not run\n");
    return RUNNER_INTERRUPTED;
}
