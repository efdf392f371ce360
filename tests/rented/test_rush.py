"""Five hundred students at nine o'clock, at the clouds' real limits, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brihaspati.domain.classrooms import Spill
from rented.classroom import Rented

STUDENTS = 500
# What the limits allow at best: DigitalOcean 250 requests a minute, of which lists of three pages
# every 5 s take 36 and deletes keep 14, is three windows; Linode is twenty every 15 s.
ALLOWED_SECONDS = {"digitalocean": 120, "linode": (STUDENTS // 20 - 1) * 15}


def rush(rented: Rented, *spill: Spill) -> float:
    """Everybody presses Play at once; seconds until the last create was sent."""
    room = rented.classroom(spill=spill)
    began = rented.sky.clock.now()
    for number in range(STUDENTS):
        rented.play(room, number)
    rented.house.run()
    for _ in range(90):
        rented.pass_time(10)
        if all(one.phase == "ready" for one in rented.sandboxes()):
            break
    assert {one.phase for one in rented.sandboxes()} == {"ready"}
    assert {one.attempt for one in rented.sandboxes()} == {1}
    assert [status for _, _, status in rented.creates() if status == 429] == []
    assert [one for one in rented.sky.world.asked if one.status == 429] == []
    return (max(at for at, _, _ in rented.creates()) - began) / 1000


@pytest.mark.parametrize("cloud", ["digitalocean", "linode"])
def test_a_rush_takes_what_the_limits_allow_and_nobody_is_told_to_stop(
    cloud: str, record_property: Callable[[str, object], None]
) -> None:
    rented = Rented(usual=cloud)
    rented.sky.world.accounts[cloud].server_limit = STUDENTS
    took = rush(rented)
    assert took <= ALLOWED_SECONDS[cloud] * 1.1
    record_property(
        "proved",
        f"{cloud}: {STUDENTS} Plays at once, the last create sent after {took:.0f} s of virtual"
        f" time (the limits allow {ALLOWED_SECONDS[cloud]} s), no 429",
    )


def test_two_clouds_together_are_quicker_than_either() -> None:
    took = rush(Rented(usual="linode"), Spill("digitalocean"))
    # Two windows of 200 at the one, six of 20 at the other: room for 500 at 75 s.
    assert took <= 75 * 1.1
