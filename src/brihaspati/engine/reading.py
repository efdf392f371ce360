"""What the screens show. Plain values; the HTTP layer says how they look on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain import labs, lifecycle, looks, progress
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.domain.sandboxes import Phase, Sandbox
from brihaspati.engine import activity, records
from brihaspati.engine.classes import Classes
from brihaspati.engine.membership import Membership
from brihaspati.engine.paging import every
from brihaspati.engine.turns import Turns
from brihaspati.engine.world import World

# What a start usually takes, until a deployment has its own figures.
SECONDS_EXPECTED = {"namespaces": 0.2, "bubblewrap": 0.2, "docker": 1.0, "memory": 0.1}
SECONDS_EXPECTED_ELSEWHERE = 60.0
STAGES: dict[Phase, str] = {
    "queued": "Waiting for its turn",
    "starting": "Making your machine",
    "ready": "Ready",
    "stopping": "Deleting everything",
    "gone": "Deleted",
    "failed": "It did not work",
}
# A class page may say for so long how many had joined.
HERE_MS = 5_000


@dataclass(frozen=True, slots=True)
class MachineView:
    """One machine as a student sees it."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class TerminalView:
    """A terminal tab."""

    name: str
    machine: str


@dataclass(frozen=True, slots=True)
class PortView:
    """A published port: a web tab."""

    machine: str
    port: int
    title: str


@dataclass(frozen=True, slots=True)
class Wait:
    """What a start takes where others start too. `seconds_expected` from Play on; 0: unknown."""

    ahead: int = 0
    seconds_expected: float = 0


NO_WAIT = Wait()


@dataclass(frozen=True, slots=True)
class SandboxView:
    """A sandbox as its student sees it. Moments in milliseconds since the epoch.

    `idle_at`: when it ends earlier, unless somebody does something in it; None: not for that.
    `ahead`: how many of those who wait for a machine have their turn before.
    """

    id: str
    phase: Phase
    stage: str
    seconds_expected: float
    reason: str | None
    asked_at: int
    ready_at: int | None
    deadline_at: int | None
    idle_at: int | None
    ended_at: int | None
    extend_minutes: int
    extensions_left: int
    machines: tuple[MachineView, ...]
    terminals: tuple[TerminalView, ...]
    ports: tuple[PortView, ...]
    ahead: int


@dataclass(frozen=True, slots=True)
class LabCard:
    """A lab on the class page. `steps` is their number, `done` how many this person has passed.

    `step` is the number (from 1) of the one they were at; 0: they have not begun.
    """

    name: str
    title: str
    summary: str
    minutes: int
    steps: int
    hue: int
    motif: str
    machines: int
    lifetime_minutes: int
    step: int
    done: int
    sandbox: SandboxView | None


def sandbox_view(
    sandbox: Sandbox, lab: Lab, wait: Wait = NO_WAIT, idle_at: int | None = None
) -> SandboxView:
    """What a student may know of a sandbox."""
    terms = sandbox.terms
    return SandboxView(
        id=sandbox.id,
        phase=sandbox.phase,
        stage=STAGES[sandbox.phase],
        seconds_expected=wait.seconds_expected
        or SECONDS_EXPECTED.get(terms.provider, SECONDS_EXPECTED_ELSEWHERE),
        reason=sandbox.reason,
        asked_at=sandbox.asked_at,
        ready_at=sandbox.ready_at,
        deadline_at=sandbox.deadline_at,
        idle_at=idle_at,
        ended_at=sandbox.ended_at,
        extend_minutes=terms.extend_seconds // 60,
        extensions_left=lifecycle.extensions_left(sandbox),
        machines=tuple(MachineView(m.name, m.state) for m in sandbox.current),
        terminals=tuple(TerminalView(t.name, t.machine) for t in lab.terminals),
        ports=tuple(_ports(lab)),
        ahead=wait.ahead,
    )


def _ports(lab: labs.Lab) -> list[PortView]:
    return [PortView(spec.name, p.port, p.title) for spec in lab.machines for p in spec.ports]


