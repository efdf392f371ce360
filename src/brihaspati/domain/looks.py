"""How soon a page looks at its lab again: quick while something changes, calm while nothing does.

The server says so with each answer, for it knows what a look costs: on one machine next to nothing,
in the cloud about a hundredth of a cent for a hundred of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain.sandboxes import Phase

QUICK_UNTIL_MS = 4_000
YOUNG_UNTIL_MS = 15_000
SOON_MS = 1_000


@dataclass(frozen=True, slots=True)
class Looks:
    """Milliseconds between two looks. `quick`: after Play; `moving`: later in a start.

    `stopping`: until a lab is gone. `calm`: while one is ready; `resting`: while none is there.
    `class`: at a class page on which nothing moves; `board`: at a trainer's board.
    `patient`: the most while a start is known to take long; 0: such knowledge changes nothing, nor
    does that an end takes long.
    """

    quick_ms: int
    moving_ms: int
    stopping_ms: int
    calm_ms: int
    resting_ms: int
    class_ms: int
    board_ms: int
    patient_ms: int = 0


# Of one machine, and of the cloud mode.
NEARBY = Looks(
    quick_ms=250,
    moving_ms=1_000,
    stopping_ms=1_000,
    calm_ms=5_000,
    resting_ms=15_000,
    class_ms=30_000,
    board_ms=2_500,
)
AFAR = Looks(
    quick_ms=2_000,
    moving_ms=3_000,
    stopping_ms=8_000,
    calm_ms=60_000,
    resting_ms=60_000,
    class_ms=60_000,
    board_ms=10_000,
    patient_ms=15_000,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has seen. `age_ms`: since Play; `expected_ms`: from Play to ready, 0: unknown.

    `left_ms`: until the deadline, if there is one. `tries`: how often its machines were found not
    to be gone yet, or could not be looked for.
    """

    phase: Phase | None
    age_ms: int = 0
    expected_ms: int = 0
    left_ms: int | None = None
    tries: int = 0


def after_ms(looks: Looks, seen: Seen) -> int:
    """When to look again."""
    match seen.phase:
        case "ready":
            left = seen.left_ms if seen.left_ms is not None else looks.calm_ms
            return min(looks.calm_ms, max(SOON_MS, left))
        case "stopping":
            return _stopping(looks, seen)
        case "queued" | "starting":
            return _starting(looks, seen)
        case _:
            return looks.resting_ms


def _starting(looks: Looks, seen: Seen) -> int:
    """Quick at first, for a warm start is quick; then a quarter of what is left, as it is known."""
    if seen.age_ms < QUICK_UNTIL_MS:
        return looks.quick_ms
    young = seen.age_ms < YOUNG_UNTIL_MS
    usual = min(looks.moving_ms, 2 * looks.quick_ms) if young else looks.moving_ms
    return max(usual, min(looks.patient_ms, (seen.expected_ms - seen.age_ms) // 4))


def _stopping(looks: Looks, seen: Seen) -> int:
    """Ever more seldom, as the machines are looked for ever more seldom, and nobody waits."""
    most = looks.calm_ms if looks.patient_ms else looks.stopping_ms
    return min(most, looks.stopping_ms * max(1, seen.tries))


def counted(looks: Looks, phase: Phase, lasts_ms: int) -> int:
    """How many looks a page takes at a lab that is in a phase for so long, as was expected."""
    at = count = 0
    while at < lasts_ms:
        at, count = at + after_ms(looks, Seen(phase, at, lasts_ms)), count + 1
    return count
