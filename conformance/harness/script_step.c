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

//  N hb, N hb or N s, N expiry, behind within, for, after
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
    if (!cursor_take_word (cursor, "hb"))
        return cursor_fail (cursor, "hb or expiry is due here: times are in "
                                    "heartbeat intervals, or in the time after "
                                    "which the target drops requests");
    if (!cursor_take_word (cursor, "or"))
        return true;
    word = cursor_word (cursor);
    step->seconds = strtod (word, &end);
    if (!*word || *end || step->seconds <= 0)
        return cursor_fail (cursor, "a number of seconds is due here, as in: 12 hb or "
                                    "6 s");
    cursor->at++;
    return cursor_take_word (cursor, "s")
        || cursor_fail (cursor, "s is due here, for seconds");
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
    script_use_protocol (cursor->reader->scenario, golden->version);
    if (excess == SIZE_MAX)
        return true;
    cursor->at = start + excess;
    return cursor_fail (cursor, "%s has no place for this frame", golden->name);
}

//  The message of a name that an actor sends or gets. A broker sends what goes to
//  its guests and gets what comes from them, workers and clients.
static const golden_t *
s_find_golden (cursor_t *cursor, const actor_t *player, way_t way)
{
    const fixtures_t *fixtures = cursor->reader->script->fixtures;
    const char *name = cursor_word (cursor);
    if (player->kind != ACTOR_BROKER)
        return fixtures_find (fixtures, player->version, name, way,
                              player->role);
    way = way == WAY_FROM? WAY_TO: WAY_FROM;
    const golden_t *golden = fixtures_exact (fixtures, player->version, name,
                                             way, ROLE_WORKER);
    return golden? golden: fixtures_exact (fixtures, player->version, name, way,
                                           ROLE_CLIENT);
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
    if (player->kind == ACTOR_PEER)
        return cursor_fail (cursor, "a peer sends and gets raw frames; only clients "
                               "and workers know messages by name");
    *golden = s_find_golden (cursor, player, way);
    if (!*golden)
        return cursor_fail (cursor, "the fixtures of %s have no message %s for a %s",
            player->version, cursor_word (cursor), player->kind == ACTOR_BROKER
            ? "broker": role_text (player->role));
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
        //  A poll goes on until it has what it asks for
        choice.ends = fine && !golden && cursor_take_word (cursor, "ends");
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
    ||  term_size (&token->term) > 255
    ||  (token->term.size && token->term.bytes [0] == 0))
        return cursor_fail (cursor, "an address of up to 255 bytes is due here, and "
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
        return actor->kind != ACTOR_PEER || cursor_fail (cursor,
            "say what it speaks over: dealer, req, router or tcp");
    for (size_t index = 0; index < sizeof words / sizeof *words; index++)
        if (streq (cursor_word (cursor), words [index].word)) {
            actor->over = words [index].over;
            cursor->at++;
            return true;
        }
    return cursor_fail (cursor, "there are dealer, req, router and tcp");
}

