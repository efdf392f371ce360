from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from brihaspati import ports
from brihaspati.adapters import memory
from contracts import engines


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of a port runs on every engine that has it."""
    if "engine" in metafunc.fixturenames and not hasattr(metafunc.module, "OPENER"):
        found = engines.STORES if "store" in metafunc.fixturenames else engines.QUEUES
        metafunc.parametrize("opener", found.values(), ids=list(found))


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Stand]:
    with contextlib.ExitStack() as leaving:
        yield engines.Stand(leaving, tmp_path_factory.mktemp("stand") / "clock")


@pytest.fixture
def opener(request: pytest.FixtureRequest) -> engines.Opener:
    """The engine a module names; for most of them each test is told which."""
    chosen: engines.Opener = request.module.OPENER
    return chosen


@pytest.fixture
def engine(
    opener: engines.Opener, stand: engines.Stand, tmp_path: Path
) -> Iterator[engines.Engine]:
    with opener(stand, tmp_path) as opened:
        yield opened


@pytest.fixture
def store(engine: engines.Engine) -> ports.Store:
    return engine.store


@pytest.fixture
def sweep(store: ports.Store) -> Callable[[], int]:
    """Deletes what has expired, where the engine does not do so by itself."""
    if not hasattr(store, "sweep"):
        pytest.skip("DynamoDB deletes expired items itself, within days")
    found: Callable[[], int] = store.sweep
    return found


@pytest.fixture
def queue(engine: engines.Engine) -> ports.Queue:
    return engine.queue


@pytest.fixture
def waiting(engine: engines.Engine) -> engines.Waiting:
    """The queue, where one can wait for it."""
    engine.needs(engines.WAIT)
    return cast("engines.Waiting", engine.queue)


@pytest.fixture
def timer(engine: engines.Engine) -> engines.Timer:
    return engine.timer


@pytest.fixture
def clock(engine: engines.Engine) -> memory.ManualClock:
    return engine.clock
