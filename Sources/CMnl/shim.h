// SPDX-License-Identifier: Apache-2.0
// libmnl 1.0.4 and later, with the kernel's headers for what its messages hold.
#ifndef SONDE_CMNL_H
#define SONDE_CMNL_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/time.h>

// Twin of a macro that Swift cannot import.
static inline int sonde_mnl_errno(void) { return errno; }

#endif
