/*  =========================================================================
    command_compare - several trials side by side

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <getopt.h>
#include <stdio.h>

#include "command.h"
#include "compare.h"
#include "outfile.h"

static const char s_help [] =
"usage: seatrial compare [--html FILE] REPORT REPORT..\n"
"Compare trials whose reports seatrial run --json has written: which scenarios\n"
"differ, and who breaks which requirement.\n"
"\n"
"      --html FILE           write a page too\n"
"  -h, --help\n"
"\n"
"Exit status: 0 no scenario differs, 1 some do, 2 wrong use or not a report,\n"
"3 the page cannot be written.\n";

static const struct option s_options [] = {
    { "html", required_argument, NULL, 'H' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 }
};

//  0, or -1 after one line
static int
s_write_page (const compare_t *compare, const char *path)
{
    outfile_t *file = outfile_open (path, stderr);
    if (!file)
        return -1;
    compare_write_page (compare, outfile_stream (file));
    return outfile_close (&file, stderr);
}

int
command_compare (int argc, char *argv [])
{
    const char *html = NULL;
    int option;
    while ((option = getopt_long (argc, argv, "h", s_options, NULL)) != -1) {
        if (option == 'h') {
            fputs (s_help, stdout);
            return EXIT_SEAWORTHY;
        }
        if (option != 'H') {
            fprintf (stderr, "see seatrial compare --help\n");
            return EXIT_USAGE;
        }
        html = optarg;
    }
    int count = argc - optind;
    if (count < 2 || count > SIDES_MAX) {
        fprintf (stderr, "seatrial compare: needs from 2 to %d reports, not %d; "
                 "see seatrial compare --help\n", SIDES_MAX, count);
        return EXIT_USAGE;
    }
    compare_t *compare = compare_new (argv + optind, (size_t) count, stderr);
    if (!compare)
        return EXIT_USAGE;
    int status = compare_differing (compare)? EXIT_UNSEAWORTHY: EXIT_SEAWORTHY;
    compare_write (compare, stdout);
    if (html && s_write_page (compare, html))
        status = EXIT_BROKEN;
    compare_destroy (&compare);
    return status;
}
