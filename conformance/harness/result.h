/*  =========================================================================
    result - what became of one scenario

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef RESULT_H_INCLUDED
#define RESULT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transcript.h"

//  Design, principle 4. The order is from best to worst.
typedef enum {
    VERDICT_PASS,               //  All that was asked for was seen
    VERDICT_SKIP,               //  The target cannot be asked about it
    VERDICT_WARN,               //  A SHOULD is broken
    VERDICT_FAIL,               //  A MUST or a rule is broken
    VERDICT_HANG,               //  The target lives but serves nothing
    VERDICT_CRASH,              //  A process of the target died by itself
    VERDICT_BROKEN              //  The harness or its surroundings failed
} verdict_t;

const char *
    verdict_text (verdict_t verdict);

//  A frame that was received beside what was expected in its place; NULL where
//  there is none.
typedef struct {
    char *expected;
    char *received;
    bool fits;
} frame_pair_t;

//  All strings are owned by the result; NULL where there is nothing to say.
typedef struct {
    char *scenario;             //  "dialogue/second-ready"
    char *title;                //  What the scenario is about, one line
    char *protocol;             //  Version of MDP that it speaks: "mdp/0.1"
    char **covers;              //  Ids of all that the scenario covers
    size_t cover_count;
    verdict_t verdict;
    bool known;                 //  A baseline says that this is known: it is
    char *known_reason;         //  told, and does not count; why
    bool stale;                 //  A baseline knows of what is not so any more:
                                //  the run fails, though the verdict is green
    int64_t duration_ms;
    char *reason;               //  One line: why it is not PASS
    char *place;                //  "scenarios/dialogue.sea:12" of the step
    char *file;                 //  The two parts of the place; line 0 when
    int line;                   //  there is none
    char *step;                 //  The step as it is written
    char *expected;             //  Frames, in the notation; one line
    char *received;             //  Frames, in the notation; one line
    frame_pair_t *pairs;              //  The message that came, frame by frame
    size_t pair_count;
    char **requirements;        //  Ids of what the failing step proves; when it
    size_t requirement_count;   //  passed, of all that the scenario covers
    char **remarks;             //  Lines about MAYs not taken, reruns
    size_t remark_count;
    char *transcript;           //  Lines in the notation, each ends in \n
    transcript_t events;        //  The same, entry by entry
    char *output;               //  Last lines that the target's processes
                                //  printed, each ends in \n
} result_t;

//  Empty, PASS. Aborts when memory is out, as czmq does: the harness is a tool.
result_t *
    result_new (const char *scenario, const char *title);
void
    result_destroy (result_t **self_p);

//  Set a string property: frees what was there, keeps a copy.
void
    result_set (char **property_p, const char *value);

void
    result_add_requirement (result_t *self, const char *id);
void
    result_add_cover (result_t *self, const char *id);
void
    result_add_pair (result_t *self, const char *expected, const char *received,
                     bool fits);
void
    result_add_remark (result_t *self, const char *remark);

//  To and from JSON (jansson), for the pipe between a scenario's process and the
//  runner. Encoding returns a fresh string on one line; decoding returns NULL
//  when the text is not a result. The JSON itself, all of it, is what reports
//  are made of.
json_t *
    result_json (const result_t *self);
char *
    result_encode (const result_t *self);
result_t *
    result_decode (const char *text);

#endif
