"""Which effects a sandbox goes on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import effects, events, lifecycle, sandboxes
from brihaspati.domain.effects import Effect
from brihaspati.domain.sandboxes import Phase
from brihaspati.domain.upkeep import still_needed
from lifetimes import LABEL, NOW, TERMS, after, fresh, in_phase, seen

TWO = replace(TERMS, machines=("attacker", "shop"))


def _there(sandbox: sandboxes.Sandbox) -> set[str]:
    return {m.label for m in sandbox.machines if m.state != "gone"}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (effects.SetAlarm(at=NOW + 2), effects.SetAlarm(at=NOW + 1)),
        (effects.FindMachine(LABEL), effects.FindMachine(LABEL, not_before=NOW)),
        (effects.DeleteMachine(LABEL, "id"), effects.DeleteMachine(LABEL, "id", not_before=NOW)),
    ],
)
def test_what_is_asked_for_again_takes_the_place_of_what_was(
    earlier: Effect, later: Effect
) -> None:
    assert still_needed(in_phase("starting"), (earlier, later)) == (later,)


def test_each_machine_has_its_own_look_up_and_its_own_delete() -> None:
    started = after(fresh(TWO), events.TurnCame()).sandbox
    found: list[Effect] = [effects.FindMachine(m.label) for m in started.machines]
    found += [effects.DeleteMachine(m.label, "id") for m in started.machines]
    assert still_needed(started, tuple(found)) == tuple(found)


def test_every_proof_and_every_goodbye_is_kept() -> None:
    proofs = (effects.WriteProof("a", 1, 2), effects.WriteProof("b", 1, 2))
    doors = (effects.CloseDoors("first"), effects.CloseDoors("second"))
    assert still_needed(in_phase("failed"), (*proofs, *doors)) == (*proofs, *doors)


@pytest.mark.parametrize("phase", ["stopping", "gone", "failed"])
def test_no_doors_are_opened_of_what_has_ended(phase: Phase) -> None:
    assert still_needed(in_phase(phase), (effects.OpenDoors(),)) == ()


def test_the_doors_of_a_ready_sandbox_are_opened() -> None:
    assert still_needed(in_phase("ready"), (effects.OpenDoors(),)) == (effects.OpenDoors(),)


def test_a_setup_that_fails_after_somebody_looked_the_machine_up_fails_with_its_words() -> None:
    looked_up = after(
        in_phase("starting"), events.MachineSeen(LABEL, "id", usable=False, created_at=NOW)
    )
    refused = events.CreateRefused(LABEL, "setup.sh: no python3", retryable=False)
    failed = after(looked_up.sandbox, refused, now=NOW + 5)
    assert (failed.sandbox.phase, failed.sandbox.reason) == ("failed", "setup.sh: no python3")
    assert failed.sandbox.at_rest
    assert effects.WriteProof(LABEL, NOW, NOW + 5, "id", deleted=False) in failed.effects


def test_a_refusal_for_good_of_an_earlier_attempt_does_not_fail_the_one_under_way() -> None:
    started = after(fresh(TWO), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    sold_out = events.CreateRefused(first, "sold out", retryable=True)
    again = after(started, sold_out, events.TurnCame()).sandbox
    assert again.attempt == 2
    late = after(again, events.CreateRefused(second, "no such image", retryable=False)).sandbox
    assert (late.phase, late.reason) == ("starting", None)
    assert _there(late) == {m.label for m in late.current}


@pytest.mark.parametrize("retryable", [True, False])
def test_machines_refused_together_get_another_attempt_if_that_may_help_each(
    retryable: bool,  # noqa: FBT001
) -> None:
    started = after(fresh(TWO), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    sold_out = events.CreateRefused(first, "sold out", retryable=True)
    other = events.CreateRefused(second, "no such image", retryable=retryable)
    refused = after(started, sold_out, other).sandbox
    assert refused.phase == ("queued" if retryable else "failed")


def test_machines_that_are_missing_together_get_another_attempt() -> None:
    started = after(fresh(TWO), events.TurnCame()).sandbox
    missing = [events.MachineMissing(m.label) for m in started.machines] * lifecycle.LOOKUPS_MAX
    assert after(started, *missing).sandbox.phase == "queued"


def test_a_refusal_for_good_lets_a_stopped_sandbox_rest() -> None:
    stopped = after(in_phase("starting"), events.StopAsked("stopped")).sandbox
    refused = events.CreateRefused(LABEL, "no such image", retryable=False)
    gone = after(stopped, refused).sandbox
    assert (gone.phase, gone.reason) == ("gone", lifecycle.END_TEXTS["stopped"])


def test_the_end_of_a_given_up_attempt_s_machine_does_not_fail_the_next_one() -> None:
    started = after(fresh(TWO), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    sold_out = events.CreateRefused(second, "sold out", retryable=True, retry_after_seconds=60)
    waiting = after(started, seen(first), sold_out, events.MachineGone(first)).sandbox
    assert waiting.phase == "queued"
    assert _there(waiting) == set()
