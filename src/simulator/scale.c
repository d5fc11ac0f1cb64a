/*  =========================================================================
    scale - how far many servers on one store get, from what each step takes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../daemon/options.h"
#include "scale_world.h"

#define NS_MAX 1000000000

//  What is not said otherwise was measured: doc/deployment.md tells how.
static const option_t s_table [] = {
    { "broker", 0, OPTION_NUMBER, "NS",
      "nanoseconds of processor that a broker takes for a message", "11000", 0,
      NS_MAX },
    { "titanic", 0, OPTION_NUMBER, "NS",
      "nanoseconds that titanicd takes for a message, or an answer of the "
      "store", "17000", 0, NS_MAX },
    { "wake", 0, OPTION_NUMBER, "NS",
      "nanoseconds that both take each time that they begin to work", "75000",
      0, NS_MAX },
    { "load", 0, OPTION_NUMBER, "NS",
      "nanoseconds that clients and workers take for a message", "8000", 0,
      NS_MAX },
    { "transaction", 0, OPTION_NUMBER, "NS",
      "nanoseconds that PostgreSQL takes for a transaction", "240000", 0,
      NS_MAX },
    { "row", 0, OPTION_NUMBER, "NS",
      "nanoseconds that it takes for each row written", "28000", 0, NS_MAX },
    { "read", 0, OPTION_NUMBER, "NS",
      "nanoseconds that it takes for a statement that reads", "25000", 0,
      NS_MAX },
    { "flush", 0, OPTION_NUMBER, "NS",
      "nanoseconds that a disk takes to flush", "2000000", 0, NS_MAX },
    { "network", 0, OPTION_NUMBER, "NS",
      "nanoseconds from one machine to another", "50000", 0, NS_MAX },
    { "cores", 0, OPTION_NUMBER, "N", "cores of each machine", "4", 1, 1000 },
    { "clients", 0, OPTION_NUMBER, "N", "clients for each server", "512", 1,
      100000 },
    { "duration", 0, OPTION_NUMBER, "MS", "milliseconds that are measured",
      "1000", 1, 1000000 },
    { "part", 'p', OPTION_STRING, "NAME",
      "one of these only: one (machine), many, lost", NULL, 0, 0 },
    { "seed", 's', OPTION_NUMBER, "N", "of chance", "1", 0, INT64_MAX },
    { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }
};

static plan_t
s_plan (const options_t *options)
{
    return (plan_t) {
        .brokers = 1, .titanics = 1,
        .clients = (size_t) options_number (options, "clients"),
        .workers = 256,
        .cores = (size_t) options_number (options, "cores"),
        .pause_ms = 20, .lease_ms = 10000, .retry_ms = 1000,
        .broker_ns = options_number (options, "broker"),
        .titanic_ns = options_number (options, "titanic"),
        .wake_ns = options_number (options, "wake"),
        .load_ns = options_number (options, "load"),
        .flush_ns = options_number (options, "flush"),
        .base = { .net_ns = options_number (options, "network"),
                  .transaction_ns = options_number (options, "transaction"),
                  .row_ns = options_number (options, "row"),
                  .read_ns = options_number (options, "read") },
        .seed = (uint64_t) options_number (options, "seed")
    };
}

//  Used for so much of the time, something makes others wait
#define NARROW 0.75

//  What has least to spare. A server's thread is never free, since it waits for
//  each answer of the store: it is the limit where nothing else is.
static const char *
s_limit (const outcome_t *outcome)
{
    const struct {
        const char *name;
        double load;
    } parts [] = {
        { "titanicd", NARROW }, { "broker", outcome->broker },
        { "store's processor", outcome->store_cpu },
        { "store's disk", outcome->store_disk }
    };
    size_t most = 0;
    for (size_t nbr = 1; nbr < sizeof parts / sizeof *parts; nbr++)
        if (parts [nbr].load > parts [most].load)
            most = nbr;
    return parts [most].name;
}

static void
s_measure (plan_t plan, int64_t duration_ms)
{
    outcome_t stores, lives;
    plan.lives = false;
    size_t workers = plan.workers;
    if (plan.together)
        plan.workers = 0;
    world_measure (&plan, 700, duration_ms, &stores);
    plan.workers = workers;
    plan.lives = true;
    world_measure (&plan, 2000, duration_ms, &lives);
    printf ("| %zu | %zu | %s | %.0f | %s | %.0f | %s |\n", plan.titanics,
            plan.brokers, plan.base.standby? "yes": "no", stores.stored,
            s_limit (&stores), lives.closed, s_limit (&lives));
    fflush (stdout);
}

static void
s_together (plan_t plan, int64_t duration_ms)
{
    plan.together = true;
    plan.cores = 2;
    plan.clients = 64;
    plan.workers = 16;
    plan.base.net_ns = 0;
    printf ("One machine of 2 cores, 64 clients and 16 workers on it\n\n"
            "| servers | brokers | standby | stored /s | limit | lives /s | "
            "limit |\n|---|---|---|---|---|---|---|\n");
    s_measure (plan, duration_ms);
    putchar ('\n');
}

static void
s_apart (plan_t plan, int64_t duration_ms)
{
    static const size_t titanics [] = { 1, 2, 4, 8 };
    size_t clients = plan.clients;
    static const size_t brokers [] = { 1, 2, 4 };
    printf ("Machines of their own\n\n"
            "| servers | brokers | standby | stored /s | limit | lives /s | "
            "limit |\n|---|---|---|---|---|---|---|\n");
    for (size_t place = 0; place < 3; place++)
        for (size_t nbr = 0; nbr < 4; nbr++) {
            plan.brokers = brokers [place];
            plan.titanics = titanics [nbr];
            plan.clients = clients * titanics [nbr];
            plan.base.standby = false;
            s_measure (plan, duration_ms);
        }
    plan.base.standby = true;
    s_measure (plan, duration_ms);
    putchar ('\n');
}

static void
s_take_over (plan_t plan)
{
    static const int64_t leases_ms [] = { 2000, 5000, 10000, 30000 };
    plan.titanics = 3;
    plan.clients = 16;
    plan.workers = 16;
    plan.lives = true;
    plan.work_ms = 100;
    printf ("A server's machine is lost, two go on; 20 times each\n\n"
            "| lease | what it had claimed waits for | on average |\n"
            "|---|---|---|\n");
    for (size_t nbr = 0; nbr < 4; nbr++) {
        int64_t least_ms = INT64_MAX, last_ms = 0, sum_ms = 0;
        size_t runs = 0;
        plan.lease_ms = leases_ms [nbr];
        for (uint64_t seed = 0; seed < 20; seed++) {
            int64_t most_ms, mean_ms;
            plan.seed += 1;
            if (world_take_over (&plan, 5000 + (int64_t) seed * 733, &most_ms,
                                 &mean_ms) == 0)
                continue;
            least_ms = most_ms < least_ms? most_ms: least_ms;
            last_ms = most_ms > last_ms? most_ms: last_ms;
            sum_ms += mean_ms;
            runs++;
        }
        printf ("| %.0f s | %.1f to %.1f s | %.1f s |\n",
                (double) leases_ms [nbr] / 1000, (double) least_ms / 1000,
                (double) last_ms / 1000,
                runs? (double) sum_ms / (double) runs / 1000: 0);
        fflush (stdout);
    }
}

static bool
s_is_part (const char *part, const char *name, bool *known)
{
    if (part && strcmp (part, name))
        return false;
    *known = true;
    return true;
}

int
main (int argc, char *argv [])
{
    options_result_t result;
    options_t *options = options_new (argc, argv, s_table, "",
        "How far many Titanic servers on one store get, by simulation.",
        &result);
    if (!options)
        return result == OPTIONS_DONE? EXIT_SUCCESS: 2;
    if (options_rest (options)) {
        fprintf (stderr, "scale: unexpected argument %s; try --help\n",
                 options_argument (options, 0));
        options_destroy (&options);
        return 2;
    }
    plan_t plan = s_plan (options);
    int64_t duration_ms = options_number (options, "duration");
    const char *part = options_string (options, "part");
    bool known = false;
    if (s_is_part (part, "one", &known))
        s_together (plan, duration_ms);
    if (s_is_part (part, "many", &known))
        s_apart (plan, duration_ms);
    if (s_is_part (part, "lost", &known))
        s_take_over (plan);
    if (!known)
        fprintf (stderr, "scale: no part is called %s; there are one, many and "
                 "lost\n", part);
    options_destroy (&options);
    return known? EXIT_SUCCESS: 2;
}
