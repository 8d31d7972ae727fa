# SPDX-License-Identifier: Apache-2.0
"""Runs a command as a strict container would: `confine.py [--read-only] [--memory=BYTES] ROOT -- COMMAND...`.

ROOT becomes the whole file system, without /proc and /dev; the command runs as user and group 65534 without groups,
capabilities or a way to gain any. COMMAND is named by its path inside ROOT.
"""

import ctypes
import os
import resource
import sys

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def call(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"confine.py: {what}: {os.strerror(ctypes.get_errno())}")


split = sys.argv.index("--")
*options, root = sys.argv[1:split]
command = sys.argv[split + 1 :]

if "--read-only" in options:
    path = root.encode()
    call(libc.unshare(CLONE_NEWNS), "unshare")
    call(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")
    call(libc.mount(path, path, None, MS_BIND, None), "mount --bind")
    call(libc.mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY, None), "mount -o remount,ro")
os.chroot(root)
os.chdir("/")
for capability in range(64):
    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
call(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
for option in options:
    if option.startswith("--memory="):
        limit = int(option.partition("=")[2])
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    os.execve(command[0], command, os.environ)
except OSError as error:
    os.write(2, f"confine.py: {command[0]}: {error.strerror}\n".encode())
    os._exit(126)
