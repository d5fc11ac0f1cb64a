/*  =========================================================================
    tsp - the Titanic Service Protocol, 9/TSP: statuses and ids

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <assert.h>
#include <string.h>

#include "tsp.h"

//  TSP-STATUS-01, TSP-STATUS-02, TSP-STATUS-04
message_t *
tsp_status_new (tsp_status_t status)
{
    const char *text = status == TSP_OK? "200"
                     : status == TSP_PENDING? "300"
                     : status == TSP_UNKNOWN? "400": "500";
    message_t *body = message_new ();
    if (body && message_add_string (body, text))
        message_destroy (&body);
    return body;
}

int
tsp_status_read (const frame_t *frame)
{
    const unsigned char *data = frame_data (frame);
    size_t size = frame_size (frame);
    if (size < 3 || (size > 3 && data [3] != ' '))
        return 0;
    int status = 0;
    for (int index = 0; index < 3; index++) {
        if (data [index] < '0' || data [index] > '9')
            return 0;
        status = status * 10 + data [index] - '0';
    }
    return status == TSP_OK || status == TSP_PENDING
        || status == TSP_UNKNOWN || status == TSP_ERROR? status: 0;
}

//  TSP-REQUEST-12
void
tsp_id_print (const request_id_t *id, char text [TSP_ID_DIGITS + 1])
{
    static const char digits [] = "0123456789abcdef";
    for (size_t index = 0; index < sizeof id->bytes; index++) {
        text [index * 2] = digits [id->bytes [index] >> 4];
        text [index * 2 + 1] = digits [id->bytes [index] & 15];
    }
    text [TSP_ID_DIGITS] = 0;
}

static int
s_digit (unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F'? c - 'A' + 10: -1;
}

int
tsp_id_read (const frame_t *frame, request_id_t *id)
{
    if (frame_size (frame) != TSP_ID_DIGITS)
        return -1;
    const unsigned char *text = frame_data (frame);
    for (size_t index = 0; index < sizeof id->bytes; index++) {
        int high = s_digit (text [index * 2]);
        int low = s_digit (text [index * 2 + 1]);
        if (high < 0 || low < 0)
            return -1;
        id->bytes [index] = (unsigned char) (high << 4 | low);
    }
    return 0;
}
