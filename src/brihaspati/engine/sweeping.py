"""The second chance: what is due, what is lost, who is a stray, what a pool lacks.

Nothing here is needed on a good day. On a bad one it is why nobody pays for a forgotten machine.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from brihaspati import ports
from brihaspati.domain import events, lifecycle, pools, sandboxes, strays
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Slot, Terms
from brihaspati.domain.scrubs import End
from brihaspati.engine import errands, records
from brihaspati.engine.alarms import Alarms
from brihaspati.engine.classes import Classes
from brihaspati.engine.paging import every
from brihaspati.engine.playing import Playing
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.engine.working import Worker
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

log = logging.getLogger(__name__)

SUSPECTS = Key("sweep", "suspects")
FOREVER = "9" * 15
STRAY = "nobody wanted it; deleted, and neither look-up nor inventory show it since"


# Strays that were deleted, by machine id: provider, label and when they were made.
Leaving = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class _Compared:
    """A provider's inventory, and what follows from it."""

    provider: ports.Provider
    inventory: list[ports.MachineSeen]
    verdict: strays.Verdict
    owners: dict[str, Slot]


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found."""

    looked_at: int = 0
    lost: int = 0
    strays: int = 0
    suspects: int = 0
    expired: int = 0
    silent: int = 0
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
        for record in due:
            self.worker.wake_for(record, at_once=True)
        swept, metrics = self.reconcile(), self.world.metrics
        metrics.count("strays", swept.strays)
        metrics.count("suspects", swept.suspects)
        metrics.count("lost_machines", swept.lost)
        metrics.count("unreadable_inventories", len(swept.unreadable))
        silent = Alarms(self.world).look_for_silence(self._ready_rented())
        return replace(swept, looked_at=len(due), silent=silent)

    def _ready_rented(self) -> list[tuple[str, str]]:
        """Sandbox and label of each rented machine whose lab is ready."""
        rented = {name for name, one in self.world.providers.items() if one.rented}
        if not rented:
            return []
        return [
            (said["id"], machine["label"])
            for said in (item.body["sandbox"] for item in self._alive_items())
            if said["phase"] == "ready" and said["terms"]["provider"] in rented
            for machine in said["machines"]
            if machine["state"] == "usable"
        ]

    def _due(self, until: str) -> list[Record]:
        found: list[Record] = []
        for shard in range(self.world.due_shards):
            items = self._index("due", f"due#{shard}", until=until)
            found += [records.record_of(item) for item in items]
        return found

    def _index(self, index: str, partition: str, until: str | None = None) -> Iterable[Item]:
        query = functools.partial(self.world.store.query_index, index, partition, until=until)
        return every(lambda cursor: query(cursor=cursor))

    # --- strays ----------------------------------------------------------------------------------
    def reconcile(self) -> Swept:
        """Compare every provider's inventory with the sandboxes that may own machines."""
        item = self.world.store.get(SUSPECTS)
        before = dict(item.body["labels"]) if item is not None else {}
        known: Leaving = dict(item.body.get("leaving", {})) if item is not None else {}
        leaving = dict(known)
        after: dict[str, int] = {}
        swept = Swept()
        found: list[_Compared] = []
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
            verdict = self._without_owned(name, verdict)
            found.append(_Compared(provider, inventory, verdict, owners))
            leaving |= {s.machine_id: [name, s.label, s.created_at] for s in verdict.delete}
            after |= verdict.suspects
        # What is to be deleted is written first: its proof is owed even if we die on the way.
        version = item.version if item is not None else 0
        if (after, leaving) != (before, known):
            kept = self._keep(after, leaving, version)
            if kept is None:
                return swept  # another sweep was quicker, and does the same
            version = kept
        for one in found:
            self._delete(one.provider, one.verdict)
            lost = self._tell_lost(one.provider, one.verdict, one.owners)
            swept = replace(
                swept, lost=swept.lost + lost, strays=swept.strays + len(one.verdict.delete)
            )
        still = self._prove(found, leaving)
        if still != leaving:
            self._keep(after, still, version)
        return replace(swept, suspects=len(after))

    def _keep(self, suspects: dict[str, int], leaving: Leaving, version: int) -> int | None:
        """Keep what the next sweep needs; None when somebody else wrote since."""
        body = {"labels": suspects, "leaving": leaving}
        try:
            return self.world.store.transact((ports.Put(SUSPECTS, body, expect=version),))[0]
        except ports.Conflict:
            return None

    def _judge(
        self, name: str, inventory: list[ports.MachineSeen], before: dict[str, int]
    ) -> tuple[strays.Verdict, dict[str, Slot]]:
        may = set(errands.wanted(self.world))
        must: set[str] = set()
        owners: dict[str, Slot] = {}
        for item in self._alive_items():
            said = item.body["sandbox"]  # as it is stored: all of them are looked at each time
            usual = said["terms"]["provider"]
            there = [m for m in said["machines"] if (m.get("provider") or usual) == name]
            may |= {m["label"] for m in there if m["state"] != "gone"}
            known = {m["label"] for m in there if self._must_be_shown(name, m)}
            must |= known
            if known:
                owners |= dict.fromkeys(known, Slot(**said["slot"]))
        seen = [strays.Sighting(m.label, m.id, m.created_at) for m in inventory]
        return strays.judge(seen, may, must, before, self.world.clock.now()), owners

    def _without_owned(self, name: str, verdict: strays.Verdict) -> strays.Verdict:
        """Only true strays: an index may lag, and what moves in it while it is read is missed.

        So of each machine to be deleted the sandbox that its label names is read itself.
        """
        if not verdict.delete:
            return verdict
        owned = {one.label for one in verdict.delete if self._is_owned(name, one.label)}
        suspects = {label: at for label, at in verdict.suspects.items() if label not in owned}
        delete = tuple(one for one in verdict.delete if one.label not in owned)
        return replace(verdict, delete=delete, suspects=suspects)

    def _is_owned(self, provider: str, label: str) -> bool:
        record = self.worker.of_label(label)
        machine = record.sandbox.machine(label) if record is not None else None
        if record is None or machine is None:
            return False
        return machine.state != "gone" and record.sandbox.provider_of(machine) == provider

    def _must_be_shown(self, provider: str, machine: Mapping[str, Any]) -> bool:
        """A list may lag behind the create that we heard of ourselves, and be a look old."""
        age_ms = self.world.clock.now() - (machine["created_at"] or 0)
        return (
            machine["state"] in ("running", "usable")
            and age_ms >= strays.YOUNG_MS + self.world.pace(provider).poll_ms
        )

    def _alive_items(self) -> Iterator[Item]:
        """Every sandbox that may own a machine: whatever is not at rest is in the due index."""
        for shard in range(self.world.due_shards):
            yield from self._index("due", f"due#{shard}")

    def _delete(self, provider: ports.Provider, verdict: strays.Verdict) -> None:
        for stray in verdict.delete:
            log.warning("deleting a stray", extra={"label": stray.label})
            try:
                provider.delete(stray.machine_id)
            except ports.Unclear:
                log.warning("stray delete unclear", extra={"label": stray.label})

    def _prove(self, found: list[_Compared], leaving: Leaving) -> Leaving:
        """Write the end of deleted strays that nobody sees any more; the others."""
        still = dict(leaving)
        for one in found:
            there = {machine.id for machine in one.inventory}
            for machine_id, (name, label, created_at) in leaving.items():
                if name != one.provider.name or machine_id in there:
                    continue
                try:
                    if one.provider.find(label) is not None:
                        continue
                except ports.Unclear:
                    continue
                end = End(label, machine_id, created_at, self.world.clock.now(), STRAY)
                self.worker.scrubbing.stray_ended(sandboxes.sandbox_of(label), end)
                del still[machine_id]
        return still

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
            record = self.worker.post(owners[label], events.MachineLost(label))
            if record is None:
                continue  # it changed hands meanwhile: the next sweep knows whose it is
            self.worker.wake_for(record, at_once=True)
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
        pooled = self._pooled(class_id, lab_name)
        have = [record.sandbox for record in pooled]
        now = self.world.clock.now()
        wanted = room.pool if room.state(now) == "open" else 0
        if not wanted and not pooled:
            return
        plan = pools.plan(wanted, lab.version, have)
        for sandbox_id in plan.stop:
            self.playing.stop(Slot(class_id, lab_name, pooled=sandbox_id), "unclaimed")
        for _ in range(plan.make):
            terms = self.playing.terms(room, lab, now)
            sandbox_id = self.world.chance.name(12)
            slot = Slot(class_id, lab_name, pooled=sandbox_id)
            fresh = sandboxes.new(sandbox_id, slot, terms, now)
            asked = Record(fresh, (), 0).follow(lifecycle.decide(fresh, events.Played(), now))
            try:
                saved = self.worker.save(
                    asked, *self._note(room, slot, terms), self.worker.home(asked)
                )
            except (Problem, ports.Conflict):
                break  # the budget is spent, or somebody noted another: the next sweep looks
            self.worker.wake_for(saved)
        self._forget(record for record in pooled if record.sandbox.at_rest)

    def _note(self, room: Classroom, slot: Slot, terms: Terms) -> tuple[ports.Write, ...]:
        """The budget's note of one more, beside the students' and every warm one."""
        if room.budget_micros is None:
            return ()
        warm = [r.sandbox for lab, _ in room.labs for r in self._pooled(room.id, lab)]
        return self.playing.budgets.note(room, slot, terms, warm)

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
        for item in self._alive_items():
            said = item.body["sandbox"]  # as it is stored: this is asked often, and is seldom news
            at = self.world.agents.last_input_at(said["id"]) if said["phase"] == "ready" else None
            if at is not None and at > (said["last_input_at"] or 0):
                self.worker.post(records.record_of(item).sandbox.slot, events.InputSeen(at))
                heard += 1
        return heard
