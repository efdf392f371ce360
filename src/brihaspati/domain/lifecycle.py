"""The whole lifecycle of a sandbox: one pure function, `decide`.

    queued -> starting -> ready -> stopping -> gone, and failed (its machines on their way out)

Every event is welcome in every phase, twice and late. What it must never do: forget a machine that
may exist, or ask a provider twice for the same one. `docs/lifecycle.md` is printed from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from brihaspati.domain import effects, events, pace, sandboxes
from brihaspati.domain.effects import Effect
from brihaspati.domain.events import Event
from brihaspati.domain.sandboxes import EndKind, Machine, Sandbox, Turn

LOOKUPS_MAX = 4
DELETE_RETRY_MS = 2_000
DELETE_RETRY_MS_MAX = 60_000

END_TEXTS: dict[EndKind, str] = {
    "stopped": "You stopped this lab. Its machine and everything on it were deleted.",
    "expired": "Time was up. The machine and everything on it were deleted.",
    "idle": "Nobody had typed for a while. The machine and everything on it were deleted.",
    "ended_by_trainer": "Your trainer ended this lab. The machine was deleted.",
    "class_closed": "The class is over. The machine and everything on it were deleted.",
    "unclaimed": "It was kept warm and not needed.",
}
TOO_SLOW = "The lab took too long to start. Press Play to try again."
LOST = "The machine stopped unexpectedly. Press Play for a new one."


@dataclass(frozen=True, slots=True)
class Decision:
    """The sandbox as it is now, and what to do about it, in order."""

    sandbox: Sandbox
    effects: tuple[Effect, ...] = ()


def decide(sandbox: Sandbox, event: Event, now: int) -> Decision:  # noqa: PLR0911
    """What follows from an event. Pure and total: every event in every phase has an answer."""
    match sandbox.phase, event:
        case _, events.MachineSeen():
            return _seen(sandbox, event, now)
        case _, events.MachineGone():
            return _gone(sandbox, event.label, now)
        case _, events.DeleteAsked():
            return _delete_asked(sandbox, event.label, now)
        case _, events.CreateUnclear():
            return _unclear(sandbox, event.label, now)
        case _, events.MachineMissing():
            return _missing(sandbox, event.label, now)
        case _, events.CreateRefused():
            return _refused(sandbox, event, now)
        case _, events.MachineLost():
            return _lost(sandbox, event.label, now)
        case "starting", events.AgentReady():
            return _told_ready(sandbox, event.label, now)
        case (("starting" | "ready"), events.MachineUnfit()):
            return _unfit(sandbox, event, now)
        case _:
            return _asked(sandbox, event, now)


def _asked(sandbox: Sandbox, event: Event, now: int) -> Decision:  # noqa: PLR0911
    """Events from people and clocks."""
    match sandbox.phase, event:
        case "queued", events.Played() if sandbox.attempt == 0:
            return Decision(sandbox, (effects.AskForTurn(),))
        case "failed", events.Played():
            again = sandboxes.new(sandbox.id, sandbox.slot, sandbox.terms, now)
            again = replace(again, attempt=sandbox.attempt, machines=sandbox.machines)
            return Decision(again, (effects.AskForTurn(),))
        case "queued", (events.TurnCame() | events.TurnGiven() | events.TurnRefused()):
            return _turn(sandbox, event, now)
        case (("queued" | "starting" | "ready"), events.StopAsked()):
            return _stop(sandbox, event.end, now)
        case "ready", events.Claimed() if sandbox.slot.user is None:
            return _claim(sandbox, event, now)
        case "ready", (events.Extended() | events.Prolonged() | events.DeadlineMoved()):
            return _another_end(sandbox, event, now)
        case "ready", events.InputSeen() if event.at > (sandbox.last_input_at or 0):
            return Decision(replace(sandbox, last_input_at=event.at))
        case _, events.Woke():
            return _woke(sandbox, now)
        case _:
            return Decision(sandbox)


def _turn(
    sandbox: Sandbox, event: events.TurnCame | events.TurnGiven | events.TurnRefused, now: int
) -> Decision:
    match event:
        case events.TurnCame():
            return _start(sandbox, event.turn, now)
        case events.TurnRefused():
            return _fail(sandbox, event.reason, now)
        case _ if event.turn.attempt > sandbox.attempt:
            waiting = replace(sandbox, turn=event.turn)
            return Decision(waiting, (effects.AskForTurn(not_before=event.turn.at),))
        case _:
            return Decision(sandbox)


# --- starting ------------------------------------------------------------------------------------
def _start(sandbox: Sandbox, turn: Turn | None, now: int) -> Decision:
    """Save the attempt and its labels before any money is spent; then create."""
    attempt = sandbox.attempt + 1
    terms = sandbox.terms
    if turn is not None:
        terms = replace(terms, price_micros_per_hour=turn.price_micros_per_hour)
        sandbox = replace(sandbox, terms=terms, turn=turn)
    made = tuple(
        Machine(
            name=name,
            label=sandboxes.label(terms.env, sandbox.id, attempt, name),
            attempt=attempt,
            state="asked",
            asked_at=now,
            provider=turn.provider if turn is not None else "",
        )
        for name in terms.machines
    )
    started = replace(
        sandbox, phase="starting", attempt=attempt, machines=(*sandbox.machines, *made)
    )
    alarm = effects.SetAlarm(at=sandbox.start_by)
    return Decision(started, (alarm, *(effects.CreateMachine(label=m.label) for m in made)))


def _seen(sandbox: Sandbox, event: events.MachineSeen, now: int) -> Decision:
    machine = sandbox.machine(event.label)
    if machine is None or machine.state == "doomed":
        return Decision(sandbox)
    usable = event.usable or machine.state == "usable"
    known = replace(
        machine,
        state="usable" if usable else "running",
        machine_id=event.machine_id,
        address=event.address or machine.address,
        created_at=machine.created_at or event.created_at,
        disk=event.disk or machine.disk,
        gone_at=None,
        missed=0,
    )
    wanted = sandbox.wants(machine)
    if not wanted:
        return _late(sandbox, known)
    sandbox = sandbox.with_machine(known)
    if sandbox.phase == "ready":
        return Decision(sandbox)
    if all(m.state == "usable" for m in sandbox.current):
        return _ready(sandbox, now)
    if usable:
        return Decision(sandbox)
    wait_ms = pace.look_ms(sandbox.terms.poll_ms, addressed=known.address is not None)
    look = effects.FindMachine(event.label, not_before=now + wait_ms)
    return Decision(sandbox, (look,))


def _told_ready(sandbox: Sandbox, label: str, now: int) -> Decision:
    """An agent is believed about a machine that the provider has shown us, and no other."""
    machine = sandbox.machine(label)
    if machine is None or machine.attempt != sandbox.attempt or machine.state != "running":
        return Decision(sandbox)
    sandbox = sandbox.with_machine(replace(machine, state="usable"))
    ready = all(m.state == "usable" for m in sandbox.current)
    return _ready(sandbox, now) if ready else Decision(sandbox)


def _late(sandbox: Sandbox, known: Machine) -> Decision:
    """News of a machine nobody wants any more, even of one believed gone: it must go."""
    assert known.machine_id is not None
    sandbox = sandbox.with_machine(replace(known, state="doomed"))
    if sandbox.phase == "gone":
        sandbox = replace(sandbox, phase="stopping", ended_at=None)
    return Decision(sandbox, (effects.DeleteMachine(known.label, known.machine_id),))


def _ready(sandbox: Sandbox, now: int) -> Decision:
    deadline = sandbox.terms.lifetime_from(now)
    ready = replace(sandbox, phase="ready", ready_at=now, deadline_at=deadline)
    return Decision(ready, (effects.OpenDoors(), effects.SetAlarm(at=deadline)))


def _claim(sandbox: Sandbox, event: events.Claimed, now: int) -> Decision:
    deadline = sandbox.terms.lifetime_from(now)
    owned = replace(sandbox, slot=event.slot, asked_at=now, ready_at=now, deadline_at=deadline)
    return Decision(owned, (effects.SetAlarm(at=deadline),))


def _another_end(
    sandbox: Sandbox, event: events.Extended | events.Prolonged | events.DeadlineMoved, now: int
) -> Decision:
    match event:
        case events.Extended():
            return _extend(sandbox, event, now)
        case events.Prolonged():
            return _prolong(sandbox, event, now)
        case _:
            deadline = sandbox.terms.until(event.deadline_at)
            moved = replace(sandbox, deadline_at=deadline)
            return Decision(moved, (effects.SetAlarm(at=deadline),))


def _extend(sandbox: Sandbox, event: events.Extended, now: int) -> Decision:
    """More time, once per extension: a repeated request saw an older count and changes nothing."""
    deadline = _extended(sandbox)
    repeated = event.extensions_left != sandbox.extensions_left
    if repeated or extensions_left(sandbox) <= 0 or deadline <= now:  # it would end all the same
        return Decision(sandbox)
    longer = replace(sandbox, deadline_at=deadline, extensions_left=sandbox.extensions_left - 1)
    return Decision(longer, (effects.SetAlarm(at=deadline),))


def _prolong(sandbox: Sandbox, event: events.Prolonged, now: int) -> Decision:
    """More time from the trainer, up to the class's end as it is by now; never less than before."""
    if event.deadline_at != sandbox.deadline_at:
        return Decision(sandbox)
    terms = replace(sandbox.terms, closes_at=event.closes_at)
    deadline = terms.until(event.deadline_at + event.seconds * 1000)
    if deadline <= max(event.deadline_at, now):
        return Decision(sandbox)
    longer = replace(sandbox, terms=terms, deadline_at=deadline)
    return Decision(longer, (effects.SetAlarm(at=deadline),))


