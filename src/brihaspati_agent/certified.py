"""Has a certificate for this machine, and another before it runs out, without a pause in serving.

Connections keep what they began with; whoever comes later meets the new one. All moments are the
control plane's, for the clock of a machine may be wrong.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brihaspati_agent import certificates, whole
from brihaspati_agent.acme import Certificate
from brihaspati_agent.certificates import CannotCertify, Tls

_logger = logging.getLogger(__name__)
TRIES_MAX = 5
# Of a certificate's life: when the next one is asked for, and how long after a refusal again.
# Issuers give an address few certificates a week, so neither may be much smaller.
RENEWED_AFTER = 1 / 2
AGAIN_AFTER = 1 / 20
AGAIN_SECONDS_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A certificate, PEM, and from when until when it counts, in seconds."""

    chain: str
    key: str
    since: float
    until: float

    @property
    def life(self) -> float:
        return self.until - self.since


class Certified:
    """Of one machine. `issue` blocks, and raises CannotCertify; `now` is in milliseconds."""

    def __init__(
        self,
        tls: Tls,
        kept: Path,
        issue: Callable[[], Certificate],
        now: Callable[[], int],
        wait: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._tls = tls
        self._file = kept
        self._issue = issue
        self._now = now
        self._wait = wait
        self._serving: _Kept | None = None

    async def begin(self) -> None:
        """Serve with the one of before, or a first one. Raises CannotCertify after some tries."""
        kept = self._read()
        if kept is not None and self._seconds() < kept.since + kept.life * 3 / 4:
            self._serve(kept)
            return
        for attempt in range(TRIES_MAX):
            try:
                await self._renew()
            except CannotCertify as error:
                _logger.warning("no certificate yet: %s", error)
                if attempt == TRIES_MAX - 1:
                    raise
                await self._wait(2**attempt)
            else:
                return

    async def keep(self) -> None:
        """Renew in time, for as long as we are let."""
        while True:
            serving = self._serving
            assert serving is not None
            due = serving.since + serving.life * RENEWED_AFTER
            if self._seconds() < due:
                await self._wait(due - self._seconds())
                continue
            try:
                await self._renew()
            except CannotCertify as error:
                _logger.warning("no new certificate: %s", error)
                await self._wait(min(serving.life * AGAIN_AFTER, AGAIN_SECONDS_MAX))

    async def _renew(self) -> None:
        got = await asyncio.to_thread(self._issue)
        until = certificates.runs_out(got.chain)
        kept = _Kept(got.chain.decode(), got.key.decode(), self._seconds(), until)
        self._serve(kept)
        _logger.info("a certificate for %d s", kept.life)
        try:
            whole.write(self._file, json.dumps(asdict(kept)).encode())
        except OSError as error:  # a full disk: the next agent asks for one of its own
            _logger.warning("the certificate was not kept: %s", error)

    def _serve(self, kept: _Kept) -> None:
        try:
            self._tls.serve(kept.chain.encode(), kept.key.encode())
        except (ssl.SSLError, OSError) as error:
            raise CannotCertify(f"what the issuer sent cannot be served: {error}") from error
        self._serving = kept

    def _read(self) -> _Kept | None:
        try:
            return _Kept(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _seconds(self) -> float:
        return self._now() / 1000
