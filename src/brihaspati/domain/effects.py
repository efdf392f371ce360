"""What to do about a sandbox. Imperative, data, safe to repeat; saved with the state they follow.

`not_before` (milliseconds since the epoch) lets an effect wait; 0 means at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AskForTurn:
    """Ask whether the sandbox may start now (rate limits, budgets)."""

    not_before: int = 0
    kind: Literal["ask_for_turn"] = "ask_for_turn"


@dataclass(frozen=True, slots=True)
class SetAlarm:
    """Have the sandbox woken at this time."""

    at: int
    not_before: int = 0
    kind: Literal["set_alarm"] = "set_alarm"


@dataclass(frozen=True, slots=True)
class CreateMachine:
    """Send the one create of this label. Whoever finds it unfinished later looks up instead."""

    label: str
    not_before: int = 0
    kind: Literal["create_machine"] = "create_machine"


@dataclass(frozen=True, slots=True)
class FindMachine:
    """Look the label up at the provider."""

    label: str
    not_before: int = 0
    kind: Literal["find_machine"] = "find_machine"


@dataclass(frozen=True, slots=True)
class DeleteMachine:
    """Ask the provider to delete the machine and verify that it is gone."""

    label: str
    machine_id: str
    not_before: int = 0
    kind: Literal["delete_machine"] = "delete_machine"


@dataclass(frozen=True, slots=True)
class OpenDoors:
    """Let the agent start the sandbox's terminals, so that the first prompt is already there."""

    not_before: int = 0
    kind: Literal["open_doors"] = "open_doors"


@dataclass(frozen=True, slots=True)
class CloseDoors:
    """Tell the agent to end every session of the sandbox."""

    reason: str
    not_before: int = 0
    kind: Literal["close_doors"] = "close_doors"


@dataclass(frozen=True, slots=True)
class WriteProof:
    """Keep the record of one machine: when it was made, when it was verified gone.

    `deleted`: by us; else it had gone by itself, or by another hand. `disk`: how that was kept.
    """

    label: str
    created_at: int | None
    gone_at: int
    machine_id: str | None = None
    deleted: bool = True
    disk: str | None = None
    not_before: int = 0
    kind: Literal["write_proof"] = "write_proof"


Effect = (
    AskForTurn
    | SetAlarm
    | CreateMachine
    | FindMachine
    | DeleteMachine
    | OpenDoors
    | CloseDoors
    | WriteProof
)

# Which part of the house does what. In one process that is the same; in the cloud a function that
# may rent machines cannot delete any, and one that deletes cannot rent.
Duty = Literal["start", "end"]
DUTIES: frozenset[Duty] = frozenset({"start", "end"})


def duty(effect: Effect) -> Duty | None:
    """Whose duty an effect is; None: of whoever has any.

    Who may not start asks for no turn either: only a turn leads to a create, and only whoever wrote
    a create down may send it.
    """
    match effect:
        case AskForTurn() | CreateMachine():
            return "start"
        case DeleteMachine():
            return "end"
        case _:
            return None
