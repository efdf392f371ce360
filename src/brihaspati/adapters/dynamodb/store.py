"""`ports.Store` over the table, as others have it. How DynamoDB is asked is in `asking.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from brihaspati import ports
from brihaspati.adapters.dynamodb.connection import Connection

if TYPE_CHECKING:
    from brihaspati.adapters.dynamodb.asking import Asking


class Store:
    """Items of one DynamoDB table. Its indexes lag a little; `get` and `query` do not."""

    def __init__(
        self,
        connection: Connection,
        clock: ports.Clock,
        chance: ports.Chance,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._parts = (connection, clock, chance, pause)
        self._made: Asking | None = None

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        return self._asking().get(key)

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those of up to 100 keys that exist. Raises Refused for more."""
        return self._asking().get_many(keys)

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of one partition by sort key, read strongly."""
        return self._asking().query(partition, prefix, limit=limit, cursor=cursor)

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
        return self._asking().query_index(
            index, partition, prefix=prefix, until=until, limit=limit, cursor=cursor
        )

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing."""
        return self._asking().transact(writes)

    def _asking(self) -> Asking:
        if self._made is None:  # two threads may both make one: it keeps nothing
            from brihaspati.adapters.dynamodb import asking  # noqa: PLC0415 - see connection.py

            self._made = asking.Asking(*self._parts)
        return self._made
