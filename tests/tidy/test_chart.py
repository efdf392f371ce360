"""The chart of a rush shows what is kept of it."""

from __future__ import annotations

import json

from bench import scale


def test_the_chart_is_drawn_from_what_is_kept() -> None:
    kept = json.loads(scale.KEPT.read_text())
    assert scale.DRAWN.read_text() == scale.draw(kept), "run: python -m bench.scale"


def test_a_curve_is_the_share_of_those_who_have_or_had_a_lab() -> None:
    over_time = [
        {"at": 5000, "ready": 0, "over": 0},
        {"at": 15000, "ready": 4, "over": 1},
        {"at": 5000 + 60_000 * (scale.MINUTES_MAX + 1), "ready": 0, "over": 10},
    ]
    assert scale.curve({"students": 10, "over_time": over_time}) == [(0, 0.0), (10, 0.5)]
