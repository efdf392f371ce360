"""One request at a time to one API: a limit in time, a limit in number, an answer or a Trouble."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from brihaspati.adapters.rented.governor import Governor
from brihaspati.adapters.rented.shapes import Trouble

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CREATE_SECONDS = 20.0

Urgency = Literal["create", "list", "look", "delete"]
# What each may use of a limit: the end of a machine is never held up by a look at another.
SHARES: dict[Urgency, float] = {"create": 0.97, "look": 0.8, "list": 0.6, "delete": 1.0}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 200 to 299; `body` is JSON, or None where there was nothing."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Api:
    """How to reach an API. `trouble` reads an error; `heard` reads the limits in headers."""

    base: str
    token: str
    governors: Mapping[Urgency, Governor]
    trouble: Callable[[int, Any], Trouble]
    heard: Callable[[Urgency, Mapping[str, str]], None]
    transport: httpx.BaseTransport | None = None


class Caller:
    """Sends each request once. Threads may share it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._client = httpx.Client(
            base_url=api.base,
            headers={"Authorization": f"Bearer {api.token}", "User-Agent": "brihaspati"},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=16),
            transport=api.transport,  # None: the real one, which repeats nothing
            follow_redirects=False,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        urgency: Urgency,
        *,
        body: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. Raises Trouble for anything but a success that can be read."""
        wait = self._api.governors[urgency].admit(SHARES[urgency])
        if wait:
            raise Trouble("rate", "our own limit is reached", retry_after_seconds=wait)
        request = self._client.build_request(
            method,
            path,
            json=body,
            params=params,
            headers=headers,
            timeout=httpx.Timeout(
                CREATE_SECONDS if urgency == "create" else READ_SECONDS, connect=CONNECT_SECONDS
            ),
        )
        try:
            response = self._client.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Trouble(
                "unsent", f"{self._api.base} cannot be reached: {error}", retry_after_seconds=5
            ) from error
        except httpx.HTTPError as error:
            raise Trouble("unclear", f"no answer to {method} {path}: {error!r}") from error
        return self._read(response, urgency)

    def delete(self, path: str, urgency: Urgency) -> bool:
        """One DELETE; False when it was gone already. Raises Trouble."""
        try:
            self.ask("DELETE", path, urgency)
        except Trouble as trouble:
            if trouble.kind != "gone":
                raise
            return False
        return True

    def _read(self, response: httpx.Response, urgency: Urgency) -> Answer:
        self._api.heard(urgency, response.headers)
        body = _json(response)
        if 200 <= response.status_code < 300:
            if body is None and response.content:
                raise Trouble(
                    "unclear", f"an answer that is no JSON, status {response.status_code}"
                )
            return Answer(response.status_code, body, response.headers)
        if response.status_code == 429:
            wait = seconds_of(response.headers.get("retry-after"), 15)
            self._api.governors[urgency].close(wait)
            raise Trouble("rate", "too many requests", retry_after_seconds=wait)
        if response.status_code in (408, 409) or not 400 <= response.status_code < 500:
            raise Trouble("unclear", f"status {response.status_code}")
        raise self._api.trouble(response.status_code, body)


def seconds_of(header: str | None, default: float) -> float:
    """A header in seconds, never more than an hour; the default where it is something else."""
    try:
        return min(3600.0, max(0.0, float(header or "")))
    except ValueError:
        return default


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None
