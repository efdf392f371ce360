"""The guide as a student uses it: turning, checks, quiz, hints; on the engine in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.domain import progress
from brihaspati.domain.classrooms import BadField
from brihaspati.engine import learning, scripts
from brihaspati.engine.problems import Problem
from guided import FAIL, PASS, STEPS, Pupil, guided_lab
from meanwhile import Meanwhile

SERVE = STEPS[1]


def states(pupil: Pupil) -> list[str]:
    return [progress.state(pupil.standing.progress, step) for step in STEPS]


def verdicts(pupil: Pupil) -> list[tuple[str, bool, str]]:
    return [(v.check, v.ok, v.text) for v in pupil.standing.progress.at("serve").verdicts]


def test_a_press_runs_every_check_on_its_machine_and_stores_what_they_say() -> None:
    pupil = Pupil()
    sandbox = pupil.play()
    pupil.scripts(page=FAIL, port=PASS)
    busy = pupil.check().progress
    assert progress.under_way(busy, pupil.house.clock.now()) is not None
    assert verdicts(pupil) == []
    after = pupil.wait().progress
    assert after.run is None
    assert after.problem is None
    assert pupil.house.agents.ran == [
        (f"bh-test-{sandbox}-a1-web", "check page", 10),
        (f"bh-test-{sandbox}-a1-db", "check port", 10),
    ]
    assert verdicts(pupil) == [
        ("page", False, "Not there: port 80 is closed."),
        ("port", True, "It is there."),
    ]
    assert after.at("serve").tries == 1
    assert states(pupil)[1] == "failing"


def test_a_step_passes_when_all_its_checks_do_and_stays_passed() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    pupil.wait()
    assert states(pupil)[1] == "passed"
    pupil.scripts(page=FAIL)
    pupil.check()
    pupil.wait()
    assert states(pupil)[1] == "passed"


def test_passed_stays_passed_in_the_next_sandbox() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    pupil.wait()
    pupil.stop()
    pupil.play()
    assert states(pupil)[1] == "passed"


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
    assert states(pupil) == ["passed", "seen", "untouched", "untouched"]


# --- what can go wrong ---------------------------------------------------------------------------
def test_without_a_running_lab_a_press_says_what_to_do() -> None:
    pupil = Pupil()
    for press in (pupil.check, pupil.solve):
        with pytest.raises(Problem) as problem:
            press()
        assert (problem.value.kind, problem.value.fix) == ("not_ready", "Press Play first.")
    pupil.play()
    pupil.stop()
    with pytest.raises(Problem) as problem:
        pupil.check()
    assert problem.value.kind == "not_ready"
    assert pupil.standing.version == 0


def test_a_step_that_the_lab_does_not_have_is_a_problem() -> None:
    with pytest.raises(Problem) as problem:
        Pupil().turn("nowhere")
    assert (problem.value.kind, problem.value.field) == ("not_found", "step")


def test_where_there_is_nothing_to_run_a_press_says_so() -> None:
    pupil = Pupil()
    pupil.play()
    for press in (pupil.check, pupil.solve):
        with pytest.raises(Problem) as problem:
            press("read")
        assert problem.value.kind == "not_found"


def test_a_lab_that_cannot_be_reached_is_no_failed_try_and_is_told() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(page=FAIL, port=ports.Unreachable("its machine is gone."))
    pupil.check()
    after = pupil.wait().progress
    assert after.problem == "The lab cannot be reached now: its machine is gone."
    assert after.at("serve").tries == 0
    assert verdicts(pupil) == [("page", False, "Not there: port 80 is closed.")]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (ports.ScriptOutcome(0, "", timed_out=True), "It was not done in time (10 s)."),
        (ports.ScriptOutcome(-9, "half a"), "It was stopped before its end"),
        (ports.ScriptOutcome(137, ""), "It was stopped before its end"),
        (ports.ScriptOutcome(1, " \n"), "Not done yet."),
        (ports.ScriptOutcome(2, "x" * 9000), "xxx"),
    ],
)
def test_a_check_that_fails_without_good_words_gets_some(
    outcome: ports.ScriptOutcome, words: str
) -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(page=outcome)
    pupil.check()
    pupil.wait()
    check, ok, text = verdicts(pupil)[0]
    assert (check, ok) == ("page", False)
    assert text.startswith(words)
    assert len(text) <= progress.TEXT_MAX


def test_a_fault_of_ours_is_told_and_leaves_nothing_busy(caplog: pytest.LogCaptureFixture) -> None:
    pupil = Pupil()
    pupil.play()

    def broken() -> ports.ScriptOutcome:
        raise RuntimeError("a bug")

    pupil.scripts(page=broken)
    pupil.check()
    after = pupil.wait().progress
    assert (after.run, after.problem) == (None, learning.FAULT)
    assert "a run failed" in caplog.text


def test_checks_that_take_all_the_time_leave_the_rest_undone_and_say_so() -> None:
    pupil = Pupil()
    pupil.play()

    def slow() -> ports.ScriptOutcome:
        pupil.house.clock.advance(49.8)
        return PASS

    pupil.scripts(page=slow)
    pupil.check()
    after = pupil.wait().progress
    assert after.problem == scripts.NO_TIME
    assert verdicts(pupil) == [("page", True, "It is there.")]


def test_a_script_gets_no_more_time_than_is_left() -> None:
    pupil = Pupil()
    pupil.play()

    def slow() -> ports.ScriptOutcome:
        pupil.house.clock.advance(45)
        return PASS

    pupil.scripts(page=slow)
    pupil.check()
    pupil.wait()
    assert [seconds for _, _, seconds in pupil.house.agents.ran] == [10, 5]


def test_busy_ends_by_itself_and_the_next_press_runs() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    lost, pupil.later[:] = list(pupil.later), []
    pupil.house.clock.advance(60)
    now = pupil.house.clock.now()
    assert progress.under_way(pupil.standing.progress, now) is None
    assert progress.problem(pupil.standing.progress, now) == progress.OVERDUE
    pupil.check()
    pupil.wait()
    assert states(pupil)[1] == "passed"
    assert len(lost) == 1


def test_a_run_whose_turn_comes_too_late_does_not_begin() -> None:
    pupil = Pupil()
    pupil.play()
    for press in (pupil.check, pupil.solve):
        press()
        pupil.house.clock.advance(60)
        assert pupil.wait().progress.problem == scripts.NO_TIME
    assert pupil.house.agents.ran == []


def test_a_late_verdict_does_not_speak_for_the_next_press() -> None:
    pupil = Pupil()
    pupil.play()

    def slow() -> ports.ScriptOutcome:
        pupil.house.clock.advance(61)
        pupil.scripts(page=FAIL)
        pupil.check()
        return PASS

    pupil.scripts(page=slow)
    pupil.check()
    going = pupil.wait().progress.run
    assert going is not None
    assert verdicts(pupil) == []
    assert pupil.told[-1][1] is True
    pupil.wait()
    assert states(pupil)[1] == "failing"


def test_a_verdict_of_an_ended_sandbox_is_not_written_to_the_new_one() -> None:
    pupil = Pupil()
    pupil.play()

    def stopped() -> ports.ScriptOutcome:
        pupil.stop()
        pupil.play()
        return PASS

    pupil.scripts(page=stopped)
    pupil.check()
    after = pupil.wait().progress
    assert verdicts(pupil) == []
    assert (after.run, after.problem) == (None, learning.ENDED)
    assert states(pupil)[1] == "untouched"


def test_a_lab_that_ends_while_it_is_checked_says_so() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    pupil.stop()
    assert pupil.wait().progress.problem == learning.ENDED


def test_a_run_whose_sandbox_is_forgotten_says_so() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    key = ports.Key(f"u#{pupil.person.id}", "y#demo#hello")
    pupil.house.store.transact((ports.Delete(key),))
    assert pupil.wait().progress.problem == learning.ENDED


def test_progress_that_is_deleted_meanwhile_stays_away() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check()
    key = ports.Key(f"u#{pupil.person.id}", "p#demo#hello")
    pupil.house.store.transact((ports.Delete(key),))
    assert pupil.wait().version == 0


# --- what the page does by itself ----------------------------------------------------------------
def test_the_page_tries_only_what_is_to_be_watched_and_a_failure_is_no_try() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(port=FAIL)
    pupil.check(quiet=True)
    pupil.wait()
    assert [script for _, script, _ in pupil.house.agents.ran] == ["check port"]
    assert states(pupil)[1] == "untouched"


def test_a_watched_check_that_passes_is_the_last_one_missing() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(port=FAIL)
    pupil.check()
    pupil.wait()
    pupil.scripts()
    pupil.check(quiet=True)
    pupil.wait()
    assert states(pupil)[1] == "passed"


def test_a_press_does_not_wait_for_what_the_page_does_by_itself() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check(quiet=True)
    pupil.check()
    pupil.scripts(page=FAIL)
    pupil.wait()
    assert verdicts(pupil)[0] == ("page", False, "Not there: port 80 is closed.")
    assert pupil.told[-2:] == [(pupil.told[0][0], True), (pupil.told[0][0], False)]


def test_a_step_with_nothing_to_watch_is_not_tried_by_the_page() -> None:
    pupil = Pupil()
    pupil.play()
    with pytest.raises(Problem):
        pupil.check("read", quiet=True)


# --- solutions -----------------------------------------------------------------------------------
def test_a_solution_runs_then_the_checks_and_the_step_is_solved() -> None:
    pupil = Pupil()
    sandbox = pupil.play()
    pupil.solve()
    pupil.wait()
    assert pupil.house.agents.ran == [
        (f"bh-test-{sandbox}-a1-db", "solve serve", 30),
        (f"bh-test-{sandbox}-a1-web", "check page", 10),
        (f"bh-test-{sandbox}-a1-db", "check port", 10),
    ]
    assert states(pupil)[1] == "solved"


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({"solve": FAIL}, "The solution did not work here. Not there: port 80 is closed."),
        (
            {"solve": ports.ScriptOutcome(0, "", timed_out=True)},
            "The solution did not work here. It was not done in time (30 s).",
        ),
        ({"page": FAIL}, "The solution ran, but not every check passes yet."),
        ({"solve": ports.Unreachable("gone.")}, "The lab cannot be reached now: gone."),
    ],
)
def test_a_solution_that_does_not_solve_says_why(
    ends: dict[str, ports.ScriptOutcome | ports.Unreachable], words: str
) -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(**ends)
    pupil.solve()
    after = pupil.wait().progress
    assert after.problem is not None
    assert after.problem.startswith(words)
    assert after.at("serve").tries == 0
    assert states(pupil)[1] != "solved"


# --- quiz, hints, hand ---------------------------------------------------------------------------
def test_a_quiz_is_graded_and_passes_its_step() -> None:
    pupil = Pupil()
    pupil.answer("where", "var")
    pupil.answer("where", "etc")
    assert states(pupil)[2] == "seen"
    pupil.answer("secret", text="  MARIGOLD ")
    assert states(pupil)[2] == "passed"
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
    assert pupil.house.engine.playing.committed("demo") == 0
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
