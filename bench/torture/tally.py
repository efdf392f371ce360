"""What was done to the server, and what was found wrong with it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

# What is printed, in this order; all of it is counted as it happens.
DEEDS = (
    "kills",
    "kills of a starting server",
    "kills of the keeper",
    "kills amid mass stops",
    "kills amid mass plays",
    "plays",
    "ready",
    "failed with a reason",
    "stopped while starting",
    "stops",
    "terminal visits",
    "checks",
    "extensions",
    "repeated requests",
    "looks at the host",
    "machines made",
    "proofs of an end",
)


@dataclass(slots=True)
class Tally:
    """Counts by name, refusals in the server's own words, and every broken promise once."""

    deeds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def fault(self, text: str) -> None:
        """Something was promised and not kept."""
        if text not in {known.partition("s: ")[2] for known in self.faults}:
            self.faults.append(f"after {time.monotonic() - self.began:.1f} s: {text}")
