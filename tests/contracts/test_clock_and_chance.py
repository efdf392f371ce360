"""What every clock and every source of chance keeps."""

from __future__ import annotations

import re
import time

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, memory


@pytest.fixture(params=["system", "seeded"])
def chance(request: pytest.FixtureRequest) -> ports.Chance:
    return clocks.SystemChance() if request.param == "system" else memory.SeededChance(7)


def test_names_are_base32_of_the_length_asked_for(chance: ports.Chance) -> None:
    names = [chance.name(length) for length in (1, 12, 26, 200)]
    assert [len(name) for name in names] == [1, 12, 26, 200]
    assert all(re.fullmatch(r"[a-z2-7]+", name) for name in names)


def test_names_use_the_whole_alphabet_and_do_not_repeat(chance: ports.Chance) -> None:
    names = {chance.name(16) for _ in range(500)}
    assert len(names) == 500
    assert len(set("".join(names))) == 32


def test_picks_reach_every_number_and_none_beyond(chance: ports.Chance) -> None:
    assert {chance.pick(6) for _ in range(500)} == set(range(6))
    assert chance.pick(1) == 0


def test_a_seed_repeats_itself_and_another_does_not() -> None:
    assert memory.SeededChance(1).name(20) == memory.SeededChance(1).name(20)
    assert memory.SeededChance(1).name(20) != memory.SeededChance(2).name(20)


def test_the_system_clock_tells_milliseconds_of_now() -> None:
    clock: ports.Clock = clocks.SystemClock()
    before = time.time() * 1000
    now = clock.now()
    assert isinstance(now, int)
    assert before - 1 <= now <= time.time() * 1000


def test_the_manual_clock_moves_only_when_told_to() -> None:
    hand = memory.ManualClock(1000)
    clock: ports.Clock = hand
    assert clock.now() == 1000
    hand.advance(1.5)
    assert clock.now() == 2500
    hand.advance(-2)
    assert clock.now() == 500
    hand.set(7)
    assert clock.now() == 7
