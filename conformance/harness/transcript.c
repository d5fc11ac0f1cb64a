/*  =========================================================================
    transcript - what went over the wire in a scenario, entry by entry

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "transcript.h"
#include "vector.h"

void
transcript_clear (transcript_t *self)
{
    for (size_t index = 0; index < self->count; index++) {
        entry_t *entry = &self->entries [index];
        free (entry->text);
        free (entry->actor);
        free (entry->kind);
        free (entry->peer);
        free (entry->name);
        for (size_t frame = 0; frame < entry->frame_count; frame++)
            free (entry->frames [frame]);
        free (entry->frames);
    }
    free (self->entries);
    *self = (transcript_t) { 0 };
}

void
transcript_note (transcript_t *self, int64_t time_ms, const char *text)
{
    entry_t entry = { .type = ENTRY_NOTE, .time_ms = time_ms,
                      .text = strdup (text) };
    vector_push (self->entries, self->count, entry);
}

void
transcript_heartbeats (transcript_t *self, int64_t time_ms, size_t count)
{
    entry_t entry = { .type = ENTRY_HEARTBEATS, .time_ms = time_ms,
                      .count = count };
    vector_push (self->entries, self->count, entry);
}

entry_t *
transcript_message (transcript_t *self, int64_t time_ms, const char *actor,
                    const char *kind, const char *peer, bool sent)
{
    entry_t entry = { .type = ENTRY_MESSAGE, .time_ms = time_ms,
        .actor = strdup (actor), .kind = strdup (kind), .peer = strdup (peer),
        .sent = sent };
    vector_push (self->entries, self->count, entry);
    return &self->entries [self->count - 1];
}

void
entry_add_frame (entry_t *self, const char *frame)
{
    vector_push (self->frames, self->frame_count, strdup (frame));
}

void
transcript_rename (transcript_t *self, const char *old, const char *name)
{
    for (size_t index = 0; index < self->count; index++) {
        entry_t *entry = &self->entries [index];
        if (entry->type == ENTRY_MESSAGE && streq (entry->actor, old)) {
            free (entry->actor);
            entry->actor = strdup (name);
        }
    }
}

//  --------------------------------------------------------------------------
//  JSON

json_t *
json_text (const char *text)
{
    if (!text)
        return json_null ();
    json_t *json = json_string (text);
    if (json)
        return json;
    char *copy = strdup (text);
    for (char *at = copy; *at; at++)
        if ((unsigned char) *at >= 0x80)
            *at = '?';
    json = json_string (copy);
    free (copy);
    return json;
}

static json_t *
s_message (const entry_t *entry)
{
    json_t *frames = json_array ();
    for (size_t index = 0; index < entry->frame_count; index++)
        json_array_append_new (frames, json_text (entry->frames [index]));
    return json_pack ("{s:I, s:s, s:o, s:s, s:o, s:o, s:o, s:o}",
        "time_ms", (json_int_t) entry->time_ms, "type", "message",
        "actor", json_text (entry->actor), "kind", entry->kind,
        "from", json_text (entry->sent? entry->actor: entry->peer),
        "to", json_text (entry->sent? entry->peer: entry->actor),
        "name", json_text (entry->name), "frames", frames);
}

json_t *
transcript_json (const transcript_t *self)
{
    json_t *events = json_array ();
    for (size_t index = 0; index < self->count; index++) {
        const entry_t *entry = &self->entries [index];
        json_int_t time_ms = entry->time_ms;
        json_array_append_new (events,
            entry->type == ENTRY_MESSAGE? s_message (entry):
            entry->type == ENTRY_NOTE
            ? json_pack ("{s:I, s:s, s:o}", "time_ms", time_ms, "type", "note",
                         "text", json_text (entry->text))
            : json_pack ("{s:I, s:s, s:I}", "time_ms", time_ms, "type",
                         "heartbeats", "count", (json_int_t) entry->count));
    }
    return events;
}

static void
s_read_message (transcript_t *self, const json_t *event, json_int_t time_ms)
{
    const char *actor, *kind, *from, *to;
    const char *name = json_string_value (json_object_get (event, "name"));
    const json_t *frames;
    if (json_unpack ((json_t *) event, "{s:s, s:s, s:s, s:s, s:o}", "actor",
                     &actor, "kind", &kind, "from", &from, "to", &to, "frames",
                     &frames))
        return;
    bool sent = streq (actor, from);
    entry_t *entry = transcript_message (self, time_ms, actor, kind,
                                         sent? to: from, sent);
    entry->name = name? strdup (name): NULL;
    for (size_t index = 0; index < json_array_size (frames); index++) {
        const char *frame = json_string_value (json_array_get (frames, index));
        entry_add_frame (entry, frame? frame: "");
    }
}

void
transcript_from_json (transcript_t *self, const json_t *events)
{
    for (size_t index = 0; index < json_array_size (events); index++) {
        const json_t *event = json_array_get (events, index);
        const char *type = json_string_value (json_object_get (event, "type"));
        const char *text = json_string_value (json_object_get (event, "text"));
        json_int_t time_ms = json_integer_value (
            json_object_get (event, "time_ms"));
        if (type && streq (type, "message"))
            s_read_message (self, event, time_ms);
        else
        if (type && streq (type, "heartbeats"))
            transcript_heartbeats (self, time_ms, (size_t) json_integer_value (
                json_object_get (event, "count")));
        else
        if (text)
            transcript_note (self, time_ms, text);
    }
}
