/*  =========================================================================
    options - settings from the command line and a ZPL file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef OPTIONS_H_INCLUDED
#define OPTIONS_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

typedef enum {
    OPTION_FLAG,                //  Present or not; "yes" or "no" in a file
    OPTION_NUMBER,              //  A whole number between low and high
    OPTION_STRING
} option_type_t;

//  One setting. The long name is the command-line option (--name) and the ZPL
//  path (name, or section/name where the name has a dash before a section).
//  A command line beats a file, a file beats the default.
typedef struct {
    const char *name;
    char letter;                //  Short option, 0 for none
    option_type_t type;
    const char *argument;       //  What the argument is: "MS", "ENDPOINT"
    const char *help;           //  One line, with the unit
    const char *fallback;       //  Default as text, NULL for none
    int64_t low, high;          //  OPTION_NUMBER
} option_t;

typedef enum {
    OPTIONS_RUN,                //  All is well: go on
    OPTIONS_DONE,               //  --help or --version was printed: exit 0
    OPTIONS_WRONG               //  One line of error was printed: exit 2
} options_result_t;

typedef struct _options_t options_t;

//  Read the command line, and the file named by -c/--config if any. Every
//  program also knows -h/--help, -V/--version, -v/--verbose and -c/--config. In
//  *result what to do next; NULL unless that is OPTIONS_RUN. An unknown option
//  on the command line or an unknown setting in the file is an error that
//  names it. table ends with an entry whose name is NULL and must outlive
//  the options. summary and arguments make the help: "usage: PROGRAM arguments".
options_t *
    options_new (int argc, char *argv [], const option_t *table,
                 const char *arguments, const char *summary,
                 options_result_t *result);
void
    options_destroy (options_t **self_p);

int64_t
    options_number (const options_t *self, const char *name);
const char *
    options_string (const options_t *self, const char *name);
int
    options_flag (const options_t *self, const char *name);

//  Write which settings have another value in other, as "name value, ..." into
//  text of size bytes, and return how many. among: only those in names, which end
//  with NULL; else only those that are not in names.
size_t
    options_differences (const options_t *self, const options_t *other,
                         const char *const *names, int among,
                         char *text, size_t size);

//  What stands after the options on the command line: count and each, borrowed.
size_t
    options_rest (const options_t *self);
const char *
    options_argument (const options_t *self, size_t index);

#endif
