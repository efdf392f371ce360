"""What a class may cost: nothing new begins that its budget does not cover to the end.

Two who press Play in the same moment must not both get the last of it, and an index may not show
yet what was begun a second ago. So every new sandbox of a class with a budget, and every later
deadline, is noted in one item, written in the same transaction on the condition that nobody noted
another in between.

A class is read through a cache, and a Play can be long on its way. When its turn comes the budget
is looked at again where it is lower than what was agreed, or where an attempt before may have cost
something.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from brihaspati import ports
from brihaspati.domain import money
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Sandbox, Slot, Terms
from brihaspati.engine import records
from brihaspati.engine.paging import every
from brihaspati.engine.problems import Problem
from brihaspati.engine.world import World
from brihaspati.ports import Key

TRIES_MAX = 20
# For longer than this no index lags; what was noted is then to be seen there.
NOTED_MS = 60_000


# When the sandbox of each slot was asked for, and its deadline (0: none).
_Seen = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Purse:
    """A budget as it was read.

    `noted`: of each slot, what a new sandbox was to cost, and when it was asked for; `more`: what
    more time was to cost, the deadline it led to, and when.
    """

    left_micros: int
    version: int
    noted: dict[str, list[int]]
    more: dict[str, list[int]]


class Tally:
    """What is left while several of a class get more time: read once, and anew after a conflict."""

    purse: _Purse | None = None

    def forget(self) -> None:
        """Somebody else wrote: what was counted on is not so."""
        self.purse = None


class Budgets:
    """What is spent and promised of a class's budget, and the note of each new sandbox."""

    def __init__(self, world: World) -> None:
        self.world = world

    def note(
        self, room: Classroom, slot: Slot, terms: Terms, beside: Iterable[Sandbox] = ()
    ) -> tuple[ports.Write, ...]:
        """What to write together with a new sandbox; nothing where there is no budget.

        `beside` are sandboxes that students' do not count: warm ones. Raises Problem when the
        budget does not cover it for its whole lifetime.
        """
        if room.budget_micros is None:
            return ()
        now = self.world.clock.now()
        purse = self._purse(room, room.budget_micros, now)
        warm = sum(committed_micros(sandbox, now) for sandbox in beside)
        wanted = money.cost_micros(terms.price_micros_per_hour, now, terms.lifetime_from(now))
        if warm + wanted > purse.left_micros:
            raise spent_problem()
        if slot.user is not None:  # warm ones are counted by who asks for the next
            purse.noted[str(slot)] = [wanted, now]
        return (_put(room, purse),)

    def note_more(
        self, room: Classroom, now: Sandbox, then: Sandbox, tally: Tally
    ) -> tuple[ports.Write, ...]:
        """What to write together with a later deadline. Raises Problem where it is not covered."""
        at = self.world.clock.now()
        extra = committed_micros(then, at) - committed_micros(now, at)
        if room.budget_micros is None or extra <= 0:
            return ()
        purse = tally.purse or self._purse(room, room.budget_micros, at)
        if extra > purse.left_micros:
            raise Problem(
                "budget_spent",
                "The budget of this class does not cover more time.",
                "The trainer of the class can raise it.",
            )
        slot = str(then.slot)
        unseen = purse.more.get(slot, [0])[0]
        purse.more[slot] = [unseen + extra, then.deadline_at or 0, at]
        left = purse.left_micros - extra
        tally.purse = replace(purse, left_micros=left, version=purse.version + 1)
        return (_put(room, purse),)

    def allow(self, sandbox: Sandbox) -> bool:
        """Whether a sandbox whose turn has come may begin still; that is noted. Raises Busy."""
        for _ in range(TRIES_MAX):
            item = self.world.store.get(records.class_key(sandbox.slot.class_id))
            room = records.class_of(item) if item is not None else None
            if room is None or not _is_to_look_at(room, sandbox):
                return True
            now = self.world.clock.now()
            purse = self._purse(room, room.budget_micros or 0, now, sandbox)
            if purse.left_micros < 0:
                return False
            if sandbox.slot.user is None:  # warm ones are counted by who asks for the next
                del purse.noted[str(sandbox.slot)]
            with contextlib.suppress(ports.Conflict):  # somebody else noted theirs: look again
                self.world.store.transact((_put(room, purse),))
                return True
        raise ports.Busy("too many of a class begin at once")

    def _purse(
        self, room: Classroom, budget_micros: int, now: int, mine: Sandbox | None = None
    ) -> _Purse:
        """What is left; `mine`: a sandbox that counts, whether it is to be seen yet or not."""
        item = self.world.store.get(_key(room))
        body: Mapping[str, Any] = item.body if item is not None else {}
        noted, more = (
            {slot: one for slot, one in body.get(kind, {}).items() if one[-1] > now - NOTED_MS}
            for kind in ("noted", "more")
        )
        if mine is not None:
            noted[str(mine.slot)] = [committed_micros(mine, now), mine.asked_at]
        seen, spent = self._committed(room.id, now)
        unseen = sum(micros for slot, (micros, at) in noted.items() if _asked(seen, slot) < at)
        unseen += sum(micros for slot, (micros, end, _) in more.items() if _end(seen, slot) < end)
        version = item.version if item is not None else 0
        return _Purse(budget_micros - spent - unseen, version, noted, more)

    def committed(self, class_id: str) -> int:
        """What the class's machines cost, in micros: ended ones, and running ones to their end."""
        return self._committed(class_id, self.world.clock.now())[1]

    def _committed(self, class_id: str, now: int) -> tuple[_Seen, int]:
        """What is to be seen of each slot's sandbox, and what all of the class is bound to cost."""
        store = self.world.store
        ended = functools.partial(store.query, f"k#{class_id}", "x#")
        group = f"k#{class_id}"
        alive = functools.partial(store.query_index, "group", group, prefix=records.SANDBOXES)
        seen: _Seen = {}
        spent = 0
        for item in every(lambda cursor: alive(cursor=cursor)):
            said = item.body["sandbox"]  # as it is stored: most have ended, and every Play asks
            seen[records.slot_text(said["slot"])] = (said["asked_at"], said["deadline_at"] or 0)
            if said["phase"] != "gone":
                spent += committed_micros(records.sandbox_of(item), now)
        for item in every(lambda cursor: ended(cursor=cursor)):
            spent += int(item.body["cost_micros"])
        return seen, spent


