"""What every program of a lab lives under: limits, few capabilities, no new ones, a call filter."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from pathlib import Path

from brihaspati.adapters.namespaces import kernel

# chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot
# audit_write setfcap: what a container engine gives, without net_raw and mknod.
CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31)
_MASK = sum(1 << number for number in CAPABILITIES)
_CAPABILITIES_MAX = 64
_OPEN_FILES = 1024
_OPEN_FILES_HARD = 16384
_AMBIENT_CLEAR_ALL = 4
_FIRST_TO_GO = "300"  # of -1000, never, to 1000, always


def become_lab_root() -> None:
    """Take the identity of the lab's root, having entered its user namespace."""
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    os.umask(0o022)
    # Our memory is the keeper's until exec: nobody in the lab may look into it.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def first_to_go() -> None:
    """When the host itself runs out of memory, labs end before it does, or the keeper.

    What is said here with the host's rights the lab cannot take back.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)


def no_streams() -> None:
    """Nothing of the host's as input, output or error: /proc would lead the lab there."""
    nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.close(nothing)


def few_capabilities() -> None:
    """Drop all but the lab's capabilities, for work done on the lab's behalf."""
    kernel.set_capabilities(_MASK)


def default_signals() -> None:
    """Undo what Python, and `nohup` or `&` of whoever started us, do to signals.

    What is ignored stays ignored in every program started from here: a shell that ignores the
    hang-up would outlive its terminal.
    """
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = _OPEN_FILES_HARD if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES_HARD)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def lock(uid: int, gid: int, groups: list[int], filter_program: bytes) -> None:
    """Become this user of the lab, for good. The next step is exec; nothing can be gained again."""
    _limits()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    for number in range(_CAPABILITIES_MAX):
        if number not in CAPABILITIES:
            try:
                kernel.prctl(kernel.PR_CAPBSET_DROP, number)
            except OSError:
                break  # the kernel has no more of them
    kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    kernel.set_capabilities(_MASK if uid == 0 else 0)
    kernel.set_seccomp(filter_program)
