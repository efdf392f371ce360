"""Sandboxes in every phase, and one of every event, for the lifecycle's tests and its page."""

from __future__ import annotations

from dataclasses import replace

from brihaspati.domain import events, sandboxes
from brihaspati.domain.events import Event
from brihaspati.domain.lifecycle import Decision, decide
from brihaspati.domain.sandboxes import Phase, Sandbox, Slot, Terms, Turn

NOW = 1_800_000_000_000
SLOT = Slot("demo", "hello", user="asha")
TERMS = Terms(
    env="test",
    provider="memory",
    lab_version="v1",
    machines=("main",),
    lifetime_seconds=3600,
    extend_seconds=900,
    extensions_max=2,
    idle_seconds=1200,
)
LABEL = sandboxes.label("test", "sbx", 1, "main")


def seen(label: str = LABEL, *, usable: bool = True, at: int = NOW) -> events.MachineSeen:
    """The provider tells of a machine."""
    return events.MachineSeen(label, f"id-{label}", usable=usable, created_at=at)


def after(sandbox: Sandbox, *happened: Event, now: int = NOW) -> Decision:
    """The decision after several events; effects of all of them, in order."""
    effects: tuple[object, ...] = ()
    for event in happened:
        decision = decide(sandbox, event, now)
        sandbox, effects = decision.sandbox, (*effects, *decision.effects)
    return Decision(sandbox, effects)  # type: ignore[arg-type]


def fresh(terms: Terms = TERMS, slot: Slot = SLOT) -> Sandbox:
    """Just asked for."""
    return sandboxes.new("sbx", slot, terms, NOW)


def in_phase(phase: Phase, terms: Terms = TERMS) -> Sandbox:
    """A sandbox that got to this phase the usual way."""
    ways: dict[Phase, tuple[Event, ...]] = {
        "queued": (),
        "starting": (events.TurnCame(),),
        "ready": (events.TurnCame(), seen()),
        "stopping": (events.TurnCame(), seen(), events.StopAsked("stopped")),
        "gone": (
            events.TurnCame(),
            seen(),
            events.StopAsked("stopped"),
            events.MachineGone(LABEL),
        ),
        "failed": (
            events.TurnCame(),
            events.CreateRefused(LABEL, "no such image", retryable=False),
        ),
    }
    sandbox = after(fresh(terms), *ways[phase]).sandbox
    assert sandbox.phase == phase
    return sandbox


def pooled() -> Sandbox:
    """A warm sandbox without an owner."""
    slot = Slot("demo", "hello", pooled="sbx")
    return after(fresh(slot=slot), events.TurnCame(), seen()).sandbox


def one_of_each(sandbox: Sandbox) -> tuple[Event, ...]:
    """Every kind of event, about this sandbox's machine where it is about one."""
    return (
        events.Played(),
        events.TurnCame(),
        events.TurnGiven(Turn(NOW + 60_000, sandbox.attempt + 1, "memory", 0)),
        events.TurnRefused("the budget was lowered"),
        seen(),
        seen(usable=False),
        events.CreateRefused(LABEL, "sold out", retryable=True, retry_after_seconds=5),
        events.CreateRefused(LABEL, "no such image", retryable=False),
        events.CreateUnclear(LABEL),
        events.MachineMissing(LABEL),
        events.MachineLost(LABEL),
        events.AgentReady(LABEL),
        events.MachineUnfit(LABEL, "its setup failed"),
        events.DeleteAsked(LABEL),
        events.MachineGone(LABEL),
        events.StopAsked("stopped"),
        events.Extended(sandbox.extensions_left),
        events.Prolonged(sandbox.deadline_at or NOW, 900),
        events.DeadlineMoved(NOW + 60_000),
        events.Claimed(replace(SLOT, user="ravi")),
        events.InputSeen(NOW + 1),
        events.Woke(),
    )
