/*  =========================================================================
    broker_fault_test - the broker while memory is out, and afterwards

    Honest workers and clients talk to the broker on a virtual clock while each
    of its allocations fails in turn. They do what their specification tells them:
    a worker that hears nothing comes again, a client that gets no reply asks again.
    So when there is memory again, everybody must be served again.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/broker.h"
#include "../protocol/mdp.h"
#include "faults.h"

Suite *broker_fault_suite (void);

#define HB 100
#define LIVENESS 3
//  A client asks again after this many milliseconds
#define PATIENCE_MS (5 * HB)
#define HOP_MS (HB / 2)
//  An update has room for so many at first
#define EFFECTS 16

typedef struct {
    const char *service;
    mdp_version_t version;
    bool parts;                 //  Answers in two parts
    int life;                   //  Part of its address: a new socket each
    int64_t heard_ms, sent_ms;
} hand_t;

typedef struct {
    const char *service;
    mdp_version_t version;
    int number;                 //  Of the request that it waits for the reply to
    int replied;                //  Number of the last one that was replied to
    int64_t asked_ms;
    bool lonely;                //  No one serves this: no reply will come
    int partials;               //  That came since its last question or reply
} asker_t;

static hand_t s_hands [3];
static asker_t s_askers [6];
#define HANDS 3
#define ASKERS 6

static broker_t *s_broker;
static update_t *s_update;
static int64_t s_now;
static size_t s_looked;         //  Effects that were carried out

static void
s_step (event_type_t type, const message_t *message)
{
    event_t event = { .type = type, .now_ms = s_now, .message = message };
    faults_begin ();
    broker_step (s_broker, &event, s_update);
    faults_end ();
}

//  A message arrives from an address, which is put in front; takes it
static void
s_receive (const char *address, message_t *command)
{
    message_t *message = message_new ();
    MUST (message_add_string (message, address) == 0);
    MUST (message_add_from (message, command, 0) == 0);
    message_destroy (&command);
    s_step (EVENT_RECEIVED, message);
    message_destroy (&message);
}

static frame_t *
s_frame (const char *text)
{
    return frame_new (text, strlen (text));
}

//  --------------------------------------------------------------------------
//  Workers

static const char *
s_hand_address (const hand_t *hand)
{
    static char address [16];
    snprintf (address, sizeof address, "w%d.%d", (int) (hand - s_hands),
              hand->life);
    return address;
}

static void
s_hand_send (hand_t *hand, message_t *message)
{
    hand->sent_ms = s_now;
    s_receive (s_hand_address (hand), message);
}

//  A new socket, and READY
static void
s_hand_begin (hand_t *hand)
{
    hand->life++;
    hand->heard_ms = s_now;
    frame_t *service = s_frame (hand->service);
    s_hand_send (hand, mdp_worker_ready (hand->version, service));
    frame_destroy (&service);
}

static void
s_hand_receive (hand_t *hand, const message_t *message)
{
    mdp_command_t command;
    MUST (mdp_decode (message, 1, MDP_AT_WORKER, &command) == MDP_OK);
    MUST (command.version == hand->version);
    hand->heard_ms = s_now;
    if (command.type == MDP_WORKER_DISCONNECT)
        s_hand_begin (hand);
    if (command.type != MDP_WORKER_REQUEST)
        return;
    //  The message may be gone after the first answer
    frame_t *client = frame_ref (command.client);
    message_t *body = message_slice (message, command.body);
    if (hand->parts)
        s_hand_send (hand, mdp_worker_partial (hand->version, client, body, 0));
    s_hand_send (hand, mdp_worker_reply (hand->version, client, body, 0));
    frame_destroy (&client);
    message_destroy (&body);
}

static void
s_hand_live (hand_t *hand)
{
    if (s_now - hand->heard_ms >= HB * LIVENESS)
        s_hand_begin (hand);
    else
    if (s_now - hand->sent_ms >= HB)
        s_hand_send (hand, mdp_worker_heartbeat (hand->version, NULL));
}

//  --------------------------------------------------------------------------
//  Clients

static void
s_ask (asker_t *asker)
{
    char text [32];
    int nbr = (int) (asker - s_askers);
    snprintf (text, sizeof text, "%d to %d", asker->number, nbr);
    message_t *body = message_new ();
    MUST (message_add_string (body, text) == 0);
    frame_t *service = s_frame (asker->service);
    snprintf (text, sizeof text, "c%d", nbr);
    asker->asked_ms = s_now;
    asker->partials = 0;
    s_receive (text, mdp_client_request (asker->version, service, body, 0));
    frame_destroy (&service);
    message_destroy (&body);
}

static void
s_ask_fresh (void)
{
    for (int nbr = 0; nbr < ASKERS; nbr++) {
        s_askers [nbr].number++;
        s_ask (&s_askers [nbr]);
    }
}

//  MDP1-REQREP-06: what comes is the answer to what this client has asked
static void
s_asker_receive (asker_t *asker, const message_t *message)
{
    mdp_command_t command;
    MUST (mdp_decode (message, 1, MDP_AT_CLIENT, &command) == MDP_OK);
    MUST (command.version == asker->version);
    if (command.type == MDP_CLIENT_PARTIAL) {
        asker->partials++;
        return;
    }
    //  A FINAL whose PARTIAL was left out looks whole
    MUST (asker->version == MDP_0_1 || asker->partials > 0
    ||    !frame_is (command.service, "parts", 5));
    asker->partials = 0;
    if (frame_is (command.service, "mmi.service", 11)) {
        asker->replied = asker->number;
        return;
    }
    const frame_t *body = message_frame (message, command.body);
    char text [32];
    snprintf (text, sizeof text, "%.*s", (int) frame_size (body),
              (const char *) frame_data (body));
    int number, to;
    MUST (sscanf (text, "%d to %d", &number, &to) == 2);
    MUST (to == (int) (asker - s_askers));
    if (number == asker->number)
        asker->replied = number;
}

static bool
s_all_replied (void)
{
    for (int nbr = 0; nbr < ASKERS; nbr++)
        if (!s_askers [nbr].lonely
        &&  s_askers [nbr].replied != s_askers [nbr].number)
            return false;
    return true;
}

//  --------------------------------------------------------------------------
//  Time

static void
s_carry_out (void)
{
    while (s_looked < update_size (s_update)) {
        effect_t *effect = update_effect (s_update, s_looked++);
        if (effect->type != EFFECT_SEND)
            continue;
        message_t *message = effect->message;
        effect->message = NULL;
        char kind;
        int nbr, life;
        char text [16];
        const frame_t *address = message_frame (message, 0);
        snprintf (text, sizeof text, "%.*s", (int) frame_size (address),
                  (const char *) frame_data (address));
        int fields = sscanf (text, "%c%d.%d", &kind, &nbr, &life);
        if (kind == 'c')
            s_asker_receive (&s_askers [nbr], message);
        else
        if (kind == 'w' && fields == 3 && life == s_hands [nbr].life)
            s_hand_receive (&s_hands [nbr], message);
        else
        if (kind == 'w')
            s_step (EVENT_UNREACHABLE, message);
        message_destroy (&message);
    }
    update_clear (s_update);
    s_looked = 0;
}

static void
s_tick (void)
{
    s_step (EVENT_TICK, NULL);
    //  Without memory too the process sleeps
    MUST (update_deadline (s_update) > s_now);
    s_carry_out ();
}

static void
s_pass (int64_t ms)
{
    for (int64_t end_ms = s_now + ms; s_now < end_ms; s_now += HOP_MS) {
        if (update_deadline (s_update) <= s_now)
            s_tick ();
        for (int nbr = 0; nbr < HANDS; nbr++)
            s_hand_live (&s_hands [nbr]);
        for (int nbr = 0; nbr < ASKERS; nbr++) {
            asker_t *asker = &s_askers [nbr];
            if (asker->replied != asker->number
            &&  s_now - asker->asked_ms >= PATIENCE_MS)
                s_ask (asker);
        }
        s_carry_out ();
    }
}

//  --------------------------------------------------------------------------
//  A life

static void
s_raw (const char *address, ...)
{
    message_t *message = message_new ();
    va_list frames;
    va_start (frames, address);
    for (const char *frame; (frame = va_arg (frames, const char *)); )
        MUST (message_add_string (message, frame) == 0);
    va_end (frames);
    s_receive (address, message);
    s_carry_out ();
}

static void
s_set_up (void)
{
    memset (s_hands, 0, sizeof s_hands);
    memset (s_askers, 0, sizeof s_askers);
    s_hands [0] = (hand_t) { .service = "echo", .version = MDP_0_1 };
    s_hands [1] = (hand_t) { .service = "echo", .version = MDP_0_2 };
    s_hands [2] = (hand_t) { .service = "parts", .version = MDP_0_2,
                             .parts = true };
    s_askers [0] = (asker_t) { .service = "echo", .version = MDP_0_1 };
    s_askers [1] = (asker_t) { .service = "echo", .version = MDP_0_2 };
    s_askers [2] = (asker_t) { .service = "parts", .version = MDP_0_1 };
    s_askers [3] = (asker_t) { .service = "mmi.service", .version = MDP_0_1 };
    s_askers [4] = (asker_t) { .service = "nobody", .version = MDP_0_1,
                               .lonely = true };
    s_askers [5] = (asker_t) { .service = "parts", .version = MDP_0_2 };
    s_now = 5000;
    s_looked = 0;
}

//  Whether there was the memory to begin at all
static bool
s_begin (void)
{
    broker_config_t config = {
        .heartbeat_ms = HB, .liveness = LIVENESS, .expiry_ms = 4 * HB,
        .max_services = 100, .max_workers = 100, .max_requests = 1000,
        .max_service_requests = 1000, .max_frames = 100
    };
    faults_begin ();
    s_broker = broker_new (&config);
    s_update = update_new ();
    faults_end ();
    return s_broker && s_update;
}

//  So many effects wait already, so that it is a later one that there is no room
//  for
static void
s_fill (size_t effects)
{
    message_t *body = message_new ();
    MUST (message_add_string (body, "echo") == 0);
    frame_t *service = s_frame ("mmi.service");
    while (effects-- > 0)
        s_receive ("x6", mdp_client_request (MDP_0_1, service, body, 0));
    frame_destroy (&service);
    message_destroy (&body);
}

static void
s_live (size_t effects)
{
    s_tick ();
    s_ask_fresh ();             //  Before anyone serves
    for (int nbr = 0; nbr < HANDS; nbr++)
        s_hand_begin (&s_hands [nbr]);
    s_pass (2 * HB);
    s_raw ("w0.1", "", "MDPW01", "\1", "echo", NULL);   //  A second READY
    s_raw ("x1", "", "MDPW01", "\4", NULL);             //  Nobody's HEARTBEAT
    s_raw ("x2", "nonsense", NULL);
    s_raw ("x3", "", "MDPW01", "\1", "mmi.mine", NULL);
    s_raw ("x4", "", "MDPW01", "\1", "brief", NULL);    //  Comes and goes
    s_raw ("x4", "", "MDPW01", "\5", NULL);
    s_raw ("x5", "", "MDPW01", "\1", "echo", NULL);     //  Never speaks again
    s_fill (effects);
    s_ask_fresh ();
    s_pass (6 * HB);
}

static void
s_end (void)
{
    s_step (EVENT_STOP, NULL);
    broker_destroy (&s_broker);
    update_destroy (&s_update);
}

//  Whether something failed
static bool
s_fail (size_t nth, faults_mode_t mode, size_t effects)
{
    size_t blocks = faults_blocks ();
    s_set_up ();
    faults_arm (nth, mode);
    if (!s_begin ()) {
        broker_destroy (&s_broker);
        update_destroy (&s_update);
        MUST (faults_disarm ());
        MUST (faults_blocks () == blocks);
        return true;
    }
    s_live (effects);
    bool failed = faults_disarm ();
    //  Memory is back
    s_pass (2 * LIVENESS * HB);
    s_ask_fresh ();
    s_pass (2 * LIVENESS * HB);
    MUST_TELL (s_all_replied (), "allocation %zu after %zu effects: "
                   "somebody is not served", nth, effects);
    s_end ();
    MUST_TELL (faults_blocks () == blocks, "allocation %zu: a leak", nth);
    return failed;
}

START_TEST (everybody_is_served_again)
{
    for (size_t effects = EFFECTS - 4; effects <= EFFECTS; effects++) {
        size_t nth = 1;
        while (s_fail (nth, (faults_mode_t) _i, effects))
            nth++;
        //  There was something to fail
        ck_assert_uint_gt (nth, 100);
    }
}
END_TEST

Suite *
broker_fault_suite (void)
{
    Suite *suite = suite_create ("broker_fault");
    TCase *tcase = tcase_create ("broker_fault");
    tcase_set_timeout (tcase, 120);
    tcase_add_loop_test (tcase, everybody_is_served_again, 0,
                         FAULTS_MODE_COUNT);
    suite_add_tcase (suite, tcase);
    return suite;
}
