"""Who needs the trainer, why and since when; which lab somebody is in; the marks of steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brihaspati.domain import attention, progress
from brihaspati.domain.attention import QUIET_MS, Need, Seen
from brihaspati.domain.labs import Check, Lab, MachineSpec, Step, Terminal
from brihaspati.domain.progress import BLANK, Progress, Result, Run, StepProgress, Verdict
from brihaspati.domain.sandboxes import Phase, Sandbox
from lifetimes import NOW, in_phase

STEPS = (
    Step("read", "Read", "<p>Welcome.</p>"),
    Step("serve", "Serve", "<p>Start it.</p>", checks=(Check("up", "It answers", "true"),)),
    Step("end", "End", "<p>Bye.</p>"),
)
SAID = "Nothing listens on port 80."


def lab(name: str = "hello", steps: tuple[Step, ...] = STEPS) -> Lab:
    return Lab(
        name, name, "", "v1", 30, 60, (MachineSpec("main"),), (Terminal("main", "main"),), steps
    )


def a_sandbox(phase: Phase = "ready", **more: Any) -> Sandbox:
    return replace(in_phase(phase), **more)


def tried(times: int, *, at: int = NOW, own: Progress = BLANK, ok: bool = False) -> Progress:
    """Somebody who turned to the second step and pressed Check so often."""
    own = progress.turned(own, STEPS, "serve", NOW)
    for number in range(times):
        run = Run(f"r{number}", "check", "serve", "sbx", at)
        verdict = Verdict("up", ok, "" if ok else SAID, at)
        own = progress.ended(progress.begun(own, run), STEPS[1], run, Result((verdict,)), at)
    return own


# --- what is worst goes first -------------------------------------------------------------------
def test_who_has_touched_nothing_needs_nothing() -> None:
    assert attention.need((), NOW) is None
    assert attention.current(()) is None


def test_a_raised_hand_says_what_the_student_typed_and_goes_before_all_else() -> None:
    raised = progress.raised(tried(3), "  it says\n no ", NOW + 5)
    seen = Seen(lab(), raised, a_sandbox("failed", reason="No such image."))
    assert attention.need((seen,), NOW) == Need("hand", NOW + 5, "hello", "it says no")


def test_a_failed_sandbox_says_why_since_it_ended() -> None:
    broken = a_sandbox("failed", reason="No such image.", ended_at=NOW + 7)
    failing = Seen(lab("other"), tried(3), a_sandbox())
    seen = Seen(lab(), BLANK, broken)
    assert attention.need((failing, seen), NOW) == Need(
        "broken", NOW + 7, "hello", "No such image."
    )
    alive = replace(broken, ended_at=None)
    found = attention.need((Seen(lab(), BLANK, replace(alive, ready_at=NOW + 3)),), NOW)
    assert found is not None
    assert found.since == NOW + 3
    found = attention.need((Seen(lab(), BLANK, replace(alive, reason=None, ready_at=None)),), NOW)
    assert found == Need("broken", alive.asked_at, "hello", "")


def test_a_suspect_machine_is_a_need_while_its_lab_is_ready() -> None:
    seen = Seen(lab(), tried(3), a_sandbox(), input_at=NOW - 5, suspect="Mining?")
    assert attention.need((seen,), NOW) == Need("suspect", NOW - 5, "hello", "Mining?")
    gone = replace(seen, sandbox=a_sandbox("stopping"))
    assert attention.need((gone,), NOW) is None


def test_checks_that_fail_three_times_are_a_need_in_the_words_of_the_check() -> None:
    twice = Seen(lab(), tried(2, at=NOW + 9), a_sandbox())
    assert attention.need((twice,), NOW) is None
    thrice = Seen(lab(), tried(3, at=NOW + 9), a_sandbox())
    assert attention.need((thrice,), NOW) == Need("failing", NOW + 9, "hello", SAID)


def test_failing_is_over_when_it_passes_or_the_student_turns_or_the_lab_is_gone() -> None:
    passed = tried(1, own=tried(3), ok=True)
    turned = progress.turned(tried(3), STEPS, "end", NOW)
    for seen in (
        Seen(lab(), passed, a_sandbox()),
        Seen(lab(), turned, a_sandbox()),
        Seen(lab(), tried(3), a_sandbox("gone")),
        Seen(lab(), tried(3)),
    ):
        assert attention.need((seen,), NOW) is None


def test_a_step_whose_last_verdicts_are_all_good_is_not_failing() -> None:
    """Its check passes by now, while a question of the step is open."""
    good = Verdict("up", ok=True, text="", at=NOW)
    own = StepProgress("serve", tries=3, failed_at=NOW, verdicts=(good,))
    seen = Seen(lab(), Progress("serve", (own,)), a_sandbox())
    assert attention.need((seen,), NOW) is None


def test_silence_of_eight_minutes_is_a_need_until_the_lab_is_finished() -> None:
    seen = Seen(lab(), BLANK, a_sandbox())
    assert attention.need((seen,), NOW + QUIET_MS - 1) is None
    assert attention.need((seen,), NOW + QUIET_MS) == Need("quiet", NOW, "hello")
    done = Progress("end", tuple(StepProgress(step.id, passed_at=NOW) for step in STEPS))
    assert attention.need((replace(seen, progress=done),), NOW + QUIET_MS) is None
    assert attention.need((replace(seen, lab=lab(steps=())),), NOW + QUIET_MS) is None
    assert attention.need((replace(seen, sandbox=None),), NOW + QUIET_MS) is None


def test_typing_turning_and_trying_all_break_the_silence() -> None:
    later = NOW + QUIET_MS
    typed = Seen(lab(), BLANK, a_sandbox(), input_at=NOW + 1)
    turned = Seen(lab(), progress.turned(BLANK, STEPS, "serve", NOW + 1), a_sandbox())
    failed = Seen(lab(), tried(1, at=NOW + 1), a_sandbox())
    for seen in (typed, turned, failed):
        assert attention.need((seen,), later) is None
        assert attention.need((seen,), later + 1) == Need("quiet", NOW + 1, "hello")


def test_of_two_needs_of_a_kind_the_older_counts() -> None:
    early = Seen(lab("early"), tried(3, at=NOW + 1), a_sandbox())
    late = Seen(lab("late"), tried(3, at=NOW + 2), a_sandbox())
    found = attention.need((late, early), NOW)
    assert found is not None
    assert found.lab == "early"


def test_long_words_are_cut_to_what_fits_on_a_card() -> None:
    raised = progress.raised(BLANK, "x" * 280, NOW)
    found = attention.need((Seen(lab(), raised),), NOW)
    assert found is not None
    assert len(found.text) == attention.TEXT_MAX
    assert found.text.endswith("x\N{HORIZONTAL ELLIPSIS}")


# --- where they are -----------------------------------------------------------------------------
def test_somebody_is_where_something_happened_last_of_what_runs() -> None:
    gone = Seen(lab("gone"), tried(1, at=NOW + 100), a_sandbox("gone"))
    first = Seen(lab("first"), BLANK, a_sandbox(), input_at=NOW + 50)
    second = Seen(lab("second"), BLANK, a_sandbox("starting", asked_at=NOW + 10))
    assert attention.current((gone, first, second)) is first
    assert attention.current((gone, second)) is second
    assert attention.current((gone, Seen(lab("read"), BLANK))) is gone


def test_marks_are_a_letter_a_step_whatever_else_is_remembered() -> None:
    own = Progress(
        "end",
        (
            StepProgress("read", seen_at=NOW, passed_at=NOW),
            StepProgress("dropped", seen_at=NOW, passed_at=NOW),
        ),
    )
    assert attention.marks(Seen(lab(), own)) == "p.."
    assert attention.marks(Seen(lab(), tried(1))) == ".x."
    solved = Progress("serve", (StepProgress("serve", solved=True, passed_at=NOW),))
    assert attention.marks(Seen(lab(), solved)) == ".s."
    assert attention.marks(Seen(lab(), progress.turned(BLANK, STEPS, "read", NOW))) == "o.."
    assert attention.marks(Seen(lab())) == "..."
