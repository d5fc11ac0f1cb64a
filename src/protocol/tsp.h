/*  =========================================================================
    tsp - the Titanic Service Protocol, 9/TSP: statuses and ids

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef TSP_H_INCLUDED
#define TSP_H_INCLUDED

#include "../store/store.h"
#include "message.h"

//  Hexadecimal digits of an id on the wire.
#define TSP_ID_DIGITS 32

//  All codes that there are, 9/TSP Status Frames.
typedef enum {
    TSP_OK = 200,
    TSP_PENDING = 300,
    TSP_UNKNOWN = 400,
    TSP_ERROR = 500
} tsp_status_t;

//  A body of one status frame, for more frames to follow. NULL when memory is
//  out.
message_t *
    tsp_status_new (tsp_status_t status);

//  The status that a frame holds: three digits, then nothing or a space and a
//  text, and one of those codes. 0 if it is not so.
int
    tsp_status_read (const frame_t *frame);

//  Write an id as TSP_ID_DIGITS digits and a NUL; read it from a frame, in
//  either case of letters. -1 if that is not an id: too short, too long, or
//  something that is no hexadecimal digit.
void
    tsp_id_print (const request_id_t *id, char text [TSP_ID_DIGITS + 1]);
int
    tsp_id_read (const frame_t *frame, request_id_t *id);

#endif
