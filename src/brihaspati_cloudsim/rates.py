"""How often one may ask. Each request is forgotten when its own window has passed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from brihaspati_cloudsim.agenda import HOUR, MINUTE, SECOND
from brihaspati_cloudsim.exchange import Refusal


@dataclass(slots=True)
class Window:
    """At most `limit` requests in any `span_ms`."""

    limit: int
    span_ms: int
    seen: deque[int] = field(default_factory=deque)

    def remaining(self, now: int) -> int:
        """How many more are allowed now."""
        while self.seen and self.seen[0] <= now - self.span_ms:
            self.seen.popleft()
        return max(0, self.limit - len(self.seen))

    def free_at(self, now: int) -> int:
        """When the oldest request is forgotten."""
        return self.seen[0] + self.span_ms if self.seen else now


def wait_seconds(window: Window, now: int) -> int:
    """What Retry-After says: whole seconds, at least one."""
    return max(1, -(-(window.free_at(now) - now) // SECOND))


@dataclass(slots=True)
class DigitalOceanRates:
    """Per token: 5,000 in an hour and 250 in a minute."""

    hour: Window = field(default_factory=lambda: Window(5_000, HOUR))
    minute: Window = field(default_factory=lambda: Window(250, MINUTE))

    def pass_one(self, _operation: str, now: int) -> dict[str, str]:
        """Count one request; its headers.

        Raises:
            Refusal: 429, with `retry-after`.
        """
        for window in (self.minute, self.hour):
            if window.remaining(now) == 0:
                raise Refusal(
                    429,
                    "API rate limit exceeded.",
                    kind="too_many_requests",
                    headers=self.headers(now, 0) | {"retry-after": str(wait_seconds(window, now))},
                )
        self.hour.seen.append(now)
        self.minute.seen.append(now)
        return self.headers(now, self.hour.remaining(now))

    def headers(self, now: int, remaining: int) -> dict[str, str]:
        """The three headers of every answer."""
        return {
            "ratelimit-limit": str(self.hour.limit),
            "ratelimit-remaining": str(remaining),
            "ratelimit-reset": str(self.hour.free_at(now) // SECOND),
        }


CREATES = {"post-linode-instance"}
IMAGES = {"get-images"}


@dataclass(slots=True)
class LinodeRates:
    """Per user, by kind of request, each with its own window."""

    create: Window = field(default_factory=lambda: Window(20, 15 * SECOND))
    images: Window = field(default_factory=lambda: Window(20, MINUTE))
    lists: Window = field(default_factory=lambda: Window(200, MINUTE))
    other: Window = field(default_factory=lambda: Window(1_600, MINUTE))

    def pass_one(self, operation: str, now: int) -> dict[str, str]:
        """Count one request; its headers.

        Raises:
            Refusal: 429, with `Retry-After`.
        """
        window = self._window(operation)
        if window.remaining(now) == 0:
            headers = self._headers(window, now) | {"Retry-After": str(wait_seconds(window, now))}
            raise Refusal(429, "Too many requests", headers=headers)
        window.seen.append(now)
        return self._headers(window, now)

    def _window(self, operation: str) -> Window:
        if operation in CREATES:
            return self.create
        if operation in IMAGES:
            return self.images
        return self.lists if operation.startswith("get-") and operation[-1] == "s" else self.other

    def _headers(self, window: Window, now: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.remaining(now)),
            "X-RateLimit-Reset": str(window.free_at(now) // SECOND),
        }


Rates = DigitalOceanRates | LinodeRates
