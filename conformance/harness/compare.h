/*  =========================================================================
    compare - what several trials came to, side by side

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef COMPARE_H_INCLUDED
#define COMPARE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <jansson.h>

//  Sides have letters
#define SIDES_MAX 26

//  One report.
typedef struct {
    char letter [2];            //  "A"
    const char *path;           //  Borrowed
    json_t *document;
} side_t;

//  A scenario or a requirement on all sides. Strings are those of documents.
typedef struct {
    const char *name;
    const json_t *about;        //  It, in the first document that has it
    const char *verdicts [SIDES_MAX];   //  By side; NULL if it is not there
    bool differs;               //  Two sides that have it differ
    bool broken;                //  A requirement: on one side at least
} row_t;

typedef struct {
    row_t *rows;
    size_t count;
} rows_t;

typedef struct {
    side_t sides [SIDES_MAX];
    size_t side_count;
    rows_t scenarios;
    rows_t requirements;
} compare_t;

//  Read reports, at most SIDES_MAX. NULL after one line on errors.
compare_t *
    compare_new (char *const *paths, size_t count, FILE *errors);
void
    compare_destroy (compare_t **self_p);

//  How many scenarios differ; how many are not in all reports.
size_t
    compare_differing (const compare_t *self);
size_t
    compare_partial (const compare_t *self);

//  The verdict of a side's target, and its totals in words; fresh.
char *
    compare_totals (const side_t *side);

//  As text, and as a page of HTML.
void
    compare_write (const compare_t *self, FILE *out);
void
    compare_write_page (const compare_t *self, FILE *out);

#endif
