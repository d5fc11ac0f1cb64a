/*  =========================================================================
    report_json - the whole trial as JSON

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <czmq.h>

#include "document.h"
#include "report.h"

void *
report_json_new (const report_config_t *config)
{
    return document_new (config);
}

static void
s_finished (void *argument, const summary_t *summary)
{
    document_t *self = (document_t *) argument;
    json_t *json = document_finish (self, summary);
    json_dumpf (json, document_out (self), JSON_INDENT (1)
                | JSON_REAL_PRECISION (6));
    fputc ('\n', document_out (self));
    json_decref (json);
}

const reporter_t report_json = {
    .started = document_started, .result = document_result,
    .finished = s_finished, .destroy = document_destroy
};
