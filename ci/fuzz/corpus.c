/*  =========================================================================
    corpus - makes the inputs to begin with, and replays them

    They come from what the project has anyway: golden messages and what is spoilt
    in them, fixtures, scenarios, profiles. found/ holds what a fuzzer once found.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../conformance/harness/kit.h"
#include "../../conformance/harness/variant.h"

//  Each input is replayed with so many changes too
#define CHANGES 6
#define CHANGED_MAX 4096

//  Where an input goes: to a file below directory, or without one to its target
typedef struct {
    const char *directory;
    const kit_t *kit;
    uint64_t random;            //  The same each time
} corpus_t;

static char s_now [256];        //  Which input: told when it ends the process

//  --------------------------------------------------------------------------
//  Inputs

//  How many inputs each target got, in the order of fuzz_targets
static size_t s_counts [16];

static uint64_t
s_random (corpus_t *self)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    return self->random ^= self->random << 17;
}

//  One byte changed, or cut short
static void
s_run_changed (corpus_t *self, const fuzz_target_t *target,
               const uint8_t *data, size_t size)
{
    if (size == 0 || size > CHANGED_MAX)
        return;
    for (int nbr = 0; nbr < CHANGES; nbr++) {
        uint8_t *changed = (uint8_t *) malloc (size);
        HOLDS (changed);
        memcpy (changed, data, size);
        size_t at = s_random (self) % size;
        if (nbr % 3)
            changed [at] = (uint8_t) s_random (self);
        target->run (changed, nbr % 3? size: at);
        free (changed);
    }
}

static void
s_put (corpus_t *self, const char *name, const void *data, size_t size)
{
    const fuzz_target_t *target = fuzz_find (name);
    HOLDS (target);
    size_t number = s_counts [target - fuzz_targets]++;
    if (!self->directory) {
        snprintf (s_now, sizeof s_now, "%s: input %zu\n", name, number);
        target->run ((const uint8_t *) data, size);
        s_run_changed (self, target, (const uint8_t *) data, size);
        return;
    }
    char path [4096];
    snprintf (path, sizeof path, "%s/%s", self->directory, name);
    mkdir (path, 0777);
    snprintf (path, sizeof path, "%s/%s/%05zu", self->directory, name, number);
    FILE *file = fopen (path, "w");
    if (!file || fwrite (data, 1, size, file) != size || fclose (file)) {
        perror (path);
        exit (1);
    }
}

//  Bytes that grow, as text is put together
typedef struct {
    char *data;
    size_t size;
    FILE *out;
} heap_t;

static void
s_heap_open (heap_t *self)
{
    self->data = NULL;
    self->out = open_memstream (&self->data, &self->size);
    HOLDS (self->out);
}

static void
s_heap_put (corpus_t *corpus, heap_t *self, const char *name)
{
    fclose (self->out);
    s_put (corpus, name, self->data, self->size);
    free (self->data);
}

//  As bytes_take_message reads it
static void
s_write_message (FILE *out, zmsg_t *message)
{
    fputc ((int) zmsg_size (message), out);
    for (zframe_t *frame = zmsg_first (message); frame;
                   frame = zmsg_next (message)) {
        size_t size = zframe_size (frame);
        if (size >= 255)
            fprintf (out, "%c%c%c", 255, (int) (size >> 8 & 255),
                     (int) (size & 255));
        else
            fputc ((int) size, out);
        fwrite (zframe_data (frame), 1, size, out);
    }
}

//  --------------------------------------------------------------------------
//  Messages

//  To each role by itself, to a broker that has a worker and a client, and to a
//  Titanic server on each kind of its sockets. Numbers are what these targets read.
static void
s_put_message (corpus_t *self, zmsg_t *message)
{
    heap_t heap;
    size_t bytes = zmsg_content_size (message);
    if (zmsg_size (message) > 32 || bytes > 60000)
        return;
    for (int role = 0; role < 3; role++) {
        s_heap_open (&heap);
        fputc (role, heap.out);
        s_write_message (heap.out, message);
        s_heap_put (self, &heap, "codec");
    }
    s_heap_open (&heap);
    //  Peer b serves echo, c asks, then a sends the message twice, some time passes
    fprintf (heap.out, "%c%c%c%c%c%c%c", 9, 0, 0, 18, 0, 1, 'x');
    for (int nbr = 0; nbr < 2; nbr++) {
        fputc (0, heap.out);
        s_write_message (heap.out, message);
        fprintf (heap.out, "%c%c", 6, 100);
    }
    //  b replies; c asks once more
    fprintf (heap.out, "%c%c%c%c%c%c%c%c%c", 11, 0, 1, 'y', 18, 1, 1, 'z', 6);
    s_heap_put (self, &heap, "broker");
    for (int line = 0; line < 4; line++) {
        s_heap_open (&heap);
        //  A request is stored and sent, then the message comes
        fprintf (heap.out, "%c%c%c%c%c%c%c%c", 1, 0x21, 1, 'x', 5, 1,
                 27, 0);
        fputc (0, heap.out);
        fputc (line * 8, heap.out);
        s_write_message (heap.out, message);
        fprintf (heap.out, "%c%c%c%c%c%c", 27, 4, 1, 'y', 5, 60);
        s_heap_put (self, &heap, "titanic");
    }
}

static void
s_put_messages (corpus_t *self)
{
    const fixtures_t *fixtures = self->kit->fixtures;
    for (size_t index = 0; index < fixtures_size (fixtures); index++) {
        const golden_t *golden = fixtures_at (fixtures, index);
        variants_t variants = variants_make (fixtures, golden);
        for (size_t nbr = 0; nbr < variants.count; nbr++)
            s_put_message (self, variants.variants [nbr].frames);
        variants_clear (&variants);
        for (size_t nbr = 0; nbr < golden->example_count; nbr++) {
            zmsg_t *message = variant_frames (&golden->examples [nbr]);
            s_put_message (self, message);
            zmsg_destroy (&message);
        }
    }
}

//  --------------------------------------------------------------------------
//  Texts

//  The contents of a file; fresh, with a NUL behind them
static char *
s_read_file (const char *path, size_t *size)
{
    FILE *file = fopen (path, "r");
    if (!file) {
        perror (path);
        exit (1);
    }
    heap_t heap;
    s_heap_open (&heap);
    for (int c; (c = fgetc (file)) != EOF; )
        fputc (c, heap.out);
    fclose (file);
    fclose (heap.out);
    *size = heap.size;
    return heap.data;
}

//  What stands before the first scenario, and each scenario, by itself
static void
s_put_scenarios (corpus_t *self, const char *text)
{
    while (*text) {
        const char *end = strstr (text + 1, "\nscenario ");
        size_t size = end? (size_t) (end + 1 - text): strlen (text);
        s_put (self, "script", text, size);
        s_put (self, "notation", text, size);
        text += size;
    }
}

static void
s_put_file (corpus_t *self, const char *target, const char *path)
{
    size_t size;
    char *text = s_read_file (path, &size);
    if (strcmp (target, "script") == 0)
        s_put_scenarios (self, text);
    else
        s_put (self, target, text, size);
    if (strcmp (target, "fixture") == 0)
        s_put (self, "notation", text, size);
    free (text);
}

//  All files of a folder whose names end so; without a target the name of the
//  file, up to its first -, is that
static void
s_put_folder (corpus_t *self, const char *folder, const char *ending,
              const char *target)
{
    char path [4096];
    snprintf (path, sizeof path, "%s/%s", self->kit->directory, folder);
    struct dirent **names;
    int count = scandir (path, &names, NULL, alphasort);
    for (int nbr = 0; nbr < count; nbr++) {
        const char *name = names [nbr]->d_name;
        size_t length = strlen (name);
        snprintf (path, sizeof path, "%s/%s/%s", self->kit->directory, folder,
                  name);
        char own [32];
        snprintf (own, sizeof own, "%.*s", (int) strcspn (name, "-"), name);
        if (target && length > strlen (ending)
        &&  strcmp (name + length - strlen (ending), ending) == 0)
            s_put_file (self, target, path);
        else
        if (!target && fuzz_find (own))
            s_put_file (self, own, path);
        free (names [nbr]);
    }
    free (names);
}

static void
s_put_all (corpus_t *self)
{
    s_put_messages (self);
    s_put_folder (self, "fixtures", ".msg", "fixture");
    s_put_folder (self, "conformance/scenarios", ".sea", "script");
    s_put_folder (self, "conformance/scenarios", ".inc", "script");
    s_put_folder (self, "conformance/targets", ".zpl", "profile");
    s_put_folder (self, "ci/fuzz/found", "", NULL);
}

//  --------------------------------------------------------------------------

static void
s_tell (int number)
{
    (void) number;
    if (write (STDOUT_FILENO, "# ", 2) < 0
    ||  write (STDOUT_FILENO, s_now, strlen (s_now)) < 0
    ||  write (STDOUT_FILENO, "not ok - replay\n", 16) < 0)
        _exit (3);
    _exit (1);
}

static void
s_report (void)
{
    int nbr = 0;
    for (; fuzz_targets [nbr].name; nbr++)
        printf ("%s - %s: %zu inputs, each with %d changes\n",
                s_counts [nbr]? "ok": "not ok", fuzz_targets [nbr].name,
                s_counts [nbr], CHANGES);
    printf ("1..%d\n", nbr);
}

int
main (int argc, char *argv [])
{
    bool make = argc == 3 && strcmp (argv [1], "make") == 0;
    if (!make && !(argc == 2 && strcmp (argv [1], "replay") == 0)) {
        fprintf (stderr, "usage: fuzz_corpus make DIRECTORY | replay\n");
        return 2;
    }
    kit_t *kit = kit_new (NULL, stderr);
    if (!kit)
        return 3;
    corpus_t corpus = { .directory = make? argv [2]: NULL, .kit = kit,
                        .random = 0x9e3779b97f4a7c15 };
    if (make)
        mkdir (argv [2], 0777);
    else {
        setvbuf (stdout, NULL, _IOLBF, 0);
        signal (SIGABRT, s_tell);
        signal (SIGSEGV, s_tell);
    }
    s_put_all (&corpus);
    if (!make)
        s_report ();
    kit_destroy (&kit);
    return 0;
}
