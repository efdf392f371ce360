"""`ports.names.Zone` over the DNS of a cloud: a record is looked for before it is made."""

from __future__ import annotations

from brihaspati import ports
from brihaspati.adapters.rented.shapes import Row, Rows, Trouble
from brihaspati.ports.names import Kind


class Zone:
    """A zone of an account."""

    def __init__(self, name: str, rows: Rows) -> None:
        self.name = name
        self._rows = rows

    def check(self) -> None:
        """Whether the account has the zone. Raises Trouble."""
        self._rows.of(self.name)

    def add(self, host: str, kind: Kind, value: str, *, new: bool = False) -> None:
        """One POST, if there is no such record. Raises Unclear."""
        self._below(host)
        try:
            there = () if new else self._rows.of(host)
            if (kind, value) not in [(row.kind, row.value) for row in there]:
                self._rows.create(host, kind, value)
        except Trouble as trouble:
            raise _unclear(trouble) from trouble

    def values(self, host: str) -> list[tuple[str, str]]:
        """Kind and value of each record of a host. Raises Unclear."""
        self._below(host)
        try:
            return [(row.kind, row.value) for row in self._rows.of(host)]
        except Trouble as trouble:
            raise _unclear(trouble) from trouble

    def remove(self, host: str) -> None:
        """Delete each record of a host. Raises Unclear."""
        self._below(host)
        try:
            for row in self._rows.of(host):
                self._rows.delete(row)
        except Trouble as trouble:
            raise _unclear(trouble) from trouble

    def hosts(self) -> list[str]:
        """Every host that has a record. Raises Unclear."""
        try:
            return sorted({row.host for row in self._rows.all()})
        except Trouble as trouble:
            raise _unclear(trouble) from trouble

    def _below(self, host: str) -> None:
        """Never touch what the zone's owner has at its top, or another zone."""
        if not host.endswith(f".{self.name}"):
            raise ValueError(f"{host} is not below {self.name}")


def relative(host: str, zone: str) -> str:
    """A host as clouds name it within its zone."""
    return host.removesuffix(zone).removesuffix(".")


def whole(name: str, zone: str) -> str:
    """The other way round; `@` and nothing are the zone itself."""
    return zone if name in ("", "@") else f"{name}.{zone}"


def only(rows: list[Row], host: str) -> list[Row]:
    """Those of this very host, should a cloud have answered for more."""
    return [row for row in rows if row.host == host]


def _unclear(trouble: Trouble) -> ports.Unclear:
    return ports.Unclear(trouble.text)
