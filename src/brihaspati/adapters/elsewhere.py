"""What a function may not do itself: only others have the token, or the way to a lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati.domain.pace import RENTED_BY_MANY, Pace


def nobody_told(spec: labs.MachineSpec) -> int | None:  # noqa: ARG001 - none is known
    """No price is known."""
    return None


class Elsewhere:
    """A provider in name and price. Whoever serves people decides with it, and never rents.

    `told`: what those who rent said that a machine-hour costs; else it is `micros_per_hour`.
    """

    rented = True

    def __init__(
        self,
        name: str,
        micros_per_hour: int,
        told: Callable[[labs.MachineSpec], int | None] = nobody_told,
    ) -> None:
        self.name = name
        self._micros = micros_per_hour
        self._told = told

    def pace(self) -> Pace:
        """How whoever rents there treats it; turns are theirs to give."""
        return RENTED_BY_MANY

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
        """What those who rent said, else what the operator says a machine-hour costs."""
        told = self._told(spec)
        return self._micros if told is None else told

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Refuse: nothing was made."""
        raise ports.CreateRefused("setup", f"{self._said()} ({order.label})")

    def find(self, label: str) -> ports.MachineSeen | None:
        """Say that we cannot know."""
        raise ports.Unclear(f"{self._said()} ({label})")

    def delete(self, machine_id: str) -> None:
        """Say that we cannot."""
        raise ports.Unclear(f"{self._said()} ({machine_id})")

    def inventory(self) -> list[ports.MachineSeen]:
        """Say that we cannot know."""
        raise ports.Unclear(self._said())

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:  # noqa: ARG002
        """Refuse."""
        raise ports.CreateRefused("setup", self._said())

    def _said(self) -> str:
        return f"this function has no token of {self.name}; its workers do"


class NoAgents:
    """Agents without a way to them. Nothing is seen, and whoever must reach one is told why not."""

    def run(self, label: str, script: str, *, seconds_max: float) -> ports.ScriptOutcome:  # noqa: ARG002
        """Raises Unreachable."""
        raise ports.Unreachable("Checks cannot be run here: there is no way to the lab's machines.")

    def glance(self, sandbox: str) -> ports.Glance:  # noqa: ARG002 - nothing is seen
        """Nothing."""
        return ports.Glance()

    def open_early(self, sandbox: str, machines: Mapping[str, str], lab: labs.Lab) -> None:
        """Do nothing: the terminals open when somebody looks."""

    def close(self, sandbox: str, reason: str) -> None:
        """Do nothing: the machines go, and with them their agents."""

    def last_input_at(self, sandbox: str) -> ports.Moment | None:  # noqa: ARG002 - as above
        """Nobody knows."""
        return None
