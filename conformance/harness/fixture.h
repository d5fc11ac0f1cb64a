/*  =========================================================================
    fixture - golden messages, read from fixtures/

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef FIXTURE_H_INCLUDED
#define FIXTURE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "notation.h"

//  The peer that the harness plays, as a fixture sees it.
typedef enum {
    ROLE_CLIENT,
    ROLE_WORKER
} role_t;

const char *
    role_text (role_t role);

//  From the peer's side: it sends the message, or receives it.
typedef enum {
    WAY_FROM,
    WAY_TO
} way_t;

//  One golden message of a protocol. MMI and TSP are written in terms of MDP:
//  such a message is there once for each version of MDP that has its base.
typedef struct {
    const char *protocol;       //  "mdp/0.1", "mmi/0.1", "tsp/1.0"
    const char *version;        //  Of MDP: "mdp/0.1"
    char *name;                 //  "REQUEST", "titanic.reply"
    way_t way;
    role_t role;
    pattern_t pattern;          //  Its frames, parameters as names
    char **shows;               //  Ids of the requirements that are broken when
    size_t shows_count;         //  it does not come where it should, and the
                                //  script names none
    pattern_t *examples;        //  In exact bytes
    size_t example_count;
    const char *file;           //  Where it stands
    int line;
} golden_t;

typedef struct _fixtures_t fixtures_t;

fixtures_t *
    fixtures_new (void);
void
    fixtures_destroy (fixtures_t **self_p);

//  Read a *.msg file; a message may build on messages that were read before.
//  Returns how many mistakes there were, each told on errors; -1 when the file
//  cannot be read.
int
    fixtures_read (fixtures_t *self, const char *path, FILE *errors);

size_t
    fixtures_size (const fixtures_t *self);
const golden_t *
    fixtures_at (const fixtures_t *self, size_t index);

//  The versions of MDP that there are messages of, oldest first: a NULL behind
//  the last.
const char *const *
    fixtures_versions (const fixtures_t *self);

//  The message of a name for a role in a version of MDP, this way. NULL if there
//  is none.
const golden_t *
    fixtures_exact (const fixtures_t *self, const char *version,
                    const char *name, way_t way, role_t role);

//  The same; if there is none, the one that goes the other way, so that a script
//  can make a peer send what only the other side may send.
const golden_t *
    fixtures_find (const fixtures_t *self, const char *version,
                   const char *name, way_t way, role_t role);

//  What a message is, as a peer of this role sees it: of the golden ones that it
//  has the form of, the one with most frames in exact bytes. NULL if there is
//  none.
const golden_t *
    fixtures_recognise (const fixtures_t *self, const char *version, way_t way,
                        role_t role, zmsg_t *message);

//  The pattern of a message with arguments in the places of its parameters,
//  in order. Places without an argument stay open, unnamed. Puts the index
//  of the first argument that is too much into *excess, or SIZE_MAX.
pattern_t
    golden_fill (const golden_t *self, const term_t *arguments, size_t count,
                 size_t *excess);

#endif
