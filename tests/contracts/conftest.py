from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati.adapters import memory
from contracts import engines


@pytest.fixture(params=engines.OPENERS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[engines.Engine]:
    with engines.OPENERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def store(engine: engines.Engine) -> engines.Store:
    return engine.store


@pytest.fixture
def queue(engine: engines.Engine) -> engines.Queue:
    return engine.queue


@pytest.fixture
def timer(engine: engines.Engine) -> engines.Timer:
    return engine.timer


@pytest.fixture
def clock(engine: engines.Engine) -> memory.ManualClock:
    return engine.clock
