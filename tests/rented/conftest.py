"""Whoever runs these tests by name is told, after them, what they saw."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded as `proved`, in the order in which they ended."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    proved = [text for one in passed for name, text in one.user_properties if name == "proved"]
    if proved:
        terminalreporter.section("seen in this run")
    for text in proved:
        terminalreporter.write_line(str(text))
