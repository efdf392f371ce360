"""What no emulator of AWS does by itself: conflicts with others, throttling, lost replies.

A handler before each request of a botocore client; the request is either answered by us, or carried
out and its answer thrown away.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession


@dataclass(frozen=True)
class Lost:
    """The request is carried out; who sent it never hears of it."""


@dataclass(frozen=True)
class Answer:
    """An answer of ours instead."""

    code: str
    status: int = 400
    more: dict[str, Any] | None = None


Fault = Lost | Answer | None
# Told each operation's name and the body sent; what to do to it.
Plan = Callable[[str, dict[str, Any]], Fault]


def throttled() -> Answer:
    return Answer("ProvisionedThroughputExceededException")


def cancelled(*codes: str) -> Answer:
    """A transaction cancelled for these reasons, in the order sent."""
    return Answer(
        "TransactionCanceledException",
        more={"CancellationReasons": [{"Code": code, "Message": code} for code in codes]},
    )


@contextlib.contextmanager
def met(client: Any, plan: Plan) -> Iterator[None]:
    """Let requests of a client meet what is planned for them."""
    real = botocore.httpsession.URLLib3Session()

    def before(request: Any, event_name: str, **_: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        fault = plan(operation, json.loads(request.body or "{}"))
        if fault is None:
            return None
        if isinstance(fault, Lost):
            assert real.send(request.prepare() if hasattr(request, "prepare") else request)
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url)
        return _response(request.url, fault)

    events = f"before-send.{client.meta.service_model.service_name}"
    client.meta.events.register(events, before)
    try:
        yield
    finally:
        client.meta.events.unregister(events, before)


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


def _response(url: str, answer: Answer) -> Any:
    kind = f"com.amazonaws.dynamodb.v20120810#{answer.code}"
    body = json.dumps({"__type": kind, "message": answer.code, **(answer.more or {})}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return botocore.awsrequest.AWSResponse(url, answer.status, headers, _Raw(body))


def in_turn(operation: str, *faults: Fault) -> Plan:
    """The first requests of an operation ("": of any) meet these, one each; the others none."""
    left = list(faults)

    def plan(asked: str, _: dict[str, Any]) -> Fault:
        return left.pop(0) if left and operation in ("", asked) else None

    return plan
