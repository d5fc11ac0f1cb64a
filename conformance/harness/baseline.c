/*  =========================================================================
    baseline - deviations that are known, and why they are put up with

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <czmq.h>

#include "baseline.h"
#include "outfile.h"
#include "vector.h"

//  One scenario: what is known of it, and what came in this run
typedef struct {
    char *scenario;
    bool known;                 //  A line of the file says so
    verdict_t verdict;
    bool flaky;
    char *reason;
    int line;
    size_t counts [VERDICT_BROKEN + 1];
    bool held;                  //  It came as known at least once
    char *fresh_reason;         //  Of the worst verdict that came
} record_t;

struct _baseline_t {
    char *path;                 //  NULL without a file
    record_t *entries;
    size_t count;
};

baseline_t *
baseline_new (void)
{
    return (baseline_t *) zmalloc (sizeof (baseline_t));
}

void
baseline_destroy (baseline_t **self_p)
{
    assert (self_p);
    if (*self_p) {
        baseline_t *self = *self_p;
        for (size_t index = 0; index < self->count; index++) {
            free (self->entries [index].scenario);
            free (self->entries [index].reason);
            free (self->entries [index].fresh_reason);
        }
        free (self->entries);
        free (self->path);
        free (self);
        *self_p = NULL;
    }
}

static record_t *
s_find (const baseline_t *self, const char *scenario)
{
    for (size_t index = 0; index < self->count; index++)
        if (streq (self->entries [index].scenario, scenario))
            return &self->entries [index];
    return NULL;
}

//  --------------------------------------------------------------------------
//  Reading

//  The next word of a line, cut off; NULL at its end
static char *
s_word (char **rest)
{
    char *word = *rest + strspn (*rest, " \t");
    if (!*word || *word == '#' || *word == '"')
        return NULL;
    size_t size = strcspn (word, " \t");
    *rest = word + size + (word [size] != 0);
    word [size] = 0;
    return word;
}

//  "REASON" up to the end of the line, fresh; NULL with what is wrong
static char *
s_reason (const char *text, const char **mistake)
{
    text += strspn (text, " \t");
    *mistake = "a reason in quotes is due behind the verdict";
    if (*text != '"')
        return NULL;
    char *reason = strdup (text);
    size_t size = 0;
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text [1])
            text++;
        reason [size++] = *text;
    }
    reason [size] = 0;
    const char *behind = *text? text + 1 + strspn (text + 1, " \t"): text;
    *mistake = !*text? "the quotes of the reason are not closed"
        : strspn (reason, " \t") == size? "the reason says nothing"
        : *behind && *behind != '#'? "this is too much behind the reason": NULL;
    if (!*mistake)
        return reason;
    free (reason);
    return NULL;
}

static bool
s_read_verdict (const char *text, verdict_t *verdict)
{
    for (int index = VERDICT_WARN; index < VERDICT_BROKEN; index++)
        if (streq (text, verdict_text ((verdict_t) index))) {
            *verdict = (verdict_t) index;
            return true;
        }
    return false;
}

//  One line; what is wrong with it, or NULL. The line is cut up.
static const char *
s_read_line (baseline_t *self, const script_t *script, char *line, int number)
{
    char *rest = line;
    const char *scenario = s_word (&rest);
    if (!scenario)
        return line [strspn (line, " \t")] == '"'
             ? "the name of a scenario is due before the reason": NULL;
    if (!script_find (script, scenario))
        return "there is no such scenario; see seatrial list";
    if (s_find (self, scenario))
        return "this scenario has a line already";
    record_t entry = { .known = true, .line = number };
    const char *verdict = s_word (&rest);
    if (!verdict || !s_read_verdict (verdict, &entry.verdict))
        return "the verdict that is known is due here: WARN, FAIL, HANG or "
               "CRASH";
    const char *flaky = s_word (&rest);
    if (flaky && !streq (flaky, "flaky"))
        return "flaky, or a reason in quotes, is due behind the verdict";
    entry.flaky = flaky != NULL;
    const char *mistake;
    entry.reason = s_reason (rest, &mistake);
    if (!entry.reason)
        return mistake;
    entry.scenario = strdup (scenario);
    vector_push (self->entries, self->count, entry);
    return NULL;
}

baseline_t *
baseline_read (const char *path, const script_t *script, FILE *errors)
{
    FILE *file = fopen (path, "r");
    if (!file) {
        fprintf (errors, "%s: cannot read this baseline: %s\n", path,
                 strerror (errno));
        return NULL;
    }
    baseline_t *self = baseline_new ();
    self->path = strdup (path);
    char *line = NULL;
    size_t room = 0;
    int mistakes = 0;
    for (int number = 1; getline (&line, &room, file) >= 0; number++) {
        line [strcspn (line, "\r\n")] = 0;
        const char *mistake = s_read_line (self, script, line, number);
        if (!mistake)
            continue;
        fprintf (errors, "%s:%d: %s\n", path, number, mistake);
        mistakes++;
    }
    if (ferror (file)) {
        fprintf (errors, "%s: cannot read this baseline: %s\n", path,
                 strerror (errno));
        mistakes++;
    }
    free (line);
    fclose (file);
    if (mistakes)
        baseline_destroy (&self);
    return self;
}

//  --------------------------------------------------------------------------
//  Judging

//  The scenario's entry, with the result counted
static record_t *
s_remember (baseline_t *self, const result_t *result)
{
    record_t *entry = s_find (self, result->scenario);
    if (!entry) {
        record_t fresh = { .scenario = strdup (result->scenario) };
        vector_push (self->entries, self->count, fresh);
        entry = &self->entries [self->count - 1];
    }
    bool worst = result->verdict > VERDICT_SKIP;
    for (int index = result->verdict + 1; index <= VERDICT_BROKEN; index++)
        worst = worst && entry->counts [index] == 0;
    entry->counts [result->verdict]++;
    if (worst)
        result_set (&entry->fresh_reason, result->reason);
    return entry;
}

void
baseline_judge (baseline_t *self, result_t *result, verdict_t strict)
{
    record_t *entry = s_remember (self, result);
    if (!entry->known || result->verdict == VERDICT_SKIP
    ||  result->verdict == VERDICT_BROKEN)
        return;
    result_set (&result->known_reason, entry->reason);
    result->known = entry->verdict == result->verdict
                 || entry->verdict == strict;
    entry->held |= result->known;
    if (result->known || (entry->flaky && result->verdict == VERDICT_PASS))
        return;
    //  Another deviation than that which is known fails the run by itself; a line
    //  that is not true any more must, or it would hide what comes later
    result->stale = strict <= VERDICT_WARN;
    char *remark = zsys_sprintf (result->stale
        ? "%s:%d is stale: it knows of %s, and now this is %s; take the line out "
          "(\"%s\")"
        : "%s:%d knows of another deviation: it knows of %s, and this is %s "
          "(\"%s\")", self->path, entry->line, verdict_text (entry->verdict),
        verdict_text (result->verdict), entry->reason);
    result_add_remark (result, remark);
    free (remark);
}

//  --------------------------------------------------------------------------
//  Writing

static void
s_write_line (FILE *out, const char *scenario, verdict_t verdict, bool flaky,
              const char *reason)
{
    fprintf (out, "%s %s%s \"", scenario, verdict_text (verdict),
             flaky? " flaky": "");
    for (; *reason; reason++) {
        if (strchr ("\"\\", *reason))
            fputc ('\\', out);
        fputc ((unsigned char) *reason < ' '? ' ': *reason, out);
    }
    fputs ("\"\n", out);
}

static void
s_write_entry (FILE *out, const record_t *entry)
{
    verdict_t worst = VERDICT_CRASH;
    while (worst > VERDICT_PASS
    && (entry->counts [worst] == 0 || worst == VERDICT_SKIP))
        worst = (verdict_t) (worst - 1);
    bool judged = worst > VERDICT_PASS || entry->counts [VERDICT_PASS];
    //  Still so, or nothing was learnt about it
    bool kept = entry->known
        && (!judged || entry->held || (entry->flaky && worst == VERDICT_PASS));
    if (kept)
        s_write_line (out, entry->scenario, entry->verdict,
                      entry->flaky || entry->counts [VERDICT_PASS],
                      entry->reason);
    else
    if (worst > VERDICT_PASS) {
        char *reason = zsys_sprintf ("not looked at yet: %s",
            entry->fresh_reason? entry->fresh_reason: "");
        s_write_line (out, entry->scenario, worst,
                      entry->counts [VERDICT_PASS] > 0, reason);
        free (reason);
    }
}

static int
s_compare (const void *a, const void *b)
{
    return strcmp ((*(const record_t *const *) a)->scenario,
                   (*(const record_t *const *) b)->scenario);
}

int
baseline_write (const baseline_t *self, const char *path, FILE *errors)
{
    outfile_t *file = outfile_open (path, errors);
    if (!file)
        return -1;
    const record_t **entries = NULL;
    size_t count = 0;
    for (size_t index = 0; index < self->count; index++)
        vector_push (entries, count, &self->entries [index]);
    if (entries)
        qsort (entries, count, sizeof *entries, s_compare);
    FILE *out = outfile_stream (file);
    fputs ("#   Known deviations, for seatrial run --baseline:\n"
           "#   SCENARIO VERDICT [flaky] \"REASON\"\n", out);
    for (size_t index = 0; index < count; index++)
        s_write_entry (out, entries [index]);
    free (entries);
    return outfile_close (&file, errors);
}
