"""`brihaspati simulate`: worlds in which everything goes wrong, and the promises kept in them."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

import click

from brihaspati.entrypoints.cli import rush
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import Shop
from brihaspati.entrypoints.cli.simulator import Found, Lived, Simulator

BROKEN_SHOWN = 10
STUDENTS, STUDENTS_MAX, RUSH_STUDENTS = 20, 200, 5_000
MUTANT_SEEDS = 300


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True)
@click.option("--first", type=click.IntRange(0), help="The first seed; left out: by chance.")
@click.option("--students", type=click.IntRange(1, 20_000), help="In each world; 20, or 5000.")
@click.option("--store", type=click.Choice(["memory", "sqlite"]), default="memory")
@click.option("--vice", "vices", multiple=True, help="Only these faults (`none`: none at all).")
@click.option("--mutants", is_flag=True, help="Break the engine on purpose; every break must show.")
@click.option("--cloud", is_flag=True, help="Everybody presses Play at once in the cloud mode.")
@click.option("--accounts", type=click.IntRange(1, 100), help="With --cloud: of a cloud.")
@click.option("--concurrency", type=click.IntRange(50), help="With --cloud: AWS's quota.")
@click.option("--starting", type=click.IntRange(1, 1000), help="With --cloud: creators at a time.")
@click.option("--trace", is_flag=True, help="Print all that happens in the first seed.")
@json_option
@click.pass_obj
def simulate(shop: Shop, /, first: int | None, seeds: int, **given: Any) -> int:
    """Live a class in worlds where everything goes wrong, and check what is promised.

    Each seed is one world, the same again on every machine. Exit status 1 when a promise is broken.
    """
    simulator: Simulator = shop.simulator()
    rushing = {name: given.pop(name) for name in ("accounts", "concurrency", "starting")}
    if given.pop("cloud"):
        rushing |= {
            "students": given["students"] or RUSH_STUDENTS,
            "seed": 1 if first is None else first,
        }
        return rush.told(simulator, rushing, as_json=given["as_json"])
    _check_many(given, rushing)
    begin = secrets.randbelow(10**9) if first is None else first
    if given["mutants"]:
        return _mutants(simulator, begin if first is not None else 1, seeds, given)
    if given["trace"]:
        lines = simulator.traced(begin, given["students"], given["store"], given["vices"])
        click.echo("\n".join(lines))
        return 0
    return _seeds(simulator, begin, seeds, given)


def _check_many(given: dict[str, Any], rushing: dict[str, Any]) -> None:
    """Fill in how many students there are. Raises ValueError."""
    given["students"] = given["students"] or STUDENTS
    if given["students"] > STUDENTS_MAX:
        raise ValueError(f"--students: at most {STUDENTS_MAX}; for more there is --cloud")
    alone = next((name for name, value in rushing.items() if value is not None), None)
    if alone is not None:
        raise ValueError(f"--{alone} is for --cloud")


def _seeds(simulator: Simulator, first: int, seeds: int, given: dict[str, Any]) -> int:
    struck: Counter[str] = Counter()
    broken: list[Lived] = []
    machines = simulated_ms = 0
    if not given["as_json"]:
        click.echo(f"seeds {first} to {first + seeds - 1}, {given['students']} students each")
    lived = simulator.histories(first, seeds, given["students"], given["store"], given["vices"])
    with progress() as report:
        for count, history in enumerate(lived, 1):
            struck += history.struck
            machines, simulated_ms = (
                machines + history.machines,
                simulated_ms + history.simulated_ms,
            )
            broken += [history] if history.broken else []
            report(f"{count} of {seeds} seeds, {len(broken)} with violations", count / seeds)
    value = {
        "first": first,
        "seeds": seeds,
        "violations": sum(len(one.broken) for one in broken),
        "machines": machines,
        "simulated_hours": round(simulated_ms / 3_600_000, 1),
        "faults": dict(struck.most_common()),
        "broken": {one.seed: list(one.broken) for one in broken[:BROKEN_SHOWN]},
    }
    say(value, as_json=given["as_json"], text=lambda console: _tell(console, value))
    if broken and not given["as_json"]:
        click.echo("\n".join(simulator.shrunk(broken[0].seed, given["students"], given["store"])))
    return 1 if broken else 0


def _tell(console: Any, value: dict[str, Any]) -> None:
    rows = [(count, fault) for fault, count in value["faults"].items()]
    console.print(table(("times", "fault"), rows))
    for seed, promises in value["broken"].items():
        console.print(f"seed {seed}: {promises[0]}")
    console.print(
        f"{value['seeds']} seeds, {value['violations']} violations "
        f"({value['machines']} machines, {value['simulated_hours']} h simulated)"
    )


def _mutants(simulator: Simulator, first: int, seeds: int, given: dict[str, Any]) -> int:
    most = max(seeds, MUTANT_SEEDS)
    found: list[Found] = []
    with progress() as report:
        for one in simulator.mutants(first, most, given["students"]):
            found.append(one)
            report(f"{one.mutant}: {'seed ' + str(one.seed) if one.seed else 'survives'}", None)
    value = [{"mutant": f.mutant, "seed": f.seed, "broken": f.broken} for f in found]
    rows = [(f.mutant, f.seed if f.seed is not None else "SURVIVES", f.broken) for f in found]
    survivors = sum(f.seed is None for f in found)

    def tell(console: Any) -> None:
        console.print(table(("break", "seed", "noticed by"), rows))
        console.print(f"{len(found)} breaks, {survivors} survive")

    say(value, as_json=given["as_json"], text=tell)
    return 1 if survivors else 0
