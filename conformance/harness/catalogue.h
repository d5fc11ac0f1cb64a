/*  =========================================================================
    catalogue - the requirements of the specifications, read from spec/

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CATALOGUE_H_INCLUDED
#define CATALOGUE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

//  How hard a requirement binds. A RULE is stated without a keyword; broken
//  it counts like a MUST.
typedef enum {
    LEVEL_MUST,
    LEVEL_MUST_NOT,
    LEVEL_RULE,
    LEVEL_SHOULD,
    LEVEL_SHOULD_NOT,
    LEVEL_MAY
} level_t;

const char *
    level_text (level_t level);

//  The level of a text, in either case, a dash for the blank: "must-not". False
//  if there is none.
bool
    level_of (const char *text, level_t *level);

typedef struct {
    char *id;                   //  "MDP1-WORKER-07"
    char *section;              //  "7/MDP, Opening and Closing a Connection"
    level_t level;
    char *role;                 //  client, worker, broker or titanic
    bool proved;                //  Whether a scenario can prove it
    char *excuse;               //  Why not, when it cannot; else NULL
    char *text;                 //  In our own words, lines joined by spaces
    char *file;                 //  Where it stands, as it was opened
    int line;                   //  First line is 1
} requirement_t;

//  Whom requirements bind, and the specifications that they are taken from, as
//  they are named in profiles: "mdp/0.1". NULL behind the last.
extern const char *const requirement_roles [];
extern const char *const requirement_specifications [];

//  The specification of a requirement, one of these; "" if it is of none.
const char *
    requirement_specification (const requirement_t *self);

typedef struct _catalogue_t catalogue_t;

catalogue_t *
    catalogue_new (void);
void
    catalogue_destroy (catalogue_t **self_p);

//  Read one *.req file. Each mistake is one line on the stream errors, in the
//  form FILE:LINE:COLUMN: what is wrong, then the line itself and a caret
//  under the place. Returns how many there were; -1 if the file cannot be read
//  (also said).
int
    catalogue_read (catalogue_t *self, const char *path, FILE *errors);

size_t
    catalogue_size (const catalogue_t *self);

//  Requirement number index, in order of reading; by id, NULL if unknown.
const requirement_t *
    catalogue_at (const catalogue_t *self, size_t index);
const requirement_t *
    catalogue_find (const catalogue_t *self, const char *id);

#endif
