"""A sandbox ends with its class, however far it has come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import effects, events, lifecycle
from brihaspati.domain.lifecycle import decide
from brihaspati.domain.sandboxes import Phase, Terms
from brihaspati.domain.upkeep import due_at
from lifetimes import NOW, SLOT, TERMS, after, fresh, in_phase, pooled, seen

CLOSES_AT = NOW + 600_000
SHORT = replace(TERMS, closes_at=CLOSES_AT)


def ends_with_class(phase: Phase, terms: Terms = SHORT) -> None:
    sandbox = in_phase(phase, terms)
    early = decide(sandbox, events.Woke(), CLOSES_AT - 1).sandbox
    assert early.end is None
    assert decide(sandbox, events.Woke(), CLOSES_AT).sandbox.end == "class_closed"


@pytest.mark.parametrize("phase", ["queued", "starting", "ready"])
def test_the_end_of_the_class_ends_what_is_alive(phase: Phase) -> None:
    ends_with_class(phase, replace(SHORT, start_seconds_max=3600))


def test_the_student_is_told_that_the_class_is_over() -> None:
    ended = decide(in_phase("ready", SHORT), events.Woke(), CLOSES_AT)
    assert ended.sandbox.reason == lifecycle.END_TEXTS["class_closed"]
    assert effects.CloseDoors(lifecycle.END_TEXTS["class_closed"]) in ended.effects


@pytest.mark.parametrize("phase", ["stopping", "gone", "failed"])
def test_the_end_of_the_class_changes_nothing_about_what_has_ended(phase: Phase) -> None:
    sandbox = in_phase(phase, SHORT)
    assert decide(sandbox, events.Woke(), CLOSES_AT) == lifecycle.Decision(sandbox)


def test_the_deadline_a_student_sees_and_its_alarm_are_no_later_than_the_class() -> None:
    ready = after(in_phase("starting", SHORT), seen())
    assert ready.sandbox.deadline_at == CLOSES_AT
    assert effects.SetAlarm(at=CLOSES_AT) in ready.effects


def test_a_lifetime_that_fits_into_the_class_is_kept_whole() -> None:
    long = replace(TERMS, closes_at=NOW + 3_600_001)
    assert in_phase("ready", long).deadline_at == NOW + 3_600_000


def test_a_claimed_sandbox_ends_with_the_class_too() -> None:
    warm = replace(pooled(), terms=SHORT)
    assert decide(warm, events.Claimed(SLOT), NOW + 1000).sandbox.deadline_at == CLOSES_AT


def test_an_extension_reaches_to_the_end_of_the_class_and_then_there_is_none() -> None:
    ready = in_phase("ready", replace(TERMS, closes_at=NOW + 4_000_000))
    assert lifecycle.extensions_left(ready) == 2
    longer = after(ready, events.Extended(2)).sandbox
    assert longer.deadline_at == NOW + 4_000_000
    assert lifecycle.extensions_left(longer) == 0
    assert after(longer, events.Extended(1)) == lifecycle.Decision(longer)


def test_before_it_is_ready_all_its_extensions_are_left() -> None:
    assert lifecycle.extensions_left(fresh(SHORT)) == TERMS.extensions_max


def test_a_trainer_cannot_move_the_end_beyond_the_class() -> None:
    moved = after(in_phase("ready", SHORT), events.DeadlineMoved(CLOSES_AT + 1))
    assert moved.sandbox.deadline_at == CLOSES_AT
    assert moved.effects == (effects.SetAlarm(at=CLOSES_AT),)


def test_a_trainer_gives_more_time_up_to_the_end_the_class_has_by_now() -> None:
    ready = in_phase("ready", SHORT)
    shown = ready.deadline_at
    assert shown is not None
    until_now = after(ready, events.Prolonged(shown, 1800, CLOSES_AT + 5))
    assert until_now.sandbox.deadline_at == CLOSES_AT + 5
    assert until_now.effects == (effects.SetAlarm(at=CLOSES_AT + 5),)
    moved_class = after(ready, events.Prolonged(shown, 1800, CLOSES_AT + 3_600_000))
    assert moved_class.sandbox.deadline_at == shown + 1_800_000
    assert moved_class.sandbox.extensions_left == ready.extensions_left, "those are the student's"
    assert decide(moved_class.sandbox, events.Woke(), CLOSES_AT).sandbox.phase == "ready"
    assert after(ready, events.Prolonged(shown, 1800)).sandbox.deadline_at == shown + 1_800_000


def test_more_time_is_given_once_and_never_less_than_there_was() -> None:
    ready = in_phase("ready", SHORT)
    assert ready.deadline_at is not None
    given = events.Prolonged(ready.deadline_at, 60)
    once = after(ready, given)
    assert after(once.sandbox, given) == lifecycle.Decision(once.sandbox)
    sooner = events.Prolonged(ready.deadline_at, 60, ready.deadline_at - 1)
    assert after(ready, sooner) == lifecycle.Decision(ready)


def test_nobody_spends_an_extension_on_time_that_is_over() -> None:
    ready = in_phase("ready", replace(TERMS, closes_at=NOW + 4_000_000))
    given = events.Prolonged(ready.deadline_at or 0, 60, NOW + 4_000_000)
    missed = NOW + 4_000_000  # nobody looked at it when its time was over, nor when its class was
    for more in (events.Extended(2), given):
        assert after(ready, more, now=missed) == lifecycle.Decision(ready)
        assert after(ready, more, now=NOW + 3_600_001).sandbox != ready


@pytest.mark.parametrize("phase", ["queued", "starting"])
def test_somebody_looks_at_a_start_when_the_class_ends(phase: Phase) -> None:
    slow = replace(SHORT, start_seconds_max=3600)
    sandbox = in_phase(phase, slow)
    assert due_at(sandbox, (), NOW) == CLOSES_AT


def test_the_alarm_of_a_start_rings_when_the_class_ends_during_it() -> None:
    slow = replace(SHORT, start_seconds_max=3600)
    assert effects.SetAlarm(at=CLOSES_AT) in after(fresh(slow), events.TurnCame()).effects
