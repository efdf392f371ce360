"""Which table, where it is, and what it must be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brihaspati import ports
from brihaspati.domain import limits

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
