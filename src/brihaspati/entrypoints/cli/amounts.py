"""Numbers that commands are given."""

from __future__ import annotations

import math
from typing import Any

import click


class Amount(click.FloatRange):
    """A float within bounds, and finite: `nan` is within any bounds, and `inf` below none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises BadParameter."""
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no number to count with.", param, ctx)
        return found
