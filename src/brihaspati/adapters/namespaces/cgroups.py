"""Limits on memory, processor and number of processes: control groups, version 1 or 2.

Both versions have one interface, `Cgroups`. A lab's group is `<mount>/brihaspati/<keeper>/<label>`,
directly under the root of the hierarchy, so that the next keeper of the same folder finds what a
killed one left.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from brihaspati.adapters.namespaces import kernel

_NEEDED = ("memory", "cpu", "pids")
_OPTIONAL = ("cpuacct",)
_PERIOD_US = 100_000
_MB = 1 << 20
_FAMILY = "brihaspati"


class HostUnfit(Exception):  # noqa: N818
    """This host cannot do what labs need; the text says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one lab may use; `cpus` is a share of a core (0.5) or several (2.0)."""

    memory_mb: int
    cpus: float
    pids: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What one lab uses now; `cpu_ms` since it began. -1 where the kernel does not say."""

    memory_bytes: int
    cpu_ms: int
    pids: int


class Cgroups(Protocol):
    """The groups of one keeper's labs."""

    def make(self, label: str, limits: Limits) -> None:
        """Make a lab's group with its limits. Raises OSError."""
        ...

    def fork(self, label: str) -> int:
        """Fork a child that is, or by `arrive` becomes, a member. Raises OSError."""
        ...

    def arrive(self, label: str) -> None:
        """Called by that child before anything else. Raises OSError."""
        ...

    def end(self, label: str) -> bool:
        """Kill whoever is left and remove the group; False when it is not empty yet."""
        ...

    def usage(self, label: str) -> Usage:
        """What the lab uses now. Raises OSError when it is gone."""
        ...

    def labels(self) -> list[str]:
        """Every lab that has a group."""
        ...

    def close(self) -> None:
        """Remove the groups above the labs', if they are empty."""
        ...


def _write(path: Path, text: str) -> None:
    # As the shell's ">" does it, so that a plain folder can stand in for a hierarchy.
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return -1


def _kill_members(folder: Path) -> None:
    try:
        members = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return
    for member in members:
        if int(member) != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(member), signal.SIGKILL)


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        _kill_members(folder)
        return False
    return True