class Reading:
    """Puts together what a page needs."""

    def __init__(self, world: World, classes: Classes) -> None:
        self.world = world
        self.classes = classes
        self.turns = Turns(world)
        self._here: dict[str, tuple[int, int]] = {}

    def here(self, class_id: str) -> int:
        """How many students have joined a class, as of the last seconds."""
        now = self.world.clock.now()
        read_at, count = self._here.get(class_id, (now - HERE_MS, 0))
        if not read_at <= now < read_at + HERE_MS:
            read_at, count = now, len(self.classes.roster(class_id))
            self._here[class_id] = (read_at, count)
        return count

    def view(self, sandbox: Sandbox) -> SandboxView:
        """A sandbox with the lab version it was started with."""
        lab = self.classes.lab(sandbox.slot.lab, sandbox.terms.lab_version)
        idle_at = activity.idle_at(self.world, sandbox)
        return sandbox_view(sandbox, lab, self._wait(sandbox), idle_at)

    def look_after_ms(self, sandbox: Sandbox | None) -> int:
        """How soon a page should look at this sandbox again."""
        if sandbox is None:
            return looks.after_ms(self.world.looks, looks.Seen(None))
        now, deadline = self.world.clock.now(), sandbox.deadline_at
        expected_ms = round(self._expected_seconds(sandbox) * 1000)
        left_ms = deadline - now if deadline is not None else None
        tries = max((one.delete_tries for one in sandbox.machines), default=0)
        seen = looks.Seen(sandbox.phase, now - sandbox.asked_at, expected_ms, left_ms, tries)
        return looks.after_ms(self.world.looks, seen)

    def look_at_all_after_ms(self, member: Membership, class_id: str) -> int:
        """How soon a page of all this person's labs in a class should look again."""
        wishes = self.world.looks
        own = [r.sandbox for r in member.sandboxes if r.sandbox.slot.class_id == class_id]
        moving = (one for one in own if one.phase in ("queued", "starting", "stopping"))
        return min(
            (max(wishes.moving_ms, self.look_after_ms(one)) for one in moving),
            default=wishes.class_ms,
        )

    def _wait(self, sandbox: Sandbox) -> Wait:
        """Where a sandbox is in the queue of its provider, and what its start takes in all."""
        turn = sandbox.turn
        if turn is None or sandbox.phase not in ("queued", "starting"):
            return NO_WAIT
        return Wait(self.turns.ahead(sandbox), self._expected_seconds(sandbox))

    def _expected_seconds(self, sandbox: Sandbox) -> float:
        """From Play to ready, where turns are given and boots are known; 0 elsewhere."""
        turn = sandbox.turn
        if turn is None:
            return 0
        boot_seconds = self.world.pace(turn.provider).boot_seconds
        waits_seconds = max(0, turn.at - sandbox.asked_at) / 1000
        return waits_seconds + boot_seconds if boot_seconds else 0

    def sandbox(self, member: Membership, class_id: str, lab: str) -> SandboxView | None:
        """A person's sandbox of a lab."""
        record = member.sandbox(class_id, lab)
        return self.view(record.sandbox) if record is not None else None

    def guide(self, member: Membership, class_id: str, lab: str) -> Lab | None:
        """The lab as this person reads it; None when the class does not have it (any more).

        A running sandbox keeps the version it was started with, and so does its guide.
        """
        record = member.sandbox(class_id, lab)
        if record is not None and not record.sandbox.at_rest:
            return self.classes.lab(lab, record.sandbox.terms.lab_version)
        version = self.classes.get(class_id).version_of(lab)
        return self.classes.lab(lab, version) if version is not None else None

    def cards(self, room: Classroom, member: Membership) -> tuple[LabCard, ...]:
        """The labs of a class with this person's sandboxes and how far they are."""
        return tuple(
            self._card(member, room, self.classes.lab(name, version)) for name, version in room.labs
        )

    def _card(self, member: Membership, room: Classroom, lab: Lab) -> LabCard:
        own = member.standing(room.id, lab.name).progress
        return LabCard(
            name=lab.name,
            title=lab.title,
            summary=lab.summary,
            minutes=lab.minutes,
            steps=len(lab.steps),
            hue=lab.hue,
            motif=lab.motif,
            machines=len(lab.machines),
            lifetime_minutes=lab.lifetime_minutes,
            step=progress.number(own, lab.steps),
            done=progress.done(own, lab.steps),
            sandbox=self.sandbox(member, room.id, lab.name),
        )

    def running(self) -> list[records.Record]:
        """Every sandbox that is not at rest, for the operator."""
        store, found = self.world.store, []
        for shard in range(self.world.due_shards):
            due = f"due#{shard}"
            items = every(lambda cursor, due=due: store.query_index("due", due, cursor=cursor))  # type: ignore[misc]
            found += [records.record_of(item) for item in items]
        return found
