"""What a rented machine is called by its provider, and how hard it works."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brihaspati_agent import dying


def machine_id(folder: Path) -> str:
    """The provider's id, as the first boot wrote it down, or as cloud-init did. Raises OSError."""
    for path in (folder / "machine-id", Path("/var/lib/cloud/data/instance-id")):
        if path.exists() and (text := path.read_text().strip()):
            return text
    raise OSError("this machine does not know its provider's id of it")


BUSY_CPU = 0.9
# Readings come closer together when the state changes: a moment's burst is not a minute's.
RATED_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Counts:
    """What the kernel has counted since the machine started, and when, in seconds of uptime.

    `connections` are those opened to others, less those that others opened to us.
    """

    at: float
    used_ticks: int
    ticks: int
    sent_bytes: int
    connections: int


class Pulse:
    """How hard the machine works, and how much goes out of it."""

    def __init__(self, count: Callable[[], Counts] | None = None) -> None:
        self._count = count or counted
        self._before = self._count()
        self._busy_seconds = 0.0

    def read(self) -> dict[str, float]:
        """`load` of a minute, `cpu` from 0 to 1 since the last reading, for how long it is high.

        And bytes sent and TCP connections opened, a minute each.
        """
        before, self._before = self._before, self._count()
        now, seconds = self._before, self._before.at - before.at
        ticks = now.ticks - before.ticks
        share = (now.used_ticks - before.used_ticks) / ticks if ticks > 0 else 0.0
        cpu = round(min(max(share, 0.0), 1.0), 3)
        self._busy_seconds = self._busy_seconds + seconds if cpu >= BUSY_CPU else 0.0

        def a_minute(count: int) -> int:
            return max(0, round(count * 60 / max(seconds, RATED_SECONDS)))

        return {
            "load": os.getloadavg()[0],
            "cpu": cpu,
            "busy_seconds": round(self._busy_seconds, 1),
            "sent_bytes_per_minute": a_minute(now.sent_bytes - before.sent_bytes),
            "connections_per_minute": a_minute(now.connections - before.connections),
        }


def counted() -> Counts:
    """As the kernel has it now. Time that the host took for others counts as used."""
    ticks = [int(n) for n in _read("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return Counts(
        at=dying.uptime(),
        used_ticks=sum(ticks) - ticks[3] - ticks[4],
        ticks=sum(ticks),
        sent_bytes=_sent(_read("/proc/net/dev")),
        connections=_opened(_read("/proc/net/snmp")),
    )


def _sent(table: str, devices: Path = Path("/sys/class/net")) -> int:
    """Bytes sent by what leads out of the machine: hardware, not loopback, bridges and the like.

    Where nothing is hardware, as in a container, all but loopback counts.
    """
    lines = [line.partition(":") for line in table.splitlines()[2:]]
    sent = {name.strip(): int(numbers.split()[8]) for name, _, numbers in lines}
    sent.pop("lo", None)
    real = [name for name in sent if (devices / name / "device").exists()]
    return sum(sent[name] for name in real or sent)


def _opened(snmp: str) -> int:
    """`ActiveOpens` of TCP less `PassiveOpens`: what stays on the machine is in both.

    The kernel does not tell apart where connections go. Ours to a container's bridge count, those
    of containers do not, and each one from outside hides one of ours.
    """
    names, numbers = (x.split() for x in snmp.splitlines() if x.startswith("Tcp:"))
    found = dict(zip(names, numbers, strict=True))
    return int(found["ActiveOpens"]) - int(found["PassiveOpens"])


def _read(path: str) -> str:
    return Path(path).read_text()
