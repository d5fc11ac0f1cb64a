/*  =========================================================================
    report - what people and machines are told, as callbacks on events

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef REPORT_H_INCLUDED
#define REPORT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "catalogue.h"
#include "profile.h"
#include "result.h"
#include "summary.h"

//  Under which the trial takes place, for the record. All is borrowed.
typedef struct {
    const char *version;        //  Of this program
    const char *started;        //  When, "2026-11-25T12:00:00Z"
    bool strict, isolated;
    double scale;
    size_t side_by_side;
    char *const *arguments;     //  Of seatrial run
    size_t argument_count;
} conditions_t;

//  A reporter is a constant table of functions on one state; any may be NULL.
//  Events come in the order of completion, in one thread.
typedef struct {
    void (*started) (void *self, const char *target, const summary_t *summary);
    //  Something changed while scenarios run; running names some of them
    void (*progress) (void *self, const summary_t *summary,
                      const char *running);
    void (*result) (void *self, const result_t *result,
                    const summary_t *summary);
    void (*finished) (void *self, const summary_t *summary);
    void (*destroy) (void **self_p);
} reporter_t;

typedef struct {
    FILE *out;                  //  Where it goes
    bool color;                 //  Console: ANSI colours
    bool terminal;              //  Console: a progress line that is rewritten
    bool verbose;               //  Console: transcript of passing ones too
    int width;                  //  Console: columns
    const catalogue_t *catalogue;   //  Words and section of requirements
    const profile_t *profile;   //  JSON, HTML: what is tried; or NULL
    conditions_t conditions;    //  JSON, HTML
} report_config_t;

//  For people: one line a scenario as verdicts come (a green one is short), all
//  details of anything but PASS, a summary with SKIPs counted by reason.
extern const reporter_t report_console;
//  For automake and others: TAP version 14, diagnostics as YAML.
extern const reporter_t report_tap;
//  For CI servers: JUnit XML, written with libxml2's writer when finished.
extern const reporter_t report_junit;
//  For programs: all that is known, as doc/schema/report.schema.json has it.
extern const reporter_t report_json;
//  For people: one page that needs nothing else, with sequence charts.
extern const reporter_t report_html;

//  State for each; the configuration is copied, what it points to is borrowed.
void *
    report_console_new (const report_config_t *config);
void *
    report_tap_new (const report_config_t *config);
void *
    report_junit_new (const report_config_t *config);
void *
    report_json_new (const report_config_t *config);
void *
    report_html_new (const report_config_t *config);

#endif
