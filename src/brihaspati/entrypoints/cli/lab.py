"""`brihaspati lab new|validate|publish|preview|test`: what the author of a lab needs."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from brihaspati.domain import rentable
from brihaspati.domain.labs import Lab
from brihaspati.entrypoints.cli import lab_preview, lab_scaffold, lab_trial
from brihaspati.entrypoints.cli.lab_trial import LabReport
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import CannotRun, Fault, Shop

Found = tuple[Path, Lab | None, Sequence[Fault]]

folders_argument = click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)


@click.group()
def lab() -> None:
    """Write labs: make a folder, see what is wrong with it, try it, prove that it works."""


@lab.command()
@click.argument("name")
@click.option(
    "--in",
    "where",
    metavar="FOLDER",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where to make it.",
)
@json_option
@click.pass_obj
def new(shop: Shop, name: str, where: Path, *, as_json: bool) -> None:
    """Make the folder of a new lab: small, complete, and ready to be changed."""
    folder = lab_scaffold.make(where, name)
    _, faults = shop.lab(folder)
    assert not faults, faults
    text = (
        f"{folder} is made. Read {folder}/lab.yaml, then:\n"
        f"  brihaspati lab preview {folder}    look at it in the browser while you write\n"
        f"  brihaspati lab test {folder}       prove that its checks and solutions work"
    )
    say({"folder": str(folder)}, as_json=as_json, text=lambda _: click.echo(text))


@lab.command()
@folders_argument
@json_option
@click.pass_obj
def validate(shop: Shop, folders: Sequence[Path], *, as_json: bool) -> int:
    """Read lab folders and name every fault with its file and line. Exits with 2 if there is one.

    Several folders may be given, as in labs/*.
    """
    found = [(folder, *shop.lab(folder)) for folder in folders]
    value = [
        {"folder": str(folder), "ok": read is not None, "faults": [_plain(f) for f in faults]}
        for folder, read, faults in found
    ]
    say(value, as_json=as_json, text=lambda out: _print_read(out, found))
    return 2 if any(read is None for _, read, _ in found) else 0


def _plain(fault: Fault) -> dict[str, Any]:
    return {"file": fault.file, "line": fault.line, "message": fault.message, "fix": fault.fix}


def _print_read(out: Console, found: Sequence[Found]) -> None:
    for folder, read, faults in found:
        for fault in faults:
            out.print(str(fault), markup=False, soft_wrap=True)
        if read is not None:
            out.print(f"{folder}: {_summary(read)}", markup=False, soft_wrap=True)


def _summary(read: Lab) -> str:
    counts = (
        (len(read.machines), "machine"),
        (len(read.steps), "step"),
        (sum(len(step.checks) for step in read.steps), "check"),
        (sum(len(step.hints) for step in read.steps), "hint"),
        (sum(len(step.quiz) for step in read.steps), "question"),
    )
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


@lab.command()
@folders_argument
@json_option
@click.pass_obj
def publish(shop: Shop, folders: Sequence[Path], *, as_json: bool) -> int:
    """Offer labs to the new classes of a deployment on AWS, which --stage names.

    Classes keep the versions they have until their trainer saves their labs again. Nothing is
    published while there is a fault in any of the folders, as in labs/*.
    """
    found = [(folder, *shop.lab(folder)) for folder in folders]
    read = [lab for _, lab, _ in found if lab is not None]
    if len(read) < len(found):
        _print_read(Console(stderr=True, highlight=False), [one for one in found if one[1] is None])
        return 2
    with progress() as report:
        left_out = shop.publish(read, report)
    published = [lab for lab in read if lab.name not in left_out]
    value = {
        "published": [{"name": lab.name, "version": lab.version} for lab in published],
        "left_out": list(left_out),
    }
    lines = [f"{lab.name}: published as {lab.version}" for lab in published]
    lines += [f"{one.name}: left out. {_why(one)}" for one in read if one.name in left_out]
    say(value, as_json=as_json, text=lambda out: out.print("\n".join(lines), markup=False))
    return 0 if published else 2


def _why(lab: Lab) -> str:
    problem = rentable.why_not(lab)
    return f"{problem} {problem.fix}" if problem is not None else ""


@lab.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def preview(shop: Shop, folder: Path) -> int:
    """Serve one lab alone, and publish it anew whenever its folder changes, until Ctrl-C."""
    _end_in_order()
    seen = lab_preview.stamps(folder)
    read, faults = shop.lab(folder)
    if read is None:
        for fault in faults:
            click.echo(str(fault))
        return 2
    try:
        with progress() as report, shop.studio([read], report) as studio:
            report("watching for changes", None)
            click.echo(lab_preview.greeting(studio, read))
            lab_preview.follow(shop, studio, folder, (seen, read.version))
    except KeyboardInterrupt:
        click.echo("The preview has ended; its labs are deleted.")
    return 0


@lab.command()
@folders_argument
@json_option
@click.pass_obj
def test(shop: Shop, folders: Sequence[Path], *, as_json: bool) -> int:
    """Prove that labs work: every check fails before its solution and passes after it.

    Each lab gets a fresh sandbox; nothing of it stays. Several folders may be given, as in labs/*.
    """
    _end_in_order()
    for folder in folders:
        if not folder.is_dir():
            raise CannotRun(f"{folder} is no folder; name folders that hold a lab.yaml, as labs/*")
    found = [(folder, *shop.lab(folder)) for folder in folders]
    good = [read for _, read, _ in found if read is not None]
    names = [read.name for read in good]
    if len(set(names)) < len(names):
        raise CannotRun("two of the folders hold labs of the same name; test one after the other")
    with progress() as report:
        tried = lab_trial.try_labs(shop, good, report) if good else {}
    reports = [
        tried[read.name] if read is not None else LabReport(folder.name, _lines(faults))
        for folder, read, faults in found
    ]
    ok = all(report.ok for report in reports)
    value = {"ok": ok, "labs": [report.as_json() for report in reports]}
    say(value, as_json=as_json, text=lambda out: _print_trials(out, reports))
    return 0 if ok else 1


def _end_in_order() -> None:
    """Told to end, a command clears its labs away as it does on Ctrl-C."""
    # Ctrl-C too: whoever starts us in the background may have it ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def _lines(faults: Sequence[Fault]) -> tuple[str, ...]:
    return tuple(str(fault) for fault in faults)


def _print_trials(out: Console, reports: Sequence[LabReport]) -> None:
    rows = [row for report in reports for row in _rows(report)]
    out.print(table(("", "lab", "step", "tried", "s"), rows))
    for report in reports:
        for fault in report.every_fault():
            out.print(f"\n{fault}", markup=False, soft_wrap=True)
    failed = [report.lab for report in reports if not report.ok]
    total = sum(report.seconds for report in reports)
    verdict = f"[red]failed: {', '.join(failed)}[/]" if failed else "[green]all passed[/]"
    out.print(f"\n{len(reports)} labs, {total:.1f} s: {verdict}")


def _rows(report: LabReport) -> list[tuple[object, ...]]:
    lines: list[tuple[object, ...]] = [
        (_mark(ok=not report.faults), report.lab, "", report.started(), f"{report.ready:.1f}")
    ]
    lines += [
        (_mark(ok=not step.faults), "", step.id, step.tried(), f"{step.seconds:.1f}")
        for step in report.steps
    ]
    return lines


def _mark(*, ok: bool) -> str:
    return "[green]ok[/]" if ok else "[red]FAILED[/]"
