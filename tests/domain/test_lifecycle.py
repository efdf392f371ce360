"""The life of a sandbox, event by event."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import grid
import lifetimes
from brihaspati.domain import effects, events, lifecycle, pace, sandboxes
from brihaspati.domain.events import Event
from brihaspati.domain.lifecycle import decide
from brihaspati.domain.sandboxes import Phase, Sandbox, Slot, Turn
from brihaspati.domain.upkeep import due_at, still_needed
from lifetimes import LABEL, NOW, SLOT, TERMS, after, fresh, in_phase, pooled, seen


def test_the_page_in_docs_is_what_decide_does() -> None:
    assert Path("docs/lifecycle.md").read_text() == grid.page()


def test_the_attempt_and_its_labels_are_in_the_state_that_orders_the_create() -> None:
    decision = decide(fresh(), events.TurnCame(), NOW)
    assert decision.sandbox.attempt == 1
    assert decision.sandbox.machines[0].label == "bh-test-sbx-a1-main"
    assert effects.CreateMachine("bh-test-sbx-a1-main") in decision.effects


def test_the_alarm_is_set_before_the_machine_is_created() -> None:
    kinds = [type(e) for e in decide(fresh(), events.TurnCame(), NOW).effects]
    assert kinds.index(effects.SetAlarm) < kinds.index(effects.CreateMachine)


def test_ready_only_when_every_machine_is_usable() -> None:
    two = replace(TERMS, machines=("attacker", "shop"))
    started = after(fresh(two), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    half = after(started, seen(first)).sandbox
    assert half.phase == "starting"
    assert after(half, seen(second)).sandbox.phase == "ready"


def test_a_machine_that_still_boots_is_looked_at_again() -> None:
    decision = after(in_phase("starting", replace(TERMS, poll_ms=5_000)), seen(usable=False))
    assert decision.sandbox.phase == "starting"
    assert decision.effects == (effects.FindMachine(LABEL, not_before=NOW + 5_000),)


def test_a_machine_with_an_address_will_tell_itself_and_is_looked_at_seldom() -> None:
    addressed = replace(seen(usable=False), address="192.0.2.7")
    decision = after(in_phase("starting", replace(TERMS, poll_ms=5_000)), addressed)
    wait_ms = 5_000 * pace.SELDOM
    assert decision.effects == (effects.FindMachine(LABEL, not_before=NOW + wait_ms),)


def test_a_usable_machine_stays_usable_when_older_news_comes_late() -> None:
    ready = in_phase("ready")
    assert after(ready, seen(usable=False)).sandbox == ready


def test_a_rented_machine_is_ready_when_its_agent_says_so_and_the_provider_has_shown_it() -> None:
    started = in_phase("starting")
    assert after(started, events.AgentReady(LABEL)).sandbox == started
    shown = after(started, seen(usable=False)).sandbox
    ready = after(shown, events.AgentReady(LABEL)).sandbox
    assert ready.phase == "ready"
    assert after(ready, events.AgentReady(LABEL), seen(usable=False)).sandbox == ready


def test_of_two_rented_machines_both_agents_are_waited_for_and_the_ready_one_not_polled() -> None:
    two = replace(TERMS, machines=("attacker", "shop"))
    started = after(fresh(two), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    shown = after(started, seen(first, usable=False), seen(second, usable=False)).sandbox
    half = after(shown, events.AgentReady(first)).sandbox
    assert half.phase == "starting"
    assert after(half, seen(first, usable=False)).effects == ()
    assert after(half, events.AgentReady(second)).sandbox.phase == "ready"


@pytest.mark.parametrize("phase", ["starting", "ready"])
def test_a_machine_that_must_not_be_used_fails_the_sandbox_and_goes(phase: Phase) -> None:
    sandbox = after(in_phase(phase), seen(usable=phase == "ready")).sandbox
    other = sandboxes.label("test", "sbx", 2, "main")
    assert after(sandbox, events.MachineUnfit(other, "no")).sandbox == sandbox
    decision = after(sandbox, events.MachineUnfit(LABEL, "Its setup failed."))
    assert (decision.sandbox.phase, decision.sandbox.reason) == ("failed", "Its setup failed.")
    assert effects.DeleteMachine(LABEL, f"id-{LABEL}") in decision.effects


def test_the_lifetime_starts_when_the_sandbox_is_ready() -> None:
    started = in_phase("starting")
    ready = decide(started, seen(), NOW + 40_000).sandbox
    assert ready.deadline_at == NOW + 40_000 + 3_600_000


@pytest.mark.parametrize("late", [0, 1, 3_600_000])
def test_time_up_ends_a_ready_sandbox_however_late_the_alarm(late: int) -> None:
    decision = decide(in_phase("ready"), events.Woke(), NOW + 3_600_000 + late)
    assert decision.sandbox.phase == "stopping"
    assert decision.sandbox.end == "expired"


def test_an_alarm_that_comes_early_ends_nothing() -> None:
    ready = after(in_phase("ready"), events.InputSeen(NOW + 3_599_000)).sandbox
    assert decide(ready, events.Woke(), NOW + 3_599_999).sandbox.phase == "ready"


def test_nobody_typing_ends_a_sandbox_whose_lab_says_so() -> None:
    ready = in_phase("ready")
    assert decide(ready, events.Woke(), NOW + 1_199_999).sandbox.phase == "ready"
    assert decide(ready, events.Woke(), NOW + 1_200_000).sandbox.end == "idle"
    typed = after(ready, events.InputSeen(NOW + 600_000)).sandbox
    assert decide(typed, events.Woke(), NOW + 1_200_000).sandbox.phase == "ready"


def test_extending_twice_with_the_same_count_extends_once() -> None:
    once = after(in_phase("ready"), events.Extended(2)).sandbox
    twice = after(once, events.Extended(2)).sandbox
    assert once.deadline_at == NOW + 3_600_000 + 900_000
    assert twice == once


def test_extensions_run_out() -> None:
    spent = after(in_phase("ready"), events.Extended(2), events.Extended(1)).sandbox
    assert after(spent, events.Extended(0)).sandbox == spent


def test_stop_while_the_create_is_under_way_looks_it_up_and_deletes_it() -> None:
    stopped = after(in_phase("starting"), events.StopAsked("stopped"))
    assert stopped.sandbox.phase == "stopping"
    assert any(isinstance(e, effects.FindMachine) for e in stopped.effects)
    late = after(stopped.sandbox, seen())
    assert late.effects == (effects.DeleteMachine(LABEL, f"id-{LABEL}"),)
    assert late.sandbox.phase == "stopping"


def test_stop_before_anything_was_made_is_gone_at_once() -> None:
    assert after(fresh(), events.StopAsked("stopped")).sandbox.phase == "gone"


def test_a_machine_that_shows_up_after_the_end_is_deleted() -> None:
    gone = in_phase("gone")
    late = after(gone, seen())
    assert late.sandbox.phase == "stopping"
    assert late.effects == (effects.DeleteMachine(LABEL, f"id-{LABEL}"),)


def test_gone_needs_every_machine_verified_gone() -> None:
    two = replace(TERMS, machines=("attacker", "shop"))
    started = after(fresh(two), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    stopping = after(started, seen(first), seen(second), events.StopAsked("stopped")).sandbox
    half = after(stopping, events.MachineGone(first)).sandbox
    assert half.phase == "stopping"
    assert after(half, events.MachineGone(second)).sandbox.phase == "gone"


def test_every_verified_deletion_writes_its_proof() -> None:
    decision = decide(in_phase("stopping"), events.MachineGone(LABEL), NOW + 5)
    assert effects.WriteProof(LABEL, NOW, NOW + 5, f"id-{LABEL}") in decision.effects


def test_a_machine_that_was_never_seen_has_a_proof_too_for_it_may_come_late() -> None:
    sandbox = in_phase("stopping")
    asked = replace(sandbox.machines[0], state="asked", machine_id=None, created_at=None)
    sandbox = sandbox.with_machine(replace(asked, missed=lifecycle.LOOKUPS_MAX - 1))
    decision = decide(sandbox, events.MachineMissing(LABEL), NOW + 5)
    assert effects.WriteProof(LABEL, None, NOW + 5, deleted=False) in decision.effects


def test_a_delete_that_lies_is_asked_again_ever_more_slowly() -> None:
    stopping = in_phase("stopping")
    waits = []
    for _ in range(40):
        decision = decide(stopping, events.DeleteAsked(LABEL), NOW)
        stopping = decision.sandbox
        waits += [e.not_before - NOW for e in decision.effects]
    assert waits[0] == lifecycle.DELETE_RETRY_MS
    assert waits == sorted(waits)
    assert waits[-1] == lifecycle.DELETE_RETRY_MS_MAX
    assert stopping.phase == "stopping"


def test_what_is_looked_at_seldom_is_given_time_to_end() -> None:
    stopping = in_phase("stopping", replace(TERMS, poll_ms=10_000))
    waits = []
    for _ in range(5):
        decision = decide(stopping, events.DeleteAsked(LABEL), NOW)
        stopping = decision.sandbox
        waits += [e.not_before - NOW for e in decision.effects]
    assert waits == [20_000, 20_000, 40_000, 60_000, 60_000]


def test_an_unclear_create_is_looked_up_and_never_sent_again() -> None:
    decision = after(in_phase("starting"), events.CreateUnclear(LABEL))
    assert decision.effects == (effects.FindMachine(LABEL, not_before=NOW + 5_000),)
    assert decision.sandbox.attempt == 1


def test_not_found_is_believed_only_after_several_lookups_then_another_attempt_begins() -> None:
    sandbox = in_phase("starting")
    for _ in range(lifecycle.LOOKUPS_MAX - 1):
        sandbox = after(sandbox, events.MachineMissing(LABEL)).sandbox
        assert sandbox.phase == "starting"
    again = after(sandbox, events.MachineMissing(LABEL))
    assert again.sandbox.phase == "queued"
    assert after(again.sandbox, events.TurnCame()).sandbox.attempt == 2


def test_a_retryable_refusal_tries_again_after_the_provider_s_delay() -> None:
    refused = events.CreateRefused(LABEL, "slow down", retryable=True, retry_after_seconds=7)
    decision = after(in_phase("starting"), refused)
    assert decision.sandbox.phase == "queued"
    assert effects.AskForTurn(not_before=NOW + 7_000) in decision.effects


def test_a_turn_of_the_attempt_before_is_no_turn() -> None:
    refused = events.CreateRefused(LABEL, "sold out", retryable=True)
    queued = after(in_phase("starting"), refused).sandbox
    late = events.TurnGiven(Turn(NOW + 60_000, 1, "memory", 0))
    assert decide(queued, late, NOW) == lifecycle.Decision(queued)
    assert decide(queued, replace(late, turn=replace(late.turn, attempt=2)), NOW).effects


def test_a_sandbox_whose_turn_is_refused_fails_with_the_reason() -> None:
    failed = after(fresh(), events.TurnRefused("the budget was lowered")).sandbox
    assert (failed.phase, failed.reason, failed.at_rest) == (
        "failed",
        "the budget was lowered",
        True,
    )


def test_attempts_run_out_into_a_failure_with_the_reason() -> None:
    sandbox = fresh()
    for attempt in (1, 2, 3):
        label = sandboxes.label("test", "sbx", attempt, "main")
        refused = events.CreateRefused(label, "sold out", retryable=True)
        sandbox = after(sandbox, events.TurnCame(), refused).sandbox
    assert (sandbox.phase, sandbox.reason) == ("failed", "sold out")


def test_a_refusal_for_good_fails_at_once_with_its_reason_and_lets_the_others_go() -> None:
    two = replace(TERMS, machines=("attacker", "shop"))
    started = after(fresh(two), events.TurnCame()).sandbox
    first, second = (m.label for m in started.machines)
    half = after(started, seen(first)).sandbox
    refused = events.CreateRefused(second, "setup failed: no python3", retryable=False)
    failed = after(half, refused)
    assert (failed.sandbox.phase, failed.sandbox.reason) == ("failed", "setup failed: no python3")
    assert effects.DeleteMachine(first, f"id-{first}") in failed.effects
    assert not failed.sandbox.at_rest


def test_a_machine_lost_while_ready_fails_with_words_for_the_student() -> None:
    lost = after(in_phase("ready"), events.MachineLost(LABEL)).sandbox
    assert (lost.phase, lost.reason) == ("failed", lifecycle.LOST)
    assert lost.at_rest


def test_a_start_that_takes_for_ever_fails_and_cleans_up() -> None:
    decision = decide(in_phase("starting"), events.Woke(), NOW + 180_000)
    assert decision.sandbox.phase == "failed"
    assert any(isinstance(e, effects.FindMachine) for e in decision.effects)


def test_play_after_a_failure_starts_another_attempt_and_still_cleans_the_old_one() -> None:
    failed = decide(in_phase("starting"), events.Woke(), NOW + 180_000).sandbox
    again = after(failed, events.Played(), events.TurnCame())
    assert again.sandbox.phase == "starting"
    assert again.sandbox.attempt == 2
    late = after(again.sandbox, seen())
    assert late.effects == (effects.DeleteMachine(LABEL, f"id-{LABEL}"),)


def test_play_again_while_running_changes_nothing() -> None:
    phases: tuple[Phase, ...] = ("starting", "ready", "stopping")
    for phase in phases:
        sandbox = in_phase(phase)
        assert decide(sandbox, events.Played(), NOW) == lifecycle.Decision(sandbox)


def test_a_claimed_sandbox_belongs_to_its_student_with_a_whole_lifetime() -> None:
    warm = pooled()
    claimed = decide(warm, events.Claimed(SLOT), NOW + 999_000).sandbox
    assert claimed.slot == SLOT
    assert claimed.deadline_at == NOW + 999_000 + 3_600_000
    assert claimed.machines == warm.machines


def test_a_sandbox_with_an_owner_is_never_given_to_another() -> None:
    ready = in_phase("ready")
    other = Slot("demo", "hello", user="ravi")
    assert decide(ready, events.Claimed(other), NOW).sandbox == ready


def test_a_warm_sandbox_nobody_took_ends_by_itself() -> None:
    assert decide(pooled(), events.Woke(), NOW + 3_600_000).sandbox.end == "unclaimed"


def test_a_trainer_moves_the_end() -> None:
    moved = after(in_phase("ready"), events.DeadlineMoved(NOW + 60_000))
    assert moved.sandbox.deadline_at == NOW + 60_000
    assert moved.effects == (effects.SetAlarm(at=NOW + 60_000),)


def test_effects_about_machines_that_are_gone_are_dropped() -> None:
    gone = in_phase("gone")
    left = (effects.FindMachine(LABEL), effects.DeleteMachine(LABEL, "id"), effects.AskForTurn())
    proof = effects.WriteProof(LABEL, 1, 2)
    assert still_needed(gone, (*left, proof, proof)) == (proof,)


def test_a_slot_survives_its_text() -> None:
    for slot in (SLOT, Slot("demo", "hello", pooled="abc")):
        assert Slot.parse(str(slot)) == slot


def events_about(sandbox: Sandbox) -> list[Event]:
    """Every event there is, about any machine the sandbox has had, and one it never had."""
    found: list[Event] = list(lifetimes.one_of_each(sandbox))
    for label in [*(m.label for m in sandbox.machines), "bh-test-sbx-a9-main"]:
        found += [
            seen(label),
            seen(label, usable=False),
            events.CreateUnclear(label),
            events.CreateRefused(label, "sold out", retryable=True),
            events.MachineMissing(label),
            events.MachineLost(label),
            events.DeleteAsked(label),
            events.MachineGone(label),
        ]
    return found


USUAL = (events.TurnCame(), seen())


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(USUAL)),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400_000)), max_size=30),
)
def test_whatever_happens_nothing_is_forgotten(begun: int, story: list[tuple[int, int]]) -> None:
    started = after(fresh(), events.Played(), *USUAL[:begun])
    sandbox, unfinished, now = started.sandbox, started.effects, NOW
    for choice, pause in story:
        now += pause
        possible = events_about(sandbox)
        decision = decide(sandbox, possible[choice % len(possible)], now)
        before, sandbox = sandbox, decision.sandbox
        unfinished = still_needed(sandbox, (*unfinished, *decision.effects))
        labels = [m.label for m in sandbox.machines]
        assert len(labels) == len(set(labels)), "a label is asked for once"
        assert {m.label for m in before.machines} <= set(labels), "a machine is never forgotten"
        ordered = [e.label for e in decision.effects if isinstance(e, effects.CreateMachine)]
        assert all(before.machine(label) is None for label in ordered), "a create is sent once"
        if not sandbox.at_rest:
            assert due_at(sandbox, unfinished, now) is not None, "somebody will look again"
        if sandbox.phase == "gone":
            assert sandbox.at_rest, "gone means verified"
        if sandbox.phase == "ready":
            assert all(m.state == "usable" for m in sandbox.current), "ready means usable"
        for machine in sandbox.machines:
            if machine.state == "doomed":
                deletes = [e for e in unfinished if isinstance(e, effects.DeleteMachine)]
                assert any(e.label == machine.label for e in deletes), "doomed has its delete"
