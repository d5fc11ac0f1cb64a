/*  =========================================================================
    profile - what is tried, and how to start it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef PROFILE_H_INCLUDED
#define PROFILE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "keys.h"
#include "script.h"

//  One process of a target.
typedef struct {
    char *command;              //  For /bin/sh; NULL when it runs already, or
                                //  there is none
    bool prints;                //  A client: it prints the reply that it gets
} program_t;

typedef struct {
    char *name;                 //  For people
    char *endpoint;             //  Where clients and workers connect
    char *worker_endpoint;      //  Where workers do, if that is another; or NULL
    char **speaks;              //  "mdp/0.1", "mmi/0.1", "tsp/1.0"
    size_t speak_count;
    int64_t heartbeat_ms;       //  The interval that it keeps and expects
    int64_t expiry_ms;          //  After which it drops a request for a service
                                //  without workers; 0 when that is not known
    bool named;                 //  Clients and workers have printable addresses:
                                //  it serves no others
    int64_t start_ms;           //  How long it may take to start
    char *state;                //  Absolute path of its state directory; NULL
                                //  when that is its working directory
    int64_t state_mib;          //  Size of the file system there, in MiB
    bool state_elsewhere;       //  Not in a directory that could be filled up
    program_t programs [PROCESS_COUNT];
    char *slow_worker;          //  Command of a worker that takes ten heartbeats
                                //  or more over each request; NULL if there is
                                //  none
    bool attached;              //  A broker runs already
    bool curve;                 //  Connections are encrypted: CURVE
    char *curve_server;         //  Public certificate of a broker that runs
                                //  already; NULL: certificates are made
    char *curve_client;         //  What the harness is known by there
} profile_t;

//  A variable of profiles: ${name}.
typedef struct {
    const char *name;
    const char *value;
} variable_t;

//  Whether a variable has a value of its own, which nobody can give it another: ${mdp}.
bool
    profile_owns (const char *name);

//  Read a profile. Variables end with one whose name is NULL; ${endpoint} and
//  ${heartbeat} are those of the profile, ${profile} is the folder it is in.
//  NULL after one line for each mistake on errors.
profile_t *
    profile_read (const char *path, const variable_t *variables, FILE *errors);

//  A profile of a broker that runs already, attached to by endpoint alone.
profile_t *
    profile_attach (const char *endpoint, int64_t heartbeat_ms);

void
    profile_destroy (profile_t **self_p);

//  The command of a process with what is known only now: ${mdp} is the version
//  that is spoken ("0.1"), and for a client ${service} and ${body} are a service
//  and the frames of a body, quoted for the shell; request holds them, NULL for
//  other processes. ${curve-cert}, ${curve-server} and ${curve-clients} are paths
//  of keys, NULL for none. slow is for the worker. Fresh; NULL if there is no
//  command.
char *
    profile_command (const profile_t *self, process_t process, bool slow,
                     const char *version, zmsg_t *request, const keys_t *keys);

bool
    profile_speaks (const profile_t *self, const char *protocol);

//  Why the target cannot be asked about this scenario; NULL if it can. Fresh.
char *
    profile_obstacle (const profile_t *self, const scenario_t *scenario,
                      bool isolated);

#endif
