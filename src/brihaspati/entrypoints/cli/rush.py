"""`brihaspati simulate --cloud`: thousands press Play, and the clouds have limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brihaspati.entrypoints.cli.printing import progress, say, table
from brihaspati.entrypoints.cli.simulator import Simulator

# A cloud account takes about so many students of one rush; a rush of more is given more accounts.
STUDENTS_PER_ACCOUNT = 1_000
QUEUE_ROWS = 12


def told(simulator: Simulator, wanted: Mapping[str, Any], *, as_json: bool) -> int:
    """Live the rush and print it; 1 when somebody was left without an answer, or a machine is."""
    students = wanted["students"]
    accounts = wanted["accounts"] or -(-students // STUDENTS_PER_ACCOUNT)
    with progress() as report:
        value = simulator.rush({**wanted, "accounts": accounts}, report)
    say(value, as_json=as_json, text=lambda console: _tell(console, value))
    answered = value["ready"] + sum(value["failed"].values())
    return 0 if answered == students and not value["machines_left"] else 1


def _tell(console: Any, value: dict[str, Any]) -> None:
    shown = ("p50", "p90", "p95", "p99", "max")
    rows = [
        (name.replace("_", " "), *(spread.get(one, "-") for one in shown))
        for name, spread in value["seconds"].items()
    ]
    console.print(table(("seconds", *shown), rows))
    console.print(table(("refused", "times"), list(value["throttles"].items())))
    over_time = value["over_time"]
    console.print(
        table(
            ("minute", "wait", "boot", "ready", "queue", "running functions"),
            [_row(sample) for sample in over_time[:: max(1, len(over_time) // QUEUE_ROWS)]],
        )
    )
    for reason, count in value["failed"].items():
        console.print(f"{count} failed: {reason}")
    dollars = value["dollars"]
    console.print(
        f"{value['students']} students, {value['ready']} ready, {value['machines_left']} machines "
        f"left; {dollars['student_hour']:.6f} $ a student-hour of the control plane"
    )


def _row(sample: dict[str, Any]) -> tuple[object, ...]:
    names = ("waiting", "booting", "ready", "starting_queue", "environments")
    return (f"{sample['at'] / 60_000:.1f}", *(sample[name] for name in names))
