"""What both clients' programs share: notes, faults to order, and how many servers a create left."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FAULTS: dict[str, dict[str, Any]] = {
    "500 after": {"kind": "status_after", "status": 500},
    "502 after": {"kind": "status_after", "status": 502},
    "503 after": {"kind": "status_after", "status": 503},
    "504 after": {"kind": "status_after", "status": 504},
    "503 after, Retry-After": {"kind": "status_after", "status": 503, "seconds": 1},
    "dropped after": {"kind": "drop_after"},
    "hangs, then dropped": {"kind": "hang_after", "seconds": 1},
    "429, Retry-After": {"kind": "rate", "seconds": 1},
}


@dataclass
class Asking:
    """Collects what was seen; printed whole at the end of each part."""

    root: str
    provider: str
    seen: dict[str, Any] = field(default_factory=dict)

    def note(self, name: str, value: Any) -> None:
        """Keep something that was seen."""
        self.seen[name] = value

    def try_faults(self, create: Callable[[str], bool], operation: str, part: str = "") -> None:
        """One create under each fault: how many servers there are of it, and what was said."""
        for number, (fault, given) in enumerate(FAULTS.items()):
            before = self._made()
            self._control("faults", given | {"provider": self.provider, "operation": operation})
            try:
                said = "ok" if create(f"{part.replace(' ', '-') or 'x'}-{number}") else "odd"
            except Exception as error:  # noqa: BLE001 - whatever a client raises is the answer
                said = "unique" if "must be unique" in str(error) else "raises"
            self.note(f"{part}: {fault}" if part else fault, [self._made() - before, said])
        sys.stdout.write(json.dumps(self.seen) + "\n")

    def _made(self) -> int:
        made: int = self._control("ledger")["accounts"][self.provider]["made"]
        return made

    def _control(self, what: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.root}/_sim/{what}", sent, timeout=20) as answer:
            return json.loads(answer.read())
