/*  =========================================================================
    fuzz - what any bytes are thrown at

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef FUZZ_H_INCLUDED
#define FUZZ_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/protocol/message.h"

//  Takes any bytes. Aborts when something does not hold that must.
typedef void (fuzz_fn) (const uint8_t *data, size_t size);

typedef struct {
    const char *name;
    fuzz_fn *run;
} fuzz_target_t;

fuzz_fn fuzz_codec;             //  Messages in each role
fuzz_fn fuzz_broker;            //  A broker, its peers and the time
fuzz_fn fuzz_titanic;           //  A Titanic server, its broker and its store
fuzz_fn fuzz_notation;          //  Lines of messages
fuzz_fn fuzz_fixture;           //  *.msg
fuzz_fn fuzz_script;            //  *.sea
fuzz_fn fuzz_profile;           //  *.zpl

//  All of them; the last has no name.
extern const fuzz_target_t fuzz_targets [];

//  The target of this name, NULL if there is none.
const fuzz_target_t *
    fuzz_find (const char *name);

//  What must hold
#define HOLDS(condition)                                                    \
    do                                                                      \
        if (!(condition)) {                                                 \
            fprintf (stderr, "%s:%d: does not hold: %s\n", __FILE__,        \
                     __LINE__, #condition);                                 \
            abort ();                                                       \
        }                                                                   \
    while (0)

//  Bytes, read from the front. What is not there any more reads as 0 or empty.
typedef struct {
    const uint8_t *data;
    size_t left;
} bytes_t;

uint8_t
    bytes_take (bytes_t *self);

//  A frame: its size in a byte, or 255 and two bytes, then as many as are there.
frame_t *
    bytes_take_frame (bytes_t *self);

//  A message: how many frames in a byte, 32 at most; then they.
message_t *
    bytes_take_message (bytes_t *self);

#endif
