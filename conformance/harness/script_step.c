/*  =========================================================================
    script_step - what one line of a scenario says

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdarg.h>
#include <string.h>

#include "reader.h"
#include "vector.h"

//  --------------------------------------------------------------------------
//  Cursor

bool
cursor_fail (cursor_t *cursor, const char *format, ...)
{
    char text [512];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    tokens_t *tokens = &cursor->line->tokens;
    const token_t *token = cursor->at < tokens->count
        ? &tokens->tokens [cursor->at]: &tokens->tokens [tokens->count - 1];
    int column = cursor->at < tokens->count? token->column: token->end;
    source_error (cursor->line->source, token->line, column, "%s", text);
    return false;
}

token_t *
cursor_token (cursor_t *cursor)
{
    tokens_t *tokens = &cursor->line->tokens;
    return cursor->at < tokens->count? &tokens->tokens [cursor->at]: NULL;
}

const char *
cursor_word (cursor_t *cursor)
{
    token_t *token = cursor_token (cursor);
    return token && token->type == TOKEN_WORD? token->text: "";
}

bool
cursor_take_word (cursor_t *cursor, const char *word)
{
    if (!streq (cursor_word (cursor), word))
        return false;
    cursor->at++;
    return true;
}

bool
cursor_take (cursor_t *cursor, token_type_t type)
{
    token_t *token = cursor_token (cursor);
    if (!token || token->type != type)
        return false;
    cursor->at++;
    return true;
}

static bool
s_at_term (cursor_t *cursor)
{
    token_t *token = cursor_token (cursor);
    return token && token->type == TOKEN_TERM;
}

//  N hb or N expiry, behind within, for, after
static bool
s_read_time (cursor_t *cursor, step_t *step)
{
    double *hb = &step->hb;
    char *end;
    const char *word = cursor_word (cursor);
    *hb = strtod (word, &end);
    if (!*word || *end || *hb <= 0)
        return cursor_fail (cursor, "a number of heartbeat intervals is due here, "
                               "as in: 3 hb");
    cursor->at++;
    if (cursor_take_word (cursor, "expiry")) {
        step->expiry = true;
        cursor->reader->scenario->needs.expiry = true;
        return true;
    }
    return cursor_take_word (cursor, "hb")
        || cursor_fail (cursor, "hb or expiry is due here: times are in "
                                "heartbeat intervals, or in the time after "
                                "which the target drops requests");
}

//  --------------------------------------------------------------------------
//  Names

static bool
s_is_captured (reader_t *reader, const char *name)
{
    for (size_t index = 0; index < reader->capture_count; index++)
        if (streq (reader->captures [index], name))
            return true;
    return false;
}

//  Names with a class capture; names without must have been captured
static bool
s_check_names (cursor_t *cursor, const pattern_t *pattern, bool sending)
{
    reader_t *reader = cursor->reader;
    for (size_t index = 0; index < pattern->count; index++) {
        const term_t *term = &pattern->terms [index];
        if (term->type == TERM_BYTES)
            continue;
        if (term->type == TERM_NAME && term->bytes && !sending)
            return cursor_fail (cursor, "bytes behind a name can be sent only");
        bool open = term->type == TERM_REST || !*term->name || term->classed;
        if (open && sending) {
            if (term->type == TERM_NAME && term->many == MANY_ANY)
                continue;
            return cursor_fail (cursor, "a message that is sent leaves nothing open; "
                           "this one lacks frames");
        }
        if (open) {
            if (term->type == TERM_NAME && *term->name
            && !s_is_captured (reader, term->name))
                vector_push (reader->captures, reader->capture_count,
                             strdup (term->name));
            continue;
        }
        if (!s_is_captured (reader, term->name)) {
            source_error (cursor->line->source, term->line, term->column,
                "nothing has been captured as $%s yet; $%s:any captures",
                term->name, term->name);
            return false;
        }
    }
    return true;
}

static bool
s_find_actor (cursor_t *cursor, size_t *actor)
{
    const char *name = cursor_word (cursor);
    scenario_t *scenario = cursor->reader->scenario;
    for (size_t index = 0; index < scenario->actor_count; index++)
        if (streq (scenario->actors [index].name, name)) {
            *actor = index;
            cursor->at++;
            return true;
        }
    return cursor_fail (cursor, "no actor %s has been opened", name);
}

void
script_use_protocol (scenario_t *scenario, const char *protocol)
{
    for (size_t index = 0; index < scenario->protocol_count; index++)
        if (streq (scenario->protocols [index], protocol))
            return;
    vector_push (scenario->protocols, scenario->protocol_count, protocol);
    if (strncmp (protocol, "tsp/", 4) == 0)
        scenario->needs.titanic = true;
}

//  --------------------------------------------------------------------------
//  Messages

//  Frames up to something else
static pattern_t
s_collect_terms (cursor_t *cursor)
{
    pattern_t terms = { 0 };
    for (; s_at_term (cursor); cursor->at++)
        pattern_push (&terms, term_dup (&cursor_token (cursor)->term));
    return terms;
}

static bool
s_fill (cursor_t *cursor, const golden_t *golden, pattern_t *pattern)
{
    size_t start = cursor->at;
    pattern_t terms = s_collect_terms (cursor);
    size_t excess;
    *pattern = golden_fill (golden, terms.terms, terms.count, &excess);
    pattern_clear (&terms);
    script_use_protocol (cursor->reader->scenario, golden->protocol);
    if (excess == SIZE_MAX)
        return true;
    cursor->at = start + excess;
    return cursor_fail (cursor, "%s has no place for this frame", golden->name);
}

//  MESSAGE FRAME.. or FRAME.., for an actor, one way
static bool
s_read_message (cursor_t *cursor, size_t actor, way_t way,
                const golden_t **golden, pattern_t *pattern)
{
    const actor_t *player = &cursor->reader->scenario->actors [actor];
    if (s_at_term (cursor)) {
        *golden = NULL;
        *pattern = s_collect_terms (cursor);
        return true;
    }
    if (!*cursor_word (cursor))
        return cursor_fail (cursor, "a message or frames are due here");
    if (player->peer)
        return cursor_fail (cursor, "a peer sends and gets raw frames; only clients "
                               "and workers know messages by name");
    *golden = fixtures_find (cursor->reader->script->fixtures, cursor_word (cursor),
                             way, player->role);
    if (!*golden)
        return cursor_fail (cursor, "the fixtures have no message %s for a %s",
                       cursor_word (cursor), role_text (player->role));
    cursor->at++;
    return s_fill (cursor, *golden, pattern);
}

static bool
s_read_choices (cursor_t *cursor, size_t actor, const golden_t *golden,
                choice_t **choices, size_t *count)
{
    do {
        choice_t choice = { 0 };
        bool fine = true;
        if (golden) {
            choice.golden = golden;
            fine = s_fill (cursor, golden, &choice.pattern);
        }
        else
        if (cursor_take_word (cursor, "silence"))
            choice.silence = true;
        else
            fine = s_read_message (cursor, actor, WAY_TO, &choice.golden,
                                   &choice.pattern);
        vector_push (*choices, *count, choice);
        if (!fine || !s_check_names (cursor, &choice.pattern, false))
            return false;
    } while (cursor_take (cursor, TOKEN_BAR));
    return true;
}

//  --------------------------------------------------------------------------
//  Steps

static bool
s_read_address (cursor_t *cursor, actor_t *actor)
{
    if (!cursor_take_word (cursor, "as"))
        return true;
    token_t *token = cursor_token (cursor);
    if (!token || token->type != TOKEN_TERM || token->term.type != TERM_BYTES
    ||  token->term.size == 0 || token->term.size > 255
    ||  token->term.bytes [0] == 0)
        return cursor_fail (cursor, "an address of 1 to 255 bytes is due here, and "
                               "the first is not zero");
    actor->addressed = true;
    actor->address = term_dup (&token->term);
    cursor->at++;
    return true;
}

static bool
s_read_over (cursor_t *cursor, actor_t *actor)
{
    static const struct {
        const char *word;
        over_t over;
    } words [] = {
        { "dealer", OVER_DEALER }, { "req", OVER_REQ },
        { "router", OVER_ROUTER }, { "tcp", OVER_TCP }
    };
    if (!cursor_take_word (cursor, "over"))
        return !actor->peer || cursor_fail (cursor,
            "say what it speaks over: dealer, req, router or tcp");
    for (size_t index = 0; index < sizeof words / sizeof *words; index++)
        if (streq (cursor_word (cursor), words [index].word)) {
            actor->over = words [index].over;
            cursor->at++;
            return true;
        }
    return cursor_fail (cursor, "there are dealer, req, router and tcp");
}

//  [after N hb] behind the service
static bool
s_read_serve (cursor_t *cursor, step_t *step)
{
    if (!s_at_term (cursor))
        return cursor_fail (cursor, "the name of a service is due here");
    pattern_push (&step->pattern, term_dup (&cursor_token (cursor)->term));
    if (!s_check_names (cursor, &step->pattern, true))
        return false;
    cursor->at++;
    return !cursor_take_word (cursor, "after") || s_read_time (cursor, step);
}

//  client C ... / worker W ... / peer P ...
static bool
s_read_actor (cursor_t *cursor, step_t *step, step_t *serve)
{
    scenario_t *scenario = cursor->reader->scenario;
    actor_t actor = { .peer = streq (cursor_word (cursor), "peer"),
        .role = streq (cursor_word (cursor), "client")? ROLE_CLIENT: ROLE_WORKER };
    cursor->at++;
    if (!*cursor_word (cursor))
        return cursor_fail (cursor, "a name for the actor is due here");
    for (size_t index = 0; index < scenario->actor_count; index++)
        if (streq (scenario->actors [index].name, cursor_word (cursor)))
            return cursor_fail (cursor, "there is an actor %s already",
                           cursor_word (cursor));
    actor.name = strdup (cursor_word (cursor));
    cursor->at++;
    bool fine = s_read_over (cursor, &actor)
             && s_read_address (cursor, &actor);
    step->type = STEP_OPEN;
    step->actor = scenario->actor_count;
    vector_push (scenario->actors, scenario->actor_count, actor);
    if (!fine || !cursor_take_word (cursor, "serves"))
        return fine;
    if (actor.peer || actor.role != ROLE_WORKER)
        return cursor_fail (cursor, "only a worker serves");
    serve->type = STEP_SERVE;
    serve->actor = step->actor;
    return s_read_serve (cursor, serve);
}

static bool
s_read_send (cursor_t *cursor, step_t *step)
{
    step->type = STEP_SEND;
    if (cursor_take_word (cursor, "each")) {
        if (!cursor_take_word (cursor, "prefix") || !cursor_take_word (cursor, "of"))
            return cursor_fail (cursor, "this should read: each prefix of MESSAGE");
        step->type = STEP_PREFIXES;
        cursor->reader->expects = true;
    }
    return s_read_message (cursor, step->actor, WAY_FROM, &step->golden,
                           &step->pattern)
        && s_check_names (cursor, &step->pattern, true);
}

static bool
s_read_expect (cursor_t *cursor, step_t *step)
{
    step->type = STEP_EXPECT;
    cursor->reader->expects = true;
    return s_read_choices (cursor, step->actor, NULL, &step->choices,
                           &step->choice_count)
        && (!cursor_take_word (cursor, "within") || s_read_time (cursor, step));
}

//  What an actor does or gets
static bool
s_read_act (cursor_t *cursor, step_t *step)
{
    if (!s_find_actor (cursor, &step->actor))
        return false;
    if (cursor_take (cursor, TOKEN_OUT))
        return s_read_send (cursor, step);
    if (cursor_take (cursor, TOKEN_IN))
        return s_read_expect (cursor, step);
    const actor_t *actor = &cursor->reader->scenario->actors [step->actor];
    bool worker = !actor->peer && actor->role == ROLE_WORKER;
    if (cursor_take_word (cursor, "closes"))
        step->type = STEP_CLOSE;
    else
    if (worker && cursor_take_word (cursor, "mute"))
        step->type = STEP_MUTE;
    else
    if (worker && cursor_take_word (cursor, "serves")) {
        step->type = STEP_SERVE;
        return s_read_serve (cursor, step);
    }
    else
    if (streq (cursor_word (cursor), "silent") || streq (cursor_word (cursor), "idle")) {
        step->type = cursor_take_word (cursor, "silent")? STEP_SILENT: STEP_IDLE;
        if (step->type == STEP_IDLE)
            cursor->at++;
        cursor->reader->expects = true;
        if (!cursor_take_word (cursor, "for"))
            return cursor_fail (cursor, "say how long: for N hb");
        return s_read_time (cursor, step);
    }
    else
        return cursor_fail (cursor, worker
            ? "a worker can ->, <-, serves, silent, idle, mute and closes"
            : "it can ->, <-, silent, idle and closes");
    return true;
}

static bool
s_read_poll (cursor_t *cursor, step_t *step)
{
    step->type = STEP_POLL;
    cursor->at++;
    cursor->reader->expects = true;
    if (!s_find_actor (cursor, &step->actor))
        return false;
    actor_t *actor = &cursor->reader->scenario->actors [step->actor];
    if (actor->peer || actor->role != ROLE_CLIENT)
        return cursor_fail (cursor, "only a client polls");
    if (!s_read_message (cursor, step->actor, WAY_FROM, &step->golden,
                         &step->pattern)
    || !s_check_names (cursor, &step->pattern, true))
        return false;
    if (!step->golden)
        return cursor_fail (cursor, "poll with a message of the fixtures");
    const golden_t *answer = fixtures_find (cursor->reader->script->fixtures,
        step->golden->name, WAY_TO, ROLE_CLIENT);
    if (answer->way != WAY_TO)
        return cursor_fail (cursor, "%s has no answer of the same name",
                       answer->name);
    if (!cursor_take_word (cursor, "until"))
        return cursor_fail (cursor, "until is due here, and what is waited for");
    if (!s_read_choices (cursor, step->actor, answer, &step->choices,
                         &step->choice_count))
        return false;
    if (cursor_take_word (cursor, "while")
    && !s_read_choices (cursor, step->actor, answer, &step->meanwhile,
                        &step->meanwhile_count))
        return false;
    return !cursor_take_word (cursor, "within") || s_read_time (cursor, step);
}

static bool
s_read_process (cursor_t *cursor, step_t *step)
{
    static const char *actions [] = {
        "killed", "stopped", "started", "paused", "resumed"
    };
    step->type = STEP_PROCESS;
    step->process = streq (cursor_word (cursor), "broker")
                  ? PROCESS_BROKER: PROCESS_TITANIC;
    cursor->at++;
    needs_t *needs = &cursor->reader->scenario->needs;
    needs->control [step->process] = true;
    if (step->process == PROCESS_TITANIC)
        needs->titanic = true;
    for (int index = 0; index < 5; index++)
        if (cursor_take_word (cursor, actions [index])) {
            step->action = (action_t) index;
            return true;
        }
    return cursor_fail (cursor, "there are killed, stopped, started, paused and "
                           "resumed");
}

static bool
s_read_state (cursor_t *cursor, step_t *step)
{
    cursor->at++;
    cursor->reader->scenario->needs.state = true;
    cursor->reader->scenario->needs.titanic = true;
    if (cursor_take_word (cursor, "filled"))
        step->type = STEP_FILL;
    else
    if (cursor_take_word (cursor, "freed"))
        step->type = STEP_FREE;
    else
        return cursor_fail (cursor, "a state is filled or freed");
    return true;
}

//  file "NAME" placed / file "NAME" stays
static bool
s_read_file (cursor_t *cursor, step_t *step)
{
    cursor->at++;
    cursor->reader->scenario->needs.directory = true;
    token_t *token = cursor_token (cursor);
    if (!token || token->type != TOKEN_TERM || token->term.type != TERM_BYTES
    ||  token->term.size == 0 || memchr (token->term.bytes, '/',
                                         token->term.size))
        return cursor_fail (cursor, "the \"name\" of a file in the target's "
                                    "working directory is due here");
    pattern_push (&step->pattern, term_dup (&token->term));
    cursor->at++;
    if (cursor_take_word (cursor, "placed"))
        step->type = STEP_PLACE;
    else
    if (cursor_take_word (cursor, "stays")) {
        step->type = STEP_STAYS;
        cursor->reader->expects = true;
    }
    else
        return cursor_fail (cursor, "a file is placed, or stays");
    return true;
}

static bool
s_read_target (cursor_t *cursor, step_t *step)
{
    cursor->at++;
    step->type = STEP_SERVES;
    cursor->reader->expects = true;
    return cursor_take_word (cursor, "serves")
        || cursor_fail (cursor, "this should read: target serves");
}

bool
reader_step (cursor_t *cursor, step_t *step, step_t *serve)
{
    const char *word = cursor_word (cursor);
    if (streq (word, "client") || streq (word, "worker")
    ||  streq (word, "peer"))
        return s_read_actor (cursor, step, serve);
    if (streq (word, "poll"))
        return s_read_poll (cursor, step);
    if (streq (word, "broker") || streq (word, "titanic"))
        return s_read_process (cursor, step);
    if (streq (word, "state"))
        return s_read_state (cursor, step);
    if (streq (word, "file"))
        return s_read_file (cursor, step);
    if (streq (word, "target"))
        return s_read_target (cursor, step);
    return s_read_act (cursor, step);
}
