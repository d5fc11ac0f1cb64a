/*  =========================================================================
    titanic_trace - a Titanic server on a virtual clock, for its tests

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "titanic_trace.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "../protocol/tsp.h"

titanic_t *server;
update_t *server_update;
store_t *server_store;
int64_t server_now_ms;
bool server_store_fails;
bool server_store_waits;

void
server_set_up (void)
{
    titanic_config_t config = { MDP_0_1, HEARTBEAT, LIVENESS, TIMEOUT,
                                RETRY, 1, 1, 1, 4, 2, 0, { { 0 } }, 1000, 5, 0, 0,
                                0 };
    store_result_t result;
    char error [64];
    server = titanic_new (&config);
    server_update = update_new ();
    server_store = store_open ("memory:", &result, error, sizeof error);
    server_now_ms = 1000;
    server_store_fails = server_store_waits = false;
}

void
server_tear_down (void)
{
    titanic_destroy (&server);
    update_destroy (&server_update);
    store_close (&server_store);
}

void
server_step (event_t event)
{
    event.now_ms = server_now_ms;
    event.wall_ms = 1700000000000 + server_now_ms;
    titanic_step (server, &event, server_update);
}

//  Give the store its queries and the engine the answers, until there are none
void
server_serve_store (void)
{
    for (size_t nbr = 0; nbr < update_size (server_update); nbr++) {
        effect_t *effect = update_effect (server_update, nbr);
        bool write = effect->type == EFFECT_WRITE;
        if (!write && effect->type != EFFECT_READ)
            continue;
        store_answer_t answer = { .ticket = effect->query.ticket,
            .type = effect->query.type, .result = STORE_FULL };
        const store_query_t *query = &effect->query;
        if (!write)
            store_read (server_store, query, &answer);
        else
        if (!server_store_fails)
            store_write (server_store, &query, 1, &answer);
        update_remove (server_update, nbr--);
        server_step ((event_t) { .type = write? EVENT_WRITTEN: EVENT_READ,
                            .answer = &answer });
        store_answer_clear (&answer);
    }
}

void
server_tick (int64_t ms)
{
    server_now_ms += ms;
    server_step ((event_t) { .type = EVENT_TICK });
    if (!server_store_waits)
        server_serve_store ();
}

void
server_receive (channel_t channel, message_t *message)
{
    static uint64_t bits = 1;
    server_step ((event_t) { .type = EVENT_RECEIVED, .channel = channel,
        .message = message, .random = { bits * 0x9e3779b97f4a7c15, bits } });
    bits++;
    message_destroy (&message);
    if (!server_store_waits)
        server_serve_store ();
}

//  The oldest effect of this type on a slot; taken out. NULL if there is none.
message_t *
server_sent (channel_t slot, channel_t *channel)
{
    for (size_t nbr = 0; nbr < update_size (server_update); nbr++) {
        effect_t *effect = update_effect (server_update, nbr);
        if (effect->type != EFFECT_SEND || effect->channel % SLOTS != slot)
            continue;
        *channel = effect->channel;
        message_t *message = effect->message;
        effect->message = NULL;
        update_remove (server_update, nbr);
        return message;
    }
    return NULL;
}

//  What a slot sent next must be this command; its body's first frame, as text
const char *
server_expect (channel_t slot, mdp_type_t type, channel_t *channel)
{
    static char text [64];
    message_t *message = server_sent (slot, channel);
    ck_assert_msg (message != NULL, "no %s on slot %u", mdp_type_text (type),
                   (unsigned) slot);
    mdp_command_t command;
    ck_assert_int_eq (mdp_decode (message, 0, MDP_AT_BROKER, &command),
                      MDP_OK);
    ck_assert_int_eq (command.type, type);
    const frame_t *frame = message_frame (message, command.body);
    snprintf (text, sizeof text, "%.*s", frame? (int) frame_size (frame): 0,
              frame? (const char *) frame_data (frame): "");
    message_destroy (&message);
    return text;
}

void
server_expect_nothing (channel_t slot)
{
    channel_t channel;
    message_t *message = server_sent (slot, &channel);
    ck_assert (message == NULL);
}

message_t *
server_body (const char *first, const char *second)
{
    message_t *body = message_new ();
    if (first)
        message_add_string (body, first);
    if (second)
        message_add_string (body, second);
    return body;
}

//  A client asks one of the three services
void
server_ask (channel_t channel, const char *first, const char *second)
{
    frame_t *client = frame_new ("client", 6);
    message_t *body = server_body (first, second);
    message_t *message = mdp_worker_request (MDP_0_1, NULL, client, body, 0);
    frame_destroy (&client);
    message_destroy (&body);
    server_receive (channel, message);
}

//  The broker replies to an execution
void
server_answer (channel_t channel, const char *service, const char *text)
{
    frame_t *name = frame_new (service, strlen (service));
    message_t *body = server_body (text, NULL);
    message_t *message = mdp_client_reply (MDP_0_1, NULL, name, body, 0);
    frame_destroy (&name);
    message_destroy (&body);
    server_receive (channel, message);
}

//  All three workers register; their channels
void
server_register (channel_t channels [3])
{
    server_tick (0);
    for (channel_t slot = 0; slot < 3; slot++)
        server_expect (slot, MDP_WORKER_READY, &channels [slot]);
}

//  Keep the broker alive for so long
void
server_pass (channel_t channels [3], int64_t ms)
{
    for (; ms > 0; ms -= HEARTBEAT / 2) {
        for (int nbr = 0; nbr < 3; nbr++)
            server_receive (channels [nbr], mdp_worker_heartbeat (MDP_0_1, NULL));
        server_tick (HEARTBEAT / 2);
    }
}

//  Store a request; its id
const char *
server_store_request (channel_t channels [3], const char *service,
                 const char *body)
{
    static char id [TSP_ID_DIGITS + 1];
    server_ask (channels [0], service, body);
    channel_t channel;
    message_t *message;
    mdp_command_t command;
    do {
        message = server_sent (0, &channel);
        ck_assert_ptr_nonnull (message);
        mdp_decode (message, 0, MDP_AT_BROKER, &command);
        if (command.type == MDP_WORKER_REPLY)
            break;
        message_destroy (&message);
    } while (true);
    ck_assert (frame_is (message_frame (message, command.body), "200", 3));
    const frame_t *frame = message_frame (message, command.body + 1);
    memcpy (id, frame_data (frame), TSP_ID_DIGITS);
    message_destroy (&message);
    return id;
}

//  The status that a question gets
const char *
server_status (channel_t channels [3], channel_t slot, const char *first)
{
    channel_t channel;
    const char *text;
    server_ask (channels [slot], first, NULL);
    message_t *message = server_sent (slot, &channel);
    ck_assert_ptr_nonnull (message);
    mdp_command_t command;
    mdp_decode (message, 0, MDP_AT_BROKER, &command);
    while (command.type != MDP_WORKER_REPLY) {
        message_destroy (&message);
        message = server_sent (slot, &channel);
        ck_assert_ptr_nonnull (message);
        mdp_decode (message, 0, MDP_AT_BROKER, &command);
    }
    static char status [8];
    const frame_t *frame = message_frame (message, command.body);
    snprintf (status, sizeof status, "%.*s", (int) frame_size (frame),
              (const char *) frame_data (frame));
    text = status;
    message_destroy (&message);
    return text;
}
