// SPDX-License-Identifier: Apache-2.0
// The system calls and the few libc calls that the tools need, for Swift without its Glibc module.
#ifndef SONDE_CLINUX_H
#define SONDE_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <linux/errqueue.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Twins of macros that Swift cannot import.
static inline int sonde_errno(void) { return errno; }
static inline void sonde_set_errno(int value) { errno = value; }

// open is variadic in C.
static inline int sonde_open(const char *path, int flags) { return open(path, flags); }
static inline int sonde_create(const char *path, int flags) { return open(path, flags, 0644); }
static inline int sonde_openat(int directory, const char *path, int flags) { return openat(directory, path, flags); }

// Opens a path as a process sees it whose root directory is given: no link of its file system leads out of it. glibc
// has no function for it.
static inline int sonde_open_in_root(int root, const char *path, int flags) {
  struct open_how how = {.flags = (unsigned long long)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// The flags are an enumeration; nothing is mounted from a device.
static inline int sonde_bind_mount(const char *source, const char *target) {
  return mount(source, target, NULL, MS_BIND, NULL);
}
static inline int sonde_keep_mounts_private(void) { return mount("none", "/", NULL, MS_SLAVE | MS_REC, NULL); }
// A file system in memory over /etc, and its end.
static inline int sonde_mount_memory(void) { return mount("none", "/etc", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m"); }
static inline int sonde_detach_memory(void) { return umount2("/etc", MNT_DETACH); }

// S_ISREG is a macro.
static inline int sonde_is_regular_file(int file) {
  struct stat status;
  return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

// The entries of a directory as the kernel gives them, many at a time.
static inline ssize_t sonde_getdents(int directory, void *buffer, size_t room) {
  return getdents64(directory, buffer, room);
}

// With _GNU_SOURCE, glibc declares the resource as an enumeration. How many descriptors a process may have open.
static inline int sonde_descriptor_limits(unsigned long long *soft, unsigned long long *hard) {
  struct rlimit limits;
  if (getrlimit(RLIMIT_NOFILE, &limits) != 0) return -1;
  *soft = limits.rlim_cur;
  *hard = limits.rlim_max;
  return 0;
}

// With _GNU_SOURCE, glibc declares connect with a union that Swift cannot make.
static inline int sonde_connect(int socket, const struct sockaddr *address, socklen_t length) {
  return connect(socket, address, length);
}

static inline int sonde_getsockname(int socket, struct sockaddr *address, socklen_t *length) {
  return getsockname(socket, address, length);
}

// Control messages are walked by macros.
static inline const struct cmsghdr *sonde_cmsg_first(const struct msghdr *message) { return CMSG_FIRSTHDR(message); }
static inline const struct cmsghdr *sonde_cmsg_next(const struct msghdr *message, const struct cmsghdr *previous) {
  return CMSG_NXTHDR((struct msghdr *)message, (struct cmsghdr *)previous);
}
static inline const void *sonde_cmsg_data(const struct cmsghdr *header) { return CMSG_DATA(header); }

// SIGPIPE is ignored from here on; that, and the block on the signals that end a tool, is undone for another program.
void sonde_ignore_sigpipe(void);
void sonde_restore_signals(void);

// Not for Swift's runtime with threads: who calls this has one thread.
static inline pid_t sonde_fork(void) { return fork(); }

// prctl is variadic in C. The process is killed when the one that made it ends.
static inline void sonde_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// How late the kernel may end a wait, in nanoseconds, so that it can wake up for several at once: 50 us unless said
// otherwise.
static inline void sonde_set_timer_slack(unsigned long nanoseconds) { prctl(PR_SET_TIMERSLACK, nanoseconds); }

// An array inside a struct comes to Swift as a tuple.
static inline const char *sonde_dirent_name(const struct dirent *entry) { return entry->d_name; }

// EAI_NODATA is declared for _GNU_SOURCE alone.
static inline int sonde_eai_nodata(void) { return -5; }

// glibc exports this, but no header declares it: the resolver looks into the hosts file, then asks DNS, whatever an
// nsswitch.conf says, and needs no module that it would have to load.
int __nss_configure_lookup(const char *database, const char *services);
static inline int sonde_use_builtin_resolvers(void) { return __nss_configure_lookup("hosts", "files dns"); }

// The commit that the build named, or NULL. Not inline: the manifest's definition reaches this module's files alone.
const char *sonde_commit(void);

// The command line as glibc hands it to constructors, before main: Embedded Swift has no CommandLine.
int sonde_argc(void);
const char *const *sonde_argv(void);

#endif
