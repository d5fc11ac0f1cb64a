/*  =========================================================================
    mdp_test - malformed messages, and what is just well formed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mdp.h"

Suite *
mdp_suite (void);

#define FRAMES_MAX 8

typedef struct {
    mdp_receiver_t receiver;
    mdp_result_t result;
    mdp_type_t type;            //  When the result is MDP_OK
    const char *frames [FRAMES_MAX];    //  Up to the first NULL
} case_t;

static message_t *
s_message (const char *const *frames)
{
    message_t *message = message_new ();
    for (size_t index = 0; index < FRAMES_MAX && frames [index]; index++)
        ck_assert_int_eq (message_add_string (message, frames [index]), 0);
    return message;
}

static const case_t s_cases [] = {
    { MDP_AT_BROKER, MDP_NO_FRAMES, 0, { NULL } },
    { MDP_AT_BROKER, MDP_NO_EMPTY_FRAME, 0, { "x" } },
    { MDP_AT_BROKER, MDP_NO_EMPTY_FRAME, 0, { "MDPC01", "echo", "x" } },
    { MDP_AT_BROKER, MDP_NO_HEADER, 0, { "" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "", "MDPC01", "e", "x" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "MDPC1", "echo", "x" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "MDPC011", "echo", "x" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "mdpc01", "echo", "x" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_HEADER, 0, { "", "MDPW03", "\4" } },
    { MDP_AT_WORKER, MDP_UNKNOWN_HEADER, 0, { "", "MDPC01", "echo", "x" } },
    { MDP_AT_CLIENT, MDP_UNKNOWN_HEADER, 0, { "", "MDPW01", "\4" } },

    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPC01" } },
    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPC01", "echo" } },
    { MDP_AT_CLIENT, MDP_TOO_FEW_FRAMES, 0, { "", "MDPC01", "echo" } },
    { MDP_AT_BROKER, MDP_SERVICE_EMPTY, 0, { "", "MDPC01", "", "x" } },
    { MDP_AT_BROKER, MDP_SERVICE_NOT_PRINTABLE, 0,
      { "", "MDPC01", "e\ncho", "x" } },
    { MDP_AT_BROKER, MDP_SERVICE_NOT_PRINTABLE, 0,
      { "", "MDPC01", "echo\x7f", "x" } },
    { MDP_AT_CLIENT, MDP_SERVICE_EMPTY, 0, { "", "MDPC01", "", "x" } },
    { MDP_AT_BROKER, MDP_OK, MDP_CLIENT_REQUEST,
      { "", "MDPC01", "echo", "" } },
    { MDP_AT_BROKER, MDP_OK, MDP_CLIENT_REQUEST,
      { "", "MDPC01", "\xc3\xa9 cho", "x", "y" } },
    { MDP_AT_CLIENT, MDP_OK, MDP_CLIENT_REPLY,
      { "", "MDPC01", "echo", "x", "", "y" } },

    { MDP_AT_BROKER, MDP_NO_COMMAND, 0, { "", "MDPW01" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_COMMAND, 0, { "", "MDPW01", "" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_COMMAND, 0, { "", "MDPW01", "\6" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_COMMAND, 0, { "", "MDPW01", "4" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_COMMAND, 0, { "", "MDPW01", "\4\4" } },
    { MDP_AT_BROKER, MDP_UNKNOWN_COMMAND, 0, { "", "MDPW01", "\1echo" } },

    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPW01", "\1" } },
    { MDP_AT_BROKER, MDP_TOO_MANY_FRAMES, 0,
      { "", "MDPW01", "\1", "echo", "" } },
    { MDP_AT_BROKER, MDP_SERVICE_EMPTY, 0, { "", "MDPW01", "\1", "" } },
    { MDP_AT_BROKER, MDP_SERVICE_NOT_PRINTABLE, 0,
      { "", "MDPW01", "\1", "\1" } },
    { MDP_AT_BROKER, MDP_OK, MDP_WORKER_READY, { "", "MDPW01", "\1", "e" } },
    { MDP_AT_WORKER, MDP_OK, MDP_WORKER_READY, { "", "MDPW01", "\1", "e" } },

    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPW01", "\3" } },
    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPW01", "\3", "A" } },
    { MDP_AT_BROKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPW01", "\3", "A", "" } },
    { MDP_AT_BROKER, MDP_NO_DELIMITER, 0,
      { "", "MDPW01", "\3", "A", "B", "x" } },
    { MDP_AT_BROKER, MDP_NO_DELIMITER, 0,
      { "", "MDPW01", "\3", "A", "B", "", "x" } },
    { MDP_AT_BROKER, MDP_NO_CLIENT_ADDRESS, 0,
      { "", "MDPW01", "\3", "", "", "x" } },
    { MDP_AT_BROKER, MDP_OK, MDP_WORKER_REPLY,
      { "", "MDPW01", "\3", "A", "", "" } },
    { MDP_AT_BROKER, MDP_OK, MDP_WORKER_REQUEST,
      { "", "MDPW01", "\2", "A", "", "x" } },
    { MDP_AT_WORKER, MDP_TOO_FEW_FRAMES, 0, { "", "MDPW01", "\2", "A", "" } },
    { MDP_AT_WORKER, MDP_NO_DELIMITER, 0,
      { "", "MDPW01", "\2", "A", "x", "y" } },
    { MDP_AT_WORKER, MDP_OK, MDP_WORKER_REQUEST,
      { "", "MDPW01", "\2", "A", "", "x", "" } },

    { MDP_AT_BROKER, MDP_OK, MDP_WORKER_HEARTBEAT, { "", "MDPW01", "\4" } },
    { MDP_AT_WORKER, MDP_OK, MDP_WORKER_HEARTBEAT, { "", "MDPW01", "\4" } },
    { MDP_AT_BROKER, MDP_TOO_MANY_FRAMES, 0, { "", "MDPW01", "\4", "" } },
    { MDP_AT_BROKER, MDP_OK, MDP_WORKER_DISCONNECT, { "", "MDPW01", "\5" } },
    { MDP_AT_WORKER, MDP_OK, MDP_WORKER_DISCONNECT, { "", "MDPW01", "\5" } },
    { MDP_AT_WORKER, MDP_TOO_MANY_FRAMES, 0, { "", "MDPW01", "\5", "" } }
};

#define CASES (sizeof (s_cases) / sizeof (s_cases [0]))

START_TEST (each_case)
{
    const case_t *test = &s_cases [_i];
    message_t *message = s_message (test->frames);
    mdp_command_t command;
    memset (&command, 0x5a, sizeof (command));
    mdp_command_t before = command;
    mdp_result_t result = mdp_decode (message, 0, test->receiver, &command);
    ck_assert_str_eq (mdp_result_text (result),
                      mdp_result_text (test->result));
    if (result == MDP_OK) {
        ck_assert_int_eq (command.type, test->type);
        ck_assert_int_eq (command.version, MDP_0_1);
    }
    else
        ck_assert (memcmp (&before, &command, sizeof (command)) == 0);
    message_destroy (&message);
}
END_TEST

//  What a ROUTER received has an address in front, of any bytes.
START_TEST (each_case_after_an_address)
{
    const case_t *test = &s_cases [_i];
    message_t *command_part = s_message (test->frames);
    message_t *message = message_new ();
    ck_assert_int_eq (message_add_bytes (message, "\0address", 8), 0);
    ck_assert_int_eq (message_add_from (message, command_part, 0), 0);
    mdp_command_t command;
    ck_assert_int_eq (mdp_decode (message, 1, test->receiver, &command),
                      test->result);
    if (test->result == MDP_OK && command.client)
        ck_assert_ptr_eq (command.client, message_frame (message, 4));
    message_destroy (&command_part);
    message_destroy (&message);
}
END_TEST

//  Each message cut off after any number of frames is refused or is what a
//  shorter command looks like: no read past the end, whatever it is.
START_TEST (each_prefix)
{
    const case_t *test = &s_cases [_i];
    message_t *whole = s_message (test->frames);
    message_t *message = message_new ();
    for (size_t size = 0; size <= message_size (whole); size++) {
        mdp_command_t command;
        for (mdp_receiver_t at = MDP_AT_BROKER; at <= MDP_AT_CLIENT; at++) {
            mdp_result_t result = mdp_decode (message, 0, at, &command);
            ck_assert_uint_lt (result, MDP_RESULT_COUNT);
            if (size < 3)
                ck_assert_int_ne (result, MDP_OK);
            if (result == MDP_OK)
                ck_assert_uint_le (command.body, size);
        }
        if (size < message_size (whole))
            ck_assert_int_eq (
                message_add (message, message_frame (whole, size)), 0);
    }
    message_destroy (&message);
    message_destroy (&whole);
}
END_TEST

START_TEST (service_name_limits)
{
    char name [MDP_SERVICE_MAX + 1];
    memset (name, 'a', sizeof (name));
    ck_assert_int_eq (mdp_check_service (name, 0), MDP_SERVICE_EMPTY);
    ck_assert_int_eq (mdp_check_service (name, 1), MDP_OK);
    ck_assert_int_eq (mdp_check_service (name, MDP_SERVICE_MAX), MDP_OK);
    ck_assert_int_eq (mdp_check_service (name, MDP_SERVICE_MAX + 1),
                      MDP_SERVICE_TOO_LONG);
    for (int byte = 0; byte < 256; byte++) {
        name [1] = (char) byte;
        ck_assert_int_eq (mdp_check_service (name, 3),
                          byte < 0x20 || byte == 0x7f?
                              MDP_SERVICE_NOT_PRINTABLE: MDP_OK);
    }
}
END_TEST

START_TEST (every_result_has_a_text)
{
    for (mdp_result_t result = MDP_OK; result < MDP_RESULT_COUNT; result++)
        ck_assert_ptr_nonnull (mdp_result_text (result));
    ck_assert_str_eq (mdp_type_text (MDP_WORKER_READY), "READY");
    ck_assert_str_eq (mdp_type_text (MDP_WORKER_DISCONNECT), "DISCONNECT");
}
END_TEST

//  What is encoded decodes to the same, with the body by reference.
static void
s_check (message_t **message_p, size_t from, mdp_receiver_t receiver,
         mdp_type_t type, const frame_t *service, const frame_t *client,
         const message_t *body)
{
    mdp_command_t command;
    ck_assert_int_eq (mdp_decode (*message_p, from, receiver, &command),
                      MDP_OK);
    ck_assert_int_eq (command.type, type);
    ck_assert_ptr_eq (command.service, service);
    ck_assert_ptr_eq (command.client, client);
    if (body)
        for (size_t index = 0; index < message_size (body); index++)
            ck_assert_ptr_eq (
                message_frame (*message_p, command.body + index),
                message_frame (body, index));
    ck_assert_uint_eq (message_size (*message_p) - command.body,
                       body? message_size (body): 0);
    message_destroy (message_p);
}

START_TEST (there_and_back)
{
    frame_t *address = frame_new ("\0peer", 5);
    frame_t *client = frame_new ("\0client", 7);
    frame_t *service = frame_new ("echo", 4);
    const char *frames [FRAMES_MAX] = { "Hello", "", "world", NULL };
    message_t *body = s_message (frames);

    message_t *message = mdp_client_request (MDP_0_1, service, body, 0);
    s_check (&message, 0, MDP_AT_BROKER, MDP_CLIENT_REQUEST, service, NULL,
             body);
    message = mdp_client_reply (MDP_0_1, address, service, body, 0);
    ck_assert_ptr_eq (message_frame (message, 0), address);
    s_check (&message, 1, MDP_AT_CLIENT, MDP_CLIENT_REPLY, service, NULL,
             body);
    message = mdp_worker_ready (MDP_0_1, service);
    s_check (&message, 0, MDP_AT_BROKER, MDP_WORKER_READY, service, NULL,
             NULL);
    message = mdp_worker_request (MDP_0_1, address, client, body, 0);
    s_check (&message, 1, MDP_AT_WORKER, MDP_WORKER_REQUEST, NULL, client,
             body);
    message = mdp_worker_reply (MDP_0_1, client, body, 0);
    s_check (&message, 0, MDP_AT_BROKER, MDP_WORKER_REPLY, NULL, client,
             body);
    message = mdp_worker_heartbeat (MDP_0_1, address);
    s_check (&message, 1, MDP_AT_WORKER, MDP_WORKER_HEARTBEAT, NULL, NULL,
             NULL);
    message = mdp_worker_heartbeat (MDP_0_1, NULL);
    s_check (&message, 0, MDP_AT_BROKER, MDP_WORKER_HEARTBEAT, NULL, NULL,
             NULL);
    message = mdp_worker_disconnect (MDP_0_1, address);
    s_check (&message, 1, MDP_AT_WORKER, MDP_WORKER_DISCONNECT, NULL, NULL,
             NULL);

    message_destroy (&body);
    frame_destroy (&service);
    frame_destroy (&client);
    frame_destroy (&address);
}
END_TEST

Suite *
mdp_suite (void)
{
    Suite *suite = suite_create ("mdp");
    TCase *tcase = tcase_create ("mdp");
    tcase_add_loop_test (tcase, each_case, 0, (int) CASES);
    tcase_add_loop_test (tcase, each_case_after_an_address, 0, (int) CASES);
    tcase_add_loop_test (tcase, each_prefix, 0, (int) CASES);
    tcase_add_test (tcase, service_name_limits);
    tcase_add_test (tcase, every_result_has_a_text);
    tcase_add_test (tcase, there_and_back);
    suite_add_tcase (suite, tcase);
    return suite;
}
