// SPDX-License-Identifier: Apache-2.0
#include "CLinux.h"

static int count;
static const char *const *values;

// glibc calls constructors with main's arguments, in static executables too.
__attribute__((constructor)) static void keep(int argc, const char *const *argv) {
  count = argc;
  values = argv;
}

int sonde_argc(void) { return count; }
const char *const *sonde_argv(void) { return values; }