def extensions_left(sandbox: Sandbox) -> int:
    """How many extensions there are to ask for: none where the class ends before they begin."""
    if sandbox.deadline_at is not None and _extended(sandbox) <= sandbox.deadline_at:
        return 0
    return sandbox.extensions_left


def _extended(sandbox: Sandbox) -> int:
    return sandbox.terms.until((sandbox.deadline_at or 0) + sandbox.terms.extend_seconds * 1000)


# --- going wrong ---------------------------------------------------------------------------------
def _unclear(sandbox: Sandbox, label: str, now: int) -> Decision:
    """Whether it exists, or whether it has booted: look again."""
    machine = sandbox.machine(label)
    if machine is None or machine.state not in ("asked", "running"):
        return Decision(sandbox)
    return Decision(
        sandbox, (effects.FindMachine(label, not_before=now + sandbox.terms.lookup_grace_ms),)
    )


def _missing(sandbox: Sandbox, label: str, now: int) -> Decision:
    machine = sandbox.machine(label)
    if machine is None or machine.state in ("doomed", "gone"):
        return Decision(sandbox)
    missed = replace(machine, missed=machine.missed + 1)
    sandbox = sandbox.with_machine(missed)
    if missed.missed < LOOKUPS_MAX:
        return Decision(
            sandbox, (effects.FindMachine(label, not_before=now + sandbox.terms.lookup_grace_ms),)
        )
    return _without(sandbox, missed, LOST, now, again_after_ms=0)


