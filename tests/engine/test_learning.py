"""The guide as a student uses it: turning, checks, quiz, hints; on the engine in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from brihaspati.domain import progress
from brihaspati.domain.classrooms import BadField
from brihaspati.engine.problems import Problem
from guided import FAIL, PASS, STEPS, Pupil, guided_lab
from meanwhile import Meanwhile

SERVE = STEPS[1]


def test_a_press_runs_every_check_on_its_machine_and_stores_what_they_say() -> None:
    pupil = Pupil()
    sandbox = pupil.play()
    pupil.scripts(page=FAIL, port=PASS)
    busy = pupil.check().progress
    assert progress.under_way(busy, pupil.house.clock.now()) is not None
    assert pupil.verdicts() == []
    after = pupil.wait().progress
    assert after.run is None
    assert after.problem is None
    assert pupil.house.agents.ran == [
        (f"bh-test-{sandbox}-a1-web", "check page", 10),
        (f"bh-test-{sandbox}-a1-db", "check port", 10),
    ]
    assert pupil.verdicts() == [
        ("page", False, "Not there: port 80 is closed."),
        ("port", True, "It is there."),
    ]
    assert after.at("serve").tries == 1
    assert pupil.states()[1] == "failing"


def test_a_step_passes_when_all_its_checks_do_and_stays_passed() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    pupil.wait()
    assert pupil.states()[1] == "passed"
    pupil.scripts(page=FAIL)
    pupil.check()
    pupil.wait()
    assert pupil.states()[1] == "passed"


def test_passed_stays_passed_in_the_next_sandbox() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    pupil.wait()
    pupil.stop()
    pupil.play()
    assert pupil.states()[1] == "passed"


def test_whoever_waits_hears_when_scripts_begin_and_end() -> None:
    pupil = Pupil()
    sandbox = pupil.play()
    pupil.check()
    assert pupil.told == [(sandbox, True)]
    pupil.wait()
    assert pupil.told == [(sandbox, True), (sandbox, False)]


def test_pressing_twice_and_on_two_devices_runs_the_checks_once() -> None:
    pupil = Pupil()
    pupil.play()
    stale = pupil.page("serve")
    first = pupil.check()
    second = pupil.house.engine.learning.check(stale, pupil.sandbox, quiet=False)
    assert second.progress.run == first.progress.run
    assert len(pupil.later) == 1


def test_a_verdict_an_answer_and_a_turn_that_come_at_once_are_all_kept() -> None:
    meanwhile = Meanwhile()
    pupil = Pupil(faults=meanwhile)
    pupil.play()
    pupil.check()
    engine, answering, turning = pupil.house.engine, pupil.page("ask"), pupil.page("ask")
    given = progress.Given(("etc",))

    def answered() -> None:
        meanwhile.then = lambda: engine.learning.turn(turning)
        engine.learning.answer(answering, "where", given)

    meanwhile.then = answered
    after = pupil.wait().progress
    assert progress.state(after, SERVE) == "passed"
    assert after.step == "ask"
    answer = after.at("ask").answer("where")
    assert answer is not None
    assert answer.right
    assert after.run is None


def test_many_devices_at_once_lose_nothing() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    learning, ask, serve = pupil.house.engine.learning, pupil.page("ask"), pupil.page("serve")
    (finish,) = pupil.later
    calls: list[Callable[[], object]] = [
        finish,
        lambda: learning.turn(ask),
        lambda: learning.answer(ask, "where", progress.Given(("etc",))),
        lambda: learning.answer(ask, "secret", progress.Given(text="marigold")),
        lambda: learning.hint(ask, 0),
        lambda: learning.hint(serve, 0),
        lambda: learning.raise_hand(ask.standing, "help"),
    ]
    start = threading.Barrier(len(calls))
    threads = [threading.Thread(target=_together, args=(start, call)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    after = pupil.standing.progress
    assert pupil.states() == ["untouched", "passed", "passed", "untouched"]
    assert (after.step, after.run) == ("ask", None)
    assert (after.at("ask").hints, after.at("serve").hints) == (1, 1)
    assert after.hand is not None
    assert pupil.standing.version == 1 + len(calls)


def _together(start: threading.Barrier, call: Callable[[], object]) -> None:
    start.wait(20)
    call()


def test_who_is_always_slower_than_others_is_told_so_in_the_end() -> None:
    slower: list[str] = []
    pupil = Pupil(faults=lambda operation: "conflict" if operation in slower else None)
    page = pupil.page("read")
    slower.append("transact")
    with pytest.raises(Problem) as busy:
        pupil.house.engine.learning.turn(page)
    assert busy.value.kind == "busy"


def test_what_changes_nothing_is_not_written() -> None:
    pupil = Pupil()
    first = pupil.turn("read")
    assert pupil.turn("read").version == first.version == 1


def test_turning_remembers_the_step_and_passes_what_was_read() -> None:
    pupil = Pupil()
    pupil.turn("read")
    pupil.turn("serve")
    assert pupil.standing.progress.step == "serve"
    assert pupil.states() == ["passed", "seen", "untouched", "untouched"]


def test_a_step_that_the_lab_does_not_have_is_a_problem() -> None:
    with pytest.raises(Problem) as problem:
        Pupil().turn("nowhere")
    assert (problem.value.kind, problem.value.field) == ("not_found", "step")


# --- quiz, hints, hand ---------------------------------------------------------------------------
def test_a_quiz_is_graded_and_passes_its_step() -> None:
    pupil = Pupil()
    pupil.answer("where", "var")
    pupil.answer("where", "etc")
    assert pupil.states()[2] == "seen"
    pupil.answer("secret", text="  MARIGOLD ")
    assert pupil.states()[2] == "passed"
    answer = pupil.standing.progress.at("ask").answer("where")
    assert answer is not None
    assert (answer.right, answer.tries) == (True, 2)


def test_an_answer_sent_twice_is_one_try() -> None:
    pupil = Pupil()
    page = pupil.page("ask")
    for _ in range(2):
        pupil.house.engine.learning.answer(page, "where", progress.Given(("var",)))
    answer = pupil.standing.progress.at("ask").answer("where")
    assert answer is not None
    assert answer.tries == 1


def test_a_question_the_step_does_not_have_and_no_answer_are_problems() -> None:
    pupil = Pupil()
    with pytest.raises(Problem) as problem:
        pupil.answer("nothing", "etc")
    assert (problem.value.kind, problem.value.field) == ("not_found", "question")
    with pytest.raises(BadField):
        pupil.answer("where", "nowhere")
    assert pupil.standing.version == 0


def test_two_devices_that_ask_for_the_same_hint_reveal_one() -> None:
    pupil = Pupil()
    page = pupil.page("serve")
    for _ in range(2):
        pupil.house.engine.learning.hint(page, 0)
    assert pupil.standing.progress.at("serve").hints == 1


def test_a_hand_is_raised_once_and_lowered() -> None:
    pupil = Pupil()
    engine = pupil.house.engine
    first = engine.learning.raise_hand(pupil.standing, "It hangs")
    pupil.house.clock.advance(30)
    again = engine.learning.raise_hand(pupil.standing, "It still hangs")
    assert first.progress.hand is not None
    assert again.progress.hand is not None
    assert again.progress.hand.at == first.progress.hand.at
    assert again.progress.hand.text == "It still hangs"
    assert engine.learning.lower_hand(pupil.standing).progress.hand is None
    assert engine.learning.lower_hand(pupil.standing).version == 3


# --- where it is kept ----------------------------------------------------------------------------
def test_progress_is_found_by_class_and_does_not_look_like_a_sandbox() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.turn("serve")
    found = pupil.house.store.query_index("group", "k#demo", prefix="p#").items
    assert [item.key.sort for item in found] == ["p#demo#hello"]
    assert pupil.house.engine.playing.budgets.committed("demo") == 0
    assert pupil.member.standing("demo", "other").version == 0
    assert pupil.member.standing("other", "hello").version == 0


def test_a_class_page_shows_how_far_each_lab_is() -> None:
    pupil = Pupil()
    pupil.turn("read")
    pupil.turn("serve")
    card = pupil.house.engine.reading.cards(pupil.room, pupil.member)[0]
    assert (card.step, card.done, card.steps) == (2, 1, 4)


def test_a_running_lab_keeps_its_guide_and_the_next_one_has_the_new() -> None:
    pupil = Pupil()
    pupil.play()
    newer = guided_lab(version="v2", steps=STEPS[:2])
    pupil.house.engine.classes.publish(newer)
    pupil.house.engine.classes.change("demo", lambda room: replace(room, labs=(("hello", "v2"),)))
    reading = pupil.house.engine.reading
    guide = reading.guide(pupil.member, "demo", "hello")
    assert guide is not None
    assert guide.version == "v1"
    pupil.stop()
    guide = reading.guide(pupil.member, "demo", "hello")
    assert guide is not None
    assert guide.version == "v2"
    assert reading.guide(pupil.member, "demo", "nothing") is None


def test_how_many_are_here_is_asked_every_few_seconds_at_most() -> None:
    calls: list[str] = []
    pupil = Pupil(faults=calls.append)
    reading = pupil.house.engine.reading
    assert reading.here("demo") == 1
    pupil.house.student(pupil.room, "Ravi")
    calls.clear()
    assert reading.here("demo") == 1
    assert calls == []
    pupil.house.clock.advance(5)
    assert reading.here("demo") == 2
