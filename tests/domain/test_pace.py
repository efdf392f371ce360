"""Turns at a provider that takes so many creates and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from brihaspati.domain import pace
from brihaspati.domain.pace import Ledger, Window

NOW = 1_800_000_000_000
LINODE = (Window(20, 15),)
DIGITALOCEAN = (Window(240, 60), Window(4_800, 3600))


def turns(windows: tuple[Window, ...], asked_at: list[int]) -> list[int]:
    ledger, found = Ledger(), []
    for now in asked_at:
        ledger, at = pace.give(ledger, windows, now)
        found.append(max(at, now))
    return found


def test_without_limits_every_turn_is_now() -> None:
    assert turns((), [NOW] * 1000) == [NOW] * 1000


def test_a_full_window_makes_the_next_wait_until_the_first_is_forgotten() -> None:
    found = turns(LINODE, [NOW] * 41)
    assert found[:20] == [NOW] * 20
    assert found[20] == found[39] == NOW + 15_100
    assert found[40] == NOW + 2 * 15_100


def test_the_longer_window_holds_too() -> None:
    found = turns((Window(10, 1), Window(25, 60)), [NOW] * 30)
    assert found[24] < NOW + 4_000
    assert found[25] >= NOW + 60_000


def test_nobody_overtakes_and_no_window_is_ever_too_full() -> None:
    asked = [NOW + 37 * number for number in range(700)]
    found = turns(DIGITALOCEAN, asked)
    assert found == sorted(found)
    for at, first in enumerate(found):
        assert sum(1 for one in found[at:] if one < first + 60_000) <= 240


@given(st.lists(st.integers(0, 20_000), max_size=120), st.integers(1, 9), st.integers(1, 20))
def test_any_rush_keeps_to_the_window(pauses: list[int], count: int, seconds: int) -> None:
    asked = [NOW + sum(pauses[: at + 1]) for at in range(len(pauses))]
    found = turns((Window(count, seconds),), asked)
    assert all(turn >= at for turn, at in zip(found, asked, strict=True))
    for at, first in enumerate(found):
        assert sum(1 for one in found[at:] if one < first + seconds * 1000) <= count


def test_turns_of_long_ago_are_few_numbers_and_still_count() -> None:
    ledger = Ledger()
    for number in range(4_800):
        ledger, _ = pace.give(ledger, DIGITALOCEAN, NOW + number * 300)
    assert len(ledger.turns) < 600
    _, at = pace.give(ledger, DIGITALOCEAN, NOW + 4_800 * 300)
    assert at >= NOW + 3_600_000


def test_whoever_was_told_to_wait_has_everybody_wait() -> None:
    ledger = Ledger().closed(NOW + 7_030)
    ledger, at = pace.give(ledger, (), NOW)
    assert NOW + 7_030 <= at <= NOW + 7_130
    assert ledger.closed(NOW).closed_until == NOW + 7_030


def test_how_many_are_ahead_is_counted() -> None:
    ledger, last = Ledger(), 0
    for _ in range(45):
        ledger, last = pace.give(ledger, LINODE, NOW)
    assert ledger.ahead(last, NOW) == 20
    assert ledger.ahead(last, NOW + 16_000) == 0
