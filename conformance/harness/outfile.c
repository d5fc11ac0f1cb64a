/*  =========================================================================
    outfile - a file that is there whole, or as it was before

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <czmq.h>

#include "outfile.h"

struct _outfile_t {
    char *path;                 //  Where it shall stand
    char *draft;                //  Where it is written; NULL if at the path itself
    int handle;
    FILE *stream;               //  In memory, so that nothing fails on the way
    char *text;
    size_t size;
};

static void
s_complain (FILE *errors, const char *path, int error)
{
    fprintf (errors, "seatrial: cannot write %s: %s\n", path, strerror (error));
}

//  Readable by others as any new file is, or as the former one was
static void
s_set_mode (int handle, const struct stat *former)
{
    mode_t mask = umask (0);
    umask (mask);
    (void) !fchmod (handle, former? former->st_mode & 07777: 0666 & ~mask);
}

static int
s_open_draft (outfile_t *self, const struct stat *former)
{
    self->draft = zsys_sprintf ("%s.XXXXXX", self->path);
    int handle = mkostemp (self->draft, O_CLOEXEC);
    if (handle >= 0)
        s_set_mode (handle, former);
    return handle;
}

outfile_t *
outfile_open (const char *path, FILE *errors)
{
    outfile_t *self = (outfile_t *) zmalloc (sizeof (outfile_t));
    //  Behind a link stands the file that is meant
    self->path = realpath (path, NULL);
    if (!self->path)
        self->path = strdup (path);
    struct stat former;
    bool exists = stat (path, &former) == 0;
    bool whole = !exists || S_ISREG (former.st_mode);
    self->handle = whole? s_open_draft (self, exists? &former: NULL)
                        : open (path, O_WRONLY | O_CLOEXEC);
    if (self->handle >= 0) {
        self->stream = open_memstream (&self->text, &self->size);
        assert (self->stream);
        return self;
    }
    s_complain (errors, path, errno);
    free (self->draft);
    free (self->path);
    free (self);
    return NULL;
}

FILE *
outfile_stream (outfile_t *self)
{
    return self->stream;
}

static void
s_destroy (outfile_t **self_p)
{
    outfile_t *self = *self_p;
    free (self->text);
    free (self->draft);
    free (self->path);
    free (self);
    *self_p = NULL;
}

void
outfile_abandon (outfile_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        outfile_t *self = *self_p;
        fclose (self->stream);
        close (self->handle);
        if (self->draft)
            unlink (self->draft);
        s_destroy (self_p);
    }
}

//  0, or -1 with errno
static int
s_write (outfile_t *self)
{
    for (size_t at = 0; at < self->size; ) {
        ssize_t written = write (self->handle, self->text + at,
                                 self->size - at);
        if (written < 0 && errno != EINTR)
            return -1;
        at += written < 0? 0: (size_t) written;
    }
    //  Some file systems say only now that they are full
    return self->draft? fsync (self->handle): 0;
}

int
outfile_close (outfile_t **self_p, FILE *errors)
{
    outfile_t *self = *self_p;
    fclose (self->stream);
    int rc = s_write (self);
    int error = errno;
    if (close (self->handle) && rc == 0) {
        rc = -1;
        error = errno;
    }
    if (rc == 0 && self->draft && rename (self->draft, self->path)) {
        rc = -1;
        error = errno;
    }
    if (rc) {
        s_complain (errors, self->path, error);
        if (self->draft)
            unlink (self->draft);
    }
    s_destroy (self_p);
    return rc;
}
