"""Watches store and host while the server dies: who owns which machine, what runs beside what."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bench.torture.host import Host
from bench.torture.tally import Tally
from brihaspati import ports
from brihaspati.domain import sandboxes, scrubs
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.domain.scrubs import Entry
from brihaspati.engine import demo, records
from brihaspati.engine.paging import every
from brihaspati.engine.records import Record
from brihaspati.engine.scrubbing import NO_CLASS, entry_of
from brihaspati.engine.sweeping import SUSPECTS

CLASS = f"k#{demo.DEMO}"


@dataclass(slots=True)
class Witness:
    """What was seen over the whole run. `store` is read beside the server, like a trainer's shell.

    `owners`: machine to the student it was seen with. `made`: machines that were seen to exist.
    """

    store: ports.Store
    host: Host
    tally: Tally
    owners: dict[str, str] = field(default_factory=dict)
    slots: dict[str, tuple[str, str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def records(self) -> Iterator[Record]:
        """Every sandbox of students and pools, as it is now."""
        group = functools.partial(self.store.query_index, "group", CLASS, prefix="y#")
        yield from map(records.record_of, every(lambda cursor: group(cursor=cursor)))
        labs = self.store.query_index("group", "labs").items
        for name in [item.key.partition.removeprefix("l#") for item in labs]:
            yield from map(records.record_of, self._every(f"w#{demo.DEMO}#{name}", "y#"))

    def entries(self) -> list[Entry]:
        """The whole scrub record, that of machines of no class included."""
        partitions = (CLASS, f"k#{NO_CLASS}")
        return [entry_of(item) for partition in partitions for item in self._every(partition, "x#")]

    def _every(self, partition: str, prefix: str) -> Iterator[ports.Item]:
        query = functools.partial(self.store.query, partition, prefix)
        return every(lambda cursor: query(cursor=cursor))

    def look(self) -> None:
        """Compare host and store once."""
        self.tally.deeds["looks at the host"] += 1
        alive = self.host.alive()
        for record in self.records():
            self._own(record.sandbox)
        self.made |= alive
        for where in doubled(alive, self.slots):
            # A list of processes is not of one moment: who is still there was there all along.
            still = doubled(alive & self.host.alive(), self.slots)
            if where in still:
                self.tally.fault(f"{where[0]} has two running sandboxes of {where[1]}")

    def _own(self, sandbox: Sandbox) -> None:
        user = sandbox.slot.user
        if user is not None:
            self.slots[sandbox.id] = (user, sandbox.slot.lab)
        for machine in sandbox.machines:
            if machine.machine_id is not None:
                self.made.add(machine.label)
            if user is not None and self.owners.setdefault(machine.label, user) != user:
                self.tally.fault(f"{machine.label} had {self.owners[machine.label]}, then {user}")

    # --- at rest -------------------------------------------------------------------------------
    def unrest(self) -> list[str]:
        """What has not ended yet, or has no proof of its end."""
        found = []
        for record in self.records():
            sandbox = record.sandbox
            self._own(sandbox)
            if not sandbox.at_rest or record.unfinished:
                found.append(f"sandbox {sandbox.id} is {sandbox.phase}: {record.unfinished}")
        item = self.store.get(SUSPECTS)
        for kind, labels in (item.body if item is not None else {}).items():
            found += [f"{kind}: {label}" for label in labels]
        found += [f"process of {label}" for label in sorted(self.host.alive())]
        return found + unproven(self.made, self.entries())

    def judge(self, entries: Iterable[Entry]) -> None:
        """Every chain holds, and no machine is on the bill of two people."""
        chains: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            chains[entry.class_id, entry.sandbox].append(entry)
            owner = self.owners.get(entry.end.label, entry.user)
            if entry.user is not None and owner != entry.user:
                self.tally.fault(f"{entry.end.label} was {owner}'s, its end is {entry.user}'s")
        for chain in chains.values():
            for text in scrubs.faults(chain):
                self.tally.fault(text)

    def blind(self) -> list[str]:
        """Kinds of things that are not seen now, when a lab of every kind runs."""
        seen = {**self.host.left().counts(), "living": len(self.host.alive())}
        return [kind for kind, count in seen.items() if not count and kind != "netns"]


def doubled(
    alive: Iterable[str], slots: Mapping[str, tuple[str, str]]
) -> frozenset[tuple[str, str]]:
    """Student and lab of which two sandboxes have a process."""
    running: dict[tuple[str, str], set[str]] = defaultdict(set)
    for label in alive:
        sandbox = sandboxes.sandbox_of(label)
        if sandbox in slots:
            running[slots[sandbox]].add(sandbox)
    return frozenset(where for where, ids in running.items() if len(ids) > 1)


def unproven(made: Iterable[str], entries: Iterable[Entry]) -> list[str]:
    """Machines that were seen, and whose end is not in the scrub record."""
    return [f"no proof of {x}" for x in sorted(set(made) - {e.end.label for e in entries})]
