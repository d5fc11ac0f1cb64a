/*  =========================================================================
    source - a text file, line by line, and errors that point into it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <czmq.h>

#include "source.h"
#include "vector.h"

struct _source_t {
    char *name;                 //  Path, as it was given
    char *text;                 //  The whole file, newlines made NUL
    char **lines;               //  Into text
    size_t count;               //  How many lines
    FILE *errors;               //  Where errors go
    int error_count;            //  How many there were
};

source_t *
source_from (const char *name, const char *text, FILE *errors)
{
    source_t *self = (source_t *) zmalloc (sizeof (source_t));
    self->name = strdup (name);
    self->text = strdup (text);
    self->errors = errors;
    char *line = self->text;
    while (*line) {
        vector_push (self->lines, self->count, line);
        char *end = strchr (line, '\n');
        if (!end)
            break;
        *end = 0;
        if (end > line && end [-1] == '\r')
            end [-1] = 0;
        line = end + 1;
    }
    return self;
}

source_t *
source_open (const char *path, FILE *errors)
{
    FILE *file = fopen (path, "r");
    if (!file) {
        fprintf (errors, "%s: cannot read: %s\n", path, strerror (errno));
        return NULL;
    }
    char *text = NULL;
    size_t room = 0;
    ssize_t size = getdelim (&text, &room, 0, file);
    source_t *self = NULL;
    if (size < 0 && ferror (file))
        fprintf (errors, "%s: cannot read: %s\n", path, strerror (errno));
    else
    if (!feof (file))
        fprintf (errors, "%s: a NUL byte is in it; this is not a text file\n",
                 path);
    else
        self = source_from (path, size < 0? "": text, errors);
    free (text);
    fclose (file);
    return self;
}

void
source_destroy (source_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        source_t *self = *self_p;
        free (self->name);
        free (self->text);
        free (self->lines);
        free (self);
        *self_p = NULL;
    }
}

const char *
source_name (const source_t *self)
{
    return self->name;
}

int
source_lines (const source_t *self)
{
    return (int) self->count;
}

const char *
source_line (const source_t *self, int line)
{
    assert (line >= 1 && line <= (int) self->count);
    return self->lines [line - 1];
}

void
source_error (source_t *self, int line, int column, const char *format, ...)
{
    self->error_count++;
    fprintf (self->errors, "%s:%d:%d: ", self->name, line, column);
    va_list arguments;
    va_start (arguments, format);
    vfprintf (self->errors, format, arguments);
    va_end (arguments);
    fputc ('\n', self->errors);
    if (line > (int) self->count)
        return;
    const char *text = self->lines [line - 1];
    fprintf (self->errors, "    %s\n    ", text);
    //  Tabs stay tabs, so that the caret stands where it should
    for (int index = 0; index < column - 1 && text [index]; index++)
        fputc (text [index] == '\t'? '\t': ' ', self->errors);
    fprintf (self->errors, "^\n");
}

int
source_errors (const source_t *self)
{
    return self->error_count;
}
