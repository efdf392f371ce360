"""Where else a class may have machines, as the command line writes it: `linode:50%:0.02`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from brihaspati.domain.classrooms import Spill

MICROS = 1_000_000
_FORM = re.compile(r"([a-z0-9-]+)(?::(\d{1,3})%?)?(?::(\d{1,6}(?:\.\d{1,6})?))?", re.ASCII)


def read(texts: Sequence[str]) -> tuple[Spill, ...]:
    """What was given, in its order. Raises click.UsageError."""
    return tuple(_one(text) for text in texts)


def _one(text: str) -> Spill:
    found = _FORM.fullmatch(text)
    if found is None:
        raise click.UsageError(
            f"{text!r} does not say where else; write linode, linode:50% or linode:50%:0.02"
        )
    name, share, price = found.groups()
    cap = round(float(price) * MICROS) if price is not None else None
    return Spill(name, int(share) if share is not None else 100, cap)


def shown(one: Spill) -> str:
    """In words."""
    words = [one.provider]
    if one.share_percent < 100:
        words.append(f"for at most {one.share_percent}%")
    if one.micros_per_hour_max is not None:
        words.append(f"up to {one.micros_per_hour_max / MICROS:g} an hour")
    return " ".join(words)
