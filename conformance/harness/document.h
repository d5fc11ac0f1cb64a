/*  =========================================================================
    document - a whole trial as JSON, which JSON and HTML reports are made of

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef DOCUMENT_H_INCLUDED
#define DOCUMENT_H_INCLUDED

#include <jansson.h>

#include "report.h"

//  Its form is doc/schema/report.schema.json. A change that readers must know of
//  makes a new version.
#define DOCUMENT_FORMAT "seatrial-report"
#define DOCUMENT_VERSION 1

//  Collects a trial. Its first functions are those of a reporter (report.h).
typedef struct _document_t document_t;

document_t *
    document_new (const report_config_t *config);
void
    document_destroy (void **self_p);
void
    document_started (void *self, const char *target, const summary_t *summary);
void
    document_result (void *self, const result_t *result,
                     const summary_t *summary);

//  Where the report goes.
FILE *
    document_out (const document_t *self);

//  The JSON, scenarios in the order of their names. The caller owns it.
json_t *
    document_finish (document_t *self, const summary_t *summary);

//  Read a report. NULL, after one line on errors that starts with the command,
//  when it cannot be read or is none.
json_t *
    document_load (const char *path, const char *command, FILE *errors);

//  A string, a number at a name of an object; "" and 0 where there is none.
const char *
    document_text (const json_t *json, const char *name);
int64_t
    document_number (const json_t *json, const char *name);

#endif
