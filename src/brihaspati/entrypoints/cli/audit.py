"""`brihaspati audit`: the scrub record, to take away and to check.

The file has one entry a line as JSON, and a last line with how many there are and their seal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, TextIO

import click
from pydantic import TypeAdapter

from brihaspati.domain import scrubs
from brihaspati.domain.scrubs import Entry
from brihaspati.engine.engine import Engine
from brihaspati.engine.scrubbing import NO_CLASS
from brihaspati.entrypoints.cli.printing import json_option, say
from brihaspati.entrypoints.cli.shop import Shop

_ENTRY = TypeAdapter(Entry)
FAULTS_SHOWN = 20


@click.group()
def audit() -> None:
    """What was made, and how each machine's end was made sure of."""


@audit.command()
@click.option("--class", "class_id", help="Only this class [all].")
@click.pass_obj
def export(shop: Shop, class_id: str | None) -> None:
    """Print the scrub record, one JSON entry a line, with a seal as the last."""
    with shop.engine() as engine:
        entries = list(_entries(engine, class_id))
    for entry in entries:
        click.echo(json.dumps(asdict(entry), ensure_ascii=False))
    click.echo(json.dumps({"entries": len(entries), "seal": scrubs.seal_of(entries)}))


@audit.command()
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"), required=False)
@click.option("--seal", help="The seal kept elsewhere: none was cut off or added since.")
@json_option
@click.pass_obj
def verify(shop: Shop, file: TextIO | None, seal: str | None, *, as_json: bool) -> int:
    """Check that every chain of an exported FILE (or of the stored data) holds.

    Exit status 1 when an entry was changed, is missing, or does not follow the one before.
    """
    if file is None:
        with shop.engine() as engine:
            entries = list(_entries(engine, None))
        found: list[str] = []
    else:
        entries, found = _read(file)
    chains = scrubs.chains(entries)
    found += [fault for chain in chains.values() for fault in scrubs.faults(chain)]
    if seal is not None and seal != scrubs.seal_of(entries):
        found.append("the seal is another: entries were added, cut off or put in another order")
    value = {
        "sandboxes": len(chains),
        "machines": len(entries),
        "micros": sum(entry.cost_micros for entry in entries),
        "faults": found,
        "seal": scrubs.seal_of(entries),
    }
    say(value, as_json=as_json, text=lambda console: _tell(console, value))
    return 1 if found else 0


def _tell(console: Any, value: dict[str, Any]) -> None:
    for fault in value["faults"][:FAULTS_SHOWN]:
        console.print(fault)
    verdict = f"{len(value['faults'])} faults" if value["faults"] else "every chain holds"
    console.print(f"{value['sandboxes']} sandboxes, {value['machines']} machines: {verdict}")
    console.print(f"seal {value['seal']}")


def _entries(engine: Engine, class_id: str | None) -> Iterator[Entry]:
    """Every entry of one class, or of all. Raises Problem for a class that is not there."""
    if class_id not in (None, NO_CLASS):
        engine.classes.get(class_id)
    classes = [class_id] if class_id else [*(room.id for room in engine.classes.all()), NO_CLASS]
    for one in classes:
        yield from engine.scrubbing.of_class(one)


def _read(file: TextIO) -> tuple[list[Entry], list[str]]:
    """The entries of an exported file, and what is wrong with the file itself."""
    entries: list[Entry] = []
    last: dict[str, Any] | None = None
    for number, line in enumerate(file, 1):
        if last is not None:
            raise click.ClickException(f"line {number}: nothing may follow the seal")
        try:
            value = json.loads(line)
            if isinstance(value, dict) and "seal" in value:
                last = value
            else:
                entries.append(_entry(value))
        except (ValueError, RecursionError):
            raise click.ClickException(
                f"line {number} of {file.name} is no entry of a scrub record; export it anew"
            ) from None
    return entries, _sealed(entries, last)


def _entry(value: Any) -> Entry:
    """What an export says, and nothing besides, which no digest would cover. Raises ValueError."""
    entry = _ENTRY.validate_python(value)
    if asdict(entry) != value:
        raise ValueError("there is more in it than an entry has")
    return entry


def _sealed(entries: Sequence[Entry], last: dict[str, Any] | None) -> list[str]:
    if last is None:
        return ["the seal at the end is missing: the file was cut off"]
    if last.get("entries") != len(entries) or last["seal"] != scrubs.seal_of(entries):
        return ["the seal at the end does not fit the entries"]
    return []
