// SPDX-License-Identifier: Apache-2.0
#include "CLinux.h"

static void (*earlier)(int) = SIG_DFL;

void sonde_ignore_sigpipe(void) {
  void (*previous)(int) = signal(SIGPIPE, SIG_IGN);
  if (previous != SIG_ERR) earlier = previous;
}

void sonde_restore_signals(void) {
  signal(SIGPIPE, earlier);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}