def _refused(sandbox: Sandbox, event: events.CreateRefused, now: int) -> Decision:
    """Whoever looked the machine up while it was made may have seen it; it is gone all the same."""
    machine = sandbox.machine(event.label)
    if machine is None or machine.state not in ("asked", "running"):
        return Decision(sandbox)
    wait_ms = int(event.retry_after_seconds * 1000) if event.retryable else None
    return _without(sandbox, machine, event.reason, now, again_after_ms=wait_ms)


def _lost(sandbox: Sandbox, label: str, now: int) -> Decision:
    machine = sandbox.machine(label)
    if machine is None or machine.state not in ("running", "usable"):
        return Decision(sandbox)
    return _without(sandbox, machine, LOST, now, again_after_ms=0)


def _unfit(sandbox: Sandbox, event: events.MachineUnfit, now: int) -> Decision:
    """What is there cannot be trusted, or does not work: no other attempt would do better."""
    machine = sandbox.machine(event.label)
    if machine is None or machine.attempt != sandbox.attempt:
        return Decision(sandbox)
    return _fail(sandbox, event.reason, now)


def _without(
    sandbox: Sandbox, machine: Machine, reason: str, now: int, *, again_after_ms: int | None
) -> Decision:
    """Go on without a machine that does not exist: another attempt while starting, else fail.

    `again_after_ms`: when another attempt may do better; None: none would.
    """
    sandbox = sandbox.with_machine(replace(machine, state="gone", gone_at=now))
    proof = _proof(machine, now)
    another_waits = sandbox.phase == "queued" and again_after_ms is not None
    if not _is_alive(sandbox) or machine.attempt != sandbox.attempt or another_waits:
        rest = _rest(sandbox, now)
        return Decision(rest.sandbox, (*proof, *rest.effects))
    may_try = sandbox.phase == "starting" and sandbox.attempt < sandbox.terms.attempts_max
    if may_try and again_after_ms is not None:
        doomed = _doom(sandbox, now)
        queued = replace(doomed.sandbox, phase="queued")
        turn = effects.AskForTurn(not_before=now + again_after_ms)
        return Decision(queued, (*proof, *doomed.effects, turn))
    failed = _fail(sandbox, reason, now)
    return Decision(failed.sandbox, (*proof, *failed.effects))


