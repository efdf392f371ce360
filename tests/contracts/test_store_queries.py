"""Order, prefixes, pages and indexes."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from brihaspati import ports
from brihaspati.ports import Delete, Key, Put

# In UTF-8 byte order, which is not that of UTF-16: U+FFFD comes before U+1F600.
SORTS = ["A", "Z", "a", "a#1", "a#10", "a#2", "aa", "a\U0010ffff", "b", "é", "\ufffd", "😀"]
SORTS += ["\U0010ffff", "\U0010ffffz"]


def _all(page: Callable[[str | None], ports.Page], most: int = 1000) -> list[ports.Item]:
    """Items of all pages, each of which must go on where the last one ended."""
    items: list[ports.Item] = []
    cursor = None
    for _ in range(most):
        found = page(cursor)
        items += found.items
        cursor = found.cursor
        if cursor is None:
            return items
    raise AssertionError("the pages never end")


def _page(store: ports.Store, limit: int, cursor: str | None) -> ports.Page:
    return store.query("p", limit=limit, cursor=cursor)


def _sorts(items: list[ports.Item] | tuple[ports.Item, ...]) -> list[str]:
    return [item.key.sort for item in items]


def _due(store: ports.Store, sorts: dict[str, str]) -> None:
    """Items by their own sort key, each under another one in the index `due`."""
    puts = [Put(Key("p", own), {}, None, {"due": Key("d", due)}) for own, due in sorts.items()]
    store.transact(puts)


def test_a_query_answers_in_byte_order(store: ports.Store) -> None:
    store.transact([Put(Key("p", sort), {}) for sort in reversed(SORTS)])
    assert _sorts(store.query("p").items) == SORTS
    assert sorted(SORTS, key=lambda sort: sort.encode()) == SORTS


@pytest.mark.parametrize(
    "prefix", ["", "a", "A", "a#", "a#1", "a#10", "b", "c", "\ufffd", "\U0010ffff", "a\U0010ffff"]
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_prefix_finds_those_that_start_with_it(
    store: ports.Store, prefix: str, limit: int
) -> None:
    store.transact([Put(Key("p", sort), {}) for sort in SORTS] + [Put(Key("q", "a"), {})])
    found = _all(lambda cursor: store.query("p", prefix, limit=limit, cursor=cursor))
    assert _sorts(found) == [sort for sort in SORTS if sort.startswith(prefix)]


def test_the_last_letter_before_the_surrogates_is_a_fine_prefix(store: ports.Store) -> None:
    sorts = ["\ud7ff", "\ud7ffx", "\ue000"]
    store.transact([Put(Key("p", sort), {}) for sort in sorts])
    assert _sorts(store.query("p", "\ud7ff").items) == sorts[:2]


def test_a_query_keeps_to_its_partition(store: ports.Store) -> None:
    store.transact([Put(Key(p, "s"), {"p": p}) for p in ("p", "p\0", "pp", "P", "q")])
    assert [item.body for item in store.query("p").items] == [{"p": "p"}]


def test_pages_hold_at_most_the_limit_and_miss_nothing(store: ports.Store) -> None:
    keys = [Key("p", f"{n:03}") for n in range(57)]
    store.transact([Put(key, {}) for key in keys])
    for limit in (1, 7, 19, 57, 58):
        assert len(store.query("p", limit=limit).items) == min(limit, 57)
        pages = _all(functools.partial(_page, store, limit))
        assert [item.key for item in pages] == keys


def test_a_short_page_is_the_last(store: ports.Store) -> None:
    store.transact([Put(Key("p", "a"), {})])
    assert store.query("p", limit=2).cursor is None
    assert store.query("nobody", limit=2) == ports.Page(())


def test_items_put_or_deleted_between_pages_disturb_no_others(store: ports.Store) -> None:
    store.transact([Put(Key("p", sort), {}) for sort in "abcdef"])
    first = store.query("p", limit=3)
    store.transact([Delete(Key("p", "c")), Delete(Key("p", "a")), Put(Key("p", "e2"), {})])
    rest = _all(lambda cursor: store.query("p", limit=2, cursor=cursor or first.cursor))
    assert _sorts(rest) == ["d", "e", "e2", "f"]


def test_more_than_a_megabyte_comes_back_whole(store: ports.Store) -> None:
    keys = [Key("p", f"{n}") for n in range(8)]
    store.transact([Put(key, {"a": "x" * 300_000}, None, {"due": key}) for key in keys])
    assert [i.key for i in _all(lambda cursor: store.query("p", cursor=cursor))] == keys
    index = _all(lambda cursor: store.query_index("due", "p", cursor=cursor))
    assert [item.key for item in index] == keys


def test_an_index_is_sparse_and_has_its_own_order(store: ports.Store) -> None:
    _due(store, {"a": "3", "b": "1", "c": "2"})
    store.transact(
        [Put(Key("p", "none"), {}), Put(Key("p", "e"), {}, None, {"other": Key("d", "0")})]
    )
    assert _sorts(store.query_index("due", "d").items) == ["b", "c", "a"]
    assert _sorts(store.query_index("other", "d").items) == ["e"]
    assert store.query_index("due", "other").items == ()
    assert store.query_index("nothing", "d").items == ()


def test_an_index_shows_whole_items(store: ports.Store) -> None:
    place = Key("d", "1")
    store.transact([Put(Key("p", "a"), {"n": 1}, None, {"due": place}, 1_900_000_000_000)])
    assert store.query_index("due", "d").items == (store.get(Key("p", "a")),)


def test_an_item_may_stand_in_several_indexes(store: ports.Store) -> None:
    put = Put(Key("p", "a"), {}, None, {"due": Key("d", "1"), "class": Key("k", "z")})
    store.transact([put])
    assert _sorts(store.query_index("due", "d").items) == ["a"]
    assert _sorts(store.query_index("class", "k").items) == ["a"]


def test_an_index_follows_moves_and_deletes(store: ports.Store) -> None:
    _due(store, {"a": "1", "b": "2", "c": "3", "d": "4"})
    store.transact(
        [
            Put(Key("p", "a"), {}, None, {"due": Key("d", "9")}),
            Put(Key("p", "b"), {}),
            Delete(Key("p", "c")),
            Put(Key("p", "d"), {"new": 1}, None, {"due": Key("d", "4")}),
        ]
    )
    found = store.query_index("due", "d").items
    assert _sorts(found) == ["d", "a"]
    assert found[0].body == {"new": 1}
    assert found[1].indexes == {"due": Key("d", "9")}


def test_a_new_item_inherits_no_index_of_a_deleted_one(store: ports.Store) -> None:
    _due(store, {"a": "1"})
    store.transact([Delete(Key("p", "a"))])
    store.transact([Put(Key("p", "b"), {})])
    assert store.query_index("due", "d").items == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_index_keys_may_repeat_and_pages_still_show_each_item_once(
    store: ports.Store, limit: int
) -> None:
    sorts = {f"s{n}": str(n // 5) for n in range(17)}
    _due(store, sorts)
    found = _all(lambda cursor: store.query_index("due", "d", limit=limit, cursor=cursor))
    assert sorted(_sorts(found)) == sorted(sorts)
    assert [item.indexes["due"].sort for item in found] == sorted(sorts.values())


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(
    ("until", "expected"),
    [("0", []), ("1", ["a"]), ("2", ["a", "b", "c"]), ("2#z", ["a", "b", "c", "d"]), ("9", None)],
)
def test_until_is_inclusive_and_holds_on_every_page(
    store: ports.Store, limit: int, until: str, expected: list[str] | None
) -> None:
    sorts = {"a": "1", "b": "2", "c": "2", "d": "2#x", "e": "3"}
    _due(store, sorts)
    found = _all(
        lambda cursor: store.query_index("due", "d", until=until, limit=limit, cursor=cursor)
    )
    assert sorted(_sorts(found)) == (sorted(sorts) if expected is None else expected)


def test_until_and_prefix_bound_together(store: ports.Store) -> None:
    _due(store, {"a": "x#1", "b": "x#2", "c": "x#3", "d": "y#1"})
    found = store.query_index("due", "d", prefix="x#", until="x#2")
    assert _sorts(found.items) == ["a", "b"]
    assert _sorts(store.query_index("due", "d", prefix="x#", until="z").items) == ["a", "b", "c"]
    assert store.query_index("due", "d", prefix="y", until="x").items == ()


def test_index_names_and_partitions_do_not_mix(store: ports.Store) -> None:
    store.transact(
        [
            Put(Key("p", "a"), {}, None, {"due": Key("das", "1")}),
            Put(Key("p", "b"), {}, None, {"due": Key("das#", "1")}),
            Put(Key("p", "c"), {}, None, {"dued": Key("as", "1")}),
        ]
    )
    assert _sorts(store.query_index("due", "das").items) == ["a"]
