/*  =========================================================================
    presence_faults - a broker's faults: heartbeats and what becomes of workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wreck.h"

//  Fits the heartbeat and the liveness of targets/wreck.zpl
#define HEARTBEAT_MS 100
#define EXPIRY_MS 500

static void
s_send_heartbeat (mdp_version_t version, const frame_t *address,
                  update_t *update)
{
    message_t *message = mdp_worker_heartbeat (version, address);
    update_send (update, 0, &message);
}

//  Take out what a test on effects says
typedef bool (drop_fn) (wreck_t *self, const effect_t *effect,
                        const mdp_command_t *command);

static void
s_drop_to_workers (wreck_t *self, update_t *update, size_t first,
                   drop_fn *drop)
{
    mdp_command_t command;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (wreck_read_effect (effect, true, &command)
        &&  drop (self, effect, &command))
            update_remove (update, nbr--);
    }
}

//  --------------------------------------------------------------------------
//  Presence

static bool
s_is_heartbeat (wreck_t *self, const effect_t *effect,
                const mdp_command_t *command)
{
    (void) self;
    (void) effect;
    return command->type == MDP_WORKER_HEARTBEAT;
}

static void
s_never_heartbeats (wreck_t *self, const event_t *event, update_t *update,
                    size_t first)
{
    (void) event;
    s_drop_to_workers (self, update, first, s_is_heartbeat);
}

//  Nine heartbeats of ten are left out
static bool
s_is_rare (wreck_t *self, const effect_t *effect,
           const mdp_command_t *command)
{
    (void) effect;
    return command->type == MDP_WORKER_HEARTBEAT && self->number++ % 10 != 9;
}

static void
s_heartbeats_rarely (wreck_t *self, const event_t *event, update_t *update,
                     size_t first)
{
    (void) event;
    s_drop_to_workers (self, update, first, s_is_rare);
}

static bool
s_is_busy_heartbeat (wreck_t *self, const effect_t *effect,
                     const mdp_command_t *command)
{
    return command->type == MDP_WORKER_HEARTBEAT
        && notes_find (&self->held, message_frame (effect->message, 0));
}

static bool
s_note_only (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    wreck_note_event (self, event);
    return true;
}

//  When one worker is dropped, others get no heartbeats any more
static bool
s_is_after_loss (wreck_t *self, const effect_t *effect,
                 const mdp_command_t *command)
{
    (void) effect;
    bool lost = false;
    for (size_t nbr = 0; nbr < self->workers.count; nbr++)
        lost |= self->last_ms - self->workers.notes [nbr].heard_ms > EXPIRY_MS;
    return lost && command->type == MDP_WORKER_HEARTBEAT;
}

static void
s_heartbeats_before_loss (wreck_t *self, const event_t *event, update_t *update,
                          size_t first)
{
    (void) event;
    s_drop_to_workers (self, update, first, s_is_after_loss);
}

static void
s_heartbeats_idle_only (wreck_t *self, const event_t *event,
                        update_t *update, size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
    s_drop_to_workers (self, update, first, s_is_busy_heartbeat);
}

static bool
s_is_not_last (wreck_t *self, const effect_t *effect,
               const mdp_command_t *command)
{
    return command->type == MDP_WORKER_HEARTBEAT && self->workers.count
        && !frame_equal (message_frame (effect->message, 0),
                self->workers.notes [self->workers.count - 1].key);
}

static void
s_heartbeats_last_only (wreck_t *self, const event_t *event,
                        update_t *update, size_t first)
{
    (void) event;
    s_drop_to_workers (self, update, first, s_is_not_last);
}

static void
s_heartbeats_to_clients (wreck_t *self, const event_t *event,
                         update_t *update, size_t first)
{
    (void) first;
    if (event->type != EVENT_TICK)
        return;
    for (size_t nbr = 0; nbr < self->clients.count; nbr++) {
        note_t *client = &self->clients.notes [nbr];
        if (event->now_ms - client->heard_ms >= HEARTBEAT_MS)
            s_send_heartbeat (client->version, client->key, update);
        client->heard_ms = event->now_ms;
    }
}

static void
s_heartbeats_always (wreck_t *self, const event_t *event, update_t *update,
                     size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    size_t end = update_size (update);
    for (; first < end; first++) {
        effect_t *effect = update_effect (update, first);
        if (wreck_read_effect (effect, true, &command)
        &&  command.type == MDP_WORKER_REQUEST)
            s_send_heartbeat (command.version,
                              message_frame (effect->message, 0), update);
    }
}

//  No heartbeats to anybody while there is traffic
static bool
s_is_in_traffic (wreck_t *self, const effect_t *effect,
                 const mdp_command_t *command)
{
    (void) effect;
    return command->type == MDP_WORKER_HEARTBEAT
        && self->last_ms - (int64_t) self->number < HEARTBEAT_MS * 3 / 2;
}

static void
s_heartbeats_in_peace (wreck_t *self, const event_t *event, update_t *update,
                       size_t first)
{
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_CLIENT_REQUEST)
        self->number = (size_t) event->now_ms;
    s_drop_to_workers (self, update, first, s_is_in_traffic);
}

static bool
s_deaf_to (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    return !wreck_read_event (event, &command)
        || (int) command.type != self->fault->argument;
}

//  A command from a worker, as if it had sent it
static void
s_feign (wreck_t *self, const event_t *event, const frame_t *address,
         message_t *plain, update_t *update)
{
    message_t *message = message_new ();
    message_add (message, address);
    message_add_from (message, plain, 0);
    message_destroy (&plain);
    wreck_inject (self, event, &message, update);
}

//  Nothing but HEARTBEAT counts as a sign of life. It looks for the dead when there
//  is nothing to lose: among those that are idle, and when a PARTIAL comes.
static bool
s_only_heartbeats_count (wreck_t *self, const event_t *event,
                         update_t *update)
{
    mdp_command_t command;
    bool read = wreck_read_event (event, &command);
    if (read && command.type == MDP_WORKER_READY)
        notes_put (&self->workers, wreck_address (event), NULL)->heard_ms =
            event->now_ms;
    if (read && command.type == MDP_WORKER_HEARTBEAT) {
        note_t *worker = notes_find (&self->workers, wreck_address (event));
        if (worker)
            worker->heard_ms = event->now_ms;
    }
    for (size_t nbr = 0; nbr < self->workers.count; nbr++) {
        note_t *worker = &self->workers.notes [nbr];
        bool busy = notes_find (&self->held, worker->key) != NULL;
        if (event->now_ms - worker->heard_ms < EXPIRY_MS
        || (busy && !(read && command.type == MDP_WORKER_PARTIAL)))
            continue;
        s_feign (self, event, worker->key,
                 mdp_worker_disconnect (worker->version, NULL), update);
        notes_drop (&self->workers, worker->key);
        break;
    }
    if (read && command.type == MDP_WORKER_REPLY)
        notes_drop (&self->held, wreck_address (event));
    return true;
}

//  When a worker goes, whether sent away or silent, all of its service go with it
static void
s_sends_all_away (wreck_t *self, const event_t *event, const note_t *gone,
                  update_t *update)
{
    frame_t *service = frame_ref (gone->value);
    for (size_t nbr = self->workers.count; nbr > 0; nbr--) {
        note_t *worker = &self->workers.notes [nbr - 1];
        if (!frame_equal (worker->value, service))
            continue;
        s_feign (self, event, worker->key,
                 mdp_worker_disconnect (worker->version, NULL), update);
        notes_drop (&self->workers, worker->key);
    }
    frame_destroy (&service);
}

static bool
s_all_go (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    const note_t *gone = NULL;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_READY)
        gone = notes_find (&self->workers, wreck_address (event));
    wreck_note_event (self, event);
    for (size_t nbr = 0; !gone && nbr < self->workers.count; nbr++)
        if (event->now_ms - self->workers.notes [nbr].heard_ms >= EXPIRY_MS)
            gone = &self->workers.notes [nbr];
    if (!gone)
        return true;
    if (event->type == EVENT_RECEIVED
    &&  frame_equal (gone->key, wreck_address (event))) {
        message_t *message = mdp_worker_disconnect (gone->version, gone->key);
        update_send (update, 0, &message);
    }
    s_sends_all_away (self, event, gone, update);
    return event->type != EVENT_RECEIVED;
}

//  Whom the fault keeps alive though they are silent
enum { ALIVE_ALL, ALIVE_BUSY, ALIVE_BEHIND };

static bool
s_is_kept (const wreck_t *self, size_t nbr, int64_t now_ms)
{
    const note_t *notes = self->workers.notes;
    if (self->fault->argument == ALIVE_ALL)
        return true;
    if (self->fault->argument == ALIVE_BUSY)
        return notes_find (&self->held, notes [nbr].key) != NULL;
    for (size_t before = 0; before < nbr; before++)
        if (now_ms - notes [before].heard_ms < EXPIRY_MS)
            return true;
    return false;
}

static bool
s_keeps_alive (wreck_t *self, const event_t *event, update_t *update)
{
    wreck_note_event (self, event);
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_DISCONNECT)
        notes_drop (&self->workers, wreck_address (event));
    if (event->type == EVENT_UNREACHABLE)
        notes_drop (&self->workers, wreck_address (event));
    for (size_t nbr = 0; event->type == EVENT_TICK
                      && nbr < self->workers.count; nbr++)
        if (s_is_kept (self, nbr, event->now_ms))
            s_feign (self, event, self->workers.notes [nbr].key,
                     mdp_worker_heartbeat (self->workers.notes [nbr].version,
                                           NULL), update);
    return true;
}

static void
s_note_held (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
}

//  Who has replied gets no more heartbeats
static bool
s_note_replied (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_REPLY)
        notes_put (&self->names, wreck_address (event), NULL);
    return true;
}

static bool
s_has_replied (wreck_t *self, const effect_t *effect,
               const mdp_command_t *command)
{
    return command->type == MDP_WORKER_HEARTBEAT
        && notes_find (&self->names, message_frame (effect->message, 0));
}

static void
s_heartbeats_till_reply (wreck_t *self, const event_t *event,
                         update_t *update, size_t first)
{
    (void) event;
    s_drop_to_workers (self, update, first, s_has_replied);
}

//  DISCONNECT with a word of thanks
static void
s_long_goodbye (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) self;
    mdp_command_t command;
    for (; event->type == EVENT_STOP && first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (wreck_read_effect (effect, true, &command))
            message_add_string (effect->message, "thanks");
    }
}

//  Heartbeats to all who were ever registered
static void
s_heartbeats_the_gone (wreck_t *self, const event_t *event, update_t *update,
                       size_t first)
{
    (void) first;
    if (event->now_ms - (int64_t) self->number < HEARTBEAT_MS) {
        update_set_deadline (update, (int64_t) self->number + HEARTBEAT_MS);
        return;
    }
    self->number = (size_t) event->now_ms;
    for (size_t nbr = 0; nbr < self->workers.count; nbr++)
        s_send_heartbeat (self->workers.notes [nbr].version,
                          self->workers.notes [nbr].key, update);
    update_set_deadline (update, event->now_ms + HEARTBEAT_MS);
}

//  A request is done with once it has been given out, whatever becomes of the
//  worker: it is not given to another; or only to as many as the argument says
static void
s_loses_held (wreck_t *self, const event_t *event, update_t *update,
              size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++) {
        effect_t *effect = update_effect (update, first);
        if (!wreck_read_effect (effect, true, &command)
        ||  command.type != MDP_WORKER_REQUEST)
            continue;
        int given = 0;
        for (size_t nbr = 0; nbr < self->held.count; nbr++)
            given += frame_equal (self->held.notes [nbr].value, command.client);
        if (given > self->fault->argument)
            update_remove (update, first--);
        else
            notes_put (&self->held, message_frame (effect->message, 0),
                       command.client);
    }
}

static bool
s_dies_on_busy_disconnect (wreck_t *self, const event_t *event,
                           update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_DISCONNECT
    &&  notes_find (&self->held, wreck_address (event)))
        abort ();
    return true;
}

static bool
s_deaf_when_busy (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    return !wreck_read_event (event, &command)
        || command.type != MDP_WORKER_DISCONNECT
        || !notes_find (&self->held, wreck_address (event));
}

static bool
s_dies_on_second_disconnect (wreck_t *self, const event_t *event,
                             update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_DISCONNECT)
        return true;
    if (notes_find (&self->names, wreck_address (event)))
        abort ();
    notes_put (&self->names, wreck_address (event), NULL);
    return true;
}

static void
s_answers_disconnect (wreck_t *self, const event_t *event, update_t *update,
                      size_t first)
{
    (void) self;
    (void) first;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_DISCONNECT) {
        message_t *message = mdp_worker_disconnect (command.version,
                                                    wreck_address (event));
        update_send (update, 0, &message);
    }
}

static bool
s_never_ends (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    while (event->type == EVENT_STOP)
        pause ();
    return true;
}

//  After it stood still it has forgotten what a worker replied meanwhile. No clock
//  tells that for sure on a busy machine, but SIGCONT does.
static volatile sig_atomic_t s_resumed;

static void
s_note_resumed (int signal)
{
    s_resumed = signal;
}

static bool
s_drops_after_pause (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    if (self->number++ == 0) {
        struct sigaction action = { .sa_handler = s_note_resumed,
                                    .sa_flags = SA_RESTART };
        sigaction (SIGCONT, &action, NULL);
    }
    mdp_command_t command;
    if (!s_resumed || !wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_REPLY)
        return true;
    s_resumed = 0;
    return false;
}

const fault_t presence_faults [] = {
    { "never-heartbeats", NULL, s_never_heartbeats, NULL, 0 },
    { "heartbeats-rarely", NULL, s_heartbeats_rarely, NULL, 0 },
    { "heartbeats-idle-only", s_note_only, s_heartbeats_idle_only, NULL, 0 },
    { "heartbeats-before-loss", s_note_only, s_heartbeats_before_loss, NULL, 0 },
    { "heartbeats-last-only", s_note_only, s_heartbeats_last_only, NULL, 0 },
    { "heartbeats-to-clients", s_note_only, s_heartbeats_to_clients, NULL, 0 },
    { "heartbeats-always", NULL, s_heartbeats_always, NULL, 0 },
    { "deaf-to-heartbeats", s_deaf_to, NULL, NULL, MDP_WORKER_HEARTBEAT },
    { "deaf-to-disconnect", s_deaf_to, NULL, NULL, MDP_WORKER_DISCONNECT },
    { "only-heartbeats-count", s_only_heartbeats_count, s_note_held, NULL, 0 },
    { "all-go-with-one", s_all_go, NULL, NULL, 0 },
    { "keeps-the-silent", s_keeps_alive, NULL, NULL, ALIVE_ALL },
    { "keeps-the-busy", s_keeps_alive, s_note_held, NULL, ALIVE_BUSY },
    { "stops-at-live-worker", s_keeps_alive, NULL, NULL, ALIVE_BEHIND },
    { "heartbeats-the-gone", s_note_only, s_heartbeats_the_gone, NULL, 0 },
    { "heartbeats-till-reply", s_note_replied, s_heartbeats_till_reply, NULL,
      0 },
    { "long-goodbye", NULL, s_long_goodbye, NULL, 0 },
    { "loses-held-requests", s_note_only, s_loses_held, NULL, 0 },
    { "loses-the-second-time", s_note_only, s_loses_held, NULL, 1 },
    { "heartbeats-in-peace", NULL, s_heartbeats_in_peace, NULL, 0 },
    { "dies-on-second-disconnect", s_dies_on_second_disconnect, NULL, NULL,
      0 },
    { "dies-on-busy-disconnect", s_dies_on_busy_disconnect, s_note_held, NULL,
      0 },
    { "deaf-to-busy-disconnect", s_deaf_when_busy, s_note_held, NULL, 0 },
    { "answers-disconnect", NULL, s_answers_disconnect, NULL, 0 },
    { "never-ends", s_never_ends, NULL, NULL, 0 },
    { "drops-after-pause", s_drops_after_pause, NULL, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
