"""Money in whole millionths of the class's currency ("micros"), never in floats."""

from __future__ import annotations

MS_PER_HOUR = 3_600_000


def cost_micros(price_micros_per_hour: int, started_at: int, ended_at: int) -> int:
    """What a machine costs from start to end (milliseconds), every begun millionth counted."""
    used_ms = max(0, ended_at - started_at)
    return -(-price_micros_per_hour * used_ms // MS_PER_HOUR)
