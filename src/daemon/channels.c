/*  =========================================================================
    channels - the sockets of a reactor, by number

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "channels.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zmq.h>

//  A table that cannot grow must not end the process
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "addresses.h"
#include "mask.h"
#include "meter.h"

//  Frames up to this size are copied. ZeroMQ receives small messages into
//  buffers of 8 KB that they share: one that waits long would hold all of it.
#define COPY_MAX 1024

//  Most frames in a message; an engine may want fewer.
#define FRAMES_MAX 65536

//  What a frame takes on the wire beside its body, at most: 23/ZMTP, and with
//  26/CURVEZMQ
#define FRAME_BYTES 9
#define CURVE_FRAME_BYTES 50

//  Messages are sent from an array of this size when they fit in.
#define FEW_FRAMES 16

//  Most channels at a time.
#define SOCKETS_MAX 8192

//  Messages in memory for each peer, on their way to it.
#define HIGH_WATER 1000

//  The same for what has come in and was not looked at. Many peers that send faster
//  than we can read fill all of it, whatever limits there are behind it.
#define HIGH_WATER_IN 100

//  Connections that may wait to be accepted: thousands of peers come back at
//  once after a restart.
#define BACKLOG 4096

//  How long it may take until a port that we had is free.
#define LISTEN_AGAIN_MS 5000

//  Sockets that a single wait tells of.
#define WOKEN_MAX 256

typedef struct _channel_entry_t channel_entry_t;

struct _channel_entry_t {
    channel_entry_t *prev;  //  In channels_t ready or again
    channel_entry_t *next;
    channel_t number;           //  The engine's number for it, key
    channel_entry_t **list;     //  The one that it is in, NULL for none
    bool muted;                 //  Nothing is received any more
    void *socket;               //  ZeroMQ socket
    int fd;                     //  That tells when to look at it
    UT_hash_handle hh;          //  In channels_t table
};

struct _channels_t {
    void *context;              //  ZeroMQ context
    int64_t max_message_bytes;  //  Largest frame taken
    int linger_ms;              //  For what was sent when a channel closes
    channel_entry_t *table;     //  All channels, by number
    channel_entry_t *ready;     //  Those not known to be empty, in turn
    channel_entry_t *again;     //  Not before the next wait
    int epoll_fd;               //  Waits for wake_fd and all channels
    int wake_fd;                //  As given
    bool rung;                  //  The bell was heard while messages were read
    int lost;                   //  Why it cannot listen any more, 0 if it can
    channel_entry_t *bound;     //  What was bound, NULL if nothing was
    int patience_ms;            //  How long it waits when asked to receive
    message_t *held;            //  What came when it did so, and how
    channels_result_t held_result;
    char endpoint [256];        //  Bound or connected to last
    keyring_t *keyring;         //  Of new channels, NULL for plain
    door_t *door;               //  Of what was bound
    mask_t *mask;               //  Over the addresses of its peers
    addresses_t *addresses;     //  That they have chosen
};

channels_t *
channels_new (int64_t max_message_bytes, int wake_fd)
{
    channels_t *self = calloc (1, sizeof (channels_t));
    if (!self)
        return NULL;
    self->max_message_bytes = max_message_bytes;
    self->wake_fd = wake_fd;
    self->patience_ms = -1;
    self->held_result = CHANNELS_EMPTY;
    self->context = zmq_ctx_new ();
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN };
    if (!self->context
    ||  zmq_ctx_set (self->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX)
    ||  self->epoll_fd < 0
    ||  epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, wake_fd, &event))
        channels_destroy (&self);
    return self;
}

void
channels_destroy (channels_t **self_p)
{
    assert (self_p);
    channels_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    int reason = errno;
    message_destroy (&self->held);
    while (self->table)
        channels_close (self, self->table->number);
    if (self->context)
        while (zmq_ctx_term (self->context) && errno == EINTR);
    if (self->epoll_fd >= 0)
        close (self->epoll_fd);
    door_close (&self->door);
    mask_destroy (&self->mask);
    addresses_destroy (&self->addresses);
    free (self);
    errno = reason;
}

void
channels_set_linger (channels_t *self, int linger_ms)
{
    self->linger_ms = linger_ms;
}

void
channels_set_keyring (channels_t *self, keyring_t *keyring)
{
    self->keyring = keyring;
}

static int
s_set_int (void *socket, int option, int value)
{
    return zmq_setsockopt (socket, option, &value, sizeof (value));
}

//  A socket with all its settings. NULL with errno.
static void *
s_socket_new (channels_t *self, int type)
{
    void *socket = zmq_socket (self->context, type);
    if (!socket)
        return NULL;
    int rc = s_set_int (socket, ZMQ_LINGER, 0)
          || s_set_int (socket, ZMQ_SNDHWM, HIGH_WATER)
          || s_set_int (socket, ZMQ_RCVHWM, HIGH_WATER_IN)
          //  So that peers whose machine is gone are noticed in the end
          || s_set_int (socket, ZMQ_TCP_KEEPALIVE, 1)
          || s_set_int (socket, ZMQ_TCP_KEEPALIVE_IDLE, 30)
          || s_set_int (socket, ZMQ_TCP_KEEPALIVE_INTVL, 10)
          || s_set_int (socket, ZMQ_TCP_KEEPALIVE_CNT, 3)
          || zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &self->max_message_bytes,
                             sizeof (self->max_message_bytes));
    if (rc == 0 && self->keyring)
        rc = keyring_apply (self->keyring, socket);
    //  An address that nobody has any more is an event for the engine. Who comes
    //  with an address that somebody has takes it over: it is mostly the same peer,
    //  whose first connection is lost and not yet known to be; and libzmq would
    //  neither hear nor forget it
    if (rc == 0 && type == ZMQ_ROUTER)
        //  MDP1-ADDRESSING-01, MDP1-ADDRESSING-02, MDP1-ADDRESSING-05,
        //  MDP1-REQREP-05: a ROUTER tells peers apart
        rc = s_set_int (socket, ZMQ_BACKLOG, BACKLOG)
          || s_set_int (socket, ZMQ_ROUTER_MANDATORY, 1)
          || s_set_int (socket, ZMQ_ROUTER_HANDOVER, 1);
    if (rc) {
        int reason = errno;
        zmq_close (socket);
        errno = reason;
        return NULL;
    }
    return socket;
}

//  Look at the channel before the next wait. ZeroMQ tells of a message once, and
//  may have done so while the socket was in use.
static void
s_look_at (channel_entry_t *entry, channel_entry_t **list)
{
    if (entry->list)
        return;
    entry->list = list;
    DL_APPEND (*list, entry);
}

static void
s_look_away (channel_entry_t *entry)
{
    if (entry->list)
        DL_DELETE (*entry->list, entry);
    entry->list = NULL;
}

//  Enter a socket in the table. 0, or -1 with errno.
static int
s_enter (channels_t *self, channel_t number, void *socket)
{
    channel_entry_t *entry = calloc (1, sizeof (channel_entry_t));
    if (!entry) {
        errno = ENOMEM;
        return -1;
    }
    entry->number = number;
    entry->socket = socket;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = entry };
    size_t size = sizeof (entry->fd);
    if (zmq_getsockopt (socket, ZMQ_FD, &entry->fd, &size)
    ||  epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, entry->fd, &event)) {
        free (entry);
        return -1;
    }
    HASH_ADD (hh, self->table, number, sizeof (entry->number), entry);
    if (!entry->hh.tbl) {
        epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, entry->fd, NULL);
        free (entry);
        errno = ENOMEM;
        return -1;
    }
    s_look_at (entry, &self->ready);
    return 0;
}

static channel_entry_t *
s_find (channels_t *self, channel_t number)
{
    channel_entry_t *entry;
    HASH_FIND (hh, self->table, &number, sizeof (number), entry);
    return entry;
}

//  door is what is known about who may connect, NULL for what connects itself.
static int
s_open (channels_t *self, channel_t number, const door_config_t *door,
        bool verbose, const char *endpoint)
{
    assert (!s_find (self, number));
    void *socket = s_socket_new (self, door? ZMQ_ROUTER: ZMQ_DEALER);
    if (!socket)
        return -1;
    int rc = 0;
    if (door) {
        assert (!self->door);
        self->door = door_open (self->context, socket, door, verbose);
        rc = self->door? zmq_bind (socket, endpoint): -1;
    }
    else
        rc = zmq_connect (socket, endpoint);
    if (rc == 0) {
        size_t size = sizeof (self->endpoint);
        if (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, self->endpoint, &size))
            self->endpoint [0] = 0;
        rc = s_enter (self, number, socket);
    }
    if (rc) {
        int reason = errno;
        zmq_close (socket);
        errno = reason;
        return -1;
    }
    return 0;
}

int
channels_bind (channels_t *self, channel_t number, const char *endpoint,
               size_t max_connections, bool verbose)
{
    door_config_t door = {
        .keyring = self->keyring,
        .max_connections = max_connections,
        .max_unfinished_bytes = (size_t) self->max_message_bytes
                              + FRAMES_MAX * (self->keyring?
                                    CURVE_FRAME_BYTES: FRAME_BYTES),
        .wake_fd = self->wake_fd
    };
    //  Before the socket
    if (!self->mask && !(self->mask = mask_new ()))
        return -1;
    if (s_open (self, number, &door, verbose, endpoint))
        return -1;
    self->bound = s_find (self, number);
    self->addresses = addresses_new (door_highest (self->door));
    return self->addresses? 0: -1;
}

int
channels_connect (channels_t *self, channel_t number, const char *endpoint)
{
    return s_open (self, number, NULL, false, endpoint);
}

int
channels_lost (const channels_t *self)
{
    return self->lost;
}

door_t *
channels_door (const channels_t *self)
{
    return self->door;
}

const char *
channels_endpoint (const channels_t *self)
{
    return self->endpoint;
}

void
channels_close (channels_t *self, channel_t number)
{
    channel_entry_t *entry = s_find (self, number);
    if (!entry)
        return;
    s_look_away (entry);
    if (self->bound == entry)
        self->bound = NULL;
    //  Before ZeroMQ closes the descriptor and somebody else gets its number
    epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, entry->fd, NULL);
    s_set_int (entry->socket, ZMQ_LINGER, self->linger_ms);
    zmq_close (entry->socket);
    HASH_DEL (self->table, entry);
    free (entry);
}

void
channels_mute (channels_t *self, channel_t number)
{
    channel_entry_t *entry = s_find (self, number);
    if (entry)
        entry->muted = true;
}

static void
s_free_zmq_msg (void *owner)
{
    zmq_msg_close (owner);
    free (owner);
}

//  Append the bytes of a ZeroMQ frame to a message. 0, or -1 when memory is out.
static int
s_append (message_t *message, zmq_msg_t *part)
{
    size_t size = zmq_msg_size (part);
    if (size <= COPY_MAX)
        return message_add_bytes (message, zmq_msg_data (part), size);

    zmq_msg_t *owner = malloc (sizeof (zmq_msg_t));
    if (!owner)
        return -1;
    zmq_msg_init (owner);
    zmq_msg_move (owner, part);
    frame_t *frame = frame_wrap (zmq_msg_data (owner), size, s_free_zmq_msg,
                                 owner);
    if (!frame)
        s_free_zmq_msg (owner);
    return message_take (message, &frame);
}

//  A message with this first frame has come, and this is its last one. Who loses the
//  address to its sender is cut off, before more of it comes.
static void
s_note_address (channels_t *self, const message_t *message, zmq_msg_t *last)
{
    const frame_t *address = message? message_frame (message, 0): NULL;
    if (!address)
        return;
    //  Addresses that begin with 0 are ZeroMQ's own choice: nobody else gets one
    bool chosen = frame_size (address) && frame_data (address) [0] != 0;
    if (!chosen && !addresses_any (self->addresses))
        return;
    int loser = addresses_heard (self->addresses,
                                 chosen? frame_data (address): NULL,
                                 frame_size (address),
                                 zmq_msg_get (last, ZMQ_SRCFD));
    if (loser >= 0)
        shutdown (loser, SHUT_RDWR);
}

//  Receive one message with all its frames. flags for the first: ZMQ_DONTWAIT.
static channels_result_t
s_receive (channels_t *self, const channel_entry_t *entry, int flags,
           message_t **message_p)
{
    bool bound = entry == self->bound;
    meter_t *meter = bound? door_meter (self->door): NULL;
    channels_result_t result = CHANNELS_OK;
    message_t *message = message_new ();
    int more = 1;
    for (size_t count = 0; more; count++) {
        zmq_msg_t part;
        zmq_msg_init (&part);
        int rc;
        do
            rc = zmq_msg_recv (&part, entry->socket,
                               count? ZMQ_DONTWAIT: flags);
        while (rc < 0 && errno == EINTR);
        if (rc < 0) {
            message_destroy (&message);
            if (count > 0)      //  ZeroMQ promises whole messages
                return CHANNELS_DROPPED;
            if (errno != EAGAIN)
                return CHANNELS_FAILED;
            if (meter)
                meter_drained (meter);
            return CHANNELS_EMPTY;
        }
        //  Asked now, since a large part is moved out of part below
        more = zmq_msg_more (&part);
        if (bound && count == 0)
            mask_put_on (self->mask, zmq_msg_data (&part),
                         zmq_msg_size (&part));
        if (!more && meter && meter_watches (meter))
            meter_read (meter, zmq_msg_get (&part, ZMQ_SRCFD));
        if (!more && bound)
            s_note_address (self, message, &part);
        if (!message || result != CHANNELS_OK || count >= FRAMES_MAX
        ||  s_append (message, &part))
            result = CHANNELS_DROPPED;  //  But take the rest of it off
        zmq_msg_close (&part);
    }
    if (result != CHANNELS_OK)
        message_destroy (&message);
    *message_p = message;
    return result;
}

//  End all connections and listen again. The old listener is closed by another
//  thread, so the port may take a moment to be free.
static void
s_listen_again (channels_t *self)
{
    char endpoint [sizeof (self->endpoint)];
    memcpy (endpoint, self->endpoint, sizeof (endpoint));
    if (zmq_unbind (self->bound->socket, endpoint))
        return;
    for (int waited_ms = 0; zmq_bind (self->bound->socket, endpoint); waited_ms++)
        if (errno != EADDRINUSE || waited_ms == LISTEN_AGAIN_MS) {
            self->lost = errno;
            return;
        }
        else
            usleep (1000);
}

//  Whether the message is from the door's bell: this is for us. It is destroyed.
static bool
s_is_bell (channels_t *self, message_t **message_p)
{
    if (!self->bound
    ||  !frame_is (message_frame (*message_p, 0), door_bell (self->door),
                   DOOR_BELL_SIZE))
        return false;
    message_destroy (message_p);
    if (door_stuffed (self->door))
        s_listen_again (self);
    return true;
}

//  Wait where the only channel receives: to wait for its file descriptor first, and
//  then to find it empty after each message, would be three more system calls for
//  each. The door rings its bell when wake_fd can be read.
static bool
s_wait_alone (channels_t *self, int timeout_ms)
{
    s_look_away (self->bound);
    if (timeout_ms != self->patience_ms
    &&  s_set_int (self->bound->socket, ZMQ_RCVTIMEO, timeout_ms) == 0)
        self->patience_ms = timeout_ms;
    self->held_result = s_receive (self, self->bound, 0, &self->held);
    if (self->held_result != CHANNELS_OK || !s_is_bell (self, &self->held))
        return false;
    self->held_result = CHANNELS_EMPTY;
    //  The door wants to know that nothing is left to read
    s_look_at (self->bound, &self->ready);
    return true;
}

bool
channels_wait (channels_t *self, int timeout_ms)
{
    struct epoll_event events [WOKEN_MAX];
    if (self->rung) {
        self->rung = false;
        return true;
    }
    if (self->bound && !self->bound->muted && HASH_COUNT (self->table) == 1) {
        if (timeout_ms)
            return s_wait_alone (self, timeout_ms);
        s_look_at (self->bound, &self->ready);
        return false;
    }
    while (self->again) {
        channel_entry_t *entry = self->again;
        s_look_away (entry);
        s_look_at (entry, &self->ready);
    }
    int count = epoll_wait (self->epoll_fd, events, WOKEN_MAX,
                            self->ready? 0: timeout_ms);
    bool woken = false;
    for (int nbr = 0; nbr < count; nbr++)
        if (events [nbr].data.ptr)
            s_look_at (events [nbr].data.ptr, &self->ready);
        else
            woken = true;
    return woken;
}

channels_result_t
channels_receive (channels_t *self, channel_t *number, message_t **message_p)
{
    if (self->held_result != CHANNELS_EMPTY) {
        channels_result_t result = self->held_result;
        self->held_result = CHANNELS_EMPTY;
        *message_p = self->held;
        self->held = NULL;
        *number = self->bound->number;
        return result;
    }
    while (self->ready) {
        channel_entry_t *entry = self->ready;
        channels_result_t result = entry->muted?
            CHANNELS_EMPTY: s_receive (self, entry, ZMQ_DONTWAIT, message_p);
        s_look_away (entry);
        if (result == CHANNELS_OK && s_is_bell (self, message_p)) {
            self->rung = true;
            s_look_at (entry, &self->ready);
            continue;
        }
        if (result == CHANNELS_OK || result == CHANNELS_DROPPED) {
            //  One of many mostly has one message at a time, and is going to be
            //  sent something: it is looked at once after that, not twice
            s_look_at (entry, HASH_COUNT (self->table) > 1?
                                  &self->again: &self->ready);
            *number = entry->number;
            return result;
        }
    }
    return CHANNELS_EMPTY;
}

//  Called by ZeroMQ, in a thread of its own, when the bytes are on their way.
static void
s_release_frame (void *data, void *hint)
{
    (void) data;
    frame_t *frame = hint;
    frame_destroy (&frame);
}

//  A ZeroMQ frame with the bytes of one of ours. 0, or -1 with errno.
static int
s_part_from (zmq_msg_t *part, const frame_t *frame)
{
    size_t size = frame_size (frame);
    if (size <= COPY_MAX) {
        if (zmq_msg_init_size (part, size))
            return -1;
        memcpy (zmq_msg_data (part), frame_data (frame), size);
        return 0;
    }
    frame_t *reference = frame_ref (frame);
    if (zmq_msg_init_data (part, (void *) frame_data (frame), size,
                           s_release_frame, reference)) {
        frame_destroy (&reference);
        return -1;
    }
    return 0;
}

//  Send the parts, which are closed in any case. 0, or the error number of the
//  first one that failed.
static int
s_send_parts (void *socket, zmq_msg_t *parts, size_t count)
{
    int reason = 0;
    size_t index = 0;
    for (; index < count; index++) {
        int flags = ZMQ_DONTWAIT | (index + 1 < count? ZMQ_SNDMORE: 0);
        int rc;
        do
            rc = zmq_msg_send (&parts [index], socket, flags);
        while (rc < 0 && errno == EINTR);
        if (rc >= 0)
            continue;
        //  A peer that goes away in the middle of a message takes what it has
        //  had with it, and ZeroMQ then wants to be given the rest
        if (reason == 0)
            reason = errno;
        zmq_msg_close (&parts [index]);
        if (index == 0)
            break;
    }
    while (++index < count)
        zmq_msg_close (&parts [index]);
    return reason;
}

channels_result_t
channels_send (channels_t *self, channel_t number, const message_t *message)
{
    channel_entry_t *entry = s_find (self, number);
    if (!entry)
        return CHANNELS_UNKNOWN;
    s_look_at (entry, &self->again);
    size_t count = message_size (message);
    zmq_msg_t few [FEW_FRAMES];
    zmq_msg_t *parts = few;
    if (count > FEW_FRAMES)
        parts = malloc (count * sizeof (zmq_msg_t));
    if (!parts)
        return CHANNELS_FAILED;

    //  All memory first: a message must not end in the middle
    channels_result_t result = CHANNELS_OK;
    size_t made = 0;
    while (made < count
    &&     s_part_from (&parts [made], message_frame (message, made)) == 0)
        made++;
    if (made < count) {
        while (made)
            zmq_msg_close (&parts [--made]);
        result = CHANNELS_FAILED;
    }
    else {
        if (entry == self->bound && count)
            mask_take_off (self->mask, zmq_msg_data (&parts [0]),
                           zmq_msg_size (&parts [0]));
        int reason = s_send_parts (entry->socket, parts, count);
        if (reason == EHOSTUNREACH)
            result = CHANNELS_UNREACHABLE;
        else
        if (reason == EAGAIN)
            result = CHANNELS_FULL;
        else
        if (reason)
            result = CHANNELS_FAILED;
    }
    if (parts != few)
        free (parts);
    return result;
}
