from __future__ import annotations

import pytest

from zipped import Built, built


@pytest.fixture(scope="session")
def for_arm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    return built("arm64", tmp_path_factory.mktemp("arm"))


@pytest.fixture(scope="session")
def for_intel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    return built("x86_64", tmp_path_factory.mktemp("intel"))
