/*  =========================================================================
    texts - what people write: notation, fixtures, scripts, profiles

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../conformance/harness/kit.h"
#include "../../conformance/harness/profile.h"

//  The parsers read files: one in memory, by a path of its own
typedef struct {
    int handle;
    char path [32];
    FILE *errors;               //  Said, and not looked at
} text_t;

static text_t
s_text_open (const uint8_t *data, size_t size)
{
    text_t text = { .handle = memfd_create ("text", MFD_CLOEXEC) };
    HOLDS (text.handle >= 0);
    HOLDS (write (text.handle, data, size) == (ssize_t) size);
    snprintf (text.path, sizeof text.path, "/proc/self/fd/%d", text.handle);
    text.errors = fopen ("/dev/null", "w");
    HOLDS (text.errors);
    return text;
}

static void
s_text_close (text_t *text)
{
    fclose (text->errors);
    close (text->handle);
}

//  What takes long because it is asked for is no find: huge frames, and regular
//  expressions, which the C library handles as well as it can
static bool
s_is_costly (const uint8_t *data, size_t size)
{
    size_t digits = 0;
    for (size_t index = 0; index < size; index++) {
        digits = isdigit (data [index])? digits + 1: 0;
        if (digits > 4)
            return true;
    }
    return memmem (data, size, "re(", 3) != NULL;
}

//  A pattern is printed, and read again it is printed the same
static void
s_check_pattern (const pattern_t *pattern)
{
    for (size_t nbr = 0; nbr < pattern->count; nbr++)
        if (pattern->terms [nbr].size > 256)
            return;             //  Shortened for people
    char *text = notation_pattern (pattern);
    FILE *errors = fopen ("/dev/null", "w");
    source_t *source = source_from ("again", text, errors);
    tokens_t tokens = { 0 };
    if (*text)
        HOLDS (tokens_read (&tokens, source, 1));
    HOLDS (tokens.count == pattern->count);
    pattern_t again = { 0 };
    for (size_t nbr = 0; nbr < tokens.count; nbr++)
        pattern_push (&again, term_dup (&tokens.tokens [nbr].term));
    char *same = notation_pattern (&again);
    HOLDS (strcmp (text, same) == 0);
    pattern_clear (&again);
    tokens_clear (&tokens);
    source_destroy (&source);
    fclose (errors);
    free (same);
    free (text);
}

//  A message that a pattern makes has its form
static void
s_check_compose (const pattern_t *pattern)
{
    captures_t *captures = captures_new ();
    zmsg_t *message = pattern_compose (pattern, captures);
    if (message) {
        HOLDS (pattern_match (pattern, message, captures));
        free (notation_frames (message));
    }
    zmsg_destroy (&message);
    captures_destroy (&captures);
}

void
fuzz_notation (const uint8_t *data, size_t size)
{
    if (s_is_costly (data, size))
        return;
    char *text = strndup ((const char *) data, size);
    FILE *errors = fopen ("/dev/null", "w");
    HOLDS (text && errors);
    source_t *source = source_from ("text", text, errors);
    for (int line = 1; line <= source_lines (source); line++) {
        tokens_t tokens = { 0 };
        pattern_t pattern = { 0 };
        bool fine = tokens_read (&tokens, source, line);
        for (size_t nbr = 0; nbr < tokens.count; nbr++)
            if (tokens.tokens [nbr].type == TOKEN_TERM)
                pattern_push (&pattern, term_dup (&tokens.tokens [nbr].term));
        if (fine) {
            s_check_pattern (&pattern);
            s_check_compose (&pattern);
        }
        pattern_clear (&pattern);
        tokens_clear (&tokens);
    }
    source_destroy (&source);
    fclose (errors);
    free (text);
}

void
fuzz_fixture (const uint8_t *data, size_t size)
{
    if (s_is_costly (data, size))
        return;
    text_t text = s_text_open (data, size);
    fixtures_t *fixtures = fixtures_new ();
    if (fixtures_read (fixtures, text.path, text.errors) == 0)
        for (size_t nbr = 0; nbr < fixtures_size (fixtures); nbr++) {
            const golden_t *golden = fixtures_at (fixtures, nbr);
            s_check_pattern (&golden->pattern);
            s_check_compose (&golden->examples [0]);
        }
    fixtures_destroy (&fixtures);
    s_text_close (&text);
}

void
fuzz_script (const uint8_t *data, size_t size)
{
    //  Fixtures and catalogue are there once for all
    static kit_t *kit;
    if (!kit)
        kit = kit_new (NULL, stderr);
    HOLDS (kit);
    if (s_is_costly (data, size))
        return;
    text_t text = s_text_open (data, size);
    script_t *script = script_new (kit->fixtures, kit->catalogue);
    if (script_read (script, text.path, text.errors) == 0)
        for (size_t nbr = 0; nbr < script_size (script); nbr++) {
            const scenario_t *scenario = script_at (script, nbr);
            HOLDS (scenario->name && scenario->title);
        }
    script_destroy (&script);
    s_text_close (&text);
}

void
fuzz_profile (const uint8_t *data, size_t size)
{
    static const variable_t variables [] = {
        { "bin", "/bin" }, { "wreck", "none" }, { NULL, NULL }
    };
    text_t text = s_text_open (data, size);
    profile_t *profile = profile_read (text.path, variables, text.errors);
    if (profile) {
        zmsg_t *request = zmsg_new ();
        zmsg_addstr (request, "echo");
        zmsg_addstr (request, "it's");
        HOLDS (profile->name && profile->endpoint);
        for (int process = 0; process < PROCESS_COUNT; process++)
            free (profile_command (profile, (process_t) process, false,
                                   "mdp/0.1", request, NULL));
        profile_speaks (profile, "mdp/0.1");
        zmsg_destroy (&request);
    }
    profile_destroy (&profile);
    s_text_close (&text);
}
