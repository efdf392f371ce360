"""The second chance: what is due, what is lost, who is a stray, what a pool lacks.

Nothing here is needed on a good day. On a bad one it is why nobody pays for a forgotten machine.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from brihaspati import ports
from brihaspati.domain import events, lifecycle, pools, sandboxes, strays
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Sandbox, Slot, Terms
from brihaspati.engine import records
from brihaspati.engine.classes import Classes
from brihaspati.engine.paging import every
from brihaspati.engine.playing import Playing
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.engine.working import Worker, slots_of
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

log = logging.getLogger(__name__)

SUSPECTS = Key("sweep", "suspects")
FOREVER = "9" * 15


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found."""

    looked_at: int = 0
    lost: int = 0
    strays: int = 0
    suspects: int = 0
    expired: int = 0
    unreadable: tuple[str, ...] = ()


class Sweeping:
    """Compares what is with what is meant, and posts the difference as events."""

    def __init__(self, world: World, worker: Worker, classes: Classes, playing: Playing) -> None:
        self.world = world
        self.worker = worker
        self.classes = classes
        self.playing = playing

    def sweep(self, *, everything: bool = False) -> Swept:
        """Wake what is due (or everything alive), then compare the inventories."""
        due = self._due(FOREVER if everything else f"{self.world.clock.now():015d}~")
        for slot in due:
            self.worker.wake(slot)
        return replace(self.reconcile(), looked_at=len(due))

    def _due(self, until: str) -> list[Slot]:
        found: list[Slot] = []
        for shard in range(self.world.due_shards):
            found += slots_of(self._index("due", f"due#{shard}", until=until))
        return found

    def _index(self, index: str, partition: str, until: str | None = None) -> Iterable[Item]:
        query = functools.partial(self.world.store.query_index, index, partition, until=until)
        return every(lambda cursor: query(cursor=cursor))

    # --- strays ----------------------------------------------------------------------------------
    def reconcile(self) -> Swept:
        """Compare every provider's inventory with the sandboxes that may own machines."""
        suspects_item = self.world.store.get(SUSPECTS)
        before = dict(suspects_item.body["labels"]) if suspects_item is not None else {}
        after: dict[str, int] = {}
        swept = Swept()
        for name, provider in self.world.providers.items():
            # The inventory is read first: a machine made after it cannot look like a stray.
            try:
                inventory = provider.inventory()
            except ports.Unclear as unclear:
                log.warning("inventory unclear", extra={"provider": name, "reason": str(unclear)})
                after |= before
                swept = replace(swept, unreadable=(*swept.unreadable, name))
                continue
            verdict, owners = self._judge(name, inventory, before)
            self._delete(provider, verdict)
            lost = self._tell_lost(provider, verdict, owners)
            after |= verdict.suspects
            swept = replace(
                swept, lost=swept.lost + lost, strays=swept.strays + len(verdict.delete)
            )
        self.world.store.transact((ports.Put(SUSPECTS, {"labels": after}),))
        return replace(swept, suspects=len(after))

    def _judge(
        self, name: str, inventory: list[ports.MachineSeen], before: dict[str, int]
    ) -> tuple[strays.Verdict, dict[str, Slot]]:
        may: set[str] = set()
        must: set[str] = set()
        owners: dict[str, Slot] = {}
        for record in self._alive():
            sandbox = record.sandbox
            if sandbox.terms.provider != name:
                continue
            may |= sandboxes.labels(sandbox.machines)
            known = {m.label for m in sandbox.machines if m.state in ("running", "usable")}
            must |= known
            owners |= dict.fromkeys(known, sandbox.slot)
        seen = [strays.Sighting(m.label, m.id, m.created_at) for m in inventory]
        return strays.judge(seen, may, must, before, self.world.clock.now()), owners

    def _alive(self) -> list[Record]:
        """Every sandbox that may own a machine: whatever is not at rest is in the due index."""
        found = []
        for shard in range(self.world.due_shards):
            found += [records.record_of(i) for i in self._index("due", f"due#{shard}")]
        return found

    def _delete(self, provider: ports.Provider, verdict: strays.Verdict) -> None:
        for stray in verdict.delete:
            log.warning("deleting a stray", extra={"label": stray.label})
            try:
                provider.delete(stray.machine_id)
            except ports.Unclear:
                log.warning("stray delete unclear", extra={"label": stray.label})

    def _tell_lost(
        self, provider: ports.Provider, verdict: strays.Verdict, owners: dict[str, Slot]
    ) -> int:
        """A machine made since the inventory was read is not in it: look each up before."""
        count = 0
        for label in verdict.lost:
            try:
                if provider.find(label) is not None:
                    continue
            except ports.Unclear:
                continue  # the next sweep asks again
            self.worker.post(owners[label], events.MachineLost(label))
            self.worker.wake(owners[label])
            count += 1
        return count

    # --- pools -----------------------------------------------------------------------------------
    def fill_pools(self) -> None:
        """Bring every pool of an open class to its size, and empty those of closed ones."""
        for room in self.classes.all():
            for lab, _ in room.labs:
                try:
                    self.fill_pool(room.id, lab)
                except Problem as problem:  # no other pool waits for a lab nobody published
                    log.warning("no pool", extra={"lab": lab, "reason": problem.title})

    def fill_pool(self, class_id: str, lab_name: str) -> None:
        """Make or stop pooled sandboxes of one lab as its plan says."""
        room = self.classes.get(class_id)
        lab = self.classes.lab_in(room, lab_name)
        have = [r.sandbox for r in self._pooled(class_id, lab_name)]
        now = self.world.clock.now()
        wanted = room.pool if room.state(now) == "open" else 0
        plan = pools.plan(wanted, lab.version, have)
        for sandbox_id in plan.stop:
            self.playing.stop(Slot(class_id, lab_name, pooled=sandbox_id), "unclaimed")
        for _ in range(plan.make):
            terms = self.playing.terms(room, lab, now)
            if not self._is_affordable(room, terms, now):
                break
            sandbox_id = self.world.chance.name(12)
            slot = Slot(class_id, lab_name, pooled=sandbox_id)
            fresh = sandboxes.new(sandbox_id, slot, terms, now)
            asked = Record(fresh, (), 0).follow(lifecycle.decide(fresh, events.Played(), now))
            self.worker.save(asked)
            self.worker.wake(slot)
        self._forget(r for r in self._pooled(class_id, lab_name) if r.sandbox.at_rest)

    def _is_affordable(self, room: Classroom, terms: Terms, now: int) -> bool:
        """Whether the budget has room for one more beside the students' and every warm one."""
        if room.budget_micros is None:
            return True
        warm = [r.sandbox for lab, _ in room.labs for r in self._pooled(room.id, lab)]
        return self.playing.affords(room, terms, now, beside=warm)

    def _pooled(self, class_id: str, lab: str) -> list[Record]:
        query = functools.partial(self.world.store.query, f"w#{class_id}#{lab}", "y#")
        return [records.record_of(item) for item in every(lambda cursor: query(cursor=cursor))]

    def _forget(self, ended: Iterable[Record]) -> None:
        for record in ended:
            if not record.unfinished:
                key = records.sandbox_key(record.sandbox.slot)
                with contextlib.suppress(ports.Conflict):  # somebody else just did
                    self.world.store.transact((ports.Delete(key, expect=record.version),))

    # --- heartbeats ------------------------------------------------------------------------------
    def hear(self) -> int:
        """Ask the agents when someone last typed; save what is news. Returns how many were."""
        heard = 0
        for record in self._alive():
            sandbox = record.sandbox
            at = self.world.agents.last_input_at(sandbox.id)
            if at is not None and self._is_news(sandbox, at):
                self.worker.post(sandbox.slot, events.InputSeen(at))
                heard += 1
        return heard

    def _is_news(self, sandbox: Sandbox, at: int) -> bool:
        return sandbox.phase == "ready" and at > (sandbox.last_input_at or 0)
