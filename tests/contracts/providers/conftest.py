from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from contracts.providers import rigs

_MARKS = {
    "docker": [pytest.mark.root, pytest.mark.docker],
    "podman": [pytest.mark.root, pytest.mark.docker],
    "namespaces": [pytest.mark.root],
}


_INSIDES = {"real", "machine", "small"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what could only be skipped: the inside of memory, and bubblewrap for root."""
    pointless = [item for item in items if _is_pointless(item)]
    config.hook.pytest_deselected(items=pointless)
    items[:] = [item for item in items if item not in pointless]


def _is_pointless(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return False
    name = item.callspec.params.get("rig")
    if name in ("memory", "digitalocean", "linode"):
        return bool(_INSIDES.intersection(item.fixturenames))
    return bool(name == "bubblewrap" and os.geteuid() == 0)


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=_MARKS.get(name, [])) for name in rigs.OPENERS],
)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rigs.Rig]:
    """Each provider in turn, on a host prepared for it and left as it was."""
    with rigs.OPENERS[request.param](tmp_path_factory.mktemp("rig")) as opened:
        yield opened
        assert opened.provider.inventory() == []
        assert opened.other.inventory() == []


@pytest.fixture
def real(rig: rigs.Rig) -> rigs.Rig:
    """A rig whose machines have an inside."""
    if "inside" not in rig.can:
        pytest.skip("its machines have no inside")
    return rig


@pytest.fixture
def orders(rig: rigs.Rig) -> Iterator[rigs.Orders]:
    made = rigs.Orders(rig, f"t{os.urandom(4).hex()}")
    yield made
    made.end()
