/*  =========================================================================
    reader - what the parts of the script parser share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef READER_H_INCLUDED
#define READER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "script.h"

//  A bounded repetition is bounded by this
#define TIMES_MAX 10000

//  One logical line: a line and those that go on with it
typedef struct {
    tokens_t tokens;
    source_t *source;
    const char *file;           //  Path that lives as long as the script
} line_t;

typedef struct {
    line_t *lines;
    size_t count;
} lines_t;

typedef struct {
    char *name;
    char **parameters;          //  "w" for actors, "$service" for values
    size_t parameter_count;
    bool rest;                  //  The last takes all arguments that are left
    line_t *lines;              //  Borrowed
    size_t line_count;
} procedure_t;

struct _script_t {
    const fixtures_t *fixtures;
    const catalogue_t *catalogue;
    scenario_t **scenarios;
    size_t count;
    char **files;               //  Paths that steps point to
    size_t file_count;
};

//  While one file is read
typedef struct {
    script_t *script;
    FILE *errors;
    int error_count;
    source_t **sources;         //  This file and what it includes
    size_t source_count;
    lines_t *pages;             //  Logical lines of each
    size_t page_count;
    procedure_t *procedures;
    size_t procedure_count;
    //  The scenario that is being read
    scenario_t *scenario;
    const char *version;        //  In this version of MDP
    bool crossing;              //  Its actors speak several versions
    char **captures;            //  Names captured so far
    size_t capture_count;
    bool expects;               //  It has at least one step that can fail
    int depth;                  //  Of procedure calls
} reader_t;

//  Position in the tokens of a line
typedef struct {
    reader_t *reader;
    line_t *line;
    size_t at;
} cursor_t;

//  Complain at the current token, or behind the last one; false
bool
    cursor_fail (cursor_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  The current token, NULL at the end of the line
token_t *
    cursor_token (cursor_t *self);

//  The current token if it is a word, else ""
const char *
    cursor_word (cursor_t *self);

//  Step over a word, or a token of a type, if it stands here
bool
    cursor_take_word (cursor_t *self, const char *word);
bool
    cursor_take (cursor_t *self, token_type_t type);

//  The requirement of an id, where MDP-X stands for that of the version that is
//  spoken; NULL if there is none.
const requirement_t *
    reader_requirement (const reader_t *reader, const char *id);

//  The scenario uses messages of this protocol, which lives as long as the
//  fixtures.
void
    script_use_protocol (scenario_t *scenario, const char *protocol);

//  Read what one line without a block says into the step. A worker that opens
//  and serves at once makes a second step, serve; it stays STEP_OPEN
//  otherwise.
bool
    reader_step (cursor_t *cursor, step_t *step, step_t *serve);

#endif
