from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from brihaspati.adapters import clocks, dynamodb, memory
from contracts import engines
from emulators import servers


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Stand]:
    with contextlib.ExitStack() as leaving:
        yield engines.Stand(leaving, tmp_path_factory.mktemp("stand") / "clock")


@pytest.fixture
def connection(stand: engines.Stand) -> Iterator[dynamodb.Connection]:
    with stand.table(servers.dynoxide) as opened:
        yield opened


@pytest.fixture
def clock() -> memory.ManualClock:
    return memory.ManualClock()


@pytest.fixture
def pauses() -> list[float]:
    """How long the store paused, each time."""
    return []


@pytest.fixture
def store(
    connection: dynamodb.Connection, clock: memory.ManualClock, pauses: list[float]
) -> dynamodb.Store:
    return dynamodb.Store(connection, clock, clocks.SystemChance(), pauses.append)
