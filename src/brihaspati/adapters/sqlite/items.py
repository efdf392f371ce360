"""`ports.Store` over the items and entries tables."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from brihaspati import ports
from brihaspati.adapters.sqlite.database import Database
from brihaspati.domain import limits

_GET = """SELECT partition, sort, version, body, indexes, expires_at FROM items
    WHERE partition = ? AND sort = ? AND (expires_at IS NULL OR expires_at > ?)"""
_QUERY = """SELECT partition, sort, version, body, indexes, expires_at FROM items
    WHERE partition = ? AND sort >= ? AND sort < ? AND (expires_at IS NULL OR expires_at > ?)
    ORDER BY sort LIMIT ?"""
_QUERY_INDEX = """SELECT i.partition, i.sort, i.version, i.body, i.indexes, i.expires_at,
        e.sort, e.item
    FROM entries AS e CROSS JOIN items AS i ON i.id = e.item
    WHERE e.name = ? AND e.partition = ? AND (e.sort, e.item) > (?, ?) AND e.sort < ?
    AND (i.expires_at IS NULL OR i.expires_at > ?)
    ORDER BY e.sort, e.item LIMIT ?"""
_STORED = "SELECT id, version, indexes, expires_at FROM items WHERE partition = ? AND sort = ?"
_INSERT = """INSERT INTO items (partition, sort, version, body, indexes, expires_at)
    VALUES (?, ?, 1, ?, ?, ?)"""
_UPDATE = "UPDATE items SET version = ?, body = ?, indexes = ?, expires_at = ? WHERE id = ?"
_DELETE = "DELETE FROM items WHERE id = ?"
_ADD_ENTRY = "INSERT INTO entries (name, partition, sort, item) VALUES (?, ?, ?, ?)"
_DROP_ENTRY = "DELETE FROM entries WHERE name = ? AND partition = ? AND sort = ? AND item = ?"
_EXPIRED = "SELECT id, indexes FROM items WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"
_LAST_CODE_POINT = "\U0010ffff"
_SWEEP_BATCH = 200
_NO_BOUND = b""  # SQLite sorts every blob after every text

_Row = tuple[Any, ...]


class Store:
    """Items of one SQLite file. Its indexes never lag."""

    def __init__(self, database: Database, clock: ports.Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        if not limits.is_key(key):
            return None
        rows = self._database.rows(_GET, (key.partition, key.sort, self._clock.now()))
        return _item(rows[0]) if rows else None

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those of up to 100 keys that exist. Raises Refused for more."""
        _refuse(limits.check_keys, keys)
        found = {key: self.get(key) for key in keys}
        return {key: item for key, item in found.items() if item is not None}

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of one partition by sort key."""
        _refuse(limits.check_limit, limit)
        if not (_is_text(partition) and _is_text(prefix)):
            return ports.Page(())
        low = prefix
        if cursor is not None:
            (last,) = _decoded(cursor, (str,))
            low = max(low, _after(last))
        now = self._clock.now()
        rows = self._database.rows(_QUERY, (partition, low, _end(prefix, None), now, limit))
        items = tuple(map(_item, rows))
        return ports.Page(items, _encoded(items[-1].key.sort) if len(items) == limit else None)

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
        """Items of one partition of an index by its sort key; equal ones in the order made."""
        _refuse(limits.check_limit, limit)
        if not all(map(_is_text, (index, partition, prefix, until or ""))):
            return ports.Page(())
        low = (prefix, 0)
        if cursor is not None:
            last, item = _decoded(cursor, (str, int))
            low = max(low, (last, item))
        rows = self._database.rows(
            _QUERY_INDEX,
            (index, partition, *low, _end(prefix, until), self._clock.now(), limit),
        )
        following = _encoded(*rows[-1][6:]) if len(rows) == limit else None
        return ports.Page(tuple(map(_item, rows)), following)

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing, durable on return."""
        try:
            texts = limits.check_writes(writes)
        except limits.Unacceptable as fault:
            raise ports.Refused(str(fault)) from None
        now = self._clock.now()
        with self._database.writing() as connection:
            stored = [_stored(connection, write.key, now) for write in writes]
            failing = {
                place: _found(connection, write.key, now)
                for place, (write, (_, version, _)) in enumerate(zip(writes, stored, strict=True))
                if write.expect is not None and write.expect != version
            }
            if failing:
                raise ports.Conflict(failing)
            return tuple(
                _apply(connection, write, text, before)
                for write, text, before in zip(writes, texts, stored, strict=True)
            )

    def sweep(self) -> int:
        """Delete expired items, in batches so that writers get their turn; how many there were."""
        total = 0
        while True:
            now = self._clock.now()
            if not self._database.rows(_EXPIRED, (now, 1)):
                return total
            with self._database.writing() as connection:
                rows = connection.execute(_EXPIRED, (now, _SWEEP_BATCH)).fetchall()
                for item, indexes in rows:
                    _drop_entries(connection, item, indexes)
                    connection.execute(_DELETE, (item,))
            total += len(rows)


