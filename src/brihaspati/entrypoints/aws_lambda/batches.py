"""A function that SQS calls: each message by itself, so that one that fails fails alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from brihaspati import ports
from brihaspati.adapters import sqs

log = logging.getLogger(__name__)

# What one message may need; with less left, it comes back instead of being cut off half-way.
TIME_LEFT_MS_MIN = 20_000


class Context(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long until it is killed."""
        ...


class Batches:
    """Does the work of each message, and names those that are to come back."""

    def __init__(self, handle: Callable[[ports.Message], object]) -> None:
        self._handle = handle

    def __call__(self, event: Mapping[str, Any], context: Context | None = None) -> dict[str, Any]:
        """The failures of a batch. Raises BadDelivery for what is no batch."""
        failed = [
            one.id for one in sqs.deliveries(event) if not _has_time(context) or not self._did(one)
        ]
        return sqs.failures(failed)

    def _did(self, one: sqs.Delivery) -> bool:
        try:
            self._handle(one.taken().message)
        except sqs.BadDelivery as bad:
            log.error("message unreadable", extra={"id": one.id, "reason": str(bad)})  # noqa: TRY400
            return False
        except Exception:
            log.exception("message failed", extra={"id": one.id, "tries": one.tries})
            return False
        return True


def _has_time(context: Context | None) -> bool:
    return context is None or context.get_remaining_time_in_millis() > TIME_LEFT_MS_MIN
