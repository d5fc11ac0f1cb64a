/*  =========================================================================
    notation - messages as they are written in fixtures, scripts and reports

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "notation.h"
#include "vector.h"

//  The longest frame that may be written, so that a slip of the pen does not
//  take all memory
#define FRAME_MAX (64 * 1024 * 1024)

//  Frames above this size are kept as they are written: the harness is copied for
//  each scenario, and a MiB for each "a"*1048576 would be, too
#define UNFOLD_MAX 4096

//  Frames up to this size are printed byte by byte
#define PRINT_MAX 256

//  One line that is being cut
typedef struct {
    source_t *source;
    int line;
    const char *text;
    size_t at;                  //  Next character, from 0
} cursor_t;

static bool
s_complain (cursor_t *cursor, size_t at, const char *what)
{
    source_error (cursor->source, cursor->line, (int) at + 1, "%s", what);
    return false;
}

static bool
s_is_word (char c)
{
    return isalnum ((unsigned char) c) || (c && strchr ("._/-+", c));
}

static bool
s_is_name (char c)
{
    return isalnum ((unsigned char) c) || c == '_' || c == '-';
}

static char *
s_copy (const char *text, size_t size)
{
    char *copy = (char *) zmalloc (size + 1);
    memcpy (copy, text, size);
    return copy;
}

static int
s_hex_digit (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) tolower ((unsigned char) c);
    return c >= 'a' && c <= 'f'? c - 'a' + 10: -1;
}

//  A byte of two hexadecimal digits, or -1
static int
s_hex_byte (const char *text)
{
    int high = s_hex_digit (text [0]);
    int low = high < 0? -1: s_hex_digit (text [1]);
    return low < 0? -1: high * 16 + low;
}

//  After a literal: *N repeats it
static bool
s_read_repeat (cursor_t *cursor, term_t *term)
{
    if (cursor->text [cursor->at] != '*')
        return true;
    size_t start = ++cursor->at;
    size_t times = 0;
    while (isdigit ((unsigned char) cursor->text [cursor->at])
       &&  times < FRAME_MAX)
        times = times * 10 + (size_t) (cursor->text [cursor->at++] - '0');
    if (cursor->at == start)
        return s_complain (cursor, start, "a number must follow *");
    if (times * (term->size? term->size: 1) > FRAME_MAX)
        return s_complain (cursor, start,
                           "this frame is longer than 64 MiB");
    if (times * term->size > UNFOLD_MAX) {
        term->repeats = times - 1;
        return true;
    }
    char *bytes = (char *) zmalloc (times * term->size + 1);
    for (size_t index = 0; index < times; index++)
        memcpy (bytes + index * term->size, term->bytes, term->size);
    free (term->bytes);
    term->bytes = bytes;
    term->size *= times;
    return true;
}

static bool
s_read_string (cursor_t *cursor, term_t *term)
{
    const char *text = cursor->text;
    size_t start = cursor->at++;
    term->bytes = (char *) zmalloc (strlen (text + start) + 1);
    while (text [cursor->at] != '"') {
        char c = text [cursor->at];
        if (!c)
            return s_complain (cursor, start, "this string does not end");
        if (c == '\\') {
            char escape = text [cursor->at + 1];
            if (escape == 'x') {
                int byte = text [cursor->at + 2]
                         ? s_hex_byte (text + cursor->at + 2): -1;
                if (byte < 0)
                    return s_complain (cursor, cursor->at,
                        "\\x needs two hexadecimal digits");
                term->bytes [term->size++] = (char) byte;
                cursor->at += 4;
                continue;
            }
            if (escape != '"' && escape != '\\')
                return s_complain (cursor, cursor->at,
                    "only \\xNN, \\\" and \\\\ are known here");
            c = escape;
            cursor->at++;
        }
        term->bytes [term->size++] = c;
        cursor->at++;
    }
    cursor->at++;
    return s_read_repeat (cursor, term);
}

static bool
s_read_hex (cursor_t *cursor, term_t *term)
{
    size_t start = cursor->at;
    cursor->at += 2;
    const char *text = cursor->text + cursor->at;
    size_t digits = 0;
    while (isxdigit ((unsigned char) text [digits]))
        digits++;
    if (digits == 0 || digits % 2)
        return s_complain (cursor, start,
            "0x needs an even number of hexadecimal digits");
    term->bytes = (char *) zmalloc (digits / 2 + 1);
    while (term->size < digits / 2) {
        term->bytes [term->size] = (char) s_hex_byte (text + term->size * 2);
        term->size++;
    }
    cursor->at += digits;
    return s_read_repeat (cursor, term);
}

//  What stands between the parentheses of a class; NULL when there are none
static char *
s_read_detail (cursor_t *cursor)
{
    if (cursor->text [cursor->at] != '(')
        return NULL;
    size_t start = ++cursor->at;
    int depth = 1;
    while (cursor->text [cursor->at]) {
        char c = cursor->text [cursor->at];
        if (c == '\\' && cursor->text [cursor->at + 1])
            cursor->at++;
        else
        if (c == '(')
            depth++;
        else
        if (c == ')' && --depth == 0)
            return s_copy (cursor->text + start, cursor->at++ - start);
        cursor->at++;
    }
    return NULL;
}

static bool
s_check_detail (cursor_t *cursor, size_t at, term_t *term)
{
    if (term->class == CLASS_STATUS) {
        if (term->detail && (strlen (term->detail) != 3
        ||  strspn (term->detail, "0123456789") != 3))
            return s_complain (cursor, at, "a status has three digits");
        return true;
    }
    if (!term->detail)
        return s_complain (cursor, at, "this class needs ( ) after it");
    if (term->class == CLASS_LEN) {
        char *end;
        term->length = strtoul (term->detail, &end, 10);
        if (*end || end == term->detail)
            return s_complain (cursor, at, "len needs a number of bytes");
        return true;
    }
    regex_t regex;
    if (regcomp (&regex, term->detail, REG_EXTENDED | REG_NOSUB))
        return s_complain (cursor, at, "this is not a regular expression");
    regfree (&regex);
    return true;
}

static bool
s_read_class (cursor_t *cursor, term_t *term)
{
    static const struct {
        const char *name;
        class_t class;
        bool detail;
    } classes [] = {
        { "any", CLASS_ANY, false }, { "uuid", CLASS_UUID, false },
        { "status", CLASS_STATUS, true }, { "text", CLASS_TEXT, false },
        { "len", CLASS_LEN, true }, { "re", CLASS_RE, true }
    };
    size_t start = ++cursor->at;
    while (isalpha ((unsigned char) cursor->text [cursor->at]))
        cursor->at++;
    for (size_t index = 0; index < sizeof classes / sizeof *classes; index++) {
        size_t size = strlen (classes [index].name);
        if (size != cursor->at - start
        ||  memcmp (cursor->text + start, classes [index].name, size))
            continue;
        term->classed = true;
        term->class = classes [index].class;
        if (!classes [index].detail)
            return true;
        term->detail = s_read_detail (cursor);
        return s_check_detail (cursor, start, term);
    }
    return s_complain (cursor, start,
        "no such class; there are any, uuid, status, text, len(N), re(...)");
}

//  $name+"bytes"
static bool
s_read_suffix (cursor_t *cursor, term_t *term)
{
    if (term->classed)
        return s_complain (cursor, cursor->at,
            "only what was captured before can have bytes behind it");
    const char *text = cursor->text + ++cursor->at;
    if (*text == '"')
        return s_read_string (cursor, term);
    if (text [0] == '0' && text [1] == 'x')
        return s_read_hex (cursor, term);
    return s_complain (cursor, cursor->at, "a string or 0x is due here");
}

static bool
s_read_name (cursor_t *cursor, term_t *term)
{
    size_t start = cursor->at++;
    while (s_is_name (cursor->text [cursor->at]))
        cursor->at++;
    term->type = TERM_NAME;
    term->name = s_copy (cursor->text + start + 1, cursor->at - start - 1);
    if (cursor->text [cursor->at] == ':') {
        if (!s_read_class (cursor, term))
            return false;
    }
    else
    if (!*term->name)
        return s_complain (cursor, start,
            "a name or a class must follow $, as in $id or $:uuid");
    if (strncmp (cursor->text + cursor->at, "...", 3) == 0) {
        term->many = MANY_SOME;
        cursor->at += 3;
    }
    else
    if (cursor->text [cursor->at] == '*') {
        term->many = MANY_ANY;
        cursor->at++;
    }
    else
    if (cursor->text [cursor->at] == '+')
        return s_read_suffix (cursor, term);
    return true;
}

//  Reads a term if one starts here; *found tells
static bool
s_read_term (cursor_t *cursor, term_t *term, bool *found)
{
    const char *text = cursor->text + cursor->at;
    *found = true;
    if (*text == '"')
        return s_read_string (cursor, term);
    if (text [0] == '0' && text [1] == 'x')
        return s_read_hex (cursor, term);
    if (*text == '$')
        return s_read_name (cursor, term);
    if (strncmp (text, "...", 3) == 0) {
        term->type = TERM_REST;
        cursor->at += 3;
        return true;
    }
    *found = false;
    return true;
}

//  -> <- | [ID] and words
static bool
s_read_other (cursor_t *cursor, token_t *token)
{
    const char *text = cursor->text + cursor->at;
    size_t size = 0;
    if (strncmp (text, "->", 2) == 0) {
        token->type = TOKEN_OUT;
        size = 2;
    }
    else
    if (strncmp (text, "<-", 2) == 0) {
        token->type = TOKEN_IN;
        size = 2;
    }
    else
    if (*text == '|') {
        token->type = TOKEN_BAR;
        size = 1;
    }
    else
    if (*text == '[') {
        size = strcspn (text, "]");
        if (text [size] != ']')
            return s_complain (cursor, cursor->at, "this [ is not closed");
        token->type = TOKEN_TAG;
        token->text = s_copy (text + 1, size - 1);
        size++;
    }
    else {
        while (s_is_word (text [size]))
            size++;
        if (size == 0)
            return s_complain (cursor, cursor->at, "no word starts like this");
        token->type = TOKEN_WORD;
        token->text = s_copy (text, size);
    }
    cursor->at += size;
    return true;
}

static void
s_token_clear (token_t *token)
{
    free (token->text);
    term_clear (&token->term);
}

bool
tokens_read (tokens_t *self, source_t *source, int line)
{
    cursor_t cursor = { source, line, source_line (source, line), 0 };
    while (true) {
        cursor.at += strspn (cursor.text + cursor.at, " \t");
        char c = cursor.text [cursor.at];
        if (!c || c == '#')
            return true;
        token_t token = { .type = TOKEN_TERM, .line = line,
                          .column = (int) cursor.at + 1 };
        bool found;
        bool fine = s_read_term (&cursor, &token.term, &found);
        if (fine && !found)
            fine = s_read_other (&cursor, &token);
        c = cursor.text [cursor.at];
        if (fine && found && c && !strchr (" \t#|", c))
            fine = s_complain (&cursor, cursor.at,
                               "a space must come before this");
        if (!fine) {
            s_token_clear (&token);
            return false;
        }
        token.end = (int) cursor.at + 1;
        token.term.line = token.line;
        token.term.column = token.column;
        vector_push (self->tokens, self->count, token);
    }
}

void
tokens_clear (tokens_t *self)
{
    for (size_t index = 0; index < self->count; index++)
        s_token_clear (&self->tokens [index]);
    free (self->tokens);
    *self = (tokens_t) { 0 };
}

term_t
term_new (zframe_t *frame)
{
    const char *data = (const char *) zframe_data (frame);
    term_t self = { .type = TERM_BYTES, .size = zframe_size (frame) };
    if (self.size > UNFOLD_MAX && memcmp (data, data + 1, self.size - 1) == 0) {
        self.repeats = self.size - 1;
        self.size = 1;
    }
    self.bytes = s_copy (data, self.size);
    return self;
}

size_t
term_size (const term_t *self)
{
    return self->size * (self->repeats + 1);
}

//  Write what it stands for to a place of its size
static void
s_unfold (const term_t *self, char *place)
{
    if (self->size == 1)
        memset (place, *self->bytes, term_size (self));
    else
        for (size_t nbr = 0; self->size && nbr <= self->repeats; nbr++)
            memcpy (place + nbr * self->size, self->bytes, self->size);
}

term_t
term_dup (const term_t *self)
{
    term_t copy = *self;
    copy.bytes = self->bytes? s_copy (self->bytes, self->size): NULL;
    copy.name = self->name? strdup (self->name): NULL;
    copy.detail = self->detail? strdup (self->detail): NULL;
    return copy;
}

void
term_clear (term_t *self)
{
    free (self->bytes);
    free (self->name);
    free (self->detail);
    *self = (term_t) { 0 };
}

void
pattern_push (pattern_t *self, term_t term)
{
    vector_push (self->terms, self->count, term);
}

pattern_t
pattern_dup (const pattern_t *self)
{
    pattern_t copy = { 0 };
    for (size_t index = 0; index < self->count; index++)
        pattern_push (&copy, term_dup (&self->terms [index]));
    return copy;
}

void
pattern_clear (pattern_t *self)
{
    for (size_t index = 0; index < self->count; index++)
        term_clear (&self->terms [index]);
    free (self->terms);
    *self = (pattern_t) { 0 };
}

//  --------------------------------------------------------------------------
//  Captures

struct _captures_t {
    zhashx_t *frames;           //  Name to zmsg_t
};

static void
s_frames_destroy (void **item)
{
    zmsg_destroy ((zmsg_t **) item);
}

captures_t *
captures_new (void)
{
    captures_t *self = (captures_t *) zmalloc (sizeof (captures_t));
    self->frames = zhashx_new ();
    zhashx_set_destructor (self->frames, s_frames_destroy);
    return self;
}

void
captures_destroy (captures_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        zhashx_destroy (&(*self_p)->frames);
        free (*self_p);
        *self_p = NULL;
    }
}

zmsg_t *
captures_get (captures_t *self, const char *name)
{
    return self? (zmsg_t *) zhashx_lookup (self->frames, name): NULL;
}

void
captures_set (captures_t *self, const char *name, zmsg_t **frames_p)
{
    zhashx_update (self->frames, name, *frames_p);
    *frames_p = NULL;
}

//  --------------------------------------------------------------------------
//  Matching

static bool
s_is_status (const term_t *term, const char *data, size_t size)
{
    if (size < 3 || (size > 3 && data [3] != ' '))
        return false;
    for (size_t index = 0; index < 3; index++)
        if (!isdigit ((unsigned char) data [index]))
            return false;
    return !term->detail || memcmp (data, term->detail, 3) == 0;
}

static bool
s_is_uuid (const char *data, size_t size)
{
    if (size != 32)
        return false;
    for (size_t index = 0; index < size; index++)
        if (s_hex_digit (data [index]) < 0)
            return false;
    return true;
}

static bool
s_is_text (const char *data, size_t size)
{
    for (size_t index = 0; index < size; index++)
        if ((unsigned char) data [index] < 0x20 || data [index] == 0x7f)
            return false;
    return size > 0;
}

//  The whole frame must match; NULs in it do no harm
static bool
s_is_re (const term_t *term, const char *data, size_t size)
{
    regex_t regex;
    if (regcomp (&regex, term->detail, REG_EXTENDED))
        return false;
    regmatch_t match = { .rm_so = 0, .rm_eo = (regoff_t) size };
    bool same = regexec (&regex, data, 1, &match, REG_STARTEND) == 0
             && match.rm_so == 0 && match.rm_eo == (regoff_t) size;
    regfree (&regex);
    return same;
}

static bool
s_frame_match (const term_t *term, zframe_t *frame)
{
    const char *data = (const char *) zframe_data (frame);
    size_t size = zframe_size (frame);
    if (term->type == TERM_BYTES)
        //  It begins with what is written, and goes on as it did before
        return size == term_size (term)
            && memcmp (data, term->bytes, term->size) == 0
            && memcmp (data, data + term->size, size - term->size) == 0;
    switch (term->class) {
        case CLASS_ANY:
            return true;
        case CLASS_UUID:
            return s_is_uuid (data, size);
        case CLASS_STATUS:
            return s_is_status (term, data, size);
        case CLASS_TEXT:
            return s_is_text (data, size);
        case CLASS_LEN:
            return size == term->length;
        case CLASS_RE:
            return s_is_re (term, data, size);
    }
    return false;
}

//  What is left of a message while it is matched
typedef struct {
    zframe_t **frames;          //  Of the whole; NULL where there are none
    size_t at;                  //  The first that is left
    size_t count;               //  How many are left
} rest_t;

//  How many frames a term takes at the least
static size_t
s_least (const term_t *term)
{
    return term->type == TERM_REST || term->many == MANY_ANY? 0: 1;
}

static bool
s_match_held (zmsg_t *held, rest_t *rest)
{
    if (zmsg_size (held) > rest->count)
        return false;
    size_t index = 0;
    for (zframe_t *frame = zmsg_first (held); frame; frame = zmsg_next (held))
        if (!zframe_eq (frame, rest->frames [rest->at + index++]))
            return false;
    rest->at += index;
    rest->count -= index;
    return true;
}

//  Match one term with as many frames as leave the later terms their least
static bool
s_match_term (const term_t *term, rest_t *rest, size_t later,
              captures_t *held, captures_t *fresh)
{
    if (term->type == TERM_NAME && !term->classed && *term->name) {
        zmsg_t *frames = captures_get (held, term->name);
        if (frames)
            return s_match_held (frames, rest);
    }
    size_t take = 1;
    if (term->type == TERM_REST || term->many != MANY_ONE)
        take = rest->count > later? rest->count - later: 0;
    if (take < s_least (term) || take > rest->count)
        return false;
    zmsg_t *taken = zmsg_new ();
    for (size_t index = 0; index < take; index++) {
        zframe_t *frame = rest->frames [rest->at + index];
        if (!s_frame_match (term, frame) && term->type != TERM_REST) {
            zmsg_destroy (&taken);
            return false;
        }
        zmsg_addmem (taken, zframe_data (frame), zframe_size (frame));
    }
    rest->at += take;
    rest->count -= take;
    if (fresh && term->type == TERM_NAME && *term->name)
        captures_set (fresh, term->name, &taken);
    zmsg_destroy (&taken);
    return true;
}

bool
pattern_match (const pattern_t *self, zmsg_t *message, captures_t *captures)
{
    rest_t rest = { NULL, 0, 0 };
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message))
        vector_push (rest.frames, rest.count, frame);
    captures_t *fresh = captures? captures_new (): NULL;
    bool same = true;
    for (size_t index = 0; same && index < self->count; index++) {
        size_t later = 0;
        for (size_t next = index + 1; next < self->count; next++)
            later += s_least (&self->terms [next]);
        same = s_match_term (&self->terms [index], &rest, later,
                             captures, fresh);
    }
    same = same && rest.count == 0;
    if (same && captures) {
        for (zmsg_t *taken = (zmsg_t *) zhashx_first (fresh->frames); taken;
                     taken = (zmsg_t *) zhashx_next (fresh->frames)) {
            const char *name = (const char *) zhashx_cursor (fresh->frames);
            zmsg_t *copy = zmsg_dup (taken);
            captures_set (captures, name, &copy);
        }
    }
    captures_destroy (&fresh);
    free (rest.frames);
    return same;
}

//  A captured frame, with the bytes that are written behind its name
static void
s_add_frame (zmsg_t *message, zframe_t *frame, const term_t *term)
{
    size_t size = zframe_size (frame);
    size_t more = term_size (term);
    zframe_t *whole = zframe_new (NULL, size + more);
    memcpy (zframe_data (whole), zframe_data (frame), size);
    if (more)
        s_unfold (term, (char *) zframe_data (whole) + size);
    zmsg_append (message, &whole);
}

zmsg_t *
pattern_compose (const pattern_t *self, captures_t *captures)
{
    zmsg_t *message = zmsg_new ();
    for (size_t index = 0; index < self->count; index++) {
        const term_t *term = &self->terms [index];
        if (term->type == TERM_BYTES) {
            zframe_t *frame = zframe_new (NULL, term_size (term));
            s_unfold (term, (char *) zframe_data (frame));
            zmsg_append (message, &frame);
            continue;
        }
        zmsg_t *held = term->type == TERM_NAME
                     ? captures_get (captures, term->name): NULL;
        if (!held && s_least (term)) {
            zmsg_destroy (&message);
            return NULL;
        }
        for (zframe_t *frame = held? zmsg_first (held): NULL; frame;
                       frame = zmsg_next (held))
            s_add_frame (message, frame, term);
    }
    return message;
}

//  --------------------------------------------------------------------------
//  Printing

//  Printable ASCII throughout, and so better read as a string
static bool
s_is_printable (const unsigned char *data, size_t size)
{
    for (size_t index = 0; index < size; index++)
        if (data [index] < 0x20 || data [index] > 0x7e)
            return false;
    return true;
}

static void
s_print_string (FILE *out, const unsigned char *data, size_t size)
{
    fputc ('"', out);
    for (size_t index = 0; index < size; index++) {
        if (data [index] == '"' || data [index] == '\\')
            fputc ('\\', out);
        fputc (data [index], out);
    }
    fputc ('"', out);
}

static void
s_print_bytes (FILE *out, const unsigned char *data, size_t size)
{
    if (size > PRINT_MAX) {
        if (memcmp (data, data + 1, size - 1)) {
            fprintf (out, "$:len(%zu)", size);
            return;
        }
        s_print_bytes (out, data, 1);
        fprintf (out, "*%zu", size);
    }
    else
    if (s_is_printable (data, size))
        s_print_string (out, data, size);
    else {
        fputs ("0x", out);
        for (size_t index = 0; index < size; index++)
            fprintf (out, "%02x", data [index]);
    }
}

//  What a term says about bytes
static void
s_print_literal (FILE *out, const term_t *term)
{
    s_print_bytes (out, (unsigned char *) term->bytes, term->size);
    if (term->repeats)
        fprintf (out, "*%zu", term->repeats + 1);
}

static void
s_print_class (FILE *out, const term_t *term)
{
    static const char *names [] = {
        "any", "uuid", "status", "text", "len", "re"
    };
    fprintf (out, ":%s", names [term->class]);
    if (term->detail)
        fprintf (out, "(%s)", term->detail);
}

char *
notation_bytes (const void *data, size_t size)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    s_print_bytes (out, (const unsigned char *) data, size);
    fclose (out);
    return text;
}

char *
notation_frames (zmsg_t *message)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    const char *gap = "";
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message)) {
        fputs (gap, out);
        s_print_bytes (out, zframe_data (frame), zframe_size (frame));
        gap = "  ";
    }
    fclose (out);
    return text;
}

char *
notation_pattern (const pattern_t *self)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    for (size_t index = 0; index < self->count; index++) {
        const term_t *term = &self->terms [index];
        fputs (index? "  ": "", out);
        if (term->type == TERM_BYTES)
            s_print_literal (out, term);
        else
        if (term->type == TERM_REST)
            fputs ("...", out);
        else {
            fprintf (out, "$%s", term->name);
            if (term->classed)
                s_print_class (out, term);
            fputs (term->many == MANY_SOME? "...":
                   term->many == MANY_ANY? "*": term->bytes? "+": "", out);
            if (term->bytes)
                s_print_literal (out, term);
        }
    }
    fclose (out);
    return text;
}
