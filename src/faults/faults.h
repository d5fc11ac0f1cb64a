/*  =========================================================================
    faults - allocations and store calls that fail when they are told to

    The linker puts these in the places of malloc, calloc, realloc, strdup and
    free in all objects of src/, and of the store's backends.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef FAULTS_H_INCLUDED
#define FAULTS_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "../store/store.h"

//  As ck_assert and ck_assert_msg, which write down where they are each time: that
//  would take longer than all else here. Check itself needs memory to tell.
#define MUST(condition)                                                     \
    do                                                                      \
        if (!(condition)) {                                                 \
            faults_disarm ();                                               \
            ck_abort_msg ("not true: %s", #condition);                      \
        }                                                                   \
    while (false)
#define MUST_TELL(condition, ...)                                           \
    do                                                                      \
        if (!(condition)) {                                                 \
            faults_disarm ();                                               \
            ck_abort_msg (__VA_ARGS__);                                     \
        }                                                                   \
    while (false)

typedef enum {
    FAULTS_ONCE,                //  That one fails, all later ones succeed
    FAULTS_LASTING,             //  That one fails and all later ones
    FAULTS_MODE_COUNT
} faults_mode_t;

//  Allocations and store calls count and fail only between these two, so that
//  a test can make what it needs for itself.
void
    faults_begin (void);
void
    faults_end (void);

//  Let allocation number nth from now, counted from 1, fail. SQLite's own count
//  too, after faults_sqlite.
void
    faults_arm (size_t nth, faults_mode_t mode);

//  Let all succeed again. Whether one has failed.
bool
    faults_disarm (void);

//  Blocks of memory that are in use, but those of SQLite.
size_t
    faults_blocks (void);

//  Put SQLite's memory under faults_arm. Once, before SQLite is used.
void
    faults_sqlite (void);

//  Let call number nth of a store's begin, apply, commit or read from now on
//  fail with this result; of libpq for a store in PostgreSQL, with libpq's.
void
    faults_arm_store (size_t nth, faults_mode_t mode, store_result_t result);

//  Let all succeed again. Whether one has failed.
bool
    faults_disarm_store (void);

//  A call that counts as one of a store's: whether it is to fail.
bool
    faults_call (void);

#endif
