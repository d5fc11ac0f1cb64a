/*  =========================================================================
    selection - which scenarios are meant: by name, by what they cover

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <fnmatch.h>
#include <string.h>
#include <czmq.h>

#include "selection.h"
#include "vector.h"

typedef enum {
    KIND_NAME,
    KIND_REQUIREMENT,
    KIND_LEVEL,
    KIND_ROLE,
    KIND_SPECIFICATION,
    KIND_EXCLUDE,
    KIND_COUNT
} selection_kind_t;

typedef struct {
    const char **values;
    size_t count;
} wishes_t;

struct _selection_t {
    wishes_t wishes [KIND_COUNT];
};

selection_t *
selection_new (void)
{
    return (selection_t *) zmalloc (sizeof (selection_t));
}

void
selection_destroy (selection_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        selection_t *self = *self_p;
        for (int kind = 0; kind < KIND_COUNT; kind++)
            free (self->wishes [kind].values);
        free (self);
        *self_p = NULL;
    }
}

static void
s_wish (selection_t *self, selection_kind_t kind, const char *value)
{
    vector_push (self->wishes [kind].values, self->wishes [kind].count, value);
}

bool
selection_option (selection_t *self, int option, const char *value)
{
    if (option < SELECTION_REQUIREMENT || option > SELECTION_EXCLUDE)
        return false;
    s_wish (self, (selection_kind_t) (KIND_REQUIREMENT + option
                                      - SELECTION_REQUIREMENT), value);
    return true;
}

void
selection_name (selection_t *self, const char *pattern)
{
    s_wish (self, KIND_NAME, pattern);
}

//  --------------------------------------------------------------------------
//  What one wish means

bool
selection_means (const char *pattern, const scenario_t *scenario)
{
    size_t size = strcspn (scenario->name, "@");
    char *name = strchr (pattern, '@')
        ? zsys_sprintf ("%.*s@%s", (int) size, scenario->name,
                        strchr (scenario->version, '/') + 1)
        : strndup (scenario->name, size);
    bool meant = fnmatch (pattern, name, 0) == 0;
    free (name);
    return meant;
}

static bool
s_fits (const requirement_t *requirement, selection_kind_t kind,
        const char *value)
{
    level_t level;
    switch (kind) {
        case KIND_REQUIREMENT:
            return fnmatch (value, requirement->id, 0) == 0;
        case KIND_LEVEL:
            return level_of (value, &level) && level == requirement->level;
        case KIND_ROLE:
            return streq (value, requirement->role);
        case KIND_SPECIFICATION:
            return streq (value, requirement_specification (requirement));
        default:
            return false;
    }
}

//  Any of one kind will do
static bool
s_meets (const selection_t *self, selection_kind_t kind,
         const requirement_t *requirement)
{
    const wishes_t *wishes = &self->wishes [kind];
    for (size_t index = 0; index < wishes->count; index++)
        if (s_fits (requirement, kind, wishes->values [index]))
            return true;
    return wishes->count == 0;
}

static bool
s_names (const selection_t *self, selection_kind_t kind,
         const scenario_t *scenario)
{
    const wishes_t *wishes = &self->wishes [kind];
    for (size_t index = 0; index < wishes->count; index++)
        if (selection_means (wishes->values [index], scenario))
            return true;
    return false;
}

//  One of the requirements must be all that is asked for: a MUST of Titanic's is
//  not a MUST beside something else of Titanic's
static bool
s_is_meant (const selection_t *self, const scenario_t *scenario)
{
    if (self->wishes [KIND_NAME].count && !s_names (self, KIND_NAME, scenario))
        return false;
    if (s_names (self, KIND_EXCLUDE, scenario))
        return false;
    for (size_t index = 0; index < scenario->cover_count; index++) {
        bool meets = true;
        for (int kind = KIND_REQUIREMENT; kind <= KIND_SPECIFICATION; kind++)
            meets = meets && s_meets (self, (selection_kind_t) kind,
                                      scenario->covers [index]);
        if (meets)
            return true;
    }
    return false;
}

//  --------------------------------------------------------------------------
//  What is not known

static bool
s_is_listed (const char *value, const char *const *list)
{
    for (; *list; list++)
        if (streq (*list, value))
            return true;
    return false;
}

static bool
s_is_known (const kit_t *kit, selection_kind_t kind, const char *value)
{
    level_t level;
    if (kind == KIND_LEVEL)
        return level_of (value, &level);
    if (kind == KIND_ROLE)
        return s_is_listed (value, requirement_roles);
    if (kind == KIND_SPECIFICATION)
        return s_is_listed (value, requirement_specifications);
    for (size_t index = 0; kind == KIND_REQUIREMENT
                        && index < catalogue_size (kit->catalogue); index++)
        if (s_fits (catalogue_at (kit->catalogue, index), kind, value))
            return true;
    for (size_t index = 0; kind != KIND_REQUIREMENT
                        && index < script_size (kit->script); index++)
        if (selection_means (value, script_at (kit->script, index)))
            return true;
    return false;
}

//  NULL when all is known
static const char *
s_find_unknown (const selection_t *self, const kit_t *kit,
                selection_kind_t *kind)
{
    for (int nbr = 0; nbr < KIND_COUNT; nbr++) {
        const wishes_t *wishes = &self->wishes [nbr];
        *kind = (selection_kind_t) nbr;
        for (size_t index = 0; index < wishes->count; index++)
            if (!s_is_known (kit, *kind, wishes->values [index]))
                return wishes->values [index];
    }
    return NULL;
}

static void
s_complain (FILE *errors, const char *command, selection_kind_t kind,
            const char *value)
{
    static const char *formats [KIND_COUNT] = {
        [KIND_NAME] = "no scenario is called %s; see seatrial list",
        [KIND_REQUIREMENT] = "--requirement: the catalogue has no %s; see "
            "seatrial coverage",
        [KIND_LEVEL] = "--level: there is no %s; there are MUST, MUST-NOT, RULE, "
            "SHOULD, SHOULD-NOT and MAY",
        [KIND_ROLE] = "--role: there is no %s; there are client, worker, broker "
            "and titanic",
        [KIND_SPECIFICATION] = "--specification: there is no %s; there are "
            "mdp/0.1, mdp/0.2, mmi/0.1 and tsp/1.0",
        [KIND_EXCLUDE] = "--exclude: no scenario is called %s; see seatrial list"
    };
    fprintf (errors, "seatrial %s: ", command);
    fprintf (errors, formats [kind], value);
    fputc ('\n', errors);
}

const scenario_t **
selection_make (const selection_t *self, const kit_t *kit,
                const char *command, size_t *count, FILE *errors)
{
    *count = 0;
    selection_kind_t kind;
    const char *unknown = s_find_unknown (self, kit, &kind);
    if (unknown) {
        s_complain (errors, command, kind, unknown);
        return NULL;
    }
    const scenario_t **scenarios = NULL;
    for (size_t index = 0; index < script_size (kit->script); index++) {
        const scenario_t *scenario = script_at (kit->script, index);
        if (s_is_meant (self, scenario))
            vector_push (scenarios, *count, scenario);
    }
    if (!scenarios)
        fprintf (errors, "seatrial %s: no scenario is all that was asked for; ask "
                 "for less, or see seatrial coverage\n", command);
    return scenarios;
}
