"""`ports.Store` in memory: the model other stores are compared with, and a stage for faults."""

from __future__ import annotations

import base64
import bisect
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic_core

from brihaspati import ports
from brihaspati.domain import limits

Fault = Literal["busy", "conflict", "lost"]
"""busy: refused, nothing done. conflict: a Conflict though versions match (another transaction is
under way). lost: committed, but the caller hears Busy; only `transact` has the last two."""

Faults = Callable[[str], Fault | None]
"""Asked before each call with the operation's name ("get", "transact"...)."""


@dataclass(frozen=True, slots=True)
class _Record:
    version: int
    text: str
    indexes: Mapping[str, ports.Key] = field(default_factory=dict)
    expires_at: ports.Moment | None = None
    shared: ports.Item | None = None

    def item(self, key: ports.Key) -> ports.Item:
        if self.shared is not None:
            return self.shared
        body: dict[str, Any] = pydantic_core.from_json(self.text)
        return ports.Item(key, self.version, body, dict(self.indexes), self.expires_at)

    def is_alive(self, now: ports.Moment) -> bool:
        return self.expires_at is None or self.expires_at > now


_Place = tuple[str, ...]


class _Shelf:
    """Records of one partition in the order of their places, whose first part is the sort key.

    A page is read from where it begins to where it ends: what is beside it costs nothing.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._there: dict[_Place, tuple[ports.Key, _Record]] = {}

    def put(self, place: _Place, key: ports.Key, record: _Record) -> None:
        if place not in self._there:
            bisect.insort(self._places, place)
        self._there[place] = (key, record)

    def drop(self, place: _Place) -> None:
        if self._there.pop(place, None) is not None:
            del self._places[bisect.bisect_left(self._places, place)]

    def page(self, span: tuple[str, str | None], after: _Place, limit: int, now: int) -> ports.Page:
        """Up to `limit` that are alive; `span`: the prefix of sort keys, and the last of them."""
        prefix, until = span
        found: list[ports.Item] = []
        first = bisect.bisect_left(self._places, (prefix,))
        if after:
            first = max(first, bisect.bisect_right(self._places, after))
        for number in range(first, len(self._places)):
            place = self._places[number]
            sort = place[0]
            if not sort.startswith(prefix) or (until is not None and sort > until):
                break
            key, record = self._there[place]
            if record.expires_at is None or record.expires_at > now:
                found.append(record.item(key))
                if len(found) == limit:
                    return ports.Page(tuple(found), _encoded(place))
        return ports.Page(tuple(found))


DIGITS_MAX = 4_300
NOTHING = ports.Page(())


class Store:
    """Items in memory. An index shows what was written at least `index_lag_ms` ago, stale or not.

    `faults` scripts what goes wrong; nothing does by default. With `shared_reads` every reader of a
    version gets the very body that was written, which nobody may change: a simulation reads
    thousands.
    """

    def __init__(
        self,
        clock: ports.Clock,
        *,
        index_lag_ms: int = 0,
        faults: Faults | None = None,
        shared_reads: bool = False,
    ) -> None:
        self._shared_reads = shared_reads
        self._clock = clock
        self._index_lag_ms = index_lag_ms
        self._faults = faults or _no_fault
        self._lock = threading.RLock()
        self._records: dict[ports.Key, _Record] = {}
        self._partitions: dict[str, _Shelf] = {}
        self._entries: dict[tuple[str, str], _Shelf] = {}
        self._lagging: list[tuple[ports.Moment, ports.Key, _Record | None, _Record | None]] = []

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        with self._lock:
            self._meet("get")
            return self._found(key)

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those of up to 100 keys that exist."""
        _refuse(limits.check_keys, keys)
        with self._lock:
            self._meet("get_many")
            found = {key: self._found(key) for key in keys}
        return {key: item for key, item in found.items() if item is not None}

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of one partition by sort key."""
        _refuse(limits.check_limit, limit)
        after = _decoded(cursor, 1)
        with self._lock:
            self._meet("query")
            shelf = self._partitions.get(partition)
            if shelf is None:
                return NOTHING
            return shelf.page((prefix, None), after, limit, self._clock.now())

    def query_index(
        self,
        index: str,
        partition: str,
        *,
        prefix: str = "",
        until: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> ports.Page:
        """Items of one partition of an index, as they were when the index last caught up."""
        _refuse(limits.check_limit, limit)
        after = _decoded(cursor, 3)
        with self._lock:
            self._meet("query_index")
            now = self._clock.now()
            self._catch_up(now)
            shelf = self._entries.get((index, partition))
            if shelf is None:
                return NOTHING
            return shelf.page((prefix, until), after, limit, now)

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing."""
        try:
            texts = limits.check_writes(writes, _text)
        except limits.Unacceptable as refusal:
            raise ports.Refused(str(refusal)) from None
        with self._lock:
            fault = self._meet("transact")
            stored = [self._alive(write.key) for write in writes]
            failing = [
                place
                for place, (write, record) in enumerate(zip(writes, stored, strict=True))
                if write.expect is not None and write.expect != (record.version if record else 0)
            ]
            if fault == "conflict" and not failing:
                failing = [0]
            if failing:
                raise ports.Conflict({at: self._found(writes[at].key) for at in failing})
            versions = tuple(map(self._apply, writes, texts, stored))
        if fault == "lost":
            raise ports.Busy("the reply was lost; the write was done")
        return versions

    def sweep(self) -> int:
        """Delete expired items; how many there were."""
        with self._lock:
            now = self._clock.now()
            dead = [
                (key, record) for key, record in self._records.items() if not record.is_alive(now)
            ]
            for key, record in dead:
                del self._records[key]
                self._partitions[key.partition].drop((key.sort,))
                self._tell_indexes(key, record, None)
        return len(dead)

    def _meet(self, operation: str) -> Fault | None:
        fault = self._faults(operation)
        if fault == "busy":
            raise ports.Busy(f"{operation} was told to be busy")
        return fault

    def _found(self, key: ports.Key) -> ports.Item | None:
        record = self._alive(key)
        return record.item(key) if record else None

    def _alive(self, key: ports.Key) -> _Record | None:
        record = self._records.get(key)
        if record is None or record.expires_at is None:
            return record
        return record if record.is_alive(self._clock.now()) else None

    def _apply(self, write: ports.Write, text: str, stored: _Record | None) -> int:
        if isinstance(write, ports.Check):
            return 0
        key, before, after = write.key, self._records.get(write.key), None
        if isinstance(write, ports.Put):
            version = (stored.version if stored else 0) + 1
            indexes, until, shared = dict(write.indexes), write.expires_at, None
            if self._shared_reads:
                shared = ports.Item(key, version, write.body, indexes, until)
            after = _Record(version, text, indexes, until, shared)
            self._records[key] = after
            self._partitions.setdefault(key.partition, _Shelf()).put((key.sort,), key, after)
        elif before is not None:
            del self._records[key]
            self._partitions[key.partition].drop((key.sort,))
        self._tell_indexes(key, before, after)
        return after.version if after else 0

    def _tell_indexes(self, key: ports.Key, before: _Record | None, after: _Record | None) -> None:
        if not (before and before.indexes) and not (after and after.indexes):
            return
        lag = self._index_lag_ms
        self._lagging.append((self._clock.now() + lag if lag else 0, key, before, after))

    def _catch_up(self, now: ports.Moment) -> None:
        due = [change for change in self._lagging if change[0] <= now]
        if not due:
            return
        self._lagging = [change for change in self._lagging if change[0] > now]
        for _, key, before, after in due:
            places = after.indexes if after else {}
            for name, place in (before.indexes if before else {}).items():
                if places.get(name) != place:
                    self._shelf(name, place).drop((place.sort, *key))
            for name, place in places.items():
                self._shelf(name, place).put((place.sort, *key), key, after)  # type: ignore[arg-type]

    def _shelf(self, index: str, place: ports.Key) -> _Shelf:
        return self._entries.setdefault((index, place.partition), _Shelf())


def _text(body: Any) -> str:
    text = pydantic_core.to_json(body).decode()
    if len(text) > DIGITS_MAX:  # a number that nobody can read takes more than that
        pydantic_core.from_json(text)
    return text


def _no_fault(_: str) -> Fault | None:
    return None


def _refuse(check: Callable[[Any], None], value: Any) -> None:
    try:
        check(value)
    except limits.Unacceptable as refusal:
        raise ports.Refused(str(refusal)) from None


def _encoded(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(cursor: str | None, parts: int) -> _Place:
    if cursor is None:
        return ()
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        fits = isinstance(place, list) and [type(part) for part in place] == [str] * parts
        "".join(place if fits else []).encode()
    except ValueError:
        fits = False
    if not fits:
        raise ports.Refused("the cursor is none of ours: start again without one")
    return tuple(place)
