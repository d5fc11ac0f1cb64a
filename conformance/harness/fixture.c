/*  =========================================================================
    fixture - golden messages, read from fixtures/

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>

#include "fixture.h"
#include "vector.h"

//  Versions of MDP at the most; there are two
#define VERSIONS_MAX 8

struct _fixtures_t {
    golden_t **messages;        //  In order of reading
    size_t count;
    char **names;               //  Files and protocols that messages point to
    size_t name_count;
    const char *versions [VERSIONS_MAX + 1];    //  Of MDP; the last is NULL
};

const char *
role_text (role_t role)
{
    return role == ROLE_CLIENT? "client": "worker";
}

fixtures_t *
fixtures_new (void)
{
    return (fixtures_t *) zmalloc (sizeof (fixtures_t));
}

void
fixtures_destroy (fixtures_t **self_p)
{
    assert (self_p);
    if (!*self_p)
        return;
    fixtures_t *self = *self_p;
    for (size_t index = 0; index < self->count; index++) {
        golden_t *golden = self->messages [index];
        pattern_clear (&golden->pattern);
        for (size_t nbr = 0; nbr < golden->example_count; nbr++)
            pattern_clear (&golden->examples [nbr]);
        for (size_t nbr = 0; nbr < golden->shows_count; nbr++)
            free (golden->shows [nbr]);
        free (golden->shows);
        free (golden->examples);
        free (golden->name);
        free (golden);
    }
    for (size_t index = 0; index < self->name_count; index++)
        free (self->names [index]);
    free (self->names);
    free (self->messages);
    free (self);
    *self_p = NULL;
}

size_t
fixtures_size (const fixtures_t *self)
{
    return self->count;
}

const golden_t *
fixtures_at (const fixtures_t *self, size_t index)
{
    return self->messages [index];
}

const char *const *
fixtures_versions (const fixtures_t *self)
{
    return self->versions;
}

const golden_t *
fixtures_exact (const fixtures_t *self, const char *version, const char *name,
                way_t way, role_t role)
{
    for (size_t index = 0; index < self->count; index++) {
        golden_t *golden = self->messages [index];
        if (golden->way == way && golden->role == role
        &&  streq (golden->version, version) && streq (golden->name, name))
            return golden;
    }
    return NULL;
}

const golden_t *
fixtures_find (const fixtures_t *self, const char *version, const char *name,
               way_t way, role_t role)
{
    const golden_t *golden = fixtures_exact (self, version, name, way, role);
    return golden? golden: fixtures_exact (self, version, name,
        way == WAY_FROM? WAY_TO: WAY_FROM, role);
}

//  An argument in the place of a parameter. A capture of anything still has to
//  be of the class that the parameter has.
static term_t
s_fill_term (const term_t *place, const term_t *argument)
{
    term_t term = term_dup (argument);
    if (term.type == TERM_NAME && term.classed && term.class == CLASS_ANY
    &&  place->classed) {
        term.class = place->class;
        term.length = place->length;
        term.detail = place->detail? strdup (place->detail): NULL;
    }
    return term;
}

static size_t
s_exact_frames (const golden_t *golden)
{
    size_t count = 0;
    for (size_t index = 0; index < golden->pattern.count; index++)
        count += golden->pattern.terms [index].type == TERM_BYTES;
    return count;
}

const golden_t *
fixtures_recognise (const fixtures_t *self, const char *version, way_t way,
                    role_t role, zmsg_t *message)
{
    const golden_t *best = NULL;
    for (size_t index = 0; index < fixtures_size (self); index++) {
        const golden_t *golden = fixtures_at (self, index);
        if (golden->way == way && golden->role == role
        &&  streq (golden->version, version)
        && (!best || s_exact_frames (golden) > s_exact_frames (best))
        &&  pattern_match (&golden->pattern, message, NULL))
            best = golden;
    }
    return best;
}

pattern_t
golden_fill (const golden_t *self, const term_t *arguments, size_t count,
             size_t *excess)
{
    pattern_t pattern = { 0 };
    size_t used = 0;
    for (size_t index = 0; index < self->pattern.count; index++) {
        const term_t *place = &self->pattern.terms [index];
        if (place->type != TERM_NAME) {
            pattern_push (&pattern, term_dup (place));
            continue;
        }
        if (used == count) {
            //  Open: whatever the fixture allows here
            term_t term = term_dup (place);
            *term.name = 0;
            term.classed = true;
            pattern_push (&pattern, term);
            continue;
        }
        do
            pattern_push (&pattern, s_fill_term (place, &arguments [used++]));
        while (place->many != MANY_ONE && used < count);
    }
    if (excess)
        *excess = used < count? used: SIZE_MAX;
    return pattern;
}

//  --------------------------------------------------------------------------
//  Reading

typedef struct {
    fixtures_t *fixtures;
    source_t *source;
    const char *protocol;       //  NULL until it has been named
    golden_t *golden;           //  The message that is being read
    bool example;               //  Frames belong to its last example
    char *base;                 //  The message in whose terms it is written
    pattern_t arguments;        //  What takes the places of that one's parameters
} reader_t;

static const char *
s_keep (fixtures_t *self, const char *name)
{
    char *copy = strdup (name);
    vector_push (self->names, self->name_count, copy);
    return copy;
}

//  Take note of a version of MDP
static const char *
s_version (reader_t *reader, const char *protocol)
{
    fixtures_t *fixtures = reader->fixtures;
    size_t index = 0;
    if (strncmp (protocol, "mdp/", 4))
        return fixtures->versions [0]? fixtures->versions [0]: protocol;
    while (fixtures->versions [index]
    &&     !streq (fixtures->versions [index], protocol))
        index++;
    if (index < VERSIONS_MAX && !fixtures->versions [index])
        fixtures->versions [index] = protocol;
    return protocol;
}

static void
s_complain (reader_t *reader, const token_t *token, const char *what)
{
    source_error (reader->source, token->line, token->column, "%s", what);
}

static const char *
s_word (const tokens_t *line, size_t index)
{
    return index < line->count && line->tokens [index].type == TOKEN_WORD
         ? line->tokens [index].text: "";
}

static void
s_read_message (reader_t *reader, tokens_t *line)
{
    if (!reader->protocol) {
        s_complain (reader, line->tokens, "name the protocol before messages");
        return;
    }
    const char *way = s_word (line, 2);
    const char *role = s_word (line, 3);
    if (line->count != 4 || !*s_word (line, 1)
    ||  (!streq (way, "from") && !streq (way, "to"))
    ||  (!streq (role, "client") && !streq (role, "worker"))) {
        s_complain (reader, line->tokens,
            "this should read: message NAME from|to client|worker");
        return;
    }
    golden_t *golden = (golden_t *) zmalloc (sizeof (golden_t));
    golden->protocol = reader->protocol;
    golden->version = s_version (reader, reader->protocol);
    golden->name = strdup (s_word (line, 1));
    golden->way = streq (way, "from")? WAY_FROM: WAY_TO;
    golden->role = streq (role, "client")? ROLE_CLIENT: ROLE_WORKER;
    golden->file = reader->fixtures->names [reader->fixtures->name_count - 1];
    golden->line = line->tokens->line;
    if (fixtures_exact (reader->fixtures, golden->version, golden->name,
                        golden->way, golden->role))
        s_complain (reader, &line->tokens [1], "this message is there already");
    vector_push (reader->fixtures->messages, reader->fixtures->count, golden);
    reader->golden = golden;
    reader->example = false;
}

//  A message in terms of another: put its arguments into that one's places
static bool
s_read_base (reader_t *reader, tokens_t *line)
{
    golden_t *golden = reader->golden;
    const golden_t *base = fixtures_exact (reader->fixtures, golden->version,
        s_word (line, 0), golden->way, golden->role);
    if (!base || base == golden) {
        s_complain (reader, line->tokens,
            "no message of this name goes this way for this role");
        return false;
    }
    for (size_t index = 1; index < line->count; index++)
        if (line->tokens [index].type == TOKEN_TERM)
            pattern_push (&reader->arguments,
                          term_dup (&line->tokens [index].term));
    reader->base = strdup (s_word (line, 0));
    size_t excess;
    golden->pattern = golden_fill (base, reader->arguments.terms,
                                   reader->arguments.count, &excess);
    if (excess != SIZE_MAX)
        s_complain (reader, line->tokens, "more frames than that message has");
    return true;
}

//  An example in the words of another version: the same parameters, composed
//  anew
static void
s_translate_example (const golden_t *golden, const pattern_t *example,
                     golden_t *other)
{
    captures_t *captures = captures_new ();
    zmsg_t *message = pattern_compose (example, NULL);
    zmsg_t *translated = NULL;
    if (pattern_match (&golden->pattern, message, captures))
        translated = pattern_compose (&other->pattern, captures);
    pattern_t pattern = { 0 };
    for (zframe_t *frame = translated? zmsg_first (translated): NULL; frame;
                   frame = zmsg_next (translated))
        pattern_push (&pattern, term_new (frame));
    if (translated)
        vector_push (other->examples, other->example_count, pattern);
    zmsg_destroy (&translated);
    zmsg_destroy (&message);
    captures_destroy (&captures);
}

//  The message that was read last is complete. In terms of another protocol's,
//  it is a message in each version of that one.
static void
s_finish (reader_t *reader)
{
    fixtures_t *fixtures = reader->fixtures;
    const golden_t *golden = reader->golden;
    bool derived = golden && reader->base
                && strncmp (golden->protocol, "mdp/", 4);
    for (int index = 1; derived && fixtures->versions [index]; index++) {
        const golden_t *base = fixtures_exact (fixtures,
            fixtures->versions [index], reader->base, golden->way,
            golden->role);
        if (!base)
            continue;
        golden_t *other = (golden_t *) zmalloc (sizeof (golden_t));
        *other = (golden_t) { .protocol = golden->protocol,
            .version = fixtures->versions [index],
            .name = strdup (golden->name), .way = golden->way,
            .role = golden->role, .file = golden->file, .line = golden->line };
        other->pattern = golden_fill (base, reader->arguments.terms,
                                      reader->arguments.count, NULL);
        for (size_t nbr = 0; nbr < golden->shows_count; nbr++)
            vector_push (other->shows, other->shows_count,
                         strdup (golden->shows [nbr]));
        for (size_t nbr = 0; nbr < golden->example_count; nbr++)
            s_translate_example (golden, &golden->examples [nbr], other);
        vector_push (fixtures->messages, fixtures->count, other);
    }
    pattern_clear (&reader->arguments);
    reader->arguments = (pattern_t) { 0 };
    free (reader->base);
    reader->base = NULL;
    reader->golden = NULL;
}

static void
s_read_frames (reader_t *reader, tokens_t *line)
{
    golden_t *golden = reader->golden;
    if (!golden) {
        s_complain (reader, line->tokens,
            "this line should start with protocol, message or example");
        return;
    }
    size_t first = 0;
    if (!reader->example && golden->pattern.count == 0
    &&  line->tokens->type == TOKEN_WORD) {
        s_read_base (reader, line);
        return;
    }
    pattern_t *pattern = reader->example
        ? &golden->examples [golden->example_count - 1]: &golden->pattern;
    for (size_t index = first; index < line->count; index++) {
        const token_t *token = &line->tokens [index];
        if (token->type != TOKEN_TERM
        || (reader->example && token->term.type != TERM_BYTES)) {
            s_complain (reader, token, reader->example
                ? "an example has exact frames only": "a frame is due here");
            return;
        }
        pattern_push (pattern, term_dup (&token->term));
    }
}

static void
s_read_shows (reader_t *reader, tokens_t *line)
{
    golden_t *golden = reader->golden;
    for (size_t index = 1; index < line->count; index++)
        if (*s_word (line, index))
            vector_push (golden->shows, golden->shows_count,
                         strdup (s_word (line, index)));
        else
            s_complain (reader, &line->tokens [index],
                        "the id of a requirement is due here");
}

static void
s_read_line (reader_t *reader, tokens_t *line)
{
    const char *word = s_word (line, 0);
    bool outer = line->tokens->column == 1;
    if (outer && streq (word, "protocol") && line->count == 2)
        reader->protocol = s_keep (reader->fixtures, s_word (line, 1));
    else
    if (outer && streq (word, "message"))
        s_read_message (reader, line);
    else
    if (outer && streq (word, "example") && line->count == 1
    &&  reader->golden) {
        reader->example = true;
        vector_push (reader->golden->examples, reader->golden->example_count,
                     ((pattern_t) { 0 }));
    }
    else
    if (outer && streq (word, "shows") && reader->golden)
        s_read_shows (reader, line);
    else
    if (outer)
        s_complain (reader, line->tokens,
            "this line should start with protocol, message, shows or example");
    else
        s_read_frames (reader, line);
}

//  An example must be an instance of its message, and the message rebuilt from
//  what was captured must be the example
static void
s_check_examples (reader_t *reader, const golden_t *golden)
{
    for (size_t index = 0; index < golden->example_count; index++) {
        captures_t *captures = captures_new ();
        zmsg_t *message = pattern_compose (&golden->examples [index], NULL);
        zmsg_t *again = NULL;
        if (!pattern_match (&golden->pattern, message, captures))
            source_error (reader->source, golden->line, 1,
                "example %zu does not have the form of its message",
                index + 1);
        else {
            again = pattern_compose (&golden->pattern, captures);
            if (!again || !zmsg_eq (again, message))
                source_error (reader->source, golden->line, 1,
                    "example %zu cannot be put together again", index + 1);
        }
        zmsg_destroy (&again);
        zmsg_destroy (&message);
        captures_destroy (&captures);
    }
}

int
fixtures_read (fixtures_t *self, const char *path, FILE *errors)
{
    source_t *source = source_open (path, errors);
    if (!source)
        return -1;
    size_t first = self->count;
    reader_t reader = { .fixtures = self, .source = source };
    for (int line = 1; line <= source_lines (source); line++) {
        tokens_t tokens = { 0 };
        if (tokens_read (&tokens, source, line) && tokens.count) {
            if (streq (s_word (&tokens, 0), "message")) {
                s_finish (&reader);
                s_keep (self, path);
            }
            s_read_line (&reader, &tokens);
        }
        tokens_clear (&tokens);
    }
    s_finish (&reader);
    for (size_t index = first; index < self->count; index++) {
        golden_t *golden = self->messages [index];
        if (golden->pattern.count == 0)
            source_error (source, golden->line, 1, "this message has no frames");
        else
        if (golden->example_count == 0)
            source_error (source, golden->line, 1,
                          "this message has no example");
        else
            s_check_examples (&reader, golden);
    }
    int count = source_errors (source);
    source_destroy (&source);
    return count;
}
