"""`brihaspati cost`: what the cloud mode's control plane costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from brihaspati.domain import bills
from brihaspati.entrypoints.cli.amounts import Amount
from brihaspati.entrypoints.cli.printing import json_option, say, table

STUDENTS = (0, 30, 500, 5000)


@click.command()
@click.option("--students", type=click.IntRange(0, 1_000_000), help="Left out: several sizes.")
@click.option(
    "--look-seconds",
    type=Amount(0.5, 3600),
    default=bills.LOOK_SECONDS,
    show_default=True,
    help="How often a page looks at its lab.",
)
@json_option
def cost(students: int | None, look_seconds: float, *, as_json: bool) -> int:
    """Compute what AWS charges for the control plane; machines come on top.

    From calls counted on the real engine and list prices, without free tiers.
    """
    sizes = STUDENTS if students is None else (students,)
    hours = {size: round(bills.class_hour(size, look_seconds), 6) for size in sizes}
    rest = bills.month_at_rest()
    one = bills.student_hour(look_seconds)
    value = {
        "priced_on": bills.PRICED_ON,
        "currency": "USD",
        "look_seconds": look_seconds,
        "month_at_rest": round(sum(rest.values()), 4),
        "student_hour": round(sum(one.values()), 7),
        "class_hour": {str(size): amount for size, amount in hours.items()},
        "prices": {name: asdict(price) for name, price in bills.PRICES.items()},
    }

    def tell(console: Any) -> None:
        rows = [(size, f"{amount:.4f}") for size, amount in hours.items()]
        console.print(table(("students", "an hour of class, $"), rows))
        kinds = [(name, f"{amount * 1e6:.1f}") for name, amount in one.items()]
        console.print(table(("of which for one student", "millionths of $"), kinds))
        resting = [(name, f"{amount:.3f}") for name, amount in rest.items()]
        console.print(table(("a month in which nobody comes", "$"), resting))
        console.print(
            f"{value['student_hour']:.6f} $ a student-hour, {value['month_at_rest']:.2f} $ a month"
            f" at rest; list prices of {bills.PRICED_ON}, machines not counted"
        )

    say(value, as_json=as_json, text=tell)
    return 0
