"""When a rented machine is suspected of other work than its student's: mining, scanning, sending.

It is a suspicion: what a machine says of itself its root can change, and some labs are busy. It is
told to trainer and operator; only where that is set does the lab end.
"""

from __future__ import annotations

from dataclasses import dataclass

BUSY_CPU = 0.9
"""From which share of its processors a machine counts as busy."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on somebody is told; 0 never. `ends`: the lab is ended, too."""

    busy_minutes: int = 20
    megabytes_per_minute: int = 600
    connections_per_minute: int = 600
    ends: bool = False


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Signs:
    """What a machine said of itself. `quiet_ms`: since when nobody has typed there."""

    busy_seconds: float
    sent_bytes_per_minute: int
    connections_per_minute: int
    quiet_ms: int


def suspicion(signs: Signs, limits: Limits) -> str | None:
    """Why this machine is suspect, in words; None: it is not."""
    minutes = limits.busy_minutes
    idle_minutes = min(signs.busy_seconds / 60, signs.quiet_ms / 60_000)
    if minutes and idle_minutes >= minutes:
        return f"Its processor is busy for {idle_minutes:.0f} min, and nobody types: mining?"
    most = limits.megabytes_per_minute
    sent = signs.sent_bytes_per_minute / 1_000_000
    if most and sent >= most:
        return f"It sends {sent:.0f} MB a minute."
    most = limits.connections_per_minute
    if most and signs.connections_per_minute >= most:
        return f"It opens {signs.connections_per_minute} connections a minute: scanning, or mail?"
    return None
