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
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection.table import TableConnection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from brihaspati import ports
from brihaspati.domain import limits

INDEXES = ("due", "group")
TTL_ATTRIBUTE = "ttl"
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 5.0
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Which table, and where. None leaves region, endpoint or keys to the AWS environment."""

    table: str
    region: str | None = None
    endpoint: str | None = None
    keys: tuple[str, str] | None = None
    indexes: tuple[str, ...] = INDEXES


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


class Connection:
    """The way to a table, made at first use by one thread alone."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._row: type[Row] | None = None

    def row(self) -> type[Row]:
        """The row class, connected. No request is sent."""
        if self._row is None:
            with self._lock:  # botocore must not make clients in two threads
                if self._row is None:
                    row = rows(self.place)
                    _ = row._get_connection().connection.client  # noqa: SLF001 - the only way
                    self._row = row
        return self._row

    def table(self) -> TableConnection:
        """PynamoDB's connection to the table."""
        return self.row()._get_connection()  # noqa: SLF001 - PynamoDB has no public way

    def client(self) -> Any:
        """The botocore client, made if need be: ahead of a snapshot, or to hang a handler on."""
        return self.table().connection.client


def definition(table: str, indexes: Sequence[str] = INDEXES) -> dict[str, Any]:
    """What CreateTable takes. The template of the cloud mode is tested to say the same."""
    keys = ["pk", "sk"] + [f"{name}_{end}" for name in sorted(indexes) for end in ("pk", "sk")]
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": _schema(f"{name}_pk", f"{name}_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
            for name in sorted(indexes)
        ],
    }


def _schema(partition: str, sort: str) -> list[Mapping[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def may_hold(text: str) -> bool:
    """Whether a key could be this text."""
    return limits.is_key(ports.Key(text, text))
