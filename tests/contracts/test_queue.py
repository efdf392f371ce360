"""What every queue keeps: at least once, come back, dead letters, waking up."""

from __future__ import annotations

import threading
import time

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import limits
from contracts import engines

ONE = ports.Message("start", {"sandbox": "abc", "emoji": "😀", "n": 2**70})


def _take(queue: ports.Queue, limit: int = 10) -> list[ports.Taken]:
    return queue.take(limit, visible_after_seconds=30)


def _names(taken: list[ports.Taken]) -> list[int]:
    return [t.message.body["n"] for t in taken]


def _use_up(queue: ports.Queue, clock: memory.ManualClock) -> list[ports.Taken]:
    """Let the only message come back until it is dead; every delivery of it."""
    taken = []
    for _ in range(engines.TRIES_MAX):
        taken += _take(queue)
        clock.advance(30)
    assert _take(queue) == []  # a queue may notice only when somebody takes
    return taken


def test_a_message_comes_as_it_was_put(queue: ports.Queue) -> None:
    queue.put(ONE)
    (taken,) = _take(queue)
    assert taken.message == ONE
    assert taken.tries == 1


def test_an_empty_queue_gives_nothing(queue: ports.Queue) -> None:
    assert _take(queue) == []


def test_a_taken_message_is_hidden_from_others_until_its_time(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    _take(queue)
    clock.advance(29.999)
    assert _take(queue) == []
    clock.advance(0.001)
    (again,) = _take(queue)
    assert (again.message, again.tries) == (ONE, 2)


def test_a_message_done_never_comes_back(queue: ports.Queue, clock: memory.ManualClock) -> None:
    queue.put(ONE)
    (taken,) = _take(queue)
    queue.done(taken)
    queue.done(taken)
    clock.advance(3600)
    assert _take(queue) == []
    assert queue.dead() == []


def test_a_delayed_message_waits(queue: ports.Queue, clock: memory.ManualClock) -> None:
    queue.put(ONE, delay_seconds=5)
    assert _take(queue) == []
    clock.advance(5)
    assert len(_take(queue)) == 1


def test_less_than_a_second_is_no_reason_to_come_at_once(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE, delay_seconds=0.5)
    assert _take(queue) == []
    clock.advance(1)
    assert len(_take(queue)) == 1


def test_messages_come_by_their_visibility_and_never_more_than_asked(
    queue: ports.Queue, clock: memory.ManualClock, engine: engines.Engine
) -> None:
    engine.needs(engines.ORDER)
    for n, delay in enumerate((3, 1, 2, 0, 1)):
        queue.put(ports.Message("t", {"n": n}), delay_seconds=delay)
    clock.advance(10)
    assert _names(_take(queue, 2)) == [3, 1]
    assert _names(_take(queue, 2)) == [4, 2]
    assert _names(_take(queue, 2)) == [0]


def test_a_message_given_back_comes_after_its_delay(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    (taken,) = _take(queue)
    queue.again(taken, delay_seconds=2)
    assert _take(queue) == []
    clock.advance(2)
    (again,) = _take(queue)
    assert again.tries == 2


def test_a_message_that_comes_back_too_often_is_dead(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    _use_up(queue, clock)
    assert _take(queue) == []
    (dead,) = queue.dead()
    assert dead.message == ONE
    assert dead.tries >= engines.TRIES_MAX  # SQS counts looks at the dead as well


def test_a_message_given_back_too_often_is_dead(queue: ports.Queue) -> None:
    queue.put(ONE)
    for _ in range(engines.TRIES_MAX):
        (taken,) = _take(queue)
        assert queue.dead() == []
        queue.again(taken, delay_seconds=0)
    assert _take(queue) == []
    assert len(queue.dead()) == 1


def test_a_message_still_worked_on_is_not_dead(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    for _ in range(engines.TRIES_MAX - 1):
        _take(queue)
        clock.advance(30)
    _take(queue)
    assert queue.dead() == []


def test_a_dead_message_can_be_revived_or_forgotten(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    _use_up(queue, clock)
    queue.again(queue.dead()[0], delay_seconds=1)
    assert queue.dead() == []
    assert _take(queue) == []
    clock.advance(1)
    assert [taken.tries for taken in _use_up(queue, clock)] == [1, 2, 3]
    queue.done(queue.dead()[0])
    assert queue.dead() == []


def test_dead_letters_are_shown_oldest_first_up_to_a_limit(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    for n in range(4):
        queue.put(ports.Message("t", {"n": n}))
    for _ in range(engines.TRIES_MAX):
        _take(queue)
        clock.advance(30)
    assert _take(queue) == []
    assert _names(queue.dead(3)) == [0, 1, 2]


def test_a_late_again_does_not_disturb_the_next_taker(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    (slow,) = _take(queue)
    clock.advance(30)
    (quick,) = _take(queue)
    queue.again(slow, delay_seconds=0)
    assert _take(queue) == []
    queue.done(quick)


def test_a_late_again_does_not_revive_the_dead(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    slow = _use_up(queue, clock)[-1]
    assert _take(queue) == []
    queue.again(slow, delay_seconds=0)
    assert _take(queue) == []
    assert len(queue.dead()) == 1


def test_a_late_done_forgets_the_message_everywhere(
    queue: ports.Queue, clock: memory.ManualClock, engine: engines.Engine
) -> None:
    engine.needs(engines.OLD_RECEIPT)
    queue.put(ONE)
    slow = _use_up(queue, clock)[-1]
    assert len(queue.dead()) == 1
    queue.done(slow)
    assert queue.dead() == []


def test_a_late_done_forgets_no_other_message(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    (first,) = _take(queue)
    queue.done(first)
    queue.put(ports.Message("other", {"n": 2}))
    queue.done(first)
    queue.again(first, delay_seconds=60)
    assert _names(_take(queue)) == [2]
    clock.advance(60)
    assert _names(_take(queue)) == [2]


def test_a_clock_set_back_hides_no_message_longer_than_it_had_left(
    queue: ports.Queue, clock: memory.ManualClock, engine: engines.Engine
) -> None:
    engine.needs(engines.SET_BACK)
    queue.put(ports.Message("t", {"n": 1}))
    queue.put(ports.Message("t", {"n": 2}), delay_seconds=40)
    assert _names(_take(queue)) == [1]
    clock.advance(-86_400)
    assert _take(queue) == []
    clock.advance(30)
    assert _names(_take(queue)) == [1]
    clock.advance(10)
    assert _names(_take(queue)) == [2]


def test_a_clock_set_forward_only_brings_messages_early(
    queue: ports.Queue, clock: memory.ManualClock
) -> None:
    queue.put(ONE)
    queue.put(ONE, delay_seconds=600)
    _take(queue)
    clock.advance(86_400)
    assert len(_take(queue)) == 2


@pytest.mark.parametrize(
    "message",
    [
        ports.Message("", {}),
        ports.Message("t", {"a": float("nan")}),
        ports.Message("t", {"a": object()}),
        ports.Message("t", {"a": "x" * limits.MESSAGE_BYTES_MAX}),
    ],
)
def test_a_bad_message_is_refused(queue: ports.Queue, message: ports.Message) -> None:
    with pytest.raises(ports.Refused):
        queue.put(message)
    assert _take(queue) == []


def test_waiting_ends_at_once_when_something_is_there(waiting: engines.Waiting) -> None:
    waiting.put(ONE)
    assert waiting.wait(60)


def test_waiting_in_vain_says_so(waiting: engines.Waiting) -> None:
    assert not waiting.wait(0)
    waiting.put(ONE, delay_seconds=3600)
    assert not waiting.wait(0.01)


def test_a_put_wakes_each_waiter_that_is_needed(waiting: engines.Waiting) -> None:
    got: list[ports.Taken] = []

    def work() -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            waiting.wait(90)
            if taken := waiting.take(1, visible_after_seconds=600):
                got.extend(taken)
                return

    workers = [threading.Thread(target=work) for _ in range(3)]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    for n in range(3):
        waiting.put(ports.Message("t", {"n": n}))
    for worker in workers:
        worker.join()
    assert sorted(_names(got)) == [0, 1, 2]
    assert time.monotonic() - started < 45  # one whom nobody woke would wait on


def test_threads_that_take_share_messages_and_take_none_twice(queue: ports.Queue) -> None:
    for n in range(60):
        queue.put(ports.Message("t", {"n": n}))
    got: list[int] = []

    def work() -> None:
        while taken := queue.take(3, visible_after_seconds=600):
            got.extend(_names(taken))
            for one in taken:
                queue.done(one)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(got) == list(range(60))
