/*  =========================================================================
    comparison - a message, frame by frame, beside what was expected

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "comparison.h"
#include "vector.h"

//  The pairs of one choice
typedef struct {
    frame_pair_t *pairs;
    size_t count;
    size_t misfits;
} pairs_t;

static void
s_clear (pairs_t *self)
{
    for (size_t index = 0; index < self->count; index++) {
        free (self->pairs [index].expected);
        free (self->pairs [index].received);
    }
    free (self->pairs);
    *self = (pairs_t) { 0 };
}

//  The term as it is written, and what its name stands for
static char *
s_term_text (const term_t *term, captures_t *captures)
{
    pattern_t pattern = { (term_t *) term, 1 };
    char *text = notation_pattern (&pattern);
    zmsg_t *captured = term->type == TERM_NAME && *term->name && !term->classed
        ? captures_get (captures, term->name): NULL;
    if (!captured)
        return text;
    char *frames = notation_frames (captured);
    char *both = zsys_sprintf ("%s = %s", text, frames);
    free (frames);
    free (text);
    return both;
}

//  What is captured already counts; nothing is captured here
static bool
s_fits (const term_t *term, zmsg_t *frame, captures_t *captures)
{
    pattern_t pattern = { (term_t *) term, 1 };
    bool known = term->type == TERM_NAME && !term->classed
        && captures_get (captures, term->name);
    return pattern_match (&pattern, frame, known? captures: NULL);
}

//  term, frame: NULL where there is none
static void
s_pair (pairs_t *self, const term_t *term, zframe_t *frame,
        captures_t *captures)
{
    frame_pair_t pair = { .expected = term? s_term_text (term, captures): NULL };
    zmsg_t *single = zmsg_new ();
    if (frame) {
        zmsg_addmem (single, zframe_data (frame), zframe_size (frame));
        pair.received = notation_frames (single);
    }
    pair.fits = term && (frame
        ? s_fits (term, single, captures)
        : term->type == TERM_REST
          || (term->type == TERM_NAME && term->many == MANY_ANY));
    self->misfits += !pair.fits;
    vector_push (self->pairs, self->count, pair);
    zmsg_destroy (&single);
}

static bool
s_is_open (const term_t *term)
{
    return term->type == TERM_REST
        || (term->type == TERM_NAME && term->many != MANY_ONE);
}

//  Terms before the first open one stand for frames from the front, those behind
//  it for frames from the end, and it for all between
static pairs_t
s_align (const pattern_t *pattern, zframe_t **frames, size_t count,
         captures_t *captures)
{
    pairs_t self = { 0 };
    size_t front = 0;
    while (front < pattern->count && !s_is_open (&pattern->terms [front]))
        front++;
    size_t tail = front < pattern->count? pattern->count - front - 1: 0;
    size_t at = 0;
    for (size_t index = 0; index < front; index++, at++)
        s_pair (&self, &pattern->terms [index], at < count? frames [at]: NULL,
                captures);
    if (front < pattern->count) {
        const term_t *open = &pattern->terms [front];
        if (at + tail >= count)
            s_pair (&self, open, NULL, captures);
        for (; at + tail < count; at++)
            s_pair (&self, open, frames [at], captures);
    }
    for (size_t index = pattern->count - tail; index < pattern->count;
                index++, at++)
        s_pair (&self, &pattern->terms [index], at < count? frames [at]: NULL,
                captures);
    for (; at < count; at++)
        s_pair (&self, NULL, frames [at], captures);
    return self;
}

void
comparison_make (result_t *result, const choice_t *choices, size_t count,
                 zmsg_t *message, captures_t *captures)
{
    zframe_t **frames = NULL;
    size_t frame_count = 0;
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message))
        vector_push (frames, frame_count, frame);
    pattern_t nothing = { 0 };
    pairs_t best = s_align (&nothing, frames, frame_count, captures);
    bool found = false;
    for (size_t index = 0; index < count; index++) {
        if (choices [index].silence)
            continue;
        pairs_t pairs = s_align (&choices [index].pattern, frames, frame_count,
                                 captures);
        if (!found || pairs.misfits < best.misfits) {
            s_clear (&best);
            best = pairs;
        }
        else
            s_clear (&pairs);
        found = true;
    }
    for (size_t index = 0; index < best.count; index++)
        result_add_pair (result, best.pairs [index].expected,
                         best.pairs [index].received, best.pairs [index].fits);
    s_clear (&best);
    free (frames);
}

char *
comparison_expected (const choice_t *choices, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    for (size_t index = 0; index < count; index++) {
        char *pattern = notation_pattern (&choices [index].pattern);
        fprintf (out, "%s%s", index? "  |  ": "",
                 choices [index].silence? "silence": pattern);
        free (pattern);
    }
    fclose (out);
    return text;
}
