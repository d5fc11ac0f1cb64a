/*  One request to the service "echo", and its reply.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
*/

#include <seatrial.h>

int
main (int argc, char *argv [])
{
    const char *endpoint = argc > 1? argv [1]: "tcp://127.0.0.1:5555";
    mdp_client_t *client = mdp_client_new (endpoint);
    if (!client)
        return 1;
    zmsg_t *request = zmsg_new ();
    zmsg_addstr (request, "Hello world");
    zmsg_t *reply = mdp_client_call (client, "echo", &request);
    if (reply) {
        char *text = zmsg_popstr (reply);
        printf ("%s\n", text);
        zstr_free (&text);
    }
    else
        fprintf (stderr, "echo: %s\n",
                 mdp_client_result_text (mdp_client_result (client)));
    int status = reply? 0: 1;
    zmsg_destroy (&reply);
    mdp_client_destroy (&client);
    return status;
}
