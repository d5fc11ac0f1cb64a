/*  =========================================================================
    mask - addresses that do not tell what libzmq counts

    A ROUTER numbers those peers that choose no address, one after the other:
    0x00 and four bytes. A peer that knows the next number can choose it as its own
    address, which 23/ZMTP forbids and libzmq does not check; and when the next peer
    is numbered, libzmq ends the process (zmq_assert in add_out_pipe, up to 4.3.5 at
    least). Workers are told the addresses of clients. So what we tell is masked: each
    such address stands for another one, in an order that nobody can foresee.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MASK_H_INCLUDED
#define MASK_H_INCLUDED

#include <stddef.h>

typedef struct _mask_t mask_t;

//  It also seeds rand, which libzmq takes its first number from, so
//  it must be there before the socket. NULL with errno when memory or random
//  numbers cannot be had.
mask_t *
    mask_new (void);

void
    mask_destroy (mask_t **self_p);

//  Put the mask on an address, in place, or take it off again. One that is of
//  another kind stays as it is.
void
    mask_put_on (const mask_t *self, void *address, size_t size);
void
    mask_take_off (const mask_t *self, void *address, size_t size);

#endif
