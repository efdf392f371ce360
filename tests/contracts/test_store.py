"""Versions, conflicts, atomicity: what every store keeps."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.ports import Check, Delete, Key, Put

A, B, C = Key("p", "a"), Key("p", "b"), Key("q", "a")


def test_an_item_comes_back_as_it_was_put(store: ports.Store) -> None:
    place = Key("class#1", "0005#x")
    put = Put(A, {"name": "Ada"}, 0, {"due": place}, 1_900_000_000_000)
    assert store.transact([put]) == (1,)
    assert store.get(A) == ports.Item(A, 1, {"name": "Ada"}, {"due": place}, 1_900_000_000_000)


def test_an_absent_item_is_none(store: ports.Store) -> None:
    assert store.get(A) is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"": ""},
        {"text": "emoji 😀 \U0010ffff, NUL \0, quote ' \" \\ and नमस्ते"},
        {"big": 10**60, "small": -(10**60), "edge": 2**63},
        {"float": 0.1, "tiny": 5e-324, "huge": 1.7976931348623157e308, "minus": -0.0},
        {"deep": [[{"a": [None, True, False]}], []], "order": {"z": 1, "a": 2}},
    ],
)
def test_bodies_keep_every_json_value(store: ports.Store, body: dict[str, Any]) -> None:
    store.transact([Put(A, body)])
    found = store.get(A)
    assert found is not None
    assert found.body == body
    assert repr(found.body) == repr(body)  # 1 and 1.0 and True are equal, and not the same


def test_a_tuple_comes_back_as_a_list(store: ports.Store) -> None:
    store.transact([Put(A, {"pair": (1, "b")})])
    found = store.get(A)
    assert found is not None
    assert found.body == {"pair": [1, "b"]}


def test_changing_what_was_read_or_put_changes_nothing_stored(store: ports.Store) -> None:
    body = {"list": [1]}
    store.transact([Put(A, body)])
    body["list"].append(2)
    found = store.get(A)
    assert found is not None
    found.body["list"].append(3)
    again = store.get(A)
    assert again is not None
    assert again.body == {"list": [1]}


def test_versions_count_from_one_with_and_without_expectation(store: ports.Store) -> None:
    assert store.transact([Put(A, {}, 0)]) == (1,)
    assert store.transact([Put(A, {}, 1)]) == (2,)
    assert store.transact([Put(A, {})]) == (3,)
    assert store.transact([Put(A, {}, 3)]) == (4,)


@pytest.mark.parametrize("expect", [0, 1, 3])
def test_a_put_that_expects_another_version_is_a_conflict(store: ports.Store, expect: int) -> None:
    store.transact([Put(A, {"n": 1})])
    store.transact([Put(A, {"n": 2})])
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Put(A, {"n": 3}, expect)])
    assert caught.value.found == {0: ports.Item(A, 2, {"n": 2})}
    found = store.get(A)
    assert found is not None
    assert (found.version, found.body) == (2, {"n": 2})


def test_a_put_that_expects_a_version_of_an_absent_item_finds_none(store: ports.Store) -> None:
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Put(A, {}, 4)])
    assert caught.value.found == {0: None}


def test_a_conflict_reports_every_failing_write_and_only_those(store: ports.Store) -> None:
    store.transact([Put(A, {"n": 1}, 0), Put(B, {"n": 1}, 0)])
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Put(A, {}, 0), Put(B, {}, 1), Delete(C, 2), Check(Key("p", "z"), 1)])
    assert caught.value.found == {0: ports.Item(A, 1, {"n": 1}), 2: None, 3: None}


def test_a_conflict_undoes_the_writes_around_it(store: ports.Store) -> None:
    store.transact([Put(A, {"n": 1}, 0), Put(B, {"n": 1}, 0)])
    with pytest.raises(ports.Conflict):
        store.transact([Put(A, {"n": 2}), Delete(B), Put(C, {}, 9)])
    assert store.get_many([A, B, C]) == {
        A: ports.Item(A, 1, {"n": 1}),
        B: ports.Item(B, 1, {"n": 1}),
    }


def test_a_deleted_item_is_absent_and_starts_anew(store: ports.Store) -> None:
    store.transact([Put(A, {}), Put(B, {})])
    assert store.transact([Delete(A, 1)]) == (0,)
    assert store.get(A) is None
    assert store.transact([Put(A, {}, 0)]) == (1,)


def test_deleting_an_absent_item_is_fine_unless_a_version_is_expected(
    store: ports.Store,
) -> None:
    assert store.transact([Delete(A)]) == (0,)
    assert store.transact([Delete(A, 0)]) == (0,)
    with pytest.raises(ports.Conflict):
        store.transact([Delete(A, 1)])


def test_a_check_lets_pass_or_stops_and_writes_nothing(store: ports.Store) -> None:
    store.transact([Put(A, {"n": 1})])
    assert store.transact([Check(A, 1), Check(C, 0), Put(B, {})]) == (0, 0, 1)
    with pytest.raises(ports.Conflict) as caught:
        store.transact([Check(A, 0), Check(C, 1), Put(B, {})])
    assert caught.value.found == {0: ports.Item(A, 1, {"n": 1}), 1: None}
    assert store.get(A) == ports.Item(A, 1, {"n": 1})


def test_a_transaction_of_checks_alone_is_a_read(store: ports.Store) -> None:
    store.transact([Put(A, {})])
    assert store.transact([Check(A, 1)]) == (0,)


def test_a_hundred_items_are_written_at_once(store: ports.Store) -> None:
    keys = [Key(f"p{n % 7}", f"s{n}") for n in range(100)]
    assert store.transact([Put(key, {"n": n}) for n, key in enumerate(keys)]) == (1,) * 100
    assert set(store.get_many(keys)) == set(keys)


def test_get_many_gives_what_exists_once(store: ports.Store) -> None:
    store.transact([Put(A, {}), Put(C, {})])
    assert set(store.get_many([A, B, A, C])) == {A, C}
    assert store.get_many([]) == {}


def test_keys_differ_by_every_byte(store: ports.Store) -> None:
    keys = [Key("p", sort) for sort in ("a", "a\0", "A", "ä", "a\u0308", "😀", " a", "a ")]
    store.transact([Put(key, {"sort": key.sort}) for key in keys])
    for key in keys:
        found = store.get(key)
        assert found is not None
        assert found.body["sort"] == key.sort
        assert store.get_many([key, B]) == {key: found}


def test_threads_that_count_on_one_item_lose_no_update(store: ports.Store) -> None:
    rounds, threads = 25, 4
    store.transact([Put(A, {"n": 0}, 0)])

    def count() -> None:
        done = 0
        while done < rounds:
            item = store.get(A)
            assert item is not None
            try:
                store.transact([Put(A, {"n": item.body["n"] + 1}, item.version)])
                done += 1
            except ports.Conflict:
                continue

    workers = [threading.Thread(target=count) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = store.get(A)
    assert found is not None
    assert (found.body["n"], found.version) == (rounds * threads, rounds * threads + 1)
