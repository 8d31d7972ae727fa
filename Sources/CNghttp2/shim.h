// SPDX-License-Identifier: Apache-2.0
// nghttp2 1.52 and later, without the names that its later releases deprecate.
#ifndef SONDE_CNGHTTP2_H
#define SONDE_CNGHTTP2_H

#include <nghttp2/nghttp2.h>
#include <string.h>

#endif
