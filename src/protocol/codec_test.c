/*  =========================================================================
    codec_test - the codec against the golden messages, from the other side

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../conformance/harness/fixture.h"
#include "mdp.h"

Suite *
codec_suite (void);

//  A golden message's name and role, and what the codec calls it
static const struct {
    const char *name;
    role_t role;
    mdp_type_t type;
} s_types [] = {
    { "READY", ROLE_WORKER, MDP_WORKER_READY },
    { "REQUEST", ROLE_WORKER, MDP_WORKER_REQUEST },
    { "PARTIAL", ROLE_WORKER, MDP_WORKER_PARTIAL },
    { "REPLY", ROLE_WORKER, MDP_WORKER_REPLY },
    { "FINAL", ROLE_WORKER, MDP_WORKER_REPLY },
    { "HEARTBEAT", ROLE_WORKER, MDP_WORKER_HEARTBEAT },
    { "DISCONNECT", ROLE_WORKER, MDP_WORKER_DISCONNECT },
    { "REQUEST", ROLE_CLIENT, MDP_CLIENT_REQUEST },
    { "PARTIAL", ROLE_CLIENT, MDP_CLIENT_PARTIAL },
    { "REPLY", ROLE_CLIENT, MDP_CLIENT_REPLY },
    { "FINAL", ROLE_CLIENT, MDP_CLIENT_REPLY }
};

static fixtures_t *
s_open (void)
{
    static const char *names [] = { "mdp-0.1", "mdp-0.2", "mmi",
                                    "tsp" };
    const char *data = getenv ("SEATRIAL_DATA");
    fixtures_t *fixtures = fixtures_new ();
    for (size_t nbr = 0; nbr < sizeof names / sizeof *names; nbr++) {
        char *path = zsys_sprintf ("%s/fixtures/%s.msg", data? data: ".",
                                   names [nbr]);
        ck_assert_int_eq (fixtures_read (fixtures, path, stderr), 0);
        free (path);
    }
    return fixtures;
}

//  The frames of an example, the first count of them
static message_t *
s_message (const pattern_t *example, size_t count)
{
    message_t *message = message_new ();
    for (size_t nbr = 0; nbr < count; nbr++)
        ck_assert_int_eq (message_add_bytes (message,
            example->terms [nbr].bytes, example->terms [nbr].size), 0);
    return message;
}

static mdp_receiver_t
s_receiver (const golden_t *golden)
{
    return golden->way == WAY_FROM? MDP_AT_BROKER
         : golden->role == ROLE_WORKER? MDP_AT_WORKER: MDP_AT_CLIENT;
}

//  MMI and TSP messages are REQUESTs and REPLYs of MDP
static mdp_type_t
s_type (const golden_t *golden)
{
    for (size_t nbr = 0; nbr < sizeof s_types / sizeof *s_types; nbr++)
        if (strcmp (s_types [nbr].name, golden->name) == 0
        &&  s_types [nbr].role == golden->role)
            return s_types [nbr].type;
    return golden->way == WAY_FROM? MDP_CLIENT_REQUEST: MDP_CLIENT_REPLY;
}

static void
s_check_captured (const frame_t *frame, captures_t *captures,
                  const char *name)
{
    zmsg_t *held = captures_get (captures, name);
    ck_assert ((frame == NULL) == (held == NULL));
    if (frame)
        ck_assert (frame_is (frame, zframe_data (zmsg_first (held)),
                             zframe_size (zmsg_first (held))));
}

static message_t *
s_encode (const mdp_command_t *command, const message_t *message)
{
    switch (command->type) {
        case MDP_CLIENT_REQUEST:
            return mdp_client_request (command->version, command->service,
                                       message, command->body);
        case MDP_CLIENT_PARTIAL:
            return mdp_client_partial (command->version, NULL,
                                       command->service, message,
                                       command->body);
        case MDP_CLIENT_REPLY:
            return mdp_client_reply (command->version, NULL, command->service,
                                     message, command->body);
        case MDP_WORKER_READY:
            return mdp_worker_ready (command->version, command->service);
        case MDP_WORKER_REQUEST:
            return mdp_worker_request (command->version, NULL, command->client,
                                       message, command->body);
        case MDP_WORKER_PARTIAL:
            return mdp_worker_partial (command->version, command->client,
                                       message, command->body);
        case MDP_WORKER_REPLY:
            return mdp_worker_reply (command->version, command->client,
                                     message, command->body);
        case MDP_WORKER_HEARTBEAT:
            return mdp_worker_heartbeat (command->version, NULL);
        case MDP_WORKER_DISCONNECT:
            return mdp_worker_disconnect (command->version, NULL);
    }
    return NULL;
}

//  Decoded, an example is what its name says, with the parts that its
//  parameters stand for; encoded from these parts it is the example again
static void
s_check_example (const golden_t *golden, const pattern_t *example)
{
    message_t *message = s_message (example, example->count);
    mdp_command_t command;
    ck_assert_msg (mdp_decode (message, 0, s_receiver (golden), &command)
                   == MDP_OK, "an example of %s is refused", golden->name);
    ck_assert_int_eq (command.type, s_type (golden));
    ck_assert_str_eq (mdp_version_text (command.version), golden->version + 4);
    if (strncmp (golden->protocol, "mdp/", 4) == 0) {
        captures_t *captures = captures_new ();
        zmsg_t *frames = pattern_compose (example, NULL);
        ck_assert (pattern_match (&golden->pattern, frames, captures));
        s_check_captured (command.service, captures, "service");
        s_check_captured (command.client, captures, "client");
        zmsg_t *body = captures_get (captures, "body");
        ck_assert_uint_eq (example->count - command.body,
                           body? zmsg_size (body): 0);
        zmsg_destroy (&frames);
        captures_destroy (&captures);
    }
    message_t *again = s_encode (&command, message);
    ck_assert_uint_eq (message_size (again), message_size (message));
    for (size_t nbr = 0; nbr < message_size (message); nbr++)
        ck_assert (frame_equal (message_frame (again, nbr),
                                message_frame (message, nbr)));
    message_destroy (&again);
    message_destroy (&message);
}

START_TEST (examples_go_both_ways)
{
    fixtures_t *fixtures = s_open ();
    for (size_t index = 0; index < fixtures_size (fixtures); index++) {
        const golden_t *golden = fixtures_at (fixtures, index);
        for (size_t nbr = 0; nbr < golden->example_count; nbr++)
            s_check_example (golden, &golden->examples [nbr]);
    }
    fixtures_destroy (&fixtures);
}
END_TEST

//  What is left of an example when frames are cut off is taken just when the
//  golden message has that form too
START_TEST (shorter_messages_are_refused)
{
    fixtures_t *fixtures = s_open ();
    for (size_t index = 0; index < fixtures_size (fixtures); index++) {
        const golden_t *golden = fixtures_at (fixtures, index);
        if (strncmp (golden->protocol, "mdp/", 4))
            continue;
        const pattern_t *example = golden->examples;
        for (size_t count = 0; count < example->count; count++) {
            message_t *message = s_message (example, count);
            pattern_t cut = { example->terms, count };
            zmsg_t *frames = pattern_compose (&cut, NULL);
            mdp_command_t command;
            mdp_result_t result = mdp_decode (message, 0, s_receiver (golden),
                                              &command);
            ck_assert_msg ((result == MDP_OK)
                == pattern_match (&golden->pattern, frames, NULL),
                "%s cut to %zu frames: %s", golden->name, count,
                mdp_result_text (result));
            zmsg_destroy (&frames);
            message_destroy (&message);
        }
    }
    fixtures_destroy (&fixtures);
}
END_TEST

Suite *
codec_suite (void)
{
    Suite *suite = suite_create ("codec");
    TCase *tcase = tcase_create ("codec");
    tcase_add_test (tcase, examples_go_both_ways);
    tcase_add_test (tcase, shorter_messages_are_refused);
    suite_add_tcase (suite, tcase);
    return suite;
}
