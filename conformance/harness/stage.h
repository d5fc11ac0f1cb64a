/*  =========================================================================
    stage - the target and all whom the harness plays, while a scenario runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef STAGE_H_INCLUDED
#define STAGE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fixture.h"
#include "profile.h"
#include "script.h"
#include "transcript.h"

typedef struct {
    const profile_t *profile;
    const fixtures_t *fixtures;
    const char *version;        //  Of MDP that the scenario speaks
    const char *directory;      //  Working directory of the target's processes
    const char *logs;           //  Directory for what they print
    keys_t *keys;               //  Connections are encrypted; NULL: plain
    double scale;               //  All times are multiplied by this
} stage_config_t;

typedef struct _stage_t stage_t;

//  It hears from SIGCHLD that a process has ended, which all threads must block: the
//  kernel drops what is ignored, and that is the default, unless the first thread does.
stage_t *
    stage_new (const stage_config_t *config);

//  Closes all sockets and ends all processes.
void
    stage_destroy (stage_t **self_p);

//  Milliseconds of so many heartbeat intervals.
int64_t
    stage_hb_ms (const stage_t *self, double hb);

//  So many milliseconds, as --time-scale stretches them.
int64_t
    stage_scaled_ms (const stage_t *self, double ms);

//  ---- Processes ------------------------------------------------------------

//  What became of something that was asked of the target.
typedef enum {
    STAGE_FINE,
    STAGE_DIED,                 //  A process ended by itself
    STAGE_DEAF,                 //  It lives, and does not serve
    STAGE_DEAF_EVER,            //  Nor does it when it has just started
    STAGE_TROUBLE               //  The harness could not do its part
} stage_result_t;

//  The reason ends so for STAGE_DEAF_EVER.
#define STAGE_NOR_AFRESH ", nor does it when it has just started"

//  Start a process, if the profile says how, and wait until it serves, unless
//  it connects to the harness. slow: the worker that works long. When that
//  fails *reason is one line; fresh.
stage_result_t
    stage_start (stage_t *self, process_t process, bool slow, char **reason);

//  Start a client for one request: a service, then the frames of a body.
stage_result_t
    stage_call (stage_t *self, process_t process, zmsg_t *request,
                char **reason);

//  Wait until a client ends by itself. *status is its exit status.
stage_result_t
    stage_await_end (stage_t *self, process_t process, int64_t timeout_ms,
                     int *status, char **reason);

//  Whether a process has printed this.
bool
    stage_printed (stage_t *self, process_t process, const void *text,
                   size_t size);

//  Kill, stop, pause or resume.
stage_result_t
    stage_act (stage_t *self, process_t process, action_t action,
               char **reason);

//  Whether broker or Titanic were ended by the scenario, and not started again.
bool
    stage_is_down (const stage_t *self);

//  Whatever was paused goes on.
void
    stage_resume (stage_t *self);

//  Whether a process that should run has ended; then which, and how.
bool
    stage_crashed (stage_t *self, char **reason);

//  Whether the services of the target that runs still serve: a worker of a
//  fresh service gets a client's request through the broker and its reply
//  back; titanic.close, if the target has Titanic, answers. A broker that does not
//  serve is killed, and started and asked afresh.
stage_result_t
    stage_probe (stage_t *self, bool titanic, char **reason);

//  Wait until Titanic serves, which has just been started.
stage_result_t
    stage_await_titanic (stage_t *self, char **reason);

//  Fill the file system of the state directory up to the last byte, and free it
//  again. 0, or -1 with errno.
int
    stage_fill (stage_t *self);
int
    stage_free (stage_t *self);

//  Put a small file into the target's working directory; whether it is there.
int
    stage_place (stage_t *self, const char *name);
bool
    stage_has (stage_t *self, const char *name);

//  ---- Players --------------------------------------------------------------

//  An actor on the stage, with a socket and what it has received.
typedef struct _player_t player_t;

//  Open and connect. NULL with one line in *reason when that cannot be done.
player_t *
    stage_enter (stage_t *self, const actor_t *actor, char **reason);

//  Close its socket; what was sent still goes out. The player stays, silent.
void
    stage_leave (stage_t *self, player_t *player);

//  Send frames as they are; takes them. 0, or -1 when the socket refuses.
int
    stage_send (stage_t *self, player_t *player, zmsg_t **message_p);

//  A worker keeps up heartbeats from now on, or does no longer.
void
    stage_beat (stage_t *self, player_t *player, bool beat);

//  A worker registers and echoes each request after a delay; it keeps up
//  heartbeats and passes over what else it gets.
void
    stage_serve (stage_t *self, player_t *player, zframe_t *service,
                 int64_t delay_ms);

//  The next message that a player received, waiting for at most so long; NULL
//  if there is none, or a process has crashed meanwhile. The caller owns it.
//  Heartbeats from the broker are passed over on demand.
zmsg_t *
    stage_receive (stage_t *self, player_t *player, bool pass_heartbeats,
                   int64_t timeout_ms);

//  Put a message back as the next one.
void
    stage_unreceive (stage_t *self, player_t *player, zmsg_t **message_p);

//  Drop all that was received so far.
void
    stage_forget (stage_t *self, player_t *player);

//  ---- The harness as the broker ----------------------------------------------

//  A broker enters the stage like other actors, and processes of the target
//  connect to it: they are its guests, players whose messages are received and
//  sent as those of others. It keeps up heartbeats to those that registered, and
//  answers mmi.service by itself.

//  What a guest has sent, a message that suits: the first such in the inboxes of
//  all guests (of those that nothing was received from before, when fresh), for
//  at most so long. NULL if there is none; then *other is one that came and did
//  not suit, or NULL. The caller owns both.
typedef bool (suits_fn) (void *argument, zmsg_t *message);

zmsg_t *
    stage_host_receive (stage_t *self, player_t *host, suits_fn *suits,
                        void *argument, bool fresh, int64_t timeout_ms,
                        player_t **guest, zmsg_t **other);

//  Those who are there are new no more.
void
    stage_know_guests (player_t *host);

//  All who ever were a broker's guests.
size_t
    stage_guests (const player_t *host);
player_t *
    stage_guest_at (const player_t *host, size_t index);

//  Whether a guest's message is a PARTIAL, which a script need not name.
bool
    stage_is_partial (const player_t *guest, zmsg_t *message);

//  The guest hangs up within this time, or does not (STAGE_DEAF).
stage_result_t
    stage_await_leave (stage_t *self, player_t *guest, int64_t timeout_ms);

//  Whether nothing but HEARTBEAT, READY and questions to mmi.service comes from
//  anyone for so long; if something does, *frames tells it; fresh.
bool
    stage_host_idle (stage_t *self, player_t *host, int64_t timeout_ms,
                     char **frames);

//  The guest has this name in the transcript from now on.
void
    stage_name_guest (stage_t *self, player_t *guest, const char *name);

//  What kind of socket a guest has, as ZMTP told it: "DEALER"; "" if unknown.
const char *
    stage_guest_socket (const player_t *guest);

//  Heartbeats to guests stop.
void
    stage_mute (stage_t *self, player_t *host);

//  What a broker that the harness plays does about a service from now on.
typedef enum {
    OFFER_NOT,                  //  Its mmi.service does not know it
    OFFER_SILENT,               //  It says nothing, ever
    OFFER_ONLY,                 //  It knows it
    OFFER_ECHO                  //  And requests are answered with their own body
} offer_t;

void
    stage_offer (stage_t *self, player_t *host, const char *service,
                 offer_t offer);

//  The broker was closed, and listens again. 0, or -1 with errno.
int
    stage_reopen (stage_t *self, player_t *host);

//  Whether the process that connects to the harness still serves: one of its
//  workers replies.
stage_result_t
    stage_probe_guests (stage_t *self, player_t *host, char **reason);

//  ---- Record ---------------------------------------------------------------

//  Write a line into the transcript.
void
    stage_note (stage_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  The transcript so far; fresh. Each line: seconds, who, arrow, frames.
char *
    stage_transcript (stage_t *self);

//  The same, entry by entry; the caller owns it, and the stage has no more.
//  After stage_transcript, which counts the heartbeats at the end.
transcript_t
    stage_take_events (stage_t *self);

//  The last lines that the target's processes printed; fresh, NULL if none.
char *
    stage_output (stage_t *self);

//  The longest time that the harness was late in its own doings, in
//  milliseconds: when this is more than a heartbeat or so, the machine was too
//  busy and verdicts are not worth much.
int64_t
    stage_lag_ms (const stage_t *self);

#endif
