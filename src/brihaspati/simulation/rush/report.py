"""What a rush came to: times, refusals, queues, and the bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from brihaspati.domain import bills
from brihaspati.simulation.rush.people import Student, Times
from brihaspati.simulation.rush.town import Sample, Town

SHARES = (50, 90, 95, 99)
SAMPLES_MAX = 120


def result(town: Town) -> dict[str, Any]:
    """Everything as plain values, the same again for the same seed. Times in seconds."""
    students = town.students
    failed = Counter(one.times.problem for one in students if one.times.problem is not None)
    return {
        "rush": asdict(town.rush),
        "students": len(students),
        "ready": sum(one.times.shown_at is not None for one in students),
        "failed": dict(failed.most_common()),
        "machines_made": sum(one.made for one in town.clouds),
        "machines_left": town.machines_left(),
        "seconds": {
            "accepted": _spread(_since_press(students, "accepted_at")),
            "create_called": _spread(_until_created(town)),
            "ready": _spread(_since_press(students, "shown_at")),
            "gone": _spread(
                one.times.gone_at - one.times.stopped_at
                for one in students
                if one.times.gone_at is not None and one.times.stopped_at is not None
            ),
        },
        "throttles": dict(town.tally.throttles.most_common()),
        "busiest_second": {
            kind: {"units": round(units, 1), "key": key}
            for kind, (units, key) in sorted(town.tally.busiest.items())
        },
        "functions": {
            name: {"invocations": one.invocations, "cold": one.cold}
            for name, one in town.functions.items()
        },
        "environments_peak": town.account.peak,
        "ahead_most": max((one.times.ahead for one in students), default=0),
        "queues": {
            line.name: {"deepest": line.deepest, "dead": line.dead}
            for line in (town.starting, town.ending)
        },
        "over_time": [asdict(sample) for sample in _thinned(town.samples)],
        "dollars": _dollars(town),
    }


def _since_press(students: Iterable[Student], what: str) -> Iterable[int]:
    for one in students:
        at = getattr(one.times, what)
        if at is not None:
            yield at - one.times.pressed_at


def _until_created(town: Town) -> Iterable[int]:
    for one in town.students:
        if one.sandbox in town.made:
            yield town.made[one.sandbox] - one.times.pressed_at


def _spread(found: Iterable[int]) -> dict[str, float]:
    """Percentiles and the most, of milliseconds in seconds; nothing of nothing."""
    ordered = sorted(found)
    if not ordered:
        return {}
    shares = {f"p{n}": ordered[min(len(ordered) - 1, len(ordered) * n // 100)] for n in SHARES}
    return {name: round(ms / 1000, 1) for name, ms in {**shares, "max": ordered[-1]}.items()}


def _thinned(samples: list[Sample]) -> list[Sample]:
    step = max(1, -(-len(samples) // SAMPLES_MAX))
    return samples[::step]


def _dollars(town: Town) -> dict[str, Any]:
    """What AWS charges for a student who has a lab for an hour, by part and by kind of price."""
    hours = sum(_worked_ms(one.times) for one in town.students) / 3_600_000
    ready = sum(one.times.shown_at is not None for one in town.students)
    scales = {"start": ready, "end": ready, "hour": hours}
    parts = {
        part: _price(town.tally.used[part], 1 / scale) if scale else {}
        for part, scale in scales.items()
    }
    return {
        "student_hour": round(sum(sum(one.values()) for one in parts.values()), 7),
        "by_part": {part: round(sum(one.values()), 7) for part, one in parts.items()},
        "by_price": {part: {k: round(v, 8) for k, v in one.items()} for part, one in parts.items()},
        "sweeps": round(sum(_price(town.tally.used["upkeep"], 1).values()), 4),
        "priced_on": bills.PRICED_ON,
    }


def _worked_ms(times: Times) -> int:
    if times.shown_at is None or times.stopped_at is None:
        return 0
    return times.stopped_at - times.shown_at


def _price(used: dict[str, float], scale: float) -> dict[str, float]:
    return {kind: bills.PRICES[kind].of(units * scale) for kind, units in sorted(used.items())}
