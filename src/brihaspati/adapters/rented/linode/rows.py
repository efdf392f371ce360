"""Records of a zone at Linode, where zones have numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brihaspati.adapters.rented.calling import Caller
from brihaspati.adapters.rented.shapes import Row, Trouble, number, text
from brihaspati.adapters.rented.zones import only, relative, whole

# The least it takes; anything else is rounded.
TTL_SECONDS = 300

Pages = Callable[[str, Any, Mapping[str, str]], Sequence[Mapping[str, Any]]]


class Rows:
    """`shapes.Rows`. `pages` reads a list, filtered, to its end."""

    def __init__(self, zone: str, caller: Caller, pages: Pages) -> None:
        self._zone = zone
        self._caller = caller
        self._pages = pages
        self._number = ""

    def of(self, host: str) -> list[Row]:
        """By name."""
        return only(self._read({"name": relative(host, self._zone)}), host)

    def all(self) -> list[Row]:
        """Every record."""
        return self._read({})

    def create(self, host: str, kind: str, value: str) -> None:
        """One POST."""
        body = {
            "type": kind,
            "name": relative(host, self._zone),
            "target": value,
            "ttl_sec": TTL_SECONDS,
        }
        self._caller.ask("POST", self._path(), "look", body=body)

    def delete(self, row: Row) -> None:
        """One DELETE."""
        self._caller.delete(f"{self._path()}/{row.id}", "delete")

    def _path(self) -> str:
        if not self._number:
            found = self._pages("/domains", "list", {"domain": self._zone})
            mine = [one for one in found if text(one.get("domain")) == self._zone]
            if not mine:
                raise Trouble("gone", f"the account has no zone {self._zone}")
            self._number = str(number(mine[0].get("id")))
        return f"/domains/{self._number}/records"

    def _read(self, wanted: Mapping[str, str]) -> list[Row]:
        found = self._pages(self._path(), "list", wanted)
        return [
            Row(
                id=str(number(one.get("id"))),
                host=whole(text(one.get("name")), self._zone),
                kind=text(one.get("type")),
                value=text(one.get("target")),
            )
            for one in found
        ]
