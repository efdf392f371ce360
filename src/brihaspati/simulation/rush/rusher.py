"""A rush as the command line asks for it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from brihaspati.simulation.rush import report
from brihaspati.simulation.rush.town import STARTING_MOST, Rush, Town

OBJECTS_BETWEEN = 100_000


def rush(
    wanted: Mapping[str, Any], progress: Callable[[str, float | None], None]
) -> dict[str, Any]:
    """Live a rush and say what it came to; `wanted` has fields of `Rush`, None for the usual.

    Raises ValueError for what cannot be lived.
    """
    given = {name: value for name, value in wanted.items() if value is not None}
    lived = Rush(**given)
    if "starting" not in given:  # whoever adds an account lets more of them be asked at a time
        lived = replace(lived, starting=STARTING_MOST * lived.accounts)
    town = Town(lived)
    with _seldom_collected():
        town.live(progress)
    return report.result(town)


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """A town keeps millions of objects, and few in rings: looking for those took a quarter."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
