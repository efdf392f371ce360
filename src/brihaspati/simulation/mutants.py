"""Deliberate breaks of the engine. A simulation that does not notice one of them lacks a promise.

Each is a small change of what one function does, as a tired programmer might make it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brihaspati import ports
from brihaspati.domain import (
    effects,
    events,
    lifecycle,
    money,
    sandboxes,
    scrubs,
    strays,
    upkeep,
)
from brihaspati.domain.lifecycle import Decision
from brihaspati.engine import playing, records
from brihaspati.engine.budgets import Budgets
from brihaspati.engine.sweeping import Sweeping, Swept
from brihaspati.engine.working import Worker
from brihaspati.simulation import process


@dataclass(frozen=True)
class Mutant:
    """A break: what it does in words, and where (`owner.name`) something else is put."""

    name: str
    owner: Any
    attribute: str
    instead: Any

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Break it for as long as the context lasts."""
        before = self.owner.__dict__[self.attribute]
        setattr(self.owner, self.attribute, self.instead)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, before)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _swept(*_: Any, **__: Any) -> Swept:
    return Swept()


def _unchanged(sandbox: sandboxes.Sandbox, *_: Any, **__: Any) -> Decision:
    return Decision(sandbox)


# --- the worker -----------------------------------------------------------------------------------
_create = Worker._create  # noqa: SLF001 - breaking in is the purpose
_perform = Worker._perform  # noqa: SLF001


def _create_twice(self: Worker, sandbox: sandboxes.Sandbox, label: str) -> events.Event:
    first = _create(self, sandbox, label)
    return _create(self, sandbox, label) if isinstance(first, events.CreateUnclear) else first


def _always_fresh(self: Worker, record: Any, effect: Any, *, fresh: bool) -> events.Event:  # noqa: ARG001
    return _perform(self, record, effect, fresh=True)


def _trusting_delete(self: Worker, sandbox: Any, effect: effects.DeleteMachine) -> events.Event:
    with contextlib.suppress(ports.Unclear):
        self.world.providers[sandbox.terms.provider].delete(effect.machine_id)
    return events.MachineGone(effect.label)


def _no_alarms(self: Worker, record: Any, effect: Any, *, fresh: bool) -> events.Event:
    if isinstance(effect, effects.SetAlarm):
        return events.Woke()
    return _perform(self, record, effect, fresh=fresh)


def _waits_forgotten(self: Worker, record: records.Record, *, at_once: bool = False) -> None:
    now = self.world.clock.now()
    ready = tuple(e for e in record.unfinished if e.not_before <= now)
    if ready or at_once:
        _wake_for(self, replace(record, unfinished=ready), at_once=at_once)


_wake_for = Worker.wake_for


def _all_at_once(self: Worker, record: records.Record) -> list[effects.Effect]:  # noqa: ARG001
    return list(record.unfinished)


# --- the records ----------------------------------------------------------------------------------
_put_record = records.put_record


def _unversioned(record: records.Record, now: int, shards: int) -> ports.Put:
    return replace(_put_record(record, now, shards), expect=None)


def _claim_unversioned(self: Worker, record: records.Record, *others: ports.Write) -> Any:
    return _save(self, record, *(replace(other, expect=None) for other in others))  # type: ignore[arg-type]


_save = Worker.save


# --- the sweep ------------------------------------------------------------------------------------
_judge = strays.judge


def _one_sighting(
    inventory: Any, may: Any, must: Any, suspects: Mapping[str, int], now: int
) -> strays.Verdict:
    return _judge(inventory, may, must, {**dict.fromkeys((m.label for m in inventory), now),
                                         **suspects}, now)  # fmt: skip


def _rash_losses(self: Sweeping, provider: Any, verdict: Any, owners: Any) -> int:  # noqa: ARG001
    for label in verdict.lost:
        self.worker.post(owners[label], events.MachineLost(label))
    return len(verdict.lost)


def _only_strays(self: Sweeping, *, everything: bool = False) -> Swept:  # noqa: ARG001
    return self.reconcile()


def _only_due(self: Sweeping) -> Swept:  # noqa: ARG001
    return Swept()


def _never_owned(*_: Any, **__: Any) -> bool:
    return False


def _heard_nothing(*_: Any, **__: Any) -> tuple[()]:
    return ()


# --- people ---------------------------------------------------------------------------------------
def _no_note(*_: Any, **__: Any) -> tuple[ports.Write, ...]:
    return ()


def _always_allowed(*_: Any, **__: Any) -> bool:
    return True


def _one_play_unchecked(room: Any, member: Any) -> ports.Write:
    return replace(_one_play(room, member), expect=None)  # type: ignore[arg-type]


_one_play = playing._one_play  # noqa: SLF001


def _free_lunch(*_: Any, **__: Any) -> int:
    return 0


def _acknowledged_first(self: process.Process, call: Callable[[], object]) -> bool:
    _attempt(self, call)
    return True


_attempt = process.Process._attempt  # noqa: SLF001


def _never(*_: Any, **__: Any) -> int:
    return 10**15


_extend = lifecycle._extend  # noqa: SLF001


def _extend_each_time(sandbox: sandboxes.Sandbox, event: events.Extended, now: int) -> Decision:
    return _extend(sandbox, replace(event, extensions_left=sandbox.extensions_left), now)


