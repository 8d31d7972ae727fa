// SPDX-License-Identifier: Apache-2.0
#include "CLinux.h"

const char *sonde_commit(void) {
#ifdef SONDE_COMMIT
  return SONDE_COMMIT;
#else
  return NULL;
#endif
}
