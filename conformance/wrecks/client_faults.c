/*  =========================================================================
    client_faults - a client's faults, and those of a client of Titanic

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static void
s_odd_header (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) self;
    peer_exchange (message_p, command->version == MDP_0_1? 1: 0,
                   frame_new ("MDPC99", 6));
}

static void
s_no_empty_frame (peer_t *self, message_t **message_p,
                  const mdp_command_t *command)
{
    (void) self;
    if (command->version == MDP_0_1)
        peer_exchange (message_p, 0, NULL);
}

static void
s_loses_body (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_CLIENT_REPLY)
        peer_exchange (message_p, command->body, frame_new ("lost", 4));
}

static void
s_first_frame_only (peer_t *self, message_t **message_p,
                    const mdp_command_t *command)
{
    (void) self;
    while (command->type == MDP_CLIENT_REPLY
    &&     message_size (*message_p) > command->body + 1)
        peer_exchange (message_p, command->body + 1, NULL);
}

static void
s_fails_on_reply (peer_t *self, message_t **message_p,
                  const mdp_command_t *command)
{
    (void) self;
    (void) message_p;
    if (command->type == MDP_CLIENT_REPLY)
        exit (1);
}

static void
s_asks_twice (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) command;
    peer_send (self, *message_p);
}

//  The same, but not with what it asks first
static void
s_asks_later_twice (peer_t *self, message_t **message_p,
                    const mdp_command_t *command)
{
    (void) command;
    if (self->number++ > 0)
        peer_send (self, *message_p);
}

//  A question that it has asked before is not asked again
static void
s_asks_once (peer_t *self, message_t **message_p,
             const mdp_command_t *command)
{
    if (self->kept && frame_equal (self->kept, command->service))
        message_destroy (message_p);
    else {
        frame_destroy (&self->kept);
        self->kept = frame_ref (command->service);
    }
}

static void
s_keep_service (peer_t *self, message_t **message_p,
                const mdp_command_t *command)
{
    (void) message_p;
    frame_destroy (&self->kept);
    self->kept = frame_ref (command->service);
}

static void
s_dies_on_stray (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) message_p;
    if (command->type == MDP_CLIENT_REPLY
    && !frame_equal (self->kept, command->service))
        abort ();
}

//  Whatever reply comes is the one that is waited for
static void
s_takes_any (peer_t *self, message_t **message_p,
             const mdp_command_t *command)
{
    if (command->type == MDP_CLIENT_REPLY)
        peer_exchange (message_p, command->body - 1, frame_ref (self->kept));
}

static void
s_drops_parts (peer_t *self, message_t **message_p,
               const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_CLIENT_PARTIAL)
        message_destroy (message_p);
}

static void
s_dies_on_short (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) self;
    (void) command;
    if (message_size (*message_p) < 4)
        abort ();
}

static void
s_first_part_only (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_CLIENT_PARTIAL)
        peer_exchange (message_p, 1, frame_new ("\3", 1));
}

//  --------------------------------------------------------------------------
//  A client of Titanic

static bool
s_is_for (const mdp_command_t *command, const char *service)
{
    return command->service
        && frame_is (command->service, service, strlen (service));
}

static void
s_no_service (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) self;
    if (s_is_for (command, "titanic.request"))
        peer_exchange (message_p, command->body, NULL);
}

static void
s_long_question (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) self;
    if (s_is_for (command, "titanic.reply"))
        message_add_string (*message_p, "please");
}

//  What is asked again says so
static void
s_long_again (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    if (self->kept && frame_equal (self->kept, command->service))
        message_add_string (*message_p, "again");
    frame_destroy (&self->kept);
    self->kept = frame_ref (command->service);
}

static void
s_small_letters (peer_t *self, message_t **message_p,
                 const mdp_command_t *command)
{
    (void) self;
    const frame_t *id = message_frame (*message_p, command->body);
    char text [32];
    if (s_is_for (command, "titanic.request") || frame_size (id) != sizeof text)
        return;
    for (size_t nbr = 0; nbr < sizeof text; nbr++)
        text [nbr] = (char) tolower (frame_data (id) [nbr]);
    peer_exchange (message_p, command->body, frame_new (text, sizeof text));
}

static void
s_long_close (peer_t *self, message_t **message_p,
              const mdp_command_t *command)
{
    (void) self;
    if (s_is_for (command, "titanic.close"))
        message_add_string (*message_p, "please");
}

static void
s_short_id (peer_t *self, message_t **message_p, const mdp_command_t *command)
{
    (void) self;
    if (s_is_for (command, "titanic.reply"))
        peer_exchange (message_p, command->body, frame_new (
            frame_data (message_frame (*message_p, command->body)), 31));
}

static bool
s_has_status (const message_t *message, const mdp_command_t *command,
              const char *status)
{
    const frame_t *frame = message_frame (message, command->body);
    return command->type == MDP_CLIENT_REPLY && frame_size (frame) >= 3
        && memcmp (frame_data (frame), status, 3) == 0;
}

//  One status is taken for another
static void
s_takes_for (message_t **message_p, const mdp_command_t *command,
             const char *status, const char *other)
{
    if (s_has_status (*message_p, command, status))
        peer_exchange (message_p, command->body, frame_new (other, 3));
}

static void
s_pending_is_unknown (peer_t *self, message_t **message_p,
                      const mdp_command_t *command)
{
    (void) self;
    s_takes_for (message_p, command, "300", "400");
}

static void
s_unknown_is_pending (peer_t *self, message_t **message_p,
                      const mdp_command_t *command)
{
    (void) self;
    s_takes_for (message_p, command, "400",
                 s_is_for (command, "titanic.request")? "500": "300");
}

static void
s_error_is_unknown (peer_t *self, message_t **message_p,
                    const mdp_command_t *command)
{
    (void) self;
    s_takes_for (message_p, command, "500", "400");
}

static void
s_reads_texts (peer_t *self, message_t **message_p,
               const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_CLIENT_REPLY
    &&  frame_size (message_frame (*message_p, command->body)) > 3
    &&  s_has_status (*message_p, command, "200"))
        peer_exchange (message_p, command->body, frame_new ("400", 3));
}

static void
s_dies_on_empty_status (peer_t *self, message_t **message_p,
                        const mdp_command_t *command)
{
    (void) self;
    if (command->type == MDP_CLIENT_REPLY
    &&  frame_size (message_frame (*message_p, command->body)) == 0)
        abort ();
}

static void
s_dies_without_id (peer_t *self, message_t **message_p,
                   const mdp_command_t *command)
{
    (void) self;
    if (s_is_for (command, "titanic.request")
    &&  s_has_status (*message_p, command, "200")
    &&  message_size (*message_p) < command->body + 2)
        abort ();
}

const peer_fault_t client_faults [] = {
    { "client-odd-header", s_odd_header, NULL, 0 },
    { "client-no-empty-frame", s_no_empty_frame, NULL, 0 },
    { "client-over-req", NULL, NULL, PEER_OVER_REQ },
    { "client-loses-body", NULL, s_loses_body, 0 },
    { "client-first-frame-only", NULL, s_first_frame_only, 0 },
    { "client-fails-on-reply", NULL, s_fails_on_reply, 0 },
    { "client-asks-twice", s_asks_twice, NULL, 0 },
    { "client-asks-later-twice", s_asks_later_twice, NULL, 0 },
    { "client-asks-once", s_asks_once, NULL, 0 },
    { "client-needs-broker", NULL, NULL, PEER_NEEDS_BROKER },
    { "client-dies-on-stray", s_keep_service, s_dies_on_stray, 0 },
    { "client-takes-any-reply", s_keep_service, s_takes_any, 0 },
    { "client-drops-parts", NULL, s_drops_parts, 0 },
    { "client-takes-no-second", NULL, NULL, PEER_WAITS_FOR_MORE },
    { "client-dies-on-short", NULL, s_dies_on_short, 0 },
    { "client-first-part-only", NULL, s_first_part_only, 0 },
    { "ticlient-no-service", s_no_service, NULL, 0 },
    { "ticlient-long-question", s_long_question, NULL, 0 },
    { "ticlient-long-again", s_long_again, NULL, 0 },
    { "ticlient-small-letters", s_small_letters, NULL, 0 },
    { "ticlient-long-close", s_long_close, NULL, 0 },
    { "ticlient-short-id", s_short_id, NULL, 0 },
    { "ticlient-pending-is-unknown", NULL, s_pending_is_unknown, 0 },
    { "ticlient-unknown-is-pending", NULL, s_unknown_is_pending, 0 },
    { "ticlient-error-is-unknown", NULL, s_error_is_unknown, 0 },
    { "ticlient-reads-texts", NULL, s_reads_texts, 0 },
    { "ticlient-dies-on-empty-status", NULL, s_dies_on_empty_status, 0 },
    { "ticlient-dies-without-id", NULL, s_dies_without_id, 0 },
    { NULL, NULL, NULL, 0 }
};
