/*  =========================================================================
    stand_in - a broker with a script, for tests of clients

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef STAND_IN_H_INCLUDED
#define STAND_IN_H_INCLUDED

#include <stddef.h>

#include <czmq.h>

//  A broker in a thread that answers requests as they come, each with the next
//  line of a script:
//      "a|b"   a reply of these frames
//      ">a|b"  a PARTIAL of these frames, and the next line as well
//      "!"     what a client must not take, and the next line as well
//      "-"     nothing
//      "."     nothing, from now on
//      "~"     the request itself, but only after the next line has been played
//  When the script is over, a request is its own reply.
typedef struct _stand_in_t stand_in_t;

//  The script ends with NULL and must outlive this. With a certificate it speaks
//  CURVE.
stand_in_t *
    stand_in_new (const char *const *script, zcert_t *cert);
void
    stand_in_destroy (stand_in_t **self_p);

const char *
    stand_in_endpoint (const stand_in_t *self);

//  The next request that has come, "service|a|b", to be freed. Waits for it; NULL
//  when none comes.
char *
    stand_in_heard (stand_in_t *self);

//  Frames with a bar between them, to be freed; and back.
char *
    stand_in_text (zmsg_t *message);
zmsg_t *
    stand_in_message (const char *text);

#endif
