"""What DynamoDB does on a bad day: it throttles, conflicts, and loses what it had to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, dynamodb, memory
from brihaspati.adapters.dynamodb import patience
from brihaspati.ports import Check, Delete, Item, Key, Put
from emulators import faults, servers

A, B, C = Key("p", "a"), Key("p", "b"), Key("q", "a")


def _two() -> list[ports.Write]:
    return [Put(A, {"n": 1}, 0), Put(B, {"n": 1}, 0)]


@pytest.mark.parametrize(
    ("operation", "writes"),
    [
        pytest.param("PutItem", [Put(A, {"n": 1}, 0)], id="put"),
        pytest.param("PutItem", [Put(A, {"n": 1})], id="put that does not care"),
        pytest.param("TransactWriteItems", _two(), id="transaction"),
    ],
)
def test_a_write_whose_reply_was_lost_is_known_again(
    connection: dynamodb.Connection,
    store: dynamodb.Store,
    operation: str,
    writes: list[ports.Write],
) -> None:
    plan = faults.in_turn(operation, faults.Lost())
    with faults.met(connection.client(), plan):
        assert store.transact(writes) == (1,) * len(writes)
    assert store.get(A) == Item(A, 1, {"n": 1})


def test_a_transaction_that_was_lost_twice_is_known_again_without_its_token(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    # DynamoDB forgets tokens after ten minutes, and some emulators never knew them.
    plan = faults.in_turn(
        "TransactWriteItems",
        faults.Lost(),
        faults.cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"),
    )
    with faults.met(connection.client(), plan):
        assert store.transact(_two()) == (1, 1)


def test_a_delete_whose_reply_was_lost_is_not_taken_for_somebody_elses(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    # A one-time link is spent by such a delete: whoever spent it must hear so.
    store.transact([Put(A, {})])
    with faults.met(connection.client(), faults.in_turn("", faults.Lost())):
        assert store.transact([Delete(A, 1)]) == (0,)
    with pytest.raises(ports.Conflict):
        store.transact([Delete(A, 1)])


def test_another_who_was_faster_is_not_taken_for_us(
    connection: dynamodb.Connection, clock: memory.ManualClock, store: dynamodb.Store
) -> None:
    other = dynamodb.Store(connection, clock, clocks.SystemChance())
    seen: list[str] = []

    def plan(operation: str, _: dict[str, Any]) -> faults.Fault:
        if operation == "PutItem" and not seen:
            seen.append(operation)
            other.transact([Put(A, {"by": "other"}, 0)])
            return faults.throttled()
        return None

    with faults.met(connection.client(), plan), pytest.raises(ports.Conflict) as caught:
        store.transact([Put(A, {"by": "us"}, 0)])
    assert caught.value.found == {0: Item(A, 1, {"by": "other"})}


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("TransactWriteItems", faults.cancelled("TransactionConflict", "None")),
        ("TransactWriteItems", faults.cancelled("None", "ThrottlingError")),
        ("TransactWriteItems", faults.Answer("TransactionInProgressException")),
        ("TransactWriteItems", faults.throttled()),
        ("TransactWriteItems", faults.Answer("InternalServerError", 500)),
    ],
)
def test_what_passes_is_tried_again(
    connection: dynamodb.Connection,
    store: dynamodb.Store,
    pauses: list[float],
    operation: str,
    fault: faults.Answer,
) -> None:
    with faults.met(connection.client(), faults.in_turn(operation, fault, fault, fault)):
        assert store.transact(_two()) == (1, 1)
    assert len(pauses) == 3
    assert all(0 < pause <= 1 for pause in pauses)


def test_a_plain_put_that_meets_a_transaction_is_tried_again(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    fault = faults.Answer("TransactionConflictException")
    with faults.met(connection.client(), faults.in_turn("PutItem", fault)):
        assert store.transact([Put(A, {}, 0)]) == (1,)


def test_a_conflict_beside_a_passing_fault_is_a_conflict(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    store.transact([Put(B, {"n": 7}, 0)])
    fault = faults.cancelled("TransactionConflict", "ConditionalCheckFailed")
    with (
        faults.met(connection.client(), faults.in_turn("TransactWriteItems", fault)),
        pytest.raises(ports.Conflict) as caught,
    ):
        store.transact(_two())
    assert caught.value.found == {1: Item(B, 1, {"n": 7})}


def test_reasons_are_told_of_the_writes_they_belong_to(store: dynamodb.Store) -> None:
    # They come in the order sent: checks, deletes, puts.
    store.transact([Put(A, {}, 0), Put(B, {}, 0)])
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Put(C, {}, 0), Put(A, {}, 0), Delete(B, 1), Check(Key("z", "z"), 3)])
    assert set(caught.value.found) == {1, 3}


@pytest.mark.parametrize("call", ["get", "get_many", "query", "query_index", "transact"])
def test_a_store_that_stays_throttled_is_busy_after_a_bounded_time(
    connection: dynamodb.Connection, store: dynamodb.Store, pauses: list[float], call: str
) -> None:
    calls: dict[str, Callable[[], object]] = {
        "get": lambda: store.get(A),
        "get_many": lambda: store.get_many([A]),
        "query": lambda: store.query("p"),
        "query_index": lambda: store.query_index("due", "d"),
        "transact": lambda: store.transact(_two()),
    }
    with (
        faults.met(connection.client(), lambda *_: faults.throttled()),
        pytest.raises(ports.Busy, match="ProvisionedThroughputExceeded"),
    ):
        calls[call]()
    assert len(pauses) == patience.TRIES_MAX - 1
    assert sum(pauses) < 10


def test_keys_that_a_batch_leaves_out_are_asked_for_again(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    keys = [Key("p", f"{n:02}") for n in range(60)]
    store.transact([Put(key, {"a": "x" * 60_000}) for key in keys])
    asked: list[int] = []

    def plan(_: str, body: dict[str, Any]) -> faults.Fault:
        (table,) = body["RequestItems"].values()
        asked.append(len(table["Keys"]))
        if len(asked) == 1:
            name, wanted = connection.place.table, table["Keys"]
            more = {"Responses": {name: []}, "UnprocessedKeys": {name: {"Keys": wanted[:10]}}}
            return faults.Answer("", 200, more)
        return None

    with faults.met(connection.client(), plan):
        assert len(store.get_many(keys)) == 10
    assert asked == [60, 10]


def test_a_batch_of_more_than_16_megabytes_comes_whole(store: dynamodb.Store) -> None:
    keys = [Key("p", f"{n:02}") for n in range(60)]
    for start in range(0, 60, 10):
        store.transact([Put(key, {"a": "x" * 390_000}) for key in keys[start : start + 10]])
    assert set(store.get_many(keys)) == set(keys)


def test_a_table_that_is_not_there_is_named_with_the_remedy(
    connection: dynamodb.Connection, clock: memory.ManualClock
) -> None:
    place = dynamodb.Place("nowhere", servers.REGION, connection.place.endpoint, servers.KEYS)
    store = dynamodb.Store(dynamodb.Connection(place), clock, clocks.SystemChance())
    with pytest.raises(dynamodb.Unusable, match=r"nowhere.*BRIHASPATI_TABLE"):
        store.get(A)
    with pytest.raises(dynamodb.Unusable, match=r"nowhere.*BRIHASPATI_TABLE"):
        store.query("p")
    with pytest.raises(dynamodb.Unusable, match=r"nowhere.*BRIHASPATI_TABLE"):
        store.transact(_two())


def test_an_index_that_is_not_there_is_named(store: dynamodb.Store) -> None:
    with pytest.raises(ports.Refused, match="no index 'class'; it has due, group"):
        store.transact([Put(A, {}, 0, {"class": B})])


def test_expiry_is_stored_in_the_unit_that_dynamodb_deletes_by(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    store.transact([Put(A, {}, 0, expires_at=1_900_000_000_001)])
    found = connection.client().get_item(
        TableName=connection.place.table, Key={"pk": {"S": "p"}, "sk": {"S": "a"}}
    )
    assert found["Item"][dynamodb.TTL_ATTRIBUTE] == {"N": "1900000001"}


def test_one_write_is_no_transaction_and_a_page_is_one_request(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    asked: list[str] = []

    def plan(operation: str, _: dict[str, Any]) -> None:
        asked.append(operation)

    with faults.met(connection.client(), plan):
        store.transact([Put(A, {}, 0)])
        store.transact([Delete(B)])
        store.transact([Check(A, 1)])
        store.transact([Put(A, {}, 1), Put(B, {}, 0)])
        assert store.query("p", limit=2).cursor is None
    assert asked == ["PutItem", "DeleteItem", "GetItem", "TransactWriteItems", "Query"]


def test_what_must_not_lag_is_read_strongly(
    connection: dynamodb.Connection, store: dynamodb.Store
) -> None:
    strong: dict[str, bool] = {}

    def plan(operation: str, body: dict[str, Any]) -> None:
        asked = next(iter(body.get("RequestItems", {"": body}).values()))
        strong[operation] = asked.get("ConsistentRead", False)

    with faults.met(connection.client(), plan):
        store.get(A)
        store.get_many([A])
        store.query("p")
    assert strong == {"GetItem": True, "BatchGetItem": True, "Query": True}
