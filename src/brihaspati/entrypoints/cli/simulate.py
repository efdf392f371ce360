"""`brihaspati simulate`: worlds in which everything goes wrong, and the promises kept in them."""

from __future__ import annotations

import functools
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from typing import Any

import click

from brihaspati.entrypoints.cli import rush
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import CannotRun, Shop
from brihaspati.entrypoints.cli.simulator import Found, Lived, Simulator

BROKEN_SHOWN = 10
STUDENTS, STUDENTS_MAX, RUSH_STUDENTS = 20, 200, 5_000
SEEDS, MUTANT_SEEDS = 100, 300
WAYS = ("cloud", "mutants", "trace")
# What not every way listens to; "" is the way of seeds.
ONLY_FOR = {
    "accounts": ("cloud",),
    "concurrency": ("cloud",),
    "starting": ("cloud",),
    "seeds": ("", "trace", "mutants"),
    "store": ("", "trace"),
    "vices": ("", "trace"),
    "as_json": ("", "cloud", "mutants"),
}
FLAGS = {"vices": "--vice", "as_json": "--json"}


def _without_its_workers(command: Callable[..., int]) -> Callable[..., int]:
    """A command that says in one line that one of its processes was killed under it."""

    @functools.wraps(command)
    def watched(*given: Any, **named: Any) -> int:
        try:
            return command(*given, **named)
        except BrokenExecutor as error:
            why = "one of the processes that live the worlds was killed"
            raise CannotRun(f"{why}; if memory ran out, give fewer --students") from error

    return watched


@click.command()
@click.option("--seeds", type=click.IntRange(1), help="How many; 100, for each mutant 300.")
@click.option("--first", type=click.IntRange(0), help="The first seed; left out: by chance.")
@click.option("--students", type=click.IntRange(1, 20_000), help="In each world; 20, or 5000.")
@click.option("--store", type=click.Choice(["memory", "sqlite"]), help="memory, if left out.")
@click.option("--vice", "vices", multiple=True, help="Only these faults (`none`: none at all).")
@click.option("--mutants", is_flag=True, help="Break the engine on purpose; every break must show.")
@click.option("--cloud", is_flag=True, help="Everybody presses Play at once in the cloud mode.")
@click.option("--accounts", type=click.IntRange(1, 100), help="With --cloud: of a cloud.")
@click.option("--concurrency", type=click.IntRange(50), help="With --cloud: AWS's quota.")
@click.option("--starting", type=click.IntRange(1, 1000), help="With --cloud: creators at a time.")
@click.option("--trace", is_flag=True, help="Print all that happens in the first seed.")
@json_option
@click.pass_obj
@_without_its_workers
def simulate(shop: Shop, /, **given: Any) -> int:
    """Live a class in worlds where everything goes wrong, and check what is promised.

    Each seed is one world, the same again on every machine. Exit status 1 when a promise is broken.
    """
    simulator: Simulator = shop.simulator()
    way = _way(given)
    first = given["first"]
    if way == "cloud":
        rushing = {name: given[name] for name in ("accounts", "concurrency", "starting")}
        rushing |= {
            "students": given["students"] or RUSH_STUDENTS,
            "seed": 1 if first is None else first,
        }
        return rush.told(simulator, rushing, as_json=given["as_json"])
    given["students"] = given["students"] or STUDENTS
    if given["students"] > STUDENTS_MAX:
        raise ValueError(f"--students: at most {STUDENTS_MAX}; for more there is --cloud")
    if way == "mutants":
        seeds = given["seeds"] or MUTANT_SEEDS
        return _mutants(simulator, 1 if first is None else first, seeds, given)
    given["store"] = given["store"] or "memory"
    begin = secrets.randbelow(10**9) if first is None else first
    if way == "trace":
        lines = simulator.traced(begin, given["students"], given["store"], given["vices"])
        click.echo("\n".join(lines))
        return 0
    return _seeds(simulator, begin, given["seeds"] or SEEDS, given)


def _way(given: Mapping[str, Any]) -> str:
    """Which of the ways to simulate is wanted; "" for seeds. Raises ValueError for two at once."""
    ways = [way for way in WAYS if given[way]]
    if len(ways) > 1:
        raise ValueError(f"--{ways[0]} and --{ways[1]} are two ways to simulate; give one of them")
    way = ways[0] if ways else ""
    for option, owners in ONLY_FOR.items():
        if not given[option] or way in owners:
            continue
        flag = FLAGS.get(option, f"--{option}")
        if owners == ("cloud",):
            raise ValueError(f"{flag} is for --cloud")
        raise ValueError(f"{flag} does not go with --{way}; leave one of the two out")
    return way


def _seeds(simulator: Simulator, first: int, seeds: int, given: dict[str, Any]) -> int:
    struck: Counter[str] = Counter()
    broken: list[Lived] = []
    machines = simulated_ms = 0
    lived = simulator.histories(first, seeds, given["students"], given["store"], given["vices"])
    if not given["as_json"]:
        click.echo(f"seeds {first} to {first + seeds - 1}, {given['students']} students each")
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
        wanted = (given["students"], given["store"], given["vices"])
        click.echo("\n".join(simulator.shrunk(broken[0].seed, *wanted)))
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
    found: list[Found] = []
    with progress() as report:
        for one in simulator.mutants(first, seeds, given["students"]):
            found.append(one)
            report(f"{one.mutant}: {'survives' if one.seed is None else f'seed {one.seed}'}", None)
    value = [{"mutant": f.mutant, "seed": f.seed, "broken": f.broken} for f in found]
    rows = [(f.mutant, f.seed if f.seed is not None else "SURVIVES", f.broken) for f in found]
    survivors = sum(f.seed is None for f in found)

    def tell(console: Any) -> None:
        console.print(table(("break", "seed", "noticed by"), rows))
        console.print(f"{len(found)} breaks, {survivors} survive")

    say(value, as_json=given["as_json"], text=tell)
    return 1 if survivors else 0
