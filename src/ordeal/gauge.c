/*  =========================================================================
    gauge - what a process takes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "siege.h"

gauge_t
gauge_process (pid_t pid)
{
    gauge_t self = { 0 };
    char path [64], line [256];
    snprintf (path, sizeof path, "/proc/%d/status", (int) pid);
    FILE *status = fopen (path, "r");
    while (status && fgets (line, sizeof line, status)
    &&     sscanf (line, "VmRSS: %zu kB", &self.memory_kb) != 1);
    if (status)
        fclose (status);
    snprintf (path, sizeof path, "/proc/%d/fd", (int) pid);
    DIR *files = opendir (path);
    while (files && readdir (files))
        self.files++;
    if (files)
        closedir (files);
    //  . and ..
    self.files -= self.files < 2? self.files: 2;
    return self;
}

size_t
gauge_file (const char *path)
{
    struct stat status;
    return stat (path, &status)? 0: (size_t) status.st_size;
}
