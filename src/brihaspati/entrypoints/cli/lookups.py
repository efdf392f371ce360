"""Commands that only look: ps, alarms, classes, labs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from brihaspati.domain.classrooms import shown
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.engine.engine import Engine
from brihaspati.engine.problems import Problem
from brihaspati.entrypoints.cli.printing import ago, json_option, say, table
from brihaspati.entrypoints.cli.shop import Shop

DAY_MS = 24 * 3_600_000


@click.command()
@json_option
@click.pass_obj
def ps(shop: Shop, *, as_json: bool) -> None:
    """List every sandbox that is not deleted yet."""
    with shop.engine() as engine:
        now = engine.world.clock.now()
        found = [_row(engine, record.sandbox) for record in engine.reading.running()]
    rows = [
        (
            row["sandbox"],
            row["student"],
            row["lab"],
            row["phase"],
            ago(row["asked_at"], now),
            ", ".join(row["machines"]),
        )
        for row in found
    ]
    columns = ("sandbox", "student", "lab", "phase", "age", "machines")
    say(found, as_json=as_json, text=lambda out: out.print(table(columns, rows)))


def _row(engine: Engine, sandbox: Sandbox) -> dict[str, Any]:
    return {
        "sandbox": sandbox.id,
        "class": sandbox.slot.class_id,
        "student": _name(engine, sandbox.slot.user),
        "lab": sandbox.slot.lab,
        "phase": sandbox.phase,
        "asked_at": sandbox.asked_at,
        "deadline_at": sandbox.deadline_at,
        "machines": [m.label for m in sandbox.machines if m.state != "gone"],
    }


def _name(engine: Engine, user: str | None) -> str:
    if user is None:
        return "(pool)"
    try:
        return engine.classes.person(user).name
    except Problem:
        return user


@click.command()
@click.option("--days", type=click.IntRange(1, 60), default=7, show_default=True, help="How far.")
@json_option
@click.pass_obj
def alarms(shop: Shop, days: int, *, as_json: bool) -> int:
    """List what should not have happened with rented machines; exit status 1 if anything did."""
    with shop.engine() as engine:
        now = engine.world.clock.now()
        found = engine.alarms.all(since=now - days * DAY_MS)
    rows = [(ago(one.at, now), one.label, one.what, one.text, one.source) for one in found]
    columns = ("ago", "machine", "what", "said", "from")
    value = [asdict(one) for one in found]
    say(value, as_json=as_json, text=lambda out: out.print(table(columns, rows)))
    return 1 if found else 0


@click.command()
@json_option
@click.pass_obj
def classes(shop: Shop, *, as_json: bool) -> None:
    """List the classes with their join codes."""
    with shop.engine() as engine:
        now = engine.world.clock.now()
        found = [
            {
                "id": room.id,
                "title": room.title,
                "state": room.state(now),
                "join_code": shown(room.code),
                "seats": room.seats,
                "seats_taken": len(engine.classes.roster(room.id)),
                "labs": [name for name, _ in room.labs],
                "provider": room.provider,
                "pool": room.pool,
            }
            for room in engine.classes.all()
        ]
    rows = [
        (c["id"], c["title"], c["state"], c["join_code"], f"{c['seats_taken']} of {c['seats']}")
        for c in found
    ]
    columns = ("class", "title", "state", "code", "seats")
    say(found, as_json=as_json, text=lambda out: out.print(table(columns, rows)))


@click.command()
@json_option
@click.pass_obj
def labs(shop: Shop, *, as_json: bool) -> None:
    """List the labs of each class, with the version it delivers."""
    with shop.engine() as engine:
        found: list[dict[str, Any]] = [
            {
                "class": room.id,
                "lab": lab.name,
                "title": lab.title,
                "version": lab.version,
                "machines": [spec.name for spec in lab.machines],
                "steps": len(lab.steps),
                "lifetime_minutes": lab.lifetime_minutes,
            }
            for room in engine.classes.all()
            for lab in (engine.classes.lab(name, version) for name, version in room.labs)
        ]
    rows = [
        (x["class"], x["lab"], x["title"], x["steps"], len(x["machines"]), x["version"])
        for x in found
    ]
    columns = ("class", "lab", "title", "steps", "machines", "version")
    say(found, as_json=as_json, text=lambda out: out.print(table(columns, rows)))
