/*  =========================================================================
    keep - what is kept of each scenario: transcript and what processes printed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <czmq.h>

#include "keep.h"

static int
s_complain (const char *path)
{
    fprintf (stderr, "seatrial: cannot keep %s: %s\n", path, strerror (errno));
    return -1;
}

int
keep_open (const char *directory)
{
    if (mkdir (directory, 0777) == 0 || errno == EEXIST)
        return 0;
    fprintf (stderr, "seatrial: cannot make the directory %s: %s\n", directory,
             strerror (errno));
    return -1;
}

//  The scenario's own directory, made; fresh. NULL after one line.
static char *
s_place (const char *directory, const char *scenario, size_t run)
{
    char *path = run? zsys_sprintf ("%s/%s/%zu", directory, scenario, run)
                    : zsys_sprintf ("%s/%s", directory, scenario);
    for (char *slash = path + strlen (directory); slash;
               slash = strchr (slash + 1, '/')) {
        *slash = 0;
        mkdir (path, 0777);
        *slash = '/';
    }
    if (mkdir (path, 0777) == 0 || errno == EEXIST)
        return path;
    s_complain (path);
    free (path);
    return NULL;
}

static int
s_copy (const char *from, const char *to)
{
    FILE *in = fopen (from, "r");
    FILE *out = in? fopen (to, "w"): NULL;
    char buffer [65536];
    size_t size;
    bool fine = out != NULL;
    while (fine && (size = fread (buffer, 1, sizeof buffer, in)) > 0)
        fine = fwrite (buffer, 1, size, out) == size;
    if (in)
        fclose (in);
    if (out && fclose (out))
        fine = false;
    return fine? 0: s_complain (to);
}

int
keep_logs (const char *directory, const char *scenario, size_t run,
           const char *logs)
{
    DIR *stream = opendir (logs);
    if (!stream)
        return 0;
    char *place = s_place (directory, scenario, run);
    int rc = place? 0: -1;
    struct dirent *entry;
    while (rc == 0 && (entry = readdir (stream))) {
        if (*entry->d_name == '.')
            continue;
        char *from = zsys_sprintf ("%s/%s", logs, entry->d_name);
        char *to = zsys_sprintf ("%s/%s", place, entry->d_name);
        rc = s_copy (from, to);
        free (from);
        free (to);
    }
    closedir (stream);
    free (place);
    return rc;
}

int
keep_result (const char *directory, const result_t *result, size_t run)
{
    char *place = s_place (directory, result->scenario, run);
    if (!place)
        return -1;
    char *path = zsys_sprintf ("%s/transcript.txt", place);
    free (place);
    FILE *file = fopen (path, "w");
    bool fine = file != NULL;
    if (file) {
        fprintf (file, "%s  %s\n%s\n", verdict_text (result->verdict),
                 result->scenario, result->title? result->title: "");
        if (result->reason)
            fprintf (file, "%s\n", result->reason);
        fprintf (file, "\n%s", result->transcript? result->transcript: "");
        fine = ferror (file) == 0;
        fine = fclose (file) == 0 && fine;
    }
    int rc = fine? 0: s_complain (path);
    free (path);
    return rc;
}
