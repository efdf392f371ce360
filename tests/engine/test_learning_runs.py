"""Checks and solutions on bad days, by the page itself, and in place of the student."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.domain import progress
from brihaspati.engine import learning, scripts
from brihaspati.engine.problems import Problem
from guided import FAIL, PASS, Pupil


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
    assert pupil.verdicts() == [("page", False, "Not there: port 80 is closed.")]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (ports.ScriptOutcome(0, "", timed_out=True), "It was not done in time (10 s)."),
        (ports.ScriptOutcome(-9, "half a"), "It was stopped before its end"),
        (ports.ScriptOutcome(137, ""), "It was stopped before its end"),
        (ports.ScriptOutcome(1, " \n"), "Not done yet."),
        (ports.ScriptOutcome(127, ""), "Not done yet; or this check has a fault"),
        (ports.ScriptOutcome(127, "There is no moons yet."), "There is no moons yet."),
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
    check, ok, text = pupil.verdicts()[0]
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
    assert pupil.verdicts() == [("page", True, "It is there.")]


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
    assert pupil.states()[1] == "passed"
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
    assert pupil.verdicts() == []
    assert pupil.told[-1][1] is True
    pupil.wait()
    assert pupil.states()[1] == "failing"


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
    assert pupil.verdicts() == []
    assert (after.run, after.problem) == (None, learning.ENDED)
    assert pupil.states()[1] == "untouched"


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
    assert pupil.states()[1] == "untouched"


def test_a_watched_check_that_passes_is_the_last_one_missing() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.scripts(port=FAIL)
    pupil.check()
    pupil.wait()
    pupil.scripts()
    pupil.check(quiet=True)
    pupil.wait()
    assert pupil.states()[1] == "passed"


def test_a_press_does_not_wait_for_what_the_page_does_by_itself() -> None:
    pupil = Pupil()
    pupil.play()
    pupil.check(quiet=True)
    pupil.check()
    pupil.scripts(page=FAIL)
    pupil.wait()
    assert pupil.verdicts()[0] == ("page", False, "Not there: port 80 is closed.")
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
    assert pupil.states()[1] == "solved"


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
    assert pupil.states()[1] != "solved"
