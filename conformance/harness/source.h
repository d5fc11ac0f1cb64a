/*  =========================================================================
    source - a text file, line by line, and errors that point into it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SOURCE_H_INCLUDED
#define SOURCE_H_INCLUDED

#include <stddef.h>
#include <stdio.h>

typedef struct _source_t source_t;

//  Read a file. NULL, with one line on errors, when it cannot be read.
source_t *
    source_open (const char *path, FILE *errors);

//  The same over a text in memory; name stands for the path in errors.
source_t *
    source_from (const char *name, const char *text, FILE *errors);

void
    source_destroy (source_t **self_p);

const char *
    source_name (const source_t *self);

//  How many lines there are; line number line, from 1, without its newline.
int
    source_lines (const source_t *self);
const char *
    source_line (const source_t *self, int line);

//  Say what is wrong at a line and column, both from 1, show the line, and put
//  a caret under the place. Counts.
void
    source_error (source_t *self, int line, int column, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

//  How many errors there were.
int
    source_errors (const source_t *self);

#endif
