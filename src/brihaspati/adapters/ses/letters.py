"""`ports.Mail` over SES: one plain text letter a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FIXES = {
    "MessageRejected": "verify the sender's domain in SES, and leave its sandbox",
    "MailFromDomainNotVerifiedException": "verify the sender's domain in SES",
    "AccountSuspendedException": "SES has suspended this account",
    "SendingPausedException": "sending is paused in SES",
    "NotFoundException": "verify the sender's domain in SES",
}
Ask = Callable[..., dict[str, Any]]


class CannotSend(Exception):  # noqa: N818 - what it is
    """SES refuses the letter; the text says what to do. It holds no part of the letter."""


class Letters:
    """Letters from one address, which SES must know as ours."""

    def __init__(self, ask: Ask, sender: str) -> None:
        self._ask = ask
        self._sender = sender

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one. Raises ValueError for a line break in `to` or `subject`, CannotSend, Busy."""
        from botocore import exceptions  # noqa: PLC0415 - only who writes letters needs it

        if any(end in part for part in (to, subject) for end in "\r\n"):
            raise ValueError("an address or subject has no line breaks")
        try:
            self._ask(
                "send_email",
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": subject, "Charset": "UTF-8"},
                        "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                    }
                },
            )
        except exceptions.ClientError as error:
            found = error.response.get("Error", {})
            code = found.get("Code", "")
            if code not in _FIXES:
                raise
            raise CannotSend(f"{found.get('Message', code)} ({_FIXES[code]})") from error
