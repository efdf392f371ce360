"""What a class may cost: nothing new begins that its budget does not cover to the end.

Two who press Play in the same moment must not both get the last of it, and an index may not show
yet what was begun a second ago. So every new sandbox of a class with a budget is noted in one item,
written in the same transaction on the condition that nobody noted another in between.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from brihaspati import ports
from brihaspati.domain import money
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.sandboxes import Sandbox, Slot, Terms
from brihaspati.engine import records
from brihaspati.engine.paging import every
from brihaspati.engine.problems import Problem
from brihaspati.engine.world import World
from brihaspati.ports import Key

# For longer than this no index lags; what was noted is then to be seen there.
NOTED_MS = 60_000


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
        item = self.world.store.get(_key(room))
        noted = dict(item.body["noted"]) if item is not None else {}
        noted = {name: one for name, one in noted.items() if one[1] > now - NOTED_MS}
        seen, spent = self._committed(room.id, now)
        unseen = sum(micros for name, (micros, at) in noted.items() if seen.get(name, 0) < at)
        warm = sum(committed_micros(sandbox, now) for sandbox in beside)
        wanted = money.cost_micros(terms.price_micros_per_hour, now, terms.lifetime_from(now))
        if not money.within(room.budget_micros, spent + unseen + warm, wanted):
            raise spent_problem()
        if slot.user is not None:  # warm ones are counted by who asks for the next
            noted[str(slot)] = [wanted, now]
        body = {"noted": noted}
        return (ports.Put(_key(room), body, expect=item.version if item is not None else 0),)

    def committed(self, class_id: str) -> int:
        """What the class's machines cost, in micros: ended ones, and running ones to their end."""
        return self._committed(class_id, self.world.clock.now())[1]

    def _committed(self, class_id: str, now: int) -> tuple[dict[str, int], int]:
        """When each slot's sandbox was asked for, and what all of the class is bound to cost."""
        store = self.world.store
        ended = functools.partial(store.query, f"k#{class_id}", "x#")
        group = f"k#{class_id}"
        alive = functools.partial(store.query_index, "group", group, prefix=records.SANDBOXES)
        seen: dict[str, int] = {}
        spent = 0
        for item in every(lambda cursor: alive(cursor=cursor)):
            said = item.body["sandbox"]  # as it is stored: most have ended, and every Play asks
            seen[str(Slot(**said["slot"]))] = said["asked_at"]
            if said["phase"] != "gone":
                spent += committed_micros(records.sandbox_of(item), now)
        for item in every(lambda cursor: ended(cursor=cursor)):
            spent += int(item.body["cost_micros"])
        return seen, spent


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


def _key(room: Classroom) -> Key:
    return Key(f"k#{room.id}", "budget")
