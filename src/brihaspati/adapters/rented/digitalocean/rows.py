"""Records of a zone at DigitalOcean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brihaspati.adapters.rented.calling import Caller
from brihaspati.adapters.rented.shapes import Row, number, text
from brihaspati.adapters.rented.zones import only, relative, whole

TTL_SECONDS = 30

Pages = Callable[[str, str, Any, Mapping[str, str]], Sequence[Mapping[str, Any]]]


class Rows:
    """`shapes.Rows`. `pages` reads a list to its end."""

    def __init__(self, zone: str, caller: Caller, pages: Pages) -> None:
        self._zone = zone
        self._caller = caller
        self._pages = pages
        self._path = f"/v2/domains/{zone}/records"

    def of(self, host: str) -> list[Row]:
        """By name."""
        return only(self._read({"name": host}), host)

    def all(self) -> list[Row]:
        """Every record."""
        return self._read({})

    def create(self, host: str, kind: str, value: str) -> None:
        """One POST."""
        body = {
            "type": kind,
            "name": relative(host, self._zone),
            "data": value,
            "ttl": TTL_SECONDS,
        }
        self._caller.ask("POST", self._path, "look", body=body)

    def delete(self, row: Row) -> None:
        """One DELETE."""
        self._caller.delete(f"{self._path}/{row.id}", "delete")

    def _read(self, params: Mapping[str, str]) -> list[Row]:
        found = self._pages(self._path, "domain_records", "look", params)
        return [
            Row(
                id=str(number(one.get("id"))),
                host=whole(text(one.get("name")), self._zone),
                kind=text(one.get("type")),
                value=text(one.get("data")),
            )
            for one in found
        ]
