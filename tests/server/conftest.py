"""A real server in a process of its own, and the command line beside it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from commanding import Run, run_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say in one word why these tests cannot run here."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.root)
            if sys.platform != "linux" or os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="labs of namespaces need root on Linux"))


@pytest.fixture(scope="module")
def server() -> Iterator[FreshServer]:
    with fresh_server(wiring.open_shop({}), seats=50, pool=0) as started:
        yield started


@pytest.fixture
def run(server: FreshServer) -> Run:
    """The command line beside the running server."""
    return lambda *arguments, **more: run_in(server.folder, *arguments, **more)


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """The JSON that a command prints."""

    def asked(*arguments: str) -> Any:
        done = run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return asked
