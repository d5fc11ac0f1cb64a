/*  =========================================================================
    notices - the log of a server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef NOTICES_H_INCLUDED
#define NOTICES_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "../engine/engine.h"

//  Lines on stderr: "PROGRAM: LEVEL: text: subject". Peers cause most of them,
//  so that there is a limit on how many are written in a second, and a reader
//  of stderr that does not read holds nothing up.
typedef struct {
    bool verbose;               //  Write NOTICE_TRACE too
    int64_t second;             //  The second that written counts
    size_t written;             //  Lines in this second
    size_t dropped;             //  Lines left out since that was last said
} notices_t;

//  Write a line, or leave it out. subject may be NULL.
void
    notices_write (notices_t *self, int64_t now_ms, notice_level_t level,
                   const char *text, const frame_t *subject);

//  One thing that a peer can do to us over and over again.
typedef struct {
    bool told;                  //  It has been told at least once
    int64_t told_ms;            //  When it was last told
    size_t untold;              //  How often it happened since then
} repeated_t;

//  The same for something that one peer can cause as often as it likes: one
//  line a minute, with how often it happened in between. All with verbose.
void
    notices_write_once (notices_t *self, repeated_t *repeated, int64_t now_ms,
                        notice_level_t level, const char *text,
                        const frame_t *subject);

#endif
