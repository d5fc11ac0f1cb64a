/*  =========================================================================
    probe - whether what is tried still serves

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <string.h>
#include <czmq.h>

#include "inside.h"

static const char s_titanic_deaf [] = "titanic.close does not answer";

//  What a probe waits for, in whatever steps it comes
static zmsg_t *
s_probe_receive (stage_t *self, player_t *player, const golden_t *golden,
                 int64_t end)
{
    zmsg_t *message;
    while (zclock_mono () < end
    && (message = stage_receive (self, player, true, end - zclock_mono ()))) {
        if (inside_is (golden, message))
            return message;
        zmsg_destroy (&message);
    }
    return NULL;
}

static int64_t
s_probe_end (stage_t *self)
{
    int64_t ms = stage_hb_ms (self, 10);
    return zclock_mono () + (ms > 2 * PROBE_MS? ms: 2 * PROBE_MS);
}

//  Whether the answer is in what the client gets, in whatever form: forms are the
//  scenarios' business, and a broker that gives replies another one serves all the same
static bool
s_is_answered (stage_t *self, player_t *client, const char *answer, int64_t end)
{
    bool found = false;
    zmsg_t *message;
    while (!found && zclock_mono () < end
    && (message = stage_receive (self, client, true, end - zclock_mono ()))) {
        for (zframe_t *frame = zmsg_first (message); frame && !found;
                       frame = zmsg_next (message))
            found = zframe_streq (frame, answer);
        zmsg_destroy (&message);
    }
    return found;
}

//  The worker's part: its reply to the question
static bool
s_reply (stage_t *self, player_t *worker, const char *answer, int64_t end)
{
    zmsg_t *message = s_probe_receive (self, worker, self->spoken->request, end);
    captures_t *captures = captures_new ();
    bool asked = message
        && pattern_match (&self->spoken->request->pattern, message, captures);
    zmsg_destroy (&message);
    if (asked) {
        term_t terms [] = { { .type = TERM_NAME, .name = "client" },
                            inside_literal (answer) };
        message = inside_compose (self->spoken->reply, terms, 2, captures);
        stage_send (self, worker, &message);
    }
    captures_destroy (&captures);
    return asked;
}

//  One request through a service of its own, and back. The worker is there first: a
//  broker that keeps no request for later serves all the same.
static bool
s_probe_dialogue (stage_t *self, const actor_t *client_actor,
                  const actor_t *worker_actor)
{
    char *service = zsys_sprintf ("seatrial.probe.%u", ++self->probes);
    char *question = zsys_sprintf ("question %u", self->probes);
    char *answer = zsys_sprintf ("answer %u", self->probes);
    zframe_t *name = zframe_from (service);
    int64_t end = s_probe_end (self);
    bool served = false;
    player_t *worker = inside_enter (self, worker_actor, true);
    if (worker)
        inside_ready (self, worker, name);
    player_t *client = worker? inside_enter (self, client_actor, true): NULL;
    if (client) {
        term_t terms [] = { inside_literal (service), inside_literal (question) };
        for (int64_t now = zclock_mono (); !served && now < end;
                     now = zclock_mono ()) {
            zmsg_t *message = inside_compose (self->spoken->client_request, terms,
                                              2, NULL);
            stage_send (self, client, &message);
            //  It may have come before the READY all the same, and be asked again
            int64_t pause = now + stage_hb_ms (self, 3) + PROBE_MS;
            served = s_reply (self, worker, answer, pause < end? pause: end)
                  && s_is_answered (self, client, answer, end);
            if (stage_crashed (self, NULL))
                break;
        }
        inside_dismiss (self, client);
    }
    if (worker)
        inside_dismiss (self, worker);
    zframe_destroy (&name);
    free (service);
    free (question);
    free (answer);
    return served;
}

//  Whether the broker serves when it has just started: one that never does has not
//  come to that through the scenario
static bool
s_serves_afresh (stage_t *self, const actor_t *client_actor,
                 const actor_t *worker_actor)
{
    char *reason = NULL;
    if (!self->children [PROCESS_BROKER] || !self->wanted [PROCESS_BROKER])
        return true;
    stage_note (self, "once more, with a broker that has just started");
    bool started = stage_act (self, PROCESS_BROKER, ACTION_KILLED, &reason)
            == STAGE_FINE
        && stage_start (self, PROCESS_BROKER, false, &reason) == STAGE_FINE;
    free (reason);
    return !started || s_probe_dialogue (self, client_actor, worker_actor);
}

//  titanic.close of an id that nobody has ever been given. Whatever it answers, it
//  serves: whether that is right, scenarios tell
static bool
s_probe_titanic (stage_t *self)
{
    actor_t actor = { .name = "probe", .kind = ACTOR_CLIENT,
                      .role = ROLE_CLIENT, .version = self->spoken->version };
    const golden_t *close = fixtures_exact (self->config.fixtures,
        actor.version, "titanic.close", WAY_FROM, ROLE_CLIENT);
    int64_t end = zclock_mono () + inside_patience_ms (self);
    bool served = false;
    while (!served && zclock_mono () < end && !stage_crashed (self, NULL)) {
        player_t *client = inside_enter (self, &actor, true);
        if (!client)
            return false;
        term_t id = inside_literal ("00000000000070008000000000000000");
        zmsg_t *message = inside_compose (close, &id, 1, NULL);
        stage_send (self, client, &message);
        int64_t pause = zclock_mono () + stage_hb_ms (self, 2) + 100;
        message = s_probe_receive (self, client, self->spoken->client_reply,
                                   pause < end? pause: end);
        served = message != NULL;
        zmsg_destroy (&message);
        inside_dismiss (self, client);
    }
    return served;
}

stage_result_t
stage_await_titanic (stage_t *self, char **reason)
{
    if (s_probe_titanic (self))
        return STAGE_FINE;
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    *reason = strdup (s_titanic_deaf);
    return STAGE_DEAF;
}

stage_result_t
stage_probe (stage_t *self, bool titanic, char **reason)
{
    actor_t client_actor = { .name = "probe", .kind = ACTOR_CLIENT,
        .role = ROLE_CLIENT, .version = self->spoken->version };
    actor_t worker_actor = { .name = "prober", .kind = ACTOR_WORKER,
        .role = ROLE_WORKER, .version = self->spoken->version };
    bool passes = s_probe_dialogue (self, &client_actor, &worker_actor);
    bool served = passes;
    const char *what = "the broker does not pass a request on and its reply "
                       "back";
    if (served && titanic) {
        served = s_probe_titanic (self);
        what = s_titanic_deaf;
    }
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    if (served)
        return STAGE_FINE;
    if (passes || s_serves_afresh (self, &client_actor, &worker_actor)) {
        *reason = strdup (what);
        return STAGE_DEAF;
    }
    *reason = zsys_sprintf ("%s" STAGE_NOR_AFRESH, what);
    return STAGE_DEAF_EVER;
}


//  --------------------------------------------------------------------------
//  The harness is the broker, and asks its guests

//  A worker that works long, ten intervals or more (worker/slow), takes so long over
//  probes too, and may have something in hand
#define SLOW_HB 30

static int64_t
s_slowness_ms (const stage_t *self)
{
    return self->slow? stage_hb_ms (self, SLOW_HB): 0;
}

//  A guest that serves such a service, has nothing in hand, and was heard of
//  lately
static player_t *
s_free_guest (stage_t *self, player_t *host, const char *service)
{
    int64_t now = zclock_mono ();
    for (size_t index = 0; index < host->guest_count; index++) {
        player_t *guest = host->guests [index];
        if (!guest->gone && !guest->left && guest->service && !guest->busy
        && (!service || streq (guest->service, service))
        &&  now - guest->heard_ms < stage_hb_ms (self, 3) + PROBE_MS)
            return guest;
    }
    return NULL;
}

//  One request to the guest; whether a reply came
static bool
s_ask_guest (stage_t *self, player_t *guest, const char *body)
{
    term_t terms [] = { inside_literal ("seatrial.probe"),
                        inside_literal (body) };
    stage_forget (self, guest);
    zmsg_t *message = inside_compose (guest->words->request, terms, 2, NULL);
    stage_send (self, guest, &message);
    pattern_t expected = golden_fill (guest->words->reply, terms, 1, NULL);
    int64_t end = s_probe_end (self) + s_slowness_ms (self);
    bool served = false;
    while (!served && zclock_mono () < end && !guest->gone && !guest->left
    && (message = stage_receive (self, guest, true, end - zclock_mono ()))) {
        served = pattern_match (&expected, message, NULL);
        zmsg_destroy (&message);
    }
    pattern_clear (&expected);
    return served;
}

stage_result_t
stage_probe_guests (stage_t *self, player_t *host, char **reason)
{
    bool titanic = self->wanted [PROCESS_TITANIC];
    if (!titanic && !self->wanted [PROCESS_WORKER])
        return stage_crashed (self, reason)? STAGE_DIED: STAGE_FINE;
    if (!host->socket)
        stage_reopen (self, host);
    host->mute = false;
    int64_t end = zclock_mono () + inside_patience_ms (self)
                + stage_hb_ms (self, 20) + s_slowness_ms (self);
    bool served = false;
    while (!served && zclock_mono () < end && !stage_crashed (self, NULL)) {
        player_t *guest = s_free_guest (self, host,
                                        titanic? "titanic.close": NULL);
        if (guest)
            served = s_ask_guest (self, guest, titanic
                ? "00000000000070008000000000000000": "probe");
        else
            inside_turn (self, zclock_mono () + stage_hb_ms (self, 0.25));
    }
    if (stage_crashed (self, reason))
        return STAGE_DIED;
    if (served)
        return STAGE_FINE;
    *reason = strdup (titanic? s_titanic_deaf
                             : "no worker that is registered replies");
    return STAGE_DEAF;
}
