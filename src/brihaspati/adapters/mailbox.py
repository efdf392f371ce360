"""Letters as files, for a host that sends no mail: the instructor hands them on, or reads them."""

from __future__ import annotations

import logging
import os
import secrets
from email import message, policy
from pathlib import Path

from brihaspati import ports

_LOG = logging.getLogger(__name__)


class Mailbox:
    """`ports.Mail` over a folder: one `.eml` file per letter, named by time, mode 0600.

    Letters hold one-time links, so the log says only to whom one went and where it lies.
    """

    def __init__(self, folder: Path, clock: ports.Clock) -> None:
        self._folder = folder
        self._clock = clock

    def send(self, to: str, subject: str, text: str) -> None:
        """Write the letter. Raises ValueError for a line break in `to` or `subject`, OSError."""
        letter = message.EmailMessage(policy=policy.SMTP)
        letter["To"] = to
        letter["Subject"] = subject
        letter.set_content(text)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._clock.now()}-{secrets.token_hex(4)}.eml"
        aside = path.with_suffix(".part")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(letter.as_bytes())
        aside.rename(path)
        _LOG.info("letter to %s lies in %s", to, path)
