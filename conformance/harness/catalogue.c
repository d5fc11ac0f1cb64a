/*  =========================================================================
    catalogue - the requirements of the specifications, read from spec/

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <string.h>
#include <czmq.h>

#include "catalogue.h"
#include "source.h"
#include "vector.h"

struct _catalogue_t {
    requirement_t **requirements;   //  In order of reading
    size_t count;
};

//  A paragraph that is being read
typedef struct {
    catalogue_t *catalogue;
    source_t *source;
    const char *path;
    requirement_t *requirement; //  NULL between paragraphs
    bool level;                 //  These fields have been given
    bool proof;
} reader_t;

static const char *s_levels [] = {
    "MUST", "MUST NOT", "RULE", "SHOULD", "SHOULD NOT", "MAY"
};

const char *const requirement_roles [] = {
    "client", "worker", "broker", "titanic", NULL
};

const char *const requirement_specifications [] = {
    "mdp/0.1", "mdp/0.2", "mmi/0.1", "tsp/1.0", NULL
};

//  How the section of a requirement begins, in the same order
static const char *s_sections [] = { "7/MDP,", "18/MDP,", "8/MMI,", "9/TSP," };

#define COUNT(array) (sizeof (array) / sizeof *(array))

const char *
level_text (level_t level)
{
    return s_levels [level];
}

bool
level_of (const char *text, level_t *level)
{
    for (size_t index = 0; index < COUNT (s_levels); index++) {
        const char *name = s_levels [index];
        size_t at = 0;
        while (name [at] && (toupper ((unsigned char) text [at]) == name [at]
                         || (text [at] == '-' && name [at] == ' ')))
            at++;
        if (name [at] || text [at])
            continue;
        *level = (level_t) index;
        return true;
    }
    return false;
}

const char *
requirement_specification (const requirement_t *self)
{
    for (size_t index = 0; index < COUNT (s_sections); index++)
        if (strncmp (self->section, s_sections [index],
                     strlen (s_sections [index])) == 0)
            return requirement_specifications [index];
    return "";
}

catalogue_t *
catalogue_new (void)
{
    return (catalogue_t *) zmalloc (sizeof (catalogue_t));
}

void
catalogue_destroy (catalogue_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        catalogue_t *self = *self_p;
        for (size_t index = 0; index < self->count; index++) {
            requirement_t *requirement = self->requirements [index];
            free (requirement->id);
            free (requirement->section);
            free (requirement->role);
            free (requirement->excuse);
            free (requirement->text);
            free (requirement->file);
            free (requirement);
        }
        free (self->requirements);
        free (self);
        *self_p = NULL;
    }
}

size_t
catalogue_size (const catalogue_t *self)
{
    return self->count;
}

const requirement_t *
catalogue_at (const catalogue_t *self, size_t index)
{
    return self->requirements [index];
}

const requirement_t *
catalogue_find (const catalogue_t *self, const char *id)
{
    for (size_t index = 0; index < self->count; index++)
        if (streq (self->requirements [index]->id, id))
            return self->requirements [index];
    return NULL;
}

//  --------------------------------------------------------------------------
//  Reading

static bool
s_is_id (const char *text)
{
    size_t size = strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return size > 2 && !text [size] && isalpha ((unsigned char) *text)
        && strchr (text, '-') && isdigit ((unsigned char) text [size - 1]);
}

//  The paragraph ends: is all there?
static void
s_finish (reader_t *reader)
{
    requirement_t *requirement = reader->requirement;
    if (!requirement)
        return;
    const char *missing = !requirement->section? "section"
        : !reader->level? "level": !requirement->role? "role"
        : !reader->proof? "proof": !requirement->text? "text": NULL;
    if (missing)
        source_error (reader->source, requirement->line, 1,
                      "%s has no %s", requirement->id, missing);
    reader->requirement = NULL;
}

static void
s_read_id (reader_t *reader, int line, const char *text)
{
    s_finish (reader);
    if (!s_is_id (text))
        source_error (reader->source, line, 1, "an id is due here: upper-case "
            "letters, dashes, and a number at the end, as in MDP1-WORKER-07");
    else
    if (catalogue_find (reader->catalogue, text))
        source_error (reader->source, line, 1, "%s is there already", text);
    requirement_t *requirement = (requirement_t *)
        zmalloc (sizeof (requirement_t));
    requirement->id = strdup (text);
    requirement->file = strdup (reader->path);
    requirement->line = line;
    reader->requirement = requirement;
    reader->level = reader->proof = false;
    vector_push (reader->catalogue->requirements, reader->catalogue->count,
                 requirement);
}

static void
s_read_level (reader_t *reader, int line, int column, const char *value)
{
    for (size_t index = 0; index < COUNT (s_levels); index++)
        if (streq (s_levels [index], value)) {
            reader->requirement->level = (level_t) index;
            reader->level = true;
            return;
        }
    source_error (reader->source, line, column, "there are MUST, MUST NOT, "
                  "RULE, SHOULD, SHOULD NOT and MAY");
    reader->level = true;
}

static void
s_read_role (reader_t *reader, int line, int column, const char *value)
{
    reader->requirement->role = strdup (value);
    for (size_t index = 0; requirement_roles [index]; index++)
        if (streq (requirement_roles [index], value))
            return;
    source_error (reader->source, line, column,
                  "there are client, worker, broker and titanic");
}

static void
s_read_proof (reader_t *reader, int line, int column, const char *value)
{
    reader->proof = true;
    if (streq (value, "scenario"))
        reader->requirement->proved = true;
    else
    if (strncmp (value, "none: ", 6) == 0 && value [6])
        reader->requirement->excuse = strdup (value + 6);
    else
        source_error (reader->source, line, column,
                      "this should read: scenario, or none: and why");
}

//  Whether the line is this field, and what it says
static const char *
s_field (const char *text, const char *name)
{
    size_t size = strlen (name);
    if (strncmp (text, name, size) || text [size] != ' ')
        return NULL;
    return text + size + strspn (text + size, " ");
}

static bool
s_read_field (reader_t *reader, int line, const char *text)
{
    static const char *names [] = { "section", "level", "role", "proof" };
    for (size_t index = 0; index < COUNT (names); index++) {
        const char *value = s_field (text, names [index]);
        if (!value)
            continue;
        int column = (int) (value - text) + 5;
        requirement_t *requirement = reader->requirement;
        bool twice = index == 0? requirement->section != NULL
            : index == 1? reader->level: index == 2? requirement->role != NULL
            : reader->proof;
        if (twice)
            source_error (reader->source, line, 5, "%s is given twice",
                          names [index]);
        else
        if (index == 0)
            requirement->section = strdup (value);
        else
        if (index == 1)
            s_read_level (reader, line, column, value);
        else
        if (index == 2)
            s_read_role (reader, line, column, value);
        else
            s_read_proof (reader, line, column, value);
        return true;
    }
    return false;
}

static void
s_read_text (reader_t *reader, const char *text)
{
    requirement_t *requirement = reader->requirement;
    char *whole = requirement->text
        ? zsys_sprintf ("%s %s", requirement->text, text): strdup (text);
    free (requirement->text);
    requirement->text = whole;
}

static void
s_read_line (reader_t *reader, int line)
{
    const char *text = source_line (reader->source, line);
    size_t indent = strspn (text, " ");
    if (!text [indent])
        s_finish (reader);
    else
    if (*text == '#')
        return;
    else
    if (indent == 0)
        s_read_id (reader, line, text);
    else
    if (indent != 4)
        source_error (reader->source, line, 1, "indent by four spaces");
    else
    if (!reader->requirement)
        source_error (reader->source, line, 5,
                      "this belongs to no requirement: an id comes first");
    else
    if (reader->requirement->text || !s_read_field (reader, line, text + 4)) {
        //  Fields come before the text, so a line like a field is a slip
        if (!reader->requirement->text && !reader->proof)
            source_error (reader->source, line, 5, "no field is called so; "
                          "there are section, level, role and proof");
        s_read_text (reader, text + 4);
    }
}

int
catalogue_read (catalogue_t *self, const char *path, FILE *errors)
{
    source_t *source = source_open (path, errors);
    if (!source)
        return -1;
    reader_t reader = { .catalogue = self, .source = source, .path = path };
    for (int line = 1; line <= source_lines (source); line++)
        s_read_line (&reader, line);
    s_finish (&reader);
    int count = source_errors (source);
    source_destroy (&source);
    return count;
}
