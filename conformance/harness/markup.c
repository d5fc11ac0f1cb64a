/*  =========================================================================
    markup - writes HTML and SVG, everything escaped

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdarg.h>
#include <string.h>
#include <czmq.h>

#include "markup.h"

//  Elements inside one another at the most
#define DEPTH_MAX 32

struct _markup_t {
    FILE *out;
    const char *open [DEPTH_MAX];
    size_t depth;
};

markup_t *
markup_new (FILE *out)
{
    markup_t *self = (markup_t *) zmalloc (sizeof (markup_t));
    self->out = out;
    return self;
}

void
markup_destroy (markup_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        markup_t *self = *self_p;
        while (self->depth)
            markup_close (self);
        fputc ('\n', self->out);
        free (self);
        *self_p = NULL;
    }
}

void
markup_text (markup_t *self, const char *text)
{
    for (; text && *text; text++) {
        unsigned char byte = (unsigned char) *text;
        switch (byte) {
            case '<': fputs ("&lt;", self->out); break;
            case '>': fputs ("&gt;", self->out); break;
            case '&': fputs ("&amp;", self->out); break;
            case '"': fputs ("&quot;", self->out); break;
            case '\'': fputs ("&#39;", self->out); break;
            default:
                if ((byte < 0x20 && byte != '\n' && byte != '\t')
                ||  byte == 0x7f)
                    fprintf (self->out, "\\x%02x", byte);
                else
                    fputc (byte, self->out);
        }
    }
}

void
markup_format (markup_t *self, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    char *text = zsys_vprintf (format, arguments);
    va_end (arguments);
    markup_text (self, text);
    free (text);
}

void
markup_raw (markup_t *self, const char *text)
{
    fputs (text, self->out);
}

//  Elements that stand on lines of their own, so that a page can be read and
//  compared; white space in front of these does not show
static bool
s_is_block (const char *element)
{
    static const char *const blocks [] = {
        "html", "head", "body", "meta", "title", "style", "script", "main", "div",
        "p", "h1", "h2", "h3", "ul", "li", "details", "summary", "select",
        "option", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td",
        "pre", "form", "svg", "g", "text", "path", NULL
    };
    for (size_t index = 0; blocks [index]; index++)
        if (streq (element, blocks [index]))
            return true;
    return false;
}

static void
s_start (markup_t *self, const char *element, va_list attributes)
{
    if (s_is_block (element))
        fputc ('\n', self->out);
    fprintf (self->out, "<%s", element);
    const char *name;
    while ((name = va_arg (attributes, const char *))) {
        const char *value = va_arg (attributes, const char *);
        if (!value)
            continue;
        fprintf (self->out, " %s=\"", name);
        markup_text (self, value);
        fputc ('"', self->out);
    }
    fputc ('>', self->out);
}

void
markup_open (markup_t *self, const char *element, ...)
{
    va_list attributes;
    va_start (attributes, element);
    s_start (self, element, attributes);
    va_end (attributes);
    assert (self->depth < DEPTH_MAX);
    self->open [self->depth++] = element;
}

void
markup_close (markup_t *self)
{
    assert (self->depth);
    fprintf (self->out, "</%s>", self->open [--self->depth]);
}

size_t
markup_depth (const markup_t *self)
{
    return self->depth;
}

void
markup_void (markup_t *self, const char *element, ...)
{
    va_list attributes;
    va_start (attributes, element);
    s_start (self, element, attributes);
    va_end (attributes);
}

void
markup_element (markup_t *self, const char *element, const char *class,
                const char *text)
{
    markup_open (self, element, "class", class, NULL);
    markup_text (self, text);
    markup_close (self);
}
