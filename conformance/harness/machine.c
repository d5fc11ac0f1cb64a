/*  =========================================================================
    machine - how much the machine has to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdio.h>
#include <unistd.h>

#include "machine.h"

machine_load_t
machine_load (void)
{
    unsigned long long ticks [8] = { 0 };
    FILE *file = fopen ("/proc/stat", "r");
    if (!file)
        return (machine_load_t) { 0, 0 };
    int got = fscanf (file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
        &ticks [0], &ticks [1], &ticks [2], &ticks [3], &ticks [4], &ticks [5],
        &ticks [6], &ticks [7]);
    fclose (file);
    machine_load_t load = { ticks [3] + ticks [4], 0 };
    for (int index = 0; index < got; index++)
        load.total += ticks [index];
    return load;
}

double
machine_idle (machine_load_t since)
{
    machine_load_t now = machine_load ();
    double total = (double) (now.total - since.total);
    return total > 0? (double) (now.idle - since.idle) / total: 1;
}

size_t
machine_runnable (void)
{
    //  Three averages, then those that run of all that there are
    size_t running;
    FILE *file = fopen ("/proc/loadavg", "r");
    if (!file)
        return 0;
    int got = fscanf (file, "%*s %*s %*s %zu/", &running);
    fclose (file);
    return got == 1? running: 0;
}

size_t
machine_cores (void)
{
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    return cores > 0? (size_t) cores: 1;
}
