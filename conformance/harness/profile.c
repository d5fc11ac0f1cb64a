/*  =========================================================================
    profile - what is tried, and how to start it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <libgen.h>
#include <string.h>
#include <czmq.h>

#include "profile.h"
#include "vector.h"

//  What a profile may say; all else in it is a mistake
static const char *s_settings [] = {
    "target/name", "target/endpoint", "target/worker-endpoint",
    "target/speaks", "target/heartbeat", "target/expiry", "target/start",
    "target/named",
    "broker/command", "broker/attached", "titanic/command", "worker/command",
    "worker/slow", "client/command", "client/prints", "titanic-client/command",
    "titanic-client/prints", "state/directory", "state/size",
    "state/elsewhere", "curve/fresh", "curve/server", "curve/client", NULL
};

//  What is put in when a process starts
static const char *s_late [] = { "mdp", "service", "body", NULL };

typedef struct {
    const char *path;
    const variable_t *variables;
    FILE *errors;
    int error_count;
    profile_t *profile;
    zlist_t *lacking;           //  Variables without a value, each told once
} reader_t;

static void
s_complain (reader_t *reader, const char *format, const char *detail)
{
    fprintf (reader->errors, "%s: ", reader->path);
    fprintf (reader->errors, format, detail);
    fputc ('\n', reader->errors);
    reader->error_count++;
}

static const char *
s_variable (reader_t *reader, const char *name)
{
    for (const variable_t *variable = reader->variables; variable->name;
                           variable++)
        if (streq (variable->name, name))
            return variable->value;
    return NULL;
}

static bool
s_is_late (const char *name)
{
    for (int index = 0; s_late [index]; index++)
        if (streq (s_late [index], name))
            return true;
    return false;
}

bool
profile_owns (const char *name)
{
    return streq (name, "bin") || streq (name, "endpoint")
        || streq (name, "heartbeat") || s_is_late (name) || keys_is_name (name);
}

//  The value with its ${names} replaced; fresh
static char *
s_expand (reader_t *reader, const char *value)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    while (*value) {
        const char *end = strncmp (value, "${", 2)? NULL: strchr (value, '}');
        if (!end) {
            fputc (*value++, out);
            continue;
        }
        char *name = strndup (value + 2, (size_t) (end - value) - 2);
        if (s_is_late (name)
        || (reader->profile->curve && keys_is_name (name))) {
            fprintf (out, "${%s}", name);
            free (name);
            value = end + 1;
            continue;
        }
        const char *replacement = s_variable (reader, name);
        char number [24];
        if (streq (name, "endpoint"))
            replacement = reader->profile->endpoint;
        else
        if (streq (name, "heartbeat")) {
            snprintf (number, sizeof number, "%lld",
                      (long long) reader->profile->heartbeat_ms);
            replacement = number;
        }
        if (replacement)
            fputs (replacement, out);
        else
        if (!zlist_exists (reader->lacking, name)) {
            zlist_append (reader->lacking, name);
            s_complain (reader, "no value for ${%s}; give one with "
                                "--define NAME=VALUE", name);
        }
        free (name);
        value = end + 1;
    }
    fclose (out);
    return text;
}

static char *
s_string (reader_t *reader, zconfig_t *root, const char *path)
{
    const char *value = zconfig_get (root, path, NULL);
    return value? s_expand (reader, value): NULL;
}

static int64_t
s_number (reader_t *reader, zconfig_t *root, const char *path,
          int64_t fallback)
{
    char *value = s_string (reader, root, path);
    if (!value)
        return fallback;
    char *end;
    int64_t number = strtoll (value, &end, 10);
    if (end == value || *end || number < 1)
        s_complain (reader, "%s must be a whole number above 0", path);
    free (value);
    return number;
}

//  Complain of settings that no one reads: most are slips of the pen
static void
s_check_known (reader_t *reader, zconfig_t *root)
{
    for (zconfig_t *section = zconfig_child (root); section;
                    section = zconfig_next (section)) {
        for (zconfig_t *item = zconfig_child (section); item;
                        item = zconfig_next (item)) {
            char *path = zsys_sprintf ("%s/%s", zconfig_name (section),
                                       zconfig_name (item));
            bool known = false;
            for (int index = 0; s_settings [index]; index++)
                if (streq (s_settings [index], path))
                    known = true;
            if (!known)
                s_complain (reader, "no setting is called %s", path);
            free (path);
        }
        if (!zconfig_child (section))
            s_complain (reader, "%s: a section with settings is due here",
                        zconfig_name (section));
    }
}

static void
s_read_speaks (reader_t *reader, zconfig_t *root)
{
    char *words = s_string (reader, root, "target/speaks");
    if (!words) {
        s_complain (reader, "%s is missing; for example: mdp/0.1 mmi/0.1",
                    "target/speaks");
        return;
    }
    profile_t *profile = reader->profile;
    char *rest = words;
    char *word;
    while ((word = strtok_r (rest, " ,", &rest)))
        vector_push (profile->speaks, profile->speak_count, strdup (word));
    free (words);
}

//  Certificates are made for a target that the harness starts, and those of one
//  that runs already are in files
static void
s_read_curve (reader_t *reader, zconfig_t *root)
{
    profile_t *profile = reader->profile;
    profile->curve_server = s_string (reader, root, "curve/server");
    profile->curve_client = s_string (reader, root, "curve/client");
    bool fresh = s_number (reader, root, "curve/fresh", 0) > 0;
    profile->curve = fresh || profile->curve_server;
    if (!profile->curve_server != !profile->curve_client)
        s_complain (reader, "curve: %s", "server and client go together: two "
                    "files with certificates");
    if (fresh && profile->curve_server)
        s_complain (reader, "curve: %s", "either fresh = 1, or server and "
                    "client");
}

static void
s_read_settings (reader_t *reader, zconfig_t *root)
{
    profile_t *profile = reader->profile;
    s_read_curve (reader, root);
    profile->name = s_string (reader, root, "target/name");
    if (!profile->name)
        profile->name = strdup (reader->path);
    profile->heartbeat_ms = s_number (reader, root, "target/heartbeat", 2500);
    profile->endpoint = s_string (reader, root, "target/endpoint");
    if (!profile->endpoint)
        s_complain (reader, "%s is missing: where do clients and workers "
                            "connect?", "target/endpoint");
    s_read_speaks (reader, root);
    profile->expiry_ms = s_number (reader, root, "target/expiry", 0);
    profile->start_ms = s_number (reader, root, "target/start", 10000);
    profile->state = s_string (reader, root, "state/directory");
    if (profile->state && *profile->state != '/')
        s_complain (reader, "state/directory %s is not an absolute path; leave "
                    "it out for the working directory", profile->state);
    profile->state_mib = s_number (reader, root, "state/size", 32);
    profile->named = s_number (reader, root, "target/named", 0);
    profile->state_elsewhere = s_number (reader, root, "state/elsewhere", 0);
    profile->worker_endpoint = s_string (reader, root,
                                         "target/worker-endpoint");
    profile->slow_worker = s_string (reader, root, "worker/slow");
    bool commands = false;
    for (int index = 0; index < PROCESS_COUNT; index++) {
        const char *process = process_text ((process_t) index);
        char *path = zsys_sprintf ("%s/command", process);
        profile->programs [index].command = s_string (reader, root, path);
        commands |= profile->programs [index].command != NULL;
        free (path);
        path = zsys_sprintf ("%s/prints", process);
        profile->programs [index].prints = s_number (reader, root, path, 0) > 0;
        free (path);
    }
    //  Nothing to start: then it is there already
    profile->attached = !commands
        || s_number (reader, root, "broker/attached", 0) > 0;
}

//  NULL when it is not ZPL. zconfig_load would keep the file open then.
static zconfig_t *
s_load (const char *path)
{
    FILE *file = fopen (path, "r");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t room = 0;
    ssize_t size = getdelim (&text, &room, 0, file);
    zconfig_t *root = NULL;
    if (feof (file))
        root = zconfig_str_load (size < 0? "": text);
    free (text);
    fclose (file);
    return root;
}

profile_t *
profile_read (const char *path, const variable_t *variables, FILE *errors)
{
    if (access (path, R_OK)) {
        fprintf (errors, "%s: cannot read this profile: %s\n", path,
                 strerror (errno));
        return NULL;
    }
    zconfig_t *root = s_load (path);
    if (!root) {
        fprintf (errors, "%s: this is not ZPL: names, = and values, four "
                         "spaces a level\n", path);
        return NULL;
    }
    reader_t reader = { path, variables, errors, 0,
                        (profile_t *) zmalloc (sizeof (profile_t)),
                        zlist_new () };
    zlist_autofree (reader.lacking);
    zlist_comparefn (reader.lacking, (zlist_compare_fn *) strcmp);
    s_check_known (&reader, root);
    s_read_settings (&reader, root);
    zconfig_destroy (&root);
    zlist_destroy (&reader.lacking);
    if (reader.error_count)
        profile_destroy (&reader.profile);
    return reader.profile;
}

profile_t *
profile_attach (const char *endpoint, int64_t heartbeat_ms)
{
    profile_t *self = (profile_t *) zmalloc (sizeof (profile_t));
    self->name = strdup (endpoint);
    self->endpoint = strdup (endpoint);
    self->heartbeat_ms = heartbeat_ms;
    self->start_ms = 10000;
    self->state_mib = 32;
    self->attached = true;
    vector_push (self->speaks, self->speak_count, strdup ("mdp/0.1"));
    vector_push (self->speaks, self->speak_count, strdup ("mmi/0.1"));
    return self;
}

void
profile_destroy (profile_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        profile_t *self = *self_p;
        for (size_t index = 0; index < self->speak_count; index++)
            free (self->speaks [index]);
        free (self->speaks);
        for (int index = 0; index < PROCESS_COUNT; index++)
            free (self->programs [index].command);
        free (self->name);
        free (self->endpoint);
        free (self->worker_endpoint);
        free (self->slow_worker);
        free (self->state);
        free (self->curve_server);
        free (self->curve_client);
        free (self);
        *self_p = NULL;
    }
}

bool
profile_speaks (const profile_t *self, const char *protocol)
{
    for (size_t index = 0; index < self->speak_count; index++)
        if (streq (self->speaks [index], protocol))
            return true;
    return false;
}

//  --------------------------------------------------------------------------
//  Commands

//  Bytes as one word of the shell's
static void
s_quote (FILE *out, zframe_t *frame)
{
    const char *data = (const char *) zframe_data (frame);
    fputc ('\'', out);
    for (size_t index = 0; index < zframe_size (frame); index++)
        if (data [index] == '\'')
            fputs ("'\\''", out);
        else
            fputc (data [index], out);
    fputc ('\'', out);
}

static void
s_put_late (FILE *out, const char *name, const char *version, zmsg_t *request)
{
    zframe_t *frame = request? zmsg_first (request): NULL;
    if (streq (name, "mdp"))
        fputs (strchr (version, '/') + 1, out);
    else
    if (streq (name, "service") && frame)
        s_quote (out, frame);
    else
    if (streq (name, "body") && frame)
        for (bool more = false; (frame = zmsg_next (request)); more = true) {
            fputs (more? " ": "", out);
            s_quote (out, frame);
        }
}

char *
profile_command (const profile_t *self, process_t process, bool slow,
                 const char *version, zmsg_t *request, const keys_t *keys)
{
    const char *command = slow? self->slow_worker
                              : self->programs [process].command;
    if (!command)
        return NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    while (*command) {
        const char *end = strncmp (command, "${", 2)? NULL
                                                    : strchr (command, '}');
        char *name = end? strndup (command + 2, (size_t) (end - command) - 2)
                        : NULL;
        if (name && s_is_late (name)) {
            s_put_late (out, name, version, request);
            command = end + 1;
        }
        else
        if (name && keys && keys_is_name (name)) {
            keys_put (keys, out, name, process == PROCESS_BROKER);
            command = end + 1;
        }
        else
            fputc (*command++, out);
        free (name);
    }
    fclose (out);
    return text;
}

//  --------------------------------------------------------------------------
//  What cannot be asked

static char *
s_missing_process (const profile_t *self, const needs_t *needs)
{
    for (int index = 0; index < PROCESS_COUNT; index++) {
        bool there = self->programs [index].command
            || ((index == PROCESS_BROKER || index == PROCESS_TITANIC)
             && self->attached);
        if ((needs->runs [index] && !there)
        ||  (needs->control [index] && !self->programs [index].command))
            return zsys_sprintf ("the profile does not say how to start the %s",
                                 process_text ((process_t) index));
    }
    if (needs->stage_broker && self->attached)
        return strdup ("the harness cannot be the broker where one runs already");
    if (needs->stage_broker && self->curve_server)
        return strdup ("the harness cannot be the broker whose certificate it "
                       "has only the public part of (curve/server)");
    if (needs->slow && !self->slow_worker)
        return strdup ("the profile does not say how to start a worker that "
                       "works long (worker/slow)");
    if (needs->prints && !self->programs [
        needs->runs [PROCESS_CLIENT]? PROCESS_CLIENT
                                    : PROCESS_TITANIC_CLIENT].prints)
        return strdup ("the profile does not say that the client prints what "
                       "it gets (client/prints)");
    return NULL;
}

char *
profile_obstacle (const profile_t *self, const scenario_t *scenario,
                  bool isolated)
{
    for (size_t index = 0; index < scenario->protocol_count; index++)
        if (!profile_speaks (self, scenario->protocols [index]))
            return zsys_sprintf ("the target does not speak %s",
                                 scenario->protocols [index]);
    char *missing = s_missing_process (self, &scenario->needs);
    if (missing)
        return missing;
    if (scenario->needs.expiry && !self->expiry_ms)
        return strdup ("the profile does not say when requests expire "
                       "(target/expiry)");
    if (scenario->needs.directory && !self->programs [PROCESS_TITANIC].command)
        return strdup ("the profile does not say how to start the titanic");
    if (scenario->needs.state && !isolated)
        return strdup ("no namespaces here, so no file system of its own that "
                       "could be filled up");
    if (scenario->needs.state && !self->programs [PROCESS_TITANIC].command)
        return strdup ("the state of a server that runs already cannot be "
                       "filled up");
    if (scenario->needs.state && self->state_elsewhere)
        return strdup ("the target keeps its state elsewhere (state/elsewhere), "
                       "where it cannot be filled up");
    return NULL;
}
