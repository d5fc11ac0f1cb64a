/*  =========================================================================
    command_export - golden messages, and how they can be wrong, for other test suites

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <czmq.h>
#include <jansson.h>

#include "command.h"
#include "kit.h"
#include "outfile.h"
#include "variant.h"

//  Longer examples, in bytes, are left out unless they are asked for
#define LONG_EXAMPLE 65536

static const char s_help [] =
"usage: seatrial export fixtures [OPTION]..\n"
"Write all golden messages, and malformed variants of each with the verdict that it\n"
"deserves, as JSON for the unit tests of any implementation. doc/fixtures.md shows\n"
"how to use it, doc/schema/fixtures.schema.json what it looks like.\n"
"\n"
"  -o, --output FILE         into a file, instead of standard output\n"
"      --long                also examples above 64 KiB: bodies of 1 MiB\n"
"      --data DIRECTORY      where spec, fixtures and conformance are\n"
"  -h, --help\n"
"\n"
"Exit status: 0 written, 2 wrong use, 3 it cannot be written.\n";

static json_t *
s_frames (zmsg_t *message)
{
    json_t *frames = json_array ();
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message)) {
        char *text = (char *) zmalloc (2 * zframe_size (frame) + 1);
        for (size_t index = 0; index < zframe_size (frame); index++)
            snprintf (text + 2 * index, 3, "%02x", zframe_data (frame) [index]);
        json_array_append_new (frames, json_string (text));
        free (text);
    }
    return frames;
}

static json_t *
s_examples (const golden_t *golden, bool with_long)
{
    json_t *examples = json_array ();
    for (size_t index = 0; index < golden->example_count; index++) {
        zmsg_t *message = variant_frames (&golden->examples [index]);
        if (with_long || zmsg_content_size (message) <= LONG_EXAMPLE)
            json_array_append_new (examples, s_frames (message));
        zmsg_destroy (&message);
    }
    return examples;
}

static json_t *
s_variants (const kit_t *kit, const golden_t *golden)
{
    variants_t variants = variants_make (kit->fixtures, golden);
    json_t *array = json_array ();
    for (size_t index = 0; index < variants.count; index++) {
        const variant_t *variant = &variants.variants [index];
        json_array_append_new (array, json_pack ("{s:s, s:o, s:s, s:s}",
            "name", variant->name, "frames", s_frames (variant->frames),
            "verdict", deserves_text (variant->deserves),
            "requirement", variant->requirement));
    }
    variants_clear (&variants);
    return array;
}

static json_t *
s_message (const kit_t *kit, const golden_t *golden, bool with_long)
{
    char *pattern = notation_pattern (&golden->pattern);
    json_t *json = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
        "name", golden->name, "protocol", golden->protocol,
        "version", golden->version,
        "direction", golden->way == WAY_FROM? "from": "to",
        "role", role_text (golden->role), "pattern", pattern,
        "examples", s_examples (golden, with_long),
        "variants", s_variants (kit, golden));
    assert (json);
    free (pattern);
    return json;
}

static int
s_export (const kit_t *kit, bool with_long, const char *path)
{
    outfile_t *file = path? outfile_open (path, stderr): NULL;
    if (path && !file)
        return EXIT_BROKEN;
    FILE *out = file? outfile_stream (file): stdout;
    json_t *messages = json_array ();
    for (size_t index = 0; index < fixtures_size (kit->fixtures); index++)
        json_array_append_new (messages, s_message (kit,
                               fixtures_at (kit->fixtures, index), with_long));
    json_t *json = json_pack ("{s:s, s:i, s:o}", "format", "seatrial fixtures",
                              "format_version", 1, "messages", messages);
    json_dumpf (json, out, JSON_INDENT (1));
    fputc ('\n', out);
    json_decref (json);
    return file && outfile_close (&file, stderr)? EXIT_BROKEN: EXIT_SEAWORTHY;
}

int
command_export (int argc, char *argv [])
{
    static const struct option options [] = {
        { "data", required_argument, NULL, 'd' },
        { "long", no_argument, NULL, 'l' },
        { "output", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };
    const char *data = NULL;
    const char *path = NULL;
    bool with_long = false;
    int option;
    while ((option = getopt_long (argc, argv, "o:h", options, NULL)) != -1) {
        if (option == 'd')
            data = optarg;
        else
        if (option == 'l')
            with_long = true;
        else
        if (option == 'o')
            path = optarg;
        else {
            fputs (option == 'h'? s_help: "see seatrial export --help\n",
                   option == 'h'? stdout: stderr);
            return option == 'h'? EXIT_SEAWORTHY: EXIT_USAGE;
        }
    }
    if (argc - optind != 1 || !streq (argv [optind], "fixtures")) {
        fputs ("seatrial export: what? there are fixtures; see seatrial export "
               "--help\n", stderr);
        return EXIT_USAGE;
    }
    kit_t *kit = kit_new (data, stderr);
    int status = kit && kit->mistakes == 0? s_export (kit, with_long, path)
                                          : EXIT_USAGE;
    kit_destroy (&kit);
    return status;
}
