/*  =========================================================================
    ordeal - the real programs, killed under load, and held to their promises

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "ordeal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../daemon/options.h"
#include "../engine/conversation.h"

//  From one kill to the next, and for all to be well in the end.
#define KILL_MIN_MS 50
#define KILL_MAX_MS 500
#define FINISH_MS 120000

//  How long a client waits for an answer.
#define PATIENCE_MS 500

#define MAX_MESSAGE_BYTES 1000000

enum { BROKER, TITANIC, SERVERS };

static const char *const s_names [] = { "mdpbroker", "titanicd" };

typedef struct {
    ordeal_t ordeal;
    server_t servers [SERVERS];
    caller_t *callers;          //  Slots from 1 on
    size_t caller_count;
    serving_t *servings;        //  Slots after those
    size_t serving_count;
    uint64_t kills;             //  To be done
    int64_t kill_ms;            //  When the next is due
    int64_t told_ms;            //  When it last said how far it is
    int64_t finish_ms;          //  Finishing: until when
    bool interrupted;
} run_t;

static const option_t s_table [] = {
    { "kill", 'k', OPTION_NUMBER, "N", "how often a server is killed", "1000",
      1, INT32_MAX },
    { "store", 's', OPTION_STRING, "ADDRESS",
      "where titanicd keeps requests; a file of its own unless given", NULL, 0,
      0 },
    { "clients", 0, OPTION_NUMBER, "N", "clients of Titanic", "16", 1, 1000 },
    { "workers", 0, OPTION_NUMBER, "N", "workers", "8", 4, 1000 },
    { "seed", 0, OPTION_NUMBER, "N", "seed of what is random; 0: the time",
      "0", 0, INT64_MAX },
    { "programs", 0, OPTION_STRING, "DIRECTORY",
      "where mdpbroker and titanicd are", ".", 0, 0 },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

//  --------------------------------------------------------------------------
//  The loop

static void
s_tell (const run_t *self)
{
    const ordeal_t *ordeal = &self->ordeal;
    printf ("%u kills of mdpbroker, %u of titanicd: %llu requests stored, "
            "%llu replies fetched, %llu closed, %llu questions given up\n",
            self->servers [BROKER].kills, self->servers [TITANIC].kills,
            (unsigned long long) ordeal->stored,
            (unsigned long long) ordeal->answered,
            (unsigned long long) ordeal->closed,
            (unsigned long long) ordeal->gone);
    fflush (stdout);
}

static void
s_start (run_t *self, int number)
{
    if (server_start (&self->servers [number]))
        ordeal_fail (&self->ordeal, "cannot start %s: %s", s_names [number],
                     strerror (errno));
}

//  Kill what is due, and see that nothing else died
static void
s_kill (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    for (int number = 0; number < SERVERS; number++) {
        int status;
        if (server_has_ended (&self->servers [number], &status))
            ordeal_fail (ordeal, "%s ended by itself, with wait status %d; "
                         "see %s", s_names [number], status,
                         self->servers [number].log);
    }
    if (ordeal->finishing || ordeal->now_ms < self->kill_ms)
        return;
    if (self->kills == 0) {
        ordeal->finishing = true;
        self->finish_ms = ordeal->now_ms + FINISH_MS;
        return;
    }
    int number = ordeal_chance (ordeal, 3)? TITANIC: BROKER;
    server_kill (&self->servers [number]);
    s_start (self, number);
    self->kills--;
    self->kill_ms = ordeal->now_ms + KILL_MIN_MS
        + (int64_t) ordeal_chance (ordeal, KILL_MAX_MS - KILL_MIN_MS);
}

//  Whether all is done; false too when there is more to come
static bool
s_tick (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    bool done = ordeal->finishing;
    ordeal->now_ms = ordeal_clock_ms ();
    while (ordeal->leaving_count > 0)
        channels_close (ordeal->channels,
                        ordeal->leaving [--ordeal->leaving_count]);
    s_kill (self);
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_tick (&self->servings [nbr], ordeal);
    for (size_t nbr = 0; nbr < self->caller_count; nbr++) {
        caller_tick (&self->callers [nbr], ordeal);
        done = done && caller_is_done (&self->callers [nbr]);
    }
    if (!done && ordeal->finishing && ordeal->now_ms > self->finish_ms)
        ordeal_fail (ordeal, "no server is killed any more for %d ms, and a "
                     "client has not what it was promised", FINISH_MS);
    if (ordeal->now_ms - self->told_ms >= 60000) {
        s_tell (self);
        self->told_ms = ordeal->now_ms;
    }
    return done;
}

static void
s_receive (run_t *self)
{
    channel_t channel;
    message_t *message;
    channels_result_t result;
    while ((result = channels_receive (self->ordeal.channels, &channel,
                                       &message)) != CHANNELS_EMPTY) {
        if (result != CHANNELS_OK)
            continue;
        size_t slot = CHANNEL_SLOT (channel);
        if (slot <= self->caller_count)
            caller_receive (&self->callers [slot - 1], &self->ordeal, message);
        else
            serving_receive (&self->servings [slot - 1 - self->caller_count],
                             &self->ordeal, message);
        message_destroy (&message);
    }
}

static void
s_loop (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    while (!ordeal->failed && !self->interrupted) {
        if (s_tick (self))
            return;
        self->interrupted = channels_wait (ordeal->channels, 2);
        ordeal->now_ms = ordeal_clock_ms ();
        s_receive (self);
    }
}

//  --------------------------------------------------------------------------
//  Beginning and end

static void
s_start_all (run_t *self)
{
    ordeal_t *ordeal = &self->ordeal;
    ordeal->now_ms = self->told_ms = ordeal_clock_ms ();
    self->kill_ms = ordeal->now_ms + KILL_MAX_MS;
    s_start (self, BROKER);
    s_start (self, TITANIC);
    channel_t slot = 1;
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        if (caller_start (&self->callers [nbr], slot++))
            ordeal_fail (ordeal, "cannot start: out of memory; free some");
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_start (&self->servings [nbr], ordeal, slot++);
}

static void
s_end (run_t *self)
{
    for (int number = 0; number < SERVERS; number++)
        server_kill (&self->servers [number]);
    channels_destroy (&self->ordeal.channels);
    for (size_t nbr = 0; nbr < self->caller_count; nbr++)
        caller_clear (&self->callers [nbr]);
    for (size_t nbr = 0; nbr < self->serving_count; nbr++)
        serving_clear (&self->servings [nbr]);
    free (self->callers);
    free (self->servings);
}

static int
s_verdict (run_t *self, const char *directory, unsigned long long seed)
{
    bool failed = self->ordeal.failed;
    s_tell (self);
    s_end (self);
    return ordeal_verdict (directory, seed, failed, self->interrupted);
}

static int
s_run (const options_t *options)
{
    char directory [] = "/tmp/ordeal.XXXXXX";
    unsigned port = ordeal_ground ("ordeal", directory);
    if (port == 0)
        return EXIT_FAILURE;
    const char *programs = options_string (options, "programs");
    char endpoint [64], log [300], store [300], broker [300], titanic [300];
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", port);
    snprintf (log, sizeof log, "%s/log", directory);
    snprintf (store, sizeof store, "sqlite:%s/store", directory);
    snprintf (broker, sizeof broker, "%s/%s", programs, s_names [BROKER]);
    snprintf (titanic, sizeof titanic, "%s/%s", programs, s_names [TITANIC]);
    const char *given = options_string (options, "store");
    const char *broker_arguments [] = { broker, "--endpoint", endpoint,
        "--heartbeat", "100", "--expiry", "2000", NULL };
    const char *titanic_arguments [] = { titanic, "--endpoint", endpoint,
        "--heartbeat", "100", "--timeout", "2000", "--retry", "100",
        "--store", given? given: store, NULL };

    uint64_t seed = (uint64_t) options_number (options, "seed");
    if (seed == 0)
        seed = (uint64_t) time (NULL);
    size_t callers = (size_t) options_number (options, "clients");
    size_t servings = (size_t) options_number (options, "workers");
    run_t self = {
        .ordeal = { .endpoint = endpoint, .chance = seed,
                    .heartbeat_ms = 100, .patience_ms = PATIENCE_MS },
        .servers = { { .arguments = broker_arguments, .log = log },
                     { .arguments = titanic_arguments, .log = log } },
        .callers = (caller_t *) calloc (callers, sizeof (caller_t)),
        .caller_count = callers,
        .servings = (serving_t *) calloc (servings, sizeof (serving_t)),
        .serving_count = servings,
        .kills = (uint64_t) options_number (options, "kill")
    };
    self.ordeal.channels = channels_new (MAX_MESSAGE_BYTES, ordeal_interrupts ());
    if (!self.ordeal.channels || !self.callers || !self.servings) {
        fprintf (stderr, "ordeal: cannot start: %s; free memory or file "
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
        "Kill mdpbroker and titanicd under load, again and again, and hold "
        "them to their promises.", &result);
    if (!options)
        return result == OPTIONS_DONE? EXIT_SUCCESS: 2;
    int status = 2;
    if (options_rest (options))
        fprintf (stderr, "ordeal: unexpected argument %s; try --help\n",
                 options_argument (options, 0));
    else
        status = s_run (options);
    options_destroy (&options);
    return status;
}
