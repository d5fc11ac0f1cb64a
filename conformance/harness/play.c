/*  =========================================================================
    play - carries out a scenario on a stage and gives its verdict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <string.h>
#include <czmq.h>

#include "comparison.h"
#include "play.h"
#include "vector.h"

//  How long a message may be awaited when the script does not say, in heartbeat
//  intervals, and at the least. Waiting for what comes costs nothing.
#define USUAL_HB 10
#define USUAL_MS 3000
//  What is added to each time that a script gives for waiting, since a busy
//  machine delays what the target sent in time: heartbeat intervals, and the
//  least and the most of it. Less than the liveness of a worker, so that a
//  target whose heartbeats are too rare is not excused.
#define GRACE_HB 2
#define GRACE_LEAST_MS 200
#define GRACE_MOST_MS 1000

typedef struct {
    const scenario_t *scenario;
    const profile_t *profile;
    stage_t *stage;
    result_t *result;
    captures_t *captures;
    player_t **players;         //  By actor; NULL until it opens
    player_t *host;             //  The harness as the broker; NULL if it is not
    bool hidden;                //  It was closed: who needs it may be over for that
    bool over;                  //  What came, or did not, ends the scenario
} play_t;

//  --------------------------------------------------------------------------
//  Outcomes: each returns false, to stop the play

static verdict_t
s_verdict_of (stage_result_t result)
{
    return result == STAGE_DIED? VERDICT_CRASH
         : result == STAGE_DEAF || result == STAGE_DEAF_EVER? VERDICT_HANG
         : VERDICT_BROKEN;
}

static bool
s_end (play_t *self, verdict_t verdict, const char *reason)
{
    self->result->verdict = verdict;
    result_set (&self->result->reason, reason);
    return false;
}

static bool
s_stage_failed (play_t *self, stage_result_t result, char *reason)
{
    s_end (self, s_verdict_of (result), reason);
    free (reason);
    return false;
}

static void
s_point_at (play_t *self, const step_t *step)
{
    char *place = zsys_sprintf ("%s:%d", step->file, step->line);
    result_set (&self->result->place, place);
    result_set (&self->result->file, step->file);
    self->result->line = step->line;
    result_set (&self->result->step, step->text);
    free (place);
}

static void
s_blame (result_t *result, const requirement_t *const *requirements,
         size_t count)
{
    for (size_t index = 0; index < count; index++)
        result_add_requirement (result, requirements [index]->id);
}

//  The worst that a broken step can mean
static verdict_t
s_severity (const requirement_t *const *requirements, size_t count)
{
    verdict_t verdict = VERDICT_PASS;
    for (size_t index = 0; index < count; index++) {
        level_t level = requirements [index]->level;
        verdict_t one = level == LEVEL_MAY? VERDICT_PASS
            : level == LEVEL_SHOULD || level == LEVEL_SHOULD_NOT
            ? VERDICT_WARN: VERDICT_FAIL;
        if (one > verdict)
            verdict = one;
    }
    return verdict;
}

//  Nothing has been seen of the target, and it is over already
static bool
s_never_started (play_t *self, stage_result_t result, char *reason)
{
    char *text = zsys_sprintf (PLAY_AT_START "%s", reason);
    free (reason);
    return s_stage_failed (self, result, text);
}

//  Whether the harness is the broker, and nobody has come though all could
static bool
s_is_unvisited (const play_t *self)
{
    return self->host && !self->hidden && stage_guests (self->host) == 0;
}

//  What a step stands for: its own requirements, or all that the scenario covers
static const requirement_t *const *
s_meant (const play_t *self, const step_t *step, size_t *count)
{
    *count = step->tag_count? step->tag_count: self->scenario->cover_count;
    return step->tag_count? step->tags: self->scenario->covers;
}

//  A probe failed at this step; what never serves has not come to that through it
static void
s_blame_deaf (play_t *self, const step_t *step, stage_result_t served)
{
    size_t count;
    const requirement_t *const *requirements = s_meant (self, step, &count);
    if (served != STAGE_DEAF_EVER)
        s_blame (self->result, requirements, count);
}

//  The target did not do what the step wants
static bool
s_broken (play_t *self, const step_t *step, const char *expected,
          const char *received, const char *reason)
{
    size_t count;
    const requirement_t *const *requirements = s_meant (self, step, &count);
    char *death = NULL;
    bool died = stage_crashed (self->stage, &death);
    if (died && s_is_unvisited (self))
        return s_never_started (self, STAGE_DIED, death);
    s_blame (self->result, requirements, count);
    if (died)
        return s_stage_failed (self, STAGE_DIED, death);
    result_set (&self->result->expected, expected);
    result_set (&self->result->received, received);
    stage_note (self->stage, "here: %s", reason);
    char *text = zsys_sprintf ("%s%s", s_is_unvisited (self)? PLAY_AT_START
        : step->passing? "before it came to the point: ": "", reason);
    s_end (self, s_severity (requirements, count), text);
    free (text);
    return false;
}

//  --------------------------------------------------------------------------
//  Expectations

//  The time that a step gives, 0 for none
static int64_t
s_time_ms (play_t *self, const step_t *step)
{
    double hb = step->hb;
    if (step->expiry)
        hb *= (double) self->profile->expiry_ms
            / (double) self->profile->heartbeat_ms;
    int64_t ms = stage_hb_ms (self->stage, hb);
    int64_t least_ms = stage_scaled_ms (self->stage, step->seconds * 1000);
    return ms > least_ms? ms: least_ms;
}

static int64_t
s_grace_ms (play_t *self)
{
    int64_t ms = stage_hb_ms (self->stage, GRACE_HB);
    return ms < GRACE_LEAST_MS? GRACE_LEAST_MS
         : ms > GRACE_MOST_MS? GRACE_MOST_MS: ms;
}

//  How long to wait for what should come
static int64_t
s_patience_ms (play_t *self, const step_t *step)
{
    if (step->hb > 0)
        return s_time_ms (self, step) + s_grace_ms (self);
    int64_t ms = stage_hb_ms (self->stage, USUAL_HB);
    return ms > USUAL_MS? ms: USUAL_MS;
}

static bool
s_choices_match (play_t *self, const choice_t *choices, size_t count,
                 zmsg_t *message)
{
    for (size_t index = 0; index < count; index++)
        if (!choices [index].silence
        &&  pattern_match (&choices [index].pattern, message, self->captures))
            return true;
    return false;
}

//  Whether one of the choices is a HEARTBEAT to a worker
static bool
s_names_heartbeat (const step_t *step)
{
    for (size_t index = 0; index < step->choice_count; index++)
        if (step->choices [index].golden
        &&  streq (step->choices [index].golden->name, "HEARTBEAT"))
            return true;
    return false;
}

static bool
s_allows_silence (const step_t *step)
{
    for (size_t index = 0; index < step->choice_count; index++)
        if (step->choices [index].silence)
            return true;
    return false;
}

//  How long the next message is waited for; where none need come, just the time that
//  is named
static int64_t
s_wait_ms (play_t *self, const step_t *step)
{
    if (!s_allows_silence (step))
        return s_patience_ms (self, step);
    return step->hb > 0? s_time_ms (self, step): stage_hb_ms (self->stage, 3);
}

//  What came, NULL for nothing, is one of the forms that will do; with ends it
//  leaves nothing more to see
static void
s_accept (play_t *self, const step_t *step, zmsg_t *message)
{
    const choice_t *choice = step->choices;
    while (message? choice->silence
                    || !pattern_match (&choice->pattern, message, self->captures)
                  : !choice->silence)
        choice++;
    if (!choice->ends)
        return;
    self->over = true;
    char *remark = zsys_sprintf ("over after %s, which will do: %s:%d", message
        ? "this answer": "silence", step->file, step->line);
    result_add_remark (self->result, remark);
    free (remark);
}

static bool
s_is_worker (play_t *self, size_t actor)
{
    return self->scenario->actors [actor].kind == ACTOR_WORKER;
}

static bool
s_is_guest (play_t *self, size_t actor)
{
    return self->scenario->actors [actor].kind == ACTOR_GUEST;
}

static bool
s_is_host (play_t *self, size_t actor)
{
    return self->scenario->actors [actor].kind == ACTOR_BROKER;
}

static bool
s_wrong_message (play_t *self, const step_t *step, const char *expected,
                 zmsg_t *message)
{
    char *received = notation_frames (message);
    comparison_make (self->result, step->choices, step->choice_count, message,
                     self->captures);
    s_broken (self, step, expected, received,
              "what came does not have the form that was expected");
    free (received);
    return false;
}

//  ---- What the harness as the broker gets

typedef struct {
    play_t *play;
    const step_t *step;
} wanted_t;

static bool
s_suits (void *argument, zmsg_t *message)
{
    wanted_t *wanted = (wanted_t *) argument;
    return s_choices_match (wanted->play, wanted->step->choices,
                            wanted->step->choice_count, message);
}

static const char *const s_sockets [] = { "DEALER", "REQ", "ROUTER", "" };

//  The kind of socket that a guest has must be the one that the step names
static bool
s_check_socket (play_t *self, const step_t *step, player_t *guest)
{
    if (!step->overed
    ||  streq (stage_guest_socket (guest), s_sockets [step->over]))
        return true;
    char *expected = zsys_sprintf ("a %s socket", s_sockets [step->over]);
    char *received = zsys_sprintf ("a %s socket", stage_guest_socket (guest));
    s_broken (self, step, expected, received, "it came from another kind of "
              "socket");
    free (expected);
    free (received);
    return false;
}

//  From whichever guest it comes; from now on that one has the name
static bool
s_expect_anyone (play_t *self, const step_t *step)
{
    wanted_t wanted = { self, step };
    player_t *guest = NULL;
    zmsg_t *other;
    int64_t wait = s_patience_ms (self, step);
    zmsg_t *message = stage_host_receive (self->stage,
        self->players [step->actor], s_suits, &wanted, step->fresh, wait,
        &guest, &other);
    if (message) {
        s_accept (self, step, message);
        zmsg_destroy (&message);
        if (!step->guested)
            return s_check_socket (self, step, guest);
        self->players [step->guest] = guest;
        stage_name_guest (self->stage, guest,
                          self->scenario->actors [step->guest].name);
        return s_check_socket (self, step, guest);
    }
    char *expected = comparison_expected (step->choices, step->choice_count);
    char *received = other? notation_frames (other): NULL;
    if (other)
        comparison_make (self->result, step->choices, step->choice_count, other,
                         self->captures);
    char *reason = zsys_sprintf ("nothing of this form came within %lld ms",
                                 (long long) wait);
    s_broken (self, step, expected, received, reason);
    zmsg_destroy (&other);
    free (expected);
    free (received);
    free (reason);
    return false;
}

//  The next message of a guest that is known
static bool
s_expect_guest (play_t *self, const step_t *step)
{
    player_t *guest = self->players [step->guest];
    int64_t wait = s_wait_ms (self, step);
    int64_t end = zclock_mono () + wait;
    zmsg_t *message = NULL;
    bool fine;
    do {
        zmsg_destroy (&message);
        message = stage_receive (self->stage, guest, !s_names_heartbeat (step),
                                 end - zclock_mono ());
        fine = message && s_choices_match (self, step->choices,
                                           step->choice_count, message);
    }
    while (message && !fine && stage_is_partial (guest, message));
    if (fine)
        s_accept (self, step, message);
    if (!message && s_allows_silence (step)
    && !stage_crashed (self->stage, NULL)) {
        s_accept (self, step, NULL);
        return true;
    }
    char *expected = fine? NULL: comparison_expected (step->choices,
                                                      step->choice_count);
    if (!fine && message)
        s_wrong_message (self, step, expected, message);
    else
    if (!fine) {
        char *reason = zsys_sprintf ("nothing came within %lld ms",
                                     (long long) wait);
        s_broken (self, step, expected, NULL, reason);
        free (reason);
    }
    free (expected);
    zmsg_destroy (&message);
    return fine && s_check_socket (self, step, guest);
}

static bool
s_expect (play_t *self, const step_t *step)
{
    if (s_is_host (self, step->actor))
        return step->guested && self->players [step->guest]
            ? s_expect_guest (self, step): s_expect_anyone (self, step);
    bool pass = s_is_worker (self, step->actor) && !s_names_heartbeat (step);
    bool silence = s_allows_silence (step);
    int64_t wait = s_wait_ms (self, step);
    zmsg_t *message = stage_receive (self->stage, self->players [step->actor],
                                     pass, wait);
    bool fine = message
        ? s_choices_match (self, step->choices, step->choice_count, message)
        : silence && !stage_crashed (self->stage, NULL);
    if (!fine) {
        char *expected = comparison_expected (step->choices, step->choice_count);
        if (message)
            s_wrong_message (self, step, expected, message);
        else {
            char *reason = zsys_sprintf ("nothing came within %lld ms",
                                         (long long) wait);
            s_broken (self, step, expected, NULL, reason);
            free (reason);
        }
        free (expected);
    }
    else
        s_accept (self, step, message);
    zmsg_destroy (&message);
    return fine;
}

static bool
s_host_quiet (play_t *self, const step_t *step)
{
    char *received = NULL;
    if (stage_host_idle (self->stage, self->players [step->actor],
                         s_time_ms (self, step), &received)) {
        if (!stage_crashed (self->stage, NULL))
            return true;
        return s_broken (self, step, NULL, NULL, "");
    }
    s_broken (self, step, "nothing but READY and HEARTBEAT", received,
              "something came where nothing may come");
    free (received);
    return false;
}

static bool
s_quiet (play_t *self, const step_t *step)
{
    if (s_is_host (self, step->actor))
        return s_host_quiet (self, step);
    bool pass = step->type == STEP_IDLE
        && (s_is_worker (self, step->actor) || s_is_guest (self, step->actor));
    zmsg_t *message = stage_receive (self->stage, self->players [step->actor],
                                     pass, s_time_ms (self, step));
    if (!message) {
        if (!stage_crashed (self->stage, NULL))
            return true;
        return s_broken (self, step, NULL, NULL, "");
    }
    char *received = notation_frames (message);
    comparison_make (self->result, NULL, 0, message, self->captures);
    s_broken (self, step, pass? "nothing but HEARTBEAT": "silence", received,
              "something came where nothing may come");
    free (received);
    zmsg_destroy (&message);
    return false;
}

//  --------------------------------------------------------------------------
//  Sending

static bool
s_named (const golden_t *golden, const char *name)
{
    return golden && streq (golden->name, name);
}

//  To whoever is a guest just now; who comes after that is new
static bool
s_send_to_all (play_t *self, const step_t *step)
{
    player_t *host = self->players [step->actor];
    for (size_t index = 0; index < stage_guests (host); index++) {
        zmsg_t *message = pattern_compose (&step->pattern, self->captures);
        stage_send (self->stage, stage_guest_at (host, index), &message);
    }
    stage_know_guests (host);
    return true;
}

static bool
s_send (play_t *self, const step_t *step)
{
    if (step->everyone)
        return s_send_to_all (self, step);
    player_t *player = self->players [step->guested? step->guest: step->actor];
    zmsg_t *message = pattern_compose (&step->pattern, self->captures);
    assert (message);
    bool worker = s_is_worker (self, step->actor);
    if (worker && s_named (step->golden, "DISCONNECT"))
        stage_beat (self->stage, player, false);
    //  A guest may hang up whenever it likes
    if (stage_send (self->stage, player, &message) && !step->guested) {
        s_point_at (self, step);
        return s_end (self, VERDICT_BROKEN, "the actor's socket is closed or "
                                            "refuses the message");
    }
    if (worker && s_named (step->golden, "READY"))
        stage_beat (self->stage, player, true);
    return true;
}

//  The first so many frames of a message, and so many bytes of the next one
static zmsg_t *
s_prefix (zmsg_t *message, size_t frames, size_t bytes)
{
    zmsg_t *prefix = zmsg_new ();
    zframe_t *frame = zmsg_first (message);
    for (size_t index = 0; index < frames; index++) {
        zmsg_addmem (prefix, zframe_data (frame), zframe_size (frame));
        frame = zmsg_next (message);
    }
    if (bytes)
        zmsg_addmem (prefix, zframe_data (frame), bytes);
    return prefix;
}

//  Send one prefix from a socket of its own; the target must serve afterwards
static bool
s_try_prefix (play_t *self, const step_t *step, zmsg_t **prefix_p)
{
    char *frames = notation_frames (*prefix_p);
    actor_t actor = self->scenario->actors [step->actor];
    char *reason = NULL;
    player_t *player = stage_enter (self->stage, &actor, &reason);
    if (!player) {
        zmsg_destroy (prefix_p);
        free (frames);
        return s_stage_failed (self, STAGE_TROUBLE, reason);
    }
    stage_send (self->stage, player, prefix_p);
    stage_result_t served = stage_probe (self->stage, false, &reason);
    stage_leave (self->stage, player);
    if (served != STAGE_FINE) {
        char *text = zsys_sprintf ("after %s: %s", frames, reason);
        s_blame_deaf (self, step, served);
        result_set (&self->result->expected, "a target that lives and serves");
        s_end (self, s_verdict_of (served), text);
        free (text);
    }
    free (reason);
    free (frames);
    return served == STAGE_FINE;
}

static bool
s_prefixes (play_t *self, const step_t *step)
{
    zmsg_t *message = pattern_compose (&step->pattern, self->captures);
    assert (message);
    size_t count = zmsg_size (message);
    bool fine = true;
    for (size_t frames = 0; fine && frames < count; frames++) {
        zframe_t *frame = zmsg_first (message);
        for (size_t index = 0; index < frames; index++)
            frame = zmsg_next (message);
        size_t size = zframe_size (frame);
        for (size_t bytes = frames? 0: 1; fine && bytes < size; bytes++) {
            zmsg_t *prefix = s_prefix (message, frames, bytes);
            fine = s_try_prefix (self, step, &prefix);
        }
        if (fine && size == 0 && frames) {
            zmsg_t *prefix = s_prefix (message, frames, 0);
            fine = s_try_prefix (self, step, &prefix);
        }
    }
    zmsg_destroy (&message);
    return fine;
}

//  --------------------------------------------------------------------------
//  Polling

//  One question from a socket of its own, as 7/MDP recommends after a request
//  that got no answer, so that a late answer cannot be taken for a new one
static zmsg_t *
s_ask (play_t *self, const step_t *step, int64_t end)
{
    char *reason = NULL;
    player_t *player = self->players [step->actor];
    int64_t pause = stage_hb_ms (self->stage, 5) + GRACE_MOST_MS;
    bool guest = s_is_guest (self, step->actor);
    int64_t left = end - zclock_mono ();
    zmsg_t *message = pattern_compose (&step->pattern, self->captures);
    assert (message);
    if (!player || (stage_send (self->stage, player, &message) && !guest))
        return NULL;
    message = stage_receive (self->stage, player, guest,
                             left < pause? left: pause);
    if (message || guest || stage_crashed (self->stage, NULL))
        return message;
    stage_leave (self->stage, player);
    self->players [step->actor] = stage_enter (self->stage,
        &self->scenario->actors [step->actor], &reason);
    free (reason);
    return NULL;
}

static bool
s_poll (play_t *self, const step_t *step)
{
    int64_t end = zclock_mono () + s_patience_ms (self, step);
    int64_t gap = stage_hb_ms (self->stage, 0.25);
    zmsg_t *message = NULL;
    char *last = NULL;
    bool found = false;
    bool wrong = false;
    while (!found && !wrong && zclock_mono () < end
    &&     !stage_crashed (self->stage, NULL)) {
        message = s_ask (self, step, end);
        if (!message)
            continue;
        found = s_choices_match (self, step->choices, step->choice_count,
                                 message);
        wrong = !found && step->meanwhile_count
            && !s_choices_match (self, step->meanwhile, step->meanwhile_count,
                                 message);
        if (wrong)
            comparison_make (self->result, step->choices, step->choice_count,
                             message, self->captures);
        free (last);
        last = notation_frames (message);
        zmsg_destroy (&message);
        if (!found && !wrong && self->players [step->actor]) {
            //  Nothing is due now; what comes all the same is put back
            message = stage_receive (self->stage, self->players [step->actor],
                                     s_is_guest (self, step->actor), gap);
            if (message)
                stage_unreceive (self->stage, self->players [step->actor],
                                 &message);
        }
    }
    if (!found) {
        char *expected = comparison_expected (step->choices, step->choice_count);
        s_broken (self, step, expected, last, wrong
            ? "what came does not have the form that was expected"
            : last? "it did not come to this in time": "no answer came in time");
        free (expected);
    }
    free (last);
    return found;
}

//  --------------------------------------------------------------------------
//  Steps

static bool
s_open (play_t *self, const step_t *step)
{
    char *reason = NULL;
    self->players [step->actor] = stage_enter (self->stage,
        &self->scenario->actors [step->actor], &reason);
    if (s_is_host (self, step->actor))
        self->host = self->players [step->actor];
    if (self->players [step->actor])
        return true;
    char *death = NULL;
    if (stage_crashed (self->stage, &death)) {
        free (reason);
        return s_stage_failed (self, STAGE_DIED, death);
    }
    return s_stage_failed (self, STAGE_TROUBLE, reason);
}

static bool
s_serve (play_t *self, const step_t *step)
{
    zmsg_t *service = pattern_compose (&step->pattern, self->captures);
    assert (service);
    stage_serve (self->stage, self->players [step->actor], zmsg_first (service),
                 s_time_ms (self, step));
    zmsg_destroy (&service);
    return true;
}

static bool
s_process (play_t *self, const step_t *step)
{
    char *reason = NULL;
    stage_result_t result = step->action == ACTION_STARTED
        ? stage_start (self->stage, step->process, step->slow, &reason)
        : stage_act (self->stage, step->process, step->action, &reason);
    if (result == STAGE_FINE)
        return true;
    s_blame (self->result, self->scenario->covers, self->scenario->cover_count);
    return s_stage_failed (self, result, reason);
}

//  A client is started for one request
static bool
s_call (play_t *self, const step_t *step)
{
    char *reason = NULL;
    zmsg_t *request = pattern_compose (&step->pattern, self->captures);
    assert (request);
    stage_result_t result = stage_call (self->stage, step->process, request,
                                        &reason);
    zmsg_destroy (&request);
    return result == STAGE_FINE || s_stage_failed (self, result, reason);
}

//  It ends by itself, as it should
static bool
s_ends (play_t *self, const step_t *step)
{
    static const char *expected [] = {
        "it ends", "it ends with status 0", "it ends with a status that is not 0"
    };
    char *reason = NULL;
    int status = 0;
    stage_result_t result = stage_await_end (self->stage, step->process,
        s_patience_ms (self, step), &status, &reason);
    bool fine = result == STAGE_FINE && (step->ending == ENDS_ANYHOW
        || (status == 0) == (step->ending == ENDS_WELL));
    if (fine)
        return true;
    char *received = result == STAGE_FINE
        ? zsys_sprintf ("it ended with status %d", status): NULL;
    s_broken (self, step, expected [step->ending], received,
              reason? reason: "it ended otherwise");
    free (reason);
    free (received);
    return false;
}

static bool
s_printed (play_t *self, const step_t *step)
{
    zmsg_t *text = pattern_compose (&step->pattern, self->captures);
    zframe_t *frame = zmsg_first (text);
    bool fine = stage_printed (self->stage, step->process, zframe_data (frame),
                               zframe_size (frame));
    zmsg_destroy (&text);
    if (step->absent)
        return !fine || s_broken (self, step, "nothing of this in what the client "
                                  "printed", NULL, "the client printed this");
    return fine || s_broken (self, step, "the reply in what the client printed",
                             NULL, "the client did not print this");
}

//  A guest hangs up
static bool
s_leaves (play_t *self, const step_t *step)
{
    if (stage_await_leave (self->stage, self->players [step->actor],
                           s_patience_ms (self, step)) == STAGE_FINE)
        return true;
    return s_broken (self, step, "it hangs up", NULL, "the socket is still there");
}

//  What only the harness as the broker does
static bool
s_host_step (play_t *self, const step_t *step)
{
    player_t *host = self->players [step->actor];
    if (step->type == STEP_REOPEN) {
        if (stage_reopen (self->stage, host) == 0)
            return true;
        return s_end (self, VERDICT_BROKEN, "the harness cannot listen again");
    }
    zmsg_t *service = pattern_compose (&step->pattern, self->captures);
    char *name = zmsg_popstr (service);
    stage_offer (self->stage, host, name, step->type == STEP_LACK? OFFER_NOT
                 : step->type == STEP_IGNORE? OFFER_SILENT
                 : step->type == STEP_ECHO? OFFER_ECHO: OFFER_ONLY);
    free (name);
    zmsg_destroy (&service);
    return true;
}

static bool
s_mute (play_t *self, const step_t *step)
{
    stage_note (self->stage, "%s mute",
                self->scenario->actors [step->actor].name);
    if (s_is_host (self, step->actor))
        stage_mute (self->stage, self->players [step->actor]);
    else
        stage_beat (self->stage, self->players [step->actor], false);
    return true;
}

static bool
s_state (play_t *self, const step_t *step)
{
    int rc = step->type == STEP_FILL? stage_fill (self->stage)
                                    : stage_free (self->stage);
    if (rc == 0)
        return true;
    char *reason = zsys_sprintf ("the state directory cannot be %s: %s",
        step->type == STEP_FILL? "filled": "freed", strerror (errno));
    s_end (self, VERDICT_BROKEN, reason);
    free (reason);
    return false;
}

//  A file that is none of the target's business
static bool
s_file (play_t *self, const step_t *step)
{
    const term_t *name = step->pattern.terms;
    if (step->type == STEP_PLACE) {
        if (stage_place (self->stage, name->bytes) == 0)
            return true;
        return s_end (self, VERDICT_BROKEN, "the file cannot be placed");
    }
    if (stage_has (self->stage, name->bytes))
        return true;
    return s_broken (self, step, "the file is still there", NULL,
        "the target removed a file that was none of its business");
}

//  Whether what is tried serves, through its broker or with the harness as that
static stage_result_t
s_probe (play_t *self, char **reason)
{
    return self->host
        ? stage_probe_guests (self->stage, self->host, reason)
        : stage_probe (self->stage, self->scenario->needs.titanic, reason);
}

static bool
s_serves (play_t *self, const step_t *step)
{
    char *reason = NULL;
    stage_result_t served = s_probe (self, &reason);
    if (served == STAGE_FINE)
        return true;
    s_blame_deaf (self, step, served);
    return s_stage_failed (self, served, reason);
}

static bool
s_block (play_t *self, const block_t *block);

static bool
s_repeat (play_t *self, const step_t *step)
{
    for (size_t index = 0; index < step->times; index++)
        if (!s_block (self, &step->block))
            return false;
    return true;
}

static bool
s_step (play_t *self, const step_t *step)
{
    switch (step->type) {
        case STEP_OPEN:
            return s_open (self, step);
        case STEP_SEND:
            return s_send (self, step);
        case STEP_PREFIXES:
            return s_prefixes (self, step);
        case STEP_EXPECT:
            return s_expect (self, step);
        case STEP_SILENT:
        case STEP_IDLE:
            return s_quiet (self, step);
        case STEP_SERVE:
            return s_serve (self, step);
        case STEP_MUTE:
            return s_mute (self, step);
        case STEP_CLOSE:
            stage_leave (self->stage, self->players [step->actor]);
            self->hidden |= self->players [step->actor] == self->host;
            return true;
        case STEP_POLL:
            return s_poll (self, step);
        case STEP_PROCESS:
            return s_process (self, step);
        case STEP_FILL:
        case STEP_FREE:
            return s_state (self, step);
        case STEP_PLACE:
        case STEP_STAYS:
            return s_file (self, step);
        case STEP_SERVES:
            return s_serves (self, step);
        case STEP_REPEAT:
            return s_repeat (self, step);
        case STEP_OFFER:
        case STEP_LACK:
        case STEP_ECHO:
        case STEP_IGNORE:
        case STEP_REOPEN:
            return s_host_step (self, step);
        case STEP_LEAVE:
            return s_leaves (self, step);
        case STEP_CALL:
            return s_call (self, step);
        case STEP_END:
            return s_ends (self, step);
        case STEP_PRINTED:
            return s_printed (self, step);
    }
    return false;
}

static bool
s_block (play_t *self, const block_t *block)
{
    for (size_t index = 0; index < block->count && !self->over; index++) {
        const step_t *step = &block->steps [index];
        if (s_step (self, step))
            continue;
        if (!self->result->place)
            s_point_at (self, step);
        return false;
    }
    return true;
}

//  --------------------------------------------------------------------------
//  The whole

static bool
s_raise_target (play_t *self)
{
    char *reason = NULL;
    if (self->scenario->needs.stage_broker)
        return true;
    stage_result_t result = stage_start (self->stage, PROCESS_BROKER, false,
                                         &reason);
    if (result == STAGE_FINE && self->scenario->needs.titanic)
        result = stage_start (self->stage, PROCESS_TITANIC, false, &reason);
    if (result == STAGE_FINE)
        return true;
    //  It was not asked about anything yet: nothing is blamed
    return s_never_started (self, result, reason);
}

//  Principle 4: a dead server never passes, whatever its steps came to
static void
s_final_probe (play_t *self)
{
    char *reason = NULL;
    result_t *result = self->result;
    if (result->verdict >= VERDICT_HANG)
        return;
    //  A step that failed may have left it standing still, or down
    stage_resume (self->stage);
    if (result->verdict != VERDICT_PASS && !self->host
    &&  stage_is_down (self->stage))
        return;
    stage_result_t served = s_probe (self, &reason);
    //  What a step has found is not what keeps it from serving
    bool ever = served == STAGE_DEAF_EVER;
    if (served == STAGE_FINE || (ever && result->verdict != VERDICT_PASS)) {
        free (reason);
        return;
    }
    char *text = result->reason
        ? zsys_sprintf ("%s; after that: %s", result->reason, reason)
        : zsys_sprintf ("at the end: %s", reason);
    if (!result->requirement_count && !ever)
        s_blame (result, self->scenario->covers, self->scenario->cover_count);
    s_end (self, s_verdict_of (served), text);
    free (text);
    free (reason);
}

void
play_scenario (const scenario_t *scenario, stage_t *stage,
               const profile_t *profile, result_t *result)
{
    play_t self = { .scenario = scenario, .profile = profile, .stage = stage,
        .result = result, .captures = captures_new () };
    self.players = (player_t **) zmalloc ((scenario->actor_count + 1)
                                          * sizeof (player_t *));
    int64_t began = zclock_mono ();
    if (s_raise_target (&self)) {
        bool fine = s_block (&self, &scenario->block);
        if (!fine && result->verdict == VERDICT_PASS)
            result_add_remark (result, result->reason);
        s_final_probe (&self);
    }
    if (result->verdict == VERDICT_PASS) {
        result_set (&result->reason, NULL);
        s_blame (result, scenario->covers, scenario->cover_count);
    }
    result->duration_ms = zclock_mono () - began;
    result->transcript = stage_transcript (stage);
    result->events = stage_take_events (stage);
    result->output = stage_output (stage);
    captures_destroy (&self.captures);
    free (self.players);
}
