"""What no store takes is refused before any engine sees it, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.domain import limits
from brihaspati.ports import Check, Delete, Key, Put

A, B = Key("p", "a"), Key("p", "b")
LONG = "x" * 1025
LONG_IN_BYTES = "é" * 513


def _nested(depth: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for _ in range(depth - 1):
        body = {"a": body}
    return body


@pytest.mark.parametrize(
    "writes",
    [
        pytest.param([], id="no writes"),
        pytest.param([Put(Key("p", str(n)), {}) for n in range(101)], id="101 writes"),
        pytest.param([Put(A, {}), Delete(A)], id="a key twice"),
        pytest.param([Put(Key("", "a"), {})], id="empty partition"),
        pytest.param([Delete(Key("p", ""))], id="empty sort key"),
        pytest.param([Check(Key(LONG, "a"), 0)], id="long partition"),
        pytest.param([Put(Key("p", LONG), {})], id="long sort key"),
        pytest.param([Put(Key("p", LONG_IN_BYTES), {})], id="long in bytes, not in letters"),
        pytest.param([Put(Key("p", "\ud800"), {})], id="half a surrogate pair in a key"),
        pytest.param([Put(A, {}, indexes={"due": Key("", "a")})], id="empty index partition"),
        pytest.param([Put(A, {}, indexes={"due": Key("d", LONG)})], id="long index key"),
        pytest.param([Put(A, {}, indexes={"": Key("d", "a")})], id="empty index name"),
        pytest.param([Put(A, {}, -1)], id="negative version"),
        pytest.param([Put(A, {}, 2**60)], id="impossible version"),
        pytest.param([Put(A, {}, expires_at=-1)], id="expiry before the epoch"),
        pytest.param([Put(A, {}, expires_at=10**18)], id="expiry in another unit"),
        pytest.param([Put(A, {"a": "x" * limits.ITEM_BYTES_MAX})], id="400 KB"),
        pytest.param([Put(A, {"a": "é" * (limits.ITEM_BYTES_MAX // 2)})], id="400 KB in bytes"),
        pytest.param(
            [Put(Key("p", str(n)), {"a": "x" * 390_000}) for n in range(11)], id="over 4 MB"
        ),
        pytest.param([Put(A, {"a": float("nan")})], id="not a number"),
        pytest.param([Put(A, {"a": float("-inf")})], id="infinity"),
        pytest.param([Put(A, {"a": {1, 2}})], id="a set"),
        pytest.param([Put(A, {"a": b"bytes"})], id="bytes"),
        pytest.param([Put(A, {"a": {1: 2}})], id="a name that is no text"),
        pytest.param([Put(A, {"a": "\udfff"})], id="half a surrogate pair in a body"),
        pytest.param([Put(A, {"a": 10**5000})], id="a number nobody can read"),
        pytest.param([Put(A, _nested(limits.NESTING_MAX + 1))], id="too deep"),
    ],
)
def test_a_bad_request_is_refused(store: ports.Store, writes: Sequence[ports.Write]) -> None:
    with pytest.raises(ports.Refused):
        store.transact([*writes, Put(B, {})] if 0 < len(writes) < 100 else writes)
    assert store.get(B) is None


def test_a_body_that_holds_itself_is_refused(store: ports.Store) -> None:
    body: dict[str, Any] = {}
    body["self"] = body
    with pytest.raises(ports.Refused, match="nested"):
        store.transact([Put(A, body)])


def test_the_largest_allowed_of_everything_is_taken(store: ports.Store) -> None:
    key = Key("é" * 512, "x" * 1024)
    room = limits.ITEM_BYTES_MAX - limits.ITEM_OVERHEAD_BYTES - 2048 - len('{"a":""}')
    store.transact([Put(key, {"a": "x" * room}), Put(A, _nested(limits.NESTING_MAX))])
    with pytest.raises(ports.Refused):
        store.transact([Put(key, {"a": "x" * (room + 1)})])
    found = store.get(key)
    assert found is not None
    assert len(found.body["a"]) == room


def test_a_refusal_names_the_item_and_the_bound(store: ports.Store) -> None:
    with pytest.raises(ports.Refused, match=r"p/a has \d+ bytes; at most 409600 fit"):
        store.transact([Put(A, {"a": "x" * limits.ITEM_BYTES_MAX})])


@pytest.mark.parametrize(
    "key", [Key("", "a"), Key("p", ""), Key("p", LONG), Key("p", "\ud800"), Key("\udc00", "a")]
)
def test_reading_what_cannot_exist_finds_nothing(store: ports.Store, key: Key) -> None:
    store.transact([Put(A, {})])
    assert store.get(key) is None
    assert set(store.get_many([key, A])) == {A}
    assert store.query(key.partition, "\ud800").items == ()
    assert store.query_index("due", key.partition, prefix="\ud800").items == ()


def test_more_keys_than_an_engine_answers_are_refused(store: ports.Store) -> None:
    store.get_many([Key("p", str(n)) for n in range(100)])
    with pytest.raises(ports.Refused):
        store.get_many([Key("p", str(n)) for n in range(101)])


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nothing_is_refused(store: ports.Store, limit: int) -> None:
    with pytest.raises(ports.Refused):
        store.query("p", limit=limit)
    with pytest.raises(ports.Refused):
        store.query_index("due", "p", limit=limit)


@pytest.mark.parametrize(
    # The last ones are JSON: null, no places, numbers, half a surrogate pair.
    "cursor",
    ["", "x", "!!!", "é", "bnVsbA==", "W10=", "WzEsMiwzXQ==", "WyJcdWQ4MDAiXQ=="],
)
def test_a_made_up_cursor_is_refused(store: ports.Store, cursor: str) -> None:
    with pytest.raises(ports.Refused):
        store.query("p", cursor=cursor)
    with pytest.raises(ports.Refused):
        store.query_index("due", "p", cursor=cursor)
