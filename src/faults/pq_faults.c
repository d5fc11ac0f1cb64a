/*  =========================================================================
    pq_faults - calls of libpq that fail when they are told to

    libpq's own memory is out of our reach; what it says when that is out, or its
    server is gone, is not.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "config.h"

#include "faults.h"

#ifdef HAVE_LIBPQ

#include <libpq-fe.h>

//  name (parameters), which is called with (arguments), returns nothing when it fails
#define WRAP(type, name, parameters, arguments)                             \
    type __real_##name parameters;                                          \
    type __wrap_##name parameters;                                          \
    type                                                                    \
    __wrap_##name parameters                                                \
    {                                                                       \
        return faults_call ()? (type) 0: __real_##name arguments;           \
    }

WRAP (PGconn *, PQconnectdbParams,
      (const char *const *names, const char *const *values, int expand),
      (names, values, expand))
WRAP (int, PQsendQuery, (PGconn *connection, const char *sql),
      (connection, sql))
WRAP (int, PQsendPrepare,
      (PGconn *connection, const char *name, const char *sql, int count,
       const Oid *types),
      (connection, name, sql, count, types))
WRAP (int, PQsendQueryPrepared,
      (PGconn *connection, const char *name, int count,
       const char *const *values, const int *sizes, const int *formats,
       int format),
      (connection, name, count, values, sizes, formats, format))
WRAP (int, PQenterPipelineMode, (PGconn *connection), (connection))
WRAP (int, PQpipelineSync, (PGconn *connection), (connection))
WRAP (int, PQconsumeInput, (PGconn *connection), (connection))
WRAP (PGresult *, PQgetResult, (PGconn *connection), (connection))

#endif
