/*  =========================================================================
    tool - what the command-line clients have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TOOL_H_INCLUDED
#define TOOL_H_INCLUDED

#include <stddef.h>

#include "../daemon/options.h"
#include "../protocol/message.h"
#include "client.h"

//  Longest time that can be set: a day.
#define TOOL_DAY_MS 86400000

//  Exit statuses.
enum {
    TOOL_OK = 0,
    TOOL_FAILED = 1,            //  No reply, or one that is an error
    TOOL_USAGE = 2,             //  Wrong command line
    TOOL_PENDING = 3            //  9/TSP: the reply is not there yet
};

//  Entries for tables of options.
#define TOOL_ENDPOINT_OPTION \
    { "endpoint", 'e', OPTION_STRING, "ENDPOINT", "where the broker is", \
      "tcp://127.0.0.1:5555", 0, 0 }
#define TOOL_MDP_OPTION \
    { "mdp", 0, OPTION_STRING, "VERSION", \
      "version of the Majordomo Protocol: 0.1 or 0.2", "0.1", 0, 0 }
#define TOOL_CLIENT_OPTIONS \
    TOOL_ENDPOINT_OPTION, \
    TOOL_MDP_OPTION, \
    { "timeout", 't', OPTION_NUMBER, "MS", \
      "milliseconds to wait for a reply before the request is sent again", \
      "2500", 1, TOOL_DAY_MS }, \
    { "retries", 'r', OPTION_NUMBER, "N", \
      "how often it is sent again", "3", 0, 1000 }
#define TOOL_LAST_OPTION { NULL, 0, OPTION_FLAG, NULL, NULL, NULL, 0, 0 }

//  The version that --mdp names. -1 after an error message.
int
    tool_version (const options_t *options, mdp_version_t *version);

//  A client as TOOL_CLIENT_OPTIONS say. NULL after an error message.
client_t *
    tool_client_new (const options_t *options);

//  The argument at index, if it is a service name. NULL after an error message.
const char *
    tool_service (const options_t *options, size_t index);

//  The arguments from number from on, at least one, as the frames of a body.
//  NULL after an error message.
message_t *
    tool_body (const options_t *options, size_t from);

//  A frame for people, to be freed: text as it is, if the locale can print all
//  of it; else 0x and hexadecimal digits. NULL when memory is out.
char *
    tool_frame_text (const frame_t *frame);

//  Print the frames from number from on, each on a line. 0, or -1 after an
//  error message.
int
    tool_print (const message_t *message, size_t from);

#endif
