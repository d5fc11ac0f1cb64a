/*  =========================================================================
    wire - messages over a DEALER socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

//  Largest frame taken, as the servers' --max-message.
#define FRAME_BYTES_MAX 16777216

//  Most frames of a message that are taken.
#define FRAMES_MAX 65536

//  A signal that comes between the look at zsys_interrupted and the poll does
//  not end the poll: it is seen after this time.
#define SLICE_MS 500

zsock_t *
wire_connect (const char *endpoint, const curve_t *curve)
{
    zsock_t *socket = zsock_new (ZMQ_DEALER);
    if (!socket)
        return NULL;
    zsock_set_linger (socket, 0);
    zsock_set_maxmsgsize (socket, FRAME_BYTES_MAX);
    if (curve)
        curve_apply (curve, socket);
    if (zsock_connect (socket, "%s", endpoint)) {
        int reason = errno;
        zsock_destroy (&socket);
        errno = reason;
    }
    return socket;
}

int
wire_send (zsock_t *socket, const message_t *message)
{
    size_t count = message_size (message);
    void *handle = zsock_resolve (socket);
    for (size_t index = 0; index < count; index++) {
        const frame_t *frame = message_frame (message, index);
        int flags = ZMQ_DONTWAIT | (index + 1 < count? ZMQ_SNDMORE: 0);
        int rc;
        do
            rc = zmq_send (handle, frame_data (frame), frame_size (frame),
                           flags);
        while (rc < 0 && errno == EINTR);
        if (rc < 0)
            return -1;
    }
    return 0;
}

message_t *
wire_receive (zsock_t *socket)
{
    void *handle = zsock_resolve (socket);
    message_t *message = message_new ();
    bool more = true;
    bool came = false;
    for (size_t count = 0; more; count++) {
        zmq_msg_t part;
        zmq_msg_init (&part);
        int rc;
        do
            rc = zmq_msg_recv (&part, handle, ZMQ_DONTWAIT);
        while (rc < 0 && errno == EINTR);
        came = came || rc >= 0;
        more = rc >= 0 && zmq_msg_more (&part);
        //  The frames of a message that cannot be taken are read all the same
        if (rc < 0
        || (message && (count >= FRAMES_MAX
        ||  message_add_bytes (message, zmq_msg_data (&part),
                               zmq_msg_size (&part)))))
            message_destroy (&message);
        zmq_msg_close (&part);
    }
    if (!message)
        errno = came? ENOMEM: EAGAIN;
    return message;
}

wire_event_t
wire_wait (zsock_t *socket, int64_t until_ms)
{
    zmq_pollitem_t item = {
        .socket = socket? zsock_resolve (socket): NULL, .events = ZMQ_POLLIN
    };
    while (!zsys_interrupted) {
        int64_t left_ms = until_ms - zclock_mono ();
        long timeout_ms = left_ms < 0? 0
                        : left_ms < SLICE_MS? (long) left_ms: SLICE_MS;
        int rc = zmq_poll (&item, socket? 1: 0, timeout_ms);
        if (rc > 0)
            return WIRE_READABLE;
        if (rc == 0 && left_ms <= timeout_ms)
            return WIRE_TIMEOUT;
    }
    return WIRE_INTERRUPTED;
}

void
wire_notice (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    fprintf (stderr, "%s: ", program_invocation_short_name);
    vfprintf (stderr, format, arguments);
    fprintf (stderr, "\n");
    va_end (arguments);
}
