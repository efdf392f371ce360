"""Machines nobody should be paying for: the provider's real inventory against our intents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

# A machine younger than this may belong to a create whose sandbox we read a moment too early.
YOUNG_MS = 15_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A machine with our mark, as the inventory shows it."""

    label: str
    machine_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`delete` now; `suspects` (label to when first seen) for the next sweep; `lost` labels."""

    delete: tuple[Sighting, ...]
    suspects: dict[str, int]
    lost: tuple[str, ...]


def judge(
    inventory: Collection[Sighting],
    may_exist: Collection[str],
    must_exist: Collection[str],
    suspects: Mapping[str, int],
    now: int,
) -> Verdict:
    """A stray must be seen twice before it is deleted; a machine somebody wants never is.

    Args:
        inventory: machines of our environment at the provider.
        may_exist: labels of machines not yet verified gone, of every sandbox.
        must_exist: labels of machines known to run, of every sandbox.
        suspects: what the last sweep suspected, label to first sighting.
        now: milliseconds since the epoch.
    """
    unknown = [m for m in inventory if m.label not in may_exist and now - m.created_at >= YOUNG_MS]
    seen = {m.label for m in inventory}
    return Verdict(
        delete=tuple(m for m in unknown if m.label in suspects),
        suspects={m.label: suspects.get(m.label, now) for m in unknown},
        lost=tuple(sorted(label for label in must_exist if label not in seen)),
    )
