"""Which rows a query wants, as DynamoDB is asked for them, and cursors.

DynamoDB is asked for BETWEEN, never for begins_with, and what it answers is looked at again: an
emulator of it takes letters of either case for the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pynamodb.connection.table import TableConnection
from pynamodb.expressions.condition import Condition

from brihaspati import ports
from brihaspati.adapters.dynamodb.place import may_hold
from brihaspati.adapters.dynamodb.table import Row
from brihaspati.domain import limits

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Range:
    """Rows of a partition (of an index, or of the table: None) between two sort keys."""

    index: str | None
    partition: str
    prefix: str
    until: str | None

    def is_empty(self) -> bool:
        """Whether nothing can be there, so that nobody need be asked."""
        if not may_hold(self.partition) or not (self.prefix == "" or may_hold(self.prefix)):
            return True
        if self.until is None:
            return False
        return not _is_text(self.until) or self.until == "" or self.until < self.prefix

    def condition(self, row: type[Row]) -> Condition | None:
        """The bounds of the sort key. They may hold a row too many; `holds` has the last word."""
        path = getattr(row, "sk" if self.index is None else f"{self.index}_sk")
        low, high = self.prefix, self._high()
        found: Condition | None = None
        if high is not None:
            found = path.between(low, high) if low else path <= high
        elif low:
            found = path >= low
        return found

    def holds(self, row: Row) -> bool:
        """Whether a row is wanted."""
        sort = self._sort(row)
        return sort.startswith(self.prefix) and (self.until is None or sort <= self.until)

    def cursor(self, row: Row) -> str:
        """Where to go on after a row."""
        place = (row.sk,) if self.index is None else (self._sort(row), row.pk, row.sk)
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()

    def start(self, cursor: str | None) -> dict[str, Any] | None:
        """A cursor as DynamoDB takes it. Raises Refused for one that is none of ours."""
        if cursor is None:
            return None
        place = _decoded(cursor, 1 if self.index is None else 3)
        if self.index is None:
            return _attributes({"pk": self.partition, "sk": place[0]})
        sort, pk, sk = place
        own = {f"{self.index}_pk": self.partition, f"{self.index}_sk": sort}
        return _attributes({**own, "pk": pk, "sk": sk})

    def _sort(self, row: Row) -> str:
        sort: str = row.sk if self.index is None else getattr(row, f"{self.index}_sk")
        return sort

    def _high(self) -> str | None:
        """The last sort key to ask for: `until`, or the first that is past the prefix."""
        bounds = [bound for bound in (_past(self.prefix), self.until) if bound is not None]
        high = min(bounds, default=None)
        return high if high is not None and may_hold(high) else None


def batch(table: TableConnection, keys: Any) -> dict[str, Any]:
    """BatchGetItem, read strongly; `keys` are pairs."""
    wanted: Any = [{"pk": pk, "sk": sk} for pk, sk in keys]
    answer: dict[str, Any] = table.batch_get_item(wanted, consistent_read=True)
    return answer


def refuse(check: Callable[[Any], None], value: Any) -> None:
    """Let a check of the limits speak as the port does."""
    try:
        check(value)
    except limits.Unacceptable as fault:
        raise ports.Refused(str(fault)) from None


def _past(prefix: str) -> str | None:
    """The first text after all that start with the prefix; None where there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000  # surrogates are no characters
    return kept[:-1] + chr(following)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _attributes(values: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in values.items()}


def _decoded(cursor: str, parts: int) -> list[str]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        fits = isinstance(place, list) and [type(part) for part in place] == [str] * parts
        fits = fits and all(map(may_hold, place))
    except ValueError:
        fits = False
    if not fits:
        raise ports.Refused("the cursor is none of ours: start again without one")
    found: list[str] = place
    return found
