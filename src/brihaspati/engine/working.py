"""Load, decide, save, perform: how a sandbox moves on.

`post` takes an event and saves what follows from it; `work` performs the unfinished effects of a
sandbox until none is left that can be done now. Both may run anywhere, twice, at the same time: the
version on the record decides who was first, everybody else loads again.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence

from brihaspati import ports
from brihaspati.domain import boot, effects, events, lifecycle, sandboxes, strays
from brihaspati.domain.effects import Effect
from brihaspati.domain.events import Event
from brihaspati.domain.labs import Lab
from brihaspati.domain.sandboxes import Machine, Sandbox, Slot
from brihaspati.domain.scrubs import End
from brihaspati.engine import activity, records
from brihaspati.engine.budgets import Budgets
from brihaspati.engine.records import Record
from brihaspati.engine.scrubbing import Scrubbing
from brihaspati.engine.turns import Turns
from brihaspati.engine.world import World

log = logging.getLogger(__name__)

CONFLICTS_MAX = 50
ROUNDS_MAX = 50
# Effects of which nothing follows: all of them are done and saved together, alarms first.
PLAIN = (effects.SetAlarm, effects.CloseDoors, effects.OpenDoors, effects.WriteProof)
RETRYABLE = frozenset({"sold_out", "rate"})
VERIFIED = "deleted; the look-up finds nothing and the inventory agrees"
VANISHED = "not deleted by us; the look-up finds nothing and the inventory agrees"
NEVER_SEEN = "asked for; no look-up ever found it"
OVER_BUDGET = "The class's budget does not cover it any more. Tell your trainer; they can raise it."
# What a sandbox's machines are called among themselves; every sandbox has a network of its own.
PRIVATE_NETWORK = "10.200.0."


class Lost(Exception):  # noqa: N818 - what happened
    """The record went away, or too many others were writing it."""


class Worker:
    """Moves sandboxes on. Holds no state but a cache of published labs, which never change."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lab = functools.lru_cache(maxsize=256)(self._load_lab)
        self.scrubbing = Scrubbing(world)
        self.turns = Turns(world)
        self.budgets = Budgets(world)

    def load(self, slot: Slot) -> Record | None:
        """The sandbox of a slot, read strongly."""
        item = self.world.store.get(records.sandbox_key(slot))
        return records.record_of(item) if item is not None else None

    def save(self, record: Record, *others: ports.Write) -> Record:
        """Write the record (and others with it) if nobody wrote it since. Raises Conflict."""
        put = records.put_record(record, self.world.clock.now(), self.world.due_shards)
        versions = self.world.store.transact((put, *others))
        self.world.changed(record.sandbox)
        return Record(record.sandbox, record.unfinished, versions[0], record.fresh)

    def home(self, record: Record, home: str = "home") -> ports.Write:
        """Where whoever has only the label of a machine finds its sandbox."""
        return records.put_home(record.sandbox, home, self.world.clock.now())

    def of_label(self, label: str) -> Record | None:
        """The sandbox that a machine's label names, read strongly; None: there is none any more."""
        sandbox_id = sandboxes.sandbox_of(label)
        for sort in records.HOMES:  # in this order: a warm one may be claimed meanwhile
            home = self.world.store.get(records.machine_key(sandbox_id, sort))
            record = self.load(Slot.parse(home.body["slot"])) if home is not None else None
            if record is not None and record.sandbox.id == sandbox_id:
                return record
        return None

    def post(self, slot: Slot, event: Event, known: Record | None = None) -> Record | None:
        """Save what follows from an event; None when there is no such sandbox (any more).

        `known`: the record as this request has just read it.
        """
        return self._change(slot, ((None, event),), known)[0]

    def _change(
        self,
        slot: Slot,
        happened: Sequence[tuple[Effect | None, Event]],
        known: Record | None = None,
    ) -> tuple[Record | None, bool]:
        """What follows from events, and whether there was anything to write.

        Each event comes with the effect it was the end of, if any; all are saved in one write.
        `known` is the record as it was a moment ago: if nobody wrote it since, it need not be read.
        """
        for _ in range(CONFLICTS_MAX):
            record, known = known or self.load(slot), None
            if record is None:
                return None, False
            now, changed = self.world.clock.now(), record
            for done, event in (*self._typed(record.sandbox, now), *happened):
                changed = changed.follow(lifecycle.decide(changed.sandbox, event, now), done)
            if changed is record or changed.says_the_same(record):
                return record, False
            try:
                saved = self.save(changed)
            except ports.Conflict:
                continue
            self._measure(record.sandbox, saved.sandbox)
            return saved, True
        raise Lost(f"{slot} is written by too many at once")

    def _typed(self, sandbox: Sandbox, now: int) -> tuple[tuple[None, Event], ...]:
        """Who typed a moment ago is not idle, whether a sweep has heard of it yet or not."""
        idle_at = sandbox.idle_at if sandbox.phase == "ready" else None
        if idle_at is None or now < idle_at:
            return ()
        at = activity.last_at(self.world, sandbox)
        return ((None, events.InputSeen(min(at, now))),) if at is not None else ()

    def _measure(self, before: Sandbox, after: Sandbox) -> None:
        """Tell what a change meant, once: only one writer of a version is ever saved."""
        if before.phase == after.phase:
            return
        if after.phase == "ready" and after.ready_at is not None and after.slot.user is not None:
            self.world.metrics.took("ready_after", after.ready_at - after.asked_at)
        elif after.phase == "failed":
            self.world.metrics.count("failed_starts")

    def wake(self, slot: Slot, delay_seconds: float = 0, *, ending: bool = False) -> None:
        """Have a worker look at a sandbox; `ending`: one that may delete."""
        make = records.ending_message if ending else records.alarm_message
        at = self.world.clock.now() + round(delay_seconds * 1000) if delay_seconds else 0
        self.world.queue.put(make(slot, at), delay_seconds=delay_seconds)

    def work_at(self, slot: Slot, at: int, *, ending: bool = False) -> None:
        """Work, or where it is too early by our clock wait: whoever sent it had another one."""
        early_ms = at - self.world.clock.now()
        if early_ms > 0:
            self.wake(slot, early_ms / 1000, ending=ending)
        else:
            self.work(slot)

    def wake_soon(self, slot: Slot, delay_seconds: float = 0) -> None:
        """As `wake`, without the person waiting for it: a sweep finds what was just saved, too."""
        ending = self.world.ends
        self.world.soon(lambda: self.wake(slot, delay_seconds, ending=ending))

    def pass_on(self, record: Record) -> None:
        """As `wake_for`, without the person waiting for it: a sweep finds what was saved, too."""
        self.world.soon(lambda: self.wake_for(record))

    def work(self, slot: Slot) -> Record | None:
        """Look at the clock, then perform what is to be done, until nothing is."""
        record, wrote = self._change(slot, ((None, events.Woke()),))
        fresh: frozenset[Effect] = frozenset()
        rounds = 0
        while record is not None and (ready := self._ready(record)) and rounds < ROUNDS_MAX:
            rounds, wrote = rounds + 1, True
            fresh |= record.fresh
            record = self._round(record, ready, fresh)
        if record is not None and wrote:
            self.wake_for(record)
        return record

    def _ready(self, record: Record) -> list[Effect]:
        now = self.world.clock.now()
        return [e for e in record.unfinished if e.not_before <= now and self.world.may(e)]

    def wake_for(self, record: Record, *, at_once: bool = False) -> None:
        """Have those look who may do what is left; the due index is the second chance.

        What waits for its time comes back by the queue then, or `at_once`, which also has them look
        where nothing is left but that.

        Only for whoever wrote: if everyone did who finds something waiting, each repeated message
        would repeat itself until the wait is over, and their number would double and double.
        """
        now, moments = self.world.clock.now(), dict[bool, list[int]]()
        for effect in record.unfinished:
            whose = effects.duty(effect)
            # What anybody may do goes to those who end things: ends must not be late.
            ending = self.world.ends if whose is None else self.world.is_split and whose == "end"
            moments.setdefault(ending, []).append(effect.not_before)
        if at_once and not moments:
            moments[self.world.ends] = [0]
        for ending, waiting in moments.items():
            first = 0 if at_once else min(waiting)
            delay_ms = max(first - now, 50) if first else 0
            self.wake(record.sandbox.slot, delay_ms / 1000, ending=ending)

    def _round(
        self, record: Record, ready: list[Effect], fresh: frozenset[Effect]
    ) -> Record | None:
        """Perform some effects, alarms before anything else, and save what came of them at once.

        Whoever dies before that save leaves them unfinished: the next one sets the alarms again,
        and looks up what may have been created.
        """
        happened: list[tuple[Effect | None, Event]] = []
        for batch in _batches(ready):
            calls = [functools.partial(self._perform, record, e, fresh=e in fresh) for e in batch]
            outcomes = self.world.together(calls) if len(calls) > 1 else [calls[0]()]
            happened += zip(batch, outcomes, strict=True)
        known = Record(record.sandbox, record.unfinished, record.version)
        return self._change(record.sandbox.slot, happened, known)[0]

    # --- effects -----------------------------------------------------------------------------
    def _perform(self, record: Record, effect: Effect, *, fresh: bool) -> Event:
        """Do one effect; what happened is the next event."""
        world, sandbox = self.world, record.sandbox
        match effect:
            case effects.AskForTurn():
                return self._turn(sandbox)
            case effects.SetAlarm():
                alarm = records.alarm_message(sandbox.slot, effect.at)
                world.timer.set(str(sandbox.slot), effect.at, alarm)
            case effects.CreateMachine():
                return self._create(sandbox, effect.label) if fresh else _unclear(effect.label)
            case effects.FindMachine():
                return self._find(sandbox, effect.label)
            case effects.DeleteMachine():
                return self._delete(sandbox, effect)
            case effects.OpenDoors():
                world.agents.open_early(sandbox.id, _labels(sandbox), self._lab_of(sandbox))
            case effects.CloseDoors():
                world.agents.close(sandbox.id, effect.reason)
            case _:  # the type checker sees that only proofs are left
                self.scrubbing.ended(sandbox, _end(effect))
        return events.Woke()

    def _turn(self, sandbox: Sandbox) -> Event:
        """Its turn; when that has come, the budget may be lower than when it was asked for."""
        given = self.turns.ask(sandbox)
        if isinstance(given, events.TurnCame) and not self.budgets.allow(sandbox):
            return events.TurnRefused(OVER_BUDGET)
        return given

    def _create(self, sandbox: Sandbox, label: str) -> Event:
        machine = sandbox.machine(label)
        assert machine is not None
        provider = self.world.providers[sandbox.provider_of(machine)]
        try:
            seen = provider.create(self._order(sandbox, machine))
        except ports.CreateRefused as refused:
            log.warning("create refused", extra={"label": label, "reason": refused.reason})
            elsewhere = self.turns.refused(sandbox, provider.name, refused)
            return events.CreateRefused(
                label,
                refused.reason,
                retryable=refused.kind in RETRYABLE or elsewhere,
                retry_after_seconds=0 if elsewhere else refused.retry_after_seconds or 1,
            )
        except ports.Unclear as unclear:
            log.warning("create unclear", extra={"label": label, "reason": str(unclear)})
            return _unclear(label)
        return _seen(seen)

    def _provider(self, sandbox: Sandbox, label: str) -> ports.Provider:
        machine = sandbox.machine(label)
        name = sandbox.provider_of(machine) if machine is not None else sandbox.terms.provider
        return self.world.providers[name]

    def _find(self, sandbox: Sandbox, label: str) -> Event:
        try:
            seen = self._provider(sandbox, label).find(label)
        except ports.Unclear:
            return _unclear(label)
        return _seen(seen) if seen is not None else events.MachineMissing(label)

    def _delete(self, sandbox: Sandbox, effect: effects.DeleteMachine) -> Event:
        """Ask, then believe only what the look-up and the inventory both say.

        An ask without an answer may have been heard, now or the time before: look all the same. But
        a young machine may not be shown yet by a cloud, nor by anybody who has just not answered,
        and that it is not there says nothing then.
        """
        provider = self._provider(sandbox, effect.label)
        lists_lag = provider.rented
        try:
            provider.delete(effect.machine_id)
        except ports.Unclear:
            lists_lag = True
        machine = sandbox.machine(effect.label)
        age_ms = self.world.clock.now() - ((machine and machine.created_at) or 0)
        if lists_lag and age_ms < strays.YOUNG_MS:
            return events.DeleteAsked(effect.label)
        try:
            gone = provider.find(effect.label) is None and all(
                m.label != effect.label for m in provider.inventory()
            )
        except ports.Unclear:
            gone = False
        return events.MachineGone(effect.label) if gone else events.DeleteAsked(effect.label)

    # --- what an effect needs ------------------------------------------------------------------
    def _load_lab(self, name: str, version: str) -> Lab:
        item = self.world.store.get(records.lab_key(name, version))
        if item is None:
            raise Lost(f"lab {name} version {version} is not published")
        return records.lab_of(item)

    def _lab_of(self, sandbox: Sandbox) -> Lab:
        return self.lab(sandbox.slot.lab, sandbox.terms.lab_version)

    def _order(self, sandbox: Sandbox, machine: Machine) -> ports.MachineOrder:
        lab = self._lab_of(sandbox)
        spec = next(spec for spec in lab.machines if spec.name == machine.name)
        peers = tuple((m.name, f"{PRIVATE_NETWORK}{10 + i}") for i, m in enumerate(lab.machines))
        return ports.MachineOrder(
            label=machine.label,
            sandbox=sandbox.id,
            spec=spec,
            egress=lab.egress,
            egress_allow=lab.egress_allow,
            peers=peers if len(peers) > 1 else (),
            deadline_at=sandbox.deadline_at or 0,
            user_data=self._user_data(sandbox, machine),
        )

    def _user_data(self, sandbox: Sandbox, machine: Machine) -> str:
        """What a rented machine boots with; the token needs no saving, for it can be made again."""
        if self.world.boot is None or not self.world.providers[sandbox.terms.provider].rented:
            return ""
        token = records.boot_token(self.world.secrets, machine.label)
        return boot.user_data(self.world.boot, boot.Told(machine.label, sandbox.id, token))


