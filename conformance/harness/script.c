/*  =========================================================================
    script - scenarios, read and checked completely before anything runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <libgen.h>
#include <string.h>

#include "reader.h"
#include "vector.h"

//  Included files and procedures nest this deep at the most
#define DEPTH_MAX 8

const char *const script_commands [] = {
    "include \"FILE\"\tRead procedures from another file, beside this one",
    "procedure NAME PARAMETER..\tSteps under a name, up to end; parameters are "
        "actors or $values",
    "scenario NAME \"TITLE\"\tSteps up to the next scenario",
    "covers ID..\tThe requirements that the scenario proves; MDP-.. is MDP1-.. or "
        "MDP2-.., by the version that is spoken",
    "speaks mdp/0.1 mdp/0.2\tThe versions of MDP that it is played in; all, "
        "unless it says so",
    "client C [over req|dealer] [speaks VERSION] [as FRAME]\tA client opens and "
        "connects",
    "worker W [speaks VERSION] [as FRAME]\tA worker opens and connects; after its READY it keeps "
        "up heartbeats",
    "worker W serves SERVICE [after N hb]\tA worker that echoes each request",
    "peer P over dealer|req|router|tcp [as FRAME]\tSomebody who sends raw "
        "frames, or over tcp raw bytes",
    "A -> MESSAGE FRAME..\tA sends a message of the fixtures",
    "A -> FRAME..\tA sends these frames",
    "A -> each prefix of MESSAGE FRAME..\tSends every beginning of the message, "
        "each from a new socket; the target must serve after each",
    "A <- MESSAGE FRAME.. [| ..] [within N hb]\tThe next message that A gets has "
        "one of these forms; silence is a form, and with ends behind one the scenario is "
        "over then; a worker passes over HEARTBEAT "
        "unless that is named",
    "A silent for N hb|expiry\tA gets nothing at all",
    "A idle for N hb\tA gets nothing but HEARTBEAT",
    "A mute\tThe worker sends no more heartbeats",
    "A closes\tA's socket closes",
    "poll C MESSAGE FRAME.. until FRAME.. [| ..] [while FRAME.. [| ..]] [within "
        "N hb]\tAsk again until the answer has the first form; meanwhile it may "
        "have the second",
    "broker B\tThe harness is the broker: what is tried connects to it, once it is "
        "started",
    "B -> MESSAGE FRAME.. to G|all\tThe broker sends this to one of its guests, or "
        "to all; after that these are new no more",
    "B <- MESSAGE FRAME.. from [new] G [over dealer|req] [within N hb]\tOne of its "
        "guests, from now on called G, has sent this; new: one who has said "
        "nothing before; once G is known, it is the next from that one",
    "B <- MESSAGE FRAME.. [within N hb]\tSome guest has sent this; from a guest, "
        "HEARTBEAT after READY and PARTIAL before REPLY are passed over unless named",
    "G leaves [within N hb]\tThe guest hangs up",
    "B offers|lacks SERVICE\tWhat its mmi.service says from now on; without \"mmi.service\" "
        "it says 501",
    "B ignores \"mmi.service\"\tIt does not answer questions to it",
    "B serves SERVICE\tIt offers the service, and answers each request for it with the "
        "request's own body",
    "B mute\tIt sends no more heartbeats; its guests are new no more",
    "B closes|opens\tIt goes and comes back, and knows nobody",
    "broker|titanic|worker killed|stopped|started|paused|resumed\tDo this to a "
        "process",
    "client|titanic-client calls SERVICE FRAME..\tIt is started for one request",
    "client|titanic-client ends|succeeds|fails [within N hb]\tIt ends by itself; "
        "with status 0; with another",
    "client|titanic-client printed [no] TEXT\tThis is in what it printed; or it is not",
    "target serves\tA probe: a request goes through and back, titanic.close "
        "answers",
    "file \"NAME\" placed|stays\tPut a file into the target's working "
        "directory; it must still be there",
    "state filled|freed\tFill up the file system of the state directory, and "
        "free it again",
    "repeat N\tSteps up to end, N times",
    "do NAME ARGUMENT..\tThe steps of a procedure",
    "[ID]\tAt the end of a step: the requirement that this step proves",
    "N hb [or N s]\tTimes are in heartbeat intervals of the target; or in seconds, if that "
        "is longer",
    NULL
};

const char *
process_text (process_t process)
{
    static const char *texts [] = {
        "broker", "titanic", "worker", "client", "titanic-client"
    };
    return texts [process];
}

//  --------------------------------------------------------------------------
//  Lines

//  The number behind MDP in ids of a version: 1 for 0.1, 2 for 0.2
static char
s_version_digit (const char *version)
{
    return version [strlen (version) - 1];
}

//  Whether an id is one of another version's: MDP1-.. while 0.2 is spoken
static bool
s_is_elsewhere (const reader_t *reader, const char *id)
{
    return strncmp (id, "MDP", 3) == 0 && id [3] != '-'
        && id [3] != s_version_digit (reader->version);
}

//  MDP-X stands for MDP1-X or MDP2-X, by the version that is spoken
const requirement_t *
reader_requirement (const reader_t *reader, const char *id)
{
    const catalogue_t *catalogue = reader->script->catalogue;
    if (strncmp (id, "MDP-", 4))
        return catalogue_find (catalogue, id);
    char *full = zsys_sprintf ("MDP%c%s", s_version_digit (reader->version),
                               id + 3);
    const requirement_t *requirement = catalogue_find (catalogue, full);
    free (full);
    return requirement;
}

//  [ID].. at the end of a step
static bool
s_read_tags (cursor_t *cursor, step_t *step)
{
    scenario_t *scenario = cursor->reader->scenario;
    token_t *token;
    while ((token = cursor_token (cursor)) && token->type == TOKEN_TAG) {
        const requirement_t *wanted = reader_requirement (cursor->reader,
                                                          token->text);
        bool covered = false;
        for (size_t index = 0; index < scenario->cover_count; index++)
            covered |= wanted && scenario->covers [index] == wanted;
        if (covered)
            vector_push (step->tags, step->tag_count, wanted);
        else
        if (!wanted || !s_is_elsewhere (cursor->reader, wanted->id))
            return cursor_fail (cursor, "%s is not among what the scenario covers",
                           token->text);
        cursor->at++;
    }
    return !token || cursor_fail (cursor, "this is too much here");
}

static char *
s_line_text (const line_t *line)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream (&text, &length);
    assert (out);
    int last = 0;
    for (size_t index = 0; index < line->tokens.count; index++) {
        const token_t *token = &line->tokens.tokens [index];
        fprintf (out, "%s%.*s", last? " ": "", token->end - token->column,
                 source_line (line->source, token->line) + token->column - 1);
        last = token->line;
    }
    fclose (out);
    return text;
}

static bool
s_read_lines (reader_t *reader, line_t *lines, size_t count, size_t *at,
              block_t *block, bool nested);

static bool
s_read_repeat (cursor_t *cursor, line_t *lines, size_t count, size_t *at,
               step_t *step)
{
    step->type = STEP_REPEAT;
    cursor->at++;
    char *end;
    step->times = strtoul (cursor_word (cursor), &end, 10);
    if (!*cursor_word (cursor) || *end || step->times < 1
    ||  step->times > TIMES_MAX)
        return cursor_fail (cursor, "how often? a number from 1 to %d is due here",
                       TIMES_MAX);
    cursor->at++;
    if (cursor_token (cursor))
        return cursor_fail (cursor, "this is too much here");
    return s_read_lines (cursor->reader, lines, count, at, &step->block, true);
}

static void
s_push_step (block_t *block, step_t step)
{
    vector_push (block->steps, block->count, step);
}

//  Which parameter a token stands for; parameter_count if none
static size_t
s_parameter (const procedure_t *procedure, const token_t *token)
{
    size_t nbr = 0;
    for (; nbr < procedure->parameter_count; nbr++) {
        const char *name = procedure->parameters [nbr];
        if (*name == '$' && token->type == TOKEN_TERM
        &&  token->term.type == TERM_NAME && !token->term.classed
        &&  streq (token->term.name, name + 1))
            break;
        if (token->type == TOKEN_WORD && streq (token->text, name))
            break;
    }
    return nbr;
}

//  A copy of a procedure's line with arguments for parameters
static line_t
s_substitute (const procedure_t *procedure, const line_t *line,
              const token_t *arguments, size_t argument_count)
{
    line_t copy = { .source = line->source, .file = line->file };
    for (size_t index = 0; index < line->tokens.count; index++) {
        const token_t *token = &line->tokens.tokens [index];
        size_t first = s_parameter (procedure, token);
        size_t last = first;
        if (first == procedure->parameter_count - 1 && procedure->rest)
            last = argument_count - 1;
        for (size_t nbr = first; nbr <= last; nbr++) {
            const token_t *value = first == procedure->parameter_count
                ? token: &arguments [nbr];
            token_t fresh = *token;
            fresh.text = value->text? strdup (value->text): NULL;
            fresh.term = term_dup (&value->term);
            vector_push (copy.tokens.tokens, copy.tokens.count, fresh);
        }
    }
    return copy;
}

static bool
s_check_arguments (cursor_t *cursor, const procedure_t *procedure)
{
    for (size_t nbr = 0; nbr < procedure->parameter_count; nbr++) {
        token_t *token = cursor_token (cursor);
        bool value = *procedure->parameters [nbr] == '$';
        if (!token || token->type != (value? TOKEN_TERM: TOKEN_WORD))
            return cursor_fail (cursor, "%s needs %s here, its %s", procedure->name,
                value? "a frame": "an actor", procedure->parameters [nbr]);
        cursor->at++;
    }
    while (procedure->rest && cursor_token (cursor)
    &&     cursor_token (cursor)->type == TOKEN_TERM)
        cursor->at++;
    token_t *token = cursor_token (cursor);
    return !token || token->type == TOKEN_TAG
        || cursor_fail (cursor, "this is too much here");
}

//  Tags behind a procedure's name are for those of its steps that have none
static bool
s_tag_steps (cursor_t *cursor, block_t *block, size_t first)
{
    step_t tags = { .type = STEP_EXPECT };
    bool fine = s_read_tags (cursor, &tags);
    for (size_t index = first; index < block->count; index++) {
        step_t *step = &block->steps [index];
        for (size_t nbr = 0; !step->passing && nbr < tags.tag_count; nbr++)
            if (step->tag_count == nbr)
                vector_push (step->tags, step->tag_count, tags.tags [nbr]);
    }
    free (tags.tags);
    return fine;
}

static bool
s_read_do (cursor_t *cursor, block_t *block)
{
    reader_t *reader = cursor->reader;
    cursor->at++;
    procedure_t *procedure = NULL;
    for (size_t index = 0; index < reader->procedure_count; index++)
        if (streq (reader->procedures [index].name, cursor_word (cursor)))
            procedure = &reader->procedures [index];
    if (!procedure)
        return cursor_fail (cursor, "there is no procedure of this name");
    cursor->at++;
    size_t first = cursor->at;
    if (!s_check_arguments (cursor, procedure))
        return false;
    if (reader->depth == DEPTH_MAX)
        return cursor_fail (cursor, "procedures call each other without end");
    reader->depth++;
    line_t *lines = NULL;
    size_t count = 0;
    for (size_t index = 0; index < procedure->line_count; index++)
        vector_push (lines, count, s_substitute (procedure,
            &procedure->lines [index],
            cursor->line->tokens.tokens + first,
            cursor->at - first));
    size_t at = 0;
    size_t before = block->count;
    bool fine = s_read_lines (reader, lines, count, &at, block, false)
             && s_tag_steps (cursor, block, before);
    for (size_t index = 0; index < count; index++)
        tokens_clear (&lines [index].tokens);
    free (lines);
    reader->depth--;
    return fine;
}

//  One step; what it makes goes to the block
static bool
s_read_step (cursor_t *cursor, line_t *lines, size_t count, size_t *at,
             block_t *block)
{
    if (streq (cursor_word (cursor), "do"))
        return s_read_do (cursor, block);
    step_t step = { .file = cursor->line->file,
                    .line = cursor->line->tokens.tokens->line,
                    .text = s_line_text (cursor->line) };
    step_t serve = { .type = STEP_OPEN };
    bool fine = streq (cursor_word (cursor), "repeat")
        ? s_read_repeat (cursor, lines, count, at, &step)
        : reader_step (cursor, &step, &serve);
    fine = fine && s_read_tags (cursor, &step);
    if (serve.type == STEP_SERVE) {
        serve.file = step.file;
        serve.line = step.line;
        serve.text = strdup (step.text);
    }
    s_push_step (block, step);
    if (serve.type == STEP_SERVE)
        s_push_step (block, serve);
    return fine;
}

//  Steps up to end (nested) or up to the last line. Goes on after a mistake,
//  so that all are told at once.
static bool
s_read_lines (reader_t *reader, line_t *lines, size_t count, size_t *at,
              block_t *block, bool nested)
{
    bool fine = true;
    while (*at < count) {
        cursor_t cursor = { reader, &lines [(*at)++], 0 };
        if (streq (cursor_word (&cursor), "end")) {
            if (nested && cursor.line->tokens.count == 1)
                return fine;
            return cursor_fail (&cursor, "nothing ends here");
        }
        if (!s_read_step (&cursor, lines, count, at, block))
            fine = false;
    }
    if (nested) {
        cursor_t cursor = { reader, &lines [count - 1],
                            lines [count - 1].tokens.count };
        return cursor_fail (&cursor, "end is missing after this");
    }
    return fine;
}

//  --------------------------------------------------------------------------
//  Scenarios

//  A scenario about Titanic needs one, also when all its frames are written out
static void
s_use_titanic (const script_t *self, scenario_t *scenario)
{
    for (size_t index = 0; index < fixtures_size (self->fixtures); index++) {
        const golden_t *golden = fixtures_at (self->fixtures, index);
        if (strncmp (golden->protocol, "tsp/", 4) == 0)
            script_use_protocol (scenario, golden->protocol);
    }
}

static bool
s_read_covers (cursor_t *cursor)
{
    scenario_t *scenario = cursor->reader->scenario;
    cursor->at++;
    if (!cursor_token (cursor))
        return cursor_fail (cursor, "the id of a requirement is due here");
    for (; cursor_token (cursor); cursor->at++) {
        const requirement_t *requirement =
            reader_requirement (cursor->reader, cursor_word (cursor));
        if (!requirement)
            return cursor_fail (cursor, "the catalogue has no requirement %s "
                "(MDP- stands for that of %s)", cursor_word (cursor),
                cursor->reader->version);
        if (s_is_elsewhere (cursor->reader, requirement->id)
        && !cursor->reader->crossing)
            continue;
        if (!requirement->proved)
            return cursor_fail (cursor, "the catalogue says that no scenario can "
                           "prove %s", requirement->id);
        vector_push (scenario->covers, scenario->cover_count, requirement);
        //  Who does not claim MMI is not asked what it would have to do then
        if (strncmp (requirement->id, "MMI-", 4) == 0)
            script_use_protocol (scenario, "mmi/0.1");
        scenario->needs.titanic |= streq (requirement->role, "titanic");
    }
    return true;
}

static char *
s_scenario_name (const line_t *line, const char *word, const char *version)
{
    char *path = strdup (line->file);
    char *base = basename (path);
    char *dot = strrchr (base, '.');
    if (dot)
        *dot = 0;
    //  The first version goes without saying
    bool first = streq (version, "mdp/0.1");
    char *name = zsys_sprintf ("%s/%s%s%s", base, word, first? "": "@",
                               first? "": strchr (version, '/') + 1);
    free (path);
    return name;
}

static bool
s_read_head (cursor_t *cursor)
{
    scenario_t *scenario = cursor->reader->scenario;
    cursor->at++;
    if (!*cursor_word (cursor))
        return cursor_fail (cursor, "a name for the scenario is due here");
    scenario->name = s_scenario_name (cursor->line, cursor_word (cursor),
                                      cursor->reader->version);
    if (script_find (cursor->reader->script, scenario->name))
        return cursor_fail (cursor, "there is a scenario %s already",
                       scenario->name);
    cursor->at++;
    token_t *token = cursor_token (cursor);
    if (!token || token->type != TOKEN_TERM || token->term.type != TERM_BYTES
    ||  token->term.size == 0)
        return cursor_fail (cursor, "a \"title\" for the scenario is due here");
    scenario->title = strndup (token->term.bytes, token->term.size);
    cursor->at++;
    return !cursor_token (cursor) || cursor_fail (cursor, "this is too much here");
}

static void
s_forget_captures (reader_t *reader)
{
    for (size_t index = 0; index < reader->capture_count; index++)
        free (reader->captures [index]);
    free (reader->captures);
    reader->captures = NULL;
    reader->capture_count = 0;
}

static bool
s_is_tagged (const block_t *block)
{
    for (size_t index = 0; index < block->count; index++)
        if (block->steps [index].tag_count
        ||  s_is_tagged (&block->steps [index].block))
            return true;
    return false;
}

//  Steps on the way to the point say with their message what they show, so that
//  nothing is blamed that the target was not asked about yet
static void
s_tag_passing (cursor_t *cursor, block_t *block)
{
    for (size_t index = 0; index < block->count; index++) {
        step_t *step = &block->steps [index];
        s_tag_passing (cursor, &step->block);
        bool expects = step->type == STEP_EXPECT || step->type == STEP_POLL;
        if (!expects || step->tag_count)
            continue;
        const golden_t *golden = step->choices->golden;
        for (size_t nbr = 0; golden && nbr < golden->shows_count; nbr++) {
            const requirement_t *requirement =
                reader_requirement (cursor->reader, golden->shows [nbr]);
            if (requirement)
                vector_push (step->tags, step->tag_count, requirement);
            else
                cursor_fail (cursor, "%s shows %s, which is not in the "
                    "catalogue", golden->name, golden->shows [nbr]);
        }
        step->passing = step->tag_count > 0;
    }
}

static bool
s_starts (const line_t *line, const char *word)
{
    const token_t *token = line->tokens.tokens;
    return token->type == TOKEN_WORD && streq (token->text, word);
}

//  speaks VERSION..: in which versions of MDP the scenario can be played
static bool
s_read_speaks (cursor_t *cursor)
{
    const char *const *versions =
        fixtures_versions (cursor->reader->script->fixtures);
    cursor->at++;
    if (!cursor_token (cursor))
        return cursor_fail (cursor, "a version is due here: mdp/0.1 or mdp/0.2");
    cursor->reader->crossing = cursor->line->tokens.count == 2;
    for (; cursor_token (cursor); cursor->at++) {
        size_t index = 0;
        while (versions [index] && !streq (versions [index],
                                           cursor_word (cursor)))
            index++;
        if (!versions [index])
            return cursor_fail (cursor, "there are no fixtures of this version");
    }
    return true;
}

//  Whether a scenario speaks a version: all, when it does not say
static bool
s_speaks (const line_t *lines, size_t count, const char *version)
{
    bool said = false;
    for (size_t at = 1; at < count; at++) {
        const tokens_t *tokens = &lines [at].tokens;
        if (!s_starts (&lines [at], "speaks"))
            continue;
        said = true;
        for (size_t index = 1; index < tokens->count; index++)
            if (tokens->tokens [index].type == TOKEN_WORD
            &&  streq (tokens->tokens [index].text, version))
                return true;
    }
    return !said;
}

//  When the harness is the broker, the steps start what is tried
static void
s_settle_needs (reader_t *reader, scenario_t *scenario)
{
    needs_t *needs = &scenario->needs;
    if (needs->titanic)
        s_use_titanic (reader->script, scenario);
    needs->titanic = needs->titanic && !needs->stage_broker;
    needs->runs [PROCESS_TITANIC] |= needs->titanic;
    needs->runs [PROCESS_BROKER] = !needs->stage_broker;
    script_use_protocol (scenario, reader->version);
}

//  Lines from the scenario's head up to the next one's, in a version of MDP
static void
s_read_scenario (reader_t *reader, line_t *lines, size_t count)
{
    scenario_t *scenario = (scenario_t *) zmalloc (sizeof (scenario_t));
    reader->scenario = scenario;
    scenario->version = reader->version;
    reader->crossing = false;
    s_forget_captures (reader);
    reader->expects = false;
    scenario->file = lines->file;
    scenario->line = lines->tokens.tokens->line;
    cursor_t head = { reader, lines, 0 };
    bool fine = s_read_head (&head);
    size_t at = 1;
    while (at < count) {
        cursor_t cursor = { reader, &lines [at], 0 };
        if (streq (cursor_word (&cursor), "covers"))
            fine = s_read_covers (&cursor) && fine;
        else
        if (streq (cursor_word (&cursor), "speaks"))
            fine = s_read_speaks (&cursor) && fine;
        else
            break;
        at++;
    }
    fine = s_read_lines (reader, lines, count, &at, &scenario->block, false)
        && fine;
    if (fine && scenario->cover_count > 1 && s_is_tagged (&scenario->block))
        s_tag_passing (&head, &scenario->block);
    head.at = 0;
    if (fine && scenario->cover_count == 0)
        cursor_fail (&head, "say what this scenario covers");
    if (fine && !reader->expects)
        cursor_fail (&head, "nothing in this scenario can fail");
    if (!scenario->name)
        scenario->name = strdup ("");
    s_settle_needs (reader, scenario);
    vector_push (reader->script->scenarios, reader->script->count, scenario);
}

static int
s_count_errors (const reader_t *reader)
{
    int count = 0;
    for (size_t index = 0; index < reader->source_count; index++)
        count += source_errors (reader->sources [index]);
    return count;
}

//  One scenario a version that it speaks. A mistake is told once.
static void
s_read_versions (reader_t *reader, line_t *lines, size_t count)
{
    const char *const *versions = fixtures_versions (reader->script->fixtures);
    size_t spoken = 0;
    int before = s_count_errors (reader);
    for (size_t index = 0; versions [index]; index++)
        if (s_speaks (lines, count, versions [index])
        &&  s_count_errors (reader) == before) {
            reader->version = versions [index];
            s_read_scenario (reader, lines, count);
            spoken++;
        }
    if (spoken)
        return;
    if (s_count_errors (reader) > before)
        return;
    //  It speaks a version that is not there: say so
    reader->version = versions [0]? versions [0]: "mdp/0.1";
    s_read_scenario (reader, lines, count);
}

//  procedure NAME PARAMETER.. up to the end that belongs to it; returns the
//  lines taken
static size_t
s_read_procedure (reader_t *reader, line_t *lines, size_t count)
{
    procedure_t procedure = { .lines = lines + 1 };
    cursor_t cursor = { reader, lines, 1 };
    if (!*cursor_word (&cursor))
        cursor_fail (&cursor, "a name for the procedure is due here");
    procedure.name = strdup (cursor_word (&cursor));
    for (cursor.at = 2; cursor_token (&cursor); cursor.at++) {
        token_t *token = cursor_token (&cursor);
        char *name = NULL;
        if (token->type == TOKEN_WORD)
            name = strdup (token->text);
        else
        if (token->type == TOKEN_TERM && token->term.type == TERM_NAME
        &&  !token->term.classed && token->term.many != MANY_ANY
        &&  !procedure.rest) {
            name = zsys_sprintf ("$%s", token->term.name);
            procedure.rest = token->term.many == MANY_SOME;
        }
        else {
            cursor_fail (&cursor, "a parameter is an actor's name or a $name, "
                                  "and the last may be a $name...");
            break;
        }
        vector_push (procedure.parameters, procedure.parameter_count, name);
    }
    int depth = 1;
    size_t at = 1;
    for (; at < count; at++) {
        cursor_t inner = { reader, &lines [at], 0 };
        if (streq (cursor_word (&inner), "repeat"))
            depth++;
        else
        if (streq (cursor_word (&inner), "end") && --depth == 0)
            break;
    }
    if (depth) {
        cursor.at = 0;
        cursor_fail (&cursor, "end is missing: this procedure does not end");
    }
    procedure.line_count = at - 1;
    vector_push (reader->procedures, reader->procedure_count, procedure);
    return at + 1 < count? at + 1: count;
}

static void
s_read_file (reader_t *reader, const char *path, bool included);

static void
s_read_include (cursor_t *cursor)
{
    reader_t *reader = cursor->reader;
    cursor->at++;
    token_t *token = cursor_token (cursor);
    if (!token || token->type != TOKEN_TERM || token->term.type != TERM_BYTES) {
        cursor_fail (cursor, "the \"name\" of a file is due here");
        return;
    }
    if (reader->source_count >= DEPTH_MAX) {
        cursor_fail (cursor, "too many files include each other");
        return;
    }
    char *copy = strdup (cursor->line->file);
    char *path = zsys_sprintf ("%s/%.*s", dirname (copy),
                               (int) token->term.size, token->term.bytes);
    s_read_file (reader, path, true);
    free (path);
    free (copy);
}

//  --------------------------------------------------------------------------
//  Files

static bool
s_continues (const tokens_t *tokens)
{
    static const char *words [] = { "until", "while", "within", NULL };
    const token_t *token = tokens->tokens;
    if (token->type == TOKEN_BAR)
        return true;
    for (int index = 0; words [index]; index++)
        if (token->type == TOKEN_WORD && streq (token->text, words [index]))
            return true;
    return false;
}

//  All logical lines of a source. A line that starts with | until while within
//  goes on with the one before.
static lines_t
s_cut (source_t *source, const char *file)
{
    lines_t lines = { 0 };
    for (int line = 1; line <= source_lines (source); line++) {
        tokens_t tokens = { 0 };
        if (!tokens_read (&tokens, source, line) || tokens.count == 0) {
            tokens_clear (&tokens);
            continue;
        }
        if (lines.count && s_continues (&tokens)) {
            line_t *last = &lines.lines [lines.count - 1];
            for (size_t index = 0; index < tokens.count; index++)
                vector_push (last->tokens.tokens, last->tokens.count,
                             tokens.tokens [index]);
            free (tokens.tokens);
            continue;
        }
        line_t fresh = { tokens, source, file };
        vector_push (lines.lines, lines.count, fresh);
    }
    return lines;
}

static void
s_read_file (reader_t *reader, const char *path, bool included)
{
    source_t *source = source_open (path, reader->errors);
    if (!source) {
        reader->error_count++;
        return;
    }
    char *file = strdup (path);
    vector_push (reader->script->files, reader->script->file_count, file);
    vector_push (reader->sources, reader->source_count, source);
    lines_t page = s_cut (source, file);
    vector_push (reader->pages, reader->page_count, page);
    size_t at = 0;
    while (at < page.count) {
        cursor_t cursor = { reader, &page.lines [at], 0 };
        size_t left = page.count - at;
        if (s_starts (cursor.line, "include")) {
            s_read_include (&cursor);
            at++;
        }
        else
        if (s_starts (cursor.line, "procedure"))
            at += s_read_procedure (reader, cursor.line, left);
        else
        if (s_starts (cursor.line, "scenario") && !included) {
            size_t size = 1;
            while (size < left && !s_starts (cursor.line + size, "scenario")
            &&     !s_starts (cursor.line + size, "procedure"))
                size++;
            s_read_versions (reader, cursor.line, size);
            at += size;
        }
        else {
            cursor_fail (&cursor, included
                ? "an included file has include and procedure only"
                : "include, procedure or scenario is due here");
            at++;
        }
    }
}

static void
s_reader_clear (reader_t *reader)
{
    for (size_t index = 0; index < reader->procedure_count; index++) {
        procedure_t *procedure = &reader->procedures [index];
        for (size_t nbr = 0; nbr < procedure->parameter_count; nbr++)
            free (procedure->parameters [nbr]);
        free (procedure->parameters);
        free (procedure->name);
    }
    free (reader->procedures);
    for (size_t index = 0; index < reader->page_count; index++) {
        for (size_t nbr = 0; nbr < reader->pages [index].count; nbr++)
            tokens_clear (&reader->pages [index].lines [nbr].tokens);
        free (reader->pages [index].lines);
    }
    free (reader->pages);
    for (size_t index = 0; index < reader->source_count; index++) {
        reader->error_count += source_errors (reader->sources [index]);
        source_destroy (&reader->sources [index]);
    }
    free (reader->sources);
    s_forget_captures (reader);
}

int
script_read (script_t *self, const char *path, FILE *errors)
{
    reader_t reader = { .script = self, .errors = errors };
    s_read_file (&reader, path, false);
    bool opened = reader.source_count > 0;
    s_reader_clear (&reader);
    return opened? reader.error_count: -1;
}

script_t *
script_new (const fixtures_t *fixtures, const catalogue_t *catalogue)
{
    script_t *self = (script_t *) zmalloc (sizeof (script_t));
    self->fixtures = fixtures;
    self->catalogue = catalogue;
    return self;
}

static void
s_choices_free (choice_t *choices, size_t count)
{
    for (size_t index = 0; index < count; index++)
        pattern_clear (&choices [index].pattern);
    free (choices);
}

static void
s_block_clear (block_t *block)
{
    for (size_t index = 0; index < block->count; index++) {
        step_t *step = &block->steps [index];
        pattern_clear (&step->pattern);
        s_choices_free (step->choices, step->choice_count);
        s_choices_free (step->meanwhile, step->meanwhile_count);
        s_block_clear (&step->block);
        free (step->tags);
        free (step->text);
    }
    free (block->steps);
}

static void
s_scenario_free (scenario_t *scenario)
{
    for (size_t index = 0; index < scenario->actor_count; index++) {
        free (scenario->actors [index].name);
        term_clear (&scenario->actors [index].address);
    }
    free (scenario->actors);
    s_block_clear (&scenario->block);
    free (scenario->covers);
    free (scenario->protocols);
    free (scenario->name);
    free (scenario->title);
    free (scenario);
}

void
script_destroy (script_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        script_t *self = *self_p;
        for (size_t index = 0; index < self->count; index++)
            s_scenario_free (self->scenarios [index]);
        for (size_t index = 0; index < self->file_count; index++)
            free (self->files [index]);
        free (self->files);
        free (self->scenarios);
        free (self);
        *self_p = NULL;
    }
}

size_t
script_size (const script_t *self)
{
    return self->count;
}

const scenario_t *
script_at (const script_t *self, size_t index)
{
    return self->scenarios [index];
}

const scenario_t *
script_find (const script_t *self, const char *name)
{
    for (size_t index = 0; index < self->count; index++)
        if (streq (self->scenarios [index]->name, name))
            return self->scenarios [index];
    return NULL;
}
