"""Logs as JSON lines on standard error: time, level, room, message and what goes with it."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with everything given in `extra`."""
        said: dict[str, Any] = {
            "time": int(record.created * 1000),
            "level": record.levelname.lower(),
            "room": record.name,
            "message": record.getMessage(),
        }
        said |= {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record tells of our fault, not of a client's that cannot speak HTTP."""
    fault = record.exc_info[1] if record.exc_info else None
    return not (isinstance(fault, HttpProcessingError) and fault.code < 500)


def start(level: int = logging.WARNING) -> None:
    """Send all logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    logging.basicConfig(level=level, handlers=[handler], force=True)
