"""Writing and reading the scrub record of sandboxes, which is also what their machines cost."""

from __future__ import annotations

import functools
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain import scrubs
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.domain.scrubs import End, Entry
from brihaspati.engine.forms import Forms
from brihaspati.engine.paging import every
from brihaspati.engine.world import World
from brihaspati.ports import Key

TRIES_MAX = 50
# Where the ends of machines are kept whose class nobody knows: of another data folder, perhaps.
NO_CLASS = "-"
_ENTRY = Forms(Entry)


class Scrubbing:
    """Appends to the chain of a sandbox. Repeating an end adds nothing."""

    def __init__(self, world: World) -> None:
        self.world = world

    def ended(self, sandbox: Sandbox, end: End) -> None:
        """A machine of this sandbox is verified gone, or was never seen."""
        terms, slot = sandbox.terms, sandbox.slot
        price = terms.price_micros_per_hour // max(1, len(terms.machines))
        self._append(
            Entry(0, sandbox.id, slot.class_id, slot.lab, slot.user, price, end, 0, scrubs.FIRST)
        )

    def stray_ended(self, sandbox_id: str, end: End) -> None:
        """A machine that no sandbox wants was deleted; its class is the one of the chain."""
        group = f"a#{sandbox_id}"
        known = self.world.store.query_index("group", group, limit=1).items
        stray = Entry(0, sandbox_id, NO_CLASS, "", None, 0, end, 0, scrubs.FIRST)
        if known:
            first = entry_of(known[0])
            stray = replace(
                stray,
                class_id=first.class_id,
                lab=first.lab,
                user=first.user,
                micros_per_hour=first.micros_per_hour,
            )
        self._append(stray)

    def chain(self, class_id: str, sandbox_id: str) -> list[Entry]:
        """Every entry of a sandbox, in order."""
        query = functools.partial(self.world.store.query, f"k#{class_id}", f"x#{sandbox_id}#")
        return [entry_of(item) for item in every(lambda cursor: query(cursor=cursor))]

    def of_class(self, class_id: str) -> list[Entry]:
        """Every entry of a class, by sandbox."""
        query = functools.partial(self.world.store.query, f"k#{class_id}", "x#")
        found = every(lambda cursor: query(cursor=cursor))
        # Proofs of before there were chains count for the cost, but prove nothing.
        return [entry_of(item) for item in found if "end" in item.body]

    def _append(self, entry: Entry) -> None:
        for _ in range(TRIES_MAX):
            link = scrubs.following(self.chain(entry.class_id, entry.sandbox), entry)
            if link is None:
                return
            try:
                self.world.store.transact((put_entry(link),))
            except ports.Conflict:
                continue
            return
        raise ports.Busy(f"the scrub record of {entry.sandbox} is written by too many at once")


def put_entry(entry: Entry) -> ports.Put:
    """The write of one link, which is written once."""
    number = f"{entry.number:04d}"
    key = Key(f"k#{entry.class_id}", f"x#{entry.sandbox}#{number}")
    indexes = {"group": Key(f"a#{entry.sandbox}", number)}
    body = _ENTRY.plain(entry)
    _ENTRY.kept.keep(key, body, entry)
    return ports.Put(key, body, expect=0, indexes=indexes)


def entry_of(item: ports.Item) -> Entry:
    """The link an item holds."""
    return _ENTRY.kept.of(item.key, item.body)
