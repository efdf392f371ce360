"""What every timer keeps: an alarm set is an alarm that comes, once its moment is there."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from contracts import engines


def _message(n: int) -> ports.Message:
    return ports.Message("wake", {"n": n})


def _taken(queue: ports.Queue) -> list[int]:
    return [t.message.body["n"] for t in queue.take(100, visible_after_seconds=600)]


def test_an_alarm_comes_at_its_moment_and_not_before(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    at = clock.now() + 5000
    timer.set("a", at, _message(1))
    assert timer.next_at() == at
    assert timer.fire(at - 1) == 0
    clock.set(at)
    assert _taken(queue) == []
    assert timer.fire(at) == 1
    assert _taken(queue) == [1]


def test_an_alarm_comes_once(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    timer.set("a", clock.now(), _message(1))
    assert timer.fire(clock.now()) == 1
    assert timer.fire(clock.now()) == 0
    assert timer.next_at() is None
    assert _taken(queue) == [1]


def test_setting_again_moves_the_alarm_and_its_message(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    timer.set("a", clock.now() + 1000, _message(1))
    timer.set("a", clock.now() + 9000, _message(2))
    clock.advance(5)
    assert timer.fire(clock.now()) == 0
    clock.advance(5)
    assert timer.fire(clock.now()) == 1
    assert _taken(queue) == [2]


def test_a_cancelled_alarm_does_not_come(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock, engine: engines.Engine
) -> None:
    engine.needs(engines.AT_ONCE)
    timer.set("a", clock.now(), _message(1))
    timer.set("b", clock.now(), _message(2))
    timer.cancel("a")
    timer.cancel("a")
    timer.cancel("never set")
    assert timer.fire(clock.now()) == 1
    assert _taken(queue) == [2]


def test_all_that_is_due_comes_in_its_order(
    engine: engines.Engine, timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    start = clock.now()
    for n in (3, 1, 2, 9):
        timer.set(f"t{n}", start + n * 1000, _message(n))
    assert timer.next_at() == start + 1000
    clock.advance(5)
    assert timer.fire(clock.now()) == 3
    found = _taken(queue)
    assert (sorted(found) if engines.ORDER in engine.lacks else found) == [1, 2, 3]
    assert timer.next_at() == start + 9000


def test_a_cancelled_alarm_of_the_future_does_not_come(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    timer.set("a", clock.now() + 1000, _message(1))
    timer.set("b", clock.now() + 1000, _message(2))
    timer.cancel("a")
    clock.advance(1)
    assert timer.fire(clock.now()) == 1
    assert _taken(queue) == [2]


def test_an_alarm_of_the_past_comes_at_once(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    timer.set("a", 0, _message(1))
    assert timer.fire(clock.now()) == 1
    assert _taken(queue) == [1]


def test_a_clock_that_jumps_forward_fires_early_and_loses_none(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock, engine: engines.Engine
) -> None:
    engine.needs(engines.SET_BACK)
    for n in range(3):
        timer.set(f"t{n}", clock.now() + n * 60_000, _message(n))
    clock.advance(365 * 86_400)
    assert timer.fire(clock.now()) == 3
    clock.advance(-365 * 86_400)
    assert sorted(_taken(queue)) == [0, 1, 2]


def test_a_clock_that_jumps_back_keeps_alarms_for_their_moment(
    timer: engines.Timer, queue: ports.Queue, clock: memory.ManualClock
) -> None:
    at = clock.now() + 60_000
    timer.set("a", at, _message(1))
    clock.advance(-86_400)
    assert timer.fire(clock.now()) == 0
    assert timer.next_at() == at
    clock.set(at)
    assert timer.fire(clock.now()) == 1
    assert _taken(queue) == [1]


def test_a_fired_alarm_wakes_a_waiter(
    timer: engines.Timer, waiting: engines.Waiting, clock: memory.ManualClock
) -> None:
    timer.set("a", clock.now(), _message(1))
    assert not waiting.wait(0)
    timer.fire(clock.now())
    assert waiting.wait(60)


@pytest.mark.parametrize(("name", "topic"), [("", "t"), ("x" * 1025, "t"), ("a", "")])
def test_a_bad_alarm_is_refused(timer: engines.Timer, name: str, topic: str) -> None:
    with pytest.raises(ports.Refused):
        timer.set(name, 1, ports.Message(topic, {}))
    assert timer.next_at() is None
