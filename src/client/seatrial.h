/*  =========================================================================
    seatrial - clients and workers of a Majordomo broker, clients of Titanic

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SEATRIAL_H_INCLUDED
#define SEATRIAL_H_INCLUDED

//  All of the library. Each class may be included by itself. None may be used
//  by two threads at a time, as it is with ZeroMQ's sockets; different objects
//  may be used by different threads.

#include "mdp_client.h"
#include "mdp_worker.h"
#include "titanic_client.h"

#endif
