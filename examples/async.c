/*  Ten requests at a time; replies are taken as they come.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
*/

#include <seatrial.h>

#define REQUESTS 10

int
main (int argc, char *argv [])
{
    const char *endpoint = argc > 1? argv [1]: "tcp://127.0.0.1:5555";
    mdp_client_t *client = mdp_client_new (endpoint);
    if (!client)
        return 1;
    for (int nbr = 1; nbr <= REQUESTS; nbr++) {
        zmsg_t *request = zmsg_new ();
        zmsg_addstrf (request, "question %d", nbr);
        mdp_client_send (client, "echo", &request);
    }
    //  A program with sockets of its own polls this beside them
    int fd = mdp_client_fd (client);
    zpoller_t *poller = zpoller_new (&fd, NULL);
    int replies = 0;
    while (mdp_client_in_flight (client) && !zpoller_terminated (poller)) {
        zpoller_wait (poller, -1);
        uint64_t number;
        zmsg_t *reply;
        while ((reply = mdp_client_recv_nowait (client, &number)) || number) {
            char *text = reply? zmsg_popstr (reply): NULL;
            printf ("%d: %s\n", (int) number, text? text: "no reply");
            replies += reply != NULL;
            zstr_free (&text);
            zmsg_destroy (&reply);
        }
    }
    zpoller_destroy (&poller);
    mdp_client_destroy (&client);
    return replies == REQUESTS? 0: 1;
}
