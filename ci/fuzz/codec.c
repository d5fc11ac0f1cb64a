/*  =========================================================================
    codec - what decodes must encode to the same frames again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "fuzz.h"

#include <ctype.h>
#include <string.h>

#include "../../src/protocol/mdp.h"
#include "../../src/protocol/tsp.h"

//  The same command, made anew
static message_t *
s_encode (const mdp_command_t *command, const message_t *message,
          const frame_t *address)
{
    mdp_version_t version = command->version;
    size_t body = command->body;
    switch (command->type) {
        case MDP_CLIENT_REQUEST:
            return mdp_client_request (version, command->service, message, body);
        case MDP_CLIENT_PARTIAL:
            return mdp_client_partial (version, address, command->service,
                                       message, body);
        case MDP_CLIENT_REPLY:
            return mdp_client_reply (version, address, command->service,
                                     message, body);
        case MDP_WORKER_READY:
            return mdp_worker_ready (version, command->service);
        case MDP_WORKER_REQUEST:
            return mdp_worker_request (version, address, command->client,
                                       message, body);
        case MDP_WORKER_PARTIAL:
            return mdp_worker_partial (version, command->client, message, body);
        case MDP_WORKER_REPLY:
            return mdp_worker_reply (version, command->client, message, body);
        case MDP_WORKER_HEARTBEAT:
            return mdp_worker_heartbeat (version, address);
        case MDP_WORKER_DISCONNECT:
            return mdp_worker_disconnect (version, address);
    }
    return NULL;
}

static void
s_check_same (const message_t *message, size_t from, const message_t *again)
{
    HOLDS (again);
    size_t skip = message_size (again) - (message_size (message) - from);
    HOLDS (skip <= 1);
    for (size_t index = skip; index < message_size (again); index++)
        HOLDS (frame_equal (message_frame (again, index),
                            message_frame (message, from + index - skip)));
}

static void
s_check_tsp (const frame_t *frame)
{
    int status = tsp_status_read (frame);
    if (status) {
        message_t *body = tsp_status_new ((tsp_status_t) status);
        HOLDS (body && memcmp (frame_data (message_frame (body, 0)),
                               frame_data (frame), 3) == 0);
        message_destroy (&body);
    }
    request_id_t id;
    if (tsp_id_read (frame, &id))
        return;
    char text [TSP_ID_DIGITS + 1];
    tsp_id_print (&id, text);
    for (size_t index = 0; index < TSP_ID_DIGITS; index++)
        HOLDS (text [index] == tolower (frame_data (frame) [index]));
}

//  Receiver and number of the first frame, then the message
void
fuzz_codec (const uint8_t *data, size_t size)
{
    bytes_t bytes = { data, size };
    uint8_t how = bytes_take (&bytes);
    mdp_receiver_t receiver = (mdp_receiver_t) (how % 3);
    size_t from = how / 3 % 2;
    message_t *message = bytes_take_message (&bytes);
    mdp_command_t command;
    mdp_result_t result = mdp_decode (message, from, receiver, &command);
    HOLDS (*mdp_result_text (result));
    if (result == MDP_OK) {
        HOLDS (*mdp_type_text (command.type) && command.body <= message_size (message));
        const frame_t *address = from? message_frame (message, 0): NULL;
        message_t *again = s_encode (&command, message, address);
        s_check_same (message, from, again);
        message_destroy (&again);
    }
    for (size_t index = 0; index < message_size (message); index++)
        s_check_tsp (message_frame (message, index));
    message_destroy (&message);
}
