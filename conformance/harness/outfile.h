/*  =========================================================================
    outfile - a file that is there whole, or as it was before

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef OUTFILE_H_INCLUDED
#define OUTFILE_H_INCLUDED

#include <stdio.h>

typedef struct _outfile_t outfile_t;

//  Begin to write, beside the path; what stands there stays until all is written.
//  A device or a pipe is written to at once. NULL after one line on errors.
outfile_t *
    outfile_open (const char *path, FILE *errors);

FILE *
    outfile_stream (outfile_t *self);

//  All is written: put it in place. 0, or -1 after one line on errors, when
//  nothing has changed.
int
    outfile_close (outfile_t **self_p, FILE *errors);

//  Never mind: nothing has changed.
void
    outfile_abandon (outfile_t **self_p);

#endif
