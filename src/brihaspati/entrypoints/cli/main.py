"""`brihaspati`: every command. Bad input is one line and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from brihaspati import __version__
from brihaspati.domain.classrooms import BadField
from brihaspati.engine.problems import Problem
from brihaspati.entrypoints.cli import (
    audit,
    bench,
    cloudsim,
    cost,
    deploying,
    lab,
    lookups,
    play,
    queues,
    renting,
    running,
    simulate,
    teaching,
)
from brihaspati.entrypoints.cli.client import ClientError
from brihaspati.entrypoints.cli.shop import CannotRun, Shop

OpenShop = Callable[[Mapping[str, str]], Shop]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="brihaspati")
@click.option("--data", metavar="FOLDER", help="Data folder [BRIHASPATI_DATA].")
@click.option("--provider", help="Who runs labs [BRIHASPATI_PROVIDER].")
@click.option("--stage", help="A deployment on AWS, instead of this machine [BRIHASPATI_STAGE].")
@click.pass_context
def cli(context: click.Context, data: str | None, provider: str | None, stage: str | None) -> None:
    """A dedicated, ephemeral lab in the browser for every student of a class."""
    given = {
        "BRIHASPATI_DATA": data,
        "BRIHASPATI_PROVIDER": provider,
        "BRIHASPATI_STAGE": stage,
    }
    context.obj = context.obj({name: text for name, text in given.items() if text is not None})


for command in (
    running.up,
    running.doctor,
    play.play,
    lab.lab,
    running.stop,
    lookups.ps,
    lookups.alarms,
    lookups.classes,
    lookups.labs,
    teaching.board,
    teaching.classroom,
    running.sweep,
    running.sign_in,
    bench.bench,
    cost.cost,
    simulate.simulate,
    audit.audit,
    deploying.deploy,
    queues.queue,
    renting.provider,
    renting.image,
    renting.preflight,
    cloudsim.cloud_sim,
):
    cli.add_command(command)


def main(open_shop: OpenShop, arguments: list[str] | None = None) -> int:
    """Run one command; the exit status. 2 for bad input, 1 for work that failed."""
    try:
        status: Any = cli.main(
            args=arguments, prog_name="brihaspati", standalone_mode=False, obj=open_shop
        )
    except click.Abort as abort:
        # Click takes an EOFError for Ctrl-D. We ask nothing, so one is a fault, and must be seen.
        if isinstance(abort.__cause__, EOFError):
            raise abort.__cause__ from None
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")  # a page to read, not a line to grep
        return 2
    except click.ClickException as error:
        return _fault(error.format_message(), 2)
    except (Problem, BadField, ClientError, CannotRun, ValueError) as error:
        fix = getattr(error, "fix", None)
        return _fault(" ".join(filter(None, (str(error), fix))), 2)
    return status if isinstance(status, int) else 0


def _fault(text: str, status: int) -> int:
    sys.stderr.write(f"brihaspati: {' '.join(text.split())}\n")
    return status
