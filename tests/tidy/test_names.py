"""Browser tests share one server for each worker, and with it the names of its students."""

from __future__ import annotations

import collections
import re

from tidy import tracked

# `server` is the shared one; other fixtures have a server of their own.
_JOINS = re.compile(r'\bjoin\([^()]*(?:\(\))?, server, f?"([^"{]+)')


def test_no_two_browser_tests_join_the_shared_server_by_one_name() -> None:
    found: collections.Counter[str] = collections.Counter()
    for file in (tracked.ROOT / "tests/e2e").glob("test_*.py"):
        found.update({name.casefold() for name in _JOINS.findall(file.read_text())})
    assert len(found) > 10
    assert [name for name, count in found.items() if count > 1] == []
