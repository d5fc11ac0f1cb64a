/*  =========================================================================
    mdp - Majordomo commands: from a message to a command and back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "mdp.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_SIZE 6

//  What makes a version: 7/MDP and 18/MDP, MDP/Client and MDP/Worker. Frames are
//  counted from the first one of the command.
static const struct {
    const char *text;
    const char *client;         //  Header
    const char *worker;
    bool empty;                 //  An empty frame stands before the header
    size_t command;             //  Number of the worker's command frame
} s_versions [MDP_VERSION_COUNT] = {
    [MDP_0_1] = { "0.1", "MDPC01", "MDPW01", true, 2 },
    [MDP_0_2] = { "0.2", "MDPC02", "MDPW02", false, 1 }
};

//  Commands: the byte on the wire in each version, 0 where there is none, and the
//  number of frames behind the command frame.
typedef struct {
    unsigned char codes [MDP_VERSION_COUNT];
    mdp_type_t type;
    size_t least;
    size_t most;                //  0 for no limit
    bool bare;                  //  Nothing stands behind the command frame
} command_t;

static const command_t s_worker_commands [] = {
    { { 0x01, 0x01 }, MDP_WORKER_READY, 1, 1, false },
    { { 0x02, 0x02 }, MDP_WORKER_REQUEST, 3, 0, false },
    { { 0x00, 0x03 }, MDP_WORKER_PARTIAL, 3, 0, false },
    { { 0x03, 0x04 }, MDP_WORKER_REPLY, 3, 0, false },
    { { 0x04, 0x05 }, MDP_WORKER_HEARTBEAT, 0, 0, true },
    { { 0x05, 0x06 }, MDP_WORKER_DISCONNECT, 0, 0, true }
};

//  In 0.1 a client's command is told by its way alone
static const command_t s_client_commands [] = {
    { { 0x00, 0x01 }, MDP_CLIENT_REQUEST, 2, 0, false },
    { { 0x00, 0x02 }, MDP_CLIENT_PARTIAL, 2, 0, false },
    { { 0x00, 0x03 }, MDP_CLIENT_REPLY, 2, 0, false }
};

#define COUNT(array) (sizeof (array) / sizeof (array [0]))

static const char *const s_result_texts [MDP_RESULT_COUNT] = {
    [MDP_OK] = "well formed",
    [MDP_NO_FRAMES] = "invalid message: no frames",
    [MDP_NO_EMPTY_FRAME] = "invalid message: starts neither with an empty "
        "frame nor with a header of 0.2",
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
        "invalid message: control character in service name",
    [MDP_TOO_LARGE] = "invalid message: body is too large"
};

static const char *const s_type_texts [] = {
    [MDP_CLIENT_REQUEST] = "REQUEST",
    [MDP_CLIENT_PARTIAL] = "PARTIAL",
    [MDP_CLIENT_REPLY] = "REPLY",
    [MDP_WORKER_READY] = "READY",
    [MDP_WORKER_REQUEST] = "REQUEST",
    [MDP_WORKER_PARTIAL] = "PARTIAL",
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

const char *
mdp_version_text (mdp_version_t version)
{
    assert (version < MDP_VERSION_COUNT);
    return s_versions [version].text;
}

mdp_version_t
mdp_version_of (const char *text)
{
    mdp_version_t version = MDP_0_1;
    while (version < MDP_VERSION_COUNT
    &&     strcmp (s_versions [version].text, text))
        version++;
    return version;
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

//  The command of a byte in a version; NULL if there is none
static const command_t *
s_find_command (const command_t *commands, size_t count,
                mdp_version_t version, const frame_t *code)
{
    for (size_t index = 0; index < count; index++)
        if (commands [index].codes [version]
        &&  frame_is (code, &commands [index].codes [version], 1))
            return &commands [index];
    return NULL;
}

//  MDP1-CLIENT-08, MDP2-CLIENT-08: one body frame or more, empty ones among them.
//  In 0.2 the second frame is a command, where 0.1 has the header: so the service
//  is the third frame in both.
static mdp_result_t
s_decode_client (const message_t *message, size_t from, mdp_version_t version,
                 mdp_receiver_t receiver, mdp_command_t *command)
{
    size_t count = message_size (message) - from;
    command->type = receiver == MDP_AT_BROKER?
        MDP_CLIENT_REQUEST: MDP_CLIENT_REPLY;
    if (version != MDP_0_1) {
        if (count < 2)
            return MDP_NO_COMMAND;
        const command_t *found = s_find_command (s_client_commands,
            COUNT (s_client_commands), version,
            message_frame (message, from + 1));
        //  What only a broker sends is no command to a broker
        if (!found || (found->type == MDP_CLIENT_REQUEST)
                   != (receiver == MDP_AT_BROKER))
            return MDP_UNKNOWN_COMMAND;
        command->type = found->type;
    }
    if (count < 4)
        return MDP_TOO_FEW_FRAMES;
    command->service = message_frame (message, from + 2);
    command->body = from + 3;
    return s_check_service_frame (command->service);
}

//  The part of a worker's REQUEST, PARTIAL or REPLY after the command; 7/MDP,
//  Request and Reply Processing: one address, then an empty frame.
static mdp_result_t
s_decode_envelope (const message_t *message, size_t from,
                   mdp_command_t *command)
{
    command->client = message_frame (message, from);
    if (frame_size (command->client) == 0)
        return MDP_NO_CLIENT_ADDRESS;
    if (frame_size (message_frame (message, from + 1)) > 0)
        return MDP_NO_DELIMITER;
    command->body = from + 2;
    return MDP_OK;
}

//  MDP1-WORKER-19: a REPLY has one body frame or more, whatever they hold
static mdp_result_t
s_decode_worker (const message_t *message, size_t from, mdp_version_t version,
                 mdp_command_t *command)
{
    size_t at = from + s_versions [version].command;
    if (message_size (message) <= at)
        return MDP_NO_COMMAND;
    const command_t *found = s_find_command (s_worker_commands,
        COUNT (s_worker_commands), version, message_frame (message, at));
    if (!found)
        return MDP_UNKNOWN_COMMAND;
    size_t behind = message_size (message) - at - 1;
    if (behind < found->least)
        return MDP_TOO_FEW_FRAMES;
    if ((found->bare && behind) || (found->most && behind > found->most))
        return MDP_TOO_MANY_FRAMES;

    command->type = found->type;
    switch (command->type) {
        case MDP_WORKER_READY:
            command->service = message_frame (message, at + 1);
            return s_check_service_frame (command->service);
        case MDP_WORKER_REQUEST:
        case MDP_WORKER_PARTIAL:
        case MDP_WORKER_REPLY:
            return s_decode_envelope (message, at + 1, command);
        default:
            return MDP_OK;
    }
}

//  Which version's header stands here; MDP_VERSION_COUNT for none
static mdp_version_t
s_find_version (const frame_t *header, bool empty, bool client)
{
    mdp_version_t version = MDP_0_1;
    while (version < MDP_VERSION_COUNT
    && (s_versions [version].empty != empty
    || !frame_is (header, client? s_versions [version].client
                                : s_versions [version].worker, HEADER_SIZE)))
        version++;
    return version;
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
    bool empty = frame_size (message_frame (message, from)) == 0;
    if (empty && size - from < 2)
        return MDP_NO_HEADER;

    //  Filled in apart, so that a malformed message leaves nothing behind
    mdp_command_t found = { .body = size };
    const frame_t *header = message_frame (message, from + (empty? 1: 0));
    mdp_result_t result = empty? MDP_UNKNOWN_HEADER: MDP_NO_EMPTY_FRAME;
    mdp_version_t client = s_find_version (header, empty, true);
    mdp_version_t worker = s_find_version (header, empty, false);
    if (receiver != MDP_AT_WORKER && client < MDP_VERSION_COUNT) {
        found.version = client;
        result = s_decode_client (message, from, client, receiver, &found);
    }
    else
    if (receiver != MDP_AT_CLIENT && worker < MDP_VERSION_COUNT) {
        found.version = worker;
        result = s_decode_worker (message, from, worker, &found);
    }
    if (result == MDP_OK)
        *command = found;
    return result;
}

//  A message with the address, if any, the header as the version has it, and the
//  command, if the version has one here. NULL when memory is out.
//  MDP1-CLIENT-11, MDP1-CLIENT-12, MDP1-WORKER-01, MDP1-WORKER-02,
//  MDP2-CLIENT-11, MDP2-CLIENT-12, MDP2-CLIENT-32, MDP2-CLIENT-33, MDP2-WORKER-01,
//  MDP2-WORKER-02
static message_t *
s_begin (mdp_version_t version, const frame_t *address, const char *header,
         const unsigned char *code)
{
    message_t *message = message_new ();
    if (message
    && ((address && message_add (message, address))
    || (s_versions [version].empty && message_add_bytes (message, "", 0))
    ||  message_add_bytes (message, header, HEADER_SIZE)
    || (*code && message_add_bytes (message, code, 1))))
        message_destroy (&message);
    return message;
}

static const unsigned char *
s_code (const command_t *commands, size_t count, mdp_version_t version,
        mdp_type_t type)
{
    size_t index = 0;
    while (commands [index].type != type) {
        index++;
        assert (index < count);
    }
    return &commands [index].codes [version];
}

static message_t *
s_begin_worker (mdp_version_t version, const frame_t *address,
                mdp_type_t type)
{
    const unsigned char *code = s_code (s_worker_commands,
        COUNT (s_worker_commands), version, type);
    assert (*code);
    return s_begin (version, address, s_versions [version].worker, code);
}

static message_t *
s_client_command (mdp_version_t version, const frame_t *address,
                  mdp_type_t type, const frame_t *service,
                  const message_t *body, size_t from)
{
    assert (message_size (body) > from);
    message_t *message = s_begin (version, address,
        s_versions [version].client, s_code (s_client_commands,
            COUNT (s_client_commands), version, type));
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
    return s_client_command (version, NULL, MDP_CLIENT_REQUEST, service, body,
                             from);
}

//  MDP2-CLIENT-31, MDP2-CLIENT-34, MDP2-CLIENT-35
message_t *
mdp_client_partial (mdp_version_t version, const frame_t *address,
                    const frame_t *service, const message_t *body,
                    size_t from)
{
    assert (version != MDP_0_1);
    return s_client_command (version, address, MDP_CLIENT_PARTIAL, service,
                             body, from);
}

//  MDP1-CLIENT-10, MDP1-CLIENT-13, MDP1-CLIENT-14, MDP1-CLIENT-16,
//  MDP1-CLIENT-19
message_t *
mdp_client_reply (mdp_version_t version, const frame_t *address,
                  const frame_t *service, const message_t *body, size_t from)
{
    return s_client_command (version, address, MDP_CLIENT_REPLY, service, body,
                             from);
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
mdp_worker_partial (mdp_version_t version, const frame_t *client,
                    const message_t *body, size_t from)
{
    return s_envelope_command (version, NULL, MDP_WORKER_PARTIAL, client,
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
