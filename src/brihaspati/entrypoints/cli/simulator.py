"""What the command line needs of the simulation; wiring hands it in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol


class Lived(Protocol):
    """What became of one seed."""

    @property
    def seed(self) -> int:
        """Which."""
        ...

    @property
    def broken(self) -> tuple[str, ...]:
        """The broken promises, with their times."""
        ...

    @property
    def struck(self) -> Counter[str]:
        """How often each fault struck."""
        ...

    @property
    def simulated_ms(self) -> int:
        """How much time passed in it."""
        ...

    @property
    def machines(self) -> int:
        """How many machines were made."""
        ...


class Found(Protocol):
    """Which seed noticed a deliberate break; None: none did."""

    @property
    def mutant(self) -> str:
        """The break in words."""
        ...

    @property
    def seed(self) -> int | None:
        """The seed that noticed it."""
        ...

    @property
    def broken(self) -> str:
        """By which broken promise."""
        ...


class Simulator(Protocol):
    """Lives the worlds of seeds."""

    def histories(
        self, first: int, seeds: int, students: int, store: str, vices: Sequence[str]
    ) -> Iterator[Lived]:
        """Every seed's history, in whatever order they end."""
        ...

    def mutants(self, first: int, seeds: int, students: int) -> Iterator[Found]:
        """For each deliberate break the first seed that notices it."""
        ...

    def shrunk(self, seed: int, students: int, store: str, vices: Sequence[str]) -> Sequence[str]:
        """The smallest world of a failing seed: its trace, and the command to live it again."""
        ...

    def traced(self, seed: int, students: int, store: str, vices: Sequence[str]) -> Sequence[str]:
        """All that happens in a seed's world, with times."""
        ...

    def rush(
        self, wanted: Mapping[str, Any], progress: Callable[[str, float | None], None]
    ) -> dict[str, Any]:
        """Everybody presses Play at once in the cloud mode; what it came to, as plain values."""
        ...
