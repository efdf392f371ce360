"""What was read from the store is not read again while it says the same."""

from __future__ import annotations

from typing import Any

from brihaspati.engine.forms import Kept


class Reader:
    """Reads a list as a tuple, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, plain: Any) -> tuple[int, ...]:
        self.count += 1
        return tuple(plain)


def test_what_says_the_same_is_the_very_value_that_was_read_before() -> None:
    reader = Reader()
    kept = Kept(reader)
    first = kept.of("here", [1, 2])
    assert kept.of("here", [1, 2]) is first
    assert reader.count == 1


def test_what_says_something_else_is_read_anew_and_so_is_what_is_elsewhere() -> None:
    reader = Reader()
    kept = Kept(reader)
    kept.of("here", [1, 2])
    assert kept.of("here", [1, 3]) == (1, 3)
    assert kept.of("there", [1, 3]) == (1, 3)
    assert reader.count == 3


def test_what_was_written_is_not_read_until_somebody_writes_something_else() -> None:
    reader = Reader()
    kept = Kept(reader)
    kept.keep("here", [1, 2], (1, 2))
    assert kept.of("here", [1, 2]) == (1, 2)
    assert reader.count == 0
    assert kept.of("here", [4]) == (4,)


def test_so_many_are_kept_and_no_more() -> None:
    reader = Reader()
    kept = Kept(reader, most=2)
    for place in range(3):
        kept.of(place, [place])
    kept.of(2, [2])
    assert reader.count == 3
    kept.of(0, [0])
    assert reader.count == 4
