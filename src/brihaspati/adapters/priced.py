"""A provider of our own host with a price on its machines, so that a class sees what it costs."""

from __future__ import annotations

from collections.abc import Callable

from brihaspati import ports
from brihaspati.domain import labs


class Priced:
    """Another provider, in everything but the price: every machine has the same."""

    def __init__(self, provider: ports.Provider, micros_per_hour: int) -> None:
        self.name = provider.name
        self.rented = provider.rented
        self._provider = provider
        self._micros = micros_per_hour

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002 - one price
        """What the operator says a machine-hour costs."""
        return self._micros

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make one machine. Raises CreateRefused or Unclear."""
        return self._provider.create(order)

    def find(self, label: str) -> ports.MachineSeen | None:
        """The machine of this label. Raises Unclear."""
        return self._provider.find(label)

    def delete(self, machine_id: str) -> None:
        """Ask for the end of a machine. Raises Unclear."""
        self._provider.delete(machine_id)

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine of ours. Raises Unclear."""
        return self._provider.inventory()

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Make an image usable. Raises CreateRefused (image)."""
        self._provider.prepare(image, progress)
