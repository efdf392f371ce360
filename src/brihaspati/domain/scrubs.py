"""The scrub record: per sandbox a chain of what was made, and how each thing was verified gone.

Every entry carries the digest of the one before it, so that none can be changed or left out
unseen; who keeps the last digest elsewhere can prove that none was cut off the end. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from brihaspati.domain import money

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class End:
    """The end of one machine. `machine_id` and `created_at` None: it was asked for, never seen.

    `how` says how its end was made sure of. Moments are milliseconds since the epoch.
    """

    label: str
    machine_id: str | None
    created_at: int | None
    gone_at: int
    how: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain; `number` from 1. `cost_micros` is what it adds to the bill."""

    number: int
    sandbox: str
    class_id: str
    lab: str
    user: str | None
    micros_per_hour: int
    end: End
    cost_micros: int
    before: str
    digest: str = ""


_END_FIELDS = tuple(field.name for field in fields(End))
_ENTRY_FIELDS = tuple(field.name for field in fields(Entry))
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sealed(entry: Entry) -> Entry:
    """The entry with its digest: SHA-256 of everything else in it, as canonical JSON."""
    content = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    content["end"] = {name: getattr(entry.end, name) for name in _END_FIELDS}
    content["digest"] = ""
    text = _CANONICAL.encode(content)
    return replace(entry, digest=hashlib.sha256(text.encode()).hexdigest())


def following(chain: Sequence[Entry], entry: Entry) -> Entry | None:
    """The entry as the next link, or None where the chain already says the same.

    A machine that was believed gone and came back is paid for from where the chain left it.
    """
    same = [e for e in chain if (e.end.label, e.end.machine_id) == _machine(entry)]
    if any(e.end.gone_at >= entry.end.gone_at for e in same):
        return None
    begun = entry.end.created_at
    if begun is not None and same:
        begun = max([begun, *(e.end.gone_at for e in same if e.end.created_at is not None)])
    cost = (
        0 if begun is None else money.cost_micros(entry.micros_per_hour, begun, entry.end.gone_at)
    )
    before = chain[-1].digest if chain else FIRST
    return sealed(replace(entry, number=len(chain) + 1, cost_micros=cost, before=before))


def _machine(entry: Entry) -> tuple[str, str | None]:
    return entry.end.label, entry.end.machine_id


def seal_of(entries: Sequence[Entry]) -> str:
    """One digest for many entries, in their order: whoever keeps it sees that none was cut off."""
    return hashlib.sha256("".join(entry.digest for entry in entries).encode()).hexdigest()


def chains(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries by sandbox, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.sandbox, []).append(entry)
    return found


def faults(chain: Sequence[Entry]) -> list[str]:
    """What is wrong with a chain, in words; empty when every link holds."""
    found = []
    before = FIRST
    for number, entry in enumerate(chain, 1):
        if entry.number != number:
            found.append(f"entry {number} of {entry.sandbox} is missing")
            return found
        if sealed(entry).digest != entry.digest:
            found.append(f"entry {number} of {entry.sandbox} was changed")
        if entry.before != before:
            found.append(f"entry {number} of {entry.sandbox} does not follow the one before")
        before = entry.digest
    return found
