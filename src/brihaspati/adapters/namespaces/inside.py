"""From a mounted root to a lab: what its first process does, as the lab's root, before `sleep`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from pathlib import Path

from brihaspati.adapters.namespaces import accounts, kernel, orders

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_QUIET = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
_HIDDEN_FILES = (
    "/proc/kcore",
    "/proc/keys",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/kpagecgroup",
    "/proc/interrupts",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/sched_debug",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
)
_HIDDEN_FOLDERS = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/fs",
    "/sys/kernel",
    "/sys/module",
    "/sys/devices/virtual/powercap",
)
_READ_ONLY = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs")
_NET_SETTINGS = {
    "ping_group_range": "0 65535",  # ping without the right to forge packets
    "ip_unprivileged_port_start": "0",  # a student may serve port 80
}


def loopback_up() -> None:
    """Let the lab talk to itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket.fileno(), _SIOCSIFFLAGS, request)


def _mount_kernel_folders(root: str) -> None:
    for name in ("pts", "shm"):
        Path(f"{root}/dev/{name}").mkdir()
    terminals = "newinstance,ptmxmode=0666,mode=620,gid=5"
    flags = kernel.MS_NOSUID | kernel.MS_NOEXEC
    kernel.mount("devpts", f"{root}/dev/pts", "devpts", flags, terminals)
    kernel.mount("shm", f"{root}/dev/shm", "tmpfs", _QUIET, "mode=1777,size=16m,nr_inodes=4096")  # noqa: S108 - of the lab
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "core": "/proc/kcore"}
    links |= {name: f"/proc/self/fd/{n}" for n, name in enumerate(("stdin", "stdout", "stderr"))}
    for name, target in links.items():
        Path(f"{root}/dev/{name}").symlink_to(target)
    for name in ("proc", "sys", "run"):
        with contextlib.suppress(FileExistsError):
            Path(f"{root}/{name}").mkdir()
    kernel.mount("proc", f"{root}/proc", "proc", _QUIET)
    kernel.mount("sysfs", f"{root}/sys", "sysfs", _QUIET | kernel.MS_RDONLY)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("run", f"{root}/run", "tmpfs", flags, "mode=755,size=16m,nr_inodes=4096")


def _hide(root: str) -> None:
    """Cover what tells of the host or talks to its kernel; all of it is root's anyway."""
    for path in _HIDDEN_FILES:
        if os.path.exists(root + path):  # noqa: PTH110 - twenty times per lab, so the quick way
            kernel.mount(f"{root}/dev/null", root + path, None, kernel.MS_BIND)
    empty = ""
    for path in _HIDDEN_FOLDERS:
        if not os.path.isdir(root + path):  # noqa: PTH112
            continue
        if empty:
            kernel.mount(empty, root + path, None, kernel.MS_BIND)
        else:
            data = "size=0,mode=555,nr_inodes=2"
            kernel.mount("hidden", root + path, "tmpfs", _QUIET | kernel.MS_RDONLY, data)
            empty = root + path
    for path in _READ_ONLY:
        if os.path.isdir(root + path):  # noqa: PTH112
            kernel.mount(root + path, root + path, None, kernel.MS_BIND | kernel.MS_REC)
            flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | _QUIET
            kernel.mount(None, root + path, None, flags)


def enter(name: str) -> None:
    """Make the working folder, a mounted root called `name`, the only thing there is.

    Only relative paths: the lab's root may not even look into the folders above.
    """
    # Mounts copied into our namespace are locked and may not become "/"; a bind of one may.
    kernel.mount(".", ".", None, kernel.MS_BIND | kernel.MS_REC)
    os.chdir(f"../{name}")  # from below the new mount to its top
    _mount_kernel_folders(".")
    for setting, value in _NET_SETTINGS.items():
        with contextlib.suppress(OSError):
            Path(f"proc/sys/net/ipv4/{setting}").write_text(value)
    _hide(".")
    kernel.pivot_root(".", ".")
    kernel.umount(".", kernel.MNT_DETACH)
    os.chdir("/")


def _write(path: str, data: bytes, mode: int = 0o644) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()  # never through a link the image has there
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)
        file.write(data)


def furnish(order: orders.LabOrder, payload: int | None) -> None:
    """Name the machine, make its user, place its files. Raises OSError."""
    socket.sethostname(order.hostname)
    if order.user != "root":
        accounts.ensure(order.user)
    for file in order.files:
        assert payload is not None
        _write(file.path, os.pread(payload, file.size, file.offset), file.mode)
