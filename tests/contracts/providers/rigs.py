"""Every provider under contract, on a host prepared for it; one that joins later is added here."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import docker
import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from brihaspati.adapters.bubblewrap import provider as bubblewrap
from brihaspati.adapters.docker_engine import options
from brihaspati.adapters.docker_engine import provider as docker_engine
from brihaspati.adapters.namespaces import images as namespaces_images
from brihaspati.adapters.namespaces import network as namespaces_network
from brihaspati.adapters.namespaces import provider as namespaces
from brihaspati.domain import labs
from brihaspati_agent import places
from contracts.providers import container_engines
from rented import stand_in

# Of this process alone: two test workers of one user could see each other's sandboxes.
ENV = f"contract{os.getpid()}"
ELSEWHERE = f"elsewhere{os.getpid()}"
_BUSYBOX_SERVER = ("httpd", "-f", "-h", "/etc", "-p")
_HOST_SERVER = ("python3", "-m", "http.server", "-d", "/etc")


class Again(ports.Provider, Protocol):
    def place(self, label: str) -> places.Place: ...


@dataclass(frozen=True)
class Rig:
    """A provider and what it claims. The annotations are the type check: each must fit its port.

    `can` has of: "inside" (there are places), "once" (a label is never made twice), "limits",
    "peers", "sees off" (what ignores a hang-up is ended) and "student" (a user besides root),
    "rented" (only its agent can say that a machine is usable).
    `other` is a provider of another deployment on the same host; `stranger` makes something that
    is nobody's and tells whether it is still there; `again` is our provider as after a restart.
    """

    provider: ports.Provider
    place: places.Places
    other: ports.Provider
    can: frozenset[str]
    image: str = "host"
    missing: str = "rootfs:/no/such/folder"
    server: Sequence[str] = _HOST_SERVER
    processes: Sequence[str] = ("ps", "axo", "args")
    stranger: Callable[[], AbstractContextManager[Callable[[], bool]]] | None = None
    again: Callable[[], Again] | None = None


Opener = Callable[[Path], AbstractContextManager[Rig]]


@contextlib.contextmanager
def _memory(_: Path) -> Iterator[Rig]:
    clock = memory.ManualClock()
    provider = memory.Provider(clock)
    yield Rig(provider, provider.place, memory.Provider(clock), frozenset())


@contextlib.contextmanager
def _docker(folder: Path) -> Iterator[Rig]:
    with container_engines.dockerd(folder) as address, _containers(folder, address) as rig:
        yield rig


@contextlib.contextmanager
def _podman(folder: Path) -> Iterator[Rig]:
    with container_engines.podman(folder) as address, _containers(folder, address) as rig:
        yield rig


@contextlib.contextmanager
def _containers(folder: Path, address: str) -> Iterator[Rig]:
    image = f"rootfs:{container_engines.rootfs(folder)}"
    provider = docker_engine.DockerEngine(options.Options(ENV, address))
    other = docker_engine.DockerEngine(options.Options(ELSEWHERE, address))
    can = frozenset({"inside", "once", "limits", "peers", "student", "sees off"})
    with contextlib.closing(provider), contextlib.closing(other):
        provider.prepare(image, lambda *_: None)
        name = provider._images.name_of(image)
        yield Rig(
            provider,
            provider.place,
            other,
            can,
            image,
            "localhost/no/such/image:9",
            _BUSYBOX_SERVER,
            ("ps", "-o", "args"),
            stranger=lambda: _foreign_container(address, name),
            again=lambda: docker_engine.DockerEngine(options.Options(ENV, address)),
        )


@contextlib.contextmanager
def _foreign_container(address: str, image: str) -> Iterator[Callable[[], bool]]:
    client = docker.APIClient(base_url=address, version="auto")
    none = client.create_host_config(network_mode="none", ulimits=[])
    name = f"bh-{ENV}-looks-like-ours"
    made = client.create_container(image, ["sleep", "60"], name=name, host_config=none)
    try:
        yield lambda: bool(client.inspect_container(made["Id"]))
    finally:
        client.remove_container(made["Id"], force=True)
        client.close()


@contextlib.contextmanager
def _bubblewrap(folder: Path) -> Iterator[Rig]:
    reason = bubblewrap.Bubblewrap.unavailable()
    if reason is not None:
        pytest.skip(reason)
    provider = bubblewrap.Bubblewrap(folder / "machines", ENV)
    yield Rig(
        provider,
        provider.place,
        bubblewrap.Bubblewrap(folder / "others", ELSEWHERE),
        frozenset({"inside", "once", "student", "sees off"}),
        again=lambda: bubblewrap.Bubblewrap(folder / "machines", ENV),
    )


@contextlib.contextmanager
def _namespaces(folder: Path) -> Iterator[Rig]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    images = namespaces_images.Images(folder / "images")
    networks = namespaces_network.Networks(str(folder))
    can = frozenset({"inside", "once", "limits", "peers", "student"})

    def started(env: str = ENV) -> namespaces.Namespaces:
        made = namespaces.Namespaces(folder / "labs", env, images, networks=networks)
        made.start()
        return made

    provider = started()
    try:
        images.ready("host", lambda *_: None)
        other = started(ELSEWHERE)
        yield Rig(provider, provider.place, other, can, again=started)
        other.close(end_labs=False)
    finally:
        provider.close(end_labs=True)


@contextlib.contextmanager
def _rented(cloud: str) -> Iterator[Rig]:
    """A cloud's stand-in: its machines have no inside here, and never call themselves usable."""
    sky = stand_in.Sky(clock=_Real())
    can = frozenset({"rented"})
    yield Rig(sky.provider(cloud, ENV), _no_inside, sky.provider(cloud, ELSEWHERE), can)


class _Real(memory.ManualClock):
    """The contract asks what time it really is."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(time.time() * 1000)


def _no_inside(label: str) -> places.Place:
    raise places.NoSuchMachine(label)


OPENERS: dict[str, Opener] = {
    "memory": _memory,
    "namespaces": _namespaces,
    "docker": _docker,
    "podman": _podman,
    "bubblewrap": _bubblewrap,
    "digitalocean": lambda _: _rented("digitalocean"),
    "linode": lambda _: _rented("linode"),
}


class Orders:
    """Makes orders nobody else made, and deletes in the end whatever came of them."""

    def __init__(self, rig: Rig, name: str) -> None:
        self._rig = rig
        self._name = name
        self._count = 0
        self._labels: list[str] = []

    def __call__(
        self, name: str = "main", *, sandbox: str = "", env: str = ENV, **spec: Any
    ) -> ports.MachineOrder:
        self._count += 1
        sandbox = f"{self._name}{sandbox or self._count}"
        label = f"bh-{env}-{sandbox}-a1-{name}"
        self._labels.append(label)
        wants = {"image": self._rig.image, **spec}
        peers = wants.pop("peers", ())
        return ports.MachineOrder(label, sandbox, labs.MachineSpec(name, **wants), peers=peers)

    def place(self, **spec: Any) -> places.Place:
        """A fresh machine's inside."""
        return self._rig.place(self._rig.provider.create(self(**spec)).label)

    def end(self) -> None:
        for label in self._labels:
            for provider in (self._rig.provider, self._rig.other):
                if (found := provider.find(label)) is not None:
                    provider.delete(found.id)
