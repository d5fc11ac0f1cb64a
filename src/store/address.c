/*  =========================================================================
    address - which backend an address of a store is for

    Alone, so that what opens no store is linked with no database: mdpbroker.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"

static bool
s_is_postgresql (const char *address)
{
    return strncmp (address, "postgresql://", 13) == 0
        || strncmp (address, "postgres://", 11) == 0;
}

//  Which one the address is for, and what it is to open; NULL if none
static const backend_t *
s_find_backend (const char **path)
{
    if (strcmp (*path, "memory:") == 0)
        return &backend_memory;
    if (strncmp (*path, "sqlite:", 7) == 0) {
        *path += 7;
        return &backend_sqlite;
    }
#ifdef HAVE_LIBPQ
    if (s_is_postgresql (*path))
        return &backend_postgresql;
#endif
    return strstr (*path, "://")? NULL: &backend_sqlite;
}

store_t *
store_open (const char *address, store_result_t *result,
            char *error, size_t size)
{
    const char *path = address;
    const backend_t *backend = s_find_backend (&path);
    if (backend)
        return store_new (backend, path, result, error, size);
    *result = STORE_FAILED;
    //  There may be a password behind the scheme
    snprintf (error, size, "cannot open store %.*s://...: %s",
        (int) strcspn (address, ":"), address, s_is_postgresql (address)
        ? "this titanicd was built without PostgreSQL; build it with libpq"
        : "there are sqlite:PATH, postgresql://... and memory: only");
    return NULL;
}
