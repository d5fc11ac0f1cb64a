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

//  Frames that a message holds without a second allocation. A worker REQUEST
//  with its address and one body frame has seven.
#define FEW_FRAMES 8

struct _frame_t {
    atomic_size_t references;   //  Dropped also by ZeroMQ's I/O threads, when
                                //  they have sent a frame
    const unsigned char *data;  //  Our own bytes, or the owner's
    size_t size;                //  How many
    frame_free_fn *free_fn;     //  Frees the owner; NULL for our own bytes
    void *owner;                //  What the bytes belong to
    unsigned char bytes [];     //  Our own bytes
};

struct _message_t {
    size_t count;               //  Frames in the message
    size_t capacity;            //  Frames that there is place for
    frame_t **frames;           //  The frames: few, or allocated
    frame_t *few [FEW_FRAMES];  //  Place for the usual message
};

frame_t *
frame_new (const void *data, size_t size)
{
    assert (data || size == 0);
    if (size > SIZE_MAX - sizeof (frame_t))
        return NULL;
    frame_t *self = malloc (sizeof (frame_t) + size);
    if (!self)
        return NULL;

    atomic_init (&self->references, 1);
    self->data = self->bytes;
    self->size = size;
    self->free_fn = NULL;
    self->owner = NULL;
    if (size)
        memcpy (self->bytes, data, size);
    return self;
}

frame_t *
frame_wrap (const void *data, size_t size, frame_free_fn *free_fn,
            void *owner)
{
    assert (data || size == 0);
    assert (free_fn);
    frame_t *self = malloc (sizeof (frame_t));
    if (!self)
        return NULL;

    atomic_init (&self->references, 1);
    self->data = data? data: self->bytes;
    self->size = size;
    self->free_fn = free_fn;
    self->owner = owner;
    return self;
}

frame_t *
frame_ref (const frame_t *self)
{
    assert (self);
    //  The bytes are constant, the count is not: a reference to a frame that
    //  one may only read is still a reference
    frame_t *frame = (frame_t *) self;
    atomic_fetch_add_explicit (&frame->references, 1, memory_order_relaxed);
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
    if (atomic_fetch_sub_explicit (&self->references, 1,
                                   memory_order_acq_rel) > 1)
        return;
    if (self->free_fn)
        self->free_fn (self->owner);
    free (self);
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
    self->count = 0;
    self->capacity = FEW_FRAMES;
    self->frames = self->few;
    return self;
}

void
message_destroy (message_t **self_p)
{
    assert (self_p);
    message_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t index = 0; index < self->count; index++)
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
    assert (self);
    size_t bytes = 0;
    for (size_t index = 0; index < self->count; index++)
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
    self->frames [self->count++] = *frame_p;
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
    frame_t *frame = frame_new (data, size);
    return message_take (self, &frame);
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
        self->frames [self->count++] = frame_ref (other->frames [index]);
    return 0;
}
