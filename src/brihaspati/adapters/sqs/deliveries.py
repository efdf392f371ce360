"""What SQS hands to a function, and what the function says of it.

    deliveries(event)   every message of the batch, the unreadable ones too
    failures(ids)       the answer that lets those come back, and those only

A message that cannot be read is named among the failures each time until it is with the dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati import ports
from brihaspati.adapters.sqs.messages import message_of


class BadDelivery(ValueError):  # noqa: N818 - what it is
    """An event that SQS never sends, or a message that nobody of us put."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a batch. `id` is what a failure names."""

    id: str
    receipt: str
    text: str
    tries: int

    def taken(self) -> ports.Taken:
        """The message as a queue hands it out. Raises BadDelivery."""
        try:
            return ports.Taken(message_of(self.text), self.receipt, self.tries)
        except (ValueError, RecursionError) as error:
            raise BadDelivery(f"the message {self.id} cannot be read: {error}") from error


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """The messages of an event. Raises BadDelivery for what is no event of SQS."""
    try:
        return [
            Delivery(
                id=str(record["messageId"]),
                receipt=str(record["receiptHandle"]),
                text=str(record["body"]),
                tries=int(record["attributes"]["ApproximateReceiveCount"]),
            )
            for record in event["Records"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BadDelivery(f"this is no event of SQS: {error!r}") from error


def failures(ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The function's answer. The queue's mapping must have ReportBatchItemFailures."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}
