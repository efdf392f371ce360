"""`ports.Store` over the table: reading. Writing is in `writing.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynamodb import exceptions as faults

from brihaspati import ports
from brihaspati.adapters.dynamodb import patience, ranges, writing
from brihaspati.adapters.dynamodb.connection import Connection
from brihaspati.adapters.dynamodb.ranges import Range
from brihaspati.adapters.dynamodb.table import Row
from brihaspati.domain import limits


class Asking:
    """The store, with everything loaded that talks to DynamoDB."""

    def __init__(
        self,
        connection: Connection,
        clock: ports.Clock,
        chance: ports.Chance,
        pause: patience.Pause,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._patience = patience.Patience(chance, pause)
        self._writer = writing.Writer(self._connection, chance, self._patience, self._stored)

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        if not limits.is_key(key):
            return None
        row = self._patience.with_(lambda: self._get(key))
        return row.item() if row is not None and row.is_alive(self._clock.now()) else None

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those of up to 100 keys that exist. Raises Refused for more."""
        ranges.refuse(limits.check_keys, keys)
        now = self._clock.now()
        found = self._stored([key for key in dict.fromkeys(keys) if limits.is_key(key)])
        return {key: row.item() for key, row in found.items() if row.is_alive(now)}

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of one partition by sort key, read strongly."""
        return self._page(Range(None, partition, prefix, None), limit, cursor)

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
        """Items of one partition of an index; an index the table does not have is empty."""
        wanted = Range(index, partition, prefix, until)
        if index not in self._connection.place.indexes:
            wanted = Range(index, "", prefix, until)
        return self._page(wanted, limit, cursor)

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing."""
        try:
            texts = limits.check_writes(writes)
        except limits.Unacceptable as fault:
            raise ports.Refused(str(fault)) from None
        return self._writer.write(writes, texts, self._clock.now())

    # --- one request each ----------------------------------------------------------------------
    def _get(self, key: ports.Key) -> Row | None:
        row = self._connection.row()
        try:
            return row.get(key.partition, key.sort, consistent_read=True)
        except faults.DoesNotExist:
            return None
        except faults.PynamoDBException as error:
            raise patience.translated(error, self._connection.place.table) from error

    def _stored(self, keys: Sequence[ports.Key]) -> dict[ports.Key, Row]:
        """The rows under up to 100 keys, expired or not: DynamoDB answers with what it likes."""
        found: dict[ports.Key, Row] = {}
        left = [{"pk": key.partition, "sk": key.sort} for key in keys]
        tries = 0
        while left:
            wanted = left
            rows, left = self._patience.with_(lambda wanted=wanted: self._batch(wanted))  # type: ignore[misc]
            for row in rows:
                found[ports.Key(row.pk, row.sk)] = row
            if left:
                if not rows and tries == patience.TRIES_MAX:
                    raise ports.Busy("DynamoDB left keys of a batch unanswered again and again")
                self._patience.wait(tries)
                tries += 1 if not rows else 0
        return found

    def _batch(self, keys: list[dict[str, str]]) -> tuple[list[Row], list[dict[str, str]]]:
        place, row = self._connection.place, self._connection.row()
        pairs: Any = [(key["pk"], key["sk"]) for key in keys]
        try:
            answer = ranges.batch(self._connection.table(), pairs)
        except faults.PynamoDBException as error:
            raise patience.translated(error, place.table) from error
        items = answer["Responses"].get(place.table, [])
        unread = answer.get("UnprocessedKeys", {}).get(place.table, {}).get("Keys", [])
        left = [{"pk": key["pk"]["S"], "sk": key["sk"]["S"]} for key in unread]
        return [row.from_raw_data(item) for item in items], left

    def _page(self, wanted: Range, limit: int, cursor: str | None) -> ports.Page:
        ranges.refuse(limits.check_limit, limit)
        start = wanted.start(cursor)
        if wanted.is_empty():
            return ports.Page(())
        now, found = self._clock.now(), list[Row]()
        row = self._connection.row()
        while True:
            # One more than asked for tells whether there is another page.
            answer = self._ask(wanted, row, now, start, limit + 1 - len(found))
            read = [row.from_raw_data(item) for item in answer["Items"]]
            found += [one for one in read if wanted.holds(one)]
            start = answer.get("LastEvaluatedKey")
            if len(found) > limit:
                shown = found[:limit]
                return ports.Page(tuple(r.item() for r in shown), wanted.cursor(shown[-1]))
            if not start or (read and not wanted.holds(read[-1])):
                return ports.Page(tuple(r.item() for r in found))

    def _ask(
        self, wanted: Range, row: type[Row], now: int, start: Any, limit: int
    ) -> dict[str, Any]:
        alive = row.e.does_not_exist() | (row.e > now)

        def ask() -> dict[str, Any]:
            try:
                answer: dict[str, Any] = self._connection.table().query(
                    wanted.partition,
                    range_key_condition=wanted.condition(row),
                    filter_condition=alive,
                    consistent_read=wanted.index is None,
                    exclusive_start_key=start,
                    index_name=wanted.index,
                    limit=limit,
                )
            except faults.PynamoDBException as error:
                raise patience.translated(error, self._connection.place.table) from error
            return answer

        return self._patience.with_(ask)
