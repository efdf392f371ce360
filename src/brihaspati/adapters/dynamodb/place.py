"""Which table, and the way to it.

What talks to DynamoDB is loaded at its first use: it is a third of a cold start, and some requests
ask nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brihaspati import ports
from brihaspati.domain import limits

if TYPE_CHECKING:
    from pynamodb.connection.table import TableConnection

    from brihaspati.adapters.dynamodb.table import Row

INDEXES = ("due", "group")
TTL_ATTRIBUTE = "ttl"


class Unusable(ports.NotSetUp):
    """The table cannot be used as things are; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which table, and where. None leaves region, endpoint or keys to the AWS environment."""

    table: str
    region: str | None = None
    endpoint: str | None = None
    keys: tuple[str, str] | None = None
    indexes: tuple[str, ...] = INDEXES


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
                    from brihaspati.adapters.dynamodb import table  # noqa: PLC0415 - as above

                    row = table.rows(self.place)
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