def _children(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return []


def _close(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


class Version1:
    """A hierarchy per controller. `mounts` maps controller to where its hierarchy is mounted."""

    def __init__(self, mounts: dict[str, Path], keeper: str) -> None:
        self._folders = {name: at / _FAMILY / keeper for name, at in mounts.items()}

    def _of(self, label: str) -> list[Path]:
        """A lab's groups, each once, though controllers may share a hierarchy."""
        return list(dict.fromkeys(folder / label for folder in self._folders.values()))

    def make(self, label: str, limits: Limits) -> None:
        """Make a lab's group with its limits."""
        for folder in self._of(label):
            folder.mkdir(parents=True)
        memory, cpu, pids = (self._folders[name] / label for name in _NEEDED)
        size = str(limits.memory_mb * _MB)
        _write(memory / "memory.limit_in_bytes", size)
        with contextlib.suppress(OSError):  # only where swap is accounted
            _write(memory / "memory.memsw.limit_in_bytes", size)
        _write(cpu / "cpu.cfs_period_us", str(_PERIOD_US))
        _write(cpu / "cpu.cfs_quota_us", str(int(limits.cpus * _PERIOD_US)))
        _write(pids / "pids.max", str(limits.pids))

    def fork(self, label: str) -> int:  # noqa: ARG002 - the child joins by itself
        """Fork a member."""
        return os.fork()

    def arrive(self, label: str) -> None:
        """Join, called by that child."""
        # "tasks" and not "cgroup.procs": a single thread that moves itself skips the lock whose
        # grace period costs 10 to 20 ms.
        for folder in self._of(label):
            _write(folder / "tasks", "0")

    def end(self, label: str) -> bool:
        """Kill whoever is left and remove the group."""
        ended = [
            _remove(folder) for folder in self._of(label)
        ]  # each of them, whatever the first says
        return all(ended)

    def usage(self, label: str) -> Usage:
        """What the lab uses now."""
        memory, cpu, pids = (self._folders[name] / label for name in _NEEDED)
        accounting = self._folders["cpuacct"] / label if "cpuacct" in self._folders else cpu
        spent = _number(accounting / "cpuacct.usage")
        return Usage(
            memory_bytes=int((memory / "memory.usage_in_bytes").read_text()),
            cpu_ms=spent // 1_000_000 if spent >= 0 else -1,
            pids=_number(pids / "pids.current"),
        )

    def labels(self) -> list[str]:
        """Every lab that has a group."""
        found = [_children(folder) for folder in self._folders.values()]
        return sorted({label for labels in found for label in labels})

    def close(self) -> None:
        """Remove the groups above the labs'."""
        for folder in dict.fromkeys(self._folders.values()):
            _close(folder)


class Version2:
    """The one unified hierarchy, mounted at `mount`."""

    def __init__(self, mount: Path, keeper: str) -> None:
        self._mount = mount
        self._folder = mount / _FAMILY / keeper

    def _delegate(self) -> None:
        """Hand the controllers down to the labs' level. Raises HostUnfit, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = " ".join(f"+{name}" for name in _NEEDED)
        for folder in (self._mount, self._folder.parent, self._folder):
            switch = folder / "cgroup.subtree_control"
            if set(_NEEDED) <= set(switch.read_text().split()):
                continue
            try:
                _write(switch, wanted)
            except OSError as problem:
                raise HostUnfit(
                    f"cannot divide the control group {folder} ({problem.strerror}): run outside "
                    "a container, or in one that owns its control groups"
                ) from problem

    def make(self, label: str, limits: Limits) -> None:
        """Make a lab's group with its limits."""
        self._delegate()
        folder = self._folder / label
        folder.mkdir()
        _write(folder / "memory.max", str(limits.memory_mb * _MB))
        with contextlib.suppress(OSError):  # only where there is swap
            _write(folder / "memory.swap.max", "0")
        _write(folder / "cpu.max", f"{int(limits.cpus * _PERIOD_US)} {_PERIOD_US}")
        _write(folder / "pids.max", str(limits.pids))

    def fork(self, label: str) -> int:
        """Fork a member."""
        folder = os.open(self._folder / label, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return kernel.fork_into_cgroup(folder)
        finally:
            os.close(folder)

    def arrive(self, label: str) -> None:
        """Born a member: nothing to do."""

    def end(self, label: str) -> bool:
        """Kill whoever is left and remove the group."""
        return _remove(self._folder / label)

    def usage(self, label: str) -> Usage:
        """What the lab uses now."""
        folder = self._folder / label
        spent = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
        return Usage(
            memory_bytes=int((folder / "memory.current").read_text()),
            cpu_ms=int(spent.get("usage_usec", "-1000")) // 1000,
            pids=_number(folder / "pids.current"),
        )

    def labels(self) -> list[str]:
        """Every lab that has a group."""
        return _children(self._folder)

    def close(self) -> None:
        """Remove the groups above the labs'."""
        _close(self._folder)


def _mounts(mountinfo: str) -> tuple[Path | None, dict[str, Path]]:
    """From /proc/self/mountinfo: where version 2 is, and each controller of version 1."""
    unified: Path | None = None
    separate: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        where = Path(before.split()[4])
        kind, _, options = after.split(maxsplit=2)
        if kind == "cgroup2":
            unified = unified or where
        elif kind == "cgroup":
            for name in options.split(","):
                if name in _NEEDED + _OPTIONAL:
                    separate.setdefault(name, where)
    return unified, separate


def find(mountinfo: str, keeper: str) -> Cgroups:
    """The host's control groups, version 2 if it has all we need, else 1. Raises HostUnfit."""
    unified, separate = _mounts(mountinfo)
    if unified is not None:
        with contextlib.suppress(OSError):
            if set(_NEEDED) <= set((unified / "cgroup.controllers").read_text().split()):
                return Version2(unified, keeper)
    missing = [name for name in _NEEDED if name not in separate]
    if missing:
        raise HostUnfit(
            f"the control groups for {', '.join(missing)} are missing: mount them "
            "(cgroup v2 at /sys/fs/cgroup, or the v1 controllers), or use another provider"
        )
    return Version1(separate, keeper)
