"""The chain of what was made and how it was verified gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import scrubs
from brihaspati.domain.scrubs import FIRST, End, Entry, faults, following

HOUR_MS = 3_600_000
PRICE = 36_000


def end(label: str = "a", *, made: int | None = 0, gone: int = HOUR_MS, machine: str = "m1") -> End:
    return End(label, None if made is None else machine, made, gone, "seen gone")


def entry(what: End) -> Entry:
    return Entry(0, "sbx", "demo", "hello", "asha", PRICE, what, 0, FIRST)


def chain(*ends: End) -> list[Entry]:
    links: list[Entry] = []
    for one in ends:
        link = following(links, entry(one))
        assert link is not None
        links.append(link)
    return links


def test_a_chain_holds_and_says_what_each_machine_cost() -> None:
    links = chain(end("a"), end("b", gone=2 * HOUR_MS, machine="m2"), end("c", made=None))
    assert [link.cost_micros for link in links] == [PRICE, 2 * PRICE, 0]
    assert faults(links) == []


def test_the_same_end_twice_is_one_link() -> None:
    links = chain(end("a"))
    assert following(links, entry(end("a"))) is None
    assert following(links, entry(end("a", gone=HOUR_MS - 1))) is None


def test_a_machine_that_came_back_costs_from_where_the_chain_left_it() -> None:
    links = chain(end("a"), end("a", gone=3 * HOUR_MS))
    assert [link.cost_micros for link in links] == [PRICE, 2 * PRICE]


def test_a_machine_that_was_never_seen_and_came_late_costs_all_its_time() -> None:
    links = chain(end("a", made=None, gone=HOUR_MS), end("a", made=100, gone=100 + HOUR_MS))
    assert [link.cost_micros for link in links] == [0, PRICE]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_entry_is_found(place: int) -> None:
    links = chain(end("a"), end("b", machine="m2"), end("c", machine="m3"))
    links[place] = replace(links[place], cost_micros=0)
    assert faults(links) == [f"entry {place + 1} of sbx was changed"]


def test_a_missing_entry_is_found() -> None:
    links = chain(end("a"), end("b", machine="m2"), end("c", machine="m3"))
    assert faults([links[0], links[2]]) == ["entry 2 of sbx is missing"]


def test_an_entry_of_another_chain_is_found() -> None:
    one = chain(end("a"), end("b", machine="m2"))
    other = chain(end("z", machine="m9"), end("b", machine="m2"))
    assert faults([one[0], other[1]]) == ["entry 2 of sbx does not follow the one before"]


def test_chains_are_told_apart_and_sealed_together() -> None:
    one, other = (
        scrubs.sealed(
            scrubs.Entry(1, box, "c", "l", None, 0, scrubs.End(box, None, None, 1, "gone"), 0,
                         scrubs.FIRST)
        )
        for box in ("one", "other")
    )  # fmt: skip
    assert scrubs.chains([one, other]) == {"one": [one], "other": [other]}
    assert scrubs.seal_of([one, other]) != scrubs.seal_of([one])
    assert scrubs.seal_of([one, other]) != scrubs.seal_of([other, one])
