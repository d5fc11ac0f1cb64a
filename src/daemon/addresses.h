/*  =========================================================================
    addresses - which connection has an address that its peer has chosen

    When a peer comes with an address that another connection has, ZeroMQ gives it to
    the new one (ZMQ_ROUTER_HANDOVER). The old one stays open, and as soon as
    anything more comes on it, it does so for ever, even after its peer is gone. So
    it has to be closed before.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef ADDRESSES_H_INCLUDED
#define ADDRESSES_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

typedef struct _addresses_t addresses_t;

//  For connections with file descriptors up to the highest. NULL when memory is
//  out.
addresses_t *
    addresses_new (int highest);

void
    addresses_destroy (addresses_t **self_p);

//  Whether any connection has an address that was chosen.
bool
    addresses_any (const addresses_t *self);

//  A message came over the connection with this file descriptor, -1 if over none, from
//  the address that its peer has chosen; NULL if it has not. The connection that had
//  the address before and has lost it to this one; -1 for none. When memory is out
//  nothing is noted.
int
    addresses_heard (addresses_t *self, const void *address, size_t size,
                     int handle);

#endif
