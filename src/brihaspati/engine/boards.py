"""The live board: everybody in a class, where they are, who needs help, what it costs.

It is read every few seconds while a class runs, so it is one pass over one index and one
over the class itself, and whatever one person's page needs only rarely is left to other requests.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from brihaspati.domain import attention, progress
from brihaspati.domain.attention import Need, Seen
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.domain.progress import BLANK, Progress
from brihaspati.domain.rosters import Attending
from brihaspati.domain.sandboxes import Phase, Sandbox
from brihaspati.engine import costs, records, rosters
from brihaspati.engine.classes import Classes
from brihaspati.engine.costs import Proven
from brihaspati.engine.paging import every
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

PAGE = 500
CLASS_PAGE = 1000
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
        touched, warm = self._touched(room)
        told = self._class_items(room)
        proven = costs.proven_by(item for item in told if item.key.sort.startswith(costs.PROOFS))
        now = self.world.clock.now()
        rows = tuple(
            self._row(person, touched.get(person.seat.user if person.seat else "", []), proven, now)
            for person in rosters.attending(told)
        )
        running = [seen.sandbox for found in touched.values() for seen in found if seen.sandbox]
        running += warm
        unproven = sum(proven.beside(sandbox, now) for sandbox in running)
        cost = Cost(
            so_far_micros=sum(proven.micros.values()) + unproven,
            hour_micros=sum(costs.hour_micros(sandbox) for sandbox in running),
        )
        return Board(rows, cost)

    def _row(self, person: Attending, labs: list[Seen], proven: Proven, now: int) -> Row:
        here = attention.current(labs)
        user = person.seat.user if person.seat is not None else ""
        rows = {}
        for seen in labs:
            micros = proven.micros.get((user, seen.lab.name), 0)
            if seen.sandbox is not None:
                micros += proven.beside(seen.sandbox, now)
            rows[seen.lab.name] = self._lab_row(seen, micros, is_current=seen is here)
        need = attention.need(labs, now)
        return Row(person, here.lab.name if here is not None else None, need, rows)

    def _lab_row(self, seen: Seen, micros: int, *, is_current: bool) -> LabRow:
        sandbox = seen.sandbox
        row = LabRow(
            progress.number(seen.progress, seen.lab.steps), attention.marks(seen), micros=micros
        )
        if sandbox is None:
            return row
        return replace(
            row,
            phase=sandbox.phase,
            deadline_at=sandbox.deadline_at if sandbox.phase == "ready" else None,
            input_at=seen.input_at if is_current else None,
            line=seen.line if is_current else "",
            reason=sandbox.reason if sandbox.phase == "failed" else None,
        )

    # --- what there is -------------------------------------------------------------------------
    def _class_items(self, room: Classroom) -> list[Item]:
        """All that is stored of the class itself, in one pass: seats, who is expected, proofs."""
        query = functools.partial(self.world.store.query, f"k#{room.id}", limit=CLASS_PAGE)
        return list(every(lambda cursor: query(cursor=cursor)))

    def _touched(self, room: Classroom) -> tuple[dict[str, list[Seen]], list[Sandbox]]:
        """By student: the labs with a sandbox or with progress, in the order of the class.

        And the sandboxes of the class without an owner.
        """
        group = functools.partial(self.world.store.query_index, "group", f"k#{room.id}", limit=PAGE)
        sandboxes: dict[tuple[str, str], Sandbox] = {}
        standings: dict[tuple[str, str], Progress] = {}
        warm: list[Sandbox] = []
        before, after = self._read.get(room.id, {}), {}
        for item in every(lambda cursor: group(cursor=cursor)):
            at = item.key.partition.removeprefix("u#"), item.key.sort.rpartition("#")[2]
            known = before.get(item.key)
            value = known[1] if known and known[0] == item.version else _value_of(item)
            after[item.key] = item.version, value
            if isinstance(value, Sandbox) and value.slot.user is None:
                warm.append(value)
            elif isinstance(value, Sandbox):
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
                by_user.setdefault(user, []).append(self._seen(lab, own, sandbox))
        return by_user, warm

    def _seen(self, lab: Lab, own: Progress, sandbox: Sandbox | None) -> Seen:
        seen = Seen(lab, own, sandbox, self._typed(sandbox))
        if sandbox is None or sandbox.phase != "ready":
            return seen
        glance = self.world.agents.glance(sandbox.id)
        return replace(seen, line=glance.line[:LINE_MAX], suspect=glance.suspect)

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


def _value_of(item: Item) -> Sandbox | Progress:
    if item.key.sort.startswith(records.SANDBOXES):
        return records.sandbox_of(item)
    return records.standing_of(item).progress
