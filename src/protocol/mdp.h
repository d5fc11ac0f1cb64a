/*  =========================================================================
    mdp - Majordomo commands: from a message to a command and back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef MDP_H_INCLUDED
#define MDP_H_INCLUDED

#include <stddef.h>

#include "message.h"

//  Longest service name taken, in bytes. 7/MDP sets no limit.
#define MDP_SERVICE_MAX 255

typedef enum {
    MDP_0_1,                    //  7/MDP
    MDP_0_2,                    //  18/MDP
    MDP_VERSION_COUNT
} mdp_version_t;

//  MDP/Client has one format for both ways, so that a command is told by who
//  receives it.
typedef enum {
    MDP_AT_BROKER,
    MDP_AT_WORKER,
    MDP_AT_CLIENT
} mdp_receiver_t;

typedef enum {
    MDP_CLIENT_REQUEST,         //  Client to broker: service, body
    MDP_CLIENT_PARTIAL,         //  Broker to client, 0.2: service, body
    MDP_CLIENT_REPLY,           //  Broker to client: service, body; FINAL in 0.2
    MDP_WORKER_READY,           //  Worker to broker: service
    MDP_WORKER_REQUEST,         //  Broker to worker: client, body
    MDP_WORKER_PARTIAL,         //  Worker to broker, 0.2: client, body
    MDP_WORKER_REPLY,           //  Worker to broker: client, body; FINAL in 0.2
    MDP_WORKER_HEARTBEAT,       //  Both ways
    MDP_WORKER_DISCONNECT       //  Both ways
} mdp_type_t;

//  Each way in which a message can be malformed.
typedef enum {
    MDP_OK,
    MDP_NO_FRAMES,
    MDP_NO_EMPTY_FRAME,
    MDP_NO_HEADER,
    MDP_UNKNOWN_HEADER,
    MDP_NO_COMMAND,
    MDP_UNKNOWN_COMMAND,
    MDP_TOO_FEW_FRAMES,
    MDP_TOO_MANY_FRAMES,
    MDP_NO_CLIENT_ADDRESS,
    MDP_NO_DELIMITER,
    MDP_SERVICE_EMPTY,
    MDP_SERVICE_TOO_LONG,
    MDP_SERVICE_NOT_PRINTABLE,
    MDP_TOO_LARGE,              //  Never from mdp_decode: its caller's limit
    MDP_RESULT_COUNT            //  How many results there are
} mdp_result_t;

//  A well-formed command. Its frames are borrowed from the message that it was
//  read from.
typedef struct {
    mdp_version_t version;
    mdp_type_t type;
    const frame_t *service;     //  All of the client's, READY
    const frame_t *client;      //  WORKER_REQUEST, WORKER_PARTIAL, WORKER_REPLY
    size_t body;                //  Number of the first body frame in the
                                //  message; its size where there is no body
} mdp_command_t;

//  One line for people: "unknown protocol header", ...
const char *
    mdp_result_text (mdp_result_t result);

//  "READY", "REQUEST", ...
const char *
    mdp_type_text (mdp_type_t type);

//  "0.1", and back. Returns MDP_VERSION_COUNT when there is no such version.
const char *
    mdp_version_text (mdp_version_t version);
mdp_version_t
    mdp_version_of (const char *text);

//  Read the command that stands in the message from frame number from on: 1 for
//  what a ROUTER received (frame 0 is the peer's address), 0 otherwise. The
//  version is told by the first frames: 0.1 begins with an empty one. All
//  worker commands are read at a broker and at a worker, whichever way
//  they should go: to tell what is unexpected is the caller's part. The command
//  is only filled in when the result is MDP_OK.
mdp_result_t
    mdp_decode (const message_t *message, size_t from,
                mdp_receiver_t receiver, mdp_command_t *command);

//  Whether size bytes are a service name that may be sent: MDP_OK or one of
//  MDP_SERVICE_xxx. 1 to 255 bytes, no control characters; bytes above 0x7f
//  pass, so that UTF-8 does.
mdp_result_t
    mdp_check_service (const void *name, size_t size);

//  Make a command. Each gives a new message, or NULL when memory is out.
//  address, where there is one, is put in front for a ROUTER; NULL for none.
//  The body is the frames of the message body from number from on, at least
//  one, by reference. PARTIAL is there in 0.2 only.
message_t *
    mdp_client_request (mdp_version_t version, const frame_t *service,
                        const message_t *body, size_t from);
message_t *
    mdp_client_partial (mdp_version_t version, const frame_t *address,
                        const frame_t *service,
                        const message_t *body, size_t from);
message_t *
    mdp_client_reply (mdp_version_t version, const frame_t *address,
                      const frame_t *service,
                      const message_t *body, size_t from);
message_t *
    mdp_worker_ready (mdp_version_t version, const frame_t *service);
message_t *
    mdp_worker_request (mdp_version_t version, const frame_t *address,
                        const frame_t *client,
                        const message_t *body, size_t from);
message_t *
    mdp_worker_partial (mdp_version_t version, const frame_t *client,
                        const message_t *body, size_t from);
message_t *
    mdp_worker_reply (mdp_version_t version, const frame_t *client,
                      const message_t *body, size_t from);
message_t *
    mdp_worker_heartbeat (mdp_version_t version, const frame_t *address);
message_t *
    mdp_worker_disconnect (mdp_version_t version, const frame_t *address);

#endif
