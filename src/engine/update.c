/*  =========================================================================
    update - what an engine wants done

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include "engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

//  Effects that there is place for at first; it doubles as needed.
#define FIRST_CAPACITY 16

struct _update_t {
    size_t count;               //  Effects in the update
    size_t capacity;            //  Effects that there is place for
    effect_t *effects;          //  The effects, in order
    int64_t deadline_ms;        //  When the engine wants its next tick
    bool failed;                //  Memory ran out since the last clear
};

update_t *
update_new (void)
{
    update_t *self = malloc (sizeof (update_t));
    if (!self)
        return NULL;
    self->count = 0;
    self->capacity = FIRST_CAPACITY;
    self->effects = malloc (FIRST_CAPACITY * sizeof (effect_t));
    self->deadline_ms = INT64_MAX;
    self->failed = false;
    if (!self->effects) {
        free (self);
        return NULL;
    }
    return self;
}

static void
s_effect_clear (effect_t *effect)
{
    message_destroy (&effect->message);
    store_query_clear (&effect->query);
    frame_destroy (&effect->subject);
}

void
update_destroy (update_t **self_p)
{
    assert (self_p);
    update_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    update_clear (self);
    free (self->effects);
    free (self);
}

void
update_clear (update_t *self)
{
    assert (self);
    for (size_t index = 0; index < self->count; index++)
        s_effect_clear (&self->effects [index]);
    self->count = 0;
    self->failed = false;
}

size_t
update_size (const update_t *self)
{
    assert (self);
    return self->count;
}

effect_t *
update_effect (update_t *self, size_t index)
{
    assert (self);
    assert (index < self->count);
    return &self->effects [index];
}

void
update_remove (update_t *self, size_t index)
{
    assert (self);
    assert (index < self->count);
    s_effect_clear (&self->effects [index]);
    self->count--;
    memmove (&self->effects [index], &self->effects [index + 1],
             (self->count - index) * sizeof (effect_t));
}

int64_t
update_deadline (const update_t *self)
{
    assert (self);
    return self->deadline_ms;
}

void
update_set_deadline (update_t *self, int64_t deadline_ms)
{
    assert (self);
    self->deadline_ms = deadline_ms;
}

bool
update_failed (const update_t *self)
{
    assert (self);
    return self->failed;
}

//  A new effect at the end, all zero but its type. NULL when memory is out.
static effect_t *
s_append (update_t *self, effect_type_t type)
{
    assert (self);
    if (self->count == self->capacity) {
        effect_t *effects = NULL;
        if (self->capacity <= SIZE_MAX / sizeof (effect_t) / 2)
            effects = realloc (self->effects,
                               self->capacity * 2 * sizeof (effect_t));
        if (!effects) {
            self->failed = true;
            return NULL;
        }
        self->effects = effects;
        self->capacity *= 2;
    }
    effect_t *effect = &self->effects [self->count++];
    memset (effect, 0, sizeof (effect_t));
    effect->type = type;
    return effect;
}

int
update_send (update_t *self, channel_t channel, message_t **message_p)
{
    assert (self);
    assert (message_p);
    effect_t *effect = *message_p? s_append (self, EFFECT_SEND): NULL;
    if (!effect) {
        self->failed = true;
        message_destroy (message_p);
        return -1;
    }
    effect->channel = channel;
    effect->message = *message_p;
    *message_p = NULL;
    return 0;
}

static int
s_append_channel (update_t *self, effect_type_t type, channel_t channel)
{
    effect_t *effect = s_append (self, type);
    if (!effect)
        return -1;
    effect->channel = channel;
    return 0;
}

int
update_open (update_t *self, channel_t channel)
{
    return s_append_channel (self, EFFECT_OPEN, channel);
}

int
update_close (update_t *self, channel_t channel)
{
    return s_append_channel (self, EFFECT_CLOSE, channel);
}

static int
s_append_query (update_t *self, effect_type_t type, store_query_t *query_p)
{
    assert (query_p);
    effect_t *effect = s_append (self, type);
    if (effect)
        effect->query = *query_p;
    else
        store_query_clear (query_p);
    memset (query_p, 0, sizeof (store_query_t));
    return effect? 0: -1;
}

int
update_write (update_t *self, store_query_t *query_p)
{
    return s_append_query (self, EFFECT_WRITE, query_p);
}

int
update_read (update_t *self, store_query_t *query_p)
{
    return s_append_query (self, EFFECT_READ, query_p);
}

void
update_notice (update_t *self, notice_level_t level, const char *text,
               const frame_t *subject)
{
    assert (text);
    effect_t *effect = s_append (self, EFFECT_NOTICE);
    if (effect) {
        effect->level = level;
        effect->text = text;
        effect->subject = subject? frame_ref (subject): NULL;
    }
}
