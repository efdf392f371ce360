"""Commands that act: up, doctor, stop, sweep, sign-in."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

import click
from rich.console import Console

from brihaspati.domain import access
from brihaspati.domain.classrooms import name_of
from brihaspati.engine.engine import Engine
from brihaspati.engine.records import Person, Record
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import CannotRun, Report, Shop

STOP_SECONDS_MAX = 30
MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "missing": "[red]missing[/]"}


@click.command()
@click.pass_obj
def up(shop: Shop) -> None:
    """Run the product on this machine, until Ctrl-C."""
    with progress() as report:

        def ready(text: str) -> None:
            report("ready", 1.0)
            click.echo(text)

        shop.up(report, ready)


@click.command()
@json_option
@click.pass_obj
def doctor(shop: Shop, *, as_json: bool) -> int:
    """Say what this host can do, how isolated labs are on it, and what to install."""
    report = shop.report()
    facts = [
        {"name": f.name, "verdict": f.verdict, "text": f.text, "fix": f.fix} for f in report.facts
    ]
    value = {"facts": facts, "provider": report.provider, "isolation": report.isolation}
    say(value, as_json=as_json, text=lambda out: _print_report(report, out))
    return 1 if any(f.verdict == "missing" for f in report.facts) else 0


def _print_report(report: Report, out: Console) -> None:
    rows = [(MARKS[f.verdict], f.name, f.text + _fix(f.fix)) for f in report.facts]
    out.print(table(("", "what", "found"), rows))
    out.print(f"\nLabs run by: [bold]{report.provider}[/]\nIsolation:   {report.isolation}")


def _fix(fix: str | None) -> str:
    return f"\n  -> {fix}" if fix else ""


@click.command()
@click.argument("what", metavar="LAB|SANDBOX", required=False)
@click.option("--all", "everything", is_flag=True, help="Stop every sandbox of every class.")
@json_option
@click.pass_obj
def stop(shop: Shop, what: str | None, *, everything: bool, as_json: bool) -> None:
    """Stop sandboxes, by id or lab, and wait until they are verified gone."""
    if (what is None) != everything:
        raise click.UsageError("name a lab or a sandbox, or give --all")
    with progress() as report, shop.serving(report), shop.engine() as engine:
        chosen = [r for r in engine.reading.running() if everything or _is(r, what)]
        if not chosen and not everything:
            raise CannotRun(f"nothing called {what!r} is running; see brihaspati ps")
        for record in chosen:
            engine.playing.stop(record.sandbox.slot, "ended_by_trainer")
        gone = [_wait_gone(engine, record) for record in chosen]
    say({"stopped": gone}, as_json=as_json, text=lambda out: out.print(f"{len(gone)} stopped"))


def _is(record: Record, what: str | None) -> bool:
    return what in (record.sandbox.id, record.sandbox.slot.lab)


def _wait_gone(engine: Engine, record: Record) -> str:
    """Look until the sandbox is at rest, or was replaced. Raises CannotRun."""
    end = time.monotonic() + STOP_SECONDS_MAX
    while time.monotonic() < end:
        now = engine.worker.load(record.sandbox.slot)
        if now is None or now.sandbox.id != record.sandbox.id or now.sandbox.at_rest:
            return record.sandbox.id
        time.sleep(0.05)
    raise CannotRun(f"{record.sandbox.id} is not gone after {STOP_SECONDS_MAX} s; it is retried")


@click.command()
@json_option
@click.pass_obj
def sweep(shop: Shop, *, as_json: bool) -> None:
    """Compare what runs with what should, once. A stray is deleted when seen twice."""
    with progress() as report, shop.serving(report), shop.engine() as engine:
        found = engine.sweeping.sweep()
    text = f"{found.looked_at} looked at, {found.lost} lost, {found.strays} strays deleted"
    say(asdict(found), as_json=as_json, text=lambda out: out.print(text))


@click.command("sign-in")
@click.option("--name", default="Trainer", show_default=True, help="Whose link this is.")
@click.option("--role", type=click.Choice(["instructor", "admin"]), default="admin")
@click.option("--class", "class_id", help="Make them the instructor of this class.")
@json_option
@click.pass_obj
def sign_in(
    shop: Shop, name: str, role: access.Role, class_id: str | None, *, as_json: bool
) -> None:
    """Print a one-time address that signs a trainer or an admin in."""
    with progress() as report, shop.serving(report) as serving, shop.engine() as engine:
        shown_name = name_of(name)
        who = f"{role}-{'-'.join(shown_name.lower().split())}"
        person = engine.classes.ensure_person(Person(who, shown_name, role))
        if class_id is not None:
            room = engine.classes.get(class_id)
            engine.classes.instruct(replace(room, instructor=shown_name), person)
        token, expires_at = engine.classes.invite(person)
    url = f"{serving.address}/sign-in#{token}"
    value = {"url": url, "expires_at": expires_at, "user": person.id}
    say(value, as_json=as_json, text=lambda out: out.print(f"{url}\n(works once, 15 minutes)"))
