"""What a rented machine is called by its provider, and how hard it works."""

from __future__ import annotations

import os
from pathlib import Path


def machine_id(folder: Path) -> str:
    """The provider's id, as the first boot wrote it down, or as cloud-init did. Raises OSError."""
    for path in (folder / "machine-id", Path("/var/lib/cloud/data/instance-id")):
        if path.exists() and (text := path.read_text().strip()):
            return text
    raise OSError("this machine does not know its provider's id of it")


class Pulse:
    """The machine's load, and the share of its processors used since the last reading."""

    def __init__(self) -> None:
        self._before = _ticks()

    def read(self) -> dict[str, float]:
        """`load` of a minute, and `cpu` from 0 to 1."""
        before, self._before = self._before, _ticks()
        used, whole = (b - a for a, b in zip(before, self._before, strict=True))
        share = used / whole if whole > 0 else 0.0
        return {"load": os.getloadavg()[0], "cpu": round(min(max(share, 0.0), 1.0), 3)}


def _ticks() -> tuple[int, int]:
    """Used, and all."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)