def _batches(ready: list[Effect]) -> list[list[Effect]]:
    """What to perform next, in order; of each batch all may be done side by side.

    First every alarm, then what is only to be done and asks nothing; then one kind of the rest.
    """
    if len(ready) == 1:
        return [ready]
    asking = [type(e) for e in ready if not isinstance(e, PLAIN)]
    kinds = (*PLAIN, *asking[:1])
    batches: list[list[Effect]] = [[e for e in ready if type(e) is kind] for kind in kinds]
    return [batch for batch in batches if batch]


def _labels(sandbox: Sandbox) -> dict[str, str]:
    return {m.name: m.label for m in sandbox.current}


def _end(effect: effects.WriteProof) -> End:
    how = VERIFIED if effect.deleted else VANISHED
    if effect.machine_id is None:
        how = NEVER_SEEN
    if effect.disk is not None:
        how = f"{how}; its disk was {effect.disk}"
    return End(effect.label, effect.machine_id, effect.created_at, effect.gone_at, how)


def _unclear(label: str) -> Event:
    return events.CreateUnclear(label)


def _seen(seen: ports.MachineSeen) -> Event:
    return events.MachineSeen(
        seen.label,
        seen.id,
        usable=seen.usable,
        created_at=seen.created_at,
        address=seen.address,
        disk=seen.disk,
    )
