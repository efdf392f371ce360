"""How soon pages look again: as before on one machine, and no more than pays off in the cloud."""

from __future__ import annotations

import pytest

from brihaspati.domain import looks
from brihaspati.domain.looks import AFAR, NEARBY, Seen, after_ms
from brihaspati.domain.sandboxes import Phase


@pytest.mark.parametrize(
    ("phase", "age_ms", "expected"),
    [
        ("queued", 0, 250),
        ("starting", 10_000, 500),
        ("starting", 60_000, 1_000),
        ("stopping", 60_000, 1_000),
        ("gone", 60_000, 15_000),
        ("failed", 60_000, 15_000),
        (None, 0, 15_000),
    ],
)
def test_on_one_machine_nobody_waits_for_news(
    phase: Phase | None, age_ms: int, expected: int
) -> None:
    assert after_ms(NEARBY, Seen(phase, age_ms, expected_ms=75_000)) == expected


def test_a_ready_lab_is_looked_at_calmly_and_when_its_time_is_up() -> None:
    assert after_ms(NEARBY, Seen("ready", left_ms=60_000)) == 5_000
    assert after_ms(AFAR, Seen("ready", left_ms=600_000)) == AFAR.calm_ms
    assert after_ms(AFAR, Seen("ready", left_ms=3_000)) == 3_000
    assert after_ms(AFAR, Seen("ready", left_ms=-3_000)) == looks.SOON_MS


def test_a_start_that_takes_long_is_looked_at_ever_more_often_as_it_comes_near() -> None:
    waits = [after_ms(AFAR, Seen("starting", age, 75_000)) for age in range(5_000, 75_000, 5_000)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] == AFAR.patient_ms
    assert waits[-1] == AFAR.moving_ms


def test_a_start_of_a_minute_takes_few_looks_in_the_cloud() -> None:
    counted = {}
    for name, wish in (("near", NEARBY), ("afar", AFAR)):
        at = count = 0
        while at < 75_000:
            at, count = at + after_ms(wish, Seen("starting", at, 75_000)), count + 1
        counted[name] = count
    assert counted["near"] > 90
    assert counted["afar"] <= 16


def test_a_lab_later_than_expected_is_looked_at_as_any_that_moves() -> None:
    assert after_ms(AFAR, Seen("starting", 200_000, 75_000)) == AFAR.moving_ms


def test_an_end_that_takes_long_is_looked_at_ever_more_seldom_in_the_cloud() -> None:
    waits = [after_ms(AFAR, Seen("stopping", tries=tries)) for tries in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[1], waits[-1]) == (AFAR.stopping_ms, AFAR.stopping_ms, AFAR.calm_ms)
    assert {after_ms(NEARBY, Seen("stopping", tries=tries)) for tries in range(12)} == {1_000}
