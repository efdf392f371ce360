"""The way to AWS services: a botocore client each, made at first use, with errors in our words.

services = amazon.Services(region="eu-central-1")
ask = services.of("sqs")
ask("send_message", QueueUrl=..., MessageBody=...)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from brihaspati import ports

_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CONNECT_SECONDS = 2
_READ_SECONDS = 8
_TRIES_MAX = 4

Ask = Callable[..., dict[str, Any]]
"""Called with an operation's name as botocore has it, and its parameters.

Raises Busy for what passes, botocore's ClientError for what does not.
"""


class Services:
    """Clients of one account and region. What is None is left to the AWS environment."""

    def __init__(
        self,
        region: str | None = None,
        endpoint: str | None = None,
        keys: tuple[str, str] | None = None,
    ) -> None:
        self._region = region
        self._endpoint = endpoint
        self._keys = keys or (None, None)
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session: Any = None

    def of(self, service: str) -> Ask:
        """How to ask a service. Nothing connects, nothing is even imported, before it is asked."""

        def ask(operation: str, **parameters: Any) -> dict[str, Any]:
            from botocore import exceptions  # noqa: PLC0415 - 200 ms that few functions need

            try:
                answer: dict[str, Any] = getattr(self.client(service), operation)(**parameters)
            except exceptions.ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in _PASSING:
                    raise ports.Busy(f"{service}: {code}") from error
                raise
            except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
                raise ports.Busy(f"{service}: {error}") from error
            return answer

        return ask

    def client(self, service: str) -> Any:
        """The botocore client, made if need be: ahead of a snapshot, or to hang a handler on."""
        with self._lock:  # botocore must not make clients in two threads
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:
        from botocore import config, session  # noqa: PLC0415 - as above

        key, secret = self._keys
        if self._session is None:  # one for all, for each reads where every service of AWS is
            self._session = session.get_session()
        return self._session.create_client(
            service,
            region_name=self._region,
            endpoint_url=self._endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=config.Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"total_max_attempts": _TRIES_MAX, "mode": "standard"},
            ),
        )
