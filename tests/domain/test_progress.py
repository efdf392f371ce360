"""How far a student is: what each thing that happens changes, and what it leaves as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import progress
from brihaspati.domain.classrooms import BadField
from brihaspati.domain.labs import Check, Choice, Question, QuestionKind, Step
from brihaspati.domain.progress import (
    BLANK,
    Given,
    Progress,
    Result,
    Run,
    RunKind,
    StepProgress,
    Verdict,
)


def asked(kind: QuestionKind = "one") -> Question:
    choices = (
        Choice("etc", "/etc", right=True, why="<p>Yes, settings.</p>"),
        Choice("var", "/var", right=kind == "many"),
        Choice("tmp", "/tmp", right=False, why="<p>That is emptied.</p>"),
        Choice("opt", "/opt", right=False),
    )
    return Question(
        "where",
        kind,
        "<p>Where?</p>",
        choices if kind != "text" else (),
        ("/etc/Hosts", "the hosts  file"),
        why="<p>See hier(7).</p>",
    )


READ = Step("read", "Read", "<p></p>")
CHECKED = Step(
    "checked",
    "Do",
    "<p></p>",
    checks=(Check("a", "A", "true"), Check("b", "B", "true", watch=True)),
    hints=("<p>1</p>", "<p>2</p>"),
)
BOTH = replace(CHECKED, id="both", quiz=(asked(),))
QUIZ = Step("quiz", "Say", "<p></p>", quiz=(asked(),))
LAST = Step("last", "Well done", "<p></p>")
STEPS = (READ, CHECKED, BOTH, QUIZ, LAST)


def states(own: Progress) -> list[str]:
    return [progress.state(own, step) for step in STEPS]


def run(kind: RunKind = "check", step: Step = CHECKED, at: int = 10, name: str = "r1") -> Run:
    return Run(name, kind, step.id, "s1", at)


def said(marks: str) -> tuple[Verdict, ...]:
    """Verdicts of the checks a and b: passed is `+`."""
    each = zip("ab", marks, strict=False)
    return tuple(Verdict(name, mark == "+", "words", 20) for name, mark in each)


def checked(
    own: Progress, result: Result, kind: RunKind = "check", step: Step = CHECKED
) -> Progress:
    """A run from its beginning to its end."""
    going = run(kind, step)
    return progress.ended(progress.begun(own, going), step, going, result, 20)


# --- turning -------------------------------------------------------------------------------------
def test_nothing_is_known_before_the_student_begins() -> None:
    assert states(BLANK) == ["untouched"] * 5
    assert (progress.number(BLANK, STEPS), progress.done(BLANK, STEPS)) == (0, 0)
    assert progress.problem(BLANK, 1) is None
    assert progress.under_way(BLANK, 1) is None


def test_a_step_that_is_only_read_is_passed_by_turning_on() -> None:
    first = progress.turned(BLANK, STEPS, "read", 1)
    assert states(first)[0] == "seen"
    on = progress.turned(first, STEPS, "checked", 2)
    assert states(on) == ["passed", "seen", "untouched", "untouched", "untouched"]
    assert on.at("read") == StepProgress("read", seen_at=1, passed_at=2)
    assert (progress.number(on, STEPS), progress.done(on, STEPS)) == (2, 1)


def test_turning_back_passes_nothing_and_keeps_what_was() -> None:
    on = progress.turned(progress.turned(BLANK, STEPS, "checked", 1), STEPS, "read", 2)
    assert states(on)[:2] == ["seen", "seen"]
    assert progress.number(on, STEPS) == 1


def test_what_was_jumped_over_unread_stays_untouched() -> None:
    on = progress.turned(BLANK, STEPS, "quiz", 1)
    assert states(on) == ["untouched", "untouched", "untouched", "seen", "untouched"]


def test_a_last_step_to_read_is_passed_when_it_is_opened() -> None:
    on = progress.turned(BLANK, STEPS, "last", 1)
    assert states(on)[4] == "passed"


def test_turning_twice_to_the_same_step_is_as_good_as_once() -> None:
    once = progress.turned(progress.turned(BLANK, STEPS, "read", 1), STEPS, "checked", 2)
    assert progress.turned(once, STEPS, "checked", 3) == once


def test_turning_to_another_step_takes_the_problem_away_and_the_same_step_keeps_it() -> None:
    own = checked(progress.turned(BLANK, STEPS, "checked", 1), Result(problem="Gone."))
    assert progress.turned(own, STEPS, "checked", 2).problem == "Gone."
    assert progress.turned(own, STEPS, "both", 2).problem is None


# --- checks --------------------------------------------------------------------------------------
def test_a_press_that_fails_is_a_failed_try() -> None:
    own = checked(BLANK, Result(said("+-")))
    assert own.at("checked").tries == 1
    assert own.at("checked").failed_at == 20
    assert progress.state(own, CHECKED) == "failing"
    assert [v.ok for v in own.at("checked").verdicts] == [True, False]
    assert own.run is None


def test_a_step_passes_when_all_its_checks_do_and_stays_passed() -> None:
    own = checked(checked(BLANK, Result(said("+-"))), Result(said("++")))
    assert progress.state(own, CHECKED) == "passed"
    again = checked(own, Result(said("--")))
    assert progress.state(again, CHECKED) == "passed"
    assert again.at("checked").tries == 1
    assert again.at("checked").passed_at == 20
    assert [v.ok for v in again.at("checked").verdicts] == [False, False]


def test_the_moment_a_step_was_passed_stays() -> None:
    own = checked(BLANK, Result(said("++")))
    again = progress.ended(progress.begun(own, run()), CHECKED, run(), Result(said("++")), 99)
    assert again.at("checked").passed_at == 20


def test_a_step_with_checks_and_quiz_wants_both() -> None:
    own = checked(BLANK, Result(said("+-")), step=BOTH)
    own = checked(own, Result(said("++")), step=BOTH)
    assert progress.state(own, BOTH) == "seen"
    own = progress.answered(own, BOTH, BOTH.quiz[0], Given(("etc",)), 30)
    assert progress.state(own, BOTH) == "passed"
    assert own.at("both").passed_at == 30


def test_what_the_page_tries_by_itself_is_no_failed_try_and_no_news() -> None:
    failed = (Verdict("b", ok=False, text="no", at=20),)
    own = checked(BLANK, Result(failed), "watch")
    assert own == BLANK
    pressed = checked(BLANK, Result(said("+-")))
    own = checked(pressed, Result((Verdict("b", ok=False, text="still no", at=20),)), "watch")
    assert own.at("checked").tries == 1
    assert own.at("checked").verdicts[1].text == "still no"


def test_what_the_page_finds_done_passes_the_step() -> None:
    pressed = checked(BLANK, Result(said("+-")))
    own = checked(pressed, Result((Verdict("b", ok=True, text="yes", at=20),)), "watch")
    assert progress.state(own, CHECKED) == "passed"


def test_a_run_that_could_not_be_done_says_so_and_is_no_try() -> None:
    own = checked(BLANK, Result(said("-"), problem="The lab cannot be reached."))
    assert own.problem == "The lab cannot be reached."
    assert own.at("checked").tries == 0
    assert checked(own, Result(said("++"))).problem is None


def test_the_page_s_own_runs_do_not_touch_what_a_press_was_told() -> None:
    own = checked(BLANK, Result(problem="The lab cannot be reached."))
    assert checked(own, Result(problem="Another."), "watch").problem == own.problem


def test_while_something_runs_nothing_else_begins() -> None:
    going = progress.begun(BLANK, run())
    assert progress.begun(going, run(name="r2", at=11)) == going
    assert progress.begun(going, run("watch", name="r2", at=11)) == going
    watching = progress.begun(BLANK, run("watch"))
    assert progress.begun(watching, run("watch", name="r2", at=11)) == watching


def test_what_ran_in_the_sandbox_before_holds_up_nothing_in_the_next() -> None:
    before = progress.begun(BLANK, run())
    following = replace(run(name="r2", at=11), sandbox="s2")
    assert progress.begun(before, following).run == following
    watching = replace(following, kind="watch")
    assert progress.begun(before, watching).run == watching


def test_a_press_lets_go_of_what_the_page_runs_by_itself() -> None:
    pressed = progress.begun(progress.begun(BLANK, run("watch")), run(name="r2", at=11))
    assert pressed.run == run(name="r2", at=11)
    late = progress.ended(pressed, CHECKED, run("watch"), Result(said("++")), 20)
    assert late == pressed


def test_a_run_is_over_after_a_minute_and_the_next_may_begin() -> None:
    going = progress.begun(BLANK, run(at=10))
    over = 10 + progress.RUN_MS_MAX
    assert progress.under_way(going, over - 1) == going.run
    assert progress.problem(going, over - 1) is None
    assert progress.under_way(going, over) is None
    assert progress.problem(going, over) == progress.OVERDUE
    assert progress.begun(going, run(name="r2", at=over)).run == run(name="r2", at=over)


def test_a_clock_that_is_a_little_behind_sees_the_run_and_one_that_was_set_back_does_not() -> None:
    going = progress.begun(BLANK, run(at=100_000))
    assert progress.under_way(going, 99_000) == going.run
    assert progress.under_way(going, 40_000) is None


def test_a_run_of_the_page_that_never_ends_is_no_problem_of_the_student() -> None:
    going = progress.begun(BLANK, run("watch", at=10))
    assert progress.problem(going, 10 + progress.RUN_MS_MAX) is None


def test_after_its_end_a_run_says_no_more() -> None:
    own = checked(BLANK, Result(said("+-")))
    assert progress.ended(own, CHECKED, run(), Result(said("++")), 30) == own


# --- solutions -----------------------------------------------------------------------------------
def test_a_step_that_is_done_for_the_student_is_solved_not_passed() -> None:
    own = checked(BLANK, Result(said("++"), solved=True), "solve")
    assert progress.state(own, CHECKED) == "solved"
    assert progress.done(own, STEPS) == 1
    assert progress.state(checked(own, Result(said("++"))), CHECKED) == "solved"


def test_a_solution_that_failed_is_no_failed_try_of_the_student() -> None:
    own = checked(BLANK, Result(said("-+"), problem="No."), "solve")
    assert own.at("checked").tries == 0
    assert progress.state(own, CHECKED) == "seen"


def test_what_the_student_passed_stays_passed_when_it_is_done_for_them_again() -> None:
    own = checked(BLANK, Result(said("++")))
    own = checked(own, Result(said("++"), solved=True), "solve")
    assert progress.state(own, CHECKED) == "passed"


def test_a_step_to_read_with_a_solution_is_solved_by_it() -> None:
    own = checked(BLANK, Result(solved=True), "solve", step=replace(READ, solve="true"))
    assert progress.state(own, READ) == "solved"


def test_a_solved_step_still_wants_its_quiz() -> None:
    own = checked(BLANK, Result(said("++"), solved=True), "solve", step=BOTH)
    assert progress.state(own, BOTH) == "seen"
    own = progress.answered(own, BOTH, BOTH.quiz[0], Given(("etc",)), 30)
    assert progress.state(own, BOTH) == "solved"


# --- hints and the hand --------------------------------------------------------------------------
def test_a_hint_is_revealed_once_for_what_the_page_showed() -> None:
    one = progress.revealed(BLANK, CHECKED, 0)
    assert one.at("checked").hints == 1
    assert progress.revealed(one, CHECKED, 0) == one
    two = progress.revealed(one, CHECKED, 1)
    assert two.at("checked").hints == 2
    assert progress.revealed(two, CHECKED, 2) == two


def test_nobody_gets_all_hints_by_saying_they_had_seen_them() -> None:
    assert progress.revealed(BLANK, CHECKED, 99).at("checked").hints == 1


def test_a_step_without_hints_reveals_none() -> None:
    assert progress.revealed(BLANK, READ, 0) == BLANK


def test_a_lab_that_lost_a_hint_takes_none_back() -> None:
    two = progress.revealed(progress.revealed(BLANK, CHECKED, 0), CHECKED, 1)
    fewer = replace(CHECKED, hints=("<p>1</p>",))
    assert progress.revealed(two, fewer, 2) == two


def test_a_raised_hand_keeps_its_place_when_its_words_change() -> None:
    hand = progress.raised(progress.raised(BLANK, "help", 1), " more\x1b[31m words\n ", 5).hand
    assert hand is not None
    assert (hand.at, hand.text) == (1, "more words")
    assert progress.lowered(replace(BLANK, hand=hand)) == BLANK
    assert progress.lowered(BLANK) == BLANK


# --- quiz ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "given", "right"),
    [
        ("one", Given(("etc",)), True),
        ("one", Given(("var",)), False),
        ("many", Given(("var", "etc")), True),
        ("many", Given(("etc",)), False),
        ("many", Given(("etc", "var", "tmp")), False),
        ("text", Given(text=" /ETC/hosts "), True),
        ("text", Given(text="The Hosts\tFile"), True),
        ("text", Given(text="/etc/passwd"), False),
    ],
)
def test_answers_are_graded(kind: QuestionKind, given: Given, *, right: bool) -> None:
    step = replace(QUIZ, quiz=(asked(kind),))
    own = progress.answered(BLANK, step, step.quiz[0], given, 1)
    answer = own.at("quiz").answer("where")
    assert answer is not None
    assert (answer.right, answer.tries) == (right, 1)
    assert progress.state(own, step) == ("passed" if right else "seen")


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("one", Given(), "choices"),
        ("one", Given(("etc", "var")), "choices"),
        ("many", Given(("etc", "nowhere")), "choices"),
        ("many", Given(("nowhere",)), "choices"),
        ("text", Given(("etc",)), "text"),
        ("text", Given(text=" \x00 "), "text"),
    ],
)
def test_what_is_no_answer_is_refused(kind: QuestionKind, given: Given, field: str) -> None:
    with pytest.raises(BadField) as bad:
        progress.answered(BLANK, QUIZ, asked(kind), given, 1)
    assert bad.value.field == field


def test_the_same_answer_again_is_no_other_try_and_a_right_one_stays() -> None:
    wrong = progress.answered(BLANK, QUIZ, asked(), Given(("var",)), 1)
    assert progress.answered(wrong, QUIZ, asked(), Given(("var", "var")), 2) == wrong
    right = progress.answered(wrong, QUIZ, asked(), Given(("etc",)), 3)
    answer = right.at("quiz").answer("where")
    assert answer is not None
    assert (answer.right, answer.tries) == (True, 2)
    assert progress.answered(right, QUIZ, asked(), Given(("var",)), 4) == right


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("one", Given(("etc",)), "<p>Yes, settings.</p><p>See hier(7).</p>"),
        ("one", Given(("tmp",)), "<p>That is emptied.</p>"),
        ("one", Given(("opt",)), None),
        ("many", Given(("etc", "tmp")), "<p>That is emptied.</p>"),
        ("many", Given(("etc",)), None),
        ("text", Given(text="/etc/hosts"), "<p>See hier(7).</p>"),
        ("text", Given(text="no"), None),
    ],
)
def test_a_wrong_answer_is_explained_without_giving_the_right_one_away(
    kind: QuestionKind, given: Given, words: str | None
) -> None:
    own = progress.answered(BLANK, QUIZ, asked(kind), given, 1)
    answer = own.at("quiz").answer("where")
    assert answer is not None
    assert progress.why(asked(kind), answer) == words


# --- words ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("Port 80 is closed.\n", "Port 80 is closed."),
        ("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\x1b(B", "red and plain"),
        ("one\r\n\r\n\ttwo   three\r\n", "one\ntwo three"),
        ("a\x00b\x08c\u202ed\ue000e\ud800f", "abcdef"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("", ""),
        ("\x1b", ""),
        ("\n".join("123456789"), "1\n2\n3\n4\n5\n6\n7\n8\u2026"),
        ("x" * 401, "x" * 399 + "\u2026"),
        ("x" * 400, "x" * 400),
    ],
)
def test_what_a_script_prints_is_made_fit_to_be_shown(printed: str, shown: str) -> None:
    assert progress.plain(printed) == shown
