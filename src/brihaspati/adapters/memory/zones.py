"""A zone of DNS in memory, which can be told to stumble."""

from __future__ import annotations

from brihaspati import ports
from brihaspati.ports.names import Kind


class Zone:
    """`ports.names.Zone`. While `stumbles` is more than 0, a call less is answered."""

    def __init__(self, name: str = "labs.example.org") -> None:
        self.name = name
        self.stumbles = 0
        self.records: dict[str, list[tuple[str, str]]] = {}

    def add(self, host: str, kind: Kind, value: str, *, new: bool = False) -> None:
        """Have a record; a second one where it is said to be `new` and is not, as clouds do."""
        self._below(host)
        found = self.records.setdefault(host, [])
        if new or (kind, value) not in found:
            found.append((kind, value))

    def values(self, host: str) -> list[tuple[str, str]]:
        """Kind and value of each record of a host."""
        self._below(host)
        return list(self.records.get(host, ()))

    def remove(self, host: str) -> None:
        """Every record of a host."""
        self._below(host)
        self.records.pop(host, None)

    def hosts(self) -> list[str]:
        """Every host that has a record."""
        self._stumble()
        return sorted(self.records)

    def _below(self, host: str) -> None:
        self._stumble()
        if not host.endswith(f".{self.name}"):
            raise ValueError(f"{host} is not below {self.name}")

    def _stumble(self) -> None:
        if self.stumbles:
            self.stumbles -= 1
            raise ports.Unclear("the zone does not answer")
