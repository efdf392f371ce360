"""An expired item is absent everywhere, whether or not it is deleted yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.ports import Check, Delete, Key, Put

A, B = Key("p", "a"), Key("p", "b")
PLACE = Key("d", "1")


@pytest.fixture
def expired(store: ports.Store, clock: memory.ManualClock) -> Key:
    """The key of an item at version 2 whose time is just over."""
    store.transact([Put(A, {"n": 1}, 0, {"due": PLACE})])
    store.transact([Put(A, {"n": 2}, 1, {"due": PLACE}, clock.now() + 1000)])
    clock.advance(1)
    return A


def test_an_item_lives_until_its_moment(store: ports.Store, clock: memory.ManualClock) -> None:
    store.transact([Put(A, {}, expires_at=clock.now() + 1000)])
    clock.advance(0.999)
    assert store.get(A) is not None
    clock.advance(0.001)
    assert store.get(A) is None


def test_no_way_of_reading_shows_an_expired_item(store: ports.Store, expired: Key) -> None:
    assert store.get(expired) is None
    assert store.get_many([expired]) == {}
    assert store.query("p").items == ()
    assert store.query_index("due", "d").items == ()


def test_conditions_see_an_expired_item_as_absent(store: ports.Store, expired: Key) -> None:
    for write in (Put(expired, {}, 2), Delete(expired, 2), Check(expired, 2)):
        with pytest.raises(ports.Conflict) as caught:
            store.transact([write])
        assert caught.value.found == {0: None}
    assert store.transact([Check(expired, 0), Delete(B, 0)]) == (0, 0)


def test_a_put_over_an_expired_item_starts_anew(store: ports.Store, expired: Key) -> None:
    assert store.transact([Put(expired, {"n": 3}, 0)]) == (1,)
    assert store.get(expired) == ports.Item(expired, 1, {"n": 3})
    assert store.query_index("due", "d").items == ()


def test_a_put_that_does_not_care_starts_anew_too(store: ports.Store, expired: Key) -> None:
    assert store.transact([Put(expired, {})]) == (1,)


def test_a_later_put_may_take_the_expiry_away(
    store: ports.Store, clock: memory.ManualClock
) -> None:
    store.transact([Put(A, {}, expires_at=clock.now() + 1000)])
    store.transact([Put(A, {})])
    clock.advance(10)
    assert store.get(A) is not None


def test_an_item_put_already_expired_is_absent(
    store: ports.Store, clock: memory.ManualClock
) -> None:
    assert store.transact([Put(A, {}, 0, expires_at=clock.now())]) == (1,)
    assert store.get(A) is None


def test_pages_are_full_of_living_items(store: ports.Store, clock: memory.ManualClock) -> None:
    soon = clock.now() + 1000
    store.transact(
        [
            Put(
                Key("p", f"{n:02}"),
                {},
                None,
                {"due": Key("d", f"{n:02}")},
                soon if n % 2 else None,
            )
            for n in range(20)
        ]
    )
    clock.advance(5)
    assert [item.key.sort for item in store.query("p", limit=3).items] == ["00", "02", "04"]
    found = store.query_index("due", "d", limit=3)
    assert [item.key.sort for item in found.items] == ["00", "02", "04"]


def test_the_sweep_deletes_expired_items_and_no_others(
    store: ports.Store, clock: memory.ManualClock, expired: Key, sweep: Callable[[], int]
) -> None:
    keys = [Key("many", f"{n}") for n in range(450)]
    for start in range(0, 450, 90):
        batch = keys[start : start + 90]
        store.transact([Put(k, {}, None, {"due": PLACE}, clock.now() + 5000) for k in batch])
    store.transact([Put(B, {}, None, {"due": PLACE})])
    assert sweep() == 1
    clock.advance(5)
    assert sweep() == 450
    assert sweep() == 0
    clock.set(0)  # only what is really gone stays away now
    assert store.get(expired) is None
    assert store.query("many").items == ()
    assert [item.key for item in store.query_index("due", "d").items] == [B]


def test_a_new_item_inherits_no_index_of_a_swept_one(
    store: ports.Store, expired: Key, sweep: Callable[[], int]
) -> None:
    assert sweep() == 1
    assert store.get(expired) is None
    store.transact([Put(B, {})])
    assert store.query_index("due", "d").items == ()