def _stored(
    connection: sqlite3.Connection, key: ports.Key, now: ports.Moment
) -> tuple[int | None, int, str | None]:
    """Row number, version (0 = absent or expired) and indexes of what lies under a key."""
    row = connection.execute(_STORED, (key.partition, key.sort)).fetchone()
    if row is None:
        return None, 0, None
    number, version, indexes, expires_at = row
    return number, 0 if expires_at is not None and expires_at <= now else version, indexes


def _found(connection: sqlite3.Connection, key: ports.Key, now: ports.Moment) -> ports.Item | None:
    row = connection.execute(_GET, (key.partition, key.sort, now)).fetchone()
    return _item(row) if row else None


def _apply(
    connection: sqlite3.Connection,
    write: ports.Write,
    text: str,
    before: tuple[int | None, int, str | None],
) -> int:
    """Carry out one write; the version it makes."""
    number, version, old_indexes = before
    match write:
        case ports.Put():
            indexes = _indexes_text(write.indexes)
            if number is None:
                values = (write.key.partition, write.key.sort, text, indexes, write.expires_at)
                number = connection.execute(_INSERT, values).lastrowid
            else:
                connection.execute(_UPDATE, (version + 1, text, indexes, write.expires_at, number))
            if indexes != old_indexes:  # most writes move nothing: spare them the index pages
                _drop_entries(connection, number, old_indexes)
                connection.executemany(
                    _ADD_ENTRY,
                    [(name, k.partition, k.sort, number) for name, k in write.indexes.items()],
                )
            return version + 1
        case ports.Delete():
            if number is not None:
                _drop_entries(connection, number, old_indexes)
                connection.execute(_DELETE, (number,))
            return 0
        case ports.Check():
            return 0


def _drop_entries(connection: sqlite3.Connection, number: int | None, indexes: str | None) -> None:
    if indexes is not None:
        entries = [(name, p, s, number) for name, (p, s) in json.loads(indexes).items()]
        connection.executemany(_DROP_ENTRY, entries)


def _indexes_text(indexes: Mapping[str, ports.Key]) -> str | None:
    if not indexes:
        return None
    return json.dumps({name: (k.partition, k.sort) for name, k in sorted(indexes.items())})


def _item(row: _Row) -> ports.Item:
    partition, sort, version, body, indexes, expires_at = row[:6]
    return ports.Item(
        key=ports.Key(partition, sort),
        version=version,
        body=json.loads(body),
        indexes={name: ports.Key(p, s) for name, (p, s) in json.loads(indexes).items()}
        if indexes
        else {},
        expires_at=expires_at,
    )


def _refuse(check: Any, value: Any) -> None:
    try:
        check(value)
    except limits.Unacceptable as fault:
        raise ports.Refused(str(fault)) from None


def _is_text(text: str) -> bool:
    """Whether SQLite can be asked about it at all: half a surrogate pair is no text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _after(text: str) -> str:
    """The very next text in byte order."""
    return text + "\0"


def _end(prefix: str, until: str | None) -> str | bytes:
    """The first sort key that is past the prefix or past `until`."""
    kept = prefix.rstrip(_LAST_CODE_POINT)
    if not kept:
        return _NO_BOUND if until is None else _after(until)
    following = ord(kept[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000  # surrogates are no characters
    end = kept[:-1] + chr(following)
    return end if until is None else min(end, _after(until))


def _encoded(*place: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(cursor: str, types: tuple[type, ...]) -> tuple[Any, ...]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        fits = isinstance(place, list) and tuple(map(type, place)) == types and _is_text(place[0])
    except ValueError:
        fits = False
    if not fits:
        raise ports.Refused("the cursor is none of ours: start again without one")
    return tuple(place)
