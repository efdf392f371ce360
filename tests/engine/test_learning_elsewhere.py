"""Checks that whoever answers a press leaves to others, by the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.domain import progress
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import learning, records
from brihaspati.engine.engine import Engine
from guided import FAIL, PASS, Pupil


@pytest.fixture
def pupil() -> Pupil:
    """A student in a ready lab, whose presses are answered by who runs no scripts."""
    pupil = Pupil()
    pupil.house.engine = Engine(replace(pupil.house.engine.world, runs_scripts=False))
    pupil.play()
    pupil.scripts(page=PASS, port=PASS)
    return pupil


def messages(pupil: Pupil) -> list[ports.Message]:
    """What waits in the queue, taken out."""
    taken = pupil.house.queue.take(10, visible_after_seconds=60)
    for one in taken:
        pupil.house.queue.done(one)
    return [one.message for one in taken]


def test_a_press_is_answered_before_any_script_runs(pupil: Pupil) -> None:
    pressed = pupil.check()
    assert pressed.progress.run is not None
    assert pupil.house.agents.ran == []
    assert pupil.later == []
    assert pupil.house.run() == 1
    assert [script for _, script, _ in pupil.house.agents.ran] == ["check page", "check port"]
    assert pupil.standing.progress.run is None
    assert [ok for _, ok, _ in pupil.verdicts()] == [True, True]


def test_a_solution_runs_once_however_often_its_message_comes(pupil: Pupil) -> None:
    pupil.solve()
    (message,) = messages(pupil)
    inside: list[int] = []

    def again() -> ports.ScriptOutcome:
        inside.append(1)
        pupil.house.engine.handle(message)  # it comes to another while this one runs
        return ports.ScriptOutcome(0, "")

    pupil.scripts(page=PASS, port=PASS, solve=again)
    for _ in range(3):
        pupil.house.engine.handle(message)
    assert inside == [1]
    assert pupil.standing.progress.at("serve").solved


def test_a_message_for_a_run_that_was_let_go_runs_nothing(pupil: Pupil) -> None:
    pupil.check(quiet=True)  # the page by itself
    (watching,) = messages(pupil)
    pupil.check()
    pupil.house.engine.handle(watching)
    assert pupil.house.agents.ran == []
    assert pupil.house.run() == 1
    assert pupil.standing.progress.run is None


def test_a_lab_that_ended_meanwhile_is_told_and_a_person_unknown_is_nothing(pupil: Pupil) -> None:
    pupil.check()
    (message,) = messages(pupil)
    pupil.stop()
    pupil.house.engine.handle(message)
    assert pupil.standing.progress.problem == learning.ENDED
    pupil.house.engine.handle(records.script_message(Slot("demo", "hello", user="nobody"), "x"))


def test_a_run_that_comes_too_late_says_so_and_begins_no_script(pupil: Pupil) -> None:
    pupil.check()
    pupil.house.clock.advance(progress.RUN_MS_MAX / 1000)
    pupil.house.run()
    assert pupil.house.agents.ran == []
    assert pupil.check().progress.run is not None  # and one can press again


class BusyQueue(memory.Queue):
    """A queue that takes nothing now."""

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        raise ports.Busy(f"no {message.topic} now, nor in {delay_seconds} s")


def test_where_the_queue_does_not_answer_the_press_does(pupil: Pupil) -> None:
    world = pupil.house.engine.world
    pupil.house.engine = Engine(replace(world, queue=BusyQueue(pupil.house.clock)))
    pressed = pupil.check()
    assert (pressed.progress.run, pressed.progress.problem) == (None, learning.FAULT)


def test_a_check_that_fails_is_a_try_wherever_it_ran(pupil: Pupil) -> None:
    pupil.scripts(page=FAIL, port=PASS)
    pupil.check()
    pupil.house.run()
    assert pupil.standing.progress.at("serve").tries == 1


def test_a_run_of_a_lab_that_nobody_published_is_told_to_the_operator(pupil: Pupil) -> None:
    pupil.check()
    (message,) = messages(pupil)
    house = pupil.house
    slot = Slot.parse(message.body["slot"])
    sandbox = house.engine.worker.load(slot)
    assert sandbox is not None
    key = records.lab_key(slot.lab, sandbox.sandbox.terms.lab_version)
    house.store.transact((ports.Delete(key),))
    with pytest.raises(ValueError, match="is not published"):
        house.engine.handle(message)
    assert house.agents.ran == []
