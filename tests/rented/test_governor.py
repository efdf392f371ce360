"""Our own count of requests: who waits, for how long, and what is kept for deletes."""

from __future__ import annotations

import pytest

from brihaspati.adapters.rented.governor import Governor


class Watch:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_what_is_less_urgent_finds_it_full_earlier_and_the_rest_is_left_to_deletes(
    watch: Watch,
) -> None:
    governor = Governor(10, 60, watch)
    assert [governor.admit(0.5) for _ in range(6)] == [0.0] * 5 + [60.0]
    assert [governor.admit(1.0) for _ in range(6)] == [0.0] * 5 + [60.0]
    assert governor.used() == 1.0


def test_a_place_is_free_again_when_its_request_is_as_old_as_the_window(watch: Watch) -> None:
    governor = Governor(2, 60, watch)
    governor.admit(1.0)
    watch.seconds += 20
    governor.admit(1.0)
    assert governor.admit(1.0) == 40.0
    watch.seconds += 40
    assert governor.admit(1.0) == 0.0


def test_while_a_longer_window_is_scarce_only_what_cannot_wait_is_let_through(watch: Watch) -> None:
    governor = Governor(10, 60, watch)
    governor.keep_for_deletes(30)
    assert governor.admit(0.8) == 30.0
    assert governor.admit(1.0) == 0.0
    watch.seconds += 30
    assert governor.admit(0.8) == 0.0


def test_nobody_asks_before_the_time_that_the_provider_said(watch: Watch) -> None:
    governor = Governor(10, 60, watch)
    governor.close(7)
    governor.close(3)  # a shorter word does not shorten a longer one
    assert governor.admit(1.0) == 7.0
