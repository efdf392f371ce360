"""Commands about rented machines: a trial, stop everything, images, a look before a class."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.console import Console

from brihaspati.domain import bakery
from brihaspati.domain.labs import Lab
from brihaspati.engine.preflight import Looked
from brihaspati.entrypoints.cli.printing import json_option, say, table
from brihaspati.entrypoints.cli.shop import Shop

MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "missing": "[red]missing[/]"}
CLOUDS = click.Choice(["digitalocean", "linode"])


@click.group()
def provider() -> None:
    """Try an account of a cloud, or stop everything in it."""


@provider.command()
@click.argument("cloud", type=CLOUDS)
@click.option("--yes", is_flag=True, help="Do not ask whether to spend the money.")
@click.pass_obj
def smoke(shop: Shop, cloud: str, *, yes: bool) -> None:
    """Rent one machine in a real account, see it run, give it back, see it gone."""
    renter = shop.renter(cloud)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is here to be asked; give --yes to spend the money")
        click.confirm(f"This rents one machine at {cloud}: {renter.cost()}. Go on?", abort=True)
    with shop.engine() as engine:
        click.echo(renter.smoke(engine))


@provider.command("stop-all")
@click.argument("cloud", type=CLOUDS)
@click.option("--env", "env", required=True, help="The environment, as in BRIHASPATI_ENV.")
@click.option("--confirm", metavar="NAME", help="The environment once more, instead of typing it.")
@click.pass_obj
def stop_all(shop: Shop, cloud: str, env: str, confirm: str | None) -> None:
    """Delete every machine of an environment, whatever the store says. For emergencies."""
    renter = shop.renter(cloud, env)
    there = renter.there()
    click.echo(f"{len(there)} machines tagged bh-{env} at {cloud}: {', '.join(there) or 'none'}")
    typed = confirm or click.prompt(
        f"Type {env} to delete them all", default="", show_default=False
    )
    if typed != env:
        raise click.UsageError(f"{typed!r} is not {env!r}; nothing was deleted")
    click.echo(f"{renter.stop_all()} deleted and verified gone")


@click.group()
def image() -> None:
    """Images of rented machines, with the setup of a lab already done."""


@image.command()
@click.argument("lab")
@click.option("--cloud", type=CLOUDS, help="Where; the cloud of BRIHASPATI_PROVIDER if left out.")
@click.pass_obj
def bake(shop: Shop, lab: str, cloud: str | None) -> None:
    """Make a snapshot of a lab's machine for every region, and delete the lab's old ones."""
    renter = shop.renter(cloud)
    with shop.engine() as engine:
        known = {one.name: one for one in engine.classes.catalogue()}
        if lab not in known:
            there = ", ".join(known) or "none yet: brihaspati up publishes those of its folder"
            raise click.UsageError(f"no lab {lab!r} is published; there are {there}")
        if not any(bakery.can_bake(spec) for spec in known[lab].machines):
            raise click.UsageError(_why_not(known[lab]))
        names = renter.bake(engine, known[lab])
    for name in names:
        click.echo(name)


def _why_not(lab: Lab) -> str:
    """Why there is nothing to bake, and what its author can do."""
    if not bakery.unbaked(lab):
        return f"{lab.name} has no setup: every machine of it starts as fast as it can"
    return (
        f"{lab.name} does not say that its setup may be baked: write `bake: true` beside `setup` in"
        " its lab.yaml, if it leaves nothing running and makes no secret of one student"
    )


@click.command()
@click.argument("class_id", metavar="CLASS")
@json_option
@click.pass_obj
def preflight(shop: Shop, class_id: str, *, as_json: bool) -> int:
    """Say days before a class whether the clouds can have its machines, and what to ask them."""
    with shop.engine() as engine:
        found = engine.preflight.look(engine.classes.get(class_id))
    value = {"looked": [asdict(one) for one in found]}
    say(value, as_json=as_json, text=lambda out: _print(found, out))
    verdicts = {finding.verdict for one in found for finding in one.findings}
    return 1 if "missing" in verdicts else 0


def _print(found: Sequence[Looked], out: Console) -> None:
    if not found:
        out.print("This class rents no machines: nothing to ask a cloud for.")
    for one in found:
        rows = [
            (MARKS[f.verdict], f.name, f.text + (f"\n-> {f.fix}" if f.fix else ""))
            for f in one.findings
        ]
        out.print(f"[bold]{one.lab}[/] at [bold]{one.provider}[/]")
        out.print(table(("", "what", "found"), rows))
        for finding in one.findings:
            if finding.letter is not None:
                out.print(f"\nTo send to {one.provider}:\n\n{finding.letter}\n", markup=False)
