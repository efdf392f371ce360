"""A failing history made small: fewer students, fewer vices, and what then happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brihaspati.simulation.history import STUDENTS, History, NewStore, in_memory, live
from brihaspati.simulation.vices import VICES

FEWER = (1, 2, 3, 5, 8, 12)


@dataclass(frozen=True)
class Shrunk:
    """The smallest world found in which a promise is broken still, and its trace."""

    seed: int
    students: int
    vices: tuple[str, ...]
    broken: str
    trace: tuple[str, ...]

    @property
    def command(self) -> str:
        """How to live it again."""
        chosen = "".join(f' --vice "{vice}"' for vice in self.vices)
        return (
            f"brihaspati simulate --first {self.seed} --seeds 1 --students {self.students} "
            f"--trace{chosen or ' --vice none'}"
        )


def shrink(
    seed: int,
    students: int = STUDENTS,
    new_store: NewStore = in_memory,
    only: frozenset[str] | None = None,
) -> Shrunk | None:
    """The smallest failing world of a seed; None when none of its promises is broken.

    `only`: the vices that were there; None for all.
    """

    def fails(count: int, only: frozenset[str]) -> History | None:
        history = live(seed, students=count, only=only, new_store=new_store)
        return history if history.broken else None

    only = frozenset(VICES) if only is None else only
    if not fails(students, only):
        return None
    count = next((n for n in FEWER if n < students and fails(n, only)), students)
    only = _without(only, lambda fewer: fails(count, fewer) is not None)
    told: list[str] = []
    last = live(seed, students=count, only=only, new_store=new_store, tell=told.append)
    return Shrunk(seed, count, tuple(sorted(only)), last.broken[0], tuple(told))


def _without(vices: frozenset[str], fails: Callable[[frozenset[str]], bool]) -> frozenset[str]:
    """As few vices as still make it fail, taken away one by one."""
    for vice in sorted(vices):
        if fails(vices - {vice}):
            vices = vices - {vice}
    return vices
