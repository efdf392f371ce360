"""What happens each minute, and what happens before classes begin."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from brihaspati.domain import warmth
from brihaspati.engine.engine import Engine

log = logging.getLogger(__name__)


class Sweep:
    """The second chance, once a minute."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, event: Any = None, context: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What was found. Every duty is tried; raises the first that failed, for the alarm."""
        sweeping, found, failed = self._engine.sweeping, dict[str, Any](), list[Exception]()
        duties: Sequence[tuple[str, Callable[[], Any]]] = (
            ("swept", sweeping.sweep),
            ("pools", sweeping.fill_pools),
            ("heard", sweeping.hear),
            ("prices", self._engine.prices.refresh),
        )
        for name, duty in duties:
            try:
                found[name] = str(duty())
            except Exception as error:
                log.exception("duty failed", extra={"duty": name})
                failed.append(error)
        if failed:
            raise failed[0]
        log.info("swept", extra=found)
        return found


class Warmth:
    """Pings functions before classes begin, so many at once that the class starts warm."""

    def __init__(
        self, engine: Engine, invoke: Callable[..., Any], functions: Sequence[str]
    ) -> None:
        self._engine = engine
        self._invoke = invoke
        self._functions = functions

    def __call__(self, event: Any = None, context: Any = None) -> dict[str, int]:  # noqa: ARG002
        """How many environments of each function were asked for."""
        count = warmth.environments(self._engine.classes.all(), self._engine.world.clock.now())
        payload = json.dumps({"warm": True}).encode()
        for name in self._functions:
            for _ in range(count):
                self._invoke("invoke", FunctionName=name, InvocationType="Event", Payload=payload)
        return {"environments": count}
