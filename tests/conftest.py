"""The order of files: those that wait for machines and builds lie between those that compute.

Three run at a time. Slow files that all came last, or first, would leave the processor idle.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# The last fifth has none, so that no slow file is begun when all others are done.
SPREAD = 0.8


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [
        tests for tests in files.values() if any(one.get_closest_marker("slow") for one in tests)
    ]
    found = [tests for tests in files.values() if tests not in slow]
    step = len(found) * SPREAD / max(1, len(slow))
    for number, tests in enumerate(slow):
        found.insert(round(number * (step + 1)), tests)
    items[:] = [one for tests in found for one in tests]
