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
} play_t;

//  --------------------------------------------------------------------------
//  Outcomes: each returns false, to stop the play

static verdict_t
s_verdict_of (stage_result_t result)
{
    return result == STAGE_DIED? VERDICT_CRASH
         : result == STAGE_DEAF? VERDICT_HANG: VERDICT_BROKEN;
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

//  The target did not do what the step wants
static bool
s_broken (play_t *self, const step_t *step, const char *expected,
          const char *received, const char *reason)
{
    const scenario_t *scenario = self->scenario;
    const requirement_t *const *requirements = step->tag_count
        ? step->tags: scenario->covers;
    size_t count = step->tag_count? step->tag_count: scenario->cover_count;
    s_blame (self->result, requirements, count);
    char *death = NULL;
    if (stage_crashed (self->stage, &death))
        return s_stage_failed (self, STAGE_DIED, death);
    result_set (&self->result->expected, expected);
    result_set (&self->result->received, received);
    stage_note (self->stage, "here: %s", reason);
    char *text = zsys_sprintf ("%s%s", step->passing
        ? "before it came to the point: ": "", reason);
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
    return stage_hb_ms (self->stage, hb);
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

static char *
s_choices_text (const choice_t *choices, size_t count)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    for (size_t index = 0; index < count; index++) {
        char *pattern = notation_pattern (&choices [index].pattern);
        fprintf (out, "%s%s", index? "  |  ": "",
                 choices [index].silence? "silence": pattern);
        free (pattern);
    }
    fclose (out);
    return text;
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

static bool
s_is_worker (play_t *self, size_t actor)
{
    const actor_t *who = &self->scenario->actors [actor];
    return !who->peer && who->role == ROLE_WORKER;
}

static bool
s_wrong_message (play_t *self, const step_t *step, const char *expected,
                 zmsg_t *message)
{
    char *received = notation_frames (message);
    s_broken (self, step, expected, received,
              "what came does not have the form that was expected");
    free (received);
    return false;
}

static bool
s_expect (play_t *self, const step_t *step)
{
    bool pass = s_is_worker (self, step->actor) && !s_names_heartbeat (step);
    bool silence = s_allows_silence (step);
    int64_t wait = silence && step->hb > 0
        ? s_time_ms (self, step)
        : silence? stage_hb_ms (self->stage, 3)
        : s_patience_ms (self, step);
    zmsg_t *message = stage_receive (self->stage, self->players [step->actor],
                                     pass, wait);
    bool fine = message
        ? s_choices_match (self, step->choices, step->choice_count, message)
        : silence && !stage_crashed (self->stage, NULL);
    if (!fine) {
        char *expected = s_choices_text (step->choices, step->choice_count);
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
    zmsg_destroy (&message);
    return fine;
}

static bool
s_quiet (play_t *self, const step_t *step)
{
    bool pass = step->type == STEP_IDLE && s_is_worker (self, step->actor);
    zmsg_t *message = stage_receive (self->stage, self->players [step->actor],
                                     pass, s_time_ms (self, step));
    if (!message) {
        if (!stage_crashed (self->stage, NULL))
            return true;
        return s_broken (self, step, NULL, NULL, "");
    }
    char *received = notation_frames (message);
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

static bool
s_send (play_t *self, const step_t *step)
{
    player_t *player = self->players [step->actor];
    zmsg_t *message = pattern_compose (&step->pattern, self->captures);
    assert (message);
    bool worker = s_is_worker (self, step->actor);
    if (worker && s_named (step->golden, "DISCONNECT"))
        stage_beat (self->stage, player, false);
    if (stage_send (self->stage, player, &message)) {
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
        s_blame (self->result, step->tag_count? step->tags
                                              : self->scenario->covers,
                 step->tag_count? step->tag_count
                                : self->scenario->cover_count);
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
    int64_t left = end - zclock_mono ();
    zmsg_t *message = pattern_compose (&step->pattern, self->captures);
    assert (message);
    if (!player || stage_send (self->stage, player, &message))
        return NULL;
    message = stage_receive (self->stage, player, false,
                             left < pause? left: pause);
    if (message || stage_crashed (self->stage, NULL))
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
        free (last);
        last = notation_frames (message);
        zmsg_destroy (&message);
        if (!found && !wrong && self->players [step->actor]) {
            //  Nothing is due now; what comes all the same is put back
            message = stage_receive (self->stage, self->players [step->actor],
                                     false, gap);
            if (message)
                stage_unreceive (self->stage, self->players [step->actor],
                                 &message);
        }
    }
    if (!found) {
        char *expected = s_choices_text (step->choices, step->choice_count);
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
    stage_result_t result = stage_act (self->stage, step->process,
                                       step->action, &reason);
    if (result == STAGE_FINE)
        return true;
    s_blame (self->result, self->scenario->covers, self->scenario->cover_count);
    return s_stage_failed (self, result, reason);
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

static bool
s_serves (play_t *self, const step_t *step)
{
    char *reason = NULL;
    stage_result_t served = stage_probe (self->stage,
        self->scenario->needs.titanic, &reason);
    if (served == STAGE_FINE)
        return true;
    s_blame (self->result, step->tag_count? step->tags
                                          : self->scenario->covers,
             step->tag_count? step->tag_count: self->scenario->cover_count);
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
            stage_note (self->stage, "%s mute",
                        self->scenario->actors [step->actor].name);
            stage_beat (self->stage, self->players [step->actor], false);
            return true;
        case STEP_CLOSE:
            stage_leave (self->stage, self->players [step->actor]);
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
    }
    return false;
}

static bool
s_block (play_t *self, const block_t *block)
{
    for (size_t index = 0; index < block->count; index++) {
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
    stage_result_t result = stage_start (self->stage, PROCESS_BROKER, &reason);
    if (result == STAGE_FINE && self->scenario->needs.titanic)
        result = stage_start (self->stage, PROCESS_TITANIC, &reason);
    if (result == STAGE_FINE)
        return true;
    s_blame (self->result, self->scenario->covers, self->scenario->cover_count);
    s_stage_failed (self, result, reason);
    char *text = zsys_sprintf ("at the start: %s", self->result->reason);
    result_set (&self->result->reason, text);
    free (text);
    return false;
}

//  Principle 4: a dead server never passes, whatever its steps came to
static void
s_final_probe (play_t *self)
{
    char *reason = NULL;
    result_t *result = self->result;
    if (result->verdict >= VERDICT_HANG)
        return;
    stage_result_t served = stage_probe (self->stage,
        self->scenario->needs.titanic, &reason);
    if (served == STAGE_FINE)
        return;
    char *text = result->reason
        ? zsys_sprintf ("%s; after that: %s", result->reason, reason)
        : zsys_sprintf ("at the end: %s", reason);
    if (!result->requirement_count)
        s_blame (result, self->scenario->covers, self->scenario->cover_count);
    s_end (self, s_verdict_of (served), text);
    free (text);
    free (reason);
}

void
play_scenario (const scenario_t *scenario, stage_t *stage,
               const profile_t *profile, result_t *result)
{
    play_t self = { scenario, profile, stage, result, captures_new (),
        (player_t **) zmalloc ((scenario->actor_count + 1)
                               * sizeof (player_t *)) };
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
    result->output = stage_output (stage);
    captures_destroy (&self.captures);
    free (self.players);
}
