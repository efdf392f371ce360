"""`ports.Queue` over an SQS standard queue and its dead-letter queue.

The text of a message is JSON, `{"topic": ..., "body": {...}}`, in ASCII: SQS refuses some letters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brihaspati import ports
from brihaspati.domain import limits

BODY_BYTES_MAX = 256 * 1024
DELAY_SECONDS_MAX = 900
_AT_ONCE = 10
_DEAD = "dead:"
_HIDDEN_SECONDS = 20  # while the dead are counted, so that none is counted twice
_STALE = frozenset({"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"})

Ask = Callable[..., dict[str, Any]]
Later = Callable[[str, ports.Moment, ports.Message], None]
"""Sets a one-time alarm of this name, as `ports.Timer.set`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses of a queue and of its dead-letter queue.

    `elsewhere`: messages of these topics are put on other queues, for other takers.
    """

    url: str
    dead_url: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class Queue:
    """Messages of an SQS queue. How often one may fail is the queue's own redrive policy.

    SQS delays a message for at most 15 minutes; one that is to wait longer becomes an alarm.
    `done` and `again` of a message that was handed out anew since do nothing, and so does `done`
    of one that is among the dead by now: SQS takes only the last receipt.
    """

    def __init__(
        self, ask: Ask, place: Place, clock: ports.Clock, chance: ports.Chance, later: Later
    ) -> None:
        self._ask = ask
        self._place = place
        self._clock = clock
        self._chance = chance
        self._later = later

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Add a message. Raises Refused for one that SQS never takes, Busy."""
        text = text_of(message)
        if delay_seconds > DELAY_SECONDS_MAX:
            at = self._clock.now() + round(delay_seconds * 1000)
            self._later(f"delay-{self._chance.name(20)}", at, message)
            return
        self._ask(
            "send_message",
            QueueUrl=self._place.elsewhere.get(message.topic, self._place.url),
            MessageBody=text,
            DelaySeconds=_whole(delay_seconds),
        )

    def take(self, limit: int, *, visible_after_seconds: float) -> list[ports.Taken]:
        """Up to `limit` messages, in SQS's order, which is none."""
        taken: list[ports.Taken] = []
        while len(taken) < limit:
            wanted = min(_AT_ONCE, limit - len(taken))
            found = self._receive(self._place.url, wanted, visible_after_seconds)
            if not found:
                break
            # What cannot be read stays: it comes back until it is among the dead.
            taken += _readable(found)
        return taken

    def done(self, taken: ports.Taken) -> None:
        """Forget the message."""
        url, receipt = self._of(taken)
        self._unless_stale("delete_message", QueueUrl=url, ReceiptHandle=receipt)

    def again(self, taken: ports.Taken, *, delay_seconds: float) -> None:
        """Give the message back; one of the dead starts anew."""
        url, receipt = self._of(taken)
        if url == self._place.dead_url:
            self.put(taken.message, delay_seconds=delay_seconds)
            self.done(taken)
            return
        self._unless_stale(
            "change_message_visibility",
            QueueUrl=url,
            ReceiptHandle=receipt,
            VisibilityTimeout=_whole(delay_seconds),
        )

    def dead(self, limit: int = 100) -> list[ports.Taken]:
        """Messages that failed too often, as far as SQS shows them; unreadable ones are left out.

        They are hidden from another caller for as long as this one counts.
        """
        found: dict[str, dict[str, Any]] = {}
        while len(found) < limit:
            wanted = min(_AT_ONCE, limit - len(found))
            more = self._receive(self._place.dead_url, wanted, _HIDDEN_SECONDS)
            found |= {one["MessageId"]: one for one in more}
            if not more:
                break
        shown = sorted(found.values(), key=_sent_at)
        self._show(self._place.dead_url, shown)
        return _readable(shown, _DEAD)

    def redrive(self, limit: int = 1000) -> int:
        """Put the dead back on the queue, each anew; how many were."""
        count = 0
        while count < limit and (dead := self.dead(min(100, limit - count))):
            for taken in dead:
                self.again(taken, delay_seconds=0)
            count += len(dead)
        return count

    # --- asking --------------------------------------------------------------------------------
    def _receive(self, url: str, limit: int, hidden_seconds: float) -> list[dict[str, Any]]:
        answer = self._ask(
            "receive_message",
            QueueUrl=url,
            MaxNumberOfMessages=limit,
            VisibilityTimeout=_whole(hidden_seconds),
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _show(self, url: str, found: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            entries = [
                {"Id": str(at), "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": 0}
                for at, one in enumerate(found[start : start + _AT_ONCE])
            ]
            self._ask("change_message_visibility_batch", QueueUrl=url, Entries=entries)

    def _unless_stale(self, operation: str, **parameters: Any) -> None:
        from botocore import exceptions  # noqa: PLC0415 - whoever only puts needs it not

        try:
            self._ask(operation, **parameters)
        except exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code", "").rpartition(".")[2] not in _STALE:
                raise

    def _of(self, taken: ports.Taken) -> tuple[str, str]:
        if taken.receipt.startswith(_DEAD):
            return self._place.dead_url, taken.receipt.removeprefix(_DEAD)
        return self._place.url, taken.receipt


def text_of(message: ports.Message) -> str:
    """The text of a message on the wire. Raises Refused for one that is too large or not JSON."""
    try:
        limits.check_message(message.topic, message.body)
    except limits.Unacceptable as fault:
        raise ports.Refused(str(fault)) from None
    whole = {"topic": message.topic, "body": message.body}
    text = json.dumps(whole, separators=(",", ":"))
    if len(text) > BODY_BYTES_MAX:
        raise ports.Refused(
            f"the message has {len(text)} bytes on the wire; at most {BODY_BYTES_MAX} fit"
        )
    return text


def message_of(text: str) -> ports.Message:
    """The message of a text. Raises ValueError for what `text_of` never wrote."""
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 - one kind of error for all
    topic, body = whole.get("topic"), whole.get("body")
    if not isinstance(topic, str) or not topic or not isinstance(body, dict):
        raise ValueError("a message has a topic and a body")
    return ports.Message(topic, body)


def _read(text: str) -> ports.Message | None:
    try:
        return message_of(text)
    except (ValueError, RecursionError):
        return None


def _readable(found: Iterable[Mapping[str, Any]], mark: str = "") -> list[ports.Taken]:
    messages = [(one, _read(one["Body"])) for one in found]
    return [
        ports.Taken(message, mark + one["ReceiptHandle"], _tries(one))
        for one, message in messages
        if message is not None
    ]


def _tries(found: Mapping[str, Any]) -> int:
    return int(found["Attributes"]["ApproximateReceiveCount"])


def _sent_at(found: Mapping[str, Any]) -> int:
    return int(found["Attributes"]["SentTimestamp"])


def _whole(seconds: float) -> int:
    """SQS counts whole seconds; to wait a little longer is right."""
    return max(0, -int(-seconds // 1))
