"""A class's budget, counted beside the engine's own count: from what was written, not by index."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from typing import Any

from brihaspati.domain import money

ALIVE = ("queued", "starting", "ready")
Body = Mapping[str, Any]


class Spent:
    """What the proofs of ends say was spent, and when that was written."""

    def __init__(self) -> None:
        self.micros = 0
        self._written: list[tuple[int, int]] = []

    def add(self, at: int, micros: int) -> None:
        """Hear of a proof; moments only grow."""
        self.micros += micros
        self._written.append((at, self.micros))

    def before(self, moment: int) -> int:
        """What had been written before a moment: all that whoever began then could know of."""
        known = bisect.bisect_left(self._written, (moment, 0))
        return self._written[known - 1][1] if known else 0


def promised_micros(bodies: Iterable[Body], now: int) -> int:
    """What students' sandboxes that live cost to their ends."""
    return sum(_bound_micros(body, now) for body in bodies)


def must_be_looked_at(budget_micros: int | None, body: Body) -> bool:
    """Whether it was lowered since a Play, or an attempt before may have cost something."""
    agreed = body["terms"]["budget_micros"]
    lowered = budget_micros is not None and (agreed is None or budget_micros < agreed)
    return lowered or body["attempt"] > 1


def deadline_before(before: Body, body: Body) -> int:
    """The deadline there was before, or would have been without more time."""
    if before["deadline_at"] is None or before["slot"]["user"] is None:
        return int(body["deadline_at"] or 0)
    return int(before["deadline_at"])


def _bound_micros(body: Body, now: int) -> int:
    """What a student's sandbox costs to its end, as Play promises it."""
    if body["slot"]["user"] is None or body["phase"] not in ALIVE:
        return 0
    terms, begun = body["terms"], body["ready_at"] or body["asked_at"]
    end = body["deadline_at"] or begun + terms["lifetime_seconds"] * 1000
    closes_at = terms["closes_at"]
    end = end if closes_at is None else min(end, closes_at)
    return money.cost_micros(terms["price_micros_per_hour"], begun, max(end, now))
