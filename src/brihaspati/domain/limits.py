"""Bounds every store and queue keeps, checked before any engine sees the request.

They are the narrowest of the engines we support (a DynamoDB item holds 400 KB, a transaction 100
items and 4 MB, an SQS message 256 KB), so what works on a laptop works in the cloud.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

KEY_BYTES_MAX = 1024
ITEM_BYTES_MAX = 400 * 1024
ITEM_OVERHEAD_BYTES = 128  # attribute names, version and expiry, as an engine may count them
WRITES_MAX = 100
KEYS_MAX = 100
TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
MESSAGE_BYTES_MAX = 256 * 1024
NESTING_MAX = 64
VERSION_MAX = 2**53  # beyond it JSON readers elsewhere lose digits
MOMENT_MAX = 253_402_300_800_000  # the year 10000 in milliseconds

Encode = Callable[[Any], str]

_PLAIN = frozenset((str, int, bool, type(None)))
_SINGLE = (str, int, float)
_LISTS = (list, tuple)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
)


class Unacceptable(ValueError):  # noqa: N818 - adapters turn it into their port's `Refused`
    """The request can never succeed; the text says which part of it and why."""


class Plain(dict[str, Any]):
    """A body whose values an encoder to plain values has just made: nobody has to look at each."""

    __slots__ = ()


class KeyLike(Protocol):
    """A key as `ports.Key` has it; the domain may not import the ports."""

    @property
    def partition(self) -> str: ...  # noqa: D102
    @property
    def sort(self) -> str: ...  # noqa: D102


class WriteLike(Protocol):
    """A write as `ports.Put`, `ports.Delete` and `ports.Check` have it."""

    @property
    def key(self) -> KeyLike: ...  # noqa: D102
    @property
    def expect(self) -> int | None: ...  # noqa: D102


def check_key(key: KeyLike) -> int:
    """Bytes of a key. Raises Unacceptable when a part is empty, too long or not Unicode."""
    return _part_bytes("partition", key.partition) + _part_bytes("sort key", key.sort)


def is_key(key: KeyLike) -> bool:
    """Whether an item may have this key at all; if not, reading it finds nothing."""
    try:
        check_key(key)
    except Unacceptable:
        return False
    return True


def check_keys(keys: Sequence[KeyLike]) -> None:
    """Raises Unacceptable when more keys are asked for at once than an engine answers."""
    if len(keys) > KEYS_MAX:
        raise Unacceptable(f"{len(keys)} keys were asked for at once; at most {KEYS_MAX} are")


def check_limit(limit: int) -> None:
    """Raises Unacceptable for a page of no items."""
    if limit < 1:
        raise Unacceptable(f"a page of {limit} items was asked for; at least 1 is needed")


def check_writes(writes: Sequence[WriteLike], encode: Encode = _ENCODER.encode) -> tuple[str, ...]:
    """JSON text of each write's body, in order ("" where there is none).

    `encode` makes the text of a body that is nothing but JSON, without spaces and escapes.
    Raises Unacceptable: no writes or too many, a key twice, a bad key, version or expiry, a body
    that is not JSON, an item or the whole too large.
    """
    if not 1 <= len(writes) <= WRITES_MAX:
        raise Unacceptable(f"a transaction has 1 to {WRITES_MAX} writes, this one {len(writes)}")
    texts = []
    total = 0
    seen: set[tuple[str, str]] = set()
    for write in writes:
        place = (write.key.partition, write.key.sort)
        if place in seen:
            raise Unacceptable(f"two writes of one transaction name the same item {place!r}")
        seen.add(place)
        text, size = _write(write, encode)
        texts.append(text)
        total += size
    if total > TRANSACTION_BYTES_MAX:
        raise Unacceptable(f"the transaction has {total} bytes; at most {TRANSACTION_BYTES_MAX}")
    return tuple(texts)


def check_name(kind: str, name: str) -> None:
    """Raises Unacceptable when a name (of an alarm, say) is empty, too long or not Unicode."""
    _part_bytes(kind, name)


def check_message(topic: str, body: Mapping[str, Any]) -> str:
    """JSON text of a message's body. Raises Unacceptable: no topic, not JSON, too large."""
    _part_bytes("topic", topic)
    text, size = _json(body, _ENCODER.encode)
    if size > MESSAGE_BYTES_MAX:
        raise Unacceptable(f"the message has {size} bytes; at most {MESSAGE_BYTES_MAX} fit")
    return text


def _part_bytes(name: str, text: str) -> int:
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Unacceptable(f"the {name} {text[:40]!r} is not valid Unicode") from None
    if size == 0:
        raise Unacceptable(f"the {name} is empty")
    if size > KEY_BYTES_MAX:
        raise Unacceptable(
            f"the {name} {text[:40]!r}... has {size} bytes; at most {KEY_BYTES_MAX} fit"
        )
    return size


def _write(write: WriteLike, encode: Encode) -> tuple[str, int]:
    size = check_key(write.key)
    expect = write.expect
    if expect is not None and not 0 <= expect < VERSION_MAX:
        raise Unacceptable(f"expect={expect} is no version; it is None, 0 or a version read before")
    body = getattr(write, "body", None)
    if body is None:
        return "", size
    for name, key in getattr(write, "indexes", {}).items():
        size += _part_bytes("index name", name) + check_key(key)
    expires_at = getattr(write, "expires_at", None)
    if expires_at is not None and not 0 <= expires_at < MOMENT_MAX:
        raise Unacceptable(f"expires_at={expires_at} is no moment in milliseconds")
    text, body_size = _json(body, encode)
    size += body_size + ITEM_OVERHEAD_BYTES
    if size > ITEM_BYTES_MAX:
        raise Unacceptable(
            f"the item {write.key.partition}/{write.key.sort} has {size} bytes;"
            f" at most {ITEM_BYTES_MAX} fit"
        )
    return text, size


def _json(body: Mapping[str, Any], encode: Encode) -> tuple[str, int]:
    try:
        if not isinstance(body, dict):
            raise TypeError(f"a body is a dict, not {type(body).__name__}")
        if type(body) is not Plain:
            _check_values(body, NESTING_MAX)
        text = encode(body)
        return text, len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Unacceptable("the body has text that is not valid Unicode") from None
    except (TypeError, ValueError) as error:
        raise Unacceptable(f"the body is not JSON: {error}") from None


def _check_values(value: Any, levels: int) -> None:
    """What is not JSON, and what an encoder would quietly change (names that are not text)."""
    if isinstance(value, dict):
        try:
            "".join(value)  # the quickest way to ask whether all of them are text
        except TypeError:
            name = next(name for name in value if not isinstance(name, str))
            raise TypeError(f"the name {name!r} of a value is not text") from None
        children: Iterable[Any] = value.values()
    elif isinstance(value, _LISTS):
        children = value
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"it has no {value}")
    elif isinstance(value, _SINGLE):
        return
    else:
        raise TypeError(f"it has no {type(value).__name__}")
    if not levels:
        raise ValueError(f"it is nested more than {NESTING_MAX} deep")
    # Most values are plain, and every write comes through here: ask for all their types at once.
    if not _PLAIN.issuperset(map(type, children)):
        for child in children:
            if type(child) not in _PLAIN:
                _check_values(child, levels - 1)
