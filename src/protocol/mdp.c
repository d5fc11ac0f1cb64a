/*  =========================================================================
    mdp - Majordomo commands: from a message to a command and back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mdp.h"

#include <assert.h>
#include <string.h>

#define HEADER_SIZE 6

//  Protocol headers by version; 7/MDP, MDP/Client and MDP/Worker.
static const struct {
    const char *client;
    const char *worker;
} s_headers [] = {
    [MDP_0_1] = { "MDPC01", "MDPW01" }
};

//  Worker commands: the byte on the wire and the number of frames from the
//  empty frame on; 7/MDP, MDP/Worker.
static const struct {
    unsigned char code;
    mdp_type_t type;
    size_t least;
    size_t most;                //  0 for no limit
} s_worker_commands [] = {
    { 0x01, MDP_WORKER_READY, 4, 4 },
    { 0x02, MDP_WORKER_REQUEST, 6, 0 },
    { 0x03, MDP_WORKER_REPLY, 6, 0 },
    { 0x04, MDP_WORKER_HEARTBEAT, 3, 3 },
    { 0x05, MDP_WORKER_DISCONNECT, 3, 3 }
};

#define WORKER_COMMANDS \
    (sizeof (s_worker_commands) / sizeof (s_worker_commands [0]))

static const char *const s_result_texts [MDP_RESULT_COUNT] = {
    [MDP_OK] = "well formed",
    [MDP_NO_FRAMES] = "invalid message: no frames",
    [MDP_NO_EMPTY_FRAME] =
        "invalid message: does not start with an empty frame",
    [MDP_NO_HEADER] = "invalid message: no protocol header",
    [MDP_UNKNOWN_HEADER] = "invalid message: unknown protocol header",
    [MDP_NO_COMMAND] = "invalid message: no command",
    [MDP_UNKNOWN_COMMAND] = "invalid message: unknown command",
    [MDP_TOO_FEW_FRAMES] = "invalid message: too few frames",
    [MDP_TOO_MANY_FRAMES] = "invalid message: too many frames",
    [MDP_NO_CLIENT_ADDRESS] = "invalid message: client address is empty",
    [MDP_NO_DELIMITER] = "invalid message: no empty frame after client address",
    [MDP_SERVICE_EMPTY] = "invalid message: service name is empty",
    [MDP_SERVICE_TOO_LONG] = "invalid message: service name is too long",
    [MDP_SERVICE_NOT_PRINTABLE] =
        "invalid message: control character in service name"
};

static const char *const s_type_texts [] = {
    [MDP_CLIENT_REQUEST] = "REQUEST",
    [MDP_CLIENT_REPLY] = "REPLY",
    [MDP_WORKER_READY] = "READY",
    [MDP_WORKER_REQUEST] = "REQUEST",
    [MDP_WORKER_REPLY] = "REPLY",
    [MDP_WORKER_HEARTBEAT] = "HEARTBEAT",
    [MDP_WORKER_DISCONNECT] = "DISCONNECT"
};

const char *
mdp_result_text (mdp_result_t result)
{
    assert (result < MDP_RESULT_COUNT);
    return s_result_texts [result];
}

const char *
mdp_type_text (mdp_type_t type)
{
    assert (type < sizeof (s_type_texts) / sizeof (s_type_texts [0]));
    return s_type_texts [type];
}

mdp_result_t
mdp_check_service (const void *name, size_t size)
{
    const unsigned char *bytes = name;
    if (size == 0)
        return MDP_SERVICE_EMPTY;
    if (size > MDP_SERVICE_MAX)
        return MDP_SERVICE_TOO_LONG;
    for (size_t index = 0; index < size; index++)
        if (bytes [index] < 0x20 || bytes [index] == 0x7f)
            return MDP_SERVICE_NOT_PRINTABLE;
    return MDP_OK;
}

static mdp_result_t
s_check_service_frame (const frame_t *frame)
{
    return mdp_check_service (frame_data (frame), frame_size (frame));
}

//  MDP1-CLIENT-08: one body frame or more, empty ones among them
static mdp_result_t
s_decode_client (const message_t *message, size_t from,
                 mdp_receiver_t receiver, mdp_command_t *command)
{
    if (message_size (message) - from < 4)
        return MDP_TOO_FEW_FRAMES;
    command->type = receiver == MDP_AT_BROKER?
        MDP_CLIENT_REQUEST: MDP_CLIENT_REPLY;
    command->service = message_frame (message, from + 2);
    command->body = from + 3;
    return s_check_service_frame (command->service);
}

//  The part of a worker's REQUEST or REPLY after the command; 7/MDP, Request
//  and Reply Processing: one address, then an empty frame.
static mdp_result_t
s_decode_envelope (const message_t *message, size_t from,
                   mdp_command_t *command)
{
    command->client = message_frame (message, from + 3);
    if (frame_size (command->client) == 0)
        return MDP_NO_CLIENT_ADDRESS;
    if (frame_size (message_frame (message, from + 4)) > 0)
        return MDP_NO_DELIMITER;
    command->body = from + 5;
    return MDP_OK;
}

//  MDP1-WORKER-19: a REPLY has one body frame or more, whatever they hold
static mdp_result_t
s_decode_worker (const message_t *message, size_t from,
                 mdp_command_t *command)
{
    size_t count = message_size (message) - from;
    if (count < 3)
        return MDP_NO_COMMAND;

    const frame_t *code = message_frame (message, from + 2);
    size_t index = 0;
    while (index < WORKER_COMMANDS
    && !frame_is (code, &s_worker_commands [index].code, 1))
        index++;
    if (index == WORKER_COMMANDS)
        return MDP_UNKNOWN_COMMAND;
    if (count < s_worker_commands [index].least)
        return MDP_TOO_FEW_FRAMES;
    if (s_worker_commands [index].most
    &&  count > s_worker_commands [index].most)
        return MDP_TOO_MANY_FRAMES;

    command->type = s_worker_commands [index].type;
    switch (command->type) {
        case MDP_WORKER_READY:
            command->service = message_frame (message, from + 3);
            return s_check_service_frame (command->service);
        case MDP_WORKER_REQUEST:
        case MDP_WORKER_REPLY:
            return s_decode_envelope (message, from, command);
        default:
            return MDP_OK;
    }
}

mdp_result_t
mdp_decode (const message_t *message, size_t from,
            mdp_receiver_t receiver, mdp_command_t *command)
{
    assert (message);
    assert (command);
    size_t size = message_size (message);
    if (size <= from)
        return MDP_NO_FRAMES;
    if (frame_size (message_frame (message, from)) > 0)
        return MDP_NO_EMPTY_FRAME;
    if (size - from < 2)
        return MDP_NO_HEADER;

    //  Filled in apart, so that a malformed message leaves nothing behind
    mdp_command_t found = { .version = MDP_0_1, .body = size };
    const frame_t *header = message_frame (message, from + 1);
    mdp_result_t result = MDP_UNKNOWN_HEADER;
    if (receiver != MDP_AT_WORKER
    &&  frame_is (header, s_headers [MDP_0_1].client, HEADER_SIZE))
        result = s_decode_client (message, from, receiver, &found);
    else
    if (receiver != MDP_AT_CLIENT
    &&  frame_is (header, s_headers [MDP_0_1].worker, HEADER_SIZE))
        result = s_decode_worker (message, from, &found);
    if (result == MDP_OK)
        *command = found;
    return result;
}

//  A message with the address, if any, the empty frame and the header. NULL
//  when memory is out.
//  MDP1-CLIENT-11, MDP1-CLIENT-12, MDP1-WORKER-01, MDP1-WORKER-02
static message_t *
s_begin (const frame_t *address, const char *header)
{
    message_t *message = message_new ();
    if (message
    && ((address && message_add (message, address))
    ||  message_add_bytes (message, "", 0)
    ||  message_add_bytes (message, header, HEADER_SIZE)))
        message_destroy (&message);
    return message;
}

static message_t *
s_begin_worker (mdp_version_t version, const frame_t *address,
                mdp_type_t type)
{
    size_t index = 0;
    while (s_worker_commands [index].type != type) {
        index++;
        assert (index < WORKER_COMMANDS);
    }
    message_t *message = s_begin (address, s_headers [version].worker);
    if (message
    &&  message_add_bytes (message, &s_worker_commands [index].code, 1))
        message_destroy (&message);
    return message;
}

static message_t *
s_client_command (mdp_version_t version, const frame_t *address,
                  const frame_t *service, const message_t *body, size_t from)
{
    assert (message_size (body) > from);
    message_t *message = s_begin (address, s_headers [version].client);
    if (message
    && (message_add (message, service)
    ||  message_add_from (message, body, from)))
        message_destroy (&message);
    return message;
}

static message_t *
s_envelope_command (mdp_version_t version, const frame_t *address,
                    mdp_type_t type, const frame_t *client,
                    const message_t *body, size_t from)
{
    assert (message_size (body) > from);
    message_t *message = s_begin_worker (version, address, type);
    if (message
    && (message_add (message, client)
    ||  message_add_bytes (message, "", 0)
    ||  message_add_from (message, body, from)))
        message_destroy (&message);
    return message;
}

message_t *
mdp_client_request (mdp_version_t version, const frame_t *service,
                    const message_t *body, size_t from)
{
    return s_client_command (version, NULL, service, body, from);
}

//  MDP1-CLIENT-10, MDP1-CLIENT-13, MDP1-CLIENT-14, MDP1-CLIENT-16,
//  MDP1-CLIENT-19
message_t *
mdp_client_reply (mdp_version_t version, const frame_t *address,
                  const frame_t *service, const message_t *body, size_t from)
{
    return s_client_command (version, address, service, body, from);
}

message_t *
mdp_worker_ready (mdp_version_t version, const frame_t *service)
{
    message_t *message = s_begin_worker (version, NULL, MDP_WORKER_READY);
    if (message && message_add (message, service))
        message_destroy (&message);
    return message;
}

//  MDP1-WORKER-09 to MDP1-WORKER-13: MDP1-WORKER-10 the command, MDP1-WORKER-11
//  the address, MDP1-WORKER-12 the delimiter; MDP1-REQREP-01, MDP1-REQREP-03,
//  MDP1-CLIENT-09
message_t *
mdp_worker_request (mdp_version_t version, const frame_t *address,
                    const frame_t *client, const message_t *body, size_t from)
{
    return s_envelope_command (version, address, MDP_WORKER_REQUEST, client,
                               body, from);
}

message_t *
mdp_worker_reply (mdp_version_t version, const frame_t *client,
                  const message_t *body, size_t from)
{
    return s_envelope_command (version, NULL, MDP_WORKER_REPLY, client,
                               body, from);
}

//  MDP1-WORKER-20
message_t *
mdp_worker_heartbeat (mdp_version_t version, const frame_t *address)
{
    return s_begin_worker (version, address, MDP_WORKER_HEARTBEAT);
}

//  MDP1-WORKER-22
message_t *
mdp_worker_disconnect (mdp_version_t version, const frame_t *address)
{
    return s_begin_worker (version, address, MDP_WORKER_DISCONNECT);
}