def _deadline_forgotten(sandbox: sandboxes.Sandbox, now: int) -> Decision:
    return Decision(sandbox) if sandbox.phase == "ready" else _woke(sandbox, now)


_woke = lifecycle._woke  # noqa: SLF001


def _idle_since_ready(sandbox: sandboxes.Sandbox) -> int | None:
    found: int | None = _idle_at(replace(sandbox, last_input_at=None))
    return found


_idle_at = sandboxes.Sandbox.__dict__["idle_at"].fget


def _other_creates(self: Worker, record: Any, effect: Any, *, fresh: bool) -> events.Event:  # noqa: ARG001
    return _perform(self, record, effect, fresh=False)


def _only_these_machines(sandbox: sandboxes.Sandbox, *given: Any) -> Decision:
    return _start(replace(sandbox, machines=()), *given)


_start = lifecycle._start  # noqa: SLF001


def _silence_is_absence(self: Worker, sandbox: Any, effect: effects.DeleteMachine) -> events.Event:
    provider = self.world.providers[sandbox.terms.provider]
    with contextlib.suppress(ports.Unclear):
        provider.delete(effect.machine_id)
        if provider.find(effect.label) is not None:
            return events.DeleteAsked(effect.label)
    return events.MachineGone(effect.label)


def _due_in_the_end(sandbox: Any, unfinished: Any, now: int) -> int | None:  # noqa: ARG001
    return _due_at(sandbox, (), now)


_due_at = upkeep.due_at


def _proven_again(chain: Any, entry: scrubs.Entry) -> scrubs.Entry:
    before = chain[-1].digest if chain else scrubs.FIRST
    end, price = entry.end, entry.micros_per_hour
    cost = money.cost_micros(price, end.created_at or end.gone_at, end.gone_at)
    return scrubs.sealed(replace(entry, number=len(chain) + 1, before=before, cost_micros=cost))


def _note_unversioned(self: Budgets, *given: Any, **more: Any) -> tuple[ports.Write, ...]:
    return tuple(replace(one, expect=None) for one in _note(self, *given, **more))  # type: ignore[arg-type]


_note = Budgets.note


def _endless(self: sandboxes.Terms, at: int) -> int:  # noqa: ARG001
    return at


MUTANTS: Sequence[Mutant] = (
    Mutant("no wake-up", Worker, "wake", _nothing),
    Mutant("waits are not woken", Worker, "wake_for", _waits_forgotten),
    Mutant("no alarms", Worker, "_perform", _no_alarms),
    Mutant("no sweep", Sweeping, "sweep", _swept),
    Mutant("the sweep looks for strays only", Sweeping, "sweep", _only_strays),
    Mutant("the sweep never looks for strays", Sweeping, "reconcile", _only_due),
    Mutant("one sighting is enough", strays, "judge", _one_sighting),
    Mutant("no grace for young machines", strays, "YOUNG_MS", -(10**9)),
    Mutant("lost without a look", Sweeping, "_tell_lost", _rash_losses),
    Mutant("nothing is due", upkeep, "due_at", _nothing),
    Mutant("deletes are trusted", Worker, "_delete", _trusting_delete),
    Mutant("unclear creates are repeated", Worker, "_create", _create_twice),
    Mutant("whoever finds a create sends it", Worker, "_perform", _always_fresh),
    Mutant("missing once is missing", lifecycle, "LOOKUPS_MAX", 1),
    Mutant("no fence on attempts", lifecycle, "_late", _unchanged),
    Mutant("nobody waits for his time", Worker, "_ready", _all_at_once),
    Mutant("version not checked", records, "put_record", _unversioned),
    Mutant("claims not checked", Worker, "save", _claim_unversioned),
    Mutant("done before it is done", process.Process, "_attempt", _acknowledged_first),
    Mutant("a start may take for ever", sandboxes.Sandbox, "start_by", property(_never)),
    Mutant("deadlines are forgotten", lifecycle, "_woke", _deadline_forgotten),
    Mutant("every press extends", lifecycle, "_extend", _extend_each_time),
    Mutant("typing does not count", sandboxes.Sandbox, "idle_at", property(_idle_since_ready)),
    Mutant("no proof", lifecycle, "_proof", lambda *_: ()),
    Mutant("machines cost nothing", money, "cost_micros", _free_lunch),
    Mutant("an index is believed", Sweeping, "_is_owned", _never_owned),
    Mutant("idle unless a sweep heard", Worker, "_typed", _heard_nothing),
    Mutant("a lowered budget does not count", Budgets, "allow", _always_allowed),
    Mutant("budgets are not kept", Budgets, "note", _no_note),
    Mutant("labs at a time are not kept", playing, "_one_play", _one_play_unchecked),
    Mutant("more time asks no budget", Budgets, "note_more", _no_note),
    Mutant("budget notes overwrite each other", Budgets, "note", _note_unversioned),
    Mutant("creates are never sent", Worker, "_perform", _other_creates),
    Mutant("an attempt forgets those before", lifecycle, "_start", _only_these_machines),
    Mutant("no answer means gone", Worker, "_delete", _silence_is_absence),
    Mutant("unfinished work is not due", upkeep, "due_at", _due_in_the_end),
    Mutant("ends are proven twice", scrubs, "following", _proven_again),
    Mutant("a class has no end", sandboxes.Terms, "until", _endless),
)
