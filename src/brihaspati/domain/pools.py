"""Warm sandboxes without an owner: how many to make or let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brihaspati.domain.sandboxes import Sandbox


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """`make` sandboxes to add; the ids to stop (surplus, or of another lab version)."""

    make: int
    stop: tuple[str, ...]


def plan(wanted: int, version: str, have: Sequence[Sandbox]) -> PoolPlan:
    """What brings a pool from what it has to what is wanted. Pure; oldest surplus goes first."""
    alive = [s for s in have if s.phase in ("queued", "starting", "ready")]
    stale = [s for s in alive if s.terms.lab_version != version]
    fresh = sorted(
        (s for s in alive if s.terms.lab_version == version), key=lambda s: (s.asked_at, s.id)
    )
    surplus = fresh[: max(0, len(fresh) - wanted)]
    return PoolPlan(make=max(0, wanted - len(fresh)), stop=tuple(s.id for s in (*stale, *surplus)))
