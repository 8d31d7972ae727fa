// SPDX-License-Identifier: Apache-2.0
// The system calls and the few libc calls that the tools need, for Swift without its Glibc module.
#ifndef SONDE_CLINUX_H
#define SONDE_CLINUX_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Twins of macros that Swift cannot import.
static inline int sonde_errno(void) { return errno; }
static inline void sonde_set_errno(int value) { errno = value; }

// The command line as glibc hands it to constructors, before main: Embedded Swift has no CommandLine.
int sonde_argc(void);
const char *const *sonde_argv(void);

#endif
