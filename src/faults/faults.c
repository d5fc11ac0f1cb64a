/*  =========================================================================
    faults - allocations and store calls that fail when they are told to

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "faults.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../store/backend.h"

//  What counts down to a failure
typedef struct {
    size_t left;                //  Until it fails; 0: nothing fails any more
    faults_mode_t mode;
    bool failed;                //  One has
} countdown_t;

static countdown_t s_memory;
static countdown_t s_calls;
static store_result_t s_call_result;
static atomic_bool s_begun;
static atomic_size_t s_blocks;
//  Over both countdowns: what is tried may have threads
static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;

//  Made by the linker
void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *old, size_t size);
void __real_free (void *block);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *old, size_t size);
char *__wrap_strdup (const char *text);
void __wrap_free (void *block);

static bool
s_fails (countdown_t *self)
{
    if (!s_begun)
        return false;
    pthread_mutex_lock (&s_mutex);
    bool fails = self->left == 1;
    if (self->left > 1 || (fails && self->mode == FAULTS_ONCE))
        self->left--;
    self->failed = self->failed || fails;
    pthread_mutex_unlock (&s_mutex);
    return fails;
}

static bool
s_no_memory (void)
{
    if (!s_fails (&s_memory))
        return false;
    errno = ENOMEM;
    return true;
}

static void *
s_count (void *block)
{
    s_blocks += block != NULL;
    return block;
}

void *
__wrap_malloc (size_t size)
{
    return s_no_memory ()? NULL: s_count (__real_malloc (size));
}

void *
__wrap_calloc (size_t count, size_t size)
{
    return s_no_memory ()? NULL: s_count (__real_calloc (count, size));
}

void *
__wrap_realloc (void *old, size_t size)
{
    if (s_no_memory ())
        return NULL;
    void *block = __real_realloc (old, size);
    s_blocks += !old && block;
    return block;
}

char *
__wrap_strdup (const char *text)
{
    char *copy = (char *) __wrap_malloc (strlen (text) + 1);
    return copy? strcpy (copy, text): NULL;
}

void
__wrap_free (void *block)
{
    s_blocks -= block != NULL;
    __real_free (block);
}

static void
s_arm (countdown_t *self, size_t nth, faults_mode_t mode)
{
    pthread_mutex_lock (&s_mutex);
    *self = (countdown_t) { nth, mode, false };
    pthread_mutex_unlock (&s_mutex);
}

static bool
s_disarm (countdown_t *self)
{
    pthread_mutex_lock (&s_mutex);
    bool failed = self->failed;
    *self = (countdown_t) { 0, FAULTS_ONCE, false };
    pthread_mutex_unlock (&s_mutex);
    return failed;
}

void
faults_arm (size_t nth, faults_mode_t mode)
{
    s_arm (&s_memory, nth, mode);
}

void
faults_begin (void)
{
    assert (!s_begun);
    s_begun = true;
}

void
faults_end (void)
{
    assert (s_begun);
    s_begun = false;
}

bool
faults_disarm (void)
{
    return s_disarm (&s_memory);
}

size_t
faults_blocks (void)
{
    return s_blocks;
}

//  --------------------------------------------------------------------------
//  SQLite

static void *
s_sqlite_malloc (int size)
{
    return s_no_memory ()? NULL: __real_malloc ((size_t) size);
}

static void *
s_sqlite_realloc (void *old, int size)
{
    return s_no_memory ()? NULL: __real_realloc (old, (size_t) size);
}

static int
s_sqlite_size (void *block)
{
    return (int) malloc_usable_size (block);
}

static int
s_sqlite_round (int size)
{
    return (size + 7) & ~7;
}

static int
s_sqlite_init (void *unused)
{
    (void) unused;
    return SQLITE_OK;
}

static void
s_sqlite_shutdown (void *unused)
{
    (void) unused;
}

void
faults_sqlite (void)
{
    static const sqlite3_mem_methods methods = {
        s_sqlite_malloc, __real_free, s_sqlite_realloc, s_sqlite_size,
        s_sqlite_round, s_sqlite_init, s_sqlite_shutdown, NULL
    };
    int rc = sqlite3_config (SQLITE_CONFIG_MALLOC, &methods);
    assert (rc == SQLITE_OK);
    (void) rc;
}

//  --------------------------------------------------------------------------
//  Stores

void
faults_arm_store (size_t nth, faults_mode_t mode, store_result_t result)
{
    s_call_result = result;
    s_arm (&s_calls, nth, mode);
}

bool
faults_disarm_store (void)
{
    return s_disarm (&s_calls);
}

bool
faults_call (void)
{
    return s_fails (&s_calls);
}

//  Backends that stand before the real ones. A call that fails has done nothing.
extern const backend_t __real_backend_memory;
extern const backend_t __real_backend_sqlite;
extern const backend_t __wrap_backend_memory;
extern const backend_t __wrap_backend_sqlite;

static const backend_t *s_real; //  Of the store that was opened last

static void *
s_open_memory (const char *path, store_result_t *result, char *error,
               size_t size)
{
    s_real = &__real_backend_memory;
    return s_real->open (path, result, error, size);
}

static void *
s_open_sqlite (const char *path, store_result_t *result, char *error,
               size_t size)
{
    s_real = &__real_backend_sqlite;
    return s_real->open (path, result, error, size);
}

static void
s_close (void *self)
{
    s_real->close (self);
}

static store_result_t
s_begin (void *self)
{
    return s_fails (&s_calls)? s_call_result: s_real->begin (self);
}

static store_result_t
s_apply (void *self, const store_query_t *query)
{
    return s_fails (&s_calls)? s_call_result: s_real->apply (self, query);
}

static store_result_t
s_commit (void *self)
{
    return s_fails (&s_calls)? s_call_result: s_real->commit (self);
}

static void
s_rollback (void *self)
{
    s_real->rollback (self);
}

static store_result_t
s_read (void *self, const store_query_t *query, store_answer_t *answer)
{
    return s_fails (&s_calls)? s_call_result
         : s_real->read (self, query, answer);
}

static const char *
s_error (const void *self)
{
    return s_real->error (self);
}

const backend_t __wrap_backend_memory = {
    .open = s_open_memory, .close = s_close, .apply = s_apply, .read = s_read,
    .error = s_error
};

const backend_t __wrap_backend_sqlite = {
    .open = s_open_sqlite, .close = s_close, .begin = s_begin,
    .apply = s_apply, .commit = s_commit, .rollback = s_rollback,
    .read = s_read, .error = s_error
};
