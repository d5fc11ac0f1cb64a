/*  =========================================================================
    variant - golden messages, spoilt one thing at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <string.h>

#include "variant.h"
#include "vector.h"

#define HEADER_SIZE 6

//  The requirement that says what a command looks like, or that it is taken
static const struct {
    const char *name;
    role_t role;
    way_t way;
    const char *rule;
} s_rules [] = {
    { "REQUEST", ROLE_CLIENT, WAY_FROM, "CLIENT-08" },
    { "REPLY", ROLE_CLIENT, WAY_TO, "CLIENT-10" },
    { "FINAL", ROLE_CLIENT, WAY_TO, "CLIENT-10" },
    { "PARTIAL", ROLE_CLIENT, WAY_TO, "CLIENT-31" },
    { "READY", ROLE_WORKER, WAY_FROM, "WORKER-08" },
    { "REQUEST", ROLE_WORKER, WAY_TO, "WORKER-09" },
    { "REPLY", ROLE_WORKER, WAY_FROM, "WORKER-19" },
    { "FINAL", ROLE_WORKER, WAY_FROM, "WORKER-19" },
    { "PARTIAL", ROLE_WORKER, WAY_FROM, "WORKER-30" },
    { "HEARTBEAT", ROLE_WORKER, WAY_FROM, "WORKER-21" },
    { "HEARTBEAT", ROLE_WORKER, WAY_TO, "WORKER-20" },
    { "DISCONNECT", ROLE_WORKER, WAY_FROM, "WORKER-23" },
    { "DISCONNECT", ROLE_WORKER, WAY_TO, "WORKER-22" }
};

#define COUNT(array) (sizeof (array) / sizeof *(array))

const char *
deserves_text (deserves_t deserves)
{
    static const char *texts [] = { "accept", "drop", "disconnect" };
    return texts [deserves];
}

zmsg_t *
variant_frames (const pattern_t *example)
{
    return pattern_compose (example, NULL);
}

//  --------------------------------------------------------------------------
//  What a message is

//  Names of services are printable, addresses of clients are not empty: so the
//  catalogue, where fixtures leave room for scripts
static bool
s_is_proper (captures_t *captures)
{
    zmsg_t *client = captures_get (captures, "client");
    if (client && zframe_size (zmsg_first (client)) == 0)
        return false;
    zmsg_t *service = captures_get (captures, "service");
    if (!service)
        return true;
    zframe_t *frame = zmsg_first (service);
    for (size_t index = 0; index < zframe_size (frame); index++)
        if (zframe_data (frame) [index] < 0x20
        ||  zframe_data (frame) [index] == 0x7f)
            return false;
    return zframe_size (frame) > 0;
}

static bool
s_is (const golden_t *golden, zmsg_t *message)
{
    captures_t *captures = captures_new ();
    bool is = strncmp (golden->protocol, "mdp/", 4) == 0
        && pattern_match (&golden->pattern, message, captures)
        && s_is_proper (captures);
    captures_destroy (&captures);
    return is;
}

//  Whether a receiver of one message may get another: a broker gets all that is
//  sent by any peer, the others what is sent to them
static bool
s_may_come (const golden_t *golden, const golden_t *other)
{
    return golden->way == other->way
        && (golden->way == WAY_FROM || golden->role == other->role);
}

//  The command of MDP that a message is, for the receiver of golden; NULL if none
static const golden_t *
s_command (const fixtures_t *fixtures, const golden_t *golden,
           zmsg_t *message)
{
    for (size_t index = 0; index < fixtures_size (fixtures); index++) {
        const golden_t *other = fixtures_at (fixtures, index);
        if (s_may_come (golden, other) && s_is (other, message))
            return other;
    }
    return NULL;
}

//  A worker's command that only a broker has reason to send
static bool
s_is_unexpected (const fixtures_t *fixtures, const golden_t *golden,
                 zmsg_t *message)
{
    for (size_t index = 0; golden->way == WAY_FROM
                        && index < fixtures_size (fixtures); index++) {
        const golden_t *other = fixtures_at (fixtures, index);
        if (other->way == WAY_TO && other->role == ROLE_WORKER
        &&  s_is (other, message))
            return true;
    }
    return false;
}

//  MDP1-.. or MDP2-.., by the version; fresh
static char *
s_id (const golden_t *golden, const char *rule)
{
    return zsys_sprintf ("MDP%c-%s",
        golden->version [strlen (golden->version) - 1], rule);
}

static char *
s_rule (const golden_t *command)
{
    size_t index = 0;
    while (strcmp (s_rules [index].name, command->name)
    ||     s_rules [index].role != command->role
    ||     s_rules [index].way != command->way) {
        index++;
        assert (index < COUNT (s_rules));
    }
    return s_id (command, s_rules [index].rule);
}

//  --------------------------------------------------------------------------
//  Making variants

typedef struct {
    const fixtures_t *fixtures;
    const golden_t *golden;
    const golden_t *command;    //  Of MDP, that the golden message is
    const pattern_t *example;
    variants_t variants;
} maker_t;

static bool
s_is_same (zmsg_t *one, zmsg_t *other)
{
    zframe_t *a = zmsg_first (one);
    zframe_t *b = zmsg_first (other);
    while (a && b && zframe_eq (a, b)) {
        a = zmsg_next (one);
        b = zmsg_next (other);
    }
    return !a && !b;
}

//  Judge a variant and keep it; takes the frames
static void
s_keep (maker_t *self, char *name, zmsg_t *frames)
{
    bool there = zmsg_size (frames) == 0;
    for (size_t index = 0; index < self->variants.count && !there; index++)
        there = s_is_same (self->variants.variants [index].frames, frames);
    if (there) {
        free (name);
        zmsg_destroy (&frames);
        return;
    }
    variant_t variant = { .name = name, .frames = frames };
    const golden_t *command = s_command (self->fixtures, self->golden, frames);
    if (command)
        variant.requirement = s_rule (command);
    else
    if (s_is_unexpected (self->fixtures, self->golden, frames)) {
        variant.deserves = DESERVES_DISCONNECT;
        variant.requirement = s_id (self->golden, "CONNECTION-19");
    }
    else {
        variant.deserves = DESERVES_DROP;
        variant.requirement = self->golden->way == WAY_FROM
            ? s_id (self->golden, "CONNECTION-21"): s_rule (self->command);
    }
    vector_push (self->variants.variants, self->variants.count, variant);
}

//  The example with other bytes in the place of so many frames; NULL for none
static zmsg_t *
s_replace (const maker_t *self, size_t at, size_t many, const void *bytes,
           size_t size)
{
    zmsg_t *example = pattern_compose (self->example, NULL);
    zmsg_t *frames = zmsg_new ();
    for (size_t index = 0; index <= self->example->count; index++) {
        if (index == at && bytes)
            zmsg_addmem (frames, bytes, size);
        zframe_t *frame = zmsg_pop (example);
        if (frame && (index < at || index >= at + many))
            zmsg_append (frames, &frame);
        zframe_destroy (&frame);
    }
    zmsg_destroy (&example);
    return frames;
}

static void
s_put (maker_t *self, size_t at, const char *name, const void *bytes,
       size_t size)
{
    s_keep (self, strdup (name), s_replace (self, at, 1, bytes, size));
}

static void
s_spoil_counts (maker_t *self)
{
    size_t count = self->example->count;
    for (size_t at = 0; at < count; at++)
        s_keep (self, zsys_sprintf ("frame %zu missing", at),
                s_replace (self, at, 1, NULL, 0));
    for (size_t at = 1; at < count; at++)
        s_keep (self, zsys_sprintf ("cut off before frame %zu", at),
                s_replace (self, at, count - at, NULL, 0));
    s_keep (self, strdup ("empty frame added in front"),
            s_replace (self, 0, 0, "", 0));
    s_keep (self, strdup ("frame added in front"),
            s_replace (self, 0, 0, "more", 4));
    s_keep (self, strdup ("frame added at the end"),
            s_replace (self, count, 0, "more", 4));
    s_keep (self, strdup ("empty frame added at the end"),
            s_replace (self, count, 0, "", 0));
}

static void
s_spoil_header (maker_t *self, size_t at)
{
    char header [HEADER_SIZE + 1];
    memcpy (header, self->example->terms [at].bytes, HEADER_SIZE);
    header [HEADER_SIZE] = 0;
    s_put (self, at, "header empty", "", 0);
    s_put (self, at, "header cut short", header, HEADER_SIZE - 1);
    s_put (self, at, "header too long", header, HEADER_SIZE + 1);
    s_put (self, at, "header in small letters", header [3] == 'C'
           ? "mdpc01": "mdpw01", HEADER_SIZE);
    header [3] = header [3] == 'C'? 'W': 'C';
    s_put (self, at, "header of the other role", header, HEADER_SIZE);
    header [3] = header [3] == 'C'? 'W': 'C';
    header [5] = header [5] == '1'? '2': '1';
    s_put (self, at, "header of another version", header, HEADER_SIZE);
    header [5] = '9';
    s_put (self, at, "header of no version", header, HEADER_SIZE);
}

static void
s_spoil_command (maker_t *self, size_t at)
{
    char code [2] = { *self->example->terms [at].bytes, 0 };
    s_put (self, at, "command empty", "", 0);
    s_put (self, at, "command of two bytes", code, 2);
    s_put (self, at, "command 0x00", "\x00", 1);
    s_put (self, at, "command 0xff", "\xff", 1);
    //  What one peer may send and another may not is told by way alone
    for (char other = 1; other <= 6 && self->golden->way == WAY_FROM; other++)
        if (other != *code) {
            char name [32];
            snprintf (name, sizeof name, "command 0x%02x", (unsigned) other);
            s_put (self, at, name, &other, 1);
        }
}

static void
s_spoil_frame (maker_t *self, size_t at)
{
    const term_t *term = &self->command->pattern.terms [at];
    if (term->type == TERM_BYTES && term->size == HEADER_SIZE)
        s_spoil_header (self, at);
    else
    if (term->type == TERM_BYTES && term->size == 1)
        s_spoil_command (self, at);
    else
    if (term->type == TERM_BYTES && term->size == 0)
        s_put (self, at, at? "delimiter not empty": "first frame not empty",
               "x", 1);
    else
    if (term->type == TERM_NAME && streq (term->name, "service")) {
        s_put (self, at, "service empty", "", 0);
        s_put (self, at, "service with a control character", "ec\nho", 5);
        s_put (self, at, "service with a zero byte", "ec\0ho", 5);
    }
    else
    if (term->type == TERM_NAME && streq (term->name, "client"))
        s_put (self, at, "client address empty", "", 0);
}

variants_t
variants_make (const fixtures_t *fixtures, const golden_t *golden)
{
    maker_t self = { .fixtures = fixtures, .golden = golden,
                     .example = golden->examples };
    zmsg_t *frames = variant_frames (self.example);
    self.command = s_command (fixtures, golden, frames);
    zmsg_destroy (&frames);
    assert (self.command);
    s_spoil_counts (&self);
    for (size_t at = 0; at < self.command->pattern.count
                     && at < self.example->count; at++)
        s_spoil_frame (&self, at);
    return self.variants;
}

void
variants_clear (variants_t *self)
{
    for (size_t index = 0; index < self->count; index++) {
        free (self->variants [index].name);
        free (self->variants [index].requirement);
        zmsg_destroy (&self->variants [index].frames);
    }
    free (self->variants);
    *self = (variants_t) { 0 };
}
