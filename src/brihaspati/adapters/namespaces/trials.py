"""Tries what labs need of the kernel, for real and once, in processes that end at once.

Run as `python -m brihaspati.adapters.namespaces.trials FOLDER`, single-threaded, FOLDER empty and
on the data folder's file system. Prints a JSON object: name of the trial to null, or to why not.
Everything is made in namespaces that vanish with the process, or removed again.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from brihaspati.adapters.namespaces import (
    builder,
    cgroups,
    firewall,
    kernel,
    netlink,
    network,
    orders,
    ranges,
    seccomp,
    upper,
)

SECONDS_MAX = 10
_SAID_MAX = 300
_SPACES = {
    "user": kernel.NEWUSER,
    "pid": kernel.NEWPID,
    "mount": kernel.NEWNS,
    "network": kernel.NEWNET,
    "host name": kernel.NEWUTS,
    "ipc": kernel.NEWIPC,
    "cgroup": kernel.NEWCGROUP,
}
# Somewhere in the range labs have; nobody is harmed if a lab has the very same.
_FIRST_ID = ranges.FIRST
_LARGE_MB, _SMALL_MB = upper.TMPFS_MB_MAX + 32, 16


def _as_root() -> bool:
    return os.geteuid() == 0


def _namespaces() -> None:
    missing = []
    for name, flag in _SPACES.items():
        # Whoever is not root makes all others inside a user namespace of their own.
        flags = flag if _as_root() else flag | kernel.NEWUSER
        if problem := _apart(lambda flags=flags: kernel.unshare(flags)):  # type: ignore[misc]
            missing.append(f"{name} ({problem})")
    if missing:
        raise OSError(errno.EPERM, f"not possible: {', '.join(missing)}")


def _private() -> None:
    kernel.unshare(kernel.NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)


def _shift_owners(folder: Path) -> None:
    _private()
    source, target = folder / "source", folder / "target"
    for path in (source, target):
        path.mkdir()
    (source / "file").touch()
    userns = builder.shifted_userns(_FIRST_ID)
    kernel.bind_idmapped(str(source), str(target), userns)
    seen = (target / "file").stat().st_uid
    if seen != _FIRST_ID:
        raise OSError(errno.EINVAL, f"owners are not shifted (a file of root's is {seen}'s)")


def _overlay(folder: Path, disk_mb: int) -> str:
    """The very root a lab gets, written to; how its disk is kept."""
    _private()
    (folder / "image").mkdir()
    (folder / "image" / "file").write_text("image")
    for name in ("mnt", "disks"):
        (folder / name).mkdir()
    order = orders.LabOrder(
        label="trial", hostname="trial", user="root", root=str(folder / "image"), usr=None,
        memory_mb=256, cpus=1, pids=16, disk_mb=disk_mb, created_at=0,
    )  # fmt: skip
    userns = builder.shifted_userns(_FIRST_ID)
    where, kept = upper.mount(order, folder, _FIRST_ID, userns)
    root = Path(where)
    (root / "file").write_text("changed")
    if (folder / "image" / "file").read_text() != "image":
        raise OSError(errno.EINVAL, "a change reached the image")
    return kept


def _mounted(folder: Path, disk_mb: int) -> None:
    _overlay(folder, disk_mb)


def _secret_disks(small: Path, large: Path) -> None:
    """What a lab wrote cannot be read from a disk after its end."""
    kept = {_overlay(small, _SMALL_MB), _overlay(large, _LARGE_MB)}
    if upper.FREED in kept:
        raise OSError(
            errno.EOPNOTSUPP, "large disks are freed, but neither encrypted nor overwritten"
        )


def _groups() -> None:
    """Make a group with limits, put a process in, remove it."""
    mountinfo = Path("/proc/self/mountinfo").read_text()
    found = cgroups.find(mountinfo, f"trial-{os.getpid()}")
    label = "trial"
    try:
        found.make(label, cgroups.Limits(memory_mb=16, cpus=0.5, pids=8))
        pid = found.fork(label)
        if pid == 0:
            with contextlib.suppress(BaseException):
                found.arrive(label)
                os._exit(0)
            os._exit(1)
        if os.waitpid(pid, 0)[1] != 0:
            raise OSError(errno.EPERM, "a process cannot join a group")
        found.usage(label)
    finally:
        while not found.end(label):
            pass
        found.close()


def _seccomp() -> None:
    program = seccomp.program()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.set_seccomp(program)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(kernel.NEWNS) == 0 or ctypes.get_errno() != errno.EPERM:
        raise OSError(errno.EINVAL, "the filter lets through what it should not")


def _tmpfs(folder: Path) -> None:
    if not _as_root():
        uid, gid = os.geteuid(), os.getegid()
        kernel.unshare(kernel.NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _private()
    kernel.mount("tmpfs", str(folder), "tmpfs", 0, "size=1m,nr_inodes=16")
    try:
        (folder / "file").write_bytes(bytes(2 << 20))
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            return
        raise
    raise OSError(errno.EINVAL, "its size is not limited")


def _cable() -> None:
    kernel.unshare(kernel.NEWNET)
    with netlink.Line() as line:
        line.lay_cable(netlink.End("one"), netlink.End("other"))


def _rules() -> None:
    kernel.unshare(kernel.NEWNET)
    rules = firewall.Firewall("trial", "bhtrial", network.POOL)
    rules.load(["lo"])
    rules.admit("bhtrial0", "full", (), ["192.0.2.1"])
    rules.admit("bhtrial1", "allow", ("192.0.2.0/24:443",), [])


def _trials(folder: Path) -> dict[str, Callable[[], None]]:
    def at(name: str) -> Path:
        path = folder / name
        path.mkdir()
        return path

    return {
        "namespaces": _namespaces,
        "owners": lambda: _shift_owners(at("owners")),
        "overlay": lambda: _mounted(at("overlay"), _SMALL_MB),
        "large disks": lambda: _mounted(at("large"), _LARGE_MB),
        "secret disks": lambda: _secret_disks(at("secret"), at("secrets")),
        "cgroups": _groups,
        "seccomp": _seccomp,
        "tmpfs": lambda: _tmpfs(at("tmpfs")),
        "private networks": _cable,
        "egress": _rules,
    }


def _apart(work: Callable[[], None]) -> str | None:
    """Do it in a child; what went wrong, if something did."""
    mine, its = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        said = ""
        try:
            mine.close()
            signal.alarm(SECONDS_MAX)
            work()
        except BaseException as problem:  # noqa: BLE001 - told to the parent
            said = _words(problem)
        its.send(said.encode()[:_SAID_MAX] or b"\0")
        os._exit(0)
    its.close()
    with mine:
        said = mine.recv(_SAID_MAX).decode(errors="replace")
    os.waitpid(pid, 0)
    if not said:
        return f"the kernel did not answer in {SECONDS_MAX} seconds"
    return None if said == "\0" else said


def _words(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror + (f" ({problem.filename})" if problem.filename else "")
    return str(problem) or repr(problem)


def main() -> None:
    """Try everything."""
    folder = Path(sys.argv[1])
    found = {name: _apart(work) for name, work in _trials(folder).items()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
