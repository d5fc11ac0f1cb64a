/*  =========================================================================
    sandbox - namespaces of its own for each scenario

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

//  Exit status of a sandbox that could not be set up
#define EXIT_SETUP 125

static int
s_write_file (const char *path, const char *text)
{
    int handle = open (path, O_WRONLY | O_CLOEXEC);
    if (handle < 0)
        return -1;
    ssize_t written = write (handle, text, strlen (text));
    close (handle);
    return written == (ssize_t) strlen (text)? 0: -1;
}

//  The user stays who it was, but may mount and configure in here
static int
s_map_user (uid_t uid, gid_t gid)
{
    char map [64];
    snprintf (map, sizeof map, "%u %u 1", uid, uid);
    if (s_write_file ("/proc/self/uid_map", map))
        return -1;
    //  Kernels before 3.19 do not have this file
    if (s_write_file ("/proc/self/setgroups", "deny") && errno != ENOENT)
        return -1;
    snprintf (map, sizeof map, "%u %u 1", gid, gid);
    return s_write_file ("/proc/self/gid_map", map);
}

static int
s_raise_loopback (void)
{
    int handle = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0)
        return -1;
    struct ifreq request = { .ifr_flags = IFF_UP };
    memcpy (request.ifr_name, "lo", 3);
    int rc = ioctl (handle, SIOCSIFFLAGS, &request);
    close (handle);
    return rc;
}

static int
s_isolate (void)
{
    uid_t uid = getuid ();
    gid_t gid = getgid ();
    if (unshare (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)
    ||  s_map_user (uid, gid)
    ||  mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return -1;
    return s_raise_loopback ();
}

//  Wait for the one child and pass its exit status on
static int
s_pass_on (pid_t child)
{
    int status;
    while (waitpid (child, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_SETUP;
    return WIFEXITED (status)? WEXITSTATUS (status): EXIT_SETUP;
}

static void
s_die_with (pid_t parent)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != parent)
        _exit (EXIT_SETUP);
}

pid_t
sandbox_fork (bool isolated, int (*body) (void *), void *argument)
{
    pid_t parent = getpid ();
    pid_t outer = fork ();
    if (outer)
        return outer;
    s_die_with (parent);
    if (!isolated)
        _exit (body (argument));
    if (s_isolate ()) {
        fprintf (stderr, "seatrial: cannot set up namespaces: %s\n",
                 strerror (errno));
        _exit (EXIT_SETUP);
    }
    //  A process namespace begins with the next child: its first process,
    //  with which everything in it ends
    pid_t inner = fork ();
    if (inner < 0)
        _exit (EXIT_SETUP);
    if (inner)
        _exit (s_pass_on (inner));
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    //  A /proc that fits the namespace is a comfort, not a need
    (void) !mount ("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, NULL);
    _exit (body (argument));
}

int
sandbox_mount (const char *directory, int64_t mib)
{
    char options [64];
    snprintf (options, sizeof options, "size=%lldm,mode=755", (long long) mib);
    return mount ("seatrial", directory, "tmpfs", MS_NOSUID | MS_NODEV,
                  options);
}

static int
s_try (void *argument)
{
    return sandbox_mount ((const char *) argument, 1)? 1: 0;
}

bool
sandbox_allowed (const char **reason)
{
    char directory [] = "/tmp/seatrial-XXXXXX";
    if (!mkdtemp (directory)) {
        *reason = "cannot make a directory in /tmp";
        return false;
    }
    //  Its complaint is told by the caller, in one line
    fflush (stderr);
    int saved = dup (STDERR_FILENO);
    int sink = open ("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2 (sink, STDERR_FILENO);
    pid_t child = sandbox_fork (true, s_try, directory);
    dup2 (saved, STDERR_FILENO);
    close (saved);
    close (sink);
    int status = child < 0? EXIT_SETUP: s_pass_on (child);
    rmdir (directory);
    *reason = status == EXIT_SETUP
        ? "this system does not allow user namespaces"
        : "this system does not allow mounts in user namespaces";
    return status == 0;
}
