/*  =========================================================================
    network - connections to the brokers' ROUTERs, and how they break

    What ZeroMQ over TCP does: in one connection everything keeps its order and
    is whole; what was under way when it broke is lost, but for the first part
    of it; the two ends notice at times of their own; a DEALER connects again by
    itself, and then has another address.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef NETWORK_H_INCLUDED
#define NETWORK_H_INCLUDED

#include "sim.h"

//  A process that connects to brokers.
typedef struct _host_t host_t;
typedef struct _dealer_t dealer_t;

//  A message has come in on a socket. Takes it.
typedef void (host_receive_fn) (void *object, dealer_t *dealer,
                                message_t **message_p);

struct _host_t {
    char name [24];             //  In the trace
    bool up;                    //  The process is there
    unsigned cut;               //  Nothing gets through to these brokers, a bit
                                //  for each
    host_receive_fn *receive;
    void *object;               //  Its first argument
    dealer_t *dealers;          //  Its open sockets
};

//  A DEALER that connects to a broker.
struct _dealer_t {
    network_t *network;
    host_t *host;
    size_t broker;              //  Which one
    channel_t channel;          //  What its owner calls it
    bool muted;                 //  Closed, or about to be: receives nothing
    dealer_t *prev, *next;      //  In host_t dealers
    struct _connection_t *connection;   //  NULL while there is none
    struct _parcel_t *outbox;   //  Waits for a connection
    dealer_t *all_next;         //  Closed ones too
};

network_t *
    network_new (sim_t *sim);
void
    network_destroy (network_t **self_p);

dealer_t *
    dealer_open (network_t *self, host_t *host, size_t broker,
                 channel_t channel);
void
    dealer_close (network_t *self, dealer_t **dealer_p);

//  Send from the dealer's side. Takes the message.
void
    dealer_send (network_t *self, dealer_t *dealer, message_t **message_p);

//  Send from a broker's ROUTER: the first frame is the address. False when there is no
//  such peer. Takes the message, but not when it returns false.
bool
    network_route (network_t *self, size_t broker, message_t **message_p);

//  A broker's process ends, or has come.
void
    network_set_broker (network_t *self, size_t broker, bool up);

//  A process ends without a word: its sockets are gone.
void
    network_crash (network_t *self, host_t *host);

//  Nothing gets through to these brokers, a bit for each, until it is healed;
//  connections may or may not outlive it.
void
    network_cut (network_t *self, host_t *host, unsigned brokers,
                 bool breaks);
void
    network_heal (network_t *self, host_t *host);

//  One of the host's connections breaks.
void
    network_break (network_t *self, host_t *host);

//  Everything takes up to so long, for a while.
void
    network_slow (network_t *self, int64_t latency_ms);

//  Who has, or had, this address: NULL when nobody ever had.
const host_t *
    network_whose (network_t *self, const frame_t *address, unsigned *number);

#endif
