/*  =========================================================================
    tool - what the command-line clients have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TOOL_H_INCLUDED
#define TOOL_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <czmq.h>

#include "../daemon/options.h"
#include "mdp_client.h"

//  Longest time that can be set: a day.
#define TOOL_DAY_MS 86400000

//  Exit statuses.
enum {
    TOOL_OK = 0,
    TOOL_FAILED = 1,            //  No reply, or one that is an error
    TOOL_USAGE = 2,             //  Wrong command line
    TOOL_LATER = 3              //  Not now, maybe later: 9/TSP, the reply is
                                //  pending; 8/MMI, no worker serves this
};

//  Entries for tables of options.
#define TOOL_PEER_OPTIONS \
    { "endpoint", 'e', OPTION_STRING, "ENDPOINT", "where the broker is", \
      "tcp://127.0.0.1:5555", 0, 0 }, \
    { "mdp", 0, OPTION_STRING, "VERSION", \
      "version of the Majordomo Protocol: 0.1 or 0.2", "0.1", 0, 0 }, \
    { "curve-cert", 0, OPTION_STRING, "FILE", \
      "our own certificate, with its secret key; needs --curve-server", \
      NULL, 0, 0 }, \
    { "curve-server", 0, OPTION_STRING, "FILE", \
      "the broker's public certificate; needs --curve-cert", NULL, 0, 0 }
#define TOOL_CLIENT_OPTIONS \
    TOOL_PEER_OPTIONS, \
    { "timeout", 't', OPTION_NUMBER, "MS", \
      "milliseconds to wait for a reply before the request is sent again", \
      "2500", 1, TOOL_DAY_MS }, \
    { "retries", 'r', OPTION_NUMBER, "N", \
      "how often it is sent again", "3", 0, 1000 }, \
    { "file", 'f', OPTION_STRING, "FILE", \
      "one frame more, what is in the file; - is the standard input", NULL, \
      0, 0 }, \
    { "raw", 0, OPTION_FLAG, NULL, \
      "print the bytes of the reply as they are, without line ends", NULL, \
      0, 0 }
#define TOOL_LAST_OPTION { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }

//  Who we are and whom we trust, as the options say; both NULL when they say
//  nothing.
typedef struct {
    zcert_t *own;
    zcert_t *server;
} tool_keys_t;

//  0, or -1 after an error message and both are NULL.
int
    tool_keys_load (tool_keys_t *self, const options_t *options);
void
    tool_keys_clear (tool_keys_t *self);

//  Say why ..._set_curve failed, by errno.
void
    tool_no_curve (const options_t *options);

//  The version that --mdp names, NULL after an error message if there is none.
const char *
    tool_version (const options_t *options);

//  Say why nothing can be connected to.
void
    tool_no_connection (const options_t *options);

//  The argument at index, if it is a service name. NULL after an error message.
const char *
    tool_service (const options_t *options, size_t index);

//  The arguments from number from on, and what --file names, as the frames of a
//  body, at least one. NULL after an error message.
zmsg_t *
    tool_body (const options_t *options, size_t from);

//  A frame for people, to be freed: text as it is, if the locale can print all
//  of it; else 0x and hexadecimal digits. NULL when memory is out.
char *
    tool_frame_text (zframe_t *frame);

//  Print the frames, each on a line, or as --raw says. 0, or -1 after an error
//  message.
int
    tool_print (const options_t *options, zmsg_t *message);

#endif