def _is_alive(sandbox: Sandbox) -> bool:
    return sandbox.phase in ("queued", "starting", "ready")


def _fail(sandbox: Sandbox, reason: str, now: int) -> Decision:
    doomed = _doom(sandbox, now)
    failed = replace(doomed.sandbox, phase="failed", reason=reason, deadline_at=None)
    rest = _rest(failed, now)
    close = effects.CloseDoors(reason)
    return Decision(rest.sandbox, (close, *doomed.effects, *rest.effects))


# --- ending --------------------------------------------------------------------------------------
def _stop(sandbox: Sandbox, end: EndKind, now: int) -> Decision:
    doomed = _doom(sandbox, now)
    stopping = replace(doomed.sandbox, phase="stopping", end=end, reason=END_TEXTS[end])
    rest = _rest(stopping, now)
    close = effects.CloseDoors(END_TEXTS[end])
    return Decision(rest.sandbox, (close, *doomed.effects, *rest.effects))


def _doom(sandbox: Sandbox, now: int) -> Decision:
    """Every machine that may exist must go: delete the known, look up the unknown."""
    found: list[Effect] = []
    for machine in sandbox.machines:
        if machine.state in ("running", "usable") and machine.machine_id is not None:
            sandbox = sandbox.with_machine(replace(machine, state="doomed"))
            found.append(effects.DeleteMachine(machine.label, machine.machine_id))
        elif machine.state == "asked":
            found.append(
                effects.FindMachine(machine.label, not_before=now + sandbox.terms.lookup_grace_ms)
            )
    return Decision(sandbox, tuple(found))


def _delete_asked(sandbox: Sandbox, label: str, now: int) -> Decision:
    machine = sandbox.machine(label)
    if machine is None or machine.machine_id is None or machine.state != "doomed":
        return Decision(sandbox)
    tries = machine.delete_tries + 1
    sandbox = sandbox.with_machine(replace(machine, delete_tries=tries))
    wait_ms = max(DELETE_RETRY_MS * tries, pace.end_ms(sandbox.terms.poll_ms, tries))
    wait_ms = min(wait_ms, DELETE_RETRY_MS_MAX)
    again = effects.DeleteMachine(label, machine.machine_id, not_before=now + wait_ms)
    return Decision(sandbox, (again,))


def _gone(sandbox: Sandbox, label: str, now: int) -> Decision:
    """Verified gone; a machine still wanted has then been deleted by somebody else."""
    machine = sandbox.machine(label)
    if machine is None or machine.state == "gone":
        return Decision(sandbox)
    return _without(sandbox, machine, LOST, now, again_after_ms=0)


def _proof(machine: Machine, now: int) -> tuple[Effect, ...]:
    """The record of its end, also of one that was asked for and never seen: it may come late."""
    created_at, machine_id = machine.created_at, machine.machine_id
    if created_at is None and machine.missed == 0:
        return ()  # refused: certainly never made
    deleted = machine.state == "doomed"
    return (effects.WriteProof(machine.label, created_at, now, machine_id, deleted, machine.disk),)


def _rest(sandbox: Sandbox, now: int) -> Decision:
    """Ended for good once every machine is verified gone."""
    if any(m.state != "gone" for m in sandbox.machines):
        return Decision(sandbox)
    if sandbox.phase == "stopping":
        return Decision(replace(sandbox, phase="gone", ended_at=now))
    if sandbox.phase == "failed" and sandbox.ended_at is None:
        return Decision(replace(sandbox, ended_at=now))
    return Decision(sandbox)


# --- the clock -----------------------------------------------------------------------------------
def _woke(sandbox: Sandbox, now: int) -> Decision:
    closes_at = sandbox.terms.closes_at
    if _is_alive(sandbox) and closes_at is not None and now >= closes_at:
        return _stop(sandbox, "class_closed", now)
    if sandbox.phase in ("queued", "starting") and now >= sandbox.start_by:
        return _fail(sandbox, TOO_SLOW, now)
    if sandbox.phase != "ready":
        return Decision(sandbox)
    if sandbox.deadline_at is not None and now >= sandbox.deadline_at:
        return _stop(sandbox, "unclaimed" if sandbox.slot.user is None else "expired", now)
    if sandbox.idle_at is not None and now >= sandbox.idle_at:
        return _stop(sandbox, "idle", now)
    return Decision(sandbox)
