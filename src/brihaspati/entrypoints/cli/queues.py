"""`brihaspati queue dead|redrive`: messages that failed too often, and another try for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from brihaspati import ports
from brihaspati.entrypoints.cli.printing import json_option, progress, say, table
from brihaspati.entrypoints.cli.shop import CannotRun, Progress, Shop

SHOWN_MAX = 100
AT_ONCE = 10


@click.group()
def queue() -> None:
    """Look at messages that failed too often, and have them tried again."""


@queue.command()
@json_option
@click.pass_obj
def dead(shop: Shop, *, as_json: bool) -> None:
    """List the dead letters of every queue, up to 100 of each."""
    with shop.queues() as queues:
        found = [
            {"queue": name, "topic": one.message.topic, "body": one.message.body}
            for name, one in ((n, one) for n, q in queues.items() for one in q.dead(SHOWN_MAX))
        ]
    rows = [(one["queue"], one["topic"], _body(one["body"])) for one in found]
    drawn = table(("queue", "topic", "about"), rows)
    say(found, as_json=as_json, text=lambda out: out.print(drawn if rows else "none are dead"))


def _body(body: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in body.items())


@queue.command()
@click.argument("names", metavar="[QUEUE]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@json_option
@click.pass_obj
def redrive(shop: Shop, names: Sequence[str], limit: int, *, as_json: bool) -> None:
    """Put dead letters back on their queues, the oldest first; mend why they failed before.

    At most --limit of each queue, so that one which fails again does not go round for ever.
    """
    with progress() as report, shop.queues() as queues:
        moved = {
            name: _redriven(name, one, limit, report)
            for name, one in _chosen(queues, names).items()
        }
    lines = [f"{name}: {count} put back" for name, count in moved.items()]
    say(moved, as_json=as_json, text=lambda out: out.print("\n".join(lines)))


def _chosen(queues: Mapping[str, ports.Queue], names: Sequence[str]) -> Mapping[str, ports.Queue]:
    unknown = [name for name in names if name not in queues]
    if unknown:
        raise CannotRun(f"there is no queue {unknown[0]!r}; there are {', '.join(queues)}")
    return {name: one for name, one in queues.items() if not names or name in names}


def _redriven(name: str, one: ports.Queue, limit: int, report: Progress) -> int:
    """How many were put back; each is on its queue before it is forgotten among the dead."""
    count = 0
    while count < limit and (found := one.dead(min(AT_ONCE, limit - count))):
        for taken in found:
            one.again(taken, delay_seconds=0)
        count += len(found)
        report(f"{name}: {count} put back", None)
    return count
