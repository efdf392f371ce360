"""What the host really has of the server under torture: processes, mounts and all else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench import leftovers, procfs
from bench.leftovers import Leftovers

# Files of a data folder that belong to it and not to a lab.
KEPT = re.compile(
    r"brihaspati\.db.*|(mac|signing)\.key|images(/.*)?|keeper\.(log|lock)|mnt|disks"
    r"|server\.(log|lock)"
)
# Those that a running server and its keeper have besides.
SERVING = frozenset({"server.json", "keeper.sock"})
_OWN = Path("/proc/self/ns/net")


class Host:
    """Looks at everything of one data folder and the environment its machines are named after."""

    def __init__(self, folder: Path, env: str) -> None:
        self.folder = folder
        self._tag = hashlib.sha256(f"{env} {folder}".encode()).hexdigest()[:4]
        self._group = leftovers.keeper_name(folder)
        self._label = re.compile(rf"{self._group}/(bh-{env}-[a-z0-9-]+)")

    def alive(self) -> set[str]:
        """Labels of the machines that have a process at this moment."""
        found = (self._label.search(groups) for _, groups in procfs.texts("cgroup"))
        return {label[1] for label in found if label}

    def left(self) -> Leftovers:
        """What is there of labs; the network's by our mark, since others have networks too."""
        seen = leftovers.snapshot(self.folder)
        return replace(
            seen,
            interfaces=frozenset(x for x in seen.interfaces if x.startswith(f"bh{self._tag}")),
            rules=frozenset(x for x in seen.rules if x.endswith(f"brihaspati_{self._tag}")),
            netns=frozenset(self._netns()),
            files=frozenset(x for x in seen.files if not KEPT.fullmatch(x)),
        )

    def processes(self) -> list[int]:
        """Every process whose command names our folder: the server's and the keeper's."""
        ours = os.fsencode(self.folder)
        return [process for process, command in procfs.files("cmdline") if ours in command]

    def _netns(self) -> Iterator[str]:
        """Network namespaces that the keeper keeps alive by a descriptor."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                for fd in Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(OSError):
                        name = str(fd.readlink())
                        if name.startswith("net:[") and name != str(_OWN.readlink()):
                            yield f"{name} of process {pid}"
