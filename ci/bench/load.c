/*  =========================================================================
    load - thousands of clients and workers in one process, and a stopwatch

    Plays workers and clients of a Majordomo broker, and clients of Titanic,
    for a bounded time, and prints one line of JSON. See usage below.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

//  Connections that are being opened at a time: listeners have a backlog
#define OPENING_MAX 64
//  All must be connected, and the server quiet, within this time
#define PATIENCE_MS 60000
//  With --requests: a server that has done nothing for so long does no more
#define GIVEN_UP_US 10000000
#define SERVERS_MAX 4
#define BODY_MAX 1048576

typedef enum {
    MODE_ECHO,                  //  Requests and replies
    MODE_STORE,                 //  titanic.request only
    MODE_LIFE,                  //  titanic.request, .reply, .close
    MODE_IDLE,                  //  Connect, register, call once: what memory?
    MODE_QUEUE,                 //  Requests that nobody serves: what memory?
    MODE_FIRST                  //  A worker: when does its first request come?
} load_mode_t;

static const char *const s_modes [] = {
    "echo", "store", "life", "idle", "queue", "first", NULL
};

typedef enum { STAGE_STORE, STAGE_FETCH, STAGE_CLOSE } stage_t;

//  A client: what it asked last
typedef struct {
    stage_t stage;
    unsigned char id [64];
    size_t id_size;
    int64_t due_us;             //  FETCH: not before this time
} client_t;

typedef struct {
    load_mode_t mode;
    struct sockaddr_in address;
    size_t workers, clients, services, in_flight, body_size;
    double seconds, warmup;
    uint64_t requests;          //  At most so many, 0 for no limit
    int64_t pause_us;           //  LIFE: from store to fetch
    const char *service;        //  Its name, with a number behind if many
    long servers [SERVERS_MAX];
    size_t server_count;

    int epoll;
    peer_t *peers;              //  Workers, then clients
    client_t *asking;
    size_t opened;
    size_t *ring, ring_head, ring_count, ring_size;     //  Clients, in turn
    size_t *later, later_head, later_count;             //  LIFE: due to fetch
    uint64_t sent, done, wrong, refused;
    bool counting, ended;
    int64_t first_us;
    int64_t done_us;            //  When the last one was done
    unsigned char *body;
} load_t;

static load_t s_load;

static int64_t
s_now_us (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
s_die (const char *text)
{
    fprintf (stderr, "load: %s\n", text);
    exit (3);
}

//  --------------------------------------------------------------------------
//  What the servers take

//  Processor time in microseconds
static int64_t
s_cpu_us (long pid)
{
    char path [64], line [1024];
    snprintf (path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen (path, "r");
    if (!file || !fgets (line, sizeof line, file))
        s_die ("cannot read a server's times: it is gone");
    fclose (file);
    unsigned long user, kernel;
    if (sscanf (strrchr (line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u "
                "%*u %*u %lu %lu", &user, &kernel) != 2)
        s_die ("cannot read a server's times");
    return (int64_t) (user + kernel) * 1000000 / sysconf (_SC_CLK_TCK);
}

//  Resident memory in KiB
static long
s_rss_kib (long pid)
{
    char path [64], line [256];
    snprintf (path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen (path, "r");
    long kib = 0;
    while (file && fgets (line, sizeof line, file))
        if (sscanf (line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file)
        fclose (file);
    return kib;
}

//  --------------------------------------------------------------------------
//  Workers and clients

static size_t
s_service_name (size_t number, char *name, size_t size)
{
    return (size_t) (s_load.services > 1
        ? snprintf (name, size, "%s%zu", s_load.service, number)
        : snprintf (name, size, "%s", s_load.service));
}

static bool
s_is (const bytes_t *frame, const char *text)
{
    return frame->size == strlen (text)
        && memcmp (frame->data, text, frame->size) == 0;
}

static void
s_ready (peer_t *peer)
{
    char name [256];
    size_t size = s_service_name (peer->index % s_load.services, name,
                                  sizeof name);
    peer_frame (peer, "", 0, true);
    peer_frame (peer, "MDPW01", 6, true);
    peer_frame (peer, "\1", 1, true);
    peer_frame (peer, name, size, false);
}

static void
s_worker_message (peer_t *peer, const bytes_t *frames, size_t count)
{
    if (count < 3 || frames [2].size != 1)
        s_die ("a worker got no command");
    switch (frames [2].data [0]) {
        case 2:                 //  REQUEST
            if (!s_load.first_us)
                s_load.first_us = s_now_us ();
            if (s_load.mode == MODE_FIRST) {
                s_load.ended = true;
                return;
            }
            peer_frame (peer, "", 0, true);
            peer_frame (peer, "MDPW01", 6, true);
            peer_frame (peer, "\3", 1, true);
            for (size_t nbr = 3; nbr < count; nbr++)
                peer_frame (peer, frames [nbr].data, frames [nbr].size,
                            nbr + 1 < count);
            break;
        case 4:                 //  HEARTBEAT
            peer_frame (peer, "", 0, true);
            peer_frame (peer, "MDPW01", 6, true);
            peer_frame (peer, "\4", 1, false);
            break;
        default:
            s_die ("a worker was disconnected");
    }
}

static void
s_request (peer_t *peer, const char *service)
{
    peer_frame (peer, "", 0, true);
    peer_frame (peer, "MDPC01", 6, true);
    peer_frame (peer, service, strlen (service), true);
}

//  The next thing that this client has to ask
static void
s_ask (peer_t *peer)
{
    size_t number = peer->index - s_load.workers;
    client_t *client = &s_load.asking [number];
    char name [256];
    size_t size;
    if (s_load.mode == MODE_STORE || s_load.mode == MODE_LIFE) {
        static const char *const services [] = {
            "titanic.request", "titanic.reply", "titanic.close"
        };
        s_request (peer, services [client->stage]);
        if (client->stage != STAGE_STORE) {
            peer_frame (peer, client->id, client->id_size, false);
            return;
        }
        size = s_service_name (s_load.sent++ % s_load.services, name,
                               sizeof name);
        peer_frame (peer, name, size, true);
    }
    else {
        size = s_service_name (s_load.sent++ % s_load.services, name,
                               sizeof name);
        s_request (peer, name);
    }
    memcpy (s_load.body, &number, sizeof number);
    peer_frame (peer, s_load.body, s_load.body_size, false);
}

//  Let as many clients ask as may
static void
s_next (void)
{
    if (s_load.ended || s_load.ring_count == 0
    || (s_load.requests && s_load.sent >= s_load.requests))
        return;
    peer_t *peer = &s_load.peers [s_load.ring [s_load.ring_head]];
    s_load.ring_head = (s_load.ring_head + 1) % s_load.ring_size;
    s_load.ring_count--;
    s_ask (peer);
    peer_flush (peer);
}

static void
s_free_client (const peer_t *peer)
{
    size_t tail = (s_load.ring_head + s_load.ring_count++) % s_load.ring_size;
    s_load.ring [tail] = peer->index;
    s_load.done++;
    s_load.done_us = s_now_us ();
    s_next ();
}

static void
s_wait_to_fetch (peer_t *peer, client_t *client)
{
    client->stage = STAGE_FETCH;
    client->due_us = s_now_us () + s_load.pause_us;
    size_t tail = (s_load.later_head + s_load.later_count++) % s_load.clients;
    s_load.later [tail] = peer->index;
}

//  Reply of a Titanic service: "", MDPC01, service, status, ...
static void
s_titanic_message (peer_t *peer, const bytes_t *frames, size_t count)
{
    client_t *client = &s_load.asking [peer->index - s_load.workers];
    if (count < 4 || frames [3].size < 3)
        s_die ("Titanic said something else than a status");
    const unsigned char *digits = frames [3].data;
    int status = (digits [0] - '0') * 100 + (digits [1] - '0') * 10
               + digits [2] - '0';
    if (client->stage == STAGE_STORE && status == 200 && count == 5
    &&  frames [4].size <= sizeof client->id) {
        memcpy (client->id, frames [4].data, frames [4].size);
        client->id_size = frames [4].size;
        if (s_load.mode == MODE_STORE)
            s_free_client (peer);
        else
            s_wait_to_fetch (peer, client);
    }
    else
    if (client->stage == STAGE_FETCH && status == 200) {
        if (memcmp (frames [count - 1].data,
                    &(size_t) { peer->index - s_load.workers }, sizeof (size_t)))
            s_load.wrong++;
        client->stage = STAGE_CLOSE;
        s_ask (peer);
    }
    else
    if (client->stage == STAGE_FETCH && status == 300)
        s_wait_to_fetch (peer, client);
    else
    if (client->stage == STAGE_CLOSE && status == 200) {
        client->stage = STAGE_STORE;
        s_free_client (peer);
    }
    else {
        s_load.refused++;
        client->stage = STAGE_STORE;
        s_free_client (peer);
    }
}

static void
s_client_message (peer_t *peer, const bytes_t *frames, size_t count)
{
    if (count < 4 || !s_is (&frames [1], "MDPC01"))
        s_die ("a client got no reply");
    if (s_load.mode == MODE_STORE || s_load.mode == MODE_LIFE)
        s_titanic_message (peer, frames, count);
    else {
        size_t number;
        memcpy (&number, frames [count - 1].data, sizeof number);
        if (number != peer->index - s_load.workers)
            s_load.wrong++;
        s_free_client (peer);
    }
}

static void
s_message (peer_t *peer, const bytes_t *frames, size_t count)
{
    bool worker = peer->index < s_load.workers;
    if (count == 0) {
        s_load.opened++;
        if (worker)
            s_ready (peer);
    }
    else
    if (worker)
        s_worker_message (peer, frames, count);
    else
        s_client_message (peer, frames, count);
}

//  --------------------------------------------------------------------------
//  The loop

static int64_t
s_later (int64_t timeout_us)
{
    int64_t now_us = s_now_us ();
    while (s_load.later_count) {
        peer_t *peer = &s_load.peers [s_load.later [s_load.later_head]];
        client_t *client = &s_load.asking [peer->index - s_load.workers];
        if (client->due_us > now_us)
            return client->due_us - now_us < timeout_us
                ? client->due_us - now_us: timeout_us;
        s_load.later_head = (s_load.later_head + 1) % s_load.clients;
        s_load.later_count--;
        s_ask (peer);
        peer_flush (peer);
    }
    return timeout_us;
}

static void
s_turn (int64_t timeout_us)
{
    timeout_us = s_later (timeout_us);
    if (!peer_wait (s_load.epoll, (int) ((timeout_us + 999) / 1000), s_message))
        s_die ("the broker hung up");
}

static void
s_run (int64_t until_us)
{
    s_load.done_us = s_now_us ();
    while (!s_load.ended) {
        int64_t now_us = s_now_us ();
        int64_t left_us = until_us - now_us;
        if (left_us <= 0
        || (s_load.requests && s_load.done >= s_load.requests)
        || (s_load.requests && now_us - s_load.done_us > GIVEN_UP_US))
            return;
        s_turn (left_us < GIVEN_UP_US? left_us: GIVEN_UP_US);
    }
}

//  Connect peers number from to number to
static void
s_open (size_t from, size_t to)
{
    int64_t until_us = s_now_us () + (int64_t) PATIENCE_MS * 1000;
    size_t target = s_load.opened + to - from;
    size_t begun = from;
    while (s_load.opened < target) {
        while (begun < to && begun - from
                             - (s_load.opened + to - from - target) < OPENING_MAX) {
            s_load.peers [begun].index = begun;
            peer_connect (&s_load.peers [begun++], &s_load.address,
                          s_load.epoll);
        }
        s_turn (100000);
        if (s_now_us () > until_us)
            s_die ("not all peers could connect in a minute");
    }
}

//  Wait until the servers have nothing to do any more
static void
s_settle (void)
{
    int64_t until_us = s_now_us () + (int64_t) PATIENCE_MS * 1000;
    int64_t before = -1;
    for (int still = 0; still < 3;) {
        int64_t begin_us = s_now_us ();
        while (s_now_us () - begin_us < 100000)
            s_turn (20000);
        int64_t now = 0;
        for (size_t nbr = 0; nbr < s_load.server_count; nbr++)
            now += s_cpu_us (s_load.servers [nbr]);
        still = now - before < 2000? still + 1: 0;
        before = now;
        if (s_now_us () > until_us)
            return;
    }
}

static void
s_fill_ring (void)
{
    s_load.ring_size = s_load.clients > s_load.in_flight
        ? s_load.clients: s_load.in_flight;
    s_load.ring = calloc (s_load.ring_size, sizeof (size_t));
    s_load.later = calloc (s_load.clients + 1, sizeof (size_t));
    if (!s_load.ring || !s_load.later)
        s_die ("out of memory");
    for (size_t nbr = 0; nbr < s_load.ring_size; nbr++)
        s_load.ring [s_load.ring_count++] = s_load.workers
                                            + nbr % s_load.clients;
}

static void
s_throughput (void)
{
    s_fill_ring ();
    for (size_t nbr = 0; nbr < s_load.in_flight; nbr++)
        s_next ();
    s_run (s_now_us () + (int64_t) (s_load.warmup * 1e6));
    int64_t cpu_us [SERVERS_MAX];
    for (size_t nbr = 0; nbr < s_load.server_count; nbr++)
        cpu_us [nbr] = s_cpu_us (s_load.servers [nbr]);
    uint64_t done = s_load.done;
    int64_t begin_us = s_now_us ();
    s_run (begin_us + (int64_t) (s_load.seconds * 1e6));
    //  A number of requests takes until the last one is done
    int64_t end_us = s_load.requests? s_load.done_us: s_now_us ();
    double seconds = (double) (end_us - begin_us) / 1e6;
    done = s_load.done - done;
    printf ("{\"done\": %llu, \"seconds\": %.6f, \"rate\": %.1f, "
            "\"refused\": %llu, \"cpu_us\": [", (unsigned long long) done,
            seconds, seconds > 0? (double) done / seconds: 0,
            (unsigned long long) s_load.refused);
    for (size_t nbr = 0; nbr < s_load.server_count; nbr++)
        printf ("%s%.3f", nbr? ", ": "",
                (double) (s_cpu_us (s_load.servers [nbr]) - cpu_us [nbr])
                / (double) (done? done: 1));
    printf ("]}\n");
    s_load.ended = true;
}

//  Memory before and after
static void
s_memory (void)
{
    s_settle ();
    long before = s_rss_kib (s_load.servers [0]);
    size_t number = s_load.workers + s_load.clients;
    if (s_load.mode == MODE_IDLE)
        s_open (0, number);
    if (s_load.clients) {
        //  Each client calls once; or all requests stay where they are
        s_fill_ring ();
        if (s_load.mode == MODE_QUEUE)
            while (s_load.sent < s_load.requests) {
                peer_t *peer = &s_load.peers [s_load.workers
                                              + s_load.sent % s_load.clients];
                s_ask (peer);
                peer_flush (peer);
                while (peer->out_size)
                    s_turn (1000);
                number = s_load.requests;
            }
        else {
            s_load.requests = s_load.clients;
            for (size_t nbr = 0; nbr < s_load.in_flight; nbr++)
                s_next ();
            s_run (s_now_us () + (int64_t) PATIENCE_MS * 1000);
        }
    }
    s_settle ();
    long after = s_rss_kib (s_load.servers [0]);
    printf ("{\"number\": %zu, \"before_kib\": %ld, \"after_kib\": %ld, "
            "\"bytes_each\": %.0f}\n", number, before, after,
            (double) (after - before) * 1024 / (double) number);
}

static const char s_usage [] =
"usage: load OPTION..\n"
"Plays workers and clients of a broker for a bounded time; prints JSON.\n\n"
"  --mode MODE         echo: requests and replies; store: titanic.request;\n"
"                      life: titanic.request, titanic.reply, titanic.close;\n"
"                      idle: memory that peers take; queue: memory that\n"
"                      waiting requests take; first: a worker that says when\n"
"                      its first request came (echo)\n"
"  --port PORT         of the broker, on 127.0.0.1\n"
"  --pid PID           a server whose time and memory count; up to 4\n"
"  --workers N         (1)\n"
"  --clients N         (1)\n"
"  --services N        shared by the workers, asked in turn (1)\n"
"  --service NAME      (bench)\n"
"  --in-flight N       requests, of all clients together (1)\n"
"  --body BYTES        (100)\n"
"  --requests N        stop after so many, or when none is done for 10 s\n"
"  --warmup SECONDS    that do not count (0.5)\n"
"  --seconds SECONDS   (2)\n"
"  --pause MS          from store to fetch, and between fetches (20)\n";

static void
s_options (int argc, char *argv [])
{
    static const struct option options [] = {
        { "mode", 1, NULL, 'm' }, { "port", 1, NULL, 'p' },
        { "pid", 1, NULL, 'P' }, { "workers", 1, NULL, 'w' },
        { "clients", 1, NULL, 'c' }, { "services", 1, NULL, 's' },
        { "service", 1, NULL, 'S' }, { "in-flight", 1, NULL, 'f' },
        { "body", 1, NULL, 'b' }, { "requests", 1, NULL, 'n' },
        { "warmup", 1, NULL, 'u' }, { "seconds", 1, NULL, 't' },
        { "pause", 1, NULL, 'z' }, { "help", 0, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    int option;
    while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1)
        switch (option) {
            case 'm':
                while (s_modes [s_load.mode]
                &&     strcmp (s_modes [s_load.mode], optarg))
                    s_load.mode++;
                if (!s_modes [s_load.mode])
                    s_die ("no such --mode; see --help");
                break;
            case 'p':
                s_load.address.sin_port = htons ((uint16_t) atoi (optarg));
                break;
            case 'P':
                if (s_load.server_count < SERVERS_MAX)
                    s_load.servers [s_load.server_count++] = atol (optarg);
                break;
            case 'w': s_load.workers = strtoul (optarg, NULL, 10); break;
            case 'c': s_load.clients = strtoul (optarg, NULL, 10); break;
            case 's': s_load.services = strtoul (optarg, NULL, 10); break;
            case 'S': s_load.service = optarg; break;
            case 'f': s_load.in_flight = strtoul (optarg, NULL, 10); break;
            case 'b': s_load.body_size = strtoul (optarg, NULL, 10); break;
            case 'n': s_load.requests = strtoull (optarg, NULL, 10); break;
            case 'u': s_load.warmup = atof (optarg); break;
            case 't': s_load.seconds = atof (optarg); break;
            case 'z': s_load.pause_us = atol (optarg) * 1000; break;
            case 'h':
                fputs (s_usage, stdout);
                exit (0);
            default:
                fputs (s_usage, stderr);
                exit (2);
        }
    if (!s_load.address.sin_port || s_load.services == 0
    ||  s_load.body_size < sizeof (size_t) || s_load.body_size > BODY_MAX)
        s_die ("--port, --services or --body is missing or makes no sense");
}

int
main (int argc, char *argv [])
{
    s_load = (load_t) {
        .address = { .sin_family = AF_INET,
                     .sin_addr.s_addr = htonl (INADDR_LOOPBACK) },
        .workers = 1, .clients = 1, .services = 1, .in_flight = 1,
        .body_size = 100, .seconds = 2, .warmup = 0.5, .pause_us = 20000,
        .service = "bench"
    };
    s_options (argc, argv);
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
    size_t count = s_load.workers + s_load.clients;
    s_load.epoll = epoll_create1 (EPOLL_CLOEXEC);
    s_load.peers = calloc (count + 1, sizeof (peer_t));
    s_load.asking = calloc (s_load.clients + 1, sizeof (client_t));
    s_load.body = calloc (1, s_load.body_size);
    if (s_load.epoll < 0 || !s_load.peers || !s_load.asking || !s_load.body)
        s_die ("out of memory");

    if (s_load.mode != MODE_IDLE)
        s_open (0, count);
    if (s_load.mode == MODE_IDLE || s_load.mode == MODE_QUEUE)
        s_memory ();
    else
    if (s_load.mode == MODE_FIRST) {
        s_run (s_now_us () + (int64_t) (s_load.seconds * 1e6));
        printf ("{\"first_us\": %lld}\n", (long long) s_load.first_us);
    }
    else {
        if (s_load.server_count)
            s_settle ();
        s_throughput ();
    }
    for (size_t nbr = 0; nbr < count; nbr++)
        peer_close (&s_load.peers [nbr]);
    free (s_load.peers);
    free (s_load.asking);
    free (s_load.body);
    free (s_load.ring);
    free (s_load.later);
    if (s_load.wrong) {
        fprintf (stderr, "load: %llu replies were wrong\n",
                 (unsigned long long) s_load.wrong);
        return 4;
    }
    return 0;
}
