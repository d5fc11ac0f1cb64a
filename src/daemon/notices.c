/*  =========================================================================
    notices - the log of a server

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  program_invocation_short_name
#endif

#include "notices.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

//  Lines a second, unless the user asked to see everything.
#define LINES_MAX 100

//  Of these, lines that are no warnings: any message that is not valid makes one,
//  and so many of them must not hide what is worth a warning.
#define INFO_LINES_MAX 20

//  Bytes of a subject that are shown. A line must stay below PIPE_BUF, or
//  writing it could block.
#define SUBJECT_MAX 255
#define LINE_MAX_SIZE 1024

//  How often something that is repeated is told.
#define REPEAT_MS 60000

static const char *const s_level_texts [] = {
    [NOTICE_TRACE] = "trace",
    [NOTICE_INFO] = "info",
    [NOTICE_WARNING] = "warning"
};

static bool
s_printable (const unsigned char *data, size_t size)
{
    for (size_t index = 0; index < size; index++)
        if (data [index] < 0x20 || data [index] > 0x7e)
            return false;
    return size > 0;
}

//  A name as it is, anything else, such as an address, in hexadecimal. text
//  has place for 2 * SUBJECT_MAX + 8 bytes.
static void
s_subject_text (const frame_t *subject, char *text)
{
    const unsigned char *data = frame_data (subject);
    size_t size = frame_size (subject);
    const char *more = size > SUBJECT_MAX? "...": "";
    if (size > SUBJECT_MAX)
        size = SUBJECT_MAX;
    if (s_printable (data, size)) {
        memcpy (text, data, size);
        strcpy (text + size, more);
        return;
    }
    text += sprintf (text, "0x");
    for (size_t index = 0; index < size; index++)
        text += sprintf (text, "%02x", data [index]);
    strcpy (text, more);
}

//  Whether the line is out. One that stderr cannot take now is not worth
//  waiting for.
static bool
s_put (const char *line, size_t size)
{
    struct pollfd item = { .fd = STDERR_FILENO, .events = POLLOUT };
    return poll (&item, 1, 0) == 1
        && (item.revents & POLLOUT)
        && write (STDERR_FILENO, line, size) == (ssize_t) size;
}

void
notices_write (notices_t *self, int64_t now_ms, notice_level_t level,
               const char *text, const frame_t *subject)
{
    if (level == NOTICE_TRACE && !self->verbose)
        return;
    if (self->second != now_ms / 1000) {
        self->second = now_ms / 1000;
        self->written = 0;
    }
    size_t most = level == NOTICE_WARNING? LINES_MAX: INFO_LINES_MAX;
    if (self->written >= most && !self->verbose) {
        self->dropped++;
        return;
    }
    char subject_text [2 * SUBJECT_MAX + 8] = "";
    if (subject)
        s_subject_text (subject, subject_text);
    char dropped_text [64] = "";
    if (self->dropped)
        snprintf (dropped_text, sizeof (dropped_text),
                  " (%zu notices before this one left out)", self->dropped);
    char line [LINE_MAX_SIZE];
    int size = snprintf (line, sizeof (line), "%s: %s: %s%s%s%s\n",
                         program_invocation_short_name, s_level_texts [level],
                         text, subject? ": ": "", subject_text, dropped_text);
    if (size > 0 && (size_t) size < sizeof (line)
    &&  s_put (line, (size_t) size)) {
        self->dropped = 0;
        self->written++;
    }
    else
        self->dropped++;
}

void
notices_write_once (notices_t *self, repeated_t *repeated, int64_t now_ms,
                    notice_level_t level, const char *text,
                    const frame_t *subject)
{
    if (repeated->told && now_ms - repeated->told_ms < REPEAT_MS
    && !self->verbose) {
        repeated->untold++;
        return;
    }
    char full_text [256];
    if (repeated->untold)
        snprintf (full_text, sizeof (full_text), "%s (and %zu times before)",
                  text, repeated->untold);
    notices_write (self, now_ms, level, repeated->untold? full_text: text,
                   subject);
    *repeated = (repeated_t) { .told = true, .told_ms = now_ms };
}
