/*  =========================================================================
    message - frames and messages as the engines pass them on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "message.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

//  Frames that a message holds without a second allocation, and bytes for small
//  ones with their heads. A worker's REQUEST with its address and one body frame
//  has seven.
#define FEW_FRAMES 8
#define FEW_BYTES 384

struct _frame_t {
    message_t *home;            //  The message that it is part of, and that its
                                //  references count for; NULL: it stands alone
    const unsigned char *data;  //  Bytes behind the head, or the owner's
    size_t size;                //  How many
};

//  A frame that stands alone: a large one, or one that is to outlive the message
//  that it came with
typedef struct {
    frame_t frame;
    atomic_size_t references;   //  Dropped also by ZeroMQ's I/O threads, when
                                //  they have sent a frame
    frame_free_fn *free_fn;     //  Frees the owner; NULL for our own bytes
    void *owner;                //  What the bytes belong to
    unsigned char bytes [];     //  Our own bytes
} alone_t;

struct _message_t {
    size_t references;          //  To the message and to frames that are part
                                //  of it; these never leave their thread
    size_t count;               //  Frames in the message
    size_t capacity;            //  Frames that there is place for
    frame_t **frames;           //  The frames: few, or allocated
    frame_t *few [FEW_FRAMES];  //  Place for the usual message
    size_t used;                //  Of bytes
    _Alignas (frame_t) unsigned char bytes [FEW_BYTES]; //  Frames with what
                                //  they hold
};

frame_t *
frame_new (const void *data, size_t size)
{
    assert (data || size == 0);
    if (size > SIZE_MAX - sizeof (alone_t))
        return NULL;
    alone_t *self = malloc (sizeof (alone_t) + size);
    if (!self)
        return NULL;

    self->frame = (frame_t) { .data = self->bytes, .size = size };
    atomic_init (&self->references, 1);
    self->free_fn = NULL;
    self->owner = NULL;
    if (size)
        memcpy (self->bytes, data, size);
    return &self->frame;
}

frame_t *
frame_wrap (const void *data, size_t size, frame_free_fn *free_fn,
            void *owner)
{
    assert (data || size == 0);
    assert (free_fn);
    alone_t *self = malloc (sizeof (alone_t));
    if (!self)
        return NULL;

    self->frame = (frame_t) { .data = data? data: self->bytes, .size = size };
    atomic_init (&self->references, 1);
    self->free_fn = free_fn;
    self->owner = owner;
    return &self->frame;
}

frame_t *
frame_ref (const frame_t *self)
{
    assert (self);
    //  The bytes are constant, the count is not: a reference to a frame that
    //  one may only read is still a reference
    frame_t *frame = (frame_t *) self;
    if (frame->home)
        frame->home->references++;
    else
        atomic_fetch_add_explicit (&((alone_t *) frame)->references, 1,
                                   memory_order_relaxed);
    return frame;
}

void
frame_destroy (frame_t **self_p)
{
    assert (self_p);
    frame_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->home) {
        message_t *home = self->home;
        message_destroy (&home);
        return;
    }
    alone_t *alone = (alone_t *) self;
    if (atomic_fetch_sub_explicit (&alone->references, 1,
                                   memory_order_acq_rel) > 1)
        return;
    if (alone->free_fn)
        alone->free_fn (alone->owner);
    free (alone);
}

const unsigned char *
frame_data (const frame_t *self)
{
    assert (self);
    return self->data;
}

size_t
frame_size (const frame_t *self)
{
    assert (self);
    return self->size;
}

bool
frame_is (const frame_t *self, const void *data, size_t size)
{
    assert (self);
    return self->size == size
        && (size == 0 || memcmp (self->data, data, size) == 0);
}

bool
frame_equal (const frame_t *self, const frame_t *other)
{
    assert (other);
    return self == other || frame_is (self, other->data, other->size);
}

message_t *
message_new (void)
{
    message_t *self = malloc (sizeof (message_t));
    if (!self)
        return NULL;
    self->references = 1;
    self->count = 0;
    self->capacity = FEW_FRAMES;
    self->frames = self->few;
    self->used = 0;
    return self;
}

message_t *
message_ref (const message_t *self)
{
    assert (self);
    message_t *message = (message_t *) self;
    message->references++;
    return message;
}

void
message_destroy (message_t **self_p)
{
    assert (self_p);
    message_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->references > 0)
        return;
    for (size_t index = 0; index < self->count; index++)
        if (self->frames [index]->home != self)
            frame_destroy (&self->frames [index]);
    if (self->frames != self->few)
        free (self->frames);
    free (self);
}

message_t *
message_slice (const message_t *self, size_t from)
{
    message_t *slice = message_new ();
    if (slice && message_add_from (slice, self, from))
        message_destroy (&slice);
    return slice;
}

size_t
message_size (const message_t *self)
{
    assert (self);
    return self->count;
}

frame_t *
message_frame (const message_t *self, size_t index)
{
    assert (self);
    return index < self->count? self->frames [index]: NULL;
}

size_t
message_bytes (const message_t *self)
{
    return message_bytes_from (self, 0);
}

size_t
message_bytes_from (const message_t *self, size_t from)
{
    assert (self);
    size_t bytes = 0;
    for (size_t index = from; index < self->count; index++)
        bytes += self->frames [index]->size;
    return bytes;
}

//  Make place for more frames. 0, or -1 when memory is out, and then the
//  message is as it was.
static int
s_reserve (message_t *self, size_t more)
{
    if (more <= self->capacity - self->count)
        return 0;
    if (more > SIZE_MAX / sizeof (frame_t *) / 2 - self->count)
        return -1;
    size_t capacity = self->capacity;
    while (capacity < self->count + more)
        capacity *= 2;

    frame_t **frames;
    if (self->frames == self->few) {
        frames = malloc (capacity * sizeof (frame_t *));
        if (frames)
            memcpy (frames, self->few, self->count * sizeof (frame_t *));
    }
    else
        frames = realloc (self->frames, capacity * sizeof (frame_t *));
    if (!frames)
        return -1;
    self->frames = frames;
    self->capacity = capacity;
    return 0;
}

//  Append a frame with the reference that comes with it. A message holds its own
//  parts without counting them, or it would never go.
static void
s_append (message_t *self, frame_t *frame)
{
    self->frames [self->count++] = frame;
    if (frame->home == self)
        self->references--;
}

int
message_take (message_t *self, frame_t **frame_p)
{
    assert (self);
    assert (frame_p);
    if (!*frame_p)
        return -1;
    if (s_reserve (self, 1)) {
        frame_destroy (frame_p);
        return -1;
    }
    s_append (self, *frame_p);
    *frame_p = NULL;
    return 0;
}

int
message_add (message_t *self, const frame_t *frame)
{
    frame_t *reference = frame_ref (frame);
    return message_take (self, &reference);
}

int
message_add_bytes (message_t *self, const void *data, size_t size)
{
    assert (self);
    assert (data || size == 0);
    //  A head must not stand across what it cannot be aligned to
    size_t step = _Alignof (frame_t);
    size_t room = sizeof (self->bytes) - self->used;
    if (room < sizeof (frame_t) || size > room - sizeof (frame_t)
    ||  s_reserve (self, 1)) {
        frame_t *frame = frame_new (data, size);
        return message_take (self, &frame);
    }
    frame_t *frame = (frame_t *) (self->bytes + self->used);
    unsigned char *bytes = (unsigned char *) (frame + 1);
    *frame = (frame_t) { .home = self, .data = bytes, .size = size };
    if (size)
        memcpy (bytes, data, size);
    self->used += (sizeof (frame_t) + size + step - 1) / step * step;
    self->frames [self->count++] = frame;
    return 0;
}

int
message_add_string (message_t *self, const char *string)
{
    assert (string);
    return message_add_bytes (self, string, strlen (string));
}

int
message_add_from (message_t *self, const message_t *other, size_t from)
{
    assert (self);
    assert (other);
    size_t end = other->count;  //  Fixed: other may be the message itself
    if (from >= end)
        return 0;
    if (s_reserve (self, end - from))
        return -1;
    for (size_t index = from; index < end; index++)
        s_append (self, frame_ref (other->frames [index]));
    return 0;
}
