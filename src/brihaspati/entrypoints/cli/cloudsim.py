"""`brihaspati cloud-sim`: both clouds on this machine, for trying and for tests."""

from __future__ import annotations

import signal
import threading
from typing import Any

import click

from brihaspati.entrypoints.cli.amounts import Amount
from brihaspati.entrypoints.cli.shop import CannotRun, Shop, StandIn, StandInOptions

PORT = 8600


@click.command("cloud-sim")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--speed", type=Amount(0.1, 1000), default=1.0, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--machines",
    type=click.Choice(["none", "light", "cloud-init"]),
    default="none",
    show_default=True,
    help="Whether servers run, and what reads their user data (as root).",
)
@click.pass_obj
def cloud_sim(shop: Shop, /, **given: Any) -> None:
    """Stand in for DigitalOcean and Linode: their APIs on this machine, until Ctrl-C.

    Nothing is rented and nothing costs money. `--speed 10` lets their clock run ten times as fast.
    """
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        with shop.stand_in(StandInOptions(**given)) as found:
            _greet(found)
            while not ended.wait(3600):
                pass
    except KeyboardInterrupt:
        click.echo()
    except OSError as error:
        raise CannotRun(f"{error}. Another --port is free, perhaps.") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _greet(found: StandIn) -> None:
    for name, address in found.addresses.items():
        prefix = name.upper()
        click.echo(f"export {prefix}_API_URL={address} {prefix}_TOKEN={found.tokens[name]}")
    click.echo(f"# truth and faults: {found.control}; Ctrl-C ends it", err=True)
