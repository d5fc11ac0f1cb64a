/*  =========================================================================
    peer - one of thousands of ZeroMQ peers, all in one thread

    Made twice. peer_zmq.c is what users have: a DEALER of libzmq each. peer.c
    is a DEALER in so far as a broker can tell: ZMTP 3.0 with the NULL mechanism
    (23/ZMTP) over a TCP connection of its own, so that the load costs little
    beside what is measured, and ten thousand of them little memory.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PEER_H_INCLUDED
#define PEER_H_INCLUDED

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_FRAMES_MAX 8

//  Bytes of a frame, borrowed
typedef struct {
    const unsigned char *data;
    size_t size;
} bytes_t;

typedef struct _peer_t peer_t;

//  A message has come: count frames, which live until the call returns.
typedef void (peer_message_fn) (peer_t *self, const bytes_t *frames,
                                size_t count);

struct _peer_t {
    void *socket;               //  peer_zmq.c: the DEALER
    peer_t *next;               //  peer_zmq.c: of those to look at again
    bool again;                 //  peer_zmq.c: is one of those
    int fd;
    int epoll;                  //  That tells when there is something to do
    size_t index;               //  For the owner
    void *owner;
    bool open;                  //  The handshake is done
    bool blocked;               //  TCP takes no more for now
    unsigned char *in, *out;    //  Bytes under way
    size_t in_size, in_room;
    size_t out_size, out_room;
};

//  Begin to connect. Ends the process if that cannot be.
void
    peer_connect (peer_t *self, const struct sockaddr_in *address, int epoll);

//  Wait for at most timeout_ms, then take what has come for all peers that
//  connected with epoll, and call message for each message, and with no frames
//  when a peer is connected. false when a connection is gone.
bool
    peer_wait (int epoll, int timeout_ms, peer_message_fn *message);

//  Put one frame behind what is to be sent; more: the message goes on.
void
    peer_frame (peer_t *self, const void *data, size_t size, bool more);

//  Hand over what was put, unless this peer's messages are being read: then
//  that follows when all are.
void
    peer_flush (peer_t *self);

void
    peer_close (peer_t *self);

#endif
