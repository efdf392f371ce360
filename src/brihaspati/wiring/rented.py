"""Machines that are rented: the providers there is a token for."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from brihaspati.adapters import agentarchive, agentlink
from brihaspati.adapters.rented import duties
from brihaspati.adapters.rented.rental import Rental
from brihaspati.domain import rentable
from brihaspati.domain.boot import Boot
from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Standing
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.shop import CannotRun
from brihaspati.entrypoints.server import relaying
from brihaspati.settings import Settings, SettingsError
from brihaspati.wiring import agents, booting


@dataclass(frozen=True, slots=True)
class Renting:
    """What goes with rented machines: what they boot with and run, and how they are asked."""

    boot: Boot
    archive: agentarchive.Archive
    agents: agentlink.AgentLink
    tls: ssl.SSLContext | None

    def way(self, engine: Engine) -> relaying.Way:
        """To the machines, for whoever is brought there through us."""
        return relaying.Way(engine.machines.door, self.tls)

    def serve(self, engine: Engine) -> None:
        """From now on there is an engine that knows the machines."""
        agents.serve(self.agents, engine.machines)


def renting(chosen: Settings) -> Renting:
    """All of that. Raises CannotRun when machines would not find us."""
    archive = agentarchive.build()
    try:
        boot = booting.boot(chosen, archive.sha256)
        tls = booting.tls(chosen)
    except SettingsError as error:
        raise CannotRun(str(error)) from error
    return Renting(boot, archive, agentlink.AgentLink(tls), tls)


def can_rent(lab: Lab) -> bool:
    """Whether rented machines of any cloud can run a lab."""
    return rentable.why_not(lab) is None


def standings(
    found: Mapping[str, Rental], issuer: str | None
) -> dict[str, Callable[[Lab], Standing]]:
    """How to ask each provider what it has for a lab; `issuer` certifies its machines."""

    def ask(one: Rental, lab: Lab) -> Standing:
        return replace(duties.standing(one, lab), issuer=issuer or "")

    return {name: functools.partial(ask, one) for name, one in found.items()}
