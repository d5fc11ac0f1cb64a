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

//  Longest file that is read.
#define FILE_BYTES_MAX 268435456

//  A certificate as czmq writes it. NULL after an error message.
static zcert_t *
s_cert (const char *option, const char *path)
{
    zcert_t *cert = zcert_load (path);
    if (!cert)
        wire_notice ("cannot read --%s %s: no certificate as zcert_save or "
                     "zmakecert write it", option, path);
    return cert;
}

int
tool_keys_load (tool_keys_t *self, const options_t *options)
{
    const char *own = options_string (options, "curve-cert");
    const char *server = options_string (options, "curve-server");
    self->own = self->server = NULL;
    if (!own && !server)
        return 0;
    if (!own || !server) {
        wire_notice ("--curve-cert and --curve-server go together; --%s is "
                     "missing", own? "curve-server": "curve-cert");
        return -1;
    }
    self->own = s_cert ("curve-cert", own);
    //  Zeros in Z85, where czmq has read the public file only
    if (self->own && strspn (zcert_secret_txt (self->own), "0") >= 40) {
        wire_notice ("cannot use --curve-cert %s: it has no secret key; that is in "
                     "the file beside it whose name ends in _secret", own);
        zcert_destroy (&self->own);
    }
    self->server = self->own? s_cert ("curve-server", server): NULL;
    if (!self->server)
        tool_keys_clear (self);
    return self->server? 0: -1;
}

void
tool_keys_clear (tool_keys_t *self)
{
    zcert_destroy (&self->own);
    zcert_destroy (&self->server);
}

void
tool_no_curve (const options_t *options)
{
    wire_notice ("cannot use --curve-cert %s: %s",
                 options_string (options, "curve-cert"), strerror (errno));
}

const char *
tool_version (const options_t *options)
{
    const char *version = options_string (options, "mdp");
    if (mdp_version_of (version) < MDP_VERSION_COUNT)
        return version;
    wire_notice ("--mdp %s is no version; there are 0.1 and 0.2", version);
    return NULL;
}

void
tool_no_connection (const options_t *options)
{
    wire_notice ("cannot connect to %s: %s; write --endpoint as "
                 "tcp://ADDRESS:PORT", options_string (options, "endpoint"),
                 zmq_strerror (errno));
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

//  All that can be read. NULL after an error message.
static zchunk_t *
s_slurp (FILE *file, const char *path)
{
    zchunk_t *chunk = zchunk_new (NULL, BUFSIZ);
    char buffer [BUFSIZ];
    size_t size;
    while (chunk && (size = fread (buffer, 1, sizeof buffer, file))) {
        zchunk_extend (chunk, buffer, size);
        if (zchunk_size (chunk) > FILE_BYTES_MAX) {
            wire_notice ("cannot send %s: more than %d bytes", path,
                         FILE_BYTES_MAX);
            zchunk_destroy (&chunk);
        }
    }
    if (chunk && ferror (file)) {
        wire_notice ("cannot read %s: %s", path, strerror (errno));
        zchunk_destroy (&chunk);
    }
    return chunk;
}

//  Add what a file holds as a frame. -1 after an error message.
static int
s_add_file (zmsg_t *body, const char *path)
{
    bool standard = strcmp (path, "-") == 0;
    FILE *file = standard? stdin: fopen (path, "rb");
    if (!file) {
        wire_notice ("cannot read %s: %s; check --file", path,
                     strerror (errno));
        return -1;
    }
    zchunk_t *chunk = s_slurp (file, path);
    if (!standard)
        fclose (file);
    int rc = chunk? zmsg_addmem (body, zchunk_data (chunk),
                                 zchunk_size (chunk)): -1;
    zchunk_destroy (&chunk);
    return rc;
}

zmsg_t *
tool_body (const options_t *options, size_t from)
{
    const char *path = options_string (options, "file");
    if (options_rest (options) <= from && !path) {
        wire_notice ("no frame; try --help");
        return NULL;
    }
    zmsg_t *body = zmsg_new ();
    for (size_t index = from; index < options_rest (options); index++)
        zmsg_addstr (body, options_argument (options, index));
    if (path && s_add_file (body, path))
        zmsg_destroy (&body);
    return body;
}

static bool
s_printable (zframe_t *frame)
{
    const char *data = (const char *) zframe_data (frame);
    size_t left = zframe_size (frame);
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
tool_frame_text (zframe_t *frame)
{
    assert (frame);
    const unsigned char *data = zframe_data (frame);
    size_t size = zframe_size (frame);
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
tool_print (const options_t *options, zmsg_t *message)
{
    bool raw = options_flag (options, "raw") != 0;
    for (zframe_t *frame = zmsg_first (message); frame;
         frame = zmsg_next (message)) {
        char *text = raw? NULL: tool_frame_text (frame);
        if (raw)
            fwrite (zframe_data (frame), 1, zframe_size (frame), stdout);
        else
        if (text)
            printf ("%s\n", text);
        else {
            wire_notice ("cannot print the reply: out of memory");
            return -1;
        }
        free (text);
    }
    if (fflush (stdout) || ferror (stdout)) {
        wire_notice ("cannot print the reply: %s", strerror (errno));
        return -1;
    }
    return 0;
}
