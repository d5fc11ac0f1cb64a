/*  =========================================================================
    page - what HTML reports have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PAGE_H_INCLUDED
#define PAGE_H_INCLUDED

#include <stdio.h>
#include <jansson.h>

#include "markup.h"

//  A page that needs nothing from elsewhere: its head with style, its body and
//  main open. page_end closes it.
markup_t *
    page_begin (FILE *out, const char *title);
void
    page_end (markup_t **markup_p);

//  A verdict as a coloured word.
void
    page_verdict (markup_t *markup, const char *verdict);

//  A bar of the totals of a document, and what its colours stand for.
void
    page_totals (markup_t *markup, const json_t *totals);

//  Seaworthy or not, as large as it matters.
void
    page_judgement (markup_t *markup, const json_t *document);

#endif
