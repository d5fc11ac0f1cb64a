/*  =========================================================================
    dialogue_faults - a broker's faults: requests, replies and what is out of place

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <stdlib.h>
#include <string.h>

#include "wreck.h"

//  --------------------------------------------------------------------------
//  Requests and replies

static void
s_no_delimiter (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (wreck_read_effect (effect, true, &command)
        &&  command.type == MDP_WORKER_REQUEST)
            wreck_exchange (effect, command.body - 1, NULL);
    }
}

static void
s_answers_ready (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) self;
    (void) first;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_WORKER_READY) {
        message_t *message = message_slice (event->message, 0);
        update_send (update, 0, &message);
    }
}

static void
s_no_empty_first (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command)))
        wreck_exchange (effect, 1, NULL);
}

//  What is done to the frames of bodies; argument tells
enum { MAUL_EMPTY, MAUL_NUL, MAUL_LARGE, MAUL_MANY };

static void
s_maul_effect (effect_t *effect, size_t body, int how)
{
    for (size_t nbr = body; nbr < message_size (effect->message); nbr++) {
        const frame_t *frame = message_frame (effect->message, nbr);
        size_t size = frame_size (frame);
        if ((how == MAUL_EMPTY && size == 0)
        ||  (how == MAUL_MANY && nbr - body >= 64)) {
            wreck_exchange (effect, nbr--, NULL);
            continue;
        }
        if (how == MAUL_NUL && memchr (frame_data (frame), 0, size))
            size = strlen ((const char *) frame_data (frame));
        if (how == MAUL_LARGE && size > 65536)
            size = 65536;
        if (size < frame_size (frame))
            wreck_exchange (effect, nbr, frame_new (frame_data (frame), size));
    }
}

static void
s_maul (wreck_t *self, const event_t *event, update_t *update, size_t first)
{
    (void) event;
    mdp_command_t command;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (wreck_read_effect (effect, false, &command)
        || (wreck_read_effect (effect, true, &command)
            && command.type == MDP_WORKER_REQUEST))
            s_maul_effect (effect, command.body, self->fault->argument);
    }
}

static bool
s_refuses_empty (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    return !wreck_read_event (event, &command)
        ||  command.type != MDP_CLIENT_REQUEST
        ||  message_bytes (event->message) > frame_size (wreck_address (event))
            + (command.version == MDP_0_1? 6: 7) + frame_size (command.service);
}

static bool
s_has_worker (const wreck_t *self, const frame_t *service)
{
    for (size_t nbr = 0; nbr < self->workers.count; nbr++)
        if (frame_equal (self->workers.notes [nbr].value, service))
            return true;
    return false;
}

static bool
s_forgets_waiting (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST
    ||  wreck_starts (command.service, "mmi."))
        return true;
    return s_has_worker (self, command.service);
}

//  What would have to wait is refused, by an answer of the broker's own
static bool
s_refuses_waiting (wreck_t *self, const event_t *event, update_t *update)
{
    if (s_forgets_waiting (self, event, update))
        return true;
    mdp_command_t command;
    wreck_read_event (event, &command);
    message_t *body = message_new ();
    message_add_string (body, "503");
    message_t *message = mdp_client_reply (command.version, wreck_address (event),
                                           command.service, body, 0);
    message_destroy (&body);
    update_send (update, 0, &message);
    return false;
}

//  Of all that comes before the first reply only the first is kept
static bool
s_keeps_one_waiting (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (!wreck_read_event (event, &command))
        return true;
    if (command.type == MDP_WORKER_REPLY)
        self->number = 0;
    return command.type != MDP_CLIENT_REQUEST
        || wreck_starts (command.service, "seatrial.")
        || self->number++ == 0;
}

//  Names are words of no more than 64 bytes
static bool
s_plain_names (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    mdp_command_t command;
    return !wreck_read_event (event, &command)
        ||  command.type != MDP_WORKER_READY
        || (frame_size (command.service) <= 64
            && !memchr (frame_data (command.service), ' ',
                        frame_size (command.service)));
}

//  Addresses are no longer than those that ROUTERs make up
static bool
s_short_addresses (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    return event->type != EVENT_RECEIVED
        || frame_size (wreck_address (event)) <= 32;
}

//  Addresses are strings, as if all of them could be printed
static bool
s_printable_addresses (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    return event->type != EVENT_RECEIVED
        || *frame_data (wreck_address (event)) != 0;
}

//  Addresses are told apart by their first bytes, or up to a zero byte. Those that
//  ROUTERs make up are shorter, and begin with zero.
enum { ALIKE_START, ALIKE_TO_ZERO };
#define START_SIZE 16

static bool
s_are_alike (const frame_t *one, const frame_t *other, int how)
{
    size_t size = START_SIZE;
    if (how == ALIKE_TO_ZERO)
        size = strnlen ((const char *) frame_data (one), frame_size (one));
    return size > 0 && frame_size (one) >= size && frame_size (other) >= size
        && memcmp (frame_data (one), frame_data (other), size) == 0
        && (how == ALIKE_START
            || (frame_size (one) > size && frame_size (other) > size
                && frame_data (other) [size] == 0));
}

static bool
s_confuses_peers (wreck_t *self, const event_t *event, update_t *update)
{
    if (event->type != EVENT_RECEIVED)
        return true;
    const frame_t *address = wreck_address (event);
    if (!notes_find (&self->names, address))
        notes_put (&self->names, address, NULL);
    const frame_t *first = address;
    for (size_t nbr = self->names.count; nbr > 0; nbr--)
        if (s_are_alike (self->names.notes [nbr - 1].key, address,
                         self->fault->argument))
            first = self->names.notes [nbr - 1].key;
    if (frame_equal (first, address))
        return true;
    effect_t like = { .type = EFFECT_SEND,
                      .message = message_slice (event->message, 0) };
    wreck_exchange (&like, 0, frame_ref (first));
    wreck_inject (self, event, &like.message, update);
    return false;
}

//  Bodies have no more than 32 frames
static bool
s_few_frames (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    (void) update;
    return event->type != EVENT_RECEIVED
        || message_size (event->message) <= 32;
}

//  There is room for so many workers
static bool
s_few_workers (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    return !wreck_read_event (event, &command)
        ||  command.type != MDP_WORKER_READY
        ||  self->workers.count <= (size_t) self->fault->argument;
}

//  What comes while a worker is busy is dropped
static bool
s_drops_when_busy (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    return self->held.count == 0 || !wreck_read_event (event, &command)
        || command.type != MDP_CLIENT_REQUEST;
}

static void
s_note_held (wreck_t *self, const event_t *event, update_t *update,
             size_t first)
{
    (void) event;
    wreck_note_effects (self, update, first);
}

//  Replies go to the client that asked last of the others: whether that was before
//  or after the one whose reply it is
static bool
s_swaps_replies (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_CLIENT_REQUEST
    && !wreck_starts (command.service, "seatrial.")) {
        notes_drop (&self->clients, wreck_address (event));
        notes_put (&self->clients, wreck_address (event), NULL);
    }
    return true;
}

static void
s_swap_replies (wreck_t *self, const event_t *event, update_t *update,
                size_t first)
{
    (void) event;
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command)))
        for (size_t nbr = self->clients.count; nbr > 0; nbr--) {
            const frame_t *other = self->clients.notes [nbr - 1].key;
            if (wreck_starts (command.service, "seatrial.")
            ||  frame_equal (other, message_frame (effect->message, 0)))
                continue;
            wreck_exchange (effect, 0, frame_ref (other));
            break;
        }
}

//  Replies go to the client that asked for the service first
static bool
s_sticks_to_first (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (wreck_read_event (event, &command)
    &&  command.type == MDP_CLIENT_REQUEST
    && !notes_find (&self->names, command.service))
        notes_put (&self->names, command.service, wreck_address (event));
    return true;
}

static void
s_stick_to_first (wreck_t *self, const event_t *event, update_t *update,
                  size_t first)
{
    (void) event;
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command))) {
        note_t *note = notes_find (&self->names, command.service);
        if (note)
            wreck_exchange (effect, 0, frame_ref (note->value));
    }
}

//  Who has left once is not listened to any more
static bool
s_listens_once (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    if (event->type == EVENT_UNREACHABLE)
        notes_put (&self->names, wreck_address (event), NULL);
    return event->type != EVENT_RECEIVED
        || !notes_find (&self->names, wreck_address (event));
}

//  A service is registered once and never again
static bool
s_registers_once (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_READY)
        return true;
    if (notes_find (&self->names, command.service))
        return false;
    notes_put (&self->names, command.service, NULL);
    return true;
}

static void
s_wrong_service (wreck_t *self, const event_t *event, update_t *update,
                 size_t first)
{
    (void) self;
    (void) event;
    mdp_command_t command;
    effect_t *effect;
    while ((effect = wreck_next_reply (update, &first, &command)))
        if (!wreck_starts (command.service, "seatrial."))
            wreck_exchange (effect, 3, frame_new ("echo", 4));
}

//  The first four bytes of a service's name are enough
static bool
s_matches_start (wreck_t *self, const event_t *event, update_t *update)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST || frame_size (command.service) < 5
    || !wreck_starts (command.service, "echo"))
        return true;
    frame_t *service = frame_new ("echo", 4);
    message_t *plain = mdp_client_request (command.version, service,
                                           event->message, command.body);
    message_t *message = message_new ();
    message_add (message, wreck_address (event));
    message_add_from (message, plain, 0);
    message_destroy (&plain);
    frame_destroy (&service);
    wreck_inject (self, event, &message, update);
    return false;
}

//  A request goes to the service's worker at once, busy or not
static bool
s_hands_out_at_once (wreck_t *self, const event_t *event, update_t *update)
{
    wreck_note_event (self, event);
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST)
        return true;
    for (size_t nbr = 0; nbr < self->workers.count; nbr++) {
        note_t *worker = &self->workers.notes [nbr];
        if (!frame_equal (worker->value, command.service)
        ||  wreck_starts (command.service, "seatrial."))
            continue;
        message_t *message = mdp_worker_request (worker->version, worker->key,
            wreck_address (event), event->message, command.body);
        update_send (update, 0, &message);
        return false;
    }
    return true;
}

//  Every reply to a client, or every REQUEST to a worker, is sent twice
enum { TWICE_REPLY, TWICE_REQUEST };

static void
s_sends_twice (wreck_t *self, const event_t *event, update_t *update,
               size_t first)
{
    (void) event;
    bool to_worker = self->fault->argument == TWICE_REQUEST;
    mdp_command_t command;
    size_t end = update_size (update);
    for (size_t nbr = first; nbr < end; nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (!wreck_read_effect (effect, to_worker, &command)
        || (to_worker && command.type != MDP_WORKER_REQUEST))
            continue;
        message_t *again = message_slice (effect->message, 0);
        update_send (update, 0, &again);
    }
}

//  Requests that wait are given out from the last one on
#define WAITING_MAX 64

static message_t *s_waiting [WAITING_MAX];

static bool
s_keeps_waiting (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (self->held.count == 0 || self->number == WAITING_MAX
    || !wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST)
        return true;
    s_waiting [self->number++] = message_slice (event->message, 0);
    return false;
}

static void
s_last_come_first (wreck_t *self, const event_t *event, update_t *update,
                   size_t first)
{
    wreck_note_effects (self, update, first);
    if (self->held.count == 0 && self->number > 0)
        wreck_inject (self, event, &s_waiting [--self->number], update);
    wreck_note_effects (self, update, first);
}

//  Requests for a service without workers stay for ever: those behind the first
//  one, or all while other services have workers
enum { STAYS_BEHIND, STAYS_BESIDE };

static bool
s_stays (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    wreck_note_event (self, event);
    if (self->number == WAITING_MAX || !wreck_read_event (event, &command)
    ||  command.type != MDP_CLIENT_REQUEST
    ||  wreck_starts (command.service, "seatrial.")
    ||  s_has_worker (self, command.service))
        return true;
    bool first = !notes_find (&self->names, command.service);
    notes_put (&self->names, command.service, NULL);
    if (self->fault->argument == STAYS_BEHIND? first: self->workers.count == 0)
        return true;
    s_waiting [self->number++] = message_slice (event->message, 0);
    return false;
}

static void
s_gives_what_stayed (wreck_t *self, const event_t *event, update_t *update,
                     size_t first)
{
    (void) first;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_READY
    || !notes_find (&self->names, command.service))
        return;
    while (self->number > 0)
        wreck_inject (self, event, &s_waiting [--self->number], update);
}

//  What follows a reply to a client that is gone is lost. Whether it is gone shows
//  in the event after the reply.
static bool
s_sends_unless_gone (wreck_t *self, const event_t *event, update_t *update)
{
    bool gone = event->type == EVENT_UNREACHABLE
        && notes_find (&self->clients, wreck_address (event));
    wreck_note_event (self, event);
    while (self->number > 0) {
        message_t *message = s_waiting [--self->number];
        if (gone)
            message_destroy (&message);
        else
            update_send (update, 0, &message);
    }
    return true;
}

static void
s_holds_back (wreck_t *self, const event_t *event, update_t *update,
              size_t first)
{
    mdp_command_t command;
    if (!wreck_read_event (event, &command) || command.type != MDP_WORKER_REPLY)
        return;
    for (size_t nbr = first; nbr < update_size (update); nbr++) {
        effect_t *effect = update_effect (update, nbr);
        if (self->number == WAITING_MAX
        || !wreck_read_effect (effect, true, &command)
        ||  command.type != MDP_WORKER_REQUEST)
            continue;
        s_waiting [self->number++] = message_slice (effect->message, 0);
        update_remove (update, nbr--);
    }
    update_set_deadline (update, event->now_ms);
}

//  --------------------------------------------------------------------------
//  What is out of place

//  Passes over a command of this type that is out of place
static bool
s_tolerates (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    bool read = wreck_read_event (event, &command);
    bool known = read && notes_find (&self->workers, wreck_address (event));
    wreck_note_event (self, event);
    if (!read || (int) command.type != self->fault->argument)
        return true;
    return command.type == MDP_WORKER_READY? !known
         : command.type == MDP_WORKER_REQUEST? false: known;
}

static bool
s_forwards_any_reply (wreck_t *self, const event_t *event, update_t *update)
{
    (void) self;
    mdp_command_t command;
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_REPLY
    ||  message_bytes (event->message) > 100
    ||  memmem (frame_data (message_frame (event->message, command.body)),
                frame_size (message_frame (event->message, command.body)),
                "answer", 6))
        return true;
    frame_t *service = frame_new ("echo", 4);
    message_t *message = mdp_client_reply (command.version, command.client,
                                           service, event->message,
                                           command.body);
    frame_destroy (&service);
    update_send (update, 0, &message);
    return false;
}

static bool
s_takes_heartbeat_for_ready (wreck_t *self, const event_t *event,
                             update_t *update)
{
    mdp_command_t command;
    bool known = event->type == EVENT_RECEIVED
        && notes_find (&self->workers, wreck_address (event));
    wreck_note_event (self, event);
    if (!wreck_read_event (event, &command)
    ||  command.type != MDP_WORKER_HEARTBEAT || known)
        return true;
    frame_t *service = frame_new ("echo", 4);
    message_t *plain = mdp_worker_ready (command.version, service);
    message_t *message = message_new ();
    message_add (message, wreck_address (event));
    message_add_from (message, plain, 0);
    message_destroy (&plain);
    frame_destroy (&service);
    notes_put (&self->workers, wreck_address (event), NULL);
    wreck_inject (self, event, &message, update);
    return false;
}

//  Whom it has disconnected once it takes nobody's READY any more
static bool
s_never_takes_back (wreck_t *self, const event_t *event, update_t *update)
{
    (void) update;
    mdp_command_t command;
    return !wreck_read_event (event, &command)
        ||  command.type != MDP_WORKER_READY || self->number == 0
        ||  wreck_starts (command.service, "seatrial.");
}

static void
s_count_disconnects (wreck_t *self, const event_t *event, update_t *update,
                     size_t first)
{
    (void) event;
    mdp_command_t command;
    for (; first < update_size (update); first++)
        if (wreck_read_effect (update_effect (update, first), true, &command)
        &&  command.type == MDP_WORKER_DISCONNECT)
            self->number++;
}

const fault_t dialogue_faults [] = {
    { "no-delimiter", NULL, s_no_delimiter, NULL, 0 },
    { "answers-ready", NULL, s_answers_ready, NULL, 0 },
    { "no-empty-first-frame", NULL, s_no_empty_first, NULL, 0 },
    { "drops-empty-frames", NULL, s_maul, NULL, MAUL_EMPTY },
    { "stops-at-nul", NULL, s_maul, NULL, MAUL_NUL },
    { "cuts-large-frames", NULL, s_maul, NULL, MAUL_LARGE },
    { "cuts-many-frames", NULL, s_maul, NULL, MAUL_MANY },
    { "refuses-empty-body", s_refuses_empty, NULL, NULL, 0 },
    { "forgets-waiting", s_forgets_waiting, NULL, NULL, 0 },
    { "refuses-waiting", s_refuses_waiting, NULL, NULL, 0 },
    { "keeps-one-waiting", s_keeps_one_waiting, NULL, NULL, 0 },
    { "plain-names-only", s_plain_names, NULL, NULL, 0 },
    { "short-addresses-only", s_short_addresses, NULL, NULL, 0 },
    { "printable-addresses-only", s_printable_addresses, NULL, NULL, 0 },
    { "few-frames", s_few_frames, NULL, NULL, 0 },
    { "few-workers", s_few_workers, NULL, NULL, 20 },
    { "two-workers", s_few_workers, NULL, NULL, 2 },
    { "addresses-to-16", s_confuses_peers, NULL, NULL, ALIKE_START },
    { "addresses-to-zero", s_confuses_peers, NULL, NULL, ALIKE_TO_ZERO },
    { "drops-when-busy", s_drops_when_busy, s_note_held, NULL, 0 },
    { "never-expires-requests", NULL, NULL, "--expiry 0", 0 },
    { "expires-early", NULL, NULL, "--expiry 500", 0 },
    { "expires-first-only", s_stays, s_gives_what_stayed, NULL, STAYS_BEHIND },
    { "expires-alone-only", s_stays, s_gives_what_stayed, NULL, STAYS_BESIDE },
    { "forgets-behind-the-gone", s_sends_unless_gone, s_holds_back, NULL, 0 },
    { "swaps-replies", s_swaps_replies, s_swap_replies, NULL, 0 },
    { "sticks-to-first-client", s_sticks_to_first, s_stick_to_first, NULL, 0 },
    { "listens-once", s_listens_once, NULL, NULL, 0 },
    { "registers-once", s_registers_once, NULL, NULL, 0 },
    { "wrong-service-in-reply", NULL, s_wrong_service, NULL, 0 },
    { "matches-start-of-name", s_matches_start, NULL, NULL, 0 },
    { "hands-out-at-once", s_hands_out_at_once, NULL, NULL, 0 },
    { "replies-twice", NULL, s_sends_twice, NULL, TWICE_REPLY },
    { "requests-twice", NULL, s_sends_twice, NULL, TWICE_REQUEST },
    { "last-come-first", s_keeps_waiting, s_last_come_first, NULL, 0 },
    { "tolerates-second-ready", s_tolerates, NULL, NULL, MDP_WORKER_READY },
    { "tolerates-early-heartbeat", s_tolerates, NULL, NULL,
      MDP_WORKER_HEARTBEAT },
    { "tolerates-worker-request", s_tolerates, NULL, NULL,
      MDP_WORKER_REQUEST },
    { "forwards-any-reply", s_forwards_any_reply, NULL, NULL, 0 },
    { "takes-heartbeat-for-ready", s_takes_heartbeat_for_ready, NULL, NULL,
      0 },
    { "never-takes-back", s_never_takes_back, s_count_disconnects, NULL, 0 },
    { NULL, NULL, NULL, NULL, 0 }
};
