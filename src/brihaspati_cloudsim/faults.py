"""What may go wrong, by script or by chance: each fault is one line of data."""

from __future__ import annotations

import dataclasses
import fnmatch
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BEFORE = {
    "status": "answers `status` and does nothing",
    "rate": "429 with Retry-After `seconds`, and does nothing",
    "drop": "the connection ends before anything is done",
    "hang": "says nothing for `seconds`, then drops; nothing is done",
    "unauthorized": "401 although the token is good",
}
AFTER = {
    "status_after": "does it, then answers `status` (with Retry-After if `seconds` is given)",
    "drop_after": "does it, then the connection ends without an answer",
    "hang_after": "does it, says nothing for `seconds`, then drops",
    "slow": "does it and answers `seconds` later",
    "garbled": "does it and answers 200 with half a body",
}
CREATE = {
    "sold_out": "no server of this size is left in the region",
    "quota": "the account's limit is reached",
    "duplicate_label": "Linode says that the label is taken",
    "vanish": "accepted, and after `seconds` it never was",
    "listed_late": "lists do not know it for `seconds`",
    "active_late": "takes `seconds` more to become active, and to boot",
    "boots_never": "becomes active and never boots",
    "dies": "its processes end `seconds` after it boots; the provider says it runs",
    "loses_network": "nobody reaches it, nor it anybody, `seconds` after it boots",
}
DELETE = {
    "locked": "refused: something else happens to it",
    "delete_ignored": "accepted, and nothing happens",
    "zombie": "accepted, gone from look-ups, and there again `seconds` later; paid for all along",
    "delete_late": "accepted, and gone `seconds` later",
}
LIST = {
    "missed": "a list leaves out half of what is there and says nothing",
    "tags_missing": "a list shows no tags",
    "stale": "a list does not know what was made in the last `seconds`",
}
KINDS: Mapping[str, str] = {**BEFORE, **AFTER, **CREATE, **DELETE, **LIST}
PROVIDERS = ("digitalocean", "linode")


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong for requests that match, `times` times or for ever (None).

    `operation`: a pattern on the published operation id, `*create*` for one; None for what the
    kind is about. `name`: a regular expression on the server's name. `chance`: of each match.
    """

    kind: str
    provider: str | None = None
    operation: str | None = None
    name: str | None = None
    times: int | None = 1
    chance: float = 1.0
    seconds: float | None = None
    status: int = 500
    struck: int = 0

    def matches(self, provider: str, operation: str, name: str) -> bool:
        """Whether it is about this request."""
        if self.times is not None and self.struck >= self.times:
            return False
        return (
            self.provider in (None, provider)
            and (self.operation is None or fnmatch.fnmatch(operation, self.operation))
            and (self.name is None or re.search(self.name, name) is not None)
        )


def read(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON.

    Raises:
        ValueError: names the field and what it may be.
    """
    names = {known.name for known in dataclasses.fields(Fault)} - {"struck"}
    if unknown := set(given) - names:
        raise ValueError(f"{min(unknown)}: not a field of a fault: {', '.join(sorted(names))}")
    if given.get("kind") not in KINDS:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    if given.get("provider") not in (None, *PROVIDERS):
        raise ValueError(f"provider: one of {', '.join(PROVIDERS)}, or left out for both")
    return Fault(**given)


@dataclass
class Faults:
    """The faults in force. Chance comes from one seed."""

    dice: random.Random
    active: list[Fault] = field(default_factory=list)

    def add(self, kind: str, **fields: Any) -> Fault:
        """Let something go wrong from now on.

        Raises:
            ValueError: names the field and what it may be.
        """
        fault = read({"kind": kind, **fields})
        self.active.append(fault)
        return fault

    def strikes(self, kind: str, provider: str, operation: str, name: str = "") -> Fault | None:
        """The fault of this kind that strikes now, if one does."""
        for fault in self.active:
            if fault.kind == kind and fault.matches(provider, operation, name):
                if fault.chance < 1 and self.dice.random() >= fault.chance:
                    continue
                fault.struck += 1
                return fault
        return None
