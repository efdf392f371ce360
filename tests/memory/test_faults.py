"""The memory adapters go wrong exactly as scripted, and in no other way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.ports import Delete, Key, Put

A = Key("p", "a")


def _script(*faults: memory.Fault | None) -> memory.Faults:
    """The given faults of `transact`, one after another, then none."""
    left = iter(faults)
    return lambda operation: next(left, None) if operation == "transact" else None


def test_a_busy_store_has_written_nothing() -> None:
    store = memory.Store(memory.ManualClock(), faults=_script("busy"))
    with pytest.raises(ports.Busy):
        store.transact([Put(A, {})])
    assert store.get(A) is None
    assert store.transact([Put(A, {})]) == (1,)


def test_a_conflict_with_a_transaction_under_way_has_written_nothing() -> None:
    store = memory.Store(memory.ManualClock(), faults=_script(None, "conflict"))
    store.transact([Put(A, {"n": 1}, 0)])
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Put(A, {"n": 2}, 1)])
    assert caught.value.found == {0: ports.Item(A, 1, {"n": 1})}
    assert store.transact([Put(A, {"n": 2}, 1)]) == (2,)


def test_a_lost_reply_comes_after_the_commit() -> None:
    store = memory.Store(memory.ManualClock(), faults=_script("lost"))
    with pytest.raises(ports.Busy):
        store.transact([Put(A, {"n": 1}, 0)])
    assert store.get(A) == ports.Item(A, 1, {"n": 1})


@pytest.mark.parametrize("operation", ["get", "get_many", "query", "query_index"])
def test_reads_can_be_busy_too(operation: str) -> None:
    store = memory.Store(
        memory.ManualClock(), faults=lambda asked: "busy" if asked == operation else None
    )
    calls: dict[str, Callable[[], object]] = {
        "get": lambda: store.get(A),
        "get_many": lambda: store.get_many([A]),
        "query": lambda: store.query("p"),
        "query_index": lambda: store.query_index("due", "d"),
    }
    with pytest.raises(ports.Busy):
        calls.pop(operation)()
    for call in calls.values():
        call()


def test_a_lagging_index_shows_what_was_and_catches_up() -> None:
    clock = memory.ManualClock()
    store = memory.Store(clock, index_lag_ms=500)

    def seen() -> list[tuple[int, dict[str, object]]]:
        items = store.query_index("due", "d").items
        return [(item.version, dict(item.body)) for item in items]

    store.transact([Put(A, {"n": 1}, None, {"due": Key("d", "1")})])
    assert seen() == []
    clock.advance(0.5)
    assert seen() == [(1, {"n": 1})]
    store.transact([Put(A, {"n": 2}, None, {"due": Key("d", "2")})])
    assert seen() == [(1, {"n": 1})]
    clock.advance(0.5)
    assert seen() == [(2, {"n": 2})]
    store.transact([Delete(A)])
    assert seen() == [(2, {"n": 2})]
    assert store.get(A) is None
    clock.advance(0.5)
    assert seen() == []


def _bodies(taken: Iterable[ports.Taken]) -> list[object]:
    return [one.message.body["n"] for one in taken]


def test_a_queue_may_deliver_twice_and_late() -> None:
    clock = memory.ManualClock()
    queue = memory.Queue(clock, copies=lambda message: (0, 30) if message.body["n"] == 1 else (5,))
    queue.put(ports.Message("t", {"n": 1}))
    queue.put(ports.Message("t", {"n": 2}))
    assert _bodies(queue.take(10, visible_after_seconds=600)) == [1]
    clock.advance(5)
    assert _bodies(queue.take(10, visible_after_seconds=600)) == [2]
    clock.advance(25)
    assert _bodies(queue.take(10, visible_after_seconds=600)) == [1]


def test_a_queue_tells_when_the_next_message_is_visible() -> None:
    clock = memory.ManualClock()
    queue = memory.Queue(clock)
    assert queue.next_at() is None
    queue.put(ports.Message("t", {}), delay_seconds=9)
    queue.put(ports.Message("t", {}), delay_seconds=4)
    assert queue.next_at() == clock.now() + 4000
