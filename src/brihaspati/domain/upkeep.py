"""What is left to do about a sandbox, and when somebody must look at it again."""

from __future__ import annotations

from brihaspati.domain import effects
from brihaspati.domain.effects import Effect
from brihaspati.domain.sandboxes import Sandbox

RETRY_MS = 30_000


def still_needed(sandbox: Sandbox, unfinished: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Without the effects that have lost their object: their machine is gone, the turn taken.

    Of alarms, and of a machine's look-ups and deletes, the last one asked for is enough. Two
    workers that did the same one ask for its repetition twice, and those would do so again.
    """

    def needed(effect: Effect) -> bool:
        match effect:
            case effects.CreateMachine() | effects.FindMachine() | effects.DeleteMachine():
                machine = sandbox.machine(effect.label)
                return machine is not None and machine.state != "gone"
            case effects.AskForTurn():
                return sandbox.phase == "queued"
            case effects.OpenDoors():
                return sandbox.phase == "ready"
            case _:
                return True

    kept: dict[object, Effect] = {}
    for effect in filter(needed, unfinished):
        purpose = _purpose(effect)
        kept.pop(purpose, None)
        kept[purpose] = effect
    return tuple(kept.values())


def _purpose(effect: Effect) -> object:
    """What is the same for effects of which a later one takes the place of an earlier."""
    match effect:
        case effects.SetAlarm():
            return effect.kind
        case effects.FindMachine() | effects.DeleteMachine():
            return effect.kind, effect.label
        case _:
            return effect


def due_at(sandbox: Sandbox, unfinished: tuple[Effect, ...], now: int) -> int | None:
    """When somebody must look at the sandbox again even if every message about it is lost."""
    times = [e.not_before if e.not_before > now else now + RETRY_MS for e in unfinished]
    if sandbox.phase in ("queued", "starting"):
        times.append(sandbox.start_by)
    if sandbox.phase == "ready":
        times += [at for at in (sandbox.deadline_at, sandbox.idle_at) if at is not None]
    return min(times, default=None)
