/*  =========================================================================
    script - scenarios, read and checked completely before anything runs

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SCRIPT_H_INCLUDED
#define SCRIPT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "catalogue.h"
#include "fixture.h"
#include "notation.h"

//  What an actor is on the network.
typedef enum {
    OVER_DEALER,
    OVER_REQ,
    OVER_ROUTER,
    OVER_TCP                    //  Raw bytes, no ZMTP
} over_t;

//  Somebody on the stage. All but guests are played by the harness.
typedef enum {
    ACTOR_CLIENT,
    ACTOR_WORKER,
    ACTOR_PEER,                 //  Sends raw frames only
    ACTOR_BROKER,               //  To which processes of the target connect
    ACTOR_GUEST                 //  One of those who connected to it
} kind_t;

typedef struct {
    char *name;                 //  "c", "w1"
    kind_t kind;
    role_t role;                //  CLIENT and WORKER
    const char *version;        //  Of MDP, that it speaks
    over_t over;
    bool addressed;             //  It chose its own address
    term_t address;             //  The bytes of that
} actor_t;

//  A process of the target, and what is done to it.
typedef enum {
    PROCESS_BROKER,
    PROCESS_TITANIC,
    PROCESS_WORKER,             //  Serves a service
    PROCESS_CLIENT,             //  Makes one request, then ends
    PROCESS_TITANIC_CLIENT,     //  Stores one request, fetches its reply, ends
    PROCESS_COUNT
} process_t;

const char *
    process_text (process_t process);

typedef enum {
    ACTION_KILLED,              //  SIGKILL, and gone
    ACTION_STOPPED,             //  SIGTERM, and gone by itself
    ACTION_STARTED,             //  Started, and serving
    ACTION_PAUSED,              //  SIGSTOP
    ACTION_RESUMED              //  SIGCONT
} action_t;

typedef enum {
    STEP_OPEN,                  //  client c / worker w / peer p
    STEP_SEND,                  //  c -> message
    STEP_PREFIXES,              //  c -> each prefix of message
    STEP_EXPECT,                //  c <- message | message | silence
    STEP_SILENT,                //  c silent for N hb
    STEP_IDLE,                  //  w idle for N hb
    STEP_SERVE,                 //  w serves "echo"
    STEP_MUTE,                  //  w mute
    STEP_CLOSE,                 //  c closes
    STEP_POLL,                  //  poll c MESSAGE.. until .. while .. within ..
    STEP_PROCESS,               //  titanic killed
    STEP_FILL,                  //  state filled
    STEP_FREE,                  //  state freed
    STEP_PLACE,                 //  file "NAME" placed
    STEP_STAYS,                 //  file "NAME" stays
    STEP_SERVES,                //  target serves
    STEP_OFFER,                 //  b offers "echo"
    STEP_LACK,                  //  b lacks "echo"
    STEP_ECHO,                  //  b serves "echo"
    STEP_IGNORE,                //  b ignores "mmi.service"
    STEP_REOPEN,                //  b opens, again
    STEP_LEAVE,                 //  w leaves within N hb
    STEP_CALL,                  //  client calls "echo" "x"
    STEP_END,                   //  client ends / succeeds / fails
    STEP_PRINTED,               //  client printed "x"
    STEP_REPEAT                 //  repeat N .. end
} step_type_t;

//  How a process that ends by itself may end
typedef enum {
    ENDS_ANYHOW,                //  But by no signal
    ENDS_WELL,                  //  Status 0
    ENDS_BADLY                  //  Another status
} ending_t;

//  One of the messages that will do; golden is NULL for raw frames. A choice
//  with silence set means that none may come; with ends, the scenario is over when
//  it is this one.
typedef struct {
    const golden_t *golden;
    pattern_t pattern;          //  Arguments filled in
    bool silence;
    bool ends;
} choice_t;

typedef struct _step_t step_t;

typedef struct {
    step_t *steps;
    size_t count;
} block_t;

struct _step_t {
    step_type_t type;
    size_t actor;               //  Index into the scenario's actors
    const golden_t *golden;     //  SEND, PREFIXES, POLL: NULL for raw frames
    pattern_t pattern;          //  SEND, PREFIXES, POLL: what is sent; SERVE:
                                //  the service; PLACE, STAYS: the name
    choice_t *choices;          //  EXPECT; POLL: until
    size_t choice_count;
    choice_t *meanwhile;        //  POLL: while
    size_t meanwhile_count;
    double hb;                  //  Heartbeat intervals: within, for, after; 0
                                //  for the usual time
    double seconds;             //  At the least, where hb is given
    bool expiry;                //  hb counts the target's expiry time instead
    bool everyone;              //  SEND of a broker: to all guests
    bool guested;               //  SEND, EXPECT of a broker: guest is named
    size_t guest;               //  To or from whom; index into the actors
    bool fresh;                 //  EXPECT: from one who said nothing before
    bool overed;                //  EXPECT: whose socket is an
    over_t over;
    process_t process;          //  PROCESS, CALL, END, PRINTED
    action_t action;
    bool slow;                  //  PROCESS: the worker that works long
    ending_t ending;            //  END
    bool absent;                //  PRINTED: it must not be there
    size_t times;               //  REPEAT
    block_t block;              //  REPEAT
    const requirement_t **tags; //  What this step proves; none for all that
    size_t tag_count;           //  the scenario covers
    bool passing;               //  Not the point of the scenario: tags are those
                                //  of the message that should come
    const char *file;           //  Where it is written
    int line;
    char *text;                 //  As it is written, blanks made one
};

//  What a target must be, or allow, for a scenario.
typedef struct {
    bool titanic;               //  There is a Titanic server
    bool control [PROCESS_COUNT];   //  This process can be stopped and started
    bool state;                 //  The state directory can be filled up
    bool directory;             //  It runs in a directory of the harness
    bool expiry;                //  It is known when it drops requests
    bool stage_broker;          //  The harness is the broker
    bool runs [PROCESS_COUNT];  //  There is such a process
    bool prints;                //  The client prints the reply
    bool slow;                  //  There is a worker that works long
} needs_t;

typedef struct {
    char *name;                 //  "dialogue/second-ready"; behind it "@0.2" if
                                //  another version than MDP 0.1 is spoken
    const char *version;        //  "mdp/0.1": that of its actors
    char *title;
    const char *file;
    int line;
    const requirement_t **covers;
    size_t cover_count;
    const char **protocols;     //  "mdp/0.1", "tsp/1.0": whose messages it uses
    size_t protocol_count;
    needs_t needs;
    actor_t *actors;
    size_t actor_count;
    block_t block;
} scenario_t;

typedef struct _script_t script_t;

script_t *
    script_new (const fixtures_t *fixtures, const catalogue_t *catalogue);
void
    script_destroy (script_t **self_p);

//  Read a *.sea file and append its scenarios. Returns how many mistakes there
//  were, each told on errors; -1 when the file cannot be read.
int
    script_read (script_t *self, const char *path, FILE *errors);

size_t
    script_size (const script_t *self);
const scenario_t *
    script_at (const script_t *self, size_t index);
const scenario_t *
    script_find (const script_t *self, const char *name);

//  Words of a file as a table of commands, for the manual: each line "form\thelp".
extern const char *const script_commands [];

#endif
