/*  =========================================================================
    options - settings from the command line and a ZPL file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE             //  getopt_long
#endif

#include "options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "(no version)"
#endif

//  Longest name of a setting in a file, with its sections.
#define NAME_MAX_SIZE 128

//  More of a file than this is not read.
#define FILE_MAX_SIZE 1000000

//  What getopt_long gives for the long options, above all letters.
#define LONG_BASE 1000

//  Options of every program; they follow the program's own.
static const option_t s_common [] = {
    { "config", 'c', OPTION_STRING, "FILE", "read settings from a ZPL file",
      NULL, 0, 0 },
    { "verbose", 'v', OPTION_FLAG, NULL, "say more", NULL, 0, 0 },
    { "help", 'h', OPTION_FLAG, NULL, "print this and stop", NULL, 0, 0 },
    { "version", 'V', OPTION_FLAG, NULL, "print the version and stop",
      NULL, 0, 0 }
};

#define COMMON_COUNT (sizeof (s_common) / sizeof (s_common [0]))

typedef struct {
    const option_t *option;     //  What it is a value of
    char *text;                 //  As given, NULL when it was not
    int64_t number;             //  OPTION_NUMBER
    int flag;                   //  OPTION_FLAG
} value_t;

struct _options_t {
    const char *program;        //  Its name, for messages
    size_t count;               //  Options, the program's own and the common
    value_t *values;            //  One for each
    size_t rest;                //  Arguments after the options
    char **arguments;           //  The arguments, borrowed from argv
};

static value_t *
s_find (const options_t *self, const char *name)
{
    for (size_t index = 0; index < self->count; index++)
        if (strcmp (self->values [index].option->name, name) == 0)
            return &self->values [index];
    return NULL;
}

//  The value of an option that the program has put in its table.
static const value_t *
s_value (const options_t *self, const char *name, option_type_t type)
{
    const value_t *value = s_find (self, name);
    assert (value && value->option->type == type);
    (void) type;
    return value;
}

static const char *
s_base_name (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash? slash + 1: path;
}

//  A value from somewhere: where is "--" or the name of a file with ": ".
//  0, or -1 after an error message.
static int
s_set (options_t *self, value_t *value, const char *where, const char *text)
{
    const option_t *option = value->option;
    if (option->type == OPTION_FLAG) {
        if (strcmp (text, "yes") && strcmp (text, "no")) {
            fprintf (stderr, "%s: %s%s must be yes or no, not '%s'\n",
                     self->program, where, option->name, text);
            return -1;
        }
        value->flag = strcmp (text, "yes") == 0;
    }
    else
    if (option->type == OPTION_NUMBER) {
        char *end;
        errno = 0;
        value->number = strtoll (text, &end, 10);
        if (errno || end == text || *end
        ||  strspn (text, "-0123456789") != strlen (text)
        ||  value->number < option->low || value->number > option->high) {
            fprintf (stderr, "%s: %s%s must be a whole number from %" PRId64
                     " to %" PRId64 ", not '%s'\n", self->program, where,
                     option->name, option->low, option->high, text);
            return -1;
        }
    }
    char *copy = strdup (text);
    if (!copy) {
        fprintf (stderr, "%s: out of memory\n", self->program);
        return -1;
    }
    free (value->text);
    value->text = copy;
    return 0;
}

//  Take over the settings under a node of a ZPL file. What the command line
//  has said stays. 0, or -1 after an error message.
static int
s_read_section (options_t *self, const char *where, zconfig_t *section,
                const char *prefix)
{
    for (zconfig_t *node = zconfig_child (section); node;
         node = zconfig_next (node)) {
        char name [NAME_MAX_SIZE];
        int size = snprintf (name, sizeof (name), "%s%s%s", prefix,
                             *prefix? "-": "", zconfig_name (node));
        bool fits = size > 0 && (size_t) size < sizeof (name);
        if (fits && zconfig_child (node)) {
            if (s_read_section (self, where, node, name))
                return -1;
            continue;
        }
        value_t *value = fits? s_find (self, name): NULL;
        if (!value || strcmp (name, "config") == 0
        ||  strcmp (name, "help") == 0 || strcmp (name, "version") == 0) {
            fprintf (stderr, "%s: %sunknown setting %s; --help lists those "
                     "that there are\n", self->program, where, name);
            return -1;
        }
        if (!value->text
        &&  s_set (self, value, where, zconfig_value (node)))
            return -1;
    }
    return 0;
}

static int
s_read_file (options_t *self, const char *path)
{
    struct stat status;
    int rc = access (path, R_OK) || stat (path, &status)? errno: 0;
    if (rc == 0 && S_ISDIR (status.st_mode))
        rc = EISDIR;
    if (rc) {
        fprintf (stderr, "%s: cannot read %s: %s; check --config\n",
                 self->program, path, strerror (rc));
        return -1;
    }
    zsys_set_logstream (stderr);    //  Where it tells the line that is wrong
    zchunk_t *text = zchunk_slurp (path, FILE_MAX_SIZE);
    zconfig_t *root = text? zconfig_chunk_load (text): NULL;
    zchunk_destroy (&text);
    if (!root) {
        fprintf (stderr, "%s: cannot read %s: not a ZPL file; check "
                 "--config\n", self->program, path);
        return -1;
    }
    char where [512];
    snprintf (where, sizeof (where), "%s: ", path);
    rc = s_read_section (self, where, root, "");
    zconfig_destroy (&root);
    return rc;
}

static int
s_set_fallbacks (options_t *self)
{
    for (size_t index = 0; index < self->count; index++) {
        value_t *value = &self->values [index];
        if (!value->text && value->option->fallback
        &&  s_set (self, value, "--", value->option->fallback))
            return -1;
    }
    return 0;
}

static void
s_print_option (const option_t *option)
{
    char left [64];
    char letter [8] = "    ";
    if (option->letter)
        snprintf (letter, sizeof (letter), "-%c, ", option->letter);
    snprintf (left, sizeof (left), "%s--%s%s%s", letter, option->name,
              option->argument? " ": "",
              option->argument? option->argument: "");
    printf ("  %-32s %s", left, option->help);
    if (option->fallback && *option->fallback)
        printf (" (%s)", option->fallback);
    printf ("\n");
}

static void
s_print_help (const options_t *self, const char *arguments,
              const char *summary)
{
    printf ("usage: %s [OPTION...]%s%s\n%s\n\n", self->program,
            arguments && *arguments? " ": "", arguments? arguments: "",
            summary);
    for (size_t index = 0; index < self->count; index++)
        s_print_option (self->values [index].option);
    printf ("\nIn a ZPL file a setting has the same name without the dashes "
            "in front.\n");
}

//  What getopt_long needs to know. 0, or -1 when memory is out.
static int
s_getopt_tables (const options_t *self, struct option **longs_p,
                 char **shorts_p)
{
    *longs_p = calloc (self->count + 1, sizeof (struct option));
    *shorts_p = calloc (self->count + 1, 3);
    if (!*longs_p || !*shorts_p)
        return -1;
    //  A colon first makes getopt_long silent and tell what is wrong
    char *letters = *shorts_p;
    *letters++ = ':';
    for (size_t index = 0; index < self->count; index++) {
        const option_t *option = self->values [index].option;
        bool has_argument = option->type != OPTION_FLAG;
        (*longs_p) [index] = (struct option) {
            .name = option->name,
            .has_arg = has_argument? required_argument: no_argument,
            .val = LONG_BASE + (int) index
        };
        if (option->letter) {
            *letters++ = option->letter;
            if (has_argument)
                *letters++ = ':';
        }
    }
    return 0;
}

static value_t *
s_find_code (const options_t *self, int code)
{
    if (code >= LONG_BASE)
        return &self->values [code - LONG_BASE];
    for (size_t index = 0; index < self->count; index++)
        if (self->values [index].option->letter == code)
            return &self->values [index];
    return NULL;
}

//  Say what getopt_long did not like.
static void
s_print_wrong (const options_t *self, int code, char *argv [])
{
    char letter [3] = { '-', (char) optopt, 0 };
    const char *name = optopt > 0 && optopt < LONG_BASE?
        letter: argv [optind - 1];
    if (code == ':')
        fprintf (stderr, "%s: option %s needs an argument; try --help\n",
                 self->program, name);
    else
    if (optopt >= LONG_BASE)
        fprintf (stderr, "%s: option %s takes no argument; try --help\n",
                 self->program, name);
    else
        fprintf (stderr, "%s: unknown option %s; try --help\n",
                 self->program, name);
}

//  0, or -1 after an error message.
static int
s_read_command_line (options_t *self, int argc, char *argv [])
{
    struct option *longs;
    char *shorts;
    int rc = s_getopt_tables (self, &longs, &shorts);
    if (rc)
        fprintf (stderr, "%s: out of memory\n", self->program);
    optind = 0;                 //  Start afresh
    int code;
    while (rc == 0
    &&    (code = getopt_long (argc, argv, shorts, longs, NULL)) != -1) {
        value_t *value = code == ':' || code == '?'?
            NULL: s_find_code (self, code);
        if (value)
            rc = s_set (self, value, "--", optarg? optarg: "yes");
        else {
            s_print_wrong (self, code, argv);
            rc = -1;
        }
    }
    self->rest = (size_t) (argc - optind);
    self->arguments = argv + optind;
    free (longs);
    free (shorts);
    return rc;
}

//  All options, without values. NULL after an error message.
static options_t *
s_options_alloc (const char *program, const option_t *table)
{
    size_t own = 0;
    while (table [own].name)
        own++;
    options_t *self = calloc (1, sizeof (options_t));
    if (self) {
        self->program = s_base_name (program);
        self->values = calloc (own + COMMON_COUNT, sizeof (value_t));
    }
    if (!self || !self->values) {
        fprintf (stderr, "%s: out of memory\n", s_base_name (program));
        free (self);
        return NULL;
    }
    self->count = own + COMMON_COUNT;
    for (size_t index = 0; index < self->count; index++)
        self->values [index].option = index < own?
            &table [index]: &s_common [index - own];
    return self;
}

options_t *
options_new (int argc, char *argv [], const option_t *table,
             const char *arguments, const char *summary,
             options_result_t *result)
{
    assert (argc > 0 && argv && table && summary && result);
    *result = OPTIONS_WRONG;
    options_t *self = s_options_alloc (argv [0], table);
    if (!self)
        return NULL;
    if (s_read_command_line (self, argc, argv) == 0) {
        const char *path = options_string (self, "config");
        if (options_flag (self, "help")) {
            s_print_help (self, arguments, summary);
            *result = OPTIONS_DONE;
        }
        else
        if (options_flag (self, "version")) {
            printf ("%s (seatrial) %s\n", self->program, PACKAGE_VERSION);
            *result = OPTIONS_DONE;
        }
        else
        if ((!path || s_read_file (self, path) == 0)
        &&  s_set_fallbacks (self) == 0)
            *result = OPTIONS_RUN;
    }
    if (*result != OPTIONS_RUN)
        options_destroy (&self);
    return self;
}

void
options_destroy (options_t **self_p)
{
    assert (self_p);
    options_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t index = 0; index < self->count; index++)
        free (self->values [index].text);
    free (self->values);
    free (self);
}

int64_t
options_number (const options_t *self, const char *name)
{
    return s_value (self, name, OPTION_NUMBER)->number;
}

const char *
options_string (const options_t *self, const char *name)
{
    return s_value (self, name, OPTION_STRING)->text;
}

int
options_flag (const options_t *self, const char *name)
{
    return s_value (self, name, OPTION_FLAG)->flag;
}

size_t
options_rest (const options_t *self)
{
    return self->rest;
}

const char *
options_argument (const options_t *self, size_t index)
{
    return index < self->rest? self->arguments [index]: NULL;
}

static bool
s_is_among (const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp (*names, name) == 0)
            return true;
    return false;
}

size_t
options_differences (const options_t *self, const options_t *other,
                     const char *const *names, int among,
                     char *text, size_t size)
{
    assert (self->count == other->count && size > 0);
    size_t count = 0;
    size_t used = 0;
    *text = 0;
    for (size_t index = 0; index < self->count; index++) {
        const option_t *option = self->values [index].option;
        const char *value = other->values [index].text;
        const char *before = self->values [index].text;
        if (option->type == OPTION_FLAG) {  //  Not given is no
            value = other->values [index].flag? "yes": "no";
            before = self->values [index].flag? "yes": "no";
        }
        if (s_is_among (option->name, names) != (among != 0)
        ||  strcmp (value? value: "", before? before: "") == 0)
            continue;
        int written = snprintf (text + used, size - used, "%s%s %s",
                                count++? ", ": "", option->name,
                                value && *value? value: "\"\"");
        used += written > 0 && (size_t) written < size - used
            ? (size_t) written: 0;
    }
    return count;
}
