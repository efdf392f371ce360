"""The one table: its layout as data, and its rows.

    pk, sk            partition and sort key of the item
    v                 version, from 1
    d                 the body as JSON text, so that no number or empty text is bent on the way
    e                 expiry in milliseconds; conditions and filters look at it
    ttl               expiry in seconds, for DynamoDB's own deletion, which may be days late
    w                 who wrote it: a random name for each `transact`
    <index>_pk, _sk   where it stands in an index, if it does

Every index is projected whole, because the board is one query over `group`.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from brihaspati import ports
from brihaspati.adapters.dynamodb.place import Place

_CONNECT_SECONDS = 2.0
_READ_SECONDS = 5.0
_AT_ONCE = 32


class Row(Model):
    """A row without its index columns; `rows` adds those a table has."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    v = NumberAttribute()
    d = UnicodeAttribute()
    e = NumberAttribute(null=True)
    ttl = NumberAttribute(null=True)
    w = UnicodeAttribute()

    INDEXES: ClassVar[tuple[str, ...]] = ()

    def item(self) -> ports.Item:
        """The item this row holds."""
        places = {name: getattr(self, f"{name}_pk") for name in self.INDEXES}
        return ports.Item(
            key=ports.Key(self.pk, self.sk),
            version=int(self.v),
            body=json.loads(self.d),
            indexes={
                name: ports.Key(partition, getattr(self, f"{name}_sk"))
                for name, partition in places.items()
                if partition is not None
            },
            expires_at=int(self.e) if self.e is not None else None,
        )

    def is_alive(self, now: ports.Moment) -> bool:
        """Whether its time is not over."""
        return self.e is None or self.e > now


def rows(place: Place) -> type[Row]:
    """The class of a table's rows; it connects at first use."""
    meta = {
        "table_name": place.table,
        "region": place.region,
        "host": place.endpoint,
        "connect_timeout_seconds": _CONNECT_SECONDS,
        "read_timeout_seconds": _READ_SECONDS,
        "max_retry_attempts": 0,  # we retry: only we know whose write a conflict shows
        "max_pool_connections": _AT_ONCE,
    }
    if place.keys is not None:
        meta["aws_access_key_id"], meta["aws_secret_access_key"] = place.keys
    columns: dict[str, Any] = {"Meta": type("Meta", (), meta), "INDEXES": place.indexes}
    for name in place.indexes:
        columns[f"{name}_pk"] = UnicodeAttribute(null=True)
        columns[f"{name}_sk"] = UnicodeAttribute(null=True)
        columns[f"{name}_index"] = _index(name)()
    made: Any = type(Row)
    found: type[Row] = made("TableRow", (Row,), columns)
    return found


def _index(name: str) -> type[GlobalSecondaryIndex[Any]]:
    meta = {"index_name": name, "projection": AllProjection()}
    columns = {
        "Meta": type("Meta", (), meta),
        f"{name}_pk": UnicodeAttribute(hash_key=True),
        f"{name}_sk": UnicodeAttribute(range_key=True),
    }
    return type("TableIndex", (GlobalSecondaryIndex,), columns)


def filled(row: type[Row], put: ports.Put, text: str, version: int, writer: str) -> Row:
    """The row of a put."""
    columns: dict[str, Any] = {}
    for name, key in put.indexes.items():
        if name not in row.INDEXES:
            raise ports.Refused(f"the table has no index {name!r}; it has {', '.join(row.INDEXES)}")
        columns[f"{name}_pk"], columns[f"{name}_sk"] = key.partition, key.sort
    if put.expires_at is not None:
        columns["e"], columns["ttl"] = put.expires_at, -(-put.expires_at // 1000)
    return row(put.key.partition, put.key.sort, v=version, d=text, w=writer, **columns)
