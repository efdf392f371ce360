"""Read a query to its end, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from brihaspati.ports import Item, Page


def every(read: Callable[[str | None], Page]) -> Iterator[Item]:
    """Every item of a query; `read` takes the cursor to go on from (None: the start)."""
    cursor: str | None = None
    while True:
        page = read(cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return
