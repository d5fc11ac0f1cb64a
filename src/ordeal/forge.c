/*  =========================================================================
    forge - what hostile peers say

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../conformance/harness/variant.h"
#include "../../conformance/harness/vector.h"
#include "siege.h"

//  Addresses and ids that are remembered; the newest take the places of others.
#define LEARNED_MAX 64

typedef struct {
    unsigned char bytes [64];
    size_t size;
} learned_t;

struct _forge_t {
    foe_t *foe;
    words_t *golden;            //  Examples, and all that is spoilt in them
    size_t golden_count;
    learned_t addresses [LEARNED_MAX], ids [LEARNED_MAX];
    size_t address_count, id_count;
};

void
words_add (words_t *self, const void *data, size_t size)
{
    unsigned char *copy = (unsigned char *) malloc (size + 1);
    if (!copy)
        abort ();
    memcpy (copy, data, size);
    vector_push (self->frames, self->count,
                 ((__typeof__ (*self->frames)) { copy, size }));
}

void
words_clear (words_t *self)
{
    for (size_t nbr = 0; nbr < self->count; nbr++)
        free (self->frames [nbr].data);
    free (self->frames);
    *self = (words_t) { 0 };
}

static void
s_add_text (words_t *self, const char *text)
{
    words_add (self, text, strlen (text));
}

uint64_t
foe_chance (foe_t *self, uint64_t count)
{
    self->dice ^= self->dice << 13;
    self->dice ^= self->dice >> 7;
    self->dice ^= self->dice << 17;
    return self->dice % count;
}

static uint64_t
s_chance (forge_t *self, uint64_t count)
{
    return foe_chance (self->foe, count);
}

//  --------------------------------------------------------------------------
//  Golden messages

static void
s_keep_golden (forge_t *self, zmsg_t *message)
{
    words_t words = { 0 };
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message))
        words_add (&words, zframe_data (frame), zframe_size (frame));
    vector_push (self->golden, self->golden_count, words);
}

static void
s_keep_all (forge_t *self, const fixtures_t *fixtures)
{
    for (size_t index = 0; index < fixtures_size (fixtures); index++) {
        const golden_t *golden = fixtures_at (fixtures, index);
        variants_t variants = variants_make (fixtures, golden);
        for (size_t nbr = 0; nbr < variants.count; nbr++)
            s_keep_golden (self, variants.variants [nbr].frames);
        variants_clear (&variants);
        for (size_t nbr = 0; nbr < golden->example_count; nbr++) {
            zmsg_t *message = variant_frames (&golden->examples [nbr]);
            s_keep_golden (self, message);
            zmsg_destroy (&message);
        }
    }
}

forge_t *
forge_new (foe_t *foe)
{
    //  A message may build on those of the files before
    static const char *const files [] = {
        "mdp-0.1.msg", "mdp-0.2.msg", "mmi.msg", "tsp.msg"
    };
    forge_t *self = (forge_t *) calloc (1, sizeof (forge_t));
    fixtures_t *fixtures = fixtures_new ();
    if (!self)
        abort ();
    self->foe = foe;
    for (size_t nbr = 0; nbr < sizeof files / sizeof *files; nbr++) {
        char path [4096];
        snprintf (path, sizeof path, "%s/%s", foe->fixtures, files [nbr]);
        if (fixtures_read (fixtures, path, stderr)) {
            fixtures_destroy (&fixtures);
            free (self);
            return NULL;
        }
    }
    s_keep_all (self, fixtures);
    fixtures_destroy (&fixtures);
    return self;
}

//  --------------------------------------------------------------------------
//  Frames

//  Mostly small, seldom large, once in a while more than the broker takes
static size_t
s_size (forge_t *self)
{
    uint64_t kind = s_chance (self, 20000);
    if (kind == 0)
        return self->foe->max_message + s_chance (self, 3) - 1;
    if (kind < 100)
        return s_chance (self, 65536);
    return s_chance (self, kind < 1500? 4096: 64);
}

static void
s_add_noise (forge_t *self, words_t *words, size_t size)
{
    unsigned char *noise = (unsigned char *) malloc (size + 8);
    if (!noise)
        abort ();
    for (size_t at = 0; at < size; at += 8) {
        uint64_t bits = s_chance (self, UINT64_MAX);
        memcpy (noise + at, &bits, 8);
    }
    words_add (words, noise, size);
    free (noise);
}

static void
s_add_body (forge_t *self, words_t *words)
{
    //  Seldom more frames than anybody takes
    size_t count = 1 + s_chance (self, s_chance (self, 2000)? 4: 5000);
    for (size_t nbr = 0; nbr < count; nbr++)
        s_add_noise (self, words, count > 4? s_chance (self, 4): s_size (self));
}

static void
s_add_service (forge_t *self, words_t *words)
{
    char name [64];
    unsigned number = (unsigned) s_chance (self, UINT32_MAX);
    switch (s_chance (self, 8)) {
        case 0:
            snprintf (name, sizeof name, "absent%u", number);
            break;
        case 1:
            snprintf (name, sizeof name, "absent%u", number % 20);
            break;
        case 2:
            snprintf (name, sizeof name, "mmi.%s",
                      number % 2? "service": "nothing");
            break;
        case 3:
        case 4:
            snprintf (name, sizeof name, "service%u", number % SERVICES);
            break;
        default:
            snprintf (name, sizeof name, "raid%u", number % RAIDS);
    }
    s_add_text (words, name);
}

//  One that has been seen, or its neighbour; or one that is made up
static void
s_add_learned (forge_t *self, words_t *words, const learned_t *learned,
               size_t count)
{
    if (count == 0 || s_chance (self, 5) == 0) {
        s_add_noise (self, words, s_chance (self, 40));
        return;
    }
    learned_t one = learned [s_chance (self, count < LEARNED_MAX?
                                                 count: LEARNED_MAX)];
    if (s_chance (self, 3) == 0)
        one.bytes [one.size - 1] += (unsigned char) (s_chance (self, 9) - 4);
    words_add (words, one.bytes, one.size);
}

//  --------------------------------------------------------------------------
//  Messages

static void
s_begin_request (forge_t *self, words_t *words)
{
    if (s_chance (self, 2)) {
        s_add_text (words, "");
        s_add_text (words, "MDPC01");
    }
    else {
        s_add_text (words, "MDPC02");
        words_add (words, "\1", 1);
    }
}

static void
s_request (forge_t *self, words_t *words)
{
    s_begin_request (self, words);
    s_add_service (self, words);
    s_add_body (self, words);
}

static void
s_titanic_request (forge_t *self, words_t *words)
{
    s_begin_request (self, words);
    switch (s_chance (self, 4)) {
        case 0:
            s_add_text (words, "titanic.reply");
            s_add_learned (self, words, self->ids, self->id_count);
            break;
        case 1:
            s_add_text (words, "titanic.close");
            s_add_learned (self, words, self->ids, self->id_count);
            break;
        default:
            s_add_text (words, "titanic.request");
            //  Sometimes what is to be executed is a request to Titanic again
            while (s_chance (self, 6) == 0)
                s_add_text (words, "titanic.request");
            s_add_service (self, words);
    }
    if (s_chance (self, 20))
        s_add_body (self, words);
}

//  What a worker says; type 0 is any number
static void
s_worker (forge_t *self, words_t *words, int type)
{
    unsigned char byte = (unsigned char) (type? (uint64_t) type
                                              : s_chance (self, 8));
    bool first = s_chance (self, 2);
    if (first)
        s_add_text (words, "");
    s_add_text (words, first? "MDPW01": "MDPW02");
    words_add (words, &byte, 1);
    if (byte == 1)
        s_add_service (self, words);
    if (byte == 2 || byte == 3 || (byte == 4 && !first)) {
        s_add_learned (self, words, self->addresses, self->address_count);
        s_add_text (words, "");
        s_add_body (self, words);
    }
}

static void
s_noise (forge_t *self, words_t *words)
{
    size_t count = 1 + s_chance (self, 12);
    for (size_t nbr = 0; nbr < count; nbr++)
        s_add_noise (self, words, s_chance (self, 3)? s_size (self): 0);
}

//  A golden message, or one with a thing or two changed
static void
s_golden (forge_t *self, words_t *words)
{
    const words_t *golden = &self->golden [s_chance (self,
                                                     self->golden_count)];
    size_t changes = s_chance (self, 3);
    for (size_t nbr = 0; nbr < golden->count; nbr++) {
        uint64_t what = changes && s_chance (self, 2)? 1 + s_chance (self, 4)
                                                     : 0;
        changes -= what > 0;
        if (what == 1)          //  It is left out
            continue;
        if (what == 2)
            s_add_noise (self, words, s_size (self));
        words_add (words, golden->frames [nbr].data, golden->frames [nbr].size);
        size_t size = golden->frames [nbr].size;
        if (what == 3 && size)
            words->frames [words->count - 1].data [s_chance (self, size)]
                = (unsigned char) s_chance (self, 256);
        if (what == 4)
            words->frames [words->count - 1].size = s_chance (self, size + 1);
    }
    if (words->count == 0)
        s_add_text (words, "");
}

//  --------------------------------------------------------------------------

static bool
s_begins (const words_t *words, size_t index, const void *start, size_t size)
{
    return index < words->count && words->frames [index].size >= size
        && memcmp (words->frames [index].data, start, size) == 0;
}

//  A READY that honest clients would have to suffer from
static bool
s_is_unfair (const words_t *words)
{
    size_t at = words->count && words->frames [0].size == 0? 1: 0;
    return s_begins (words, at, "MDPW0", 5) && s_begins (words, at + 1, "\1", 1)
        && (s_begins (words, at + 2, "service", 7)
         || s_begins (words, at + 2, "titanic.", 8));
}

words_t
forge_words (forge_t *self)
{
    words_t words = { 0 };
    do {
        words_clear (&words);
        uint64_t kind = s_chance (self, 100);
        if (kind < 35)
            s_request (self, &words);
        else
        if (kind < 55)
            s_titanic_request (self, &words);
        else
        if (kind < 65)
            s_worker (self, &words, 1);
        else
        if (kind < 72)
            s_worker (self, &words, 3);
        else
        if (kind < 80)
            s_worker (self, &words, 0);
        else
        if (kind < 93)
            s_golden (self, &words);
        else
            s_noise (self, &words);
    } while (s_is_unfair (&words));
    return words;
}

static void
s_remember (learned_t *learned, size_t *count, const void *bytes, size_t size)
{
    if (size == 0 || size > sizeof learned->bytes)
        return;
    learned_t *place = &learned [(*count)++ % LEARNED_MAX];
    memcpy (place->bytes, bytes, size);
    place->size = size;
}

void
forge_learn (forge_t *self, const words_t *words)
{
    size_t at = words->count && words->frames [0].size == 0? 1: 0;
    //  A REQUEST to a worker has the client's address
    if (s_begins (words, at, "MDPW0", 5) && at + 2 < words->count)
        s_remember (self->addresses, &self->address_count,
                    words->frames [at + 2].data, words->frames [at + 2].size);
    //  An answer of titanic.request has an id in the end
    if (s_begins (words, at, "MDPC0", 5)
    &&  words->frames [words->count - 1].size == 32)
        s_remember (self->ids, &self->id_count,
                    words->frames [words->count - 1].data, 32);
}
