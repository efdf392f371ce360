"""One list of machines for every process that asks by the same token, in the store.

Each function of the cloud mode may run a hundred times over. If each asked for its own list of a
thousand machines, five pages, they would ask for little else, and be told to stop.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.adapters.rented.shapes import Machine
from brihaspati.ports import Key

# Between two lists passes at least this, and more the longer a list is.
GAP_MS = 5_000
GAP_MS_PER_PAGE = 2_000
PAGE = 200
# Requests about ends are counted by everybody together, in stretches so short that no minute has
# more of them than it may; each process takes a few at a time.
STRETCH_MS = 10_000
TAKEN_AT_ONCE = 3
# What an item may hold; a longer list is not shared.
BYTES_MAX = 300_000


@dataclass(frozen=True, slots=True)
class Notice:
    """The machines of a list, and when whoever fetched it began to."""

    began: int
    machines: tuple[Machine, ...]


class Noticeboard:
    """The list of one provider. Moments are milliseconds since the epoch."""

    def __init__(self, store: ports.Store, clock: ports.Clock, provider: str) -> None:
        self._store = store
        self._clock = clock
        self._list = Key(f"list#{provider}", "machines")
        self._lease = Key(f"list#{provider}", "lease")
        self._ends = Key(f"list#{provider}", "ends")
        self._read: tuple[int, Notice] | None = None  # what was read last, and its version
        self._mine: tuple[int, int] = (0, 0)  # a stretch, and how many requests are left in it

    def now(self) -> int:
        """What time it is, for everybody."""
        return self._clock.now()

    def read(self) -> Notice | None:
        """The last list, however old; None when there is none. Raises Busy."""
        item = self._store.get(self._list)
        if item is None:
            return None
        if self._read is None or self._read[0] != item.version:
            rows = json.loads(zlib.decompress(base64.b64decode(item.body["z"])))
            machines = tuple(Machine(*row) for row in rows)
            self._read = (item.version, Notice(int(item.body["began"]), machines))
        return self._read[1]

    def may_fetch(self, known: int) -> bool:
        """Whether the next list, with so many machines known, is ours to fetch. Raises Busy.

        Nobody else is told so for a while.
        """
        item, now = self._store.get(self._lease), self._clock.now()
        gap_ms = max(GAP_MS, GAP_MS_PER_PAGE * (1 + known // PAGE))
        if item is not None and item.body["at"] > now - gap_ms:
            return False
        version = item.version if item is not None else 0
        try:
            self._store.transact((ports.Put(self._lease, {"at": now}, expect=version),))
        except ports.Conflict:
            return False
        return True

    def seconds_until_request(self, most: int) -> float:
        """0: one more request about an end may be sent in this stretch, of `most` by everybody.

        Else when to ask again. Raises Busy.
        """
        now = self._clock.now()
        stretch = now // STRETCH_MS
        if self._mine[0] != stretch or self._mine[1] <= 0:
            self._mine = (stretch, self._take(stretch, most))
        if self._mine[1] <= 0:
            return ((stretch + 1) * STRETCH_MS - now) / 1000
        self._mine = (stretch, self._mine[1] - 1)
        return 0.0

    def _take(self, stretch: int, most: int) -> int:
        item = self._store.get(self._ends)
        used = item.body["used"] if item is not None and item.body["stretch"] == stretch else 0
        taken = min(TAKEN_AT_ONCE, most - used)
        if taken <= 0:
            return 0
        body = {"stretch": stretch, "used": used + taken}
        version = item.version if item is not None else 0
        try:
            self._store.transact((ports.Put(self._ends, body, expect=version),))
        except ports.Conflict:
            return 0  # somebody else took some: whoever asked comes again
        return taken

    def write(self, began: int, machines: Sequence[Machine]) -> None:
        """Tell the others. Raises Busy."""
        rows = json.dumps([_row(machine) for machine in machines], separators=(",", ":"))
        text = base64.b64encode(zlib.compress(rows.encode(), 6)).decode()
        if len(text) <= BYTES_MAX:
            self._store.transact((ports.Put(self._list, {"began": began, "z": text}),))


def _row(one: Machine) -> tuple[str, str, str, int, str | None, str]:
    return (one.label, one.id, one.status, one.created_at, one.address, one.region)
