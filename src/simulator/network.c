/*  =========================================================================
    network - connections to the brokers' ROUTERs, and how they break

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "network.h"

#include <stdlib.h>

#include <utlist.h>

#include "machine.h"
#include "memory.h"

//  A socket that found nobody tries again after so long.
#define RECONNECT_MS 20

//  A ROUTER's addresses are 0 and a number of 4 bytes.
#define ADDRESS_SIZE 5

//  A message under way, or waiting for a connection.
typedef struct _parcel_t {
    message_t *message;
    int64_t arrive_ms;
    struct _parcel_t *prev, *next;
} parcel_t;

typedef struct _connection_t {
    network_t *network;
    uint64_t number;            //  In network_t connections
    frame_t *address;           //  At the ROUTER
    size_t broker;              //  At one end
    host_t *host;               //  At the other end
    dealer_t *dealer;           //  NULL once it is closed
    parcel_t *up;               //  Under way to the broker
    parcel_t *down;             //  Under way to the dealer
    int64_t up_ms;              //  When the last of up arrives
    int64_t down_ms;
    bool broken;                //  Nothing is taken any more
    bool routed;                //  The ROUTER knows the address
} connection_t;

struct _network_t {
    sim_t *sim;
    bool broker_up [BROKERS_MAX];
    int64_t latency_ms;         //  Now
    connection_t **connections; //  All that there ever were; place 0 is empty
    size_t count;               //  Places
    size_t capacity;
    dealer_t *dealers;          //  All that there ever were
};

enum { UP, DOWN };

network_t *
network_new (sim_t *sim)
{
    network_t *self = memory_need (calloc (1, sizeof (network_t)));
    self->sim = sim;
    self->latency_ms = sim->swarm.latency_ms;
    self->count = 1;
    return self;
}

//  Lose all parcels but so many
static void
s_lose (parcel_t **list, size_t keep)
{
    parcel_t *parcel, *next;
    DL_FOREACH_SAFE (*list, parcel, next) {
        if (keep > 0) {
            keep--;
            continue;
        }
        DL_DELETE (*list, parcel);
        message_destroy (&parcel->message);
        free (parcel);
    }
}

void
network_destroy (network_t **self_p)
{
    network_t *self = *self_p;
    for (size_t nbr = 1; nbr < self->count; nbr++) {
        connection_t *connection = self->connections [nbr];
        s_lose (&connection->up, 0);
        s_lose (&connection->down, 0);
        frame_destroy (&connection->address);
        free (connection);
    }
    free (self->connections);
    while (self->dealers) {
        dealer_t *dealer = self->dealers;
        self->dealers = dealer->all_next;
        s_lose (&dealer->outbox, 0);
        free (dealer);
    }
    free (self);
    *self_p = NULL;
}

//  --------------------------------------------------------------------------
//  Delivery

//  To the broker, with the address in front
static void
s_deliver_up (connection_t *connection, const message_t *message)
{
    message_t *addressed = memory_need (message_new ());
    if (message_add (addressed, connection->address)
    ||  message_add_from (addressed, message, 0))
        memory_need (NULL);
    machine_receive (connection->network->sim->brokers [connection->broker],
                     NULL, &addressed);
}

static bool
s_is_cut (const host_t *host, size_t broker)
{
    return host->cut >> broker & 1;
}

static void
s_arrive (void *object, uint64_t way)
{
    connection_t *connection = object;
    int64_t now_ms = connection->network->sim->now_ms;
    parcel_t **list = way == UP? &connection->up: &connection->down;
    while (*list && (*list)->arrive_ms <= now_ms
    && !s_is_cut (connection->host, connection->broker)) {
        parcel_t *parcel = *list;
        DL_DELETE (*list, parcel);
        if (way == UP)
            s_deliver_up (connection, parcel->message);
        else
        if (connection->dealer && !connection->dealer->muted)
            connection->host->receive (connection->host->object,
                                       connection->dealer, &parcel->message);
        message_destroy (&parcel->message);
        free (parcel);
    }
}

static int64_t
s_latency (network_t *self)
{
    return dice_between (&self->sim->dice, 0, self->latency_ms);
}

//  Nothing but bytes gets from one process to another
static void
s_copy (message_t **message_p)
{
    message_t *copy = memory_need (message_new ());
    for (size_t nbr = 0; nbr < message_size (*message_p); nbr++) {
        const frame_t *frame = message_frame (*message_p, nbr);
        if (message_add_bytes (copy, frame_data (frame), frame_size (frame)))
            memory_need (NULL);
    }
    message_destroy (message_p);
    *message_p = copy;
}

static void
s_put (connection_t *connection, int way, message_t **message_p)
{
    if (connection->broken) {
        message_destroy (message_p);
        return;
    }
    parcel_t *parcel = memory_need (calloc (1, sizeof (parcel_t)));
    s_copy (message_p);
    parcel->message = *message_p;
    *message_p = NULL;
    network_t *self = connection->network;
    int64_t *last_ms = way == UP? &connection->up_ms: &connection->down_ms;
    parcel->arrive_ms = self->sim->now_ms + s_latency (self);
    if (parcel->arrive_ms < *last_ms)
        parcel->arrive_ms = *last_ms;
    *last_ms = parcel->arrive_ms;
    if (way == UP)
        DL_APPEND (connection->up, parcel);
    else
        DL_APPEND (connection->down, parcel);
    agenda_add (&self->sim->agenda, parcel->arrive_ms, s_arrive, connection,
                (uint64_t) way);
}

//  --------------------------------------------------------------------------
//  Connections

static void
s_router_notices (void *object, uint64_t number)
{
    (void) number;
    ((connection_t *) object)->routed = false;
}

static connection_t *
s_connection_new (network_t *self, dealer_t *dealer)
{
    connection_t *connection = memory_need (calloc (1, sizeof (connection_t)));
    if (self->count >= self->capacity) {
        self->capacity = self->capacity? self->capacity * 2: 256;
        self->connections = memory_need (realloc (
            self->connections, self->capacity * sizeof (connection_t *)));
    }
    connection->network = self;
    connection->number = self->count;
    unsigned char address [ADDRESS_SIZE] = {
        0, (unsigned char) (self->count >> 24),
        (unsigned char) (self->count >> 16),
        (unsigned char) (self->count >> 8), (unsigned char) self->count };
    connection->address = memory_need (frame_new (address, ADDRESS_SIZE));
    connection->broker = dealer->broker;
    connection->host = dealer->host;
    connection->dealer = dealer;
    connection->routed = true;
    self->connections [self->count++] = connection;
    return connection;
}

//  The dealer finds its broker, or tries again later
static void
s_connect (void *object, uint64_t number)
{
    (void) number;
    dealer_t *dealer = object;
    network_t *self = dealer->network;
    if (dealer->muted || dealer->connection)
        return;
    if (!self->broker_up [dealer->broker]
    ||  s_is_cut (dealer->host, dealer->broker)) {
        sim_later (self->sim, dice_between (&self->sim->dice, 1, RECONNECT_MS),
                   s_connect, dealer, 0);
        return;
    }
    dealer->connection = s_connection_new (self, dealer);
    while (dealer->outbox) {
        parcel_t *parcel = dealer->outbox;
        DL_DELETE (dealer->outbox, parcel);
        s_put (dealer->connection, UP, &parcel->message);
        free (parcel);
    }
}

static void
s_dealer_notices (void *object, uint64_t number)
{
    dealer_t *dealer = object;
    if (!dealer->connection || dealer->connection->number != number)
        return;
    dealer->connection->dealer = NULL;
    dealer->connection = NULL;
    s_connect (dealer, 0);
}

//  Nothing more gets in; of what is under way some still arrives. The ROUTER
//  notices after a while.
static void
s_break (connection_t *connection, bool gets_through)
{
    if (connection->broken)
        return;
    network_t *self = connection->network;
    dice_t *dice = &self->sim->dice;
    connection->broken = true;
    s_lose (&connection->up, gets_through? dice_below (dice, 4): 0);
    s_lose (&connection->down, gets_through? dice_below (dice, 4): 0);
    int64_t in_ms = connection->up_ms - self->sim->now_ms;
    if (in_ms < 0)
        in_ms = 0;
    //  A peer whose machine is gone is noticed late: by keepalive only
    in_ms += dice_chance (dice, 200)
        ? dice_between (dice, 0, 20 * self->sim->swarm.heartbeat_ms)
        : dice_between (dice, 0, 5);
    sim_later (self->sim, in_ms, s_router_notices, connection, 0);
}

//  Both ends are still there
static void
s_break_between (connection_t *connection)
{
    if (connection->broken)
        return;
    s_break (connection, !s_is_cut (connection->host, connection->broker));
    sim_t *sim = connection->network->sim;
    if (connection->dealer)
        sim_later (sim, dice_between (&sim->dice, 0,
                                      2 * sim->swarm.heartbeat_ms),
                   s_dealer_notices, connection->dealer, connection->number);
}

dealer_t *
dealer_open (network_t *self, host_t *host, size_t broker, channel_t channel)
{
    dealer_t *dealer = memory_need (calloc (1, sizeof (dealer_t)));
    dealer->host = host;
    dealer->broker = broker;
    dealer->channel = channel;
    dealer->all_next = self->dealers;
    self->dealers = dealer;
    DL_APPEND (host->dealers, dealer);
    dealer->network = self;
    sim_later (self->sim, dice_between (&self->sim->dice, 0, 2), s_connect,
               dealer, 0);
    return dealer;
}

void
dealer_close (network_t *self, dealer_t **dealer_p)
{
    (void) self;
    dealer_t *dealer = *dealer_p;
    *dealer_p = NULL;
    DL_DELETE (dealer->host->dealers, dealer);
    dealer->muted = true;
    s_lose (&dealer->outbox, 0);
    if (!dealer->connection)
        return;
    dealer->connection->dealer = NULL;
    s_break (dealer->connection, true);
    s_lose (&dealer->connection->down, 0);
    dealer->connection = NULL;
}

void
dealer_send (network_t *self, dealer_t *dealer, message_t **message_p)
{
    (void) self;
    if (dealer->connection) {
        s_put (dealer->connection, UP, message_p);
        return;
    }
    parcel_t *parcel = memory_need (calloc (1, sizeof (parcel_t)));
    s_copy (message_p);
    parcel->message = *message_p;
    *message_p = NULL;
    DL_APPEND (dealer->outbox, parcel);
}

static connection_t *
s_find (network_t *self, const frame_t *address)
{
    const unsigned char *data = frame_data (address);
    if (frame_size (address) != ADDRESS_SIZE || data [0] != 0)
        return NULL;
    size_t number = (size_t) data [1] << 24 | (size_t) data [2] << 16
                  | (size_t) data [3] << 8 | data [4];
    return number > 0 && number < self->count? self->connections [number]: NULL;
}

bool
network_route (network_t *self, size_t broker, message_t **message_p)
{
    const frame_t *address = message_frame (*message_p, 0);
    connection_t *connection = address? s_find (self, address): NULL;
    if (!connection || !connection->routed || connection->broker != broker)
        return false;
    message_t *message = memory_need (message_slice (*message_p, 1));
    s_put (connection, DOWN, &message);
    message_destroy (message_p);
    return true;
}

const host_t *
network_whose (network_t *self, const frame_t *address, unsigned *number)
{
    connection_t *connection = s_find (self, address);
    *number = connection? (unsigned) connection->number: 0;
    return connection? connection->host: NULL;
}

//  --------------------------------------------------------------------------
//  Faults

void
network_set_broker (network_t *self, size_t broker, bool up)
{
    self->broker_up [broker] = up;
    for (size_t nbr = 1; !up && nbr < self->count; nbr++) {
        connection_t *connection = self->connections [nbr];
        if (connection->broker != broker)
            continue;
        s_break_between (connection);
        s_lose (&connection->up, 0);
        connection->routed = false;
    }
}

void
network_crash (network_t *self, host_t *host)
{
    host->up = false;
    while (host->dealers) {
        dealer_t *dealer = host->dealers;
        dealer_close (self, &dealer);
    }
}

void
network_cut (network_t *self, host_t *host, unsigned brokers, bool breaks)
{
    (void) self;
    host->cut |= brokers;
    dealer_t *dealer;
    DL_FOREACH (host->dealers, dealer)
        if (breaks && dealer->connection && s_is_cut (host, dealer->broker))
            s_break_between (dealer->connection);
}

void
network_heal (network_t *self, host_t *host)
{
    host->cut = 0;
    for (size_t nbr = 1; nbr < self->count; nbr++) {
        connection_t *connection = self->connections [nbr];
        if (connection->host != host)
            continue;
        //  What waited comes now
        sim_later (self->sim, 0, s_arrive, connection, UP);
        sim_later (self->sim, 0, s_arrive, connection, DOWN);
    }
}

void
network_break (network_t *self, host_t *host)
{
    size_t count;
    dealer_t *dealer;
    DL_COUNT (host->dealers, dealer, count);
    if (count == 0)
        return;
    size_t chosen = dice_below (&self->sim->dice, count);
    DL_FOREACH (host->dealers, dealer)
        if (chosen-- == 0 && dealer->connection)
            s_break_between (dealer->connection);
}

void
network_slow (network_t *self, int64_t latency_ms)
{
    self->latency_ms = latency_ms;
}
