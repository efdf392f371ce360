"""What happened to a sandbox. Past tense, data; `label` names one of its machines."""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain.sandboxes import EndKind, Slot, Turn


@dataclass(frozen=True, slots=True)
class Played:
    """The student pressed Play (again)."""


@dataclass(frozen=True, slots=True)
class TurnCame:
    """The queue let this sandbox start. `turn`: where, if that was for the queue to say."""

    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class TurnGiven:
    """The queue said when this sandbox may start: not yet."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class TurnRefused:
    """Its turn came, and it may not begin any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """The provider created the machine, or a look-up found it. `disk`: how that is kept."""

    label: str
    machine_id: str
    usable: bool
    created_at: int
    address: str | None = None
    disk: str | None = None


@dataclass(frozen=True, slots=True)
class CreateRefused:
    """The provider certainly made nothing. `retryable`: another attempt may do better."""

    label: str
    reason: str
    retryable: bool
    retry_after_seconds: float = 0


@dataclass(frozen=True, slots=True)
class CreateUnclear:
    """Nobody knows whether the machine exists, or boots: the answer was lost, or its asker died."""

    label: str


@dataclass(frozen=True, slots=True)
class MachineMissing:
    """A look-up found no machine of this label."""

    label: str


@dataclass(frozen=True, slots=True)
class MachineLost:
    """A machine that was there is no longer in the provider's inventory."""

    label: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    """The agent of a rented machine says that a terminal opens now, as a browser would reach it."""

    label: str


@dataclass(frozen=True, slots=True)
class MachineUnfit:
    """The machine must not be used: its setup failed, or someone else may have its secrets."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteAsked:
    """The provider was asked to delete the machine, and may not have done it yet."""

    label: str


@dataclass(frozen=True, slots=True)
class MachineGone:
    """Verified: the look-up finds nothing and the inventory agrees."""

    label: str


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Someone, or a rule, ends the sandbox."""

    end: EndKind


@dataclass(frozen=True, slots=True)
class Extended:
    """The student asked for more time, having seen this many extensions left."""

    extensions_left: int


@dataclass(frozen=True, slots=True)
class Prolonged:
    """A trainer gave more time, having seen this deadline. `closes_at`: the class's end by now."""

    deadline_at: int
    seconds: int
    closes_at: int | None = None


@dataclass(frozen=True, slots=True)
class DeadlineMoved:
    """A trainer set another end."""

    deadline_at: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A student took this pooled sandbox."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class InputSeen:
    """The agent's heartbeat: when someone last typed."""

    at: int


@dataclass(frozen=True, slots=True)
class Woke:
    """An alarm, or the sweep: look at the clock."""


Event = (
    Played
    | TurnCame
    | TurnGiven
    | TurnRefused
    | MachineSeen
    | CreateRefused
    | CreateUnclear
    | MachineMissing
    | MachineLost
    | AgentReady
    | MachineUnfit
    | DeleteAsked
    | MachineGone
    | StopAsked
    | Extended
    | Prolonged
    | DeadlineMoved
    | Claimed
    | InputSeen
    | Woke
)
