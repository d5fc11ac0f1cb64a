/*  =========================================================================
    mask - addresses that do not tell what libzmq counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mask.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

//  Of the addresses that libzmq makes up
#define ADDRESS_SIZE 5

//  A Feistel network on the two halves of the number, as Blowfish is one: its round
//  functions are tables of random numbers, for each byte of a half. Nothing is to be
//  found out about them but by collecting addresses, one a connection
#define ROUNDS 12
#define BYTES 256

struct _mask_t {
    uint16_t low [ROUNDS][BYTES];
    uint16_t high [ROUNDS][BYTES];
};

//  0, or -1 with errno
static int
s_fill (void *data, size_t size)
{
    unsigned char *bytes = data;
    while (size > 0) {
        ssize_t got = getrandom (bytes, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        bytes += got;
        size -= (size_t) got;
    }
    return 0;
}

mask_t *
mask_new (void)
{
    mask_t *self = malloc (sizeof (mask_t));
    unsigned seed;
    if (self && s_fill (self, sizeof (mask_t)) == 0
    &&  s_fill (&seed, sizeof (seed)) == 0) {
        srand (seed);
        return self;
    }
    free (self);
    return NULL;
}

void
mask_destroy (mask_t **self_p)
{
    assert (self_p);
    free (*self_p);
    *self_p = NULL;
}

static bool
s_is_numbered (const unsigned char *address, size_t size)
{
    return size == ADDRESS_SIZE && address [0] == 0;
}

static void
s_halves (const unsigned char *address, uint16_t *left, uint16_t *right)
{
    memcpy (left, address + 1, sizeof (*left));
    memcpy (right, address + 3, sizeof (*right));
}

static void
s_set_halves (unsigned char *address, uint16_t left, uint16_t right)
{
    memcpy (address + 1, &left, sizeof (left));
    memcpy (address + 3, &right, sizeof (right));
}

static uint16_t
s_round (const mask_t *self, size_t round, uint16_t half)
{
    //  Added, not XORed: so that rounds do not cancel each other
    return (uint16_t) (self->low [round][half & 0xff]
                       + self->high [round][half >> 8]);
}

void
mask_put_on (const mask_t *self, void *address, size_t size)
{
    if (!s_is_numbered (address, size))
        return;
    uint16_t left, right;
    s_halves (address, &left, &right);
    for (size_t round = 0; round < ROUNDS; round++) {
        uint16_t mixed = left ^ s_round (self, round, right);
        left = right;
        right = mixed;
    }
    s_set_halves (address, left, right);
}

void
mask_take_off (const mask_t *self, void *address, size_t size)
{
    if (!s_is_numbered (address, size))
        return;
    uint16_t left, right;
    s_halves (address, &left, &right);
    for (size_t round = ROUNDS; round > 0; round--) {
        uint16_t mixed = right ^ s_round (self, round - 1, left);
        right = left;
        left = mixed;
    }
    s_set_halves (address, left, right);
}
