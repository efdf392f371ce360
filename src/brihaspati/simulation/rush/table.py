"""DynamoDB's limits around a store in memory: units, partitions, transactions that meet."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.rush.limits import Bucket, Tally
from brihaspati.simulation.rush.tasks import Tasks

# Of each partition, a second; a new table on demand has four of them.
WRITES_PER_PARTITION = 1_000
READS_PER_PARTITION = 3_000
PARTITIONS = 4
READ_MS, WRITE_MS, TRANSACT_MS = 5, 8, 18
INDEX_LAG_MS = 200
# As the adapter waits (`dynamodb/patience.py`; a test compares).
TRIES_MAX, FIRST_MS, PAUSE_MS_MAX = 8, 50, 1_000
_T = TypeVar("_T")


class _NotNow(Exception):  # noqa: N818 - never leaves this module
    pass


@dataclass
class Table:
    """What all functions share. `partitions` is how far DynamoDB has spread it."""

    tasks: Tasks
    tally: Tally
    partitions: int = PARTITIONS
    sizes: dict[ports.Key, tuple[int, int]] = field(default_factory=dict)
    under_way: set[ports.Key] = field(default_factory=set)
    open: bool = False

    def __post_init__(self) -> None:
        self.store = memory.Store(self.tasks, index_lag_ms=INDEX_LAG_MS, shared_reads=True)
        self._buckets: dict[tuple[str, int], Bucket] = {}

    def take(self, kind: str, name: str, key: str, units: float) -> None:
        """Use units of the partition that a key of the table or an index is in. Raises _NotNow."""
        if not self.open:
            return
        now, self_kind = self.tasks.now(), f"{kind} {name}"
        self.tally.load(self_kind, key, now, units)
        where = zlib.crc32(key.encode()) % self.partitions
        rate = WRITES_PER_PARTITION if kind == "writes" else READS_PER_PARTITION
        bucket = self._buckets.setdefault((self_kind, where), Bucket(rate, rate))
        if not bucket.take(now, units):
            self.tally.throttled(f"table {self_kind}")
            raise _NotNow
        self.tally.use(self.tasks.part, kind, units)

    def size(self, item: ports.Item) -> int:
        """Bytes of a body, counted once for each version."""
        known = self.sizes.get(item.key)
        if known is None or known[0] != item.version:
            known = self.sizes[item.key] = (item.version, _bytes(item.body))
        return known[1]


class TableLink:
    """`ports.Store` as one environment of a function reaches it, with the adapter's patience."""

    def __init__(self, table: Table, dice: Dice) -> None:
        self._table = table
        self._dice = dice

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those that exist."""
        table = self._table

        def read() -> dict[ports.Key, ports.Item]:
            found = table.store.get_many(keys)
            for key in keys:
                size = table.size(found[key]) if key in found else 1
                table.take("reads", "table", key.partition, _units(size, 4096))
            return found

        return self._patiently(READ_MS, read)

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of a partition."""

        def read() -> ports.Page:
            page = self._table.store.query(partition, prefix, limit=limit, cursor=cursor)
            self._table.take("reads", "table", partition, self._read_units(page))
            return page

        return self._patiently(READ_MS, read)

    def query_index(self, index: str, partition: str, **more: Any) -> ports.Page:
        """Items of an index; half the price, for they may be stale."""

        def read() -> ports.Page:
            page = self._table.store.query_index(index, partition, **more)
            self._table.take("reads", index, partition, self._read_units(page) / 2)
            return page

        return self._patiently(READ_MS, read)

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing. Raises Conflict or Busy."""
        keys = {write.key for write in writes}

        def write() -> tuple[int, ...]:
            if keys & self._table.under_way:
                self._table.tally.throttled("transactions that met")
                raise _NotNow
            for one in writes:
                self._take(one, twice=len(writes) > 1)
            if len(writes) == 1:  # no transaction: of two such writes the later one finds out
                self._table.tasks.spend(WRITE_MS)
                return self._table.store.transact(writes)
            self._table.under_way |= keys
            try:
                self._table.tasks.spend(TRANSACT_MS)
                return self._table.store.transact(writes)
            finally:
                self._table.under_way -= keys

        try:
            return self._patiently(0, write)
        except ports.Conflict:
            self._table.tally.throttled("versions that met")
            raise

    def _take(self, write: ports.Write, *, twice: bool) -> None:
        """Units of one write: of the item, and of each index it enters or leaves."""
        table = self._table
        before = table.store.get(write.key)
        put = write if isinstance(write, ports.Put) else None
        old: Mapping[str, ports.Key] = before.indexes if before is not None else {}
        new: Mapping[str, ports.Key] = put.indexes if put is not None else {}
        if isinstance(write, ports.Check):
            new = old
        units = _units(_bytes(put.body) if put is not None else 1, 1024)
        table.take("writes", "table", write.key.partition, units * (2 if twice else 1))
        for index in old.keys() | new.keys():
            if index in new and put is not None:
                table.take("writes", index, new[index].partition, units)
            if index in old and old[index] != new.get(index):
                table.take("writes", index, old[index].partition, 1)

    def _read_units(self, page: ports.Page) -> int:
        return _units(sum(self._table.size(item) for item in page.items), 4096)

    def _patiently(self, ms: int, call: Callable[[], _T]) -> _T:
        """As `dynamodb.patience` does it. Raises Busy."""
        for tries in range(TRIES_MAX):
            self._table.tasks.spend(ms)
            try:
                return call()
            except _NotNow:
                most_ms = min(PAUSE_MS_MAX, FIRST_MS << tries)
                self._table.tasks.spend(self._dice.between(1, most_ms))
        self._table.tally.throttled("table gave up")
        raise ports.Busy(f"the table did not answer {TRIES_MAX} times")


def _bytes(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body, separators=(",", ":"))) + 100


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))
