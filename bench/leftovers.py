"""What labs could leave on a host: counted before and after, or asked for one data folder."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from bench import procfs

TOOL_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Names of things; each is gone when its lab is."""

    mounts: frozenset[str]
    cgroups: frozenset[str]
    interfaces: frozenset[str]
    netns: frozenset[str]
    rules: frozenset[str]
    loops: frozenset[str]
    processes: frozenset[str]
    files: frozenset[str]

    def __sub__(self, before: Leftovers) -> Leftovers:
        """What is here and was not before."""
        pairs = {f.name: getattr(self, f.name) - getattr(before, f.name) for f in fields(self)}
        return Leftovers(**pairs)

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {f.name: len(getattr(self, f.name)) for f in fields(self)}

    def __len__(self) -> int:
        """How many in all."""
        return sum(self.counts().values())

    def __str__(self) -> str:
        """Each by name."""
        return "\n".join(
            f"{f.name}: {name}" for f in fields(self) for name in getattr(self, f.name)
        )


def snapshot(folder: Path) -> Leftovers:
    """What belongs to a data folder and its labs, and every network thing of the host.

    Subtract a snapshot from before: the deployment's own files are in it, and the network's names
    do not tell the folder. Needs root.
    """
    mark = str(folder)
    return Leftovers(
        mounts=frozenset(_mounts(mark)),
        cgroups=frozenset(map(str, cgroups(folder))),
        interfaces=frozenset(found.name for found in Path("/sys/class/net").iterdir()),
        netns=frozenset(_named_netns()),
        rules=frozenset(_rules()),
        loops=frozenset(_loops(mark)),
        processes=frozenset(map(str, lab_processes(folder))),
        files=frozenset(_files(folder)),
    )


def keeper_name(folder: Path) -> str:
    """How the control groups of a folder's labs are called, below their hierarchy."""
    where = folder.stat()
    return f"brihaspati/{where.st_dev:x}-{where.st_ino:x}"


def cgroups(folder: Path) -> Iterator[Path]:
    """The control groups of the folder's labs, in every hierarchy."""
    roots = (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/"))
    for root in roots:
        yield from (root / keeper_name(folder)).glob("*/")


def lab_processes(folder: Path) -> list[int]:
    """Processes of the folder's labs, by the control groups they are in."""
    name = keeper_name(folder) + "/"
    return [process for process, groups in procfs.texts("cgroup") if name in groups]


def _mounts(mark: str) -> Iterator[str]:
    """In our own mount namespace and in that of every process we may look into."""
    for _, listing in procfs.texts("mountinfo"):
        yield from (line for line in listing.splitlines() if mark in line)


def _named_netns() -> Iterator[str]:
    """Network namespaces that something other than a process keeps alive."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " nsfs " in line and "net:[" in line:
            yield line.split()[3]


def _rules() -> Iterator[str]:
    """Tables of the packet filter."""
    if shutil.which("nft") is None:
        return
    asked = ["nft", "-j", "list", "tables"]
    answer = subprocess.run(asked, capture_output=True, timeout=TOOL_SECONDS_MAX, check=False)
    for one in json.loads(answer.stdout or b"{}").get("nftables", ()):
        if "table" in one:
            yield f"{one['table']['family']} {one['table']['name']}"


def _loops(mark: str) -> Iterator[str]:
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if mark in backing.read_text():
                yield backing.parts[3]


def _files(folder: Path) -> Iterator[str]:
    """Files of the folder; an image is one of them, whatever is in it."""
    for found in folder.glob("*"):
        yield found.name
        if found.is_dir() and not found.is_symlink():
            yield from (f"{found.name}/{below.name}" for below in found.glob("*"))
