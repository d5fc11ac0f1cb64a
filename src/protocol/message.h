/*  =========================================================================
    message - frames and messages as the engines pass them on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MESSAGE_H_INCLUDED
#define MESSAGE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

//  A frame is a run of bytes that never changes once it is made. Frames are
//  counted references, so that a body passes through an engine uncopied. A small
//  one is part of the message that it came with, and a reference to it keeps all
//  of that message: what is to be kept for long is better copied with frame_new.
typedef struct _frame_t frame_t;

//  Called once, when the last reference to a borrowed buffer goes.
typedef void (frame_free_fn) (void *owner);

//  Make a frame with a copy of size bytes. NULL when memory is out.
frame_t *
    frame_new (const void *data, size_t size);

//  Make a frame over bytes that belong to owner; free_fn (owner) is called
//  when the last reference goes. NULL when memory is out, and then owner
//  still belongs to the caller.
frame_t *
    frame_wrap (const void *data, size_t size, frame_free_fn *free_fn,
                void *owner);

//  One more reference to the same frame.
frame_t *
    frame_ref (const frame_t *self);

//  Drop one reference and null the caller's pointer.
void
    frame_destroy (frame_t **self_p);

//  The bytes, never NULL, and how many there are.
const unsigned char *
    frame_data (const frame_t *self);
size_t
    frame_size (const frame_t *self);

//  Whether the frame holds just these bytes, or just those of the other.
bool
    frame_is (const frame_t *self, const void *data, size_t size);
bool
    frame_equal (const frame_t *self, const frame_t *other);

//  A message is its frames, in order.
typedef struct _message_t message_t;

//  An empty message. NULL when memory is out.
message_t *
    message_new (void);

//  One more reference to the same message, for those who only read it.
message_t *
    message_ref (const message_t *self);

//  Drop one reference; with the last one the message and its references to its
//  frames go.
void
    message_destroy (message_t **self_p);

//  A new message over references to the frames of this one, from frame
//  number from on. NULL when memory is out.
message_t *
    message_slice (const message_t *self, size_t from);

//  How many frames there are; frame number index, borrowed, NULL past the end.
size_t
    message_size (const message_t *self);
frame_t *
    message_frame (const message_t *self, size_t index);

//  Bytes in all frames together; in those from number from on.
size_t
    message_bytes (const message_t *self);
size_t
    message_bytes_from (const message_t *self, size_t from);

//  Append a frame and take it: *frame_p comes back NULL, also on failure.
//  A NULL *frame_p fails. 0, or -1 when memory is out.
int
    message_take (message_t *self, frame_t **frame_p);

//  Append a reference to a frame; a copy of bytes; a string without its NUL;
//  references to the frames of another message from number from on.
//  0, or -1 when memory is out.
int
    message_add (message_t *self, const frame_t *frame);
int
    message_add_bytes (message_t *self, const void *data, size_t size);
int
    message_add_string (message_t *self, const char *string);
int
    message_add_from (message_t *self, const message_t *other, size_t from);

#endif
