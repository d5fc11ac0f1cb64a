/*  =========================================================================
    siege - the real programs among peers that send whatever comes to their mind

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "siege.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../daemon/options.h"
#include "../engine/conversation.h"

//  How often we look at what processes take.
#define LOOK_MS 200

//  For all to be well before it begins, and again in the end.
#define READY_MS 30000
#define FINISH_MS 120000

//  Messages that are read in a row before others get their turn.
#define BATCH_MAX 500

//  Memory may grow by a quarter and so much from the second quarter of the time to
//  the last; open files by a quarter and so many, among them the ended connections
//  that mdpbroker cannot get rid of one by one. In less time than this limits are not
//  reached yet.
#define GROWTH_MS 60000
#define MEMORY_SLACK_KB 32768
#define FILES_SLACK 1064

#define MAX_MESSAGE_BYTES 64000000
#define FOES_MAX 64

//  From one seed to the next: odd, so that none comes back, and none is 0 soon.
#define SEED_STEP 0x9e3779b97f4a7c15

enum { BROKER, TITANIC, SERVERS };

static const char *const s_names [] = { "mdpbroker", "titanicd" };

typedef struct {
    ordeal_t ordeal;
    server_t servers [SERVERS];
    pid_t foes [FOES_MAX];
    size_t foe_count;
    int gate [2];               //  Foes begin when it is closed
    caller_t *callers;          //  Slots from 1 on
    size_t caller_count;
    asker_t *askers;            //  Slots after those
    size_t asker_count;
    serving_t *servings;        //  Slots after those
    size_t serving_count;
    calm_t *calm;               //  The last slot
    room_t room;
    latency_t latency;          //  Of askers
    latency_t undisturbed;      //  The same, before foes began
    gauge_t *gauges [SERVERS];  //  One each LOOK_MS
    gauge_t base [SERVERS];     //  Before foes began
    size_t gauge_count, gauge_max;
    size_t most_stored;         //  Bytes in the store's files
    size_t store_limit;         //  They may be, 0: any number
    const char *store;          //  Its file
    int64_t begun_ms, told_ms, look_ms, end_ms, finish_ms;
    bool besieged;              //  Foes are at work
    bool interrupted;
} run_t;

static const option_t s_table [] = {
    { "seconds", 0, OPTION_NUMBER, "N", "how long hostile peers are at work",
      "60", 1, 1000000 },
    { "limits", 0, OPTION_STRING, "WHICH", "limits of both servers: default or low",
      "default", 0, 0 },
    { "raiders", 0, OPTION_NUMBER, "N", "hostile processes over ZeroMQ", "2",
      0, FOES_MAX / 2 },
    { "vandals", 0, OPTION_NUMBER, "N", "hostile processes over TCP", "1", 0,
      FOES_MAX / 2 },
    { "clients", 0, OPTION_NUMBER, "N", "honest clients of each kind", "8", 1,
      1000 },
    { "workers", 0, OPTION_NUMBER, "N", "honest workers", "8", 4, 1000 },
    { "patience", 0, OPTION_NUMBER, "MS",
      "how long a client waits until it asks again, four times in all", "5000",
      1, 1000000 },
    { "seed", 0, OPTION_NUMBER, "N", "seed of what is random; 0: the time",
      "0", 0, INT64_MAX },
    { "programs", 0, OPTION_STRING, "DIRECTORY",
      "where mdpbroker and titanicd are", ".", 0, 0 },
    { "fixtures", 0, OPTION_STRING, "DIRECTORY", "golden messages",
      "../fixtures", 0, 0 },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

//  --------------------------------------------------------------------------
//  Servers

//  Limits so low that each is reached. What is left for honest ones: see s_room
static const char *const s_low_broker [] = {
    "--max-connections", "250", "--max-services", "60", "--max-workers", "60",
    "--max-requests", "320", "--max-service-requests", "300",
    "--max-client-requests", "16", "--max-bytes", "1048576", "--max-message",
    "16384", "--max-frames", "64", NULL
};
static const char *const s_low_titanic [] = {
    "--workers", "8", "--reply-workers", "4", "--close-workers", "4",
    "--executions", "16", "--service-executions", "4", "--max-message", "16384",
    "--max-frames", "64", "--max-stored-bytes", "4194304", "--keep-replies",
    "30", "--keep-requests", "30", NULL
};
//  Honest workers are 8, Titanic's 16; their requests some dozens
static const room_t s_low_room = { .workers = 36, .requests = 256,
                                   .clients = 16 };

//  Arguments, with more behind them; ends with a NULL
static void
s_arguments (const char *arguments [64], const char *const *first,
             const char *const *more)
{
    size_t count = 0;
    while (*first)
        arguments [count++] = *first++;
    while (more && *more)
        arguments [count++] = *more++;
    arguments [count] = NULL;
}

static void
s_start_server (run_t *self, int number)
{
    if (server_start (&self->servers [number]))
        ordeal_fail (&self->ordeal, "cannot start %s: %s", s_names [number],
                     strerror (errno));
}

//  --------------------------------------------------------------------------
//  Hostile peers

static volatile sig_atomic_t s_over;

static void
s_set_over (int number)
{
    (void) number;
    s_over = 1;
}

//  In the child: wait for the gate, and never come back. libzmq ends the process
//  where a socket is closed in the middle of a message and its connection breaks
//  at that moment (its issue 3442), and a raider does little else: then comes the
//  next one.
static void
s_become_foe (run_t *self, foe_t *foe, bool raider)
{
    char byte;
    int status;
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    close (self->gate [1]);
    while (read (self->gate [0], &byte, 1) < 0 && errno == EINTR);
    int log = open (self->servers [BROKER].log, O_WRONLY | O_CREAT | O_APPEND,
                    0600);
    dup2 (log, STDERR_FILENO);
    do {
        foe->dice = foe->seed;
        foe->seed += SEED_STEP;
        pid_t pid = fork ();
        if (pid == 0) {
            signal (SIGTERM, s_set_over);
            prctl (PR_SET_PDEATHSIG, SIGTERM);
            if (raider)
                raider_run (foe);
            else
                vandal_run (foe);
            exit (EXIT_SUCCESS);
        }
        while (waitpid (pid, &status, 0) < 0 && errno == EINTR);
    } while (WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT);
    _exit (EXIT_FAILURE);
}

//  Before there are threads here
static void
s_start_foes (run_t *self, const options_t *options, foe_t foe)
{
    size_t raiders = (size_t) options_number (options, "raiders");
    self->foe_count = raiders + (size_t) options_number (options, "vandals");
    if (pipe2 (self->gate, O_CLOEXEC))
        ordeal_fail (&self->ordeal, "cannot start: %s", strerror (errno));
    for (size_t nbr = 0; nbr < self->foe_count; nbr++) {
        foe.seed += SEED_STEP * 1000;
        self->foes [nbr] = fork ();
        if (self->foes [nbr] == 0)
            s_become_foe (self, &foe, nbr < raiders);
        if (self->foes [nbr] < 0)
            ordeal_fail (&self->ordeal, "cannot start: %s", strerror (errno));
    }
    close (self->gate [0]);
}

//  Whether all of them were still at it
static void
s_stop_foes (run_t *self)
{
    for (size_t nbr = 0; nbr < self->foe_count; nbr++) {
        if (self->foes [nbr] <= 0)
            continue;
        int status;
        if (waitpid (self->foes [nbr], &status, WNOHANG) == self->foes [nbr])
            ordeal_fail (&self->ordeal, "hostile peer %zu has ended by itself, "
                         "with wait status %d", nbr, status);
        else {
            kill (self->foes [nbr], SIGKILL);
            waitpid (self->foes [nbr], &status, 0);
        }
        self->foes [nbr] = 0;
    }
    self->besieged = false;
}

//  --------------------------------------------------------------------------
//  What is seen

static size_t
s_stored (const run_t *self)
{
    char path [300];
    snprintf (path, sizeof path, "%s-wal", self->store);
    return gauge_file (self->store) + gauge_file (path);
}

static void
s_look (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    if (ordeal->now_ms < self->look_ms)
        return;
    self->look_ms = ordeal->now_ms + LOOK_MS;
    for (int number = 0; number < SERVERS; number++) {
        int status;
        if (server_has_ended (&self->servers [number], &status))
            ordeal_fail (ordeal, "%s ended by itself, with wait status %d; see "
                         "%s", s_names [number], status,
                         self->servers [number].log);
        if (self->besieged && self->gauge_count < self->gauge_max)
            self->gauges [number] [self->gauge_count]
                = gauge_process (self->servers [number].pid);
    }
    self->gauge_count += self->besieged
        && self->gauge_count < self->gauge_max;
    if (self->most_stored < s_stored (self))
        self->most_stored = s_stored (self);
}

//  In a part of the time: means of memory, most of files
static gauge_t
s_part (const run_t *self, int number, size_t from, size_t end)
{
    gauge_t part = { 0 };
    for (size_t nbr = from; nbr < end; nbr++) {
        const gauge_t *gauge = &self->gauges [number] [nbr];
        part.memory_kb += gauge->memory_kb / (end - from);
        if (part.files < gauge->files)
            part.files = gauge->files;
    }
    return part;
}

//  Growth from the second quarter to the last
static void
s_judge_growth (run_t *self)
{
    size_t count = self->gauge_count;
    bool judge = count * LOOK_MS >= GROWTH_MS;
    for (int number = 0; number < SERVERS && count >= 4; number++) {
        gauge_t now = gauge_process (self->servers [number].pid);
        gauge_t early = s_part (self, number, count / 4, count / 2);
        gauge_t late = s_part (self, number, count - count / 4, count);
        printf ("%-9s memory %zu kB before, %zu in the second quarter, %zu in "
                "the last, %zu after; files %zu, %zu, %zu, %zu\n",
                s_names [number], self->base [number].memory_kb,
                early.memory_kb, late.memory_kb, now.memory_kb,
                self->base [number].files, early.files, late.files, now.files);
        if (judge
        &&  late.memory_kb > early.memory_kb + early.memory_kb / 4
                              + MEMORY_SLACK_KB)
            ordeal_fail (&self->ordeal, "%s grows", s_names [number]);
        if (judge
        &&  late.files > early.files + early.files / 4 + FILES_SLACK)
            ordeal_fail (&self->ordeal, "%s opens more and more files",
                         s_names [number]);
    }
    printf ("%-9s %zu kB in files at most\n", "store",
            self->most_stored / 1024);
    if (self->store_limit && self->most_stored > self->store_limit)
        ordeal_fail (&self->ordeal, "the store takes %zu bytes, which are more "
                     "than %zu", self->most_stored, self->store_limit);
}

//  So many of a thousand were answered within
static unsigned long long
s_within (const latency_t *self, uint64_t thousandths)
{
    uint64_t count = 0;
    for (size_t slot = 0; slot < sizeof self->slots / sizeof *self->slots;
         slot++) {
        count += self->slots [slot];
        if (count * 1000 >= self->count * thousandths)
            return 1ULL << slot;
    }
    return 0;
}

static void
s_tell_latency (const char *when, const latency_t *latency)
{
    printf ("%s: %llu requests answered, half within %llu ms, 99 of 100 within "
            "%llu ms, all within %lld ms\n", when,
            (unsigned long long) latency->count, s_within (latency, 500),
            s_within (latency, 990), (long long) latency->longest_ms);
}

static void
s_tell (const run_t *self)
{
    const ordeal_t *ordeal = &self->ordeal;
    printf ("%llu s: ", (unsigned long long)
            ((ordeal->now_ms - self->begun_ms) / 1000));
    printf ("%llu requests stored, %llu replies fetched, %llu closed, %llu "
            "refused, %llu asked again; ", (unsigned long long) ordeal->stored,
            (unsigned long long) ordeal->answered,
            (unsigned long long) ordeal->closed,
            (unsigned long long) ordeal->refused,
            (unsigned long long) ordeal->gone);
    for (int number = 0; number < SERVERS; number++) {
        gauge_t gauge = gauge_process (self->servers [number].pid);
        printf ("%s %zu kB, %zu files; ", s_names [number], gauge.memory_kb,
                gauge.files);
    }
    s_tell_latency ("clients", &self->latency);
    fflush (stdout);
}

//  --------------------------------------------------------------------------
//  The course of things

static bool
s_all_served_once (const run_t *self)
{
    for (size_t nbr = 0; nbr < self->asker_count; nbr++)
        if (self->askers [nbr].serial < 2)
            return false;
    return self->ordeal.closed >= self->caller_count;
}

static void
s_begin_siege (run_t *self)
{
    for (int number = 0; number < SERVERS; number++)
        self->base [number] = gauge_process (self->servers [number].pid);
    self->undisturbed = self->latency;
    self->latency = (latency_t) { 0 };
    self->besieged = true;
    self->end_ms = self->ordeal.now_ms
        + (int64_t) self->gauge_max * LOOK_MS;
    close (self->gate [1]);
    self->gate [1] = -1;
}

//  Whether all is done; false too when there is more to come
static bool
s_proceed (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    if (self->gate [1] >= 0) {
        if (s_all_served_once (self))
            s_begin_siege (self);
        else
        if (ordeal->now_ms - self->begun_ms > READY_MS)
            ordeal_fail (ordeal, "not everybody is served before hostile peers "
                         "begin");
        return false;
    }
    if (self->besieged) {
        if (ordeal->now_ms >= self->end_ms) {
            s_tell (self);
            s_stop_foes (self);
            ordeal->finishing = true;
            self->finish_ms = ordeal->now_ms + FINISH_MS;
        }
        return false;
    }
    bool done = calm_is_done (self->calm);
    for (size_t nbr = 0; nbr < self->asker_count; nbr++)
        done = done && asker_is_done (&self->askers [nbr]);
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        done = done && caller_is_done (&self->callers [nbr]);
    if (!done && ordeal->now_ms > self->finish_ms)
        ordeal_fail (ordeal, "no rest within %d ms after hostile peers are "
                     "gone: %s", FINISH_MS, calm_is_done (self->calm)
                     ? "a client has not what it was promised"
                     : calm_text (self->calm));
    return done;
}

static bool
s_tick (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    ordeal->now_ms = ordeal_clock_ms ();
    while (ordeal->leaving_count > 0)
        channels_close (ordeal->channels,
                        ordeal->leaving [--ordeal->leaving_count]);
    s_look (self);
    bool done = s_proceed (self);
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_tick (&self->servings [nbr], ordeal);
    for (size_t nbr = 0; nbr < self->asker_count; nbr++)
        if (!ordeal->finishing || !asker_is_done (&self->askers [nbr]))
            asker_tick (&self->askers [nbr], ordeal);
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        caller_tick (&self->callers [nbr], ordeal);
    if (ordeal->finishing)
        calm_tick (self->calm, ordeal);
    if (ordeal->now_ms - self->told_ms >= 60000) {
        s_tell (self);
        self->told_ms = ordeal->now_ms;
    }
    return done;
}

static void
s_take (run_t *self, channel_t channel, const message_t *message)
{
    ordeal_t *ordeal = &self->ordeal;
    size_t number = CHANNEL_SLOT (channel) - 1;
    if (number < self->caller_count) {
        caller_receive (&self->callers [number], ordeal, message);
        return;
    }
    number -= self->caller_count;
    if (number < self->asker_count) {
        asker_receive (&self->askers [number], ordeal, message,
                       &self->latency);
        return;
    }
    number -= self->asker_count;
    if (number < self->serving_count)
        serving_receive (&self->servings [number], ordeal, message);
    else
        calm_receive (self->calm, ordeal, channel, message);
}

static void
s_loop (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    while (!ordeal->failed && !self->interrupted && !s_tick (self)) {
        self->interrupted = channels_wait (ordeal->channels, 2);
        ordeal->now_ms = ordeal_clock_ms ();
        for (size_t count = 0; count < BATCH_MAX; count++) {
            channel_t channel;
            message_t *message;
            channels_result_t result = channels_receive (ordeal->channels,
                                                         &channel, &message);
            if (result == CHANNELS_EMPTY)
                break;
            if (result != CHANNELS_OK)
                continue;
            s_take (self, channel, message);
            message_destroy (&message);
        }
    }
}

//  --------------------------------------------------------------------------
//  Beginning and end

static void
s_start_all (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    ordeal->now_ms = self->begun_ms = self->told_ms = ordeal_clock_ms ();
    s_start_server (self, BROKER);
    s_start_server (self, TITANIC);
    channel_t slot = 1;
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        if (caller_start (&self->callers [nbr], slot++))
            ordeal_fail (ordeal, "cannot start: out of memory; free some");
    for (size_t nbr = 0; nbr < self->asker_count; nbr++)
        asker_start (&self->askers [nbr], slot++);
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_start (&self->servings [nbr], ordeal, slot++);
    self->calm = calm_new (slot, &self->room);
}

static void
s_end (run_t *self)
{
    for (int number = 0; number < SERVERS; number++) {
        server_kill (&self->servers [number]);
        free (self->gauges [number]);
    }
    channels_destroy (&self->ordeal.channels);
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        caller_clear (&self->callers [nbr]);
    for (size_t nbr = 0; nbr < self->asker_count; nbr++)
        asker_clear (&self->askers [nbr]);
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_clear (&self->servings [nbr]);
    calm_destroy (&self->calm);
    free (self->callers);
    free (self->askers);
    free (self->servings);
}

static int
s_verdict (run_t *self, const char *directory, unsigned long long seed)
{
    s_stop_foes (self);
    s_tell (self);
    s_tell_latency ("before", &self->undisturbed);
    s_tell_latency ("besieged", &self->latency);
    s_judge_growth (self);
    bool failed = self->ordeal.failed;
    s_end (self);
    return ordeal_verdict (directory, seed, failed, self->interrupted);
}

static bool
s_make (run_t *self, const options_t *options)
{
    self->caller_count = self->asker_count
        = (size_t) options_number (options, "clients");
    self->serving_count = (size_t) options_number (options, "workers");
    self->gauge_max = (size_t) options_number (options, "seconds")
        * 1000 / LOOK_MS;
    self->callers = (caller_t *) calloc (self->caller_count, sizeof (caller_t));
    self->askers = (asker_t *) calloc (self->asker_count, sizeof (asker_t));
    self->servings = (serving_t *) calloc (self->serving_count,
                                           sizeof (serving_t));
    for (int number = 0; number < SERVERS; number++)
        self->gauges [number] = (gauge_t *) calloc (self->gauge_max,
                                                    sizeof (gauge_t));
    self->ordeal.channels = channels_new (MAX_MESSAGE_BYTES,
                                          ordeal_interrupts ());
    return self->callers && self->askers && self->servings
        && self->gauges [BROKER] && self->gauges [TITANIC]
        && self->ordeal.channels;
}

static int
s_run (const options_t *options, bool low)
{
    char directory [] = "/tmp/siege.XXXXXX";
    unsigned port = ordeal_ground ("siege", directory);
    if (port == 0)
        return EXIT_FAILURE;
    const char *programs = options_string (options, "programs");
    char endpoint [64], log [300], store [300], broker [300], titanic [300];
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", port);
    snprintf (log, sizeof log, "%s/log", directory);
    snprintf (store, sizeof store, "%s/store", directory);
    snprintf (broker, sizeof broker, "%s/%s", programs, s_names [BROKER]);
    snprintf (titanic, sizeof titanic, "%s/%s", programs, s_names [TITANIC]);
    const char *const broker_first [] = { broker, "--endpoint", endpoint,
        "--heartbeat", "500", "--expiry", "2000", NULL };
    const char *const titanic_first [] = { titanic, "--endpoint", endpoint,
        "--heartbeat", "500", "--timeout", "2000", "--retry", "100", "--store",
        store, NULL };
    const char *broker_arguments [64], *titanic_arguments [64];
    s_arguments (broker_arguments, broker_first, low? s_low_broker: NULL);
    s_arguments (titanic_arguments, titanic_first, low? s_low_titanic: NULL);

    uint64_t seed = (uint64_t) options_number (options, "seed");
    if (seed == 0)
        seed = (uint64_t) time (NULL);
    run_t self = {
        .ordeal = { .endpoint = endpoint, .chance = seed, .heartbeat_ms = 500,
                    .patience_ms = options_number (options, "patience"),
                    .tries = 4, .tidy = true },
        .servers = { { .arguments = broker_arguments, .log = log },
                     { .arguments = titanic_arguments, .log = log } },
        .store = store, .store_limit = low? 16 << 20: 0,
        .room = low? s_low_room: (room_t) { 0 }
    };
    printf ("seed %llu, %s limits\n", (unsigned long long) seed,
            low? "low": "default");
    fflush (stdout);
    s_start_foes (&self, options, (foe_t) { .endpoint = endpoint, .port = port,
        .fixtures = options_string (options, "fixtures"), .seed = seed,
        .over = &s_over,
        .max_message = low? 16384: 16777216 });
    if (!s_make (&self, options)) {
        fprintf (stderr, "siege: cannot start: %s; free memory or file "
                 "descriptors\n", strerror (errno));
        return EXIT_FAILURE;
    }
    s_start_all (&self);
    s_loop (&self);
    return s_verdict (&self, directory, (unsigned long long) seed);
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "",
        "Run mdpbroker and titanicd among peers that send whatever comes to "
        "their mind, and see that honest ones do not suffer.", &result);
    if (!options)
        return result == OPTIONS_DONE? EXIT_SUCCESS: 2;
    int status = 2;
    const char *limits = options_string (options, "limits");
    bool low = strcmp (limits, "low") == 0;
    if (options_rest (options))
        fprintf (stderr, "siege: unexpected argument %s; try --help\n",
                 options_argument (options, 0));
    else
    if (!low && strcmp (limits, "default"))
        fprintf (stderr, "siege: --limits %s: there are default and low\n",
                 limits);
    else
        status = s_run (options, low);
    options_destroy (&options);
    return status;
}
