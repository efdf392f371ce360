"""The way to a table.

What talks to DynamoDB is loaded at its first use: it is a third of a cold start, and some requests
ask nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynamodb.connection.table import TableConnection

    from brihaspati.adapters.dynamodb.place import Place
    from brihaspati.adapters.dynamodb.table import Row


class Connection:
    """The way to a table, made at first use by one thread alone."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._row: type[Row] | None = None

    def row(self) -> type[Row]:
        """The row class, connected. No request is sent."""
        if self._row is None:
            with self._lock:  # botocore must not make clients in two threads
                if self._row is None:
                    from brihaspati.adapters.dynamodb import table  # noqa: PLC0415 - as above

                    row = table.rows(self.place)
                    _ = row._get_connection().connection.client  # noqa: SLF001 - the only way
                    self._row = row
        return self._row

    def table(self) -> TableConnection:
        """PynamoDB's connection to the table."""
        return self.row()._get_connection()  # noqa: SLF001 - PynamoDB has no public way

    def client(self) -> Any:
        """The botocore client, made if need be: ahead of a snapshot, or to hang a handler on."""
        return self.table().connection.client
