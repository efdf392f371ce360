"""What goes in and what comes out: one request, one answer, and how an answer can be no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is decoded except `%2F`; names of `headers` are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """One HTTP answer. `cut`: the connection ends without it; `delay_seconds` are the clock's."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay_seconds: float = 0

    def content(self) -> bytes:
        """The body as it is sent; empty for 204, and as it is where it is bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """The answer is no. `kind` is DigitalOcean's `id`, `field` is Linode's."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "unprocessable_entity",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.field = field
        self.headers = dict(headers or {})


def not_found() -> Refusal:
    """What is asked for is not there."""
    return Refusal(404, "The resource you were accessing could not be found.", kind="not_found")
