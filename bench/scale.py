"""The chart of docs/explanation/scale.md: how many of a class have had their lab, and when.

python -m bench.scale 500 1000 5000    live these rushes anew (minutes for thousands), and draw
python -m bench.scale                  only draw what is kept
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/explanation/scale.json"
DRAWN = ROOT / "docs/images/scale.svg"
WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 48
MINUTES_MAX = 8
COLOURS = ("#0f766e", "#b45309", "#6d28d9", "#be123c")
# Curves of rushes with as many accounts for each student lie upon each other: later ones have gaps.
DASHES = ("none", "none", "7 7", "2 6")

Curve = Sequence[tuple[int, float]]
"""Seconds after the first could press Play, and the share of students who had their lab by then."""


def curve(lived: Mapping[str, Any]) -> Curve:
    """Of what `brihaspati simulate --cloud --json` said."""
    students = lived["students"]
    samples = lived["over_time"]
    begun = samples[0]["at"]
    found = [((s["at"] - begun) // 1000, s["shown"] / students) for s in samples]
    return [(at, round(share, 4)) for at, share in found if at <= MINUTES_MAX * 60]


def draw(curves: Mapping[str, Curve]) -> str:
    """The chart, the same text for the same curves."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        "<title>Share of students whose lab was ready by then, by minutes after Play</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for percent in range(0, 101, 25):
        y = _y(percent / 100)
        lines += [
            f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>',
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{percent} %</text>',
        ]
    lines += [
        f'<text x="{_x(m * 60)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{m}</text>'
        for m in range(MINUTES_MAX + 1)
    ]
    middle = (LEFT + WIDTH - RIGHT) // 2
    lines.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">minutes</text>')
    for place, (students, points) in enumerate(sorted(curves.items(), key=lambda one: int(one[0]))):
        colour = COLOURS[place % len(COLOURS)]
        line = f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{DASHES[place % 4]}"'
        path = " ".join(f"{_x(at)},{_y(share)}" for at, share in points)
        x = LEFT + 150 * place
        lines += [
            f'<polyline points="{path}" fill="none" {line}/>',
            f'<path d="M{x} 20h22" {line}/>',
            f'<text x="{x + 28}" y="24">{int(students):,} students</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _x(seconds: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * seconds / (MINUTES_MAX * 60), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def main(rushes: Sequence[str]) -> None:
    """Live these, keep what came of them, draw everything that is kept."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for students in rushes:
        command = [str(Path(sys.executable).with_name("brihaspati")), "simulate", "--cloud"]
        said = subprocess.check_output([*command, "--students", students, "--json"])
        kept[students] = curve(json.loads(said))
    KEPT.write_text(json.dumps(kept, sort_keys=True) + "\n")
    DRAWN.write_text(draw(kept))


if __name__ == "__main__":
    main(sys.argv[1:])
