/*  =========================================================================
    markup - writes HTML and SVG, everything escaped

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MARKUP_H_INCLUDED
#define MARKUP_H_INCLUDED

#include <stddef.h>
#include <stdio.h>

typedef struct _markup_t markup_t;

//  Writes to a stream, which it does not close.
markup_t *
    markup_new (FILE *out);

//  Closes all elements that are open.
void
    markup_destroy (markup_t **self_p);

//  Open an element with attributes: names and values in turn, then NULL. An
//  attribute whose value is NULL is left out. Names are ours and not escaped.
void
    markup_open (markup_t *self, const char *element, ...)
    __attribute__ ((sentinel));

//  Close what was opened last.
void
    markup_close (markup_t *self);

//  How many elements are open.
size_t
    markup_depth (const markup_t *self);

//  An element without content, such as input.
void
    markup_void (markup_t *self, const char *element, ...)
    __attribute__ ((sentinel));

//  An element with a class, or NULL, and a text.
void
    markup_element (markup_t *self, const char *element, const char *class,
                    const char *text);

//  Text; control characters come out as \xNN.
void
    markup_text (markup_t *self, const char *text);
void
    markup_format (markup_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  As it is: for style and script, which are ours.
void
    markup_raw (markup_t *self, const char *text);

#endif
