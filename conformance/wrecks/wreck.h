/*  =========================================================================
    wreck - servers with one fault each, put between events and effects

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef WRECK_H_INCLUDED
#define WRECK_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "../../src/daemon/daemon.h"
#include "../../src/engine/engine.h"
#include "../../src/protocol/mdp.h"

//  What is kept of a peer of the broker, or of a stored request.
typedef struct {
    frame_t *key;               //  Address, or name of a service
    frame_t *value;             //  Whose request it holds, its service, ...
    int64_t heard_ms;           //  Last sign of life
    mdp_version_t version;      //  Of its command
} note_t;

//  Notes that a fault takes, in the order in which they were made.
typedef struct {
    note_t *notes;
    size_t count;
} notes_t;

//  One fault while its server runs.
typedef struct {
    engine_t inner;             //  The healthy engine
    const struct _fault_t *fault;
    notes_t workers;            //  Broker: addresses and services; Titanic: ids
    notes_t held;               //  Broker: worker addresses and clients
    notes_t clients;            //  Broker: client addresses
    notes_t names;              //  Whatever else a fault must remember
    frame_t *subject;           //  Titanic: of the request in hand, by channel
    int64_t last_ms;            //  Of the last event
    size_t number;              //  Whatever a fault counts
} wreck_t;

//  Faults see each event before the engine does, and all effects after it.
typedef struct _fault_t {
    const char *name;
    //  False keeps the event from the engine; it may append effects itself
    bool (*event) (wreck_t *self, const event_t *event, update_t *update);
    //  Effects from number first on are what this event brought
    void (*effects) (wreck_t *self, const event_t *event, update_t *update,
                     size_t first);
    const char *option;         //  One more option for the server, or NULL
    int argument;               //  For a function that serves several faults
} fault_t;

//  Tables that end with a fault without a name.
extern const fault_t dialogue_faults [];
extern const fault_t presence_faults [];
extern const fault_t mmi_faults [];
extern const fault_t hostile_faults [];
extern const fault_t version_faults [];
extern const fault_t titanic_faults [];
extern const fault_t alone_faults [];

//  The one of this process, NULL for a healthy server
const fault_t *
    wreck_fault (void);

//  Broker's side: what an event or effect on the ROUTER is; false if it is no
//  well-formed command.
bool
    wreck_read_event (const event_t *event, mdp_command_t *command);
bool
    wreck_read_effect (const effect_t *effect, bool to_worker,
                       mdp_command_t *command);

//  Broker's side: what many faults need to know.

frame_t *
    wreck_address (const event_t *event);

bool
    wreck_starts (const frame_t *frame, const char *start);

//  Who is a worker, of what, and when it was last heard
void
    wreck_note_event (wreck_t *self, const event_t *event);

//  Who holds whose request
void
    wreck_note_effects (wreck_t *self, update_t *update, size_t first);

//  The next effect from *nbr on that is a REPLY to a client
effect_t *
    wreck_next_reply (update_t *update, size_t *nbr, mdp_command_t *command);

//  Titanic's side: the same on a DEALER, towards the broker.
bool
    wreck_read_sent (const effect_t *effect, mdp_command_t *command);

//  A message with frame number index exchanged for another (taken; NULL takes it
//  out); the effect's message is replaced.
void
    wreck_exchange (effect_t *effect, size_t index, frame_t *frame);

note_t *
    notes_find (const notes_t *self, const frame_t *key);
//  Find or append; value may be NULL and replaces the one that is there.
note_t *
    notes_put (notes_t *self, const frame_t *key, const frame_t *value);
void
    notes_drop (notes_t *self, const frame_t *key);

//  Give the engine an event of our own making, from this address.
void
    wreck_inject (wreck_t *self, const event_t *like, message_t **message_p,
                  update_t *update);

//  Four that know nothing: crash, hang, silent, echo. Never returns when the
//  name is one of them.
void
    ignorant_run (const char *side, const char *name, const char *endpoint);

#endif
