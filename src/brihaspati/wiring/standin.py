"""Starts the stand-in for the clouds. It knows nothing of us; we only hand over options."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from brihaspati.entrypoints.cli.shop import CannotRun, StandIn, StandInOptions


@contextlib.contextmanager
def serving(wanted: StandInOptions) -> Iterator[StandIn]:
    """Serve it until the block ends.

    Raises:
        CannotRun: it needs a package for developers.
        OSError: the port is taken.
    """
    try:
        from brihaspati_cloudsim import agenda, running, server, world  # noqa: PLC0415
        from brihaspati_cloudsim.machines.pool import CannotRunMachines  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CannotRun(f"{error.name} is not installed; `make install-dev` does.") from error
    clouds = world.World(agenda.real_clock(wanted.speed), wanted.seed)
    tokens = clouds.add_usual_tokens()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(running.bodies(clouds, wanted.machines))
        except CannotRunMachines as why:
            raise CannotRun(str(why)) from why
        address = stack.enter_context(server.serving(clouds, wanted.port, wanted.speed))
        addresses = {"digitalocean": address.digitalocean, "linode": address.linode}
        yield StandIn(addresses, tokens, f"{address.root}/_sim/ledger")
