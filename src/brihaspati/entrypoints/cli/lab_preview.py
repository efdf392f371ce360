"""A lab on a server of its own that follows what its author writes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from brihaspati.domain.labs import Lab
from brihaspati.entrypoints.cli.shop import CannotRun, Shop, Studio

LOOK_SECONDS = 0.5
FILES_MAX = 5000

Stamp = tuple[int, int]


def greeting(studio: Studio, lab: Lab) -> str:
    """Where to look at the lab."""
    return (
        f"\n  {lab.title}:  {studio.address}/join/{studio.code}\n"
        f"  Save a file, and the lab is published anew. Ctrl-C ends the preview.\n"
    )


def stamps(folder: Path) -> dict[str, Stamp]:
    """Every file below a folder, and what changes when it is written."""
    found: dict[str, Stamp] = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where) / name
            try:
                status = path.stat()
            except OSError:
                continue  # it went between the look and the question
            found[str(path.relative_to(folder))] = (status.st_mtime_ns, status.st_size)
        if len(found) > FILES_MAX:
            break
    return found


def changed(before: dict[str, Stamp], after: dict[str, Stamp]) -> list[str]:
    """The files that are new, gone or written."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def follow(shop: Shop, studio: Studio, folder: Path, known: tuple[dict[str, Stamp], str]) -> None:
    """Publish the lab anew whenever the folder changes, until interrupted.

    `known`: the files as they were just before the version that is offered was read.
    """
    seen, version = known
    while True:
        time.sleep(LOOK_SECONDS)
        now = stamps(folder)
        if now != seen:
            names, seen = changed(seen, now), now
            version = _publish(shop, studio, folder, version, names)


def _publish(shop: Shop, studio: Studio, folder: Path, version: str, names: list[str]) -> str:
    """Offer the lab as it is now, and say so; the version that is offered after that."""
    click.echo(f"changed: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}")
    lab, faults = shop.lab(folder)
    for fault in faults:
        click.echo(f"  {fault}")
    if lab is None:
        click.echo("  The version before this stays until it is mended.")
        return version
    if lab.version == version:
        click.echo("  The lab is the same as before.")
        return version
    try:
        studio.publish(lab)
    except CannotRun as problem:
        click.echo(f"  {problem}")
        return version
    click.echo("  Published. A lab that runs keeps its version: press Stop, then Play.")
    return lab.version
