"""Commands of trainers: the board of a class, making a class, who is expected in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, TextIO

import click

from brihaspati.domain import rosters
from brihaspati.domain.attention import Need
from brihaspati.domain.classrooms import Classroom, name_of, shown
from brihaspati.engine.boards import Board, Row
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person
from brihaspati.engine.setups import Draft
from brihaspati.entrypoints.cli import spilling
from brihaspati.entrypoints.cli.amounts import Amount
from brihaspati.entrypoints.cli.printing import ago, json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import Shop

KEY_LETTERS = 16
MICROS = 1_000_000
SPILL = "PROVIDER[:SHARE%[:PRICE]]"
SPILL_HELP = "Where else, for a share of its labs, up to a price an hour; several, in order."


# --- the board -----------------------------------------------------------------------------------
@click.command()
@click.argument("class_id", metavar="CLASS", default="demo")
@json_option
@click.pass_obj
def board(shop: Shop, class_id: str, *, as_json: bool) -> None:
    """Show who is where in a class, who needs help, and what it costs."""
    with shop.engine() as engine:
        room = engine.classes.get(class_id)
        found, now = engine.boards.board(room), engine.world.clock.now()
        currency = engine.world.currency
    drawn = table(
        ("student", "lab", "phase", "steps", "needs", f"cost in {currency}"),
        [_cells(row, now) for row in found.students],
    )
    value = _said(found, room, currency)
    say(value, as_json=as_json, text=lambda out: out.print(drawn, _in_words(value["cost"])))


def _cells(row: Row, now: int) -> tuple[str, ...]:
    here = row.labs.get(row.lab or "")
    seat = row.person.seat
    return (
        row.person.name,
        row.lab or ("-" if seat is not None else "not here yet"),
        (here.phase or "-") if here is not None else "-",
        here.marks if here is not None else "-",
        _need(row.need, now),
        _money(sum(lab.micros for lab in row.labs.values())),
    )


def _need(need: Need | None, now: int) -> str:
    if need is None:
        return "-"
    words = f"{need.kind} for {ago(need.since, now)} in {need.lab}"
    return f"{words}: {need.text}" if need.text else words


def _said(found: Board, room: Classroom, currency: str) -> dict[str, Any]:
    return {
        "students": [_student(row) for row in found.students],
        "cost": {
            "so_far_micros": found.cost.so_far_micros,
            "hour_micros": found.cost.hour_micros,
            "budget_micros": room.budget_micros,
            "currency": currency,
        },
    }


def _student(row: Row) -> dict[str, Any]:
    seat, need = row.person.seat, row.need
    return {
        "id": seat.user if seat is not None else None,
        "name": row.person.name,
        "joined_at": seat.joined_at if seat is not None else None,
        "lab": row.lab,
        "need": None
        if need is None
        else {"kind": need.kind, "since": need.since, "lab": need.lab, "text": need.text},
        "labs": {
            name: {
                "phase": lab.phase,
                "step": lab.step,
                "marks": lab.marks,
                "deadline_at": lab.deadline_at,
                "micros": lab.micros,
                "reason": lab.reason,
            }
            for name, lab in row.labs.items()
        },
    }


def _in_words(cost: dict[str, Any]) -> str:
    budget = cost["budget_micros"]
    of = f" of {_money(budget)}" if budget is not None else ""
    hour = _money(cost["hour_micros"])
    return f"\n{_money(cost['so_far_micros'])}{of} {cost['currency']} so far, {hour} an hour now"


def _money(micros: int) -> str:
    hundredths = (micros + MICROS // 200) // (MICROS // 100)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


# --- classes -------------------------------------------------------------------------------------
@click.group("class")
def classroom() -> None:
    """Make classes, and say who is expected in them."""


@classroom.command()
@click.option("--title", required=True, help="What the class is about.")
@click.option("--lab", "labs", multiple=True, required=True, help="A lab; give it several times.")
@click.option("--opens", type=click.DateTime(), help="When it opens, as 2027-03-01T09:00:00 (now).")
@click.option("--hours", type=Amount(0, min_open=True), default=8, show_default=True)
@click.option("--seats", type=click.IntRange(1, 1000), default=30, show_default=True)
@click.option("--budget", type=Amount(0), help="The most it may cost.")
@click.option("--spill", "spills", multiple=True, metavar=SPILL, help=SPILL_HELP)
@click.option("--teacher", default="Trainer", show_default=True, help="Who teaches it.")
@json_option
@click.pass_obj
def create(
    shop: Shop, /, *, teacher: str, spills: tuple[str, ...], as_json: bool, **said: Any
) -> None:
    """Make a class and print its join code."""
    spill = spilling.read(spills)
    with progress() as report, shop.serving(report), shop.engine() as engine:
        name = name_of(teacher)
        who = f"instructor-{'-'.join(name.lower().split())}"
        person = engine.classes.ensure_person(Person(who, name, "instructor"))
        key = engine.world.chance.name(KEY_LETTERS)
        room = engine.setups.create(person, key, _draft(engine, spill=spill, **said)).room
    value = {
        "id": room.id,
        "title": room.title,
        "join_code": shown(room.code),
        "instructor": room.instructor,
        "labs": [lab for lab, _ in room.labs],
        "opens_at": room.opens_at,
        "closes_at": room.closes_at,
        "seats": room.seats,
    }
    text = f"{room.title}: {value['join_code']} (class {room.id}, taught by {room.instructor})"
    say(value, as_json=as_json, text=lambda out: out.print(text))


def _draft(
    engine: Engine, *, opens: datetime | None, hours: float, budget: float | None, **said: Any
) -> Draft:
    now = engine.world.clock.now()
    opens_at = round(opens.timestamp() * 1000) if opens is not None else now
    micros = round(budget * MICROS) if budget is not None else None
    closes_at = opens_at + round(hours * 3_600_000)
    return Draft(opens_at=opens_at, closes_at=closes_at, budget_micros=micros, **said)


@classroom.command("spill")
@click.argument("class_id", metavar="CLASS")
@click.option("--to", "spills", multiple=True, metavar=SPILL, help=SPILL_HELP)
@click.option("--none", "nowhere", is_flag=True, help="Only its own provider from now on.")
@json_option
@click.pass_obj
def spill_over(
    shop: Shop, class_id: str, spills: tuple[str, ...], *, nowhere: bool, as_json: bool
) -> None:
    """Print where else a class may have machines; with --to or --none, say it anew."""
    if spills and nowhere:
        raise click.UsageError("give --to or --none, not both")
    with shop.engine() as engine:
        found = engine.setups.read(class_id)
        if spills or nowhere:
            change = {"spill": spilling.read(spills)}
            found = engine.setups.change(class_id, found.version, change)
    room = found.room
    value = {"provider": room.provider, "spill": [asdict(one) for one in room.spill]}
    text = " then ".join([room.provider, *map(spilling.shown, room.spill)])
    say(value, as_json=as_json, text=lambda out: out.print(text))


@classroom.command()
@click.argument("class_id", metavar="CLASS")
@click.option(
    "--from", "file", type=click.File(encoding="utf-8-sig"), help="A CSV file; - is stdin."
)
@json_option
@click.pass_obj
def roster(shop: Shop, class_id: str, file: TextIO | None, *, as_json: bool) -> None:
    """Print who is expected and who came; with --from, expect those in a CSV file."""
    people = rosters.list_of(list(_lines(file))) if file is not None else None
    with shop.engine() as engine:
        room = engine.classes.get(class_id)
        if people is not None:
            engine.classes.rosters.expect(room.id, people)
        found = engine.classes.rosters.attending(room.id)
    value = [
        {
            "name": person.name,
            "email": person.email,
            "expected": person.expected,
            "joined_at": person.seat.joined_at if person.seat is not None else None,
        }
        for person in found
    ]
    rows = [(p.name, p.email or "-", "yes" if p.seat is not None else "no") for p in found]
    drawn = table(("name", "email", "here"), rows)
    say(value, as_json=as_json, text=lambda out: out.print(drawn))


def _lines(file: TextIO) -> Iterator[tuple[str, str | None]]:
    """Name and address of each line that has any; a header that says `name` is none."""
    for number, cells in enumerate(csv.reader(file)):
        if any(cells) and not (number == 0 and cells[0].strip().casefold() == "name"):
            yield cells[0], cells[1] if len(cells) > 1 else None
