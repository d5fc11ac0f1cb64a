/*  =========================================================================
    tool - what the command-line clients have in common

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "tool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include <zmq.h>

#include "../protocol/mdp.h"
#include "wire.h"

int
tool_version (const options_t *options, mdp_version_t *version)
{
    const char *text = options_string (options, "mdp");
    *version = mdp_version_of (text);
    if (*version < MDP_VERSION_COUNT)
        return 0;
    wire_notice ("--mdp %s is no version; there are 0.1 and 0.2", text);
    return -1;
}

client_t *
tool_client_new (const options_t *options)
{
    mdp_version_t version;
    if (tool_version (options, &version))
        return NULL;
    const char *endpoint = options_string (options, "endpoint");
    client_t *client = client_new (endpoint);
    if (!client) {
        wire_notice ("cannot connect to %s: %s; write --endpoint as "
                     "tcp://ADDRESS:PORT", endpoint, zmq_strerror (errno));
        return NULL;
    }
    client_set_version (client, version);
    client_set_timeout (client, options_number (options, "timeout"));
    client_set_retries (client, options_number (options, "retries"));
    client_set_verbose (client, options_flag (options, "verbose") != 0);
    return client;
}

const char *
tool_service (const options_t *options, size_t index)
{
    const char *service = options_argument (options, index);
    if (!service) {
        wire_notice ("no service; try --help");
        return NULL;
    }
    if (mdp_check_service (service, strlen (service)) != MDP_OK) {
        wire_notice ("no service has this name: 1 to %d bytes, no control "
                     "characters", MDP_SERVICE_MAX);
        return NULL;
    }
    return service;
}

message_t *
tool_body (const options_t *options, size_t from)
{
    if (options_rest (options) <= from) {
        wire_notice ("no frame; try --help");
        return NULL;
    }
    message_t *body = message_new ();
    for (size_t index = from; body && index < options_rest (options); index++)
        if (message_add_string (body, options_argument (options, index)))
            message_destroy (&body);
    if (!body)
        wire_notice ("out of memory");
    return body;
}

static bool
s_printable (const frame_t *frame)
{
    const char *data = (const char *) frame_data (frame);
    size_t left = frame_size (frame);
    mbstate_t state;
    memset (&state, 0, sizeof (state));
    while (left) {
        wchar_t character;
        size_t size = mbrtowc (&character, data, left, &state);
        //  0 for NUL, and both errors are above all sizes
        if (size == 0 || size > left || !iswprint ((wint_t) character))
            return false;
        data += size;
        left -= size;
    }
    return true;
}

char *
tool_frame_text (const frame_t *frame)
{
    assert (frame);
    const unsigned char *data = frame_data (frame);
    size_t size = frame_size (frame);
    bool printable = s_printable (frame);
    char *text = malloc (printable? size + 1: size * 2 + 3);
    if (!text)
        return NULL;
    if (printable) {
        memcpy (text, data, size);
        text [size] = 0;
        return text;
    }
    static const char digits [] = "0123456789abcdef";
    char *to = text;
    *to++ = '0';
    *to++ = 'x';
    for (size_t index = 0; index < size; index++) {
        *to++ = digits [data [index] >> 4];
        *to++ = digits [data [index] & 15];
    }
    *to = 0;
    return text;
}

int
tool_print (const message_t *message, size_t from)
{
    for (size_t index = from; index < message_size (message); index++) {
        char *text = tool_frame_text (message_frame (message, index));
        if (!text) {
            wire_notice ("cannot print the reply: out of memory");
            return -1;
        }
        printf ("%s\n", text);
        free (text);
    }
    if (fflush (stdout) || ferror (stdout)) {
        wire_notice ("cannot print the reply: %s", strerror (errno));
        return -1;
    }
    return 0;
}
