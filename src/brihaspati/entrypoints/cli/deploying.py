"""`brihaspati --stage prod deploy check`: what is missing before a deployment."""

from __future__ import annotations

import click

from brihaspati.entrypoints.cli.printing import json_option, say, table
from brihaspati.entrypoints.cli.shop import Fact, Shop

WORDS = {"ok": "[green]ok[/]", "warn": "[yellow]mind[/]", "missing": "[red]missing[/]"}


@click.group()
def deploy() -> None:
    """Look at an account of AWS before something is deployed there."""


@deploy.command()
@json_option
@click.pass_obj
def check(shop: Shop, *, as_json: bool) -> int:
    """Say what is missing, and how to get it; status 1 while anything is."""
    found = shop.before_deploy()
    value = [{"name": f.name, "verdict": f.verdict, "text": f.text, "fix": f.fix} for f in found]
    drawn = table(("", "what", "found"), [(WORDS[f.verdict], f.name, _text(f)) for f in found])
    say(value, as_json=as_json, text=lambda out: out.print(drawn))
    return 1 if any(f.verdict == "missing" for f in found) else 0


def _text(fact: Fact) -> str:
    return f"{fact.text}\n  -> {fact.fix}" if fact.fix else fact.text
