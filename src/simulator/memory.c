/*  =========================================================================
    memory - counts what is allocated, and lets it run out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

//  Names that the linker makes up: see --wrap in ld(1)
void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *piece, size_t size);
void __real_free (void *piece);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *piece, size_t size);
void __wrap_free (void *piece);

//  One program, one simulation at a time
static size_t s_pieces;
static size_t s_countdown;
static bool s_armed;
static bool s_ran_out;

static bool
s_fails (void)
{
    if (!s_armed || s_countdown == 0 || --s_countdown > 0)
        return false;
    s_ran_out = true;
    return true;
}

static void *
s_count (void *piece)
{
    if (piece)
        s_pieces++;
    return piece;
}

void *
__wrap_malloc (size_t size)
{
    return s_fails ()? NULL: s_count (__real_malloc (size));
}

void *
__wrap_calloc (size_t count, size_t size)
{
    return s_fails ()? NULL: s_count (__real_calloc (count, size));
}

void *
__wrap_realloc (void *piece, size_t size)
{
    if (s_fails ())
        return NULL;
    void *moved = __real_realloc (piece, size);
    return piece? moved: s_count (moved);
}

void
__wrap_free (void *piece)
{
    if (piece)
        s_pieces--;
    __real_free (piece);
}

size_t
memory_pieces (void)
{
    return s_pieces;
}

void
memory_fail_after (size_t count)
{
    s_countdown = count;
}

void
memory_arm (bool armed)
{
    s_armed = armed;
}

bool
memory_ran_out (void)
{
    bool ran_out = s_ran_out;
    s_ran_out = false;
    return ran_out;
}

void *
memory_need (void *piece)
{
    if (!piece) {
        fprintf (stderr, "simulate: cannot go on: out of memory; free some\n");
        exit (1);
    }
    return piece;
}
