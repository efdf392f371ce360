"""What the keeper is asked to make: a lab, as plain data that crosses a socket as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from brihaspati.adapters.namespaces import cgroups


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file to place: its bytes are `size` bytes at `offset` of the order's payload."""

    path: str
    mode: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class LabOrder:
    """One lab. `root` and `usr` are host folders; `network` says that somebody attaches one.

    `held` labs are not usable until the asker says so, and vanish if the asker does.
    """

    label: str
    hostname: str
    user: str
    root: str
    usr: str | None
    memory_mb: int
    cpus: float
    pids: int
    disk_mb: int
    created_at: int
    network: bool = False
    held: bool = False
    seconds_max: float = 20.0
    environment: list[tuple[str, str]] = field(default_factory=list)
    files: list[FileAt] = field(default_factory=list)

    def limits(self) -> cgroups.Limits:
        """The part control groups look after."""
        return cgroups.Limits(self.memory_mb, self.cpus, self.pids)


def to_json(order: LabOrder) -> dict[str, Any]:
    """As `from_json` takes it."""
    return asdict(order)


def from_json(body: dict[str, Any]) -> LabOrder:
    """The order back. Raises TypeError, KeyError or ValueError for anything else."""
    fields = dict(body)
    fields["files"] = [FileAt(**item) for item in fields["files"]]
    fields["environment"] = [(str(one), str(two)) for one, two in fields["environment"]]
    return LabOrder(**fields)
