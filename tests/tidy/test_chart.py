"""The chart of a rush shows what is kept of it."""

from __future__ import annotations

import json

from bench import scale

from brihaspati.simulation.rush.rusher import rush


def test_the_chart_is_drawn_from_what_is_kept() -> None:
    kept = json.loads(scale.KEPT.read_text())
    assert scale.DRAWN.read_text() == scale.draw(kept), "run: python -m bench.scale"


def test_a_curve_is_the_share_of_those_who_have_or_had_a_lab() -> None:
    over_time = [
        {"at": 5000, "shown": 0, "ready": 0, "over": 0},
        {"at": 15000, "shown": 5, "ready": 4, "over": 0},  # one's lab is on its way out
        {"at": 5000 + 60_000 * (scale.MINUTES_MAX + 1), "shown": 10, "ready": 0, "over": 10},
    ]
    assert scale.curve({"students": 10, "over_time": over_time}) == [(0, 0.0), (10, 0.5)]


def test_the_curve_of_a_rush_never_falls_though_students_stop_before_others_begin() -> None:
    lived = rush({"students": 25, "accounts": 1}, lambda _what, _share: None)
    shares = [share for _, share in scale.curve(lived)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    leaving = [s for s in lived["over_time"] if s["shown"] > s["ready"] + s["over"]]
    assert leaving, "there were such students"
