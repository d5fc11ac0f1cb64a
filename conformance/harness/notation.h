/*  =========================================================================
    notation - messages as they are written in fixtures, scripts and reports

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef NOTATION_H_INCLUDED
#define NOTATION_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <czmq.h>

#include "source.h"

//  What a frame must look like to be matched.
typedef enum {
    CLASS_ANY,                  //  Whatever it is
    CLASS_UUID,                 //  32 hexadecimal digits, 9/TSP
    CLASS_STATUS,               //  Three digits, then nothing or a space and
                                //  text, 9/TSP Status Frames
    CLASS_TEXT,                 //  Printable: no control bytes, not empty
    CLASS_LEN,                  //  So many bytes
    CLASS_RE                    //  A regular expression on the whole frame
} class_t;

typedef enum {
    MANY_ONE,                   //  Just one frame
    MANY_SOME,                  //  $name...  one or more
    MANY_ANY                    //  $name*  none or more
} many_t;

typedef enum {
    TERM_BYTES,                 //  A literal frame
    TERM_NAME,                  //  $name, $name:class, $:class, $name+"bytes"
    TERM_REST                   //  ...
} term_type_t;

//  One element of a message as it is written.
typedef struct {
    term_type_t type;
    char *bytes;                //  TERM_BYTES; TERM_NAME: that follow what was
    size_t size;                //  captured, or NULL
    size_t repeats;             //  How often they follow upon themselves: long
                                //  frames are kept as they are written
    char *name;                 //  TERM_NAME; "" when nothing is captured
    bool classed;               //  TERM_NAME: a class is written
    class_t class;
    size_t length;              //  CLASS_LEN
    char *detail;               //  CLASS_STATUS: the digits, or NULL for any
                                //  CLASS_RE: the expression
    many_t many;                //  TERM_NAME
    int line, column;           //  Where it is written
} term_t;

//  A message with places left open.
typedef struct {
    term_t *terms;
    size_t count;
} pattern_t;

typedef enum {
    TOKEN_WORD,                 //  scenario, READY, titanic.reply, 3
    TOKEN_TERM,                 //  A frame or a name for frames
    TOKEN_OUT,                  //  ->
    TOKEN_IN,                   //  <-
    TOKEN_BAR,                  //  |
    TOKEN_TAG                   //  [ID], a requirement
} token_type_t;

typedef struct {
    token_type_t type;
    char *text;                 //  WORD, TAG
    term_t term;                //  TERM
    int line, column;           //  Where it starts
    int end;                    //  Column after it
} token_t;

typedef struct {
    token_t *tokens;
    size_t count;
} tokens_t;

//  Cut a line of the source into tokens and append them. Returns false after an
//  error has been reported.
bool
    tokens_read (tokens_t *self, source_t *source, int line);
void
    tokens_clear (tokens_t *self);

//  A literal frame with the bytes of another one.
term_t
    term_new (zframe_t *frame);

//  The size of the frame, or of what follows what was captured, in bytes.
size_t
    term_size (const term_t *self);

//  Terms and patterns own their strings.
term_t
    term_dup (const term_t *self);
void
    term_clear (term_t *self);
void
    pattern_push (pattern_t *self, term_t term);
pattern_t
    pattern_dup (const pattern_t *self);
void
    pattern_clear (pattern_t *self);

//  What has been captured: name to frames.
typedef struct _captures_t captures_t;

captures_t *
    captures_new (void);
void
    captures_destroy (captures_t **self_p);

//  The frames captured under a name, borrowed; NULL if there is none.
zmsg_t *
    captures_get (captures_t *self, const char *name);

//  Capture frames under a name; takes them.
void
    captures_set (captures_t *self, const char *name, zmsg_t **frames_p);

//  Whether a message has the form of the pattern. A name without a class that
//  is already captured must match what it holds; what other names match is
//  captured, if and only if the whole message matches. captures may be NULL.
bool
    pattern_match (const pattern_t *self, zmsg_t *message,
                   captures_t *captures);

//  The message that a pattern of literals and captured names makes; NULL when a
//  name is not captured or the pattern leaves something open.
zmsg_t *
    pattern_compose (const pattern_t *self, captures_t *captures);

//  Text in the notation; fresh strings. A frame longer than 256 bytes is
//  written as "x"*N when it repeats one byte, otherwise as $:len(N).
char *
    notation_frames (zmsg_t *message);
char *
    notation_bytes (const void *data, size_t size);
char *
    notation_pattern (const pattern_t *self);

#endif
