"""A sandbox: one student's running, dedicated, ephemeral environment for one lab.

The only aggregate with a lifecycle. Values only; `lifecycle.decide` says how they change.
Moments are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Phase = Literal["queued", "starting", "ready", "stopping", "gone", "failed"]

# asked: a create was (or may have been) sent; nobody knows yet what came of it
# running: the provider has it; usable: a terminal would open now
# doomed: must go; gone: verified gone (or certainly never made)
MachineState = Literal["asked", "running", "usable", "doomed", "gone"]

EndKind = Literal["stopped", "expired", "idle", "ended_by_trainer", "class_closed", "unclaimed"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a sandbox lives: a student's place for one lab of one class, or (no user) a pool's."""

    class_id: str
    lab: str
    user: str | None = None
    pooled: str | None = None

    def __str__(self) -> str:
        """As queue messages and alarms name it."""
        return "/".join((self.class_id, self.lab, self.user or "", self.pooled or ""))

    @classmethod
    def parse(cls, text: str) -> Slot:
        """The slot `str()` wrote. Raises ValueError when the text is not one."""
        class_id, lab, user, pooled = text.split("/")
        return cls(class_id, lab, user or None, pooled or None)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of one attempt. `label` is its name at the provider, for ever.

    `provider`: who was asked for it; empty where that is the one of the terms. `disk`: how what is
    written in it is kept, in the provider's words.
    """

    name: str
    label: str
    attempt: int
    state: MachineState
    asked_at: int
    machine_id: str | None = None
    address: str | None = None
    created_at: int | None = None
    gone_at: int | None = None
    missed: int = 0
    delete_tries: int = 0
    provider: str = ""
    disk: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider that may have machines of a sandbox, and what they cost there by the hour.

    `share_percent`: at most that part of the class's sandboxes goes there.
    """

    provider: str
    price_micros_per_hour: int
    share_percent: int = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """When an attempt may begin, and where; given once, so that nobody has to ask again."""

    at: int
    attempt: int
    provider: str
    price_micros_per_hour: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed when the sandbox was asked for, from its lab, class and provider.

    `lookup_grace_ms`: a provider's list may lag behind its creates by this much, so "not found" is
    believed only after several look-ups this far apart. `closes_at`: when the class ends, and with
    it the sandbox, however far it has come (None: it has its lifetime, whatever the class does).
    `poll_ms`: how long after one look at a machine that boots the next one is. `offers`: who may
    be asked, in this order, where that is not only the provider; the price is then the highest.
    `budget_micros`: the class's budget that was seen to cover it (None: the class had none).
    """

    env: str
    provider: str
    lab_version: str
    machines: tuple[str, ...]
    lifetime_seconds: int
    extend_seconds: int
    extensions_max: int
    idle_seconds: int | None = None
    price_micros_per_hour: int = 0
    attempts_max: int = 3
    start_seconds_max: int = 180
    lookup_grace_ms: int = 5_000
    closes_at: int | None = None
    poll_ms: int = 1_000
    offers: tuple[Offer, ...] = ()
    budget_micros: int | None = None

    def until(self, at: int) -> int:
        """This moment, or the end of the class where that is earlier."""
        return at if self.closes_at is None else min(at, self.closes_at)

    def lifetime_from(self, now: int) -> int:
        """When a sandbox that becomes ready now ends unless it is extended."""
        return self.until(now + self.lifetime_seconds * 1000)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The whole state. `reason` is what a student reads when it ended or failed."""

    id: str
    slot: Slot
    terms: Terms
    phase: Phase
    asked_at: int
    attempt: int = 0
    machines: tuple[Machine, ...] = ()
    ready_at: int | None = None
    deadline_at: int | None = None
    ended_at: int | None = None
    extensions_left: int = 0
    end: EndKind | None = None
    reason: str | None = None
    last_input_at: int | None = None
    turn: Turn | None = None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Who may be asked for its machines, the usual provider first."""
        alone = Offer(self.terms.provider, self.terms.price_micros_per_hour)
        return self.terms.offers or (alone,)

    @property
    def next_turn(self) -> Turn | None:
        """The turn of the attempt that comes next, where it was given already."""
        return self.turn if self.turn is not None and self.turn.attempt > self.attempt else None

    def provider_of(self, machine: Machine) -> str:
        """Who was asked for a machine."""
        return machine.provider or self.terms.provider

    @property
    def current(self) -> tuple[Machine, ...]:
        """The machines of this attempt."""
        return tuple(m for m in self.machines if m.attempt == self.attempt)

    @property
    def at_rest(self) -> bool:
        """Ended, with every machine it ever asked for verified gone."""
        return self.phase in ("gone", "failed") and all(m.state == "gone" for m in self.machines)

    @property
    def start_by(self) -> int:
        """When a start that is not done by then has taken too long; waiting for a turn is none."""
        begun = max(self.asked_at, self.turn.at if self.turn is not None else 0)
        return self.terms.until(begun + self.terms.start_seconds_max * 1000)

    @property
    def idle_at(self) -> int | None:
        """When nobody will have typed for too long; None where that does not matter."""
        if self.terms.idle_seconds is None or self.slot.user is None:
            return None
        since = max(self.ready_at or 0, self.last_input_at or 0)
        return since + self.terms.idle_seconds * 1000

    def machine(self, label: str) -> Machine | None:
        """The machine of this label, of whatever attempt."""
        for machine in self.machines:  # asked far more often than anything else
            if machine.label == label:
                return machine
        return None

    def wants(self, machine: Machine) -> bool:
        """Whether a machine of ours is one of the lab's, or will be."""
        return self.phase in ("starting", "ready") and machine.attempt == self.attempt

    def with_machine(self, changed: Machine) -> Sandbox:
        """This sandbox with the machine of the same label replaced; itself if it is the same."""
        if changed == self.machine(changed.label):
            return self
        machines = tuple(changed if m.label == changed.label else m for m in self.machines)
        return replace(self, machines=machines)


def new(sandbox_id: str, slot: Slot, terms: Terms, now: int) -> Sandbox:
    """A sandbox that was just asked for: queued, nothing made yet."""
    return Sandbox(
        id=sandbox_id,
        slot=slot,
        terms=terms,
        phase="queued",
        asked_at=now,
        extensions_left=terms.extensions_max,
    )


def label(env: str, sandbox_id: str, attempt: int, machine: str) -> str:
    """The name a machine has at its provider: `bh-<env>-<sandbox>-a<attempt>-<machine>`."""
    return f"bh-{env}-{sandbox_id}-a{attempt}-{machine}"


def sandbox_of(label: str) -> str:
    """The id of the sandbox a label names; the label itself when it is none of ours."""
    parts = label.split("-")
    return parts[2] if len(parts) >= 5 and parts[0] == "bh" else label
