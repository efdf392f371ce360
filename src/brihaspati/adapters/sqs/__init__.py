"""The queue on SQS, and what a function needs that SQS calls."""

from brihaspati.adapters.sqs.deliveries import BadDelivery, Delivery, deliveries, failures
from brihaspati.adapters.sqs.messages import BODY_BYTES_MAX, Place, Queue, message_of, text_of

__all__ = [
    "BODY_BYTES_MAX",
    "BadDelivery",
    "Delivery",
    "Place",
    "Queue",
    "deliveries",
    "failures",
    "message_of",
    "text_of",
]
