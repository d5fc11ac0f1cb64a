/*  =========================================================================
    chart - a sequence chart of a scenario, as SVG

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "chart.h"
#include "document.h"
#include "vector.h"

//  Sizes in pixels
#define TIME_WIDTH 46
#define LANE_WIDTH 100
#define FRAMES_WIDTH 560
#define HEAD_HEIGHT 34
#define ROW_HEIGHT 27
#define LETTER_WIDTH 7
//  Characters of frames that fit beside the lanes, and of a label in a lane
#define FRAMES_LENGTH 82
#define WORDS_LENGTH 110
#define LABEL_LENGTH 15
//  Rows at the most: so many of the first, and so many of the last
#define FIRST_ROWS 40
#define LAST_ROWS 120

typedef enum {
    ROW_MESSAGE,
    ROW_NOTE,
    ROW_HEARTBEATS,
    ROW_GAP                     //  Count rows are left out here
} row_type_t;

typedef struct {
    row_type_t type;
    const json_t *event;        //  The first of them
    int64_t count;
} row_t;

typedef struct {
    markup_t *markup;
    const char **lanes;         //  Who has a lane, from the left
    size_t lane_count;
    const char *hub;            //  With whom all others talk
    row_t *rows;
    size_t row_count;
} chart_t;

static bool
s_has_type (const json_t *event, const char *type)
{
    return streq (document_text (event, "type"), type);
}

static bool
s_is_offending (const json_t *event)
{
    return json_is_true (json_object_get (event, "offending"));
}

//  The note at the place where it went wrong starts so
static bool
s_is_verdict (const json_t *event)
{
    return strncmp (document_text (event, "text"), "here: ", 6) == 0;
}

static bool
s_is_sent (const json_t *event)
{
    return streq (document_text (event, "from"), document_text (event, "actor"));
}

//  --------------------------------------------------------------------------
//  Lanes and rows

static size_t
s_lane (const chart_t *self, const char *name)
{
    for (size_t index = 0; index < self->lane_count; index++)
        if (streq (self->lanes [index], name))
            return index;
    return self->lane_count;
}

//  Those who ask stand on the left of the hub, those who serve on its right
static void
s_add_lanes (chart_t *self, const json_t *transcript, bool left)
{
    size_t index;
    json_t *event;
    json_array_foreach (transcript, index, event) {
        const char *kind = document_text (event, "kind");
        const char *actor = document_text (event, "actor");
        if (s_has_type (event, "message")
        && (streq (kind, "client") || streq (kind, "peer")) == left
        &&  s_lane (self, actor) == self->lane_count)
            vector_push (self->lanes, self->lane_count, actor);
    }
}

static const char *
s_find_hub (const json_t *transcript)
{
    size_t index;
    json_t *event;
    json_array_foreach (transcript, index, event)
        if (s_has_type (event, "message"))
            return document_text (event, s_is_sent (event)? "to": "from");
    return "broker";
}

static int64_t
s_heartbeats (const json_t *event)
{
    if (s_has_type (event, "heartbeats"))
        return document_number (event, "count");
    return s_has_type (event, "message") && !s_is_offending (event)
        && streq (document_text (event, "name"), "HEARTBEAT")? 1: 0;
}

static void
s_add_rows (chart_t *self, const json_t *transcript)
{
    size_t index;
    json_t *event;
    json_array_foreach (transcript, index, event) {
        int64_t beats = s_heartbeats (event);
        row_t *last = self->row_count? &self->rows [self->row_count - 1]: NULL;
        if (beats && last && last->type == ROW_HEARTBEATS) {
            last->count += beats;
            continue;
        }
        row_t row = { beats? ROW_HEARTBEATS: s_has_type (event, "message")
                      ? ROW_MESSAGE: ROW_NOTE, event, beats };
        vector_push (self->rows, self->row_count, row);
    }
}

//  Of a long scenario the start and the end
static void
s_shorten (chart_t *self)
{
    if (self->row_count <= FIRST_ROWS + LAST_ROWS + 1)
        return;
    size_t left_out = self->row_count - FIRST_ROWS - LAST_ROWS;
    self->rows [FIRST_ROWS] = (row_t) { ROW_GAP,
        self->rows [FIRST_ROWS].event, (int64_t) left_out };
    memmove (&self->rows [FIRST_ROWS + 1],
             &self->rows [self->row_count - LAST_ROWS],
             LAST_ROWS * sizeof *self->rows);
    self->row_count = FIRST_ROWS + 1 + LAST_ROWS;
}

//  --------------------------------------------------------------------------
//  Text

//  All frames, two blanks between them; fresh
static char *
s_frames (const json_t *event)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    assert (out);
    size_t index;
    json_t *frame;
    json_array_foreach (json_object_get (event, "frames"), index, frame)
        fprintf (out, "%s%s", index? "  ": "", json_string_value (frame));
    fclose (out);
    return text;
}

//  At most so many bytes, whole characters, three dots for the rest
static void
s_write_short (markup_t *markup, const char *text, size_t length)
{
    if (strlen (text) <= length) {
        markup_text (markup, text);
        return;
    }
    while (length && ((unsigned char) text [length] & 0xc0) == 0x80)
        length--;
    char *start = strndup (text, length);
    markup_format (markup, "%s\xe2\x80\xa6", start);
    free (start);
}

static void
s_write_time (markup_t *markup, int64_t time_ms)
{
    markup_format (markup, "%lld.%03d", (long long) time_ms / 1000,
                   (int) (time_ms % 1000));
}

//  --------------------------------------------------------------------------
//  Drawing

static int
s_lane_x (size_t lane)
{
    return TIME_WIDTH + LANE_WIDTH / 2 + (int) lane * LANE_WIDTH;
}

static void
s_open_text (markup_t *markup, const char *class, int x, int y)
{
    char numbers [2][16];
    snprintf (numbers [0], 16, "%d", x);
    snprintf (numbers [1], 16, "%d", y);
    markup_open (markup, "text", "class", class, "x", numbers [0], "y",
                 numbers [1], NULL);
}

static void
s_line (markup_t *markup, const char *class, int x1, int y1, int x2, int y2)
{
    char path [96];
    snprintf (path, sizeof path, "M%d %dL%d %d", x1, y1, x2, y2);
    markup_open (markup, "path", "class", class, "d", path, NULL);
    markup_close (markup);
}

static void
s_head (markup_t *markup, int x, int y, bool right)
{
    char path [96];
    snprintf (path, sizeof path, "M%d %dl%d -4v8z", x, y, right? -8: 8);
    markup_open (markup, "path", "class", "head", "d", path, NULL);
    markup_close (markup);
}

static void
s_draw_message (chart_t *self, const json_t *event, int y)
{
    markup_t *markup = self->markup;
    size_t from = s_lane (self, document_text (event, "from"));
    size_t to = s_lane (self, document_text (event, "to"));
    size_t actor = s_lane (self, document_text (event, "actor"));
    bool right = to > from;
    int x1 = s_lane_x (from), x2 = s_lane_x (to);
    s_line (markup, "arrow", x1, y, x2 + (right? -7: 7), y);
    s_head (markup, x2, y, right);
    //  Near the actor, where no other arrow of this row can be
    bool hub_right = s_lane (self, self->hub) > actor;
    s_open_text (markup, "name", s_lane_x (actor)
                 + (hub_right? LANE_WIDTH / 2: -LANE_WIDTH / 2), y - 5);
    const char *name = document_text (event, "name");
    if (*name)
        s_write_short (markup, name, LABEL_LENGTH);
    else
        markup_format (markup, "%zu frames",
                       json_array_size (json_object_get (event, "frames")));
    markup_close (markup);
    char *frames = s_frames (event);
    s_open_text (markup, "frames", s_lane_x (self->lane_count)
                 - LANE_WIDTH / 2 + 6, y + 4);
    s_write_short (markup, frames, FRAMES_LENGTH);
    markup_close (markup);
    markup_element (markup, "title", NULL, frames);
    free (frames);
}

//  What stands in a row that is no message; fresh
static char *
s_words (const row_t *row)
{
    if (row->type == ROW_HEARTBEATS)
        return zsys_sprintf ("%lld heartbeat%s", (long long) row->count,
                             row->count == 1? "": "s");
    if (row->type == ROW_GAP)
        return zsys_sprintf ("%lld rows left out; the JSON report has all",
                             (long long) row->count);
    return strdup (document_text (row->event, "text"));
}

//  Words on the left, where they are seen on a phone, then a thin line
static void
s_draw_words (chart_t *self, const row_t *row, int y)
{
    char *words = s_words (row);
    int start = TIME_WIDTH + 10 + (int) strlen (words) * LETTER_WIDTH;
    int end = s_lane_x (self->lane_count) - LANE_WIDTH / 2;
    if (start < end)
        s_line (self->markup, "rule", start, y, end, y);
    s_open_text (self->markup, "words", TIME_WIDTH + 4, y + 4);
    s_write_short (self->markup, words, WORDS_LENGTH);
    markup_close (self->markup);
    free (words);
}

static void
s_draw_row (chart_t *self, const row_t *row, int y)
{
    bool bad = row->type == ROW_MESSAGE? s_is_offending (row->event)
             : row->type == ROW_NOTE && s_is_verdict (row->event);
    markup_open (self->markup, "g", "class", bad? "bad": row->type == ROW_MESSAGE
        ? "message": row->type == ROW_NOTE? "note": "quiet", NULL);
    s_open_text (self->markup, "time", TIME_WIDTH - 6, y + 4);
    s_write_time (self->markup, document_number (row->event, "time_ms"));
    markup_close (self->markup);
    if (row->type == ROW_MESSAGE)
        s_draw_message (self, row->event, y);
    else
        s_draw_words (self, row, y);
    markup_close (self->markup);
}

static void
s_draw_lanes (chart_t *self, int height)
{
    for (size_t index = 0; index < self->lane_count; index++) {
        int x = s_lane_x (index);
        const char *name = self->lanes [index];
        s_line (self->markup, streq (name, self->hub)? "lane hub": "lane", x, 24,
                x, height - 4);
        s_open_text (self->markup, "actor", x, 16);
        s_write_short (self->markup, name, LABEL_LENGTH);
        markup_close (self->markup);
    }
}

static void
s_draw (chart_t *self, const char *name)
{
    char width [16], height [16], box [48];
    int x = s_lane_x (self->lane_count) - LANE_WIDTH / 2 + FRAMES_WIDTH;
    int y = HEAD_HEIGHT + (int) self->row_count * ROW_HEIGHT + 8;
    snprintf (width, sizeof width, "%d", x);
    snprintf (height, sizeof height, "%d", y);
    snprintf (box, sizeof box, "0 0 %d %d", x, y);
    char *label = zsys_sprintf ("sequence chart of %s", name);
    markup_open (self->markup, "svg", "class", "chart", "width", width, "height",
                 height, "viewBox", box, "role", "img", "aria-label", label,
                 NULL);
    free (label);
    s_draw_lanes (self, y);
    for (size_t index = 0; index < self->row_count; index++)
        s_draw_row (self, &self->rows [index],
                    HEAD_HEIGHT + (int) index * ROW_HEIGHT + 16);
    markup_close (self->markup);
}

void
chart_draw (markup_t *markup, const json_t *scenario)
{
    const json_t *transcript = json_object_get (scenario, "transcript");
    chart_t self = { .markup = markup, .hub = s_find_hub (transcript) };
    s_add_lanes (&self, transcript, true);
    vector_push (self.lanes, self.lane_count, self.hub);
    s_add_lanes (&self, transcript, false);
    s_add_rows (&self, transcript);
    s_shorten (&self);
    s_draw (&self, document_text (scenario, "name"));
    free (self.lanes);
    free (self.rows);
}

void
chart_write (markup_t *markup, const json_t *scenario)
{
    size_t index;
    json_t *event;
    json_array_foreach (json_object_get (scenario, "transcript"), index, event) {
        s_write_time (markup, document_number (event, "time_ms"));
        if (s_has_type (event, "message")) {
            char *frames = s_frames (event);
            markup_format (markup, "  %s %s %s%s\n",
                           document_text (event, "actor"),
                           s_is_sent (event)? "->": "<-", frames,
                           s_is_offending (event)? "   <== this one": "");
            free (frames);
        }
        else
        if (s_has_type (event, "heartbeats"))
            markup_format (markup, "  (%lld more heartbeats, both ways)\n",
                           (long long) document_number (event, "count"));
        else
            markup_format (markup, "  %s\n", document_text (event, "text"));
    }
}
