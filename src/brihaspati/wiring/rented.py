"""Machines that are rented: the providers there is a token for."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brihaspati.adapters import agentarchive, agentlink
from brihaspati.adapters.rented import duties, rental
from brihaspati.adapters.rented.rental import Rental
from brihaspati.adapters.rented.shapes import Cloud
from brihaspati.domain.boot import Boot
from brihaspati.domain.labs import Lab
from brihaspati.domain.preflight import Standing
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.shop import CannotRun
from brihaspati.settings import CloudSettings, Settings


def providers(chosen: Settings) -> dict[str, Rental]:
    """One for each region of each cloud: the usual region under the cloud's own name."""
    found: dict[str, Rental] = {}
    for account in chosen.clouds:
        making, sweeping = _clouds(account)
        for at, region in enumerate(account.regions):
            name = account.name if at == 0 else f"{account.name}-{region}"
            options = rental.Options(
                env=chosen.env,
                region=region,
                image=account.image,
                name=name,
                others=frozenset(account.regions) - {region},
                home=chosen.cloud_home,
            )
            found[name] = Rental(making, sweeping, options)
    return found


@dataclass(frozen=True, slots=True)
class Renting:
    """What goes with rented machines: what they boot with and run, and how they are asked."""

    boot: Boot
    archive: agentarchive.Archive
    agents: agentlink.AgentLink

    def serve(self, engine: Engine) -> None:
        """From now on there is an engine that knows the machines."""
        machines = engine.machines

        def door(label: str) -> agentlink.Door | None:
            found = machines.door(label)
            return None if found is None else agentlink.Door(*found)

        self.agents.serve(agentlink.Known(door, machines.glance))


def renting(chosen: Settings) -> Renting:
    """All of that. Raises CannotRun when machines would not find us."""
    if not chosen.machine_url:
        raise CannotRun(
            "rented machines must find this server: set BRIHASPATI_MACHINE_URL=https://..., an "
            "address of it that the internet reaches"
        )
    try:
        trust = chosen.trust.read_text() if chosen.trust is not None else ""
        tls = ssl.create_default_context()
        if trust:
            tls.load_verify_locations(cadata=trust)
    except (OSError, ssl.SSLError) as error:
        raise CannotRun(f"BRIHASPATI_TRUST={chosen.trust}: {error}") from error
    archive = agentarchive.build()
    boot = Boot(chosen.machine_url, archive.sha256, trust)
    return Renting(boot, archive, agentlink.AgentLink(tls if chosen.acme else None))


def _clouds(account: CloudSettings) -> tuple[Cloud, Cloud]:
    """The account by the token that creates, and by the one that lists and deletes."""
    making = _cloud(account, account.token)
    if account.sweep_token == account.token:
        return making, making
    return making, _cloud(account, account.sweep_token)


def _cloud(account: CloudSettings, token: str) -> Cloud:
    # httpx is for those few who rent.
    match account.name:
        case "digitalocean":
            from brihaspati.adapters.rented.digitalocean import api as digitalocean  # noqa: PLC0415

            return digitalocean.DigitalOcean(
                digitalocean.Options(token, account.url, account.ssh_key)
            )
        case "linode":
            from brihaspati.adapters.rented.linode import api as linode  # noqa: PLC0415

            return linode.Linode(linode.Options(token, account.url))


def can_rent(lab: Lab) -> bool:
    """Whether rented machines can run a lab: one machine, of the cloud's own system."""
    return len(lab.machines) == 1 and lab.machines[0].image == "host"


def standings(found: Mapping[str, Rental]) -> dict[str, Callable[[Lab], Standing]]:
    """How to ask each provider what it has for a lab."""
    return {name: functools.partial(duties.standing, one) for name, one in found.items()}
