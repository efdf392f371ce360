"""The control plane, as the agent of a rented machine asks it: JSON over HTTPS, signed.

A request carries `Authorization: Machine label=..., at=..., signature=...`. The signature is the
machine's own Ed25519 key's, over `SIGNED_PREFIX`, method, path, moment and the body's digest, a
line each. Moments are the control plane's: what the clock of this machine says does not matter.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import http.client
import json
import pathlib
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati_agent import signatures

SIGNED_PREFIX = b"brihaspati-machine-1\n"
_SECONDS_MAX = 20
_ANSWER_BYTES_MAX = 8 * 1024 * 1024
_NOT_KNOWN = 401
# Signatures count for a minute; `Date` says seconds.
_OFF_MS = 20_000
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the module ssl has no name.
_NO_CHECK_TIME = 0x200000
# What clouds tell the control plane of a machine is its IPv4 address: its token works from there.
_BY_IPV4 = ("0.0.0.0", 0)  # noqa: S104 - not bound to listen


class Refused(Exception):  # noqa: N818 - a normal answer, named for what it is
    """The control plane says no. `status` is HTTP's; the text is for a person."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Unreachable(Exception):  # noqa: N818 - as above
    """No answer, or none that can be read."""


class Times:
    """What time it is at the control plane, in milliseconds, by a clock that never jumps.

    `own` is this machine's, in nanoseconds, which may be hours off.
    """

    def __init__(
        self,
        steady: Callable[[], float] = time.monotonic,
        own: Callable[[], int] = time.time_ns,
    ) -> None:
        self._steady = steady
        self._own = own
        self._told: tuple[int, float] | None = None

    def told(self, now: int) -> None:
        """The control plane said what time it is."""
        self._told = (now, self._steady())

    def now(self) -> int:
        """Its time; before it told us any, this machine's own."""
        if self._told is None:
            return self._own() // 1_000_000
        at, steady = self._told
        return at + round((self._steady() - steady) * 1000)


class ControlPlane:
    """Asks one control plane about one machine. Every call blocks for at most 20 seconds.

    `trust` is a file of certificates to trust besides the system's.
    """

    def __init__(
        self,
        url: str,
        label: str,
        private_key: bytes,
        times: Times,
        trust: str | None = None,
    ) -> None:
        self._url = urllib.parse.urlsplit(url)
        self._label = label
        self._private = private_key
        self._times = times
        self._tls = trusting(trust) if self._url.scheme == "https" else None

    def begin(self, token: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Trade the one-time token. Raises Refused or Unreachable."""
        body = json.dumps({"label": self._label, **said}).encode()
        return self._ask("/v1/machines/bootstrap", body, f"Bearer {token}", _BY_IPV4)

    def tell(self, path: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Ask as this machine. Raises Refused or Unreachable.

        Who is refused for a clock that was wrong asks again with the right one.
        """
        body, at = json.dumps(said).encode(), self._times.now()
        try:
            return self._ask_signed(path, body, at)
        except Refused as refused:
            at_now = self._times.now()
            if refused.status != _NOT_KNOWN or abs(at_now - at) < _OFF_MS:
                raise
            return self._ask_signed(path, body, at_now)

    def _ask_signed(self, path: str, body: bytes, at: int) -> dict[str, Any]:
        signed = signed_text("POST", path, at, body)
        signature = base64.b64encode(signatures.keys().sign(self._private, signed)).decode()
        return self._ask(path, body, f"Machine label={self._label}, at={at}, signature={signature}")

    def _ask(
        self, path: str, body: bytes, authorization: str, source: tuple[str, int] | None = None
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        line = self._line(source)
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            data = answer.read(_ANSWER_BYTES_MAX)
            said = json.loads(data) if data else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        finally:
            line.close()
        if not isinstance(said, dict):
            raise Unreachable("the answer is no object")
        now = said.get("now") or (_dated(answer) if answer.status == _NOT_KNOWN else None)
        if now is not None:
            self._times.told(int(now))
        if answer.status >= 400:
            raise Refused(answer.status, str(said.get("title", answer.reason)))
        return said

    def _line(self, source: tuple[str, int] | None) -> http.client.HTTPConnection:
        host, port, tls = self._url.hostname or "", self._url.port, self._tls
        wait = _SECONDS_MAX
        if tls is None:
            return http.client.HTTPConnection(host, port, timeout=wait, source_address=source)
        return http.client.HTTPSConnection(
            host, port, timeout=wait, source_address=source, context=tls
        )


def _dated(answer: http.client.HTTPResponse) -> int | None:
    """When an answer was given, in milliseconds, if it says so."""
    try:
        return round(email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def hashed_authorities() -> str | None:
    """The folder in which OpenSSL finds an authority by its name, where the system has one."""
    folder = ssl.get_default_verify_paths().capath
    return folder if folder is not None and any(pathlib.Path(folder).glob("*.0")) else None


def trusting(more: str | None) -> ssl.SSLContext:
    """What a client trusts: the system's authorities, and those of a file.

    The system's are looked up in their folder when one is needed: all of them at once are a
    megabyte in each context.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    folder = hashed_authorities()
    if folder is not None:
        context.load_verify_locations(capath=folder)
    else:
        context.load_default_certs()
    if more is not None:
        context.load_verify_locations(more)
    return context


def trusting_at_any_time(more: str | None) -> ssl.SSLContext:
    """As `trusting`, for certificates that we know to count now: our own clock may be wrong."""
    context = trusting(more)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def signed_text(method: str, path: str, at: int, body: bytes) -> bytes:
    """What a machine signs of a request."""
    digest = hashlib.sha256(body).hexdigest()
    return SIGNED_PREFIX + f"{method}\n{path}\n{at}\n{digest}\n".encode()
