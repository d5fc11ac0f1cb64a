/*  A request that Titanic keeps until somebody can carry it out.

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
*/

#include <seatrial.h>

int
main (int argc, char *argv [])
{
    const char *endpoint = argc > 1? argv [1]: "tcp://127.0.0.1:5555";
    titanic_client_t *client = titanic_client_new (endpoint);
    if (!client)
        return 1;
    zmsg_t *request = zmsg_new ();
    zmsg_addstr (request, "Hello later");
    char *id = titanic_client_store (client, "echo", &request);
    //  It is on disk now: we could end here, and ask tomorrow
    zmsg_t *reply = id? titanic_client_wait (client, id, 60000): NULL;
    if (reply) {
        char *text = zmsg_popstr (reply);
        printf ("%s\n", text);
        zstr_free (&text);
        titanic_client_close (client, id);
    }
    if (titanic_client_result (client) != TITANIC_CLIENT_OK)
        fprintf (stderr, "%s: %s\n", id? id: "not stored",
                 titanic_client_result_text (titanic_client_result (client)));
    int status = reply? 0: 1;
    zmsg_destroy (&reply);
    zstr_free (&id);
    titanic_client_destroy (&client);
    return status;
}
