// SPDX-License-Identifier: Apache-2.0
#ifndef SONDE_CZLIB_H
#define SONDE_CZLIB_H

#include <zlib.h>

#endif
