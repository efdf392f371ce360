"""Who runs machines on this host, and how to reach into them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brihaspati import ports
from brihaspati.adapters.bubblewrap.provider import Bubblewrap
from brihaspati.adapters.namespaces.images import Images
from brihaspati.adapters.namespaces.network import Networks
from brihaspati.adapters.namespaces.provider import Namespaces
from brihaspati.entrypoints.cli.shop import CannotRun
from brihaspati.settings import CloudName, ProviderName, Settings
from brihaspati.wiring import accounts, naming
from brihaspati_agent.places import NoSuchMachine, Place, Places

if TYPE_CHECKING:
    from brihaspati.adapters.docker_engine.provider import DockerEngine


@dataclass(frozen=True, slots=True)
class Host:
    """Who runs machines on this host, and how to reach into them.

    `has_lost_labs`: whether all of them have just ended; said once.
    """

    provider: ports.Provider
    places: Places
    start: Callable[[], None]
    close: Callable[[], None]
    has_lost_labs: Callable[[], bool] = lambda: False


def choose(chosen: Settings) -> ProviderName:
    """The provider this host can have: root has namespaces, else Docker, else bubblewrap."""
    if chosen.provider != "auto":
        return chosen.provider
    if sys.platform == "linux" and os.geteuid() == 0:
        return "namespaces"
    return "docker" if _docker(chosen).unavailable() is None else "bubblewrap"


def host_of(chosen: Settings) -> Host:
    """The provider over a data folder, not started."""
    match choose(chosen):
        case "namespaces":
            return _namespaces(chosen)
        case "docker":
            docker = _docker(chosen)
            return Host(docker, docker.place, _checked(docker), docker.close)
        case "digitalocean" | "linode" as cloud:
            return _rented(chosen, cloud)
        case _:
            walls = Bubblewrap(chosen.data / "bubblewrap", chosen.env)
            return Host(walls, walls.place, _checked(walls), lambda: None)


def _docker(chosen: Settings) -> DockerEngine:
    """The engine at the first address where there is one."""
    # docker-py takes as long to import as all the rest of a command; few need it.
    from brihaspati.adapters.docker_engine.options import Options  # noqa: PLC0415
    from brihaspati.adapters.docker_engine.provider import DockerEngine  # noqa: PLC0415

    there = [a for a in chosen.docker if Path(a.removeprefix("unix://")).exists()]
    return DockerEngine(
        Options(
            env=chosen.env,
            address=(there or list(chosen.docker))[0],
            runtime=chosen.docker_runtime,
            userns=chosen.docker_userns,
            host_image=chosen.docker_image,
        )
    )


def _rented(chosen: Settings, cloud: CloudName) -> Host:
    """Machines that are not on this host: nobody reaches into them from here."""
    found = accounts.providers(chosen)
    provider = found[cloud]
    account = next(one for one in chosen.clouds if one.name == cloud)

    def start() -> None:
        try:
            accounts.check(account, found)
            naming.check(chosen, found)
            provider.prepare("host", lambda *_: None)
        except accounts.Unusable as unusable:
            raise CannotRun(str(unusable)) from unusable
        except ports.CreateRefused as refused:
            raise CannotRun(refused.reason) from refused

    return Host(provider, _nowhere, start, lambda: None)


def _nowhere(label: str) -> Place:
    raise NoSuchMachine(label)


def _namespaces(chosen: Settings) -> Host:
    # Networks ask the provider for machines that were there before this server was.
    def netns_of(label: str) -> int | None:
        return native.netns(label)

    networks = Networks(f"{chosen.env} {chosen.data}", netns_of=netns_of)
    native = Namespaces(
        chosen.data,
        chosen.env,
        Images(chosen.data / "images"),
        networks=networks,
        orphan_seconds=max(1, chosen.keep_seconds),
    )

    def start() -> None:
        native.start()
        networks.clean(keep=[machine.label for machine in native.inventory()])

    def close() -> None:
        native.close(end_labs=chosen.keep_seconds == 0)
        if chosen.keep_seconds == 0:
            networks.clean()

    return Host(native, native.place, start, close, native.has_lost_labs)


def _checked(provider: Any) -> Callable[[], None]:
    """Start by asking whether the provider can work. Raises CannotRun."""

    def start() -> None:
        why = provider.unavailable()
        if why is not None:
            raise CannotRun(f"{provider.name}: {why}")

    return start