//  [speaks VERSION]
static bool
s_read_version (cursor_t *cursor, actor_t *actor)
{
    const char *const *versions =
        fixtures_versions (cursor->reader->script->fixtures);
    if (!cursor_take_word (cursor, "speaks"))
        return true;
    for (size_t index = 0; versions [index]; index++)
        if (cursor_take_word (cursor, versions [index])) {
            actor->version = versions [index];
            script_use_protocol (cursor->reader->scenario, versions [index]);
            return true;
        }
    return cursor_fail (cursor, "a version of MDP is due here: mdp/0.1 or mdp/0.2");
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

static bool
s_is_actor (const scenario_t *scenario, const char *name)
{
    for (size_t index = 0; index < scenario->actor_count; index++)
        if (streq (scenario->actors [index].name, name))
            return true;
    return false;
}

static actor_t
s_new_actor (cursor_t *cursor)
{
    static const struct {
        const char *word;
        kind_t kind;
        role_t role;
    } kinds [] = {
        { "client", ACTOR_CLIENT, ROLE_CLIENT },
        { "worker", ACTOR_WORKER, ROLE_WORKER },
        { "peer", ACTOR_PEER, ROLE_WORKER },
        { "broker", ACTOR_BROKER, ROLE_WORKER }
    };
    size_t index = 0;
    while (!streq (cursor_word (cursor), kinds [index].word))
        index++;
    return (actor_t) { .kind = kinds [index].kind, .role = kinds [index].role,
                       .version = cursor->reader->version };
}

//  client C ... / worker W ... / peer P ... / broker B
static bool
s_read_actor (cursor_t *cursor, step_t *step, step_t *serve)
{
    scenario_t *scenario = cursor->reader->scenario;
    actor_t actor = s_new_actor (cursor);
    cursor->at++;
    if (!*cursor_word (cursor))
        return cursor_fail (cursor, "a name for the actor is due here");
    if (s_is_actor (scenario, cursor_word (cursor)))
        return cursor_fail (cursor, "there is an actor %s already",
                            cursor_word (cursor));
    if (actor.kind == ACTOR_BROKER && scenario->needs.stage_broker)
        return cursor_fail (cursor, "there is a broker already");
    actor.name = strdup (cursor_word (cursor));
    cursor->at++;
    bool fine = actor.kind == ACTOR_BROKER || s_read_over (cursor, &actor);
    fine = fine && s_read_version (cursor, &actor)
                && s_read_address (cursor, &actor);
    scenario->needs.stage_broker |= actor.kind == ACTOR_BROKER;
    step->type = STEP_OPEN;
    step->actor = scenario->actor_count;
    vector_push (scenario->actors, scenario->actor_count, actor);
    if (!fine || !cursor_take_word (cursor, "serves"))
        return fine;
    if (actor.kind != ACTOR_WORKER)
        return cursor_fail (cursor, "only a worker serves");
    serve->type = STEP_SERVE;
    serve->actor = step->actor;
    return s_read_serve (cursor, serve);
}

//  A guest by name; one who is named for the first time becomes an actor
static bool
s_read_guest (cursor_t *cursor, step_t *step, bool known)
{
    scenario_t *scenario = cursor->reader->scenario;
    const char *name = cursor_word (cursor);
    if (!*name)
        return cursor_fail (cursor, "a name for the guest is due here");
    step->guested = true;
    if (!s_is_actor (scenario, name)) {
        if (known)
            return cursor_fail (cursor, "nothing has come from a %s yet", name);
        actor_t guest = { .name = strdup (name), .kind = ACTOR_GUEST,
            .role = ROLE_WORKER, .version = cursor->reader->version };
        step->guest = scenario->actor_count;
        vector_push (scenario->actors, scenario->actor_count, guest);
        cursor->at++;
        return true;
    }
    if (!s_find_actor (cursor, &step->guest))
        return false;
    if (scenario->actors [step->guest].kind == ACTOR_GUEST && !step->fresh)
        return true;
    cursor->at--;
    return cursor_fail (cursor, step->fresh
        ? "%s is not new": "%s is no guest of the broker's", name);
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
    if (!s_read_message (cursor, step->actor, WAY_FROM, &step->golden,
                         &step->pattern)
    ||  !s_check_names (cursor, &step->pattern, true))
        return false;
    const scenario_t *scenario = cursor->reader->scenario;
    if (scenario->actors [step->actor].kind != ACTOR_BROKER)
        return true;
    if (!cursor_take_word (cursor, "to"))
        return cursor_fail (cursor, "to whom? to and the name of a guest are due "
                                    "here, or to all");
    step->everyone = cursor_take_word (cursor, "all");
    return step->everyone || s_read_guest (cursor, step, true);
}

//  [from [new] G [over dealer|req]]
static bool
s_read_from (cursor_t *cursor, step_t *step)
{
    const scenario_t *scenario = cursor->reader->scenario;
    if (scenario->actors [step->actor].kind != ACTOR_BROKER
    || !cursor_take_word (cursor, "from"))
        return true;
    step->fresh = cursor_take_word (cursor, "new");
    if (!s_read_guest (cursor, step, false))
        return false;
    if (!streq (cursor_word (cursor), "over"))
        return true;
    actor_t socket = { .kind = ACTOR_PEER };
    step->overed = true;
    bool fine = s_read_over (cursor, &socket);
    step->over = socket.over;
    return fine;
}

static bool
s_read_expect (cursor_t *cursor, step_t *step)
{
    step->type = STEP_EXPECT;
    cursor->reader->expects = true;
    return s_read_choices (cursor, step->actor, NULL, &step->choices,
                           &step->choice_count)
        && s_read_from (cursor, step)
        && (!cursor_take_word (cursor, "within") || s_read_time (cursor, step));
}

//  What a broker can besides
static bool
s_read_broker (cursor_t *cursor, step_t *step)
{
    if (cursor_take_word (cursor, "mute"))
        step->type = STEP_MUTE;
    else
    if (cursor_take_word (cursor, "opens"))
        step->type = STEP_REOPEN;
    else
    if (streq (cursor_word (cursor), "offers")
    ||  streq (cursor_word (cursor), "serves")
    ||  streq (cursor_word (cursor), "ignores")
    ||  streq (cursor_word (cursor), "lacks")) {
        step->type = cursor_take_word (cursor, "offers")? STEP_OFFER
                   : cursor_take_word (cursor, "serves")? STEP_ECHO
                   : cursor_take_word (cursor, "ignores")? STEP_IGNORE: STEP_LACK;
        if (step->type == STEP_LACK)
            cursor->at++;
        if (!s_at_term (cursor))
            return cursor_fail (cursor, "the name of a service is due here");
        pattern_push (&step->pattern, term_dup (&cursor_token (cursor)->term));
        cursor->at++;
        return s_check_names (cursor, &step->pattern, true);
    }
    else
        return cursor_fail (cursor, "a broker can ->, <-, offers, serves, lacks, ignores, idle, "
                            "mute, closes and opens");
    return true;
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
    bool worker = actor->kind == ACTOR_WORKER;
    if (actor->kind != ACTOR_GUEST && cursor_take_word (cursor, "closes"))
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
    if (actor->kind == ACTOR_BROKER)
        return s_read_broker (cursor, step);
    else
    if (actor->kind == ACTOR_GUEST && cursor_take_word (cursor, "leaves")) {
        step->type = STEP_LEAVE;
        cursor->reader->expects = true;
        return !cursor_take_word (cursor, "within") || s_read_time (cursor, step);
    }
    else
    if (actor->kind == ACTOR_GUEST)
        return cursor_fail (cursor, "a guest can silent, idle and leaves; what it sends, "
                                    "its broker gets: b <- MESSAGE from %s",
                            actor->name);
    else
        return cursor_fail (cursor, worker
            ? "a worker can ->, <-, serves, silent, idle, mute and closes"
            : "it can ->, <-, silent, idle and closes");
    return true;
}

//  until FRAME.. [| ..] [while FRAME.. [| ..]] [within N hb]
static bool
s_read_answers (cursor_t *cursor, step_t *step, const golden_t *answer)
{
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

//  A guest that serves is asked with REQUEST, and answers with REPLY
static bool
s_read_poll_guest (cursor_t *cursor, step_t *step)
{
    const fixtures_t *fixtures = cursor->reader->script->fixtures;
    const char *version = cursor->reader->version;
    step->golden = fixtures_exact (fixtures, version, "REQUEST", WAY_TO,
                                   ROLE_WORKER);
    const golden_t *answer = fixtures_exact (fixtures, version, "REPLY",
                                             WAY_FROM, ROLE_WORKER);
    return s_fill (cursor, step->golden, &step->pattern)
        && s_check_names (cursor, &step->pattern, true)
        && s_read_answers (cursor, step, answer);
}

static bool
s_read_poll (cursor_t *cursor, step_t *step)
{
    step->type = STEP_POLL;
    cursor->at++;
    cursor->reader->expects = true;
    if (!s_find_actor (cursor, &step->actor))
        return false;
    kind_t kind = cursor->reader->scenario->actors [step->actor].kind;
    if (kind == ACTOR_GUEST)
        return s_read_poll_guest (cursor, step);
    if (kind != ACTOR_CLIENT)
        return cursor_fail (cursor, "a client polls, or a guest is polled");
    if (!s_read_message (cursor, step->actor, WAY_FROM, &step->golden,
                         &step->pattern)
    || !s_check_names (cursor, &step->pattern, true))
        return false;
    if (!step->golden)
        return cursor_fail (cursor, "poll with a message of the fixtures");
    const golden_t *answer = fixtures_find (cursor->reader->script->fixtures,
        step->golden->version, step->golden->name, WAY_TO, ROLE_CLIENT);
    if (answer->way != WAY_TO)
        return cursor_fail (cursor, "%s has no answer of the same name",
                       answer->name);
    return s_read_answers (cursor, step, answer);
}

static const char *s_actions [] = {
    "killed", "stopped", "started", "paused", "resumed", NULL
};
static const char *s_endings [] = { "ends", "succeeds", "fails", NULL };

//  Which of the words it is; how many there are when it is none
static size_t
s_index (const char *const *words, const char *word)
{
    size_t index = 0;
    while (words [index] && !streq (words [index], word))
        index++;
    return index;
}

//  client calls SERVICE FRAME.. / client ends / client printed TEXT
static bool
s_read_call (cursor_t *cursor, step_t *step)
{
    needs_t *needs = &cursor->reader->scenario->needs;
    needs->runs [step->process] = true;
    size_t ending = s_index (s_endings, cursor_word (cursor));
    if (s_endings [ending]) {
        cursor->at++;
        step->type = STEP_END;
        step->ending = (ending_t) ending;
        cursor->reader->expects = true;
        return !cursor_take_word (cursor, "within")
            || s_read_time (cursor, step);
    }
    if (cursor_take_word (cursor, "calls"))
        step->type = STEP_CALL;
    else
    if (cursor_take_word (cursor, "printed")) {
        step->type = STEP_PRINTED;
        step->absent = cursor_take_word (cursor, "no");
        needs->prints = true;
        cursor->reader->expects = true;
    }
    else
        return cursor_fail (cursor, "there are calls, ends, succeeds, fails and "
                                    "printed");
    step->pattern = s_collect_terms (cursor);
    size_t least = step->type == STEP_CALL? 2: 1;
    if (step->pattern.count < least)
        return cursor_fail (cursor, least == 2
            ? "a service and a body are due here": "a text is due here");
    return s_check_names (cursor, &step->pattern, true);
}

static bool
s_read_process (cursor_t *cursor, step_t *step)
{
    scenario_t *scenario = cursor->reader->scenario;
    size_t process = 0;
    while (!streq (process_text ((process_t) process), cursor_word (cursor)))
        process++;
    step->process = (process_t) process;
    cursor->at++;
    if (process == PROCESS_CLIENT || process == PROCESS_TITANIC_CLIENT)
        return s_read_call (cursor, step);
    step->type = STEP_PROCESS;
    scenario->needs.control [process] = true;
    scenario->needs.runs [process] = true;
    if (process == PROCESS_TITANIC && !scenario->needs.stage_broker)
        scenario->needs.titanic = true;
    if (process == PROCESS_BROKER && scenario->needs.stage_broker)
        return cursor_fail (cursor, "the harness is the broker here");
    size_t action = s_index (s_actions, cursor_word (cursor));
    if (!s_actions [action])
        return cursor_fail (cursor, "there are killed, stopped, started, paused and "
                               "resumed");
    cursor->at++;
    step->action = (action_t) action;
    if (process == PROCESS_WORKER && step->action == ACTION_STARTED)
        step->slow = cursor_take_word (cursor, "slow");
    scenario->needs.slow |= step->slow;
    return true;
}

//  broker, client and worker are actors, and processes of the target: what comes
//  next tells
static bool
s_is_process (cursor_t *cursor)
{
    const char *word = cursor_word (cursor);
    cursor_t next = { cursor->reader, cursor->line, cursor->at + 1 };
    const char *verb = cursor_word (&next);
    next.at++;
    if (streq (word, "titanic") || streq (word, "titanic-client"))
        return true;
    if (streq (word, "client"))
        return streq (verb, "calls") || streq (verb, "printed")
            || s_endings [s_index (s_endings, verb)];
    return (streq (word, "broker") || streq (word, "worker"))
        && s_actions [s_index (s_actions, verb)]
        && (!cursor_token (&next) || cursor_token (&next)->type == TOKEN_TAG
        ||  streq (cursor_word (&next), "slow"));
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
    ||  token->term.size == 0 || term_size (&token->term) > 255
    ||  memchr (token->term.bytes, '/',
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
    if (s_is_process (cursor))
        return s_read_process (cursor, step);
    if (streq (word, "client") || streq (word, "worker")
    ||  streq (word, "peer") || streq (word, "broker"))
        return s_read_actor (cursor, step, serve);
    if (streq (word, "poll"))
        return s_read_poll (cursor, step);
    if (streq (word, "state"))
        return s_read_state (cursor, step);
    if (streq (word, "file"))
        return s_read_file (cursor, step);
    if (streq (word, "target"))
        return s_read_target (cursor, step);
    return s_read_act (cursor, step);
}
