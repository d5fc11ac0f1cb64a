/*  =========================================================================
    sandbox - namespaces of its own for each scenario

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SANDBOX_H_INCLUDED
#define SANDBOX_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

//  Whether this system lets an ordinary process make user, mount, network and
//  process namespaces. When it does not, *reason is one constant line.
bool
    sandbox_allowed (const char **reason);

//  Fork a process that runs body (argument) and exits with what that returns.
//  Isolated, it is the first process of namespaces of its own, with a loopback
//  that no one else sees; when it ends, all that it started ends. It ends too
//  when the caller's process dies. -1 with errno when it cannot be forked.
pid_t
    sandbox_fork (bool isolated, int (*body) (void *), void *argument);

//  Within an isolated sandbox: put a fresh file system of this size over a
//  directory. 0, or -1 with errno.
int
    sandbox_mount (const char *directory, int64_t mib);

#endif
