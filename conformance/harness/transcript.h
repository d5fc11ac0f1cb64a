/*  =========================================================================
    transcript - what went over the wire in a scenario, entry by entry

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TRANSCRIPT_H_INCLUDED
#define TRANSCRIPT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

typedef enum {
    ENTRY_NOTE,                 //  Something happened: text says what
    ENTRY_MESSAGE,              //  A message that an actor sent or got
    ENTRY_HEARTBEATS            //  So many more heartbeats, both ways
} entry_type_t;

//  Strings are owned; those of another type are NULL.
typedef struct {
    entry_type_t type;
    int64_t time_ms;            //  Since the scenario began
    char *text;                 //  NOTE
    char *actor;                //  MESSAGE: who sent or got it, "w"
    char *kind;                 //  MESSAGE: what the actor is, "worker"
    char *peer;                 //  MESSAGE: the other side, mostly "broker"
    bool sent;                  //  MESSAGE: by the actor, to the other side
    char *name;                 //  MESSAGE: of the golden message; or NULL
    char **frames;              //  MESSAGE: in the notation
    size_t frame_count;
    size_t count;               //  HEARTBEATS
} entry_t;

typedef struct {
    entry_t *entries;
    size_t count;
} transcript_t;

void
    transcript_clear (transcript_t *self);

//  Append; strings are copied. An entry for a message stays valid until the
//  next is appended.
void
    transcript_note (transcript_t *self, int64_t time_ms, const char *text);
void
    transcript_heartbeats (transcript_t *self, int64_t time_ms, size_t count);
entry_t *
    transcript_message (transcript_t *self, int64_t time_ms, const char *actor,
                        const char *kind, const char *peer, bool sent);
void
    entry_add_frame (entry_t *self, const char *frame);

//  An actor has another name, and always had.
void
    transcript_rename (transcript_t *self, const char *old, const char *name);

//  To and from an array of events as doc/schema/report.schema.json has them.
//  What is no event is passed over.
json_t *
    transcript_json (const transcript_t *self);
void
    transcript_from_json (transcript_t *self, const json_t *events);

//  JSON of a text that need not be UTF-8: other bytes come out as ?; null for
//  NULL.
json_t *
    json_text (const char *text);

#endif
