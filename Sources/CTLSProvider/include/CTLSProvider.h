// SPDX-License-Identifier: Apache-2.0
// Nothing to call: linking provider.c is all there is to it.
#ifndef SONDE_CTLSPROVIDER_H
#define SONDE_CTLSPROVIDER_H
#endif
