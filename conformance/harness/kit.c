/*  =========================================================================
    kit - catalogue, fixtures and scenarios, all loaded and checked

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <czmq.h>

#include "kit.h"
#include "vector.h"

#ifndef PKGDATADIR
#define PKGDATADIR "/usr/local/share/seatrial"
#endif

typedef int (read_fn) (kit_t *self, const char *path, FILE *errors);

static bool
s_is_data (const char *directory)
{
    char *path = zsys_sprintf ("%s/conformance/scenarios", directory);
    bool found = access (path, X_OK) == 0;
    free (path);
    return found;
}

static char *
s_program_directory (void)
{
    char path [PATH_MAX];
    ssize_t size = readlink ("/proc/self/exe", path, sizeof path - 1);
    if (size < 0)
        return strdup (".");
    path [size] = 0;
    return strdup (dirname (path));
}

static char *
s_find_data (const kit_t *self, const char *directory)
{
    if (!directory)
        directory = getenv ("SEATRIAL_DATA");
    if (directory)
        return strdup (directory);
    if (s_is_data (self->bin))
        return strdup (self->bin);
    //  ci/setup builds in a folder below the sources
    char *above = zsys_sprintf ("%s/..", self->bin);
    if (s_is_data (above))
        return above;
    free (above);
    return strdup (PKGDATADIR);
}

static int
s_compare (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

//  Read all files of a folder that end so, in the order of their names
static void
s_read_folder (kit_t *self, const char *folder, const char *ending,
               read_fn *read_file, FILE *errors)
{
    char *directory = zsys_sprintf ("%s/%s", self->directory, folder);
    char **names = NULL;
    size_t count = 0;
    DIR *stream = opendir (directory);
    struct dirent *entry;
    while (stream && (entry = readdir (stream))) {
        const char *dot = strrchr (entry->d_name, '.');
        if (dot && streq (dot, ending))
            vector_push (names, count, strdup (entry->d_name));
    }
    if (stream)
        closedir (stream);
    if (count == 0) {
        fprintf (errors, "%s: there are no *%s files here\n", directory,
                 ending);
        self->mistakes++;
    }
    else
        qsort (names, count, sizeof *names, s_compare);
    for (size_t index = 0; index < count; index++) {
        char *path = zsys_sprintf ("%s/%s", directory, names [index]);
        int mistakes = read_file (self, path, errors);
        self->mistakes += mistakes < 0? 1: mistakes;
        free (path);
        free (names [index]);
    }
    free (names);
    free (directory);
}

static int
s_read_requirements (kit_t *self, const char *path, FILE *errors)
{
    return catalogue_read (self->catalogue, path, errors);
}

static int
s_read_fixture (kit_t *self, const char *path, FILE *errors)
{
    return fixtures_read (self->fixtures, path, errors);
}

static int
s_read_script (kit_t *self, const char *path, FILE *errors)
{
    return script_read (self->script, path, errors);
}

kit_t *
kit_new (const char *directory, FILE *errors)
{
    kit_t *self = (kit_t *) zmalloc (sizeof (kit_t));
    self->bin = s_program_directory ();
    char *found = s_find_data (self, directory);
    self->directory = realpath (found, NULL);
    if (!self->directory)
        self->directory = strdup (found);
    free (found);
    if (!s_is_data (self->directory)) {
        fprintf (errors, "seatrial: no conformance/scenarios in %s; name the "
                 "directory with --data or SEATRIAL_DATA\n", self->directory);
        kit_destroy (&self);
        return NULL;
    }
    self->catalogue = catalogue_new ();
    self->fixtures = fixtures_new ();
    self->script = script_new (self->fixtures, self->catalogue);
    s_read_folder (self, "spec", ".req", s_read_requirements, errors);
    s_read_folder (self, "fixtures", ".msg", s_read_fixture, errors);
    s_read_folder (self, "conformance/scenarios", ".sea", s_read_script,
                   errors);
    return self;
}

void
kit_destroy (kit_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        kit_t *self = *self_p;
        script_destroy (&self->script);
        fixtures_destroy (&self->fixtures);
        catalogue_destroy (&self->catalogue);
        free (self->directory);
        free (self->bin);
        free (self);
        *self_p = NULL;
    }
}

char *
kit_target_path (const kit_t *self, const char *target)
{
    if (strchr (target, '/') || strchr (target, '.'))
        return strdup (target);
    return zsys_sprintf ("%s/conformance/targets/%s.zpl", self->directory,
                         target);
}

static bool
s_is_covered (const kit_t *self, const requirement_t *requirement)
{
    for (size_t index = 0; index < script_size (self->script); index++) {
        const scenario_t *scenario = script_at (self->script, index);
        for (size_t nbr = 0; nbr < scenario->cover_count; nbr++)
            if (scenario->covers [nbr] == requirement)
                return true;
    }
    return false;
}

int
kit_check_coverage (const kit_t *self, FILE *errors)
{
    int missing = 0;
    for (size_t index = 0; index < catalogue_size (self->catalogue); index++) {
        const requirement_t *requirement = catalogue_at (self->catalogue,
                                                         index);
        if (!requirement->proved || s_is_covered (self, requirement))
            continue;
        fprintf (errors, "%s:%d: no scenario covers %s\n", requirement->file,
                 requirement->line, requirement->id);
        missing++;
    }
    return missing;
}
