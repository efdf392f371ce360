from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from brihaspati.adapters.namespaces import provider
from labs import rig


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[provider.Namespaces]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("labs on namespaces need root on Linux")
    with rig.native(tmp_path_factory.mktemp("labs")) as made:
        yield made


@pytest.fixture
def table(native: provider.Namespaces) -> Iterator[rig.Table]:
    made = rig.Table(native)
    yield made
    made.clear()
