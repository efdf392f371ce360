from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

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
