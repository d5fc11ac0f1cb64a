/*  A worker for the service "upper", until SIGINT or SIGTERM.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
*/

#include <ctype.h>
#include <seatrial.h>

int
main (int argc, char *argv [])
{
    const char *endpoint = argc > 1? argv [1]: "tcp://127.0.0.1:5555";
    mdp_worker_t *worker = mdp_worker_new (endpoint, "upper");
    if (!worker)
        return 1;
    zmsg_t *request;
    while ((request = mdp_worker_recv (worker))) {
        zmsg_t *reply = zmsg_new ();
        char *text;
        while ((text = zmsg_popstr (request))) {
            for (char *letter = text; *letter; letter++)
                *letter = (char) toupper ((unsigned char) *letter);
            zmsg_addstr (reply, text);
            zstr_free (&text);
            //  Work may be long: the broker wants heartbeats meanwhile
            mdp_worker_tick (worker);
        }
        zmsg_destroy (&request);
        mdp_worker_send_reply (worker, &reply);
    }
    bool stopped = mdp_worker_result (worker) == MDP_WORKER_INTERRUPTED;
    mdp_worker_destroy (&worker);
    return stopped? 0: 1;
}