def _is_to_look_at(room: Classroom, sandbox: Sandbox) -> bool:
    """Whether what was seen when a sandbox was asked for says nothing about its next attempt."""
    agreed = sandbox.terms.budget_micros
    if room.budget_micros is None:
        return False
    return sandbox.attempt > 0 or agreed is None or room.budget_micros < agreed


def _asked(seen: _Seen, slot: str) -> int:
    return seen.get(slot, (0, 0))[0]


def _end(seen: _Seen, slot: str) -> int:
    return seen.get(slot, (0, 0))[1]


def committed_micros(sandbox: Sandbox, now: int) -> int:
    """What a sandbox may cost in all: to its deadline or for a whole lifetime, if it lives."""
    if sandbox.at_rest:
        return 0
    begun = sandbox.ready_at or sandbox.asked_at
    end = sandbox.deadline_at or sandbox.terms.lifetime_from(begun)
    if sandbox.phase in ("stopping", "failed"):
        end = now
    return money.cost_micros(sandbox.terms.price_micros_per_hour, begun, max(end, now))


def spent_problem() -> Problem:
    """What somebody is told for whom there is nothing left."""
    return Problem(
        "budget_spent",
        "The budget of this class is spent.",
        "Tell your trainer; they can raise it.",
    )


def _put(room: Classroom, purse: _Purse) -> ports.Put:
    return ports.Put(_key(room), {"noted": purse.noted, "more": purse.more}, expect=purse.version)


def _key(room: Classroom) -> Key:
    return Key(f"k#{room.id}", "budget")
