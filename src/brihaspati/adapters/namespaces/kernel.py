"""The kernel calls Python has no name for. Each raises OSError that says what was tried."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

NEWNS = 0x00020000
NEWCGROUP = 0x02000000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_IDMAP = 0x1, 0x2, 0x4, 0x100000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 22, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR, _OPENAT2 = 428, 429, 442, 437
_PIDFD_SEND_SIGNAL, _PIDFD_OPEN, _CLOSE_RANGE, _CLONE3 = 424, 434, 436, 435
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(platform.machine(), -1)

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_RESOLVE_NO_MAGICLINKS = 2
_OPEN_TREE_CLONE_CLOEXEC = 1 | os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4
_CLONE_INTO_CGROUP = 1 << 33
_SIGCHLD = 17

# PyDLL keeps the interpreter lock, which matters for clone3: the child must own it.
_libc = ctypes.PyDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(what: str, number: int, *arguments: object) -> int:
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *longs), what)


def mount(
    source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str = ""
) -> None:
    """Mount; `data` is as the file system reads it."""
    result = _libc.mount(
        source.encode() if source else None,
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _checked(result, f"mount {kind or source} on {target}")


def umount(target: str, flags: int = 0) -> None:
    """Unmount."""
    _checked(_libc.umount2(target.encode(), flags), f"unmount {target}")


def pivot_root(new: str, put_old: str) -> None:
    """Make `new` the root and put the old one at `put_old`."""
    _syscall("pivot_root", _PIVOT_ROOT, new.encode(), put_old.encode())


def bind_idmapped(source: str, target: str, userns: int, attributes: int = 0) -> None:
    """Bind `source` on `target` with its owners shifted by the user namespace of fd `userns`."""
    tree = _syscall(
        f"open {source} as a tree", _OPEN_TREE, _AT_FDCWD, source.encode(), _OPEN_TREE_CLONE_CLOEXEC
    )
    try:
        change = struct.pack("QQQQ", ATTR_IDMAP | attributes, 0, 0, userns)
        what = f"shift the owners of {source}"
        _syscall(what, _MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, change, len(change))
        what = f"attach {source} at {target}"
        _syscall(what, _MOVE_MOUNT, tree, b"", _AT_FDCWD, target.encode(), _MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)


def open_plainly(path: str, flags: int) -> int:
    """Open a file, but not through the links of /proc that lead out of the file tree."""
    how = struct.pack("3Q", flags, 0, _RESOLVE_NO_MAGICLINKS)
    return _syscall(f"open {path}", _OPENAT2, _AT_FDCWD, os.fsencode(path), how, len(how))


def unshare(flags: int) -> None:
    """Leave these namespaces for new ones."""
    _checked(_libc.unshare(flags), f"make namespaces {flags:#x}")


def setns(fd: int, flags: int) -> None:
    """Enter namespaces; with a pidfd, `flags` may name several at once."""
    _checked(_libc.setns(fd, flags), f"enter namespaces {flags:#x}")


def prctl(option: int, argument: int | bytes = 0, *more: int) -> None:
    """Set a property of this process."""
    rest = [ctypes.c_ulong(m) for m in (*more, 0, 0, 0)[:3]]
    first = ctypes.c_ulong(argument) if isinstance(argument, int) else argument
    _checked(_libc.prctl(option, first, *rest), f"prctl {option}")


def set_capabilities(mask: int) -> None:
    """Make `mask` the effective and permitted capabilities; inherit none."""
    header = struct.pack("Ii", 0x20080522, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = struct.pack("IIIIII", low, low, 0, high, high, 0)
    _checked(_libc.capset(header, data), "capset")


def set_seccomp(program: bytes) -> None:
    """Install a classic BPF filter (8 bytes an instruction) for the rest of the process."""
    code = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    _checked(_libc.prctl(PR_SET_SECCOMP, 2, pointer, 0, 0), "seccomp")


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor from 3 up, except those in `keep`."""
    low = 3
    for fd in sorted(keep):
        if fd > low:
            _syscall("close_range", _CLOSE_RANGE, low, fd - 1, 0)
        low = max(low, fd + 1)
    _syscall("close_range", _CLOSE_RANGE, low, 0x7FFFFFFF, 0)


def pidfd_open(pid: int) -> int:
    """A close-on-exec descriptor of the process."""
    return _syscall(f"pidfd of {pid}", _PIDFD_OPEN, pid, 0)


def pidfd_kill(pidfd: int, number: int) -> None:
    """Send a signal; a process that is gone is fine."""
    try:
        _syscall("signal by pidfd", _PIDFD_SEND_SIGNAL, pidfd, number, 0, 0)
    except ProcessLookupError:
        return


def fork_into_cgroup(cgroup: int) -> int:
    """Fork, with the child born in the version 2 cgroup of this directory descriptor.

    Moving a process later waits for an RCU grace period, 10 to 20 ms; being born there does not.
    """
    arguments = struct.pack("11Q", _CLONE_INTO_CGROUP, 0, 0, 0, _SIGCHLD, 0, 0, 0, 0, 0, cgroup)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _libc.syscall(ctypes.c_long(_CLONE3), arguments, ctypes.c_long(len(arguments)))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"fork into a cgroup: {os.strerror(number)}")
    return int(pid)
