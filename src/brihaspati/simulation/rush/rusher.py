"""A rush as the command line asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from brihaspati.simulation import quiet
from brihaspati.simulation.rush import report
from brihaspati.simulation.rush.town import STARTING_MOST, Rush, Town


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
    with quiet.seldom_collected():
        town.live(progress)
    return report.result(town)
