"""The live board: everybody in a class, where they are, who needs help, what it costs.

It is read every few seconds while a class runs, so it is one pass over one index, and whatever one
person's page needs only rarely is left to other requests.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from brihaspati.domain import attention, money, progress
from brihaspati.domain.attention import Need, Seen
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.domain.progress import BLANK, Progress
from brihaspati.domain.rosters import Attending
from brihaspati.domain.sandboxes import Machine, Phase, Sandbox
from brihaspati.engine import records
from brihaspati.engine.classes import Classes
from brihaspati.engine.paging import every
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

PAGE = 500
LINE_MAX = 48


@dataclass(frozen=True, slots=True)
class LabRow:
    """A student in a lab. `step` is the number they are at, `marks` one letter a step."""

    step: int
    marks: str
    phase: Phase | None = None
    deadline_at: int | None = None
    input_at: int | None = None
    line: str = ""
    micros: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A student; `labs` are those they have touched, `lab` is the one they are in."""

    person: Attending
    lab: str | None
    need: Need | None
    labs: dict[str, LabRow]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a class has cost so far and costs an hour now, with its warm sandboxes."""

    so_far_micros: int
    hour_micros: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everybody in a class, now."""

    students: tuple[Row, ...]
    cost: Cost


class Boards:
    """Puts boards together."""

    def __init__(self, world: World, classes: Classes) -> None:
        self.world = world
        self.classes = classes
        # By class: what each item held when it was read last. Most of it is the same next time.
        self._read: dict[str, dict[Key, tuple[int, Sandbox | Progress]]] = {}

    def board(self, room: Classroom) -> Board:
        """The board of a class."""
        touched = self._touched(room)
        spent = self._spent(room.id)
        now = self.world.clock.now()
        rows = tuple(
            self._row(person, touched.get(person.seat.user if person.seat else "", []), spent, now)
            for person in self.classes.rosters.attending(room.id)
        )
        running = [seen.sandbox for found in touched.values() for seen in found if seen.sandbox]
        running += self._warm(room)
        cost = Cost(
            sum(spent.values()) + sum(_running_micros(sandbox, now) for sandbox in running),
            sum(_hour_micros(sandbox) for sandbox in running),
        )
        return Board(rows, cost)

    def _row(
        self, person: Attending, labs: list[Seen], spent: Mapping[tuple[str, str], int], now: int
    ) -> Row:
        here = attention.current(labs)
        user = person.seat.user if person.seat is not None else ""
        rows = {
            seen.lab.name: self._lab_row(
                seen, spent.get((user, seen.lab.name), 0), now, is_current=seen is here
            )
            for seen in labs
        }
        need = attention.need(labs, now)
        return Row(person, here.lab.name if here is not None else None, need, rows)

    def _lab_row(self, seen: Seen, spent: int, now: int, *, is_current: bool) -> LabRow:
        row = LabRow(progress.number(seen.progress, seen.lab.steps), attention.marks(seen))
        sandbox = seen.sandbox
        if sandbox is None:
            return replace(row, micros=spent)
        line = ""
        if is_current and sandbox.phase == "ready":
            line = self.world.agents.glance(sandbox.id).line[:LINE_MAX]
        return replace(
            row,
            phase=sandbox.phase,
            deadline_at=sandbox.deadline_at if sandbox.phase == "ready" else None,
            input_at=seen.input_at if is_current else None,
            line=line,
            micros=spent + _running_micros(sandbox, now),
            reason=sandbox.reason if sandbox.phase == "failed" else None,
        )

    # --- what there is -------------------------------------------------------------------------
    def _touched(self, room: Classroom) -> dict[str, list[Seen]]:
        """By student: the labs with a sandbox or with progress, in the order of the class."""
        group = functools.partial(self.world.store.query_index, "group", f"k#{room.id}", limit=PAGE)
        sandboxes: dict[tuple[str, str], Sandbox] = {}
        standings: dict[tuple[str, str], Progress] = {}
        before, after = self._read.get(room.id, {}), {}
        for item in every(lambda cursor: group(cursor=cursor)):
            at = item.key.partition.removeprefix("u#"), item.key.sort.rpartition("#")[2]
            known = before.get(item.key)
            value = known[1] if known and known[0] == item.version else _value_of(item)
            after[item.key] = item.version, value
            if isinstance(value, Sandbox):
                sandboxes[at] = value
            else:
                standings[at] = value
        self._read[room.id] = after
        order = {name: place for place, (name, _) in enumerate(room.labs)}
        by_user: dict[str, list[Seen]] = {}
        for user, name in sorted(
            {*sandboxes, *standings}, key=lambda at: (order.get(at[1], len(order)), at)
        ):
            sandbox = sandboxes.get((user, name))
            lab = self._lab(room, name, sandbox)
            if lab is not None:
                own = standings.get((user, name), BLANK)
                by_user.setdefault(user, []).append(Seen(lab, own, sandbox, self._typed(sandbox)))
        return by_user

    def _lab(self, room: Classroom, name: str, sandbox: Sandbox | None) -> Lab | None:
        """The version a student works with; None for a lab the class has no more."""
        version = room.version_of(name)
        if sandbox is not None and (version is None or not sandbox.at_rest):
            version = sandbox.terms.lab_version
        return self.classes.lab(name, version) if version is not None else None

    def _typed(self, sandbox: Sandbox | None) -> int | None:
        """When somebody last typed: the agent knows it first, the store after a restart."""
        if sandbox is None:
            return None
        heard = self.world.agents.last_input_at(sandbox.id) if sandbox.phase == "ready" else None
        return max(heard or 0, sandbox.last_input_at or 0) or None

    # --- what it costs -------------------------------------------------------------------------
    def _spent(self, class_id: str) -> dict[tuple[str, str], int]:
        """What ended machines cost, by student ("" for warm ones) and lab."""
        found: dict[tuple[str, str], int] = {}
        ended = functools.partial(self.world.store.query, f"k#{class_id}", "x#", limit=PAGE)
        for item in every(lambda cursor: ended(cursor=cursor)):
            at = item.body["user"] or "", item.body["lab"]
            found[at] = found.get(at, 0) + int(item.body["cost_micros"])
        return found

    def _warm(self, room: Classroom) -> list[Sandbox]:
        """The class's sandboxes without an owner."""
        found: list[Sandbox] = []
        for lab, _ in room.labs if room.pool else ():
            query = functools.partial(self.world.store.query, f"w#{room.id}#{lab}", "y#")
            pooled = every(lambda cursor, query=query: query(cursor=cursor))  # type: ignore[misc]
            found += [records.sandbox_of(item) for item in pooled]
        return found


def _value_of(item: Item) -> Sandbox | Progress:
    if item.key.sort.startswith(records.SANDBOXES):
        return records.sandbox_of(item)
    return records.standing_of(item).progress


def _price(sandbox: Sandbox) -> int:
    """Of one machine, as its proof will have it."""
    return sandbox.terms.price_micros_per_hour // max(1, len(sandbox.terms.machines))


def _alive(sandbox: Sandbox) -> list[Machine]:
    return [m for m in sandbox.machines if m.created_at is not None and m.state != "gone"]


def _running_micros(sandbox: Sandbox, now: int) -> int:
    """What its machines cost so far; ended ones are told of by their proofs."""
    price = _price(sandbox)
    return sum(money.cost_micros(price, m.created_at or now, now) for m in _alive(sandbox))


def _hour_micros(sandbox: Sandbox) -> int:
    return _price(sandbox) * len(_alive(sandbox))
