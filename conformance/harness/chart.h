/*  =========================================================================
    chart - a sequence chart of a scenario, as SVG

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef CHART_H_INCLUDED
#define CHART_H_INCLUDED

#include <jansson.h>

#include "markup.h"

//  Draw the transcript of a scenario of a document: a lane for each actor and one
//  for the other side in the middle, a row for each message or note, heartbeats in
//  a row as one. What is offending stands out.
void
    chart_draw (markup_t *markup, const json_t *scenario);

//  The same as text: a line for each event.
void
    chart_write (markup_t *markup, const json_t *scenario);

#endif
