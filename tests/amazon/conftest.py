from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from amazon import deployed
from contracts import engines
from emulators import amazon_stand


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Stand]:
    with contextlib.ExitStack() as leaving:
        yield engines.Stand(leaving, tmp_path_factory.mktemp("stand") / "clock")


@pytest.fixture(scope="session")
def address(stand: engines.Stand) -> str:
    """Of the emulator of AWS."""
    return stand.address(stand.amazon)


@pytest.fixture
def made(stand: engines.Stand, address: str) -> Iterator[amazon_stand.Made]:
    """A queue and a timer."""
    with amazon_stand.made(address, stand.clock_file, engines.TRIES_MAX) as made:
        yield made


@pytest.fixture
def house(
    made: amazon_stand.Made, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[deployed.Deployed]:
    """Every function, over an empty table."""
    with deployed.deployed(made, address, tmp_path, monkeypatch) as found:
        yield found
