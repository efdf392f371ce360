from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from namespaces import rigs


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("root") is None:
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("labs from namespaces need root on Linux")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rigs.Rig]:
    """One keeper for all tests of a module."""
    with rigs.opened(tmp_path_factory.mktemp("labs")) as opened:
        yield opened


@pytest.fixture
def rig(shared: rigs.Rig) -> Iterator[rigs.Rig]:
    """The module's keeper; the labs of one test end with it."""
    yield shared
    shared.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
