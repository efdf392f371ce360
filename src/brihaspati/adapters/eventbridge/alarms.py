"""`ports.Timer` over one-time schedules that send a message to SQS and then are gone.

An alarm's schedule is named after it, so setting it again moves it. The service fires within about
a minute, at least once; what it cannot deliver goes to a dead-letter queue.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from brihaspati import ports
from brihaspati.domain import limits

_TRIES_MAX = 5
_DELIVERY_SECONDS_MAX = 6 * 3600
_DELIVERY_TRIES_MAX = 100
_READABLE = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_AT = 253_402_300_799_000  # the end of the year 9999

Ask = Callable[..., dict[str, Any]]
Text = Callable[[ports.Message], str]


@dataclass(frozen=True, slots=True)
class Place:
    """The group of our schedules, where they send, where what cannot be sent goes, and as whom.

    `jitter_seconds`: each alarm comes later by its own share of this, so that those of one class do
    not all come in one second. `elsewhere`: alarms with messages of these topics call a function,
    by its ARN.
    """

    group: str
    queue_arn: str
    dead_arn: str
    role_arn: str
    jitter_seconds: int = 20
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class Timer:
    """Alarms of one schedule group. One whose moment is over goes onto the queue at once."""

    def __init__(
        self, ask: Ask, place: Place, queue: ports.Queue, clock: ports.Clock, text: Text
    ) -> None:
        self._ask = ask
        self._place = place
        self._queue = queue
        self._clock = clock
        self._text = text

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move the alarm. Raises Refused or Busy."""
        try:
            limits.check_name("alarm", name)
        except limits.Unacceptable as fault:
            raise ports.Refused(str(fault)) from None
        wanted = self._wanted(name, at, message)
        if at <= self._clock.now():
            self.cancel(name)  # an older alarm of this name is not to come as well
            self._queue.put(message)
            return
        for _ in range(_TRIES_MAX):
            # Most alarms are set once, so try that first. Between the two it may fire and be gone.
            for operation in ("create_schedule", "update_schedule"):
                if self._did(operation, "ConflictException", "ResourceNotFoundException", **wanted):
                    return
        raise ports.Busy(f"the alarm {name} is changed by too many at once")

    def cancel(self, name: str) -> None:
        """Forget the alarm; absent is fine."""
        own = {"GroupName": self._place.group, "Name": schedule_name(name)}
        self._did("delete_schedule", "ResourceNotFoundException", **own)

    def _wanted(self, name: str, at: ports.Moment, message: ports.Message) -> dict[str, Any]:
        place = self._place
        seconds = -(-min(max(0, at), _LAST_AT) // 1000) + _share(name, place.jitter_seconds)
        moment = _EPOCH + timedelta(seconds=min(seconds, _LAST_AT // 1000))
        return {
            "GroupName": place.group,
            "Name": schedule_name(name),
            "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": place.elsewhere.get(message.topic, place.queue_arn),
                "RoleArn": place.role_arn,
                "Input": self._text(message),
                "DeadLetterConfig": {"Arn": place.dead_arn},
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": _DELIVERY_SECONDS_MAX,
                    "MaximumRetryAttempts": _DELIVERY_TRIES_MAX,
                },
            },
        }

    def _did(self, operation: str, *expected: str, **parameters: Any) -> bool:
        """Whether the service did it; False for one of the answers expected instead."""
        from botocore import exceptions  # noqa: PLC0415 - only who sets alarms needs it

        try:
            self._ask(operation, **parameters)
        except exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code", "") not in expected:
                raise
            return False
        return True


def schedule_name(name: str) -> str:
    """The schedule of an alarm: something to read, and a digest that tells it from all others."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:40]
    readable = re.sub(r"[^0-9A-Za-z_.-]+", "-", name)[:_READABLE].strip("-.")
    return f"{readable}-{digest}" if readable else digest


def _share(name: str, jitter_seconds: int) -> int:
    digest = hashlib.sha256(f"jitter {name}".encode()).digest()
    return int.from_bytes(digest[:4]) % (jitter_seconds + 1)
