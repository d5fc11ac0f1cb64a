/*  =========================================================================
    seatrial_export - which functions the shared library shows

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#ifndef SEATRIAL_EXPORT_H_INCLUDED
#define SEATRIAL_EXPORT_H_INCLUDED

//  The library is built with all symbols hidden but these.
#define SEATRIAL_EXPORT __attribute__ ((visibility ("default")))

#endif
